// SPDX-License-Identifier: MIT
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/util.h"
#include "core/hid/item.h"
#include "core/hid/rdesc-text.h"
#include "core/hid/rdesc.h"
#include "core/hid/report.h"
#include "core/hid/usages.h"
#include "real-recordings.h"

/* A mouse without report IDs: 3 buttons, 5 bits of padding, X and Y. */
static const uint8_t mouse[] = {
	0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, /* Mouse, Pointer */
	0x05, 0x09, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00, 0x25, 0x01, /* Buttons 1 to 3 */
	0x95, 0x03, 0x75, 0x01, 0x81, 0x02, /* Input (Data,Var,Abs) */
	0x95, 0x01, 0x75, 0x05, 0x81, 0x03, /* Input (Cnst,Var,Abs) */
	0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x81, 0x25, 0x7f, /* X, Y, -127 to 127 */
	0x75, 0x08, 0x95, 0x02, 0x81, 0x06, 0xc0, 0xc0, /* Input (Data,Var,Rel) */
};

/* A keyboard with IDs: modifiers, an array of 3 keys, LEDs, a feature of its own. */
static const uint8_t keyboard[] = {
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x85, 0x02, /* Keyboard, Report ID 2 */
	0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, /* Left Control to Right GUI */
	0x75, 0x01, 0x95, 0x08, 0x81, 0x02, /* Input (Data,Var,Abs) */
	0x19, 0x00, 0x2a, 0xff, 0x00, 0x26, 0xff, 0x00, /* Usages 0 to 255, Logical Maximum 255 */
	0x75, 0x08, 0x95, 0x03, 0x81, 0x00, /* Input (Data,Arr,Abs) */
	0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x25, 0x01, /* LEDs */
	0x75, 0x01, 0x95, 0x05, 0x91, 0x02, /* Output (Data,Var,Abs) */
	0x95, 0x03, 0x91, 0x03, /* Output (Cnst,Var,Abs) */
	0x85, 0x09, 0x06, 0x00, 0xff, 0x09, 0x01, 0x26, 0xff, 0x00, /* Report ID 9, vendor */
	0x75, 0x08, 0x95, 0x02, 0xb1, 0x02, 0xc0, /* Feature (Data,Var,Abs) */
};

static struct hs_rdesc *parse(const uint8_t *bytes, size_t size)
{
	struct hs_rdesc *rdesc = NULL;
	struct hs_error err = { 0 };

	if (hs_rdesc_parse(bytes, size, &rdesc, &err))
		fail_msg("%s", err.text);
	return rdesc;
}

static void test_items(void **state)
{
	static const uint8_t bytes[] = { 0x14, 0x25, 0xff, 0x36, 0x00, 0x80, 0x47, 0xff,
					 0xff, 0xff, 0x7f, 0xfe, 0x02, 0x10, 0xaa, 0xbb };
	static const struct {
		uint8_t tag;
		size_t offset, size;
		uint32_t u;
		int32_t s;
	} expected[] = {
		{ HS_ITEM_LOGICAL_MINIMUM, 0, 1, 0, 0 },
		{ HS_ITEM_LOGICAL_MAXIMUM, 1, 2, 0xff, -1 },
		{ HS_ITEM_PHYSICAL_MINIMUM, 3, 3, 0x8000, -32768 },
		{ HS_ITEM_PHYSICAL_MAXIMUM, 6, 5, 0x7fffffff, 0x7fffffff },
		{ HS_ITEM_LONG, 11, 5, 0, 0 },
	};
	struct hs_error err = { 0 };
	struct hs_item item;
	size_t offset = 0;

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(expected); i++) {
		assert_int_equal(hs_item_next(bytes, sizeof(bytes), &offset, &item, &err), 1);
		assert_int_equal(item.tag, expected[i].tag);
		assert_int_equal(item.offset, expected[i].offset);
		assert_int_equal(item.size, expected[i].size);
		assert_int_equal(item.u, expected[i].u);
		assert_int_equal(item.s, expected[i].s);
	}
	assert_int_equal(hs_item_next(bytes, sizeof(bytes), &offset, &item, &err), 0);

	offset = 6;
	assert_int_equal(hs_item_next(bytes, 9, &offset, &item, &err), -EINVAL);
	assert_int_equal(offset, 6);
	assert_string_equal(err.text, "offset 6: the descriptor ends within an item (0x47 needs 5 "
				      "bytes, 3 are left)");
}

