// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/util.h"
#include "core/recording/recording.h"
#include "real-recordings.h"

#define RDESC "05 01 09 02 a1 00 c0"
#define HEAD  "R: 7 " RDESC "\nN: Mouse\nP: usb-1/input0\nI: 3 1234 abcd\n"

static struct hs_recording *parse(const char *text)
{
	struct hs_recording *rec = NULL;
	struct hs_error err = { 0 };
	int rc = hs_recording_parse("test.hid", text, strlen(text), &rec, &err);

	if (rc)
		fail_msg("%s", err.text);
	return rec;
}

static char *written(const struct hs_recording *rec)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(hs_recording_write(rec, f), 0);
	fclose(f);
	return text;
}

static void assert_same_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
	assert_int_equal(a_size, b_size);
	assert_int_equal(!a, !b);
	if (a)
		assert_memory_equal(a, b, a_size);
}

static void assert_same_device(const struct hs_recorded_device *a,
			       const struct hs_recorded_device *b)
{
	assert_int_equal(a->number, b->number);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->phys, b->phys);
	assert_string_equal(a->uniq, b->uniq);
	assert_int_equal(a->id.bus, b->id.bus);
	assert_int_equal(a->id.vendor, b->id.vendor);
	assert_int_equal(a->id.product, b->id.product);
	assert_same_bytes(a->rdesc, a->rdesc_size, b->rdesc, b->rdesc_size);
}

static void assert_same_request(const struct hs_request *a, const struct hs_request *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->standing, b->standing);
	assert_int_equal(a->report_id, b->report_id);
	assert_same_bytes(a->data, a->size, b->data, b->size);
	assert_same_bytes(a->mask, a->size, b->mask, b->size);
	assert_int_equal(a->answer, b->answer);
	assert_int_equal(a->error, b->error);
	assert_int_equal(a->late_ms, b->late_ms);
	assert_same_bytes(a->answer_data, a->answer_size, b->answer_data, b->answer_size);
}

static void assert_same_entry(const struct hs_entry *a, const struct hs_entry *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->device, b->device);
	assert_int_equal(a->time_us, b->time_us);
	switch (a->type) {
	case HS_ENTRY_INPUT:
		assert_same_bytes(a->input.data, a->input.size, b->input.data, b->input.size);
		break;
	case HS_ENTRY_REQUEST:
		assert_same_request(&a->request, &b->request);
		break;
	case HS_ENTRY_COMMENT:
		assert_string_equal(a->comment, b->comment);
		break;
	case HS_ENTRY_UNPLUG:
		break;
	}
}

static void assert_same(const struct hs_recording *a, const struct hs_recording *b)
{
	assert_int_equal(hs_recording_device_count(a), hs_recording_device_count(b));
	for (size_t i = 0; i < hs_recording_device_count(a); i++)
		assert_same_device(hs_recording_device(a, i), hs_recording_device(b, i));
	assert_int_equal(hs_recording_entry_count(a), hs_recording_entry_count(b));
	for (size_t i = 0; i < hs_recording_entry_count(a); i++)
		assert_same_entry(hs_recording_entry(a, i), hs_recording_entry(b, i));
}

/* Written and read again it is the same; written again, the same text. */
static void assert_round_trip(const struct hs_recording *rec)
{
	hs_autofree char *first = written(rec);
	struct hs_recording *again = parse(first);
	hs_autofree char *second = written(again);

	assert_same(rec, again);
	assert_string_equal(first, second);
	hs_recording_free(again);
}

static void test_one_device(void **state)
{
	static const uint8_t rdesc[] = { 0x05, 0x01, 0x09, 0x02, 0xa1, 0x00, 0xc0 };
	struct hs_recording *rec = parse(HEAD "E: 0.000000 3 01 02 ff\nE: 12.000345 1 0a\n");
	const struct hs_recorded_device *dev = hs_recording_device(rec, 0);
	const struct hs_entry *entry;

	(void)state;
	assert_int_equal(hs_recording_device_count(rec), 1);
	assert_null(hs_recording_device(rec, 1));
	assert_string_equal(dev->name, "Mouse");
	assert_string_equal(dev->phys, "usb-1/input0");
	assert_string_equal(dev->uniq, "");
	assert_int_equal(dev->id.bus, 3);
	assert_int_equal(dev->id.vendor, 0x1234);
	assert_int_equal(dev->id.product, 0xabcd);
	assert_same_bytes(dev->rdesc, dev->rdesc_size, rdesc, sizeof(rdesc));

	assert_int_equal(hs_recording_entry_count(rec), 2);
	assert_null(hs_recording_entry(rec, 2));
	entry = hs_recording_entry(rec, 1);
	assert_int_equal(entry->type, HS_ENTRY_INPUT);
	assert_int_equal(entry->time_us, 12000345);
	assert_int_equal(entry->line, 6);
	assert_int_equal(entry->input.size, 1);
	assert_int_equal(entry->input.data[0], 0x0a);
	assert_round_trip(rec);
	hs_recording_free(rec);
}

