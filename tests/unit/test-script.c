// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/replay/replay.h"

#define HEAD "R: 7 05 01 09 02 a1 00 c0\nN: Mouse\nP:\nI: 3 1234 abcd\n"

/* One device's script; result is as hs_replay_write_requests() wants it. */
struct fixture {
	struct hs_recording *rec;
	struct hs_replay result;
	struct hs_script *script;
};

static void make(struct fixture *f, const char *text)
{
	const struct hs_plan_opts opts = { 0 };
	struct hs_error err = { 0 };

	memset(f, 0, sizeof(*f));
	if (hs_recording_parse("test.hid", text, strlen(text), &f->rec, &err))
		fail_msg("%s", err.text);
	assert_int_equal(hs_plan_make(f->rec, &opts, &f->result.plan, &err), 0);
	assert_int_equal(hs_script_new(f->rec, &f->result.plan, 0, &f->result.requests, &f->script,
				       &err),
			 0);
}

static void clear(struct fixture *f)
{
	hs_script_free(f->script);
	hs_replay_clear(&f->result);
	hs_recording_free(f->rec);
}

static struct hs_request get(uint8_t id)
{
	return (struct hs_request){ .type = HS_REQUEST_GET_FEATURE, .report_id = id };
}

static struct hs_request output(const uint8_t *data, size_t size)
{
	return (struct hs_request){ .type = HS_REQUEST_OUTPUT, .data = data, .size = size };
}

#define OUTPUT(...) output((const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

static enum hs_script_verdict verdict(const struct fixture *f, size_t i)
{
	assert_true(i < f->result.requests.count);
	return f->result.requests.notes[i].verdict;
}

static void assert_differences(const struct fixture *f, const char *text)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	assert_non_null(out);
	hs_replay_write_requests(&f->result, false, out);
	fclose(out);
	assert_string_equal(got, text);
	free(got);
}

static void test_in_order(void **state)
{
	struct hs_request a = OUTPUT(0x02, 0xb0, 0x04), b = get(3);
	struct fixture f;

	(void)state;
	make(&f, HEAD "# hidsmith: 0.1 output 3 02 b0 04\n"
		      "# hidsmith: 0.2 get-feature 03 -> late 20 ok 2 03 55\n");
	assert_true(hs_script_exists(f.script));
	assert_int_equal(hs_script_request(f.script, 0, &a), 0);
	assert_true(hs_script_done(f.script, 0));
	assert_false(hs_script_done(f.script, 1));
	assert_int_equal(hs_script_request(f.script, 1, &b), 1);
	assert_int_equal(b.answer, HS_ANSWER_OK);
	assert_int_equal(b.late_ms, 20);
	assert_int_equal(b.answer_size, 2);
	assert_int_equal(b.answer_data[1], 0x55);
	assert_int_equal(f.result.requests.differences, 0);
	assert_differences(&f, "");
	clear(&f);
}

static void test_mask(void **state)
{
	struct hs_request a = OUTPUT(0x02, 0x77, 0x04), b = OUTPUT(0x02, 0x77, 0x05);
	struct fixture f;

	(void)state;
	make(&f, HEAD "# hidsmith: 0.1 output 3 02 ?? 04\n# hidsmith: 0.2 output 3 02 ?? 04\n");
	assert_int_equal(hs_script_request(f.script, 0, &a), 0);
	assert_int_equal(verdict(&f, 0), HS_SCRIPT_AS_WRITTEN);
	assert_int_equal(hs_script_request(f.script, 0, &b), 1);
	assert_int_equal(verdict(&f, 1), HS_SCRIPT_OTHER_BYTES);
	assert_differences(&f, "- 000000.200000 output 3 02 ?? 04\t# line 6\n"
			       "+ 000000.200000 output 3 02 77 05\t# line 6: other bytes\n");
	clear(&f);
}

static void test_other_length_is_other(void **state)
{
	struct hs_request a = OUTPUT(0x02, 0xb0);
	struct fixture f;

	(void)state;
	make(&f, HEAD "# hidsmith: 0.1 output 3 02 b0 04\n");
	hs_script_request(f.script, 0, &a);
	assert_int_equal(verdict(&f, 0), HS_SCRIPT_OTHER_BYTES);
	clear(&f);
}