static void test_mouse(void **state)
{
	struct hs_rdesc *rdesc = parse(mouse, sizeof(mouse));
	const struct hs_report *report = hs_rdesc_report(rdesc, 0);
	const struct hs_field *field;

	(void)state;
	assert_int_equal(hs_rdesc_report_count(rdesc), 1);
	assert_null(hs_rdesc_report(rdesc, 1));
	assert_false(hs_rdesc_numbered(rdesc, HS_REPORT_INPUT));
	assert_int_equal(report->type, HS_REPORT_INPUT);
	assert_int_equal(report->id, 0);
	assert_int_equal(report->size, 3);
	assert_int_equal(report->application, HS_USAGE(1, 2));
	assert_int_equal(report->n_fields, 3);
	assert_ptr_equal(hs_rdesc_report_of(rdesc, HS_REPORT_INPUT, NULL, 0), report);

	field = report->fields[0];
	assert_int_equal(field->bit_offset, 0);
	assert_int_equal(field->bit_size, 1);
	assert_int_equal(field->count, 3);
	assert_int_equal(field->flags, HS_FIELD_VARIABLE);
	assert_int_equal(hs_field_usage_count(field), 3);
	assert_int_equal(hs_field_usage(field, 1), HS_USAGE(HS_PAGE_BUTTON, 2));
	assert_int_equal(field->offset, 24);
	assert_int_equal(field->collection, 1);

	assert_int_equal(report->fields[1]->n_usages, 0);
	assert_int_equal(report->fields[1]->bit_offset, 3);

	field = report->fields[2];
	assert_int_equal(field->bit_offset, 8);
	assert_int_equal(field->logical_min, -127);
	assert_int_equal(field->logical_max, 127);
	assert_int_equal(hs_field_usage(field, 0), HS_USAGE(1, 0x30));
	assert_int_equal(hs_field_usage(field, 1), HS_USAGE(1, 0x31));
	assert_int_equal(hs_field_usage(field, 2), HS_USAGE(1, 0x31));

	assert_int_equal(hs_rdesc_collection_count(rdesc), 2);
	assert_int_equal(hs_rdesc_collection(rdesc, 0)->type, 1);
	assert_int_equal(hs_rdesc_collection(rdesc, 0)->parent, -1);
	assert_int_equal(hs_rdesc_collection(rdesc, 1)->parent, 0);
	assert_int_equal(hs_rdesc_collection(rdesc, 1)->usage, HS_USAGE(1, 1));
	assert_null(hs_rdesc_collection(rdesc, 2));
	hs_rdesc_free(rdesc);
}