static void test_line_ends(void **state)
{
	struct hs_recording *unix_ends = parse(HEAD "E: 0.000000 1 01\n# end\n");
	struct hs_recording *dos = parse("R: 7 " RDESC "\r\nN: Mouse\r\nP: usb-1/input0\r\n"
					 "I: 3 1234 abcd\r\nE: 0.000000 1 01\r\n# end\r\n");
	struct hs_recording *no_newline = parse(HEAD "E: 0.000000 1 01\n# end");
	struct hs_recording *with_bom = parse("\xef\xbb\xbf" HEAD "E: 0.000000 1 01\n# end\n");

	(void)state;
	assert_same(unix_ends, dos);
	assert_same(unix_ends, no_newline);
	assert_same(unix_ends, with_bom);
	hs_recording_free(unix_ends);
	hs_recording_free(dos);
	hs_recording_free(no_newline);
	hs_recording_free(with_bom);
}

static void test_names_as_they_are(void **state)
{
	struct hs_recording *rec =
		parse("R: 7 " RDESC "\nN: Touch\xae  \nP: \nI: 18 04f3 300B\nU: 12:34\n");
	const struct hs_recorded_device *dev = hs_recording_device(rec, 0);

	(void)state;
	assert_string_equal(dev->name, "Touch\xae  ");
	assert_string_equal(dev->phys, "");
	assert_string_equal(dev->uniq, "12:34");
	assert_int_equal(dev->id.bus, 0x18);
	assert_int_equal(dev->id.product, 0x300b);
	assert_int_equal(hs_recording_entry_count(rec), 0);
	assert_round_trip(rec);
	hs_recording_free(rec);
}

static void test_comments(void **state)
{
	static const char *const expected[] = {
		"before the device",
		"with a hash",
		"   - indented text",
		"SET_REPORT (Feature) ID: 02 -> 02 02 (length 2)",
		"",
		"#twice",
		"X: an unknown key",
		"hidsmith: without a hash is no request",
	};
	struct hs_recording *rec = parse("# before the device\n" HEAD "#with a hash\n"
					 "   - indented text\n"
					 "\n"
					 "# SET_REPORT (Feature) ID: 02 -> 02 02 (length 2)\n"
					 "#\n"
					 "##twice\n"
					 "X: an unknown key\n"
					 "hidsmith: without a hash is no request\n");

	(void)state;
	assert_int_equal(hs_recording_entry_count(rec), HS_ARRAY_SIZE(expected));
	for (size_t i = 0; i < HS_ARRAY_SIZE(expected); i++) {
		assert_int_equal(hs_recording_entry(rec, i)->type, HS_ENTRY_COMMENT);
		assert_string_equal(hs_recording_entry(rec, i)->comment, expected[i]);
	}
	assert_round_trip(rec);
	hs_recording_free(rec);
}

static void test_several_devices(void **state)
{
	struct hs_recording *rec = parse("D:0\n" HEAD "D: 7\nR: 1 c0\nN: Pen\nI: 5 1 2\n"
					 "E: 0.1 1 01\nD: 0\nE: 0.05 1 02\nE: 0.2 1 03\n"
					 "D:7\nE: 0.3 1 04\n");
	static const struct {
		unsigned int device;
		uint64_t time_us;
	} expected[] = { { 1, 100000 }, { 0, 50000 }, { 0, 200000 }, { 1, 300000 } };

	(void)state;
	assert_int_equal(hs_recording_device_count(rec), 2);
	assert_int_equal(hs_recording_device(rec, 1)->number, 7);
	assert_string_equal(hs_recording_device(rec, 1)->name, "Pen");
	for (size_t i = 0; i < HS_ARRAY_SIZE(expected); i++) {
		assert_int_equal(hs_recording_entry(rec, i)->device, expected[i].device);
		assert_int_equal(hs_recording_entry(rec, i)->time_us, expected[i].time_us);
	}
	assert_round_trip(rec);
	hs_recording_free(rec);
}

