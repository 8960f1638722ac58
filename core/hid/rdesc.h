/* SPDX-License-Identifier: MIT */
/*
 * Report descriptors: which reports a device has, and what the bits in them mean.
 *
 * The parser accepts and refuses what Linux does (drivers/hid/hid-core.c, v6.12),
 * since what counts is how a device works there: reserved items and stray bytes
 * after the last collection do no harm, an unbalanced collection does.
 */
#ifndef HS_HID_RDESC_H
#define HS_HID_RDESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum hs_report_type {
	HS_REPORT_INPUT,
	HS_REPORT_OUTPUT,
	HS_REPORT_FEATURE,
};

#define HS_REPORT_TYPES 3

/** Flags of a field: the data of its Input, Output or Feature item (HID 1.11, 6.2.2.5). */
enum hs_field_flags {
	HS_FIELD_CONSTANT = 1 << 0,
	HS_FIELD_VARIABLE = 1 << 1, /**< else an array: elements say which usages are on */
	HS_FIELD_RELATIVE = 1 << 2,
	HS_FIELD_WRAP = 1 << 3,
	HS_FIELD_NONLINEAR = 1 << 4,
	HS_FIELD_NO_PREFERRED = 1 << 5,
	HS_FIELD_NULL_STATE = 1 << 6,
	HS_FIELD_VOLATILE = 1 << 7,
	HS_FIELD_BUFFERED_BYTES = 1 << 8,
};

/** Usages from @c min to @c max, both included; usage page in the upper 16 bits. */
struct hs_usage_range {
	uint32_t min, max;
};

/** What one Input, Output or Feature item describes: some elements of one size. */
struct hs_field {
	enum hs_report_type type;
	uint8_t report_id; /**< 0 if there is none */
	uint32_t flags; /**< HS_FIELD_* */
	/** Of the first element, in bits from the start of the report, whose first
	 * byte is the report ID where the device uses them.
	 */
	uint32_t bit_offset;
	uint32_t bit_size; /**< of one element, 0 to 256 */
	uint32_t count; /**< number of elements */
	int64_t logical_min, logical_max;
	int64_t physical_min, physical_max; /**< both 0: the same as the logical ones */
	int32_t unit_exponent; /**< power of ten */
	uint32_t unit; /**< nibbles as in HID 1.11, 6.2.2.7 */
	const struct hs_usage_range *usages;
	size_t n_usages; /**< number of ranges; 0 for padding */
	int collection; /**< index of the innermost collection, -1 outside of all */
	size_t offset; /**< of its main item in the descriptor, bytes */
};

struct hs_report {
	enum hs_report_type type;
	uint8_t id; /**< 0 if there is none */
	size_t size; /**< bytes, report ID included where the device uses them */
	uint32_t application; /**< usage of the application collection it begins in, or 0 */
	const struct hs_field *const *fields; /**< in order of their bit_offset */
	size_t n_fields;
};

struct hs_collection {
	uint8_t type; /**< 0 physical, 1 application, 2 logical, 3 report, ... */
	uint32_t usage; /**< 0 if it has none */
	int parent; /**< index, -1 if there is none */
	size_t offset; /**< of its item in the descriptor, bytes */
};

/** Opaque; everything that is reached through it lives as long as it does. */
struct hs_rdesc;

/**
 * Parse a report descriptor.
 *
 * @param out set on success; free with hs_rdesc_free()
 * @param err "offset N: reason", N in bytes from 0
 * @return 0; -EINVAL if the kernel would refuse it; -ENOMEM
 */
int hs_rdesc_parse(const uint8_t *rdesc, size_t size, struct hs_rdesc **out, struct hs_error *err);

/** @param rdesc may be NULL */
void hs_rdesc_free(struct hs_rdesc *rdesc);

/** Reports in order of type, then of their first appearance in the descriptor. */
size_t hs_rdesc_report_count(const struct hs_rdesc *rdesc);

/** @return NULL if @index is out of range */
const struct hs_report *hs_rdesc_report(const struct hs_rdesc *rdesc, size_t index);

/** @return NULL if the device has no such report */
const struct hs_report *hs_rdesc_find(const struct hs_rdesc *rdesc, enum hs_report_type type,
				      uint8_t id);

/** Does the first byte of a report of this type say which one it is? */
bool hs_rdesc_numbered(const struct hs_rdesc *rdesc, enum hs_report_type type);

/**
 * The report that bytes on the wire belong to.
 *
 * @return NULL if there is no such report, or no byte where an ID must be
 */
const struct hs_report *hs_rdesc_report_of(const struct hs_rdesc *rdesc, enum hs_report_type type,
					   const uint8_t *data, size_t size);

/** Of all kinds and levels. */
size_t hs_rdesc_collection_count(const struct hs_rdesc *rdesc);

/** In order of the descriptor. @return NULL if @index is out of range */
const struct hs_collection *hs_rdesc_collection(const struct hs_rdesc *rdesc, size_t index);

/** Number of usages of all ranges of a field. */
uint32_t hs_field_usage_count(const struct hs_field *field);

/**
 * Usage number @index of a field. With fewer usages than elements the last one
 * stands for the rest.
 *
 * @return 0 if the field has none
 */
uint32_t hs_field_usage(const struct hs_field *field, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif /* HS_HID_RDESC_H */
