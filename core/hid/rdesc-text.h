/* SPDX-License-Identifier: MIT */
/* Report descriptors as people read them in C sources and bug reports. */
#ifndef HS_HID_RDESC_TEXT_H
#define HS_HID_RDESC_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/hid/item.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Write one line for each item:
 *
 *   0x09, 0x02,                    // Usage (Mouse)                       2
 *
 * the bytes as they stand in a C array, the item in words, indented by collections,
 * and its offset in bytes, decimal.
 *
 * Writes what is well-formed and then fails, so that one sees where the trouble is.
 *
 * @param prefix in front of each line, such as "# " or "\t"
 * @return 0; -EINVAL if an item is cut off by the descriptor's end
 */
int hs_rdesc_print(const uint8_t *rdesc, size_t size, const char *prefix, FILE *out,
		   struct hs_error *err);

/**
 * Words for one item, such as "Report Size (8)" or "Input (Data,Var,Abs)".
 *
 * @param usage_page valid at this item
 * @param signed_max is a Logical or Physical Maximum here signed, since its minimum is
 *   negative?
 * @return @buf
 */
const char *hs_item_format(const struct hs_item *item, uint16_t usage_page, int signed_max,
			   char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* HS_HID_RDESC_TEXT_H */