/* Some recorders write the D: line after the one device's description. */
static void test_device_line_after_description(void **state)
{
	struct hs_recording *rec = parse(HEAD "D: 0\nE: 0.000000 1 01\n");

	(void)state;
	assert_int_equal(hs_recording_device_count(rec), 1);
	assert_int_equal(hs_recording_entry(rec, 0)->device, 0);
	assert_round_trip(rec);
	hs_recording_free(rec);
}

static void test_requests(void **state)
{
	struct hs_recording *rec =
		parse(HEAD "# hidsmith: uniq 00:11\n"
			   "# hidsmith: 0.5 output 3 02 b0 04\n"
			   "# hidsmith: 0.6 set-feature 3 05 ?? 02 -> ok\n"
			   "# hidsmith: 0.7 get-feature 08 -> late 20 ok 2 08 64\n"
			   "# hidsmith: * get-input 1 -> error 5\n"
			   "# hidsmith: * set-output 1 01 -> silent\n"
			   "# hidsmith: 1.25 unplug\n");
	const struct hs_request *req;

	(void)state;
	assert_string_equal(hs_recording_device(rec, 0)->uniq, "00:11");
	assert_int_equal(hs_recording_entry_count(rec), 6);

	assert_int_equal(hs_recording_entry(rec, 0)->time_us, 500000);
	req = &hs_recording_entry(rec, 0)->request;
	assert_int_equal(req->type, HS_REQUEST_OUTPUT);
	assert_same_bytes(req->data, req->size, (const uint8_t *)"\x02\xb0\x04", 3);
	assert_null(req->mask);

	req = &hs_recording_entry(rec, 1)->request;
	assert_int_equal(req->type, HS_REQUEST_SET_FEATURE);
	assert_int_equal(req->data[0], 5);
	assert_same_bytes(req->mask, req->size, (const uint8_t *)"\xff\x00\xff", 3);
	assert_int_equal(req->answer, HS_ANSWER_OK);

	req = &hs_recording_entry(rec, 2)->request;
	assert_int_equal(req->type, HS_REQUEST_GET_FEATURE);
	assert_int_equal(req->report_id, 8);
	assert_int_equal(req->late_ms, 20);
	assert_same_bytes(req->answer_data, req->answer_size, (const uint8_t *)"\x08\x64", 2);

	req = &hs_recording_entry(rec, 3)->request;
	assert_int_equal(req->type, HS_REQUEST_GET_INPUT);
	assert_true(req->standing);
	assert_int_equal(req->answer, HS_ANSWER_ERROR);
	assert_int_equal(req->error, EIO);

	assert_int_equal(hs_recording_entry(rec, 4)->request.answer, HS_ANSWER_SILENT);
	assert_int_equal(hs_recording_entry(rec, 5)->type, HS_ENTRY_UNPLUG);
	assert_int_equal(hs_recording_entry(rec, 5)->time_us, 1250000);
	assert_round_trip(rec);
	hs_recording_free(rec);
}

