// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/text.h"
#include "core/base/util.h"

static void test_escape(void **state)
{
	static const struct {
		const char *raw;
		const char *shown;
	} cases[] = {
		{ "", "" },
		{ "Wacom Co.,Ltd. CTT-460  ", "Wacom Co.,Ltd. CTT-460  " },
		{ "CoolTouch\xc2\xae \xe2\x82\xac \xf0\x9f\x96\xb1",
		  "CoolTouch\xc2\xae \xe2\x82\xac \xf0\x9f\x96\xb1" },
		{ "\x1b[2J\a", "\\x1b[2J\\x07" },
		{ "tab\tnewline\n", "tab\\x09newline\\x0a" },
		{ "\x7f", "\\x7f" },
		{ "a\\x41", "a\\x5cx41" },
		{ "Touch\xae", "Touch\\xae" }, /* Latin-1 */
		{ "\xc2\x9b", "\\xc2\\x9b" }, /* CSI in one character */
		{ "\xe2\x80\xae"
		  "abc",
		  "\\xe2\\x80\\xae"
		  "abc" }, /* right-to-left override */
		{ "\xc0\xaf", "\\xc0\\xaf" }, /* too long a form of '/' */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond U+10FFFF */
		{ "\xff", "\\xff" },
		{ "cut \xe2\x82", "cut \\xe2\\x82" },
	};
	char buf[128];

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(cases); i++)
		assert_string_equal(hs_escape(cases[i].raw, buf, sizeof(buf)), cases[i].shown);
}

/* An error of several lines, with a part that was escaped before. */
static void test_harmless(void **state)
{
	char *text = hs_harmless("x: '\x1b[2J' \\x07 \xff\r\n\t\xe2\x82\xac \xe2\x80\xae\n");

	(void)state;
	assert_non_null(text);
	assert_string_equal(text,
			    "x: '\\x1b[2J' \\x07 \\xff\\x0d\n\t\xe2\x82\xac \\xe2\\x80\\xae\n");
	free(text);
}

/* Whatever the room is, nothing is cut in the middle. */
static void test_escape_cut(void **state)
{
	static const char *const expected[] = {
		"", "a", "a", "a", "a", "a\\x01", "a\\x01", "a\\x01\xc2\xae", "a\\x01\xc2\xae"
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(expected); i++) {
		memset(buf, '!', sizeof(buf));
		hs_escape("a\x01\xc2\xae", buf, i + 1);
		assert_string_equal(buf, expected[i]);
		assert_int_equal(buf[i + 1], '!');
	}
}

static void test_utf8(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(hs_utf8("Touch\xae \x1b\\", buf, sizeof(buf)),
			    "Touch\xef\xbf\xbd \x1b\\");
	assert_string_equal(hs_utf8("\xe2\x82\xac", buf, sizeof(buf)), "\xe2\x82\xac");
	assert_string_equal(hs_utf8("\xe2\x82", buf, sizeof(buf)), "\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(hs_utf8("ab\xff", buf, 5), "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_escape_cut),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
