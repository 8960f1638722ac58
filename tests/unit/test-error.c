// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/error.h"

static void test_set_returns_code(void **state)
{
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(hs_error_set(&err, -ENODEV, "%s: gone", "0003:28BD:0914.0004"), -ENODEV);
	assert_int_equal(err.code, -ENODEV);
	assert_string_equal(err.text, "0003:28BD:0914.0004: gone");
	assert_int_equal(hs_error_set(NULL, -EIO, "nobody reads this"), -EIO);
}

static void test_prefix_keeps_code(void **state)
{
	struct hs_error err = { 0 };

	(void)state;
	hs_error_set(&err, -EINVAL, "line 3: not hex");
	assert_int_equal(hs_error_prefix(&err, "%s", "pen.hid"), -EINVAL);
	assert_string_equal(err.text, "pen.hid: line 3: not hex");
}

static void test_prefix_longer_than_text(void **state)
{
	char name[2 * sizeof(((struct hs_error *)0)->text)];
	struct hs_error err = { 0 };

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	hs_error_set(&err, -EINVAL, "reason");
	assert_int_equal(hs_error_prefix(&err, "%s", name), -EINVAL);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_returns_code),
		cmocka_unit_test(test_prefix_keeps_code),
		cmocka_unit_test(test_prefix_longer_than_text),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