static void test_request_format(void **state)
{
	struct hs_recording *rec =
		parse(HEAD "# hidsmith: 0.7 set-feature 3 05 ?? 02 -> late 7 error 32\n");
	const struct hs_request *req = &hs_recording_entry(rec, 0)->request;
	char buf[64];

	(void)state;
	assert_string_equal(hs_request_format(req, buf, sizeof(buf)),
			    "set-feature 3 05 ?? 02 -> late 7 error 32");
	assert_string_equal(hs_request_format(req, buf, 8), "set-fea");
	assert_string_equal(hs_request_format(req, buf, 1), "");
	hs_recording_free(rec);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "", "test.hid: no device" },
		{ "hello\nworld\n", "test.hid: no device" },
		{ "R: 7 05 01 09 02\nI: 3 1 2\n", "test.hid:1: report descriptor has 4 bytes, its "
						  "length says 7" },
		{ "# x\nR: 2 05 01 09\nI: 3 1 2\n",
		  "test.hid:2: report descriptor is longer than its length 2: '09' follows" },
		{ "R: 2 05 zz\nI: 3 1 2\n", "test.hid:1: 'zz' is not a byte" },
		{ "R: 2 05 001\nI: 3 1 2\n", "test.hid:1: '001' is not a byte" },
		{ "R: 2 05 ??\nI: 3 1 2\n", "test.hid:1: '\?\?' is not a byte" },
		{ "R: 0x2 05 01\nI: 3 1 2\n", "test.hid:1: '0x2' is not a length" },
		{ "R:\nI: 3 1 2\n", "test.hid:1: report descriptor has no length" },
		{ "R: 0\nI: 3 1 2\n", "test.hid:1: report descriptor is empty" },
		{ "R: 99999999999999999999 00\n", "test.hid:1: '99999999999999999999' is not" },
		{ "R: 7 " RDESC "\nN: x\n", "test.hid:1: device 0 has no I: line" },
		{ "N: x\nI: 3 1 2\n", "test.hid:1: device 0 has no R: line" },
		{ "R: 7 " RDESC "\nI: 3 1\n", "test.hid:2: no product" },
		{ "R: 7 " RDESC "\nI: 3 1 2 3\n", "test.hid:2: '3' is not expected here" },
		{ "R: 7 " RDESC "\nI: 12345 1 2\n", "test.hid:2: '12345' is not a bus" },
		{ HEAD "R: 1 c0\n", "test.hid:5: a second R: line for device 0, whose lines begin "
				    "at line 1" },
		{ HEAD "N: y\n", "test.hid:5: a second N: line" },
		{ HEAD "I: 3 1 2\n", "test.hid:5: a second I: line" },
		{ "E: 0.0 1 01\n" HEAD, "test.hid:1: a report before the R: line of its device" },
		{ HEAD "D: 1\nE: 0.0 1 01\n", "test.hid:6: a report of device 1 (line 5), which no "
					      "R: and I: lines describe" },
		{ HEAD "D: x\n", "test.hid:5: 'x' is not a device number" },
		{ HEAD "D: -1\n", "test.hid:5: '-1' is not a device number" },
		{ HEAD "E:\n", "test.hid:5: no time" },
		{ HEAD "E: now 1 01\n", "test.hid:5: 'now' is not a time" },
		{ HEAD "E: -1.0 1 01\n", "test.hid:5: '-1.0' is not a time" },
		{ HEAD "E: 1.0x 1 01\n", "test.hid:5: '1.0x' is not a time" },
		{ HEAD "E: 0.0\n", "test.hid:5: report has no length" },
		{ HEAD "E: 0.0 0\n", "test.hid:5: report is empty" },
		{ HEAD "E: 0.0 2 01\n", "test.hid:5: report has 1 bytes, its length says 2" },
		{ HEAD "E: 0.0 1 01 02\n", "test.hid:5: report is longer" },
		{ HEAD "E: 0.0 4097 01\n", "test.hid:5: report of 4097 bytes; at most 4096" },
		{ "# hidsmith: 0 unplug\n" HEAD, "test.hid:1: a request before the R: line" },
		{ HEAD "# hidsmith:\n", "test.hid:5: '# hidsmith: TIME REQUEST -> ANSWER'" },
		{ HEAD "# hidsmith: 0 explode\n", "test.hid:5: 'explode' is no request" },
		{ HEAD "# hidsmith: * unplug\n", "test.hid:5: unplug needs a time" },
		{ HEAD "# hidsmith: 0 unplug now\n", "test.hid:5: 'now' is not expected" },
		{ HEAD "# hidsmith: 0 output 1 01 -> ok\n", "test.hid:5: request is longer" },
		{ HEAD "# hidsmith: 0 set-output 1 01\n", "test.hid:5: no answer" },
		{ HEAD "# hidsmith: 0 set-output 2 01 -> ok\n", "test.hid:5: request has 1 bytes" },
		{ HEAD "# hidsmith: 0 set-output 1 01 -> ok 1 01\n", "test.hid:5: '1' is not exp" },
		{ HEAD "# hidsmith: 0 set-output 1 01 -> maybe\n",
		  "test.hid:5: 'maybe' is not an" },
		{ HEAD "# hidsmith: 0 get-feature\n", "test.hid:5: '' is not a report ID" },
		{ HEAD "# hidsmith: 0 get-feature 100 -> ok\n", "test.hid:5: '100' is not a rep" },
		{ HEAD "# hidsmith: 0 get-feature 1 -> ok\n", "test.hid:5: answer has no length" },
		{ HEAD "# hidsmith: 0 get-feature 1 -> ok 1 ??\n",
		  "test.hid:5: '\?\?' is not a by" },
		{ HEAD "# hidsmith: 0 get-feature 1 -> error 0\n",
		  "test.hid:5: '0' is not an err" },
		{ HEAD "# hidsmith: 0 get-feature 1 -> late x ok\n",
		  "test.hid:5: 'x' is not a de" },
		{ HEAD "# hidsmith: 0 get-feature 1 -> late 5 silent\n", "test.hid:5: a silent" },
	};

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(cases); i++) {
		struct hs_recording *rec = NULL;
		struct hs_error err = { 0 };
		int rc = hs_recording_parse("test.hid", cases[i].text, strlen(cases[i].text), &rec,
					    &err);

		if (rc != -EINVAL || rec || err.code != rc ||
		    strncmp(err.text, cases[i].error, strlen(cases[i].error)))
			fail_msg("case %zu: returned %d, '%s'; expected '%s'", i, rc, err.text,
				 cases[i].error);
		assert_int_equal(hs_recording_parse("x", cases[i].text, strlen(cases[i].text), &rec,
						    NULL),
				 -EINVAL);
	}
}