/* The host left one out: the second is not taken for a wrong first. */
static void test_left_out(void **state)
{
	struct hs_request b = OUTPUT(0x02);
	struct fixture f;

	(void)state;
	make(&f, HEAD "# hidsmith: 0.1 output 1 01\n# hidsmith: 0.2 output 1 02\n");
	assert_int_equal(hs_script_request(f.script, 0, &b), 1);
	assert_true(hs_script_done(f.script, 0));
	assert_int_equal(verdict(&f, 0), HS_SCRIPT_MISSING);
	assert_int_equal(verdict(&f, 1), HS_SCRIPT_AS_WRITTEN);
	assert_int_equal(f.result.requests.differences, 1);
	assert_differences(&f, "- 000000.100000 output 1 01\t# line 5\n");
	clear(&f);
}

static void test_early(void **state)
{
	struct hs_request a = OUTPUT(0x01);
	struct fixture f;

	(void)state;
	make(&f, HEAD "E: 0.1 2 aa bb\n# hidsmith: 0.2 output 1 01\nE: 0.3 2 cc dd\n");
	assert_int_equal(hs_script_request(f.script, 0, &a), 1);
	assert_int_equal(verdict(&f, 0), HS_SCRIPT_EARLY);
	assert_differences(&f,
			   "+ 000000.000000 output 1 01\t# line 6: too early: before the reports "
			   "above it in the recording\n"
			   "  000000.100000 input 2 aa bb\t# line 5\n"
			   "  000000.300000 input 2 cc dd\t# line 7\n");
	clear(&f);
}

/* While the report that causes it is being sent it is not early. */
static void test_caused_by_report(void **state)
{
	struct hs_request a = OUTPUT(0x01);
	struct fixture f;

	(void)state;
	make(&f, HEAD "E: 0.1 2 aa bb\n# hidsmith: 0.2 output 1 01\n");
	hs_script_request(f.script, 1, &a);
	assert_int_equal(verdict(&f, 0), HS_SCRIPT_AS_WRITTEN);
	clear(&f);
}

static void test_standing(void **state)
{
	struct hs_request a = get(2), b = get(2), c = get(4);
	struct fixture f;

	(void)state;
	make(&f, HEAD "# hidsmith: * get-feature 02 -> ok 2 02 07\n"
		      "# hidsmith: * get-feature 04 -> silent\n");
	assert_int_equal(hs_script_request(f.script, 0, &a), SIZE_MAX);
	assert_int_equal(a.answer_data[1], 7);
	assert_int_equal(hs_script_request(f.script, 0, &b), SIZE_MAX);
	hs_script_request(f.script, 0, &c);
	assert_int_equal(c.answer, HS_ANSWER_SILENT);
	assert_int_equal(f.result.requests.differences, 0);
	assert_int_equal(f.result.requests.seen, 3);
	clear(&f);
}

/* The kernel asks at probe what the script asks again later. */
static void test_standing_before_time(void **state)
{
	struct hs_request a = get(2), b = get(2);
	struct fixture f;

	(void)state;
	make(&f, HEAD "# hidsmith: * get-feature 02 -> ok 2 02 07\n"
		      "E: 0.1 2 aa bb\n"
		      "# hidsmith: 0.2 get-feature 02 -> error 5\n");
	assert_int_equal(hs_script_request(f.script, 0, &a), SIZE_MAX);
	assert_int_equal(a.answer, HS_ANSWER_OK);
	assert_int_equal(hs_script_request(f.script, 1, &b), 1);
	assert_int_equal(b.answer, HS_ANSWER_ERROR);
	assert_int_equal(f.result.requests.differences, 0);
	clear(&f);
}

