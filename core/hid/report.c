// SPDX-License-Identifier: MIT
#include "core/hid/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/util.h"

int hs_bits_extract(const uint8_t *data, size_t size, uint32_t bit_offset, unsigned int bit_size,
		    uint32_t *out)
{
	size_t first = bit_offset / 8;
	size_t bytes = (bit_offset % 8 + bit_size + 7) / 8; /* at most 5 */
	uint64_t bits = 0;

	if (bit_size > 32 || first > size || bytes > size - first)
		return -ENODATA;
	for (size_t i = 0; i < bytes; i++)
		bits |= (uint64_t)data[first + i] << (8 * i);
	bits >>= bit_offset % 8;
	*out = (uint32_t)(bits & ((UINT64_C(1) << bit_size) - 1));
	return 0;
}

int hs_bits_insert(uint8_t *data, size_t size, uint32_t bit_offset, unsigned int bit_size,
		   uint32_t value)
{
	size_t first = bit_offset / 8;
	size_t bytes = (bit_offset % 8 + bit_size + 7) / 8;
	uint64_t mask, bits;

	if (bit_size > 32 || first > size || bytes > size - first)
		return -ENODATA;
	mask = (UINT64_C(1) << bit_size) - 1;
	if (value & ~mask)
		return -ERANGE;
	mask <<= bit_offset % 8;
	bits = (uint64_t)value << bit_offset % 8;
	for (size_t i = 0; i < bytes; i++) {
		data[first + i] &= (uint8_t) ~(mask >> (8 * i));
		data[first + i] |= (uint8_t)(bits >> (8 * i));
	}
	return 0;
}

static unsigned int usable_bits(const struct hs_field *field)
{
	return field->bit_size > 32 ? 32 : field->bit_size;
}

int hs_field_extract(const struct hs_field *field, const uint8_t *data, size_t size, uint32_t index,
		     int64_t *value)
{
	unsigned int bits = usable_bits(field);
	uint32_t raw;
	int rc;

	if (index >= field->count)
		return -EINVAL;
	rc = hs_bits_extract(data, size, field->bit_offset + index * field->bit_size, bits, &raw);
	if (rc < 0)
		return rc;
	*value = raw;
	if (field->logical_min < 0 && bits && raw >> (bits - 1))
		*value -= INT64_C(1) << bits;
	return 0;
}

int hs_field_insert(const struct hs_field *field, uint8_t *data, size_t size, uint32_t index,
		    int64_t value)
{
	unsigned int bits = usable_bits(field);
	int64_t limit = INT64_C(1) << bits;

	if (index >= field->count)
		return -EINVAL;
	if (field->logical_min < 0 ? value < -limit / 2 || value >= limit / 2
				   : value < 0 || value >= limit)
		return -ERANGE;
	if (!(field->flags & HS_FIELD_NULL_STATE) &&
	    (value < field->logical_min || value > field->logical_max))
		return -ERANGE;
	return hs_bits_insert(data, size, field->bit_offset + index * field->bit_size, bits,
			      (uint32_t)value & (uint32_t)(limit - 1));
}

/* @return false for an array element that says nothing */
static bool element_value(struct hs_value *v)
{
	const struct hs_field *field = v->field;
	bool in_range = v->value >= field->logical_min && v->value <= field->logical_max;

	if (field->flags & HS_FIELD_VARIABLE) {
		v->usage = hs_field_usage(field, v->index);
		v->null = !in_range && field->flags & HS_FIELD_NULL_STATE;
		return true;
	}
	if (!in_range || v->value - field->logical_min >= hs_field_usage_count(field))
		return false;
	v->usage = hs_field_usage(field, (uint32_t)(v->value - field->logical_min));
	v->value = 1;
	/* Usage 0 of a page is "none": an empty slot of a keyboard's array. */
	return v->usage & 0xffff;
}

static bool says_something(const struct hs_field *field)
{
	return field->n_usages && field->bit_size && !(field->flags & HS_FIELD_CONSTANT);
}

size_t hs_report_max_values(const struct hs_report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_fields; i++)
		if (says_something(report->fields[i]))
			n += report->fields[i]->count;
	return n;
}

size_t hs_report_values(const struct hs_report *report, const uint8_t *data, size_t size,
			struct hs_value *values, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_fields; i++) {
		const struct hs_field *field = report->fields[i];

		if (!says_something(field))
			continue;
		for (uint32_t j = 0; j < field->count && n < max; j++) {
			struct hs_value v = { .field = field, .index = j };

			if (hs_field_extract(field, data, size, j, &v.value) < 0)
				break;
			if (element_value(&v))
				values[n++] = v;
		}
	}
	return n;
}

static double power_of_ten(int exponent)
{
	double v = 1;

	/* A byte is all that a descriptor needs; beyond it nothing is meant. */
	for (int i = 0; i < exponent && i < 128; i++)
		v *= 10;
	for (int i = 0; i > exponent && i > -128; i--)
		v /= 10;
	return v;
}

double hs_field_physical(const struct hs_field *field, int64_t value)
{
	double logical = (double)(field->logical_max - field->logical_min);
	double v = (double)value;

	if ((field->physical_min || field->physical_max) && logical > 0)
		v = (double)field->physical_min +
		    (double)(value - field->logical_min) *
			    (double)(field->physical_max - field->physical_min) / logical;
	return v * power_of_ten(field->unit_exponent);
}

const char *hs_unit_format(uint32_t unit, char *buf, size_t size)
{
	/* By system (SI linear, SI rotation, English linear, English rotation). */
	static const char *const names[][4] = {
		{ "cm", "rad", "in", "deg" }, { "g", "g", "slug", "slug" },
		{ "s", "s", "s", "s" },       { "K", "K", "degF", "degF" },
		{ "A", "A", "A", "A" },       { "cd", "cd", "cd", "cd" },
	};
	unsigned int system = unit & 0xf;
	size_t n = 0;

	if (size)
		buf[0] = '\0';
	if (!unit)
		return buf;
	if (system < 1 || system > 4) {
		snprintf(buf, size, "0x%x", unit);
		return buf;
	}
	for (size_t i = 0; i < HS_ARRAY_SIZE(names) && n < size; i++) {
		int exponent = unit >> (4 * (i + 1)) & 0xf;
		int len;

		exponent = exponent > 7 ? exponent - 16 : exponent;
		if (!exponent)
			continue;
		if (exponent == 1)
			len = snprintf(buf + n, size - n, "%s%s", n ? "*" : "",
				       names[i][system - 1]);
		else
			len = snprintf(buf + n, size - n, "%s%s^%d", n ? "*" : "",
				       names[i][system - 1], exponent);
		n += len < 0 ? 0 : (size_t)len;
	}
	return buf;
}