static void test_nul_byte(void **state)
{
	static const char text[] = HEAD "N\0: x\n";
	struct hs_recording *rec = NULL;
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(hs_recording_parse("bin", text, sizeof(text) - 1, &rec, &err), -EINVAL);
	assert_string_equal(err.text, "bin:5: a NUL byte: this is not a recording's text");
}

/* Nothing of it is looked at, so that it need not be there. */
static void test_too_large(void **state)
{
	struct hs_recording *rec = NULL;
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(hs_recording_parse("big", "# x\n", (size_t)HS_RECORDING_MAX + 1, &rec,
					    &err),
			 -EINVAL);
	assert_string_equal(err.text, "big: more than 256 MiB; no recording is that large");
	assert_null(rec);
}

/* A file that was cut off in the middle of a line is never taken for a whole one. */
static void test_truncated(void **state)
{
	static const char text[] = HEAD "E: 0.000000 3 01 02 ff";
	struct hs_recording *rec;

	(void)state;
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		int rc;

		rec = NULL;
		rc = hs_recording_parse("cut", text, size, &rec, NULL);
		/* Cuts in the I: line's last number and just after that line
		 * leave a shorter recording that nothing is wrong with, and so
		 * does one between the digits of the last byte.
		 */
		if (!rc && size < sizeof(HEAD) - 1 - 4 - 1)
			fail_msg("%zu bytes were accepted", size);
		if (!rc && size > sizeof(HEAD) && size < sizeof(text) - 2)
			fail_msg("%zu bytes were accepted", size);
		hs_recording_free(rec);
	}
}

static void descriptor_of_size(size_t size, int expected)
{
	struct hs_recording *rec = NULL;
	struct hs_error err = { 0 };
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	fprintf(f, "R: %zu", size);
	for (size_t i = 0; i < size; i++)
		fputs(" c0", f);
	fputs("\nI: 3 1 2\n", f);
	fclose(f);
	assert_int_equal(hs_recording_parse("big", text, n, &rec, &err), expected);
	if (expected)
		assert_string_equal(err.text,
				    "big:1: report descriptor of 4097 bytes; at most 4096 "
				    "are possible");
	else
		assert_round_trip(rec);
	hs_recording_free(rec);
	free(text);
}

static void test_largest_descriptor(void **state)
{
	(void)state;
	descriptor_of_size(4096, 0);
	descriptor_of_size(4097, -EINVAL);
}