static void test_mouse_values(void **state)
{
	static const uint8_t data[] = { 0x05, 0x81, 0x7f };
	struct hs_rdesc *rdesc = parse(mouse, sizeof(mouse));
	const struct hs_report *report = hs_rdesc_report(rdesc, 0);
	static const int64_t expected[] = { 1, 0, 1, -127, 127 };
	struct hs_value values[8];

	(void)state;
	assert_int_equal(hs_report_max_values(report), 5);
	assert_int_equal(hs_report_values(report, data, sizeof(data), values, 8), 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(values[i].value, expected[i]);
	assert_int_equal(values[2].usage, HS_USAGE(HS_PAGE_BUTTON, 3));
	assert_int_equal(values[4].usage, HS_USAGE(1, 0x31));
	/* A report may end early, and so may the room for values. */
	assert_int_equal(hs_report_values(report, data, 2, values, 8), 4);
	assert_int_equal(hs_report_values(report, data, 0, values, 8), 0);
	assert_int_equal(hs_report_values(report, data, sizeof(data), values, 2), 2);
	hs_rdesc_free(rdesc);
}

static void test_keyboard(void **state)
{
	struct hs_rdesc *rdesc = parse(keyboard, sizeof(keyboard));
	static const uint8_t data[] = { 2, 0x02, 0x04, 0x00, 0x27 };
	const struct hs_report *report = hs_rdesc_report_of(rdesc, HS_REPORT_INPUT, data, 5);
	struct hs_value values[16];
	size_t n;

	(void)state;
	assert_int_equal(hs_rdesc_report_count(rdesc), 3);
	assert_true(hs_rdesc_numbered(rdesc, HS_REPORT_INPUT));
	assert_ptr_equal(report, hs_rdesc_find(rdesc, HS_REPORT_INPUT, 2));
	assert_int_equal(report->size, 5);
	assert_int_equal(report->fields[0]->bit_offset, 8);
	assert_null(hs_rdesc_find(rdesc, HS_REPORT_INPUT, 9));
	assert_null(hs_rdesc_report_of(rdesc, HS_REPORT_INPUT, data, 0));
	assert_int_equal(hs_rdesc_find(rdesc, HS_REPORT_OUTPUT, 2)->size, 2);
	assert_int_equal(hs_rdesc_find(rdesc, HS_REPORT_FEATURE, 9)->size, 3);
	assert_int_equal(hs_rdesc_report(rdesc, 2)->type, HS_REPORT_FEATURE);

	/* Eight modifiers, then the keys that are down; the empty slot says nothing. */
	n = hs_report_values(report, data, sizeof(data), values, 16);
	assert_int_equal(n, 10);
	assert_int_equal(values[1].usage, HS_USAGE(HS_PAGE_KEYBOARD, 0xe1));
	assert_int_equal(values[1].value, 1);
	assert_int_equal(values[8].usage, HS_USAGE(HS_PAGE_KEYBOARD, 0x04));
	assert_int_equal(values[8].value, 1);
	assert_int_equal(values[9].usage, HS_USAGE(HS_PAGE_KEYBOARD, 0x27));
	assert_int_equal(values[9].index, 2);
	hs_rdesc_free(rdesc);
}

static void test_bits(void **state)
{
	static const uint8_t data[] = { 0x12, 0x34, 0x56, 0x78, 0x9a };
	uint8_t buf[5];
	uint32_t v;

	(void)state;
	assert_int_equal(hs_bits_extract(data, 5, 0, 8, &v), 0);
	assert_int_equal(v, 0x12);
	assert_int_equal(hs_bits_extract(data, 5, 4, 12, &v), 0);
	assert_int_equal(v, 0x341);
	assert_int_equal(hs_bits_extract(data, 5, 7, 32, &v), 0);
	assert_int_equal(v, (0x9a78563412 >> 7) & 0xffffffff);
	assert_int_equal(hs_bits_extract(data, 5, 8, 0, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(hs_bits_extract(data, 5, 9, 32, &v), -ENODATA);
	assert_int_equal(hs_bits_extract(data, 5, UINT32_MAX, 1, &v), -ENODATA);
	assert_int_equal(hs_bits_extract(data, 5, 0, 33, &v), -ENODATA);

	/* All bits around the inserted ones stay. */
	for (unsigned int offset = 0; offset < 40; offset++) {
		for (unsigned int bits = 0; bits <= 32 && offset + bits <= 40; bits++) {
			uint32_t ones = bits == 32 ? UINT32_MAX : (1U << bits) - 1, got;

			memset(buf, 0, sizeof(buf));
			assert_int_equal(hs_bits_insert(buf, 5, offset, bits, ones), 0);
			assert_int_equal(hs_bits_extract(buf, 5, offset, bits, &got), 0);
			assert_int_equal(got, ones);
			for (unsigned int i = 0; i < 40; i++)
				assert_int_equal(buf[i / 8] >> (i % 8) & 1,
						 i >= offset && i < offset + bits);
			memset(buf, 0xff, sizeof(buf));
			assert_int_equal(hs_bits_insert(buf, 5, offset, bits, 0), 0);
			for (unsigned int i = 0; i < 40; i++)
				assert_int_equal(buf[i / 8] >> (i % 8) & 1,
						 !(i >= offset && i < offset + bits));
		}
	}
	assert_int_equal(hs_bits_insert(buf, 5, 0, 3, 8), -ERANGE);
	assert_int_equal(hs_bits_insert(buf, 5, 39, 2, 0), -ENODATA);
}

static void test_field_insert(void **state)
{
	struct hs_rdesc *rdesc = parse(mouse, sizeof(mouse));
	const struct hs_field *xy = hs_rdesc_report(rdesc, 0)->fields[2];
	uint8_t data[3] = { 0xff, 0, 0 };
	int64_t v;

	(void)state;
	assert_int_equal(hs_field_insert(xy, data, 3, 1, -5), 0);
	assert_memory_equal(data, "\xff\x00\xfb", 3);
	assert_int_equal(hs_field_extract(xy, data, 3, 1, &v), 0);
	assert_int_equal(v, -5);
	assert_int_equal(hs_field_insert(xy, data, 3, 0, -128), -ERANGE); /* logical range */
	assert_int_equal(hs_field_insert(xy, data, 3, 0, 128), -ERANGE);
	assert_int_equal(hs_field_insert(xy, data, 3, 2, 0), -EINVAL);
	assert_int_equal(hs_field_extract(xy, data, 3, 2, &v), -EINVAL);
	assert_int_equal(hs_field_insert(xy, data, 2, 1, 0), -ENODATA);
	assert_memory_equal(data, "\xff\x00\xfb", 3);
	hs_rdesc_free(rdesc);
}

/* Details in which Linux differs from the letter of the specification. */
static void test_like_the_kernel(void **state)
{
	static const uint8_t late_page[] = { /* Usage Page after the usage: it counts */
					     0x05, 0x01, 0xa1, 0x01, 0x09, 0x01, 0x05, 0x0d,
					     0x75, 0x08, 0x95, 0x01, 0x81, 0x02, 0xc0
	};
	static const uint8_t trailing[] = { 0xa1, 0x01, 0xc0, 0x00 };
	static const uint8_t reserved[] = { 0xa1, 0x01, 0x0c, 0x75, 0x08, 0x95,
					    0x01, 0x81, 0x02, 0xc0, 0xd0 };
	static const uint8_t empty_data[] = { 0x14, 0x25, 0x01, 0x04, 0xa1, 0x01, 0xc0 };
	static const uint8_t unsigned_max[] = { 0xa1, 0x01, 0x14, 0x25, 0xff, 0x75, 0x08,
						0x95, 0x01, 0x09, 0x01, 0x81, 0x02, 0xc0 };
	static const uint8_t alternative[] = { /* Delimiters: the first set of usages counts */
					       0x05, 0x01, 0xa1, 0x01, 0xa9, 0x01, 0x09,
					       0x30, 0xa8, 0xa9, 0x01, 0x09, 0x31, 0xa8,
					       0x75, 0x08, 0x95, 0x01, 0x81, 0x02, 0xc0
	};
	static const uint8_t push[] = { 0x05, 0x01, 0xa1, 0x01, 0x75, 0x08, 0x95, 0x02,
					0xa4, 0x75, 0x01, 0x95, 0x08, 0x09, 0x30, 0x81,
					0x02, 0xb4, 0x09, 0x31, 0x81, 0x02, 0xc0 };
	struct hs_rdesc *rdesc;

	(void)state;
	rdesc = parse(late_page, sizeof(late_page));
	assert_int_equal(hs_field_usage(hs_rdesc_report(rdesc, 0)->fields[0], 0),
			 HS_USAGE(0x0d, 1));
	hs_rdesc_free(rdesc);
	hs_rdesc_free(parse(trailing, sizeof(trailing)));
	hs_rdesc_free(parse(reserved, sizeof(reserved)));
	hs_rdesc_free(parse(empty_data, sizeof(empty_data)));

	rdesc = parse(unsigned_max, sizeof(unsigned_max));
	assert_int_equal(hs_rdesc_report(rdesc, 0)->fields[0]->logical_max, 255);
	hs_rdesc_free(rdesc);

	rdesc = parse(alternative, sizeof(alternative));
	assert_int_equal(hs_field_usage_count(hs_rdesc_report(rdesc, 0)->fields[0]), 1);
	assert_int_equal(hs_field_usage(hs_rdesc_report(rdesc, 0)->fields[0], 0),
			 HS_USAGE(1, 0x30));
	hs_rdesc_free(rdesc);

	rdesc = parse(push, sizeof(push));
	assert_int_equal(hs_rdesc_report(rdesc, 0)->size, 3);
	assert_int_equal(hs_rdesc_report(rdesc, 0)->fields[1]->bit_size, 8);
	hs_rdesc_free(rdesc);
}

static void test_refused(void **state)
{
#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
	const struct {
		const uint8_t *bytes;
		size_t size;
		const char *error;
	} cases[] = {
		{ NULL, 0, "offset 0: the descriptor is empty" },
		{ BYTES(0xa1), "offset 0: the descriptor ends within an item" },
		{ BYTES(0x05, 0x01, 0x26, 0xff), "offset 2: the descriptor ends within an item" },
		{ BYTES(0xa1, 0x01, 0xa1, 0x00, 0xc0),
		  "offset 5: the collection of offset 0 is not closed" },
		{ BYTES(0xa1, 0x01, 0xc0, 0xc0), "offset 3: End Collection without Collection" },
		{ BYTES(0x85, 0x00), "offset 0: Report ID 0; 1 to 255" },
		{ BYTES(0x86, 0x00, 0x01), "offset 0: Report ID 256" },
		{ BYTES(0x76, 0x01, 0x01), "offset 0: Report Size 257" },
		{ BYTES(0x96, 0x01, 0x30), "offset 0: Report Count 12289" },
		{ BYTES(0xb4), "offset 0: Pop without Push" },
		{ BYTES(0xa4, 0xa4, 0xa4, 0xa4, 0xa4), "offset 4: more than 4 Push" },
		{ BYTES(0xc4), "offset 0: unknown global item 0xc4" },
		{ BYTES(0xa9, 0x01, 0xa9, 0x01), "offset 2: a delimiter within a delimiter" },
		{ BYTES(0xa8), "offset 0: a delimiter is closed that was not opened" },
		{ BYTES(0xa9, 0x01), "offset 2: a delimiter is not closed" },
		{ BYTES(0xfe, 0x01, 0x00, 0xff), "offset 0: a long item" },
		{ BYTES(0xfe, 0x02, 0x00, 0xff), "offset 0: the descriptor ends within an item" },
		{ BYTES(0x15, 0x05, 0x25, 0x04, 0x81, 0x02),
		  "offset 4: Logical Maximum 4 is less than Logical Minimum 5" },
		{ BYTES(0x25, 0x01, 0x96, 0x00, 0x10, 0x75, 0x08, 0x81, 0x02),
		  "offset 7: report 0 is too long: 32768 bits, at most 32760" },
	};

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(cases); i++) {
		struct hs_rdesc *rdesc = NULL;
		struct hs_error err = { 0 };
		int rc = hs_rdesc_parse(cases[i].bytes, cases[i].size, &rdesc, &err);

		if (rc != -EINVAL || rdesc ||
		    strncmp(err.text, cases[i].error, strlen(cases[i].error)))
			fail_msg("case %zu: returned %d, '%s'; expected '%s'", i, rc, err.text,
				 cases[i].error);
		assert_int_equal(hs_rdesc_parse(cases[i].bytes, cases[i].size, &rdesc, NULL),
				 -EINVAL);
	}
}

/* Ranges at their limits, counted as the kernel does. */
static void test_usage_ranges(void **state)
{
	/* Usage Minimum, Maximum (16 bit each), then Input of one element */
	static const uint8_t all[] = { 0x25, 0x01, 0x75, 0x08, 0x95, 0x01, 0x06, 0x00, 0xff,
				       0x1a, 0x00, 0x00, 0x2a, 0xff, 0xff, 0x81, 0x00 };
	static const uint8_t backwards[] = { 0x25, 0x01, 0x75, 0x08, 0x95, 0x01, 0x06, 0x00, 0xff,
					     0x1a, 0xf0, 0xff, 0x2a, 0x01, 0x00, 0x81, 0x00 };
	static const uint8_t with_page[] = { 0x25, 0x01, 0x75, 0x08, 0x95, 0x01, 0x05,
					     0x01, 0x1b, 0x01, 0x00, 0x09, 0x00, 0x2b,
					     0x08, 0x00, 0x09, 0x00, 0x81, 0x00 };
	struct hs_rdesc *rdesc;
	const struct hs_field *field;

	(void)state;
	rdesc = parse(all, sizeof(all));
	field = hs_rdesc_report(rdesc, 0)->fields[0];
	assert_int_equal(hs_field_usage_count(field), 12288);
	assert_int_equal(hs_field_usage(field, 12287), HS_USAGE(0xff00, 12287));
	hs_rdesc_free(rdesc);

	rdesc = parse(backwards, sizeof(backwards));
	field = hs_rdesc_report(rdesc, 0)->fields[0];
	assert_int_equal(hs_field_usage_count(field), 12288);
	assert_int_equal(hs_field_usage(field, 0), HS_USAGE(0xff00, 0xfff0));
	assert_int_equal(hs_field_usage(field, 15), HS_USAGE(0xff00, 0xffff));
	assert_int_equal(hs_field_usage(field, 16), HS_USAGE(0xff00, 0));
	hs_rdesc_free(rdesc);

	rdesc = parse(with_page, sizeof(with_page));
	field = hs_rdesc_report(rdesc, 0)->fields[0];
	assert_int_equal(hs_field_usage_count(field), 8);
	assert_int_equal(hs_field_usage(field, 7), HS_USAGE(HS_PAGE_BUTTON, 8));
	hs_rdesc_free(rdesc);
}

static void test_usage_names(void **state)
{
	static const struct {
		uint32_t usage;
		const char *name;
	} cases[] = {
		{ HS_USAGE(0x01, 0x30), "X" },
		{ HS_USAGE(0x01, 0x48), "Resolution Multiplier" },
		{ HS_USAGE(0x02, 0xc8), "Steering" },
		{ HS_USAGE(0x06, 0x20), "Battery Strength" },
		{ HS_USAGE(0x07, 0x04), "A" },
		{ HS_USAGE(0x07, 0xe7), "Right GUI" },
		{ HS_USAGE(0x08, 0x02), "Caps Lock" },
		{ HS_USAGE(0x09, 0x00), "No Button" },
		{ HS_USAGE(0x09, 0x10), "Button 16" },
		{ HS_USAGE(0x0c, 0xe9), "Volume Increment" },
		{ HS_USAGE(0x0c, 0x29f), "AC Desktop Show All Windows" },
		{ HS_USAGE(0x0c, 0x500), "Consumer 0x500" },
		{ HS_USAGE(0x0d, 0x30), "Tip Pressure" },
		{ HS_USAGE(0x0e, 0x1003), "Waveform Click" },
		{ HS_USAGE(0x20, 0x73), "Motion Accelerometer 3D" },
		{ HS_USAGE(0x84, 0x04), "UPS" },
		{ HS_USAGE(0x85, 0x66), "Remaining Capacity" },
		{ HS_USAGE(0xff0a, 0x01), "Vendor 0x01" },
		{ HS_USAGE(0x1234, 0x01), "0x01" },
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(cases); i++)
		assert_string_equal(hs_usage_name(cases[i].usage, buf, sizeof(buf)), cases[i].name);
	assert_string_equal(hs_usage_page_format(0x0d, buf, sizeof(buf)), "Digitizer");
	assert_string_equal(hs_usage_page_format(0xff0a, buf, sizeof(buf)), "Vendor 0xff0a");
	assert_string_equal(hs_usage_page_format(0x1234, buf, sizeof(buf)), "Page 0x1234");
	assert_null(hs_usage_page_name(0x1234));
	assert_null(hs_usage_known_name(HS_USAGE(0x09, 1)));
}

/* A table out of order would lose names in the search: find each by its number. */
static void test_usage_tables_are_sorted(void **state)
{
	static const struct {
		uint16_t page;
		unsigned int names;
	} tables[] = {
		{ 0x01, 112 }, { 0x02, 52 }, { 0x05, 30 },  { 0x06, 25 },  { 0x07, 219 },
		{ 0x08, 97 },  { 0x0b, 47 }, { 0x0c, 321 }, { 0x0d, 109 }, { 0x0e, 30 },
		{ 0x20, 169 }, { 0x84, 78 }, { 0x85, 92 },  { 0xf1d0, 4 },
	};

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(tables); i++) {
		unsigned int found = 0;

		for (uint32_t id = 0; id <= 0xffff; id++)
			found += !!hs_usage_known_name(HS_USAGE(tables[i].page, id));
		if (found != tables[i].names)
			fail_msg("page 0x%02x: %u names found of %u", tables[i].page, found,
				 tables[i].names);
	}
}

static void test_units(void **state)
{
	struct hs_field pen = { .logical_max = 50800, .physical_max = 10000, .unit_exponent = -3 };
	struct hs_field plain = { .logical_min = -127, .logical_max = 127 };
	char buf[64];

	(void)state;
	assert_string_equal(hs_unit_format(0, buf, sizeof(buf)), "");
	assert_string_equal(hs_unit_format(0x11, buf, sizeof(buf)), "cm");
	assert_string_equal(hs_unit_format(0x13, buf, sizeof(buf)), "in");
	assert_string_equal(hs_unit_format(0x14, buf, sizeof(buf)), "deg");
	assert_string_equal(hs_unit_format(0x1001, buf, sizeof(buf)), "s");
	assert_string_equal(hs_unit_format(0xe121, buf, sizeof(buf)), "cm^2*g*s^-2");
	assert_string_equal(hs_unit_format(0x5, buf, sizeof(buf)), "0x5");
	assert_true(fabs(hs_field_physical(&pen, 25400) - 5.0) < 1e-9);
	assert_true(fabs(hs_field_physical(&plain, -5) + 5.0) < 1e-9);
}

static char *printed(const uint8_t *bytes, size_t size, int expected)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_int_equal(hs_rdesc_print(bytes, size, "", f, NULL), expected);
	fclose(f);
	return text;
}

