// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/replay/plan.h"

#define HEAD "R: 7 05 01 09 02 a1 00 c0\nN: Mouse\nP:\nI: 3 1234 abcd\n"

struct fixture {
	struct hs_recording *rec;
	struct hs_plan plan;
};

static void make(struct fixture *f, const char *text, const struct hs_plan_opts *opts)
{
	struct hs_error err = { 0 };

	if (hs_recording_parse("test.hid", text, strlen(text), &f->rec, &err))
		fail_msg("%s", err.text);
	assert_int_equal(hs_plan_make(f->rec, opts, &f->plan, &err), 0);
}

static void clear(struct fixture *f)
{
	hs_plan_free(&f->plan);
	hs_recording_free(f->rec);
}

static void assert_times(const struct fixture *f, size_t n, const uint64_t *times)
{
	assert_int_equal(f->plan.count, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(f->plan.steps[i].time_us, times[i]);
}

static const char three[] = HEAD "E: 1.000000 1 01\nE: 1.500000 1 02\nE: 9.500000 1 03\n";

static void test_times_as_recorded(void **state)
{
	const struct hs_plan_opts opts = { 0 };
	const uint64_t times[] = { 1000000, 1500000, 9500000 };
	struct fixture f;

	(void)state;
	make(&f, three, &opts);
	assert_times(&f, 3, times);
	assert_int_equal(f.plan.inputs, 3);
	clear(&f);
}

static void test_long_pauses_are_cut(void **state)
{
	const struct hs_plan_opts opts = { .skip_pauses = true };
	const uint64_t times[] = { 1000000, 1500000, 1500000 + HS_PLAN_SHORT_PAUSE_US };
	struct fixture f;

	(void)state;
	make(&f, three, &opts);
	assert_times(&f, 3, times);
	clear(&f);
}

static void test_interval(void **state)
{
	const struct hs_plan_opts opts = { .interval_us = 10000 };
	const uint64_t times[] = { 0, 10000, 20000 };
	struct fixture f;

	(void)state;
	make(&f, three, &opts);
	assert_times(&f, 3, times);
	clear(&f);
}

static void test_window(void **state)
{
	const struct hs_plan_opts opts = { .start_us = 1200000, .stop_us = 9000000 };
	const uint64_t times[] = { 300000 };
	struct fixture f;

	(void)state;
	make(&f, three, &opts);
	assert_times(&f, 1, times);
	clear(&f);
}

/* Two devices one after another have each a clock that begins at 0. */
static void test_time_goes_back(void **state)
{
	const struct hs_plan_opts opts = { 0 };
	const uint64_t times[] = { 5000000, 5000000, 5250000 };
	struct fixture f;

	(void)state;
	make(&f,
	     "D: 0\n" HEAD "D: 1\n" HEAD
	     "D: 0\nE: 5.0 1 01\nD: 1\nE: 0.250000 1 02\nE: 0.500000 1 03\n",
	     &opts);
	assert_times(&f, 3, times);
	assert_int_equal(f.plan.steps[0].entry->device, 0);
	assert_int_equal(f.plan.steps[2].entry->device, 1);
	clear(&f);
}

static void test_what_is_a_step(void **state)
{
	const struct hs_plan_opts opts = { 0 };
	struct fixture f;

	(void)state;
	make(&f,
	     HEAD "# just a comment\n"
		  "# hidsmith: * get-feature 02 -> ok 2 02 00\n"
		  "# hidsmith: 0.100000 output 1 05\n"
		  "E: 0.200000 1 01\n"
		  "# hidsmith: 0.300000 unplug\n",
	     &opts);
	assert_int_equal(f.plan.count, 3);
	assert_int_equal(f.plan.steps[0].entry->type, HS_ENTRY_REQUEST);
	assert_int_equal(f.plan.steps[1].entry->type, HS_ENTRY_INPUT);
	assert_int_equal(f.plan.steps[2].entry->type, HS_ENTRY_UNPLUG);
	assert_int_equal(f.plan.requests, 1);
	clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_as_recorded),
		cmocka_unit_test(test_long_pauses_are_cut),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_time_goes_back),
		cmocka_unit_test(test_what_is_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
