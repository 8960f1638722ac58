/* SPDX-License-Identifier: MIT */
/* Reports and their layout in words. */
#ifndef HS_HID_REPORT_TEXT_H
#define HS_HID_REPORT_TEXT_H

#include <stdio.h>

#include "core/hid/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @return "input", "output" or "feature" */
const char *hs_report_type_name(enum hs_report_type type);

/**
 * Write where the fields of a report are, one line for each:
 *
 *   byte 1 bit 0   3 x 1 bit    Button 1 to Button 3  0..1
 *
 * @param prefix in front of each line
 */
void hs_report_print_layout(const struct hs_rdesc *rdesc, const struct hs_report *report,
			    const char *prefix, FILE *out);

/**
 * Write what a report says in one line without its end: "Tip Switch=1 X=120 Y=-3".
 * Values of different collections, such as the fingers of a touchscreen, are set
 * apart by " | ". A report that the descriptor does not have is named as such.
 */
void hs_report_print_values(const struct hs_rdesc *rdesc, enum hs_report_type type,
			    const uint8_t *data, size_t size, FILE *out);

#ifdef __cplusplus
}
#endif

#endif /* HS_HID_REPORT_TEXT_H */