static void test_print(void **state)
{
	static const uint8_t bytes[] = { 0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x16, 0x00, 0x80, 0x26,
					 0xff, 0x7f, 0x55, 0x0e, 0x65, 0x11, 0x81, 0x46, 0xc0 };
	hs_autofree char *text = printed(bytes, sizeof(bytes), 0);
	hs_autofree char *cut = printed(bytes, 8, -EINVAL);

	(void)state;
	assert_string_equal(
		text,
		"0x05, 0x01,                    // Usage Page (Generic Desktop)               0\n"
		"0x09, 0x02,                    // Usage (Mouse)                              2\n"
		"0xa1, 0x01,                    // Collection (Application)                   4\n"
		"0x16, 0x00, 0x80,              //  Logical Minimum (-32768)                  6\n"
		"0x26, 0xff, 0x7f,              //  Logical Maximum (32767)                   9\n"
		"0x55, 0x0e,                    //  Unit Exponent (-2)                        12\n"
		"0x65, 0x11,                    //  Unit (cm)                                 14\n"
		"0x81, 0x46,                    //  Input (Data,Var,Rel,Null)                 16\n"
		"0xc0,                          // End Collection                             18\n");
	assert_int_equal(strlen(cut), strstr(text, "0x16") - text);
}

/* The longest item there is: all of its bytes are shown. */
static void test_print_long_item(void **state)
{
	uint8_t bytes[258] = { 0xfe, 0xff, 0x01 };
	hs_autofree char *text = NULL;
	char *end;

	(void)state;
	bytes[257] = 0xa5;
	text = printed(bytes, sizeof(bytes), 0);
	end = strstr(text, " // ");
	assert_non_null(end);
	assert_memory_equal(end - strlen("0x00, 0xa5,"), "0x00, 0xa5,", strlen("0x00, 0xa5,"));
	assert_int_equal(end - text, 258 * strlen("0x00, ") - 1);
}

