// SPDX-License-Identifier: MIT
/* Settings of objects: what a user may write, and what is refused. */
#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/hidsmith/setting_layout.h"
#include "core/base/util.h"
#include "core/fixup/fixup.h"
#include "core/fixup/settings.h"

static const struct hs_setting good[] = {
	{ .name = "speed",
	  .help = "how fast",
	  .type = HS_SETTING_INT,
	  .value = 5,
	  .min = -3,
	  .max = 9 },
	{ .name = "fn_lock",
	  .help = "Fn",
	  .type = HS_SETTING_BOOL,
	  .value = 1,
	  .min = 0,
	  .max = 1 },
};

static void reads_an_array_of_settings(void **state)
{
	const struct hs_setting_info *all = NULL;
	struct hs_strings strings = { 0 };
	size_t n = 0;

	(void)state;
	assert_int_equal(hs_settings_read(good, sizeof(good), &strings, &all, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(all[0].name, "speed");
	assert_string_equal(all[0].help, "how fast");
	assert_false(all[0].is_bool);
	assert_int_equal(all[0].value, 5);
	assert_int_equal(all[0].min, -3);
	assert_int_equal(all[0].max, 9);
	assert_true(all[1].is_bool);
	hs_free_const(all);
	hs_strings_free(&strings);
}

static void expect_bad(const void *section, size_t size)
{
	const struct hs_setting_info *all = NULL;
	struct hs_strings strings = { 0 };
	size_t n = 0;

	assert_int_equal(hs_settings_read(section, size, &strings, &all, &n), -EINVAL);
	hs_free_const(all);
	hs_strings_free(&strings);
}

static void makes_help_harmless_for_terminals(void **state)
{
	struct hs_setting s = good[0];
	const struct hs_setting_info *all = NULL;
	struct hs_strings strings = { 0 };
	size_t n = 0;

	(void)state;
	strcpy(s.help, "how\033[2J fast");
	assert_int_equal(hs_settings_read(&s, sizeof(s), &strings, &all, &n), 0);
	assert_string_equal(all[0].help, "how\\x1b[2J fast");
	hs_free_const(all);
	hs_strings_free(&strings);
}

static void refuses_what_is_no_array_of_settings(void **state)
{
	struct hs_setting s;

	(void)state;
	expect_bad(good, sizeof(good) - 1);
	expect_bad(good, 1);

	s = good[0];
	memset(s.name, 'a', sizeof(s.name));
	expect_bad(&s, sizeof(s));
	s = good[0];
	memset(s.help, 'a', sizeof(s.help));
	expect_bad(&s, sizeof(s));
	s = good[0];
	s.name[0] = 0;
	expect_bad(&s, sizeof(s));
	s = good[0];
	s.name[0] = '\033';
	expect_bad(&s, sizeof(s));
	s = good[0];
	s.type = 7;
	expect_bad(&s, sizeof(s));
	s = good[0];
	s.value = 10;
	expect_bad(&s, sizeof(s));
	s = good[0];
	s.min = 6;
	expect_bad(&s, sizeof(s));
}

static void reads_what_users_write(void **state)
{
	static const struct hs_setting_info speed = {
		.name = "speed", .value = 5, .min = -3, .max = 9
	};
	static const struct hs_setting_info lock = { .name = "lock", .is_bool = true, .max = 1 };
	static const struct hs_setting_info wide = { .name = "wide",
						     .min = INT32_MIN,
						     .max = INT32_MAX };
	static const struct {
		const struct hs_setting_info *setting;
		const char *text;
		int32_t value;
	} ok[] = {
		{ &speed, "0", 0 },
		{ &speed, "-3", -3 },
		{ &speed, "9", 9 },
		{ &speed, "0x7", 7 },
		{ &lock, "0", 0 },
		{ &lock, "1", 1 },
		{ &lock, "yes", 1 },
		{ &lock, "No", 0 },
		{ &lock, "ON", 1 },
		{ &lock, "off", 0 },
		{ &lock, "true", 1 },
		{ &lock, "False", 0 },
		{ &wide, "-2147483648", INT32_MIN },
		{ &wide, "2147483647", INT32_MAX },
	};
	static const struct {
		const struct hs_setting_info *setting;
		const char *text;
		const char *why;
	} bad[] = {
		{ &speed, "10", "out of range, which is -3 to 9" },
		{ &speed, "-4", "out of range" },
		{ &speed, "", "not a number" },
		{ &speed, "5 ", "not a number" },
		{ &speed, " 5", "not a number" },
		{ &speed, "+5", "not a number" },
		{ &speed, "5x", "not a number" },
		{ &speed, "--5", "not a number" },
		{ &speed, "yes", "not a number" },
		{ &lock, "2", "out of range, which is 0 to 1" },
		{ &lock, "maybe", "neither yes nor no" },
		{ &wide, "2147483648", "out of range" },
		{ &wide, "99999999999999999999", "not a number" },
	};
	struct hs_error err;
	int32_t value;

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(ok); i++) {
		value = 77;
		err = (struct hs_error){ 0 };
		if (hs_setting_parse(ok[i].setting, ok[i].text, &value, &err))
			fail_msg("%s = '%s': %s", ok[i].setting->name, ok[i].text, err.text);
		if (value != ok[i].value)
			fail_msg("'%s' became %d, not %d", ok[i].text, value, ok[i].value);
	}
	for (size_t i = 0; i < HS_ARRAY_SIZE(bad); i++) {
		value = 77;
		err = (struct hs_error){ 0 };
		if (hs_setting_parse(bad[i].setting, bad[i].text, &value, &err) != -EINVAL)
			fail_msg("%s = '%s' was taken", bad[i].setting->name, bad[i].text);
		assert_int_equal(value, 77);
		if (!strstr(err.text, bad[i].why))
			fail_msg("'%s': '%s' does not say '%s'", bad[i].text, err.text, bad[i].why);
	}
}

static void names_udev_properties(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(hs_setting_property("fn_lock", buf, sizeof(buf)), "HIDSMITH_FN_LOCK");
	assert_string_equal(hs_setting_property("a-b1", buf, sizeof(buf)), "HIDSMITH_A_B1");
}

static void are_found_in_an_object(void **state)
{
	struct hs_fixup *fixup = NULL;
	struct hs_error err = { 0 };
	const struct hs_fixup_info *info;

	(void)state;
	if (hs_fixup_open(TEST_BPF_DIR "/0010-test__settings.bpf.o", 0, &fixup, &err))
		fail_msg("%s", err.text);
	info = hs_fixup_info(fixup);
	assert_int_equal(info->n_settings, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct hs_setting_info *s = &info->settings[i];

		/* The compiler chooses their order. */
		if (!strcmp(s->name, "speed")) {
			assert_int_equal(s->value, 5);
			assert_int_equal(s->min, -3);
			assert_int_equal(s->max, 9);
			assert_string_equal(s->help, "how fast");
		} else {
			assert_string_equal(s->name, "fn_lock");
			assert_true(s->is_bool);
			assert_int_equal(s->value, 1);
		}
	}
	hs_fixup_free(fixup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_array_of_settings),
		cmocka_unit_test(makes_help_harmless_for_terminals),
		cmocka_unit_test(refuses_what_is_no_array_of_settings),
		cmocka_unit_test(reads_what_users_write),
		cmocka_unit_test(names_udev_properties),
		cmocka_unit_test(are_found_in_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