static void test_unexpected(void **state)
{
	struct hs_request a = get(9), b = OUTPUT(0x05);
	struct fixture f;

	(void)state;
	make(&f, HEAD "# hidsmith: * get-feature 02 -> ok 2 02 07\n");
	hs_script_request(f.script, 0, &a);
	assert_int_equal(verdict(&f, 0), HS_SCRIPT_UNEXPECTED);
	assert_int_equal(a.answer, HS_ANSWER_ERROR);
	assert_int_equal(a.error, EIO);
	hs_script_request(f.script, 0, &b);
	assert_int_equal(f.result.requests.differences, 2);
	assert_differences(
		&f, "+ 000000.000000 get-feature 09 -> error 5\t# not in the recording here\n"
		    "+ 000000.000000 output 1 05\t# not in the recording here\n");
	clear(&f);
}

/* The same is noted when the host's thread was there before the one that plays. */
static void test_before_it_is_waited_for(void **state)
{
	static const char *const text = HEAD "# hidsmith: 0.1 output 2 02 04\n"
					     "E: 0.2 1 01\n# hidsmith: 0.3 output 2 02 05\n";
	static const char *const shown =
		"+ 000000.100000 get-feature 09 -> error 5\t# not in the recording here\n"
		"- 000000.100000 output 2 02 04\t# line 5\n"
		"+ 000000.100000 output 2 02 06\t# line 5: other bytes\n"
		"  000000.200000 input 1 01\t# line 6\n"
		"+ 000000.300000 get-output 01 -> error 95\t# not in the recording here\n";

	(void)state;
	for (size_t begun = 0; begun < 2; begun++) {
		struct hs_request a = get(9), b = OUTPUT(0x02, 0x06);
		struct fixture f;

		make(&f, text);
		hs_script_request(f.script, begun, &a);
		assert_int_equal(hs_script_request(f.script, begun, &b), 0);
		hs_script_refused(f.script, begun + 2, "get-output", 1);
		assert_differences(&f, shown);
		clear(&f);
	}
}

/* A recording that knows nothing of requests cannot be contradicted. */
static void test_no_script(void **state)
{
	struct hs_request a = get(9), b = OUTPUT(0x05);
	struct hs_request c = { .type = HS_REQUEST_SET_FEATURE, .data = b.data, .size = 1 };
	struct fixture f;

	(void)state;
	make(&f, HEAD "E: 0.1 1 01\n");
	assert_false(hs_script_exists(f.script));
	hs_script_request(f.script, 0, &a);
	assert_int_equal(a.answer, HS_ANSWER_ERROR);
	hs_script_request(f.script, 0, &b);
	hs_script_request(f.script, 0, &c);
	assert_int_equal(c.answer, HS_ANSWER_OK);
	hs_script_refused(f.script, 0, "get-output", 1);
	assert_int_equal(f.result.requests.seen, 4);
	assert_int_equal(f.result.requests.differences, 0);
	clear(&f);
}

static void test_given_up(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, HEAD "E: 0.1 1 01\n# hidsmith: 0.2 output 1 07\n"
		      "# hidsmith: 0.3 output 1 08\nE: 0.4 1 02\n");
	hs_script_give_up(f.script, 1, true);
	hs_script_give_up(f.script, 2, false);
	assert_true(hs_script_done(f.script, 2));
	assert_int_equal(f.result.requests.differences, 1);
	assert_int_equal(f.result.requests.seen, 0);
	assert_differences(&f, "  000000.100000 input 1 01\t# line 5\n"
			       "- 000000.200000 output 1 07\t# line 6\n"
			       "  000000.400000 input 1 02\t# line 8\n");
	clear(&f);
}

static void test_other_device_is_another_script(void **state)
{
	struct hs_request a = OUTPUT(0x01);
	struct fixture f;

	(void)state;
	make(&f, "D: 0\n" HEAD "D: 1\n" HEAD "D: 1\n# hidsmith: 0.1 output 1 01\n");
	assert_false(hs_script_exists(f.script));
	assert_int_equal(hs_script_request(f.script, 0, &a), SIZE_MAX);
	clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_other_length_is_other),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_caused_by_report),
		cmocka_unit_test(test_standing),
		cmocka_unit_test(test_standing_before_time),
		cmocka_unit_test(test_unexpected),
		cmocka_unit_test(test_before_it_is_waited_for),
		cmocka_unit_test(test_no_script),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_other_device_is_another_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