static void check_real_recording(const struct hs_recording *rec, void *data)
{
	size_t *values = data;

	for (size_t i = 0; i < hs_recording_device_count(rec); i++) {
		const struct hs_recorded_device *dev = hs_recording_device(rec, i);
		struct hs_rdesc *rdesc = parse(dev->rdesc, dev->rdesc_size);

		free(printed(dev->rdesc, dev->rdesc_size, 0));
		for (size_t j = 0; j < hs_recording_entry_count(rec); j++) {
			const struct hs_entry *e = hs_recording_entry(rec, j);
			const struct hs_report *report;
			struct hs_value out[512];

			if (e->type != HS_ENTRY_INPUT || e->device != i)
				continue;
			report = hs_rdesc_report_of(rdesc, HS_REPORT_INPUT, e->input.data,
						    e->input.size);
			if (report)
				*values += hs_report_values(report, e->input.data, e->input.size,
							    out, 512);
		}
		hs_rdesc_free(rdesc);
	}
}

/* Each descriptor of the real recordings parses and prints, and each report is known. */
static void test_real_recordings(void **state)
{
	size_t values = 0;

	(void)state;
	for_each_real_recording(check_real_recording, &values);
	print_message("%zu values\n", values);
	assert_true(values > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_mouse_values),
		cmocka_unit_test(test_keyboard),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_field_insert),
		cmocka_unit_test(test_like_the_kernel),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_usage_ranges),
		cmocka_unit_test(test_usage_names),
		cmocka_unit_test(test_usage_tables_are_sorted),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_long_item),
		cmocka_unit_test(test_real_recordings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
