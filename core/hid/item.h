/* SPDX-License-Identifier: MIT */
/* Items: what a report descriptor consists of (HID 1.11, 6.2.2). */
#ifndef HS_HID_ITEM_H
#define HS_HID_ITEM_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The first byte of an item without its size. */
enum hs_item_tag {
	HS_ITEM_INPUT = 0x80,
	HS_ITEM_OUTPUT = 0x90,
	HS_ITEM_COLLECTION = 0xa0,
	HS_ITEM_FEATURE = 0xb0,
	HS_ITEM_END_COLLECTION = 0xc0,

	HS_ITEM_USAGE_PAGE = 0x04,
	HS_ITEM_LOGICAL_MINIMUM = 0x14,
	HS_ITEM_LOGICAL_MAXIMUM = 0x24,
	HS_ITEM_PHYSICAL_MINIMUM = 0x34,
	HS_ITEM_PHYSICAL_MAXIMUM = 0x44,
	HS_ITEM_UNIT_EXPONENT = 0x54,
	HS_ITEM_UNIT = 0x64,
	HS_ITEM_REPORT_SIZE = 0x74,
	HS_ITEM_REPORT_ID = 0x84,
	HS_ITEM_REPORT_COUNT = 0x94,
	HS_ITEM_PUSH = 0xa4,
	HS_ITEM_POP = 0xb4,

	HS_ITEM_USAGE = 0x08,
	HS_ITEM_USAGE_MINIMUM = 0x18,
	HS_ITEM_USAGE_MAXIMUM = 0x28,
	HS_ITEM_DESIGNATOR_INDEX = 0x38,
	HS_ITEM_DESIGNATOR_MINIMUM = 0x48,
	HS_ITEM_DESIGNATOR_MAXIMUM = 0x58,
	HS_ITEM_STRING_INDEX = 0x78,
	HS_ITEM_STRING_MINIMUM = 0x88,
	HS_ITEM_STRING_MAXIMUM = 0x98,
	HS_ITEM_DELIMITER = 0xa8,

	HS_ITEM_LONG = 0xfc,
};

/** Types of items: bits 2 and 3 of the first byte. */
#define HS_ITEM_TYPE(tag)     ((tag)&0x0c)
#define HS_ITEM_TYPE_MAIN     0x00
#define HS_ITEM_TYPE_GLOBAL   0x04
#define HS_ITEM_TYPE_LOCAL    0x08
#define HS_ITEM_TYPE_RESERVED 0x0c

struct hs_item {
	uint8_t tag; /**< an enum hs_item_tag, or a value that has no meaning */
	size_t offset; /**< of the item in the descriptor, bytes */
	size_t size; /**< of the whole item, bytes */
	const uint8_t *data;
	size_t data_size; /**< 0, 1, 2 or 4; up to 255 for a long item */
	uint32_t u; /**< the data as an unsigned number, 0 if there are none */
	int32_t s; /**< the data as a signed number */
};

/**
 * Read the item at @offset and move @offset behind it.
 *
 * @return 1; 0 at the descriptor's end; -EINVAL if the descriptor ends within the
 *   item, then @offset stays
 */
int hs_item_next(const uint8_t *rdesc, size_t size, size_t *offset, struct hs_item *item,
		 struct hs_error *err);

/** Name of a tag, "Report Size"; NULL if it has none. */
const char *hs_item_name(uint8_t tag);

#ifdef __cplusplus
}
#endif

#endif /* HS_HID_ITEM_H */
