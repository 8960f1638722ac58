/* SPDX-License-Identifier: MIT */
/*
 * Reports: bytes on the wire, read and written field by field.
 *
 * A report is here as recordings, hidraw and uhid have it: the report ID is its
 * first byte if, and only if, the device uses report IDs.
 */
#ifndef HS_HID_REPORT_H
#define HS_HID_REPORT_H

#include "core/hid/rdesc.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Take an unsigned number out of a report: little endian, least significant bit
 * first.
 *
 * @param bit_size 0 to 32; of larger fields take 32 bits at a time
 * @return 0; -ENODATA if the report is too short, *@out stays
 */
int hs_bits_extract(const uint8_t *data, size_t size, uint32_t bit_offset, unsigned int bit_size,
		    uint32_t *out);

/**
 * Put an unsigned number into a report and leave all other bits alone.
 *
 * @param bit_size 0 to 32
 * @return 0; -ENODATA if the report is too short; -ERANGE if @value has more bits
 */
int hs_bits_insert(uint8_t *data, size_t size, uint32_t bit_offset, unsigned int bit_size,
		   uint32_t value);

/**
 * Element @index of a field as a number, negative if its logical minimum is and the
 * topmost bit is set. Of elements with more than 32 bits, the lowest 32.
 *
 * @return 0; -ENODATA if the report is too short; -EINVAL if there is no such element
 */
int hs_field_extract(const struct hs_field *field, const uint8_t *data, size_t size, uint32_t index,
		     int64_t *value);

/**
 * Write element @index of a field.
 *
 * @return 0; -ENODATA; -EINVAL; -ERANGE if the value does not fit into its bits, or is
 *   outside of the logical range of a field that has no null state
 */
int hs_field_insert(const struct hs_field *field, uint8_t *data, size_t size, uint32_t index,
		    int64_t value);

/** One thing that a report says. */
struct hs_value {
	const struct hs_field *field;
	uint32_t index; /**< of the element in the field */
	/** Of a variable its usage; of an array element the usage it says is on. */
	uint32_t usage;
	int64_t value; /**< of a variable the number; of an array element 1 */
	bool null; /**< out of the logical range: the device says nothing here */
};

/**
 * All values of a report, without padding and without array elements that say
 * nothing.
 *
 * A report can be shorter than described: its values end where it ends.
 *
 * @param values room for @max values
 * @return number of values, at most @max
 */
size_t hs_report_values(const struct hs_report *report, const uint8_t *data, size_t size,
			struct hs_value *values, size_t max);

/** Largest number of values that hs_report_values() can have for this report. */
size_t hs_report_max_values(const struct hs_report *report);

/**
 * A value in the unit of its field.
 *
 * @return logical values of a field without physical range, times ten to the unit
 *   exponent
 */
double hs_field_physical(const struct hs_field *field, int64_t value);

/**
 * Write a unit as physicists do: "cm", "g*cm^2*s^-2", "deg"; "" for none.
 *
 * @return @buf
 */
const char *hs_unit_format(uint32_t unit, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* HS_HID_REPORT_H */