static void test_made_by_program(void **state)
{
	static const uint8_t rdesc[] = { 0xc0 }, report[] = { 1, 0, 3 }, mask[] = { 0xff, 0, 0xff };
	struct hs_recording *rec = hs_recording_new();
	struct hs_recorded_device dev = {
		.name = "forged\nE: 0.0 1 ff", /* a device chooses its name */
		.uniq = "x\r\ny",
		.id = { .bus = 3, .vendor = 1, .product = 2 },
		.rdesc = rdesc,
		.rdesc_size = sizeof(rdesc),
	};
	struct hs_entry entry = {
		.type = HS_ENTRY_REQUEST,
		.time_us = 5000000,
		.request = { .type = HS_REQUEST_SET_FEATURE,
			     .data = report,
			     .mask = mask,
			     .size = sizeof(report) },
	};

	(void)state;
	assert_int_equal(hs_recording_add_entry(rec, &entry), -EINVAL);
	assert_int_equal(hs_recording_add_device(rec, &dev), 0);
	assert_int_equal(hs_recording_add_device(rec, &dev), -EEXIST);
	dev.number = 1;
	assert_int_equal(hs_recording_add_device(rec, &dev), 1);
	dev.number = 2;
	dev.rdesc_size = HS_RDESC_MAX + 1;
	assert_int_equal(hs_recording_add_device(rec, &dev), -EINVAL);

	assert_string_equal(hs_recording_device(rec, 0)->name, "forged?E: 0.0 1 ff");
	assert_string_equal(hs_recording_device(rec, 0)->uniq, "x??y");

	assert_int_equal(hs_recording_add_entry(rec, &entry), 0);
	entry.device = 2;
	assert_int_equal(hs_recording_add_entry(rec, &entry), -EINVAL);
	entry.device = 1;
	entry.request.answer = HS_ANSWER_ERROR;
	assert_int_equal(hs_recording_add_entry(rec, &entry), -EINVAL);
	entry.request.error = EPIPE;
	assert_int_equal(hs_recording_add_entry(rec, &entry), 0);
	entry = (struct hs_entry){ .type = HS_ENTRY_COMMENT, .comment = "two\nlines" };
	assert_int_equal(hs_recording_add_entry(rec, &entry), -EINVAL);
	assert_round_trip(rec);
	hs_recording_free(rec);
}

/* CPU seconds for a recording of @n reports, the best of three. */
static double parse_seconds(size_t n, size_t *size)
{
	hs_autofree char *text = NULL;
	double best = 1e9;
	FILE *f = open_memstream(&text, size);

	fputs(HEAD, f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "E: %zu.%06zu 16 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n",
			i / 1000, i % 1000 * 1000);
	fclose(f);
	for (int i = 0; i < 3; i++) {
		struct hs_recording *rec = NULL;
		clock_t start = clock();
		double t;

		assert_int_equal(hs_recording_parse("long", text, *size, &rec, NULL), 0);
		t = (double)(clock() - start) / CLOCKS_PER_SEC;
		best = t < best ? t : best;
		assert_int_equal(hs_recording_entry_count(rec), n);
		hs_recording_free(rec);
	}
	return best;
}

static void test_time_is_linear(void **state)
{
	size_t small_size, large_size;
	double small = parse_seconds(8000, &small_size);
	double large = parse_seconds(64000, &large_size);

	(void)state;
	print_message("%zu bytes: %.4f s; %zu bytes: %.4f s\n", small_size, small, large_size,
		      large);
	/* Eight times the reports; a quadratic reader would take 64 times as long. */
	if (large > 24 * small + 0.01)
		fail_msg("8 times the reports took %.1f times as long", large / small);
}

static void test_files(void **state)
{
	struct hs_recording *rec = NULL;
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(hs_recording_read("/nonexistent/x.hid", &rec, &err), -ENOENT);
	assert_string_equal(err.text, "/nonexistent/x.hid: No such file or directory");
	assert_int_equal(hs_recording_read("/", &rec, &err), -EISDIR);
	assert_string_equal(err.text, "/: Is a directory");
	assert_null(rec);
}

static void check_real_recording(const struct hs_recording *rec, void *data)
{
	size_t *reports = data;

	for (size_t i = 0; i < hs_recording_entry_count(rec); i++) {
		enum hs_entry_type type = hs_recording_entry(rec, i)->type;

		assert_true(type == HS_ENTRY_INPUT || type == HS_ENTRY_COMMENT);
		*reports += type == HS_ENTRY_INPUT;
	}
	assert_round_trip(rec);
}

static void test_real_recordings(void **state)
{
	size_t reports = 0;

	(void)state;
	for_each_real_recording(check_real_recording, &reports);
	print_message("%zu reports\n", reports);
	assert_true(reports > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_device),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_names_as_they_are),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_several_devices),
		cmocka_unit_test(test_device_line_after_description),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_request_format),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_largest_descriptor),
		cmocka_unit_test(test_made_by_program),
		cmocka_unit_test(test_time_is_linear),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_real_recordings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
