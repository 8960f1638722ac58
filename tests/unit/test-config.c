// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/util.h"
#include "core/fixup/config.h"

static const struct hs_hid_id tablet = { .bus = 3, .vendor = 0x28bd, .product = 0x0914 };
static const struct hs_hid_id mouse = { .bus = 5, .vendor = 0x046d, .product = 0xb012 };

static struct hs_config *parse(const char *text)
{
	struct hs_config *config = NULL;
	struct hs_error err = { 0 };

	if (hs_config_parse("test.conf", text, strlen(text), &config, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

/* Nothing written means everything on. */
static void test_default(void **state)
{
	struct hs_config *config = parse("");

	(void)state;
	assert_true(hs_config_enabled(config));
	assert_true(hs_config_device_enabled(config, &tablet));
	assert_true(hs_config_fixup_enabled(config, "0010-ugee__tablets"));
	assert_false(hs_config_udev_hid_bpf(config));
	assert_true(hs_config_deadline(config) > 0);
	assert_null(hs_config_setting(config, "x", &tablet, "mode"));
	assert_null(hs_config_property(config, "x", &tablet, "MODE"));
	hs_config_free(config);
}

static void test_missing_file(void **state)
{
	struct hs_config *config = NULL;
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(hs_config_read("/nonexistent/hidsmith.conf", 0, &config, &err), 0);
	assert_true(hs_config_enabled(config));
	hs_config_free(config);
	assert_int_equal(hs_config_read("/dev", 0, &config, &err), -EINVAL);
}

static void test_switches(void **state)
{
	struct hs_config *config;

	(void)state;
	config = parse("# all\r\n[hidsmith]\r\nenabled = no\r\ndeadline=250\r\n"
		       "udev-hid-bpf-objects = yes");
	assert_false(hs_config_enabled(config));
	assert_true(hs_config_udev_hid_bpf(config));
	assert_int_equal(hs_config_deadline(config), 250);
	hs_config_free(config);

	config = parse("[device 0003:28BD:*]\n enabled=off\n[device 0005:28BD:*]\n enabled=on\n");
	assert_true(hs_config_enabled(config));
	assert_false(hs_config_device_enabled(config, &tablet));
	assert_true(hs_config_device_enabled(config, &mouse));
	hs_config_free(config);

	config = parse("[device 46d:b012]\nenabled = 0\n");
	assert_true(hs_config_device_enabled(config, &tablet));
	assert_false(hs_config_device_enabled(config, &mouse));
	hs_config_free(config);

	/* with and without the priority, and not what only begins alike */
	config = parse("[fixup ugee__tablets]\nenabled = false\n[fixup 0020-a]\nenabled = no\n");
	assert_false(hs_config_fixup_enabled(config, "0010-ugee__tablets"));
	assert_false(hs_config_fixup_enabled(config, "ugee__tablets"));
	assert_true(hs_config_fixup_enabled(config, "0010-ugee__tablets2"));
	assert_false(hs_config_fixup_enabled(config, "0020-a"));
	assert_true(hs_config_fixup_enabled(config, "0010-a"));
	hs_config_free(config);
}

static void test_settings(void **state)
{
	struct hs_config *config = parse("[device 28BD:0914]\n"
					 "MODE = of the device\n"
					 "OTHER = = a # b \n"
					 "set\tspeed=1\n"
					 "[fixup f]\n"
					 "MODE = first\n"
					 "MODE = second\n"
					 "set speed = 2\n"
					 "set MODE = 3\n");

	(void)state;
	assert_string_equal(hs_config_property(config, "0010-f", &tablet, "MODE"), "second");
	assert_string_equal(hs_config_property(config, "0010-g", &tablet, "MODE"), "of the device");
	assert_string_equal(hs_config_property(config, "g", &tablet, "OTHER"), "= a # b");
	assert_null(hs_config_property(config, "g", &mouse, "MODE"));
	assert_null(hs_config_property(config, "g", NULL, "MODE"));
	assert_null(hs_config_property(config, "f", &tablet, "speed"));
	assert_string_equal(hs_config_setting(config, "f", &tablet, "speed"), "2");
	assert_string_equal(hs_config_setting(config, "g", &tablet, "speed"), "1");
	assert_string_equal(hs_config_setting(config, "f", NULL, "MODE"), "3");
	assert_null(hs_config_setting(config, "g", &tablet, "MODE"));
	hs_config_free(config);
}

/* What is not understood is an error with its line, never a switch that stays on. */
static void test_errors(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "enabled = no\n", "t:1: before the first section: 'enabled'" },
		{ "\n[hidsmith\n", "t:2: no ']' at the end of '[hidsmith'" },
		{ "[]\n", "t:1: not a section" },
		{ "[", "t:1: no ']'" },
		{ "[hidsmith x]\n", "t:1: not a section" },
		{ "[fixup]\n", "t:1: not a section" },
		{ "[device]\n", "t:1: not BUS:VENDOR:PRODUCT" },
		{ "[device 28BD]\n", "t:1: not BUS:VENDOR:PRODUCT" },
		{ "[device 3:4:5:6]\n", "t:1: not BUS:VENDOR:PRODUCT" },
		{ "[device 28BD:]\n", "t:1: not BUS:VENDOR:PRODUCT" },
		{ "[device 28BD:09x4]\n", "t:1: not BUS:VENDOR:PRODUCT" },
		{ "[device 00003:28BD:0914]\n", "t:1: not BUS:VENDOR:PRODUCT" },
		{ "[hidsmith]\nenable = no\n", "t:2: unknown key 'enable'" },
		{ "[hidsmith]\nenabled\n", "t:2: neither a section nor KEY = VALUE: 'enabled'" },
		{ "[hidsmith]\nenabled = nope\n", "t:2: neither yes nor no: 'nope'" },
		{ "[hidsmith]\ndeadline = 0\n", "t:2: not a number of milliseconds" },
		{ "[hidsmith]\ndeadline = -1\n", "t:2: not a number of milliseconds" },
		{ "[hidsmith]\ndeadline = 60001\n", "t:2: not a number of milliseconds" },
		{ "[hidsmith]\nMODE = x\n", "t:2: unknown key 'MODE'" },
		{ "[fixup f]\ndeadline = 1\n", "t:2: unknown key 'deadline'" },
		{ "[fixup f]\nspeed = 1\n", "t:2: unknown key 'speed'" },
		{ "[fixup f]\nset = 1\n", "t:2: unknown key 'set'" },
		{ "[fixup f]\nset 1st = 1\n", "t:2: unknown key 'set 1st'" },
		{ "[hidsmith]\nset speed = 1\n", "t:2: unknown key 'set speed'" },
		{ "[fixup f]\n = 1\n", "t:2: unknown key ''" },
		{ "[fixup f]\n\x1b[2J = 1\n", "t:2: unknown key '\\x1b[2J'" },
		{ "[fixup f]\nx\x1b = 1\n", "t:2: unknown key 'x\\x1b'" },
	};

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(cases); i++) {
		struct hs_config *config = NULL;
		struct hs_error err = { 0 };

		if (hs_config_parse("t", cases[i].text, strlen(cases[i].text), &config, &err) !=
			    -EINVAL ||
		    strncmp(err.text, cases[i].error, strlen(cases[i].error)))
			fail_msg("'%s': '%s', not '%s'", cases[i].text, err.text, cases[i].error);
		assert_null(config);
	}
}

static void test_nul(void **state)
{
	struct hs_config *config = NULL;
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(hs_config_parse("t", "[hidsmith]\0enabled=no", 21, &config, &err),
			 -EINVAL);
	assert_string_equal(err.text, "t: not a text: a byte 0 at offset 10");
}

/* What is installed changes nothing, and its examples are none of mistakes. */
static void test_installed_file(void **state)
{
	static const struct hs_hid_id keyboard = { .bus = 3, .vendor = 0x17ef, .product = 0x60ee };
	hs_autofclose FILE *f = fopen(INSTALLED_CONF, "r");
	char line[256], text[4096] = "";
	struct hs_config *config;

	(void)state;
	assert_non_null(f);
	assert_int_equal(hs_config_read(INSTALLED_CONF, 0, &config, NULL), 0);
	assert_true(hs_config_enabled(config));
	assert_true(hs_config_device_enabled(config, &tablet));
	assert_true(hs_config_fixup_enabled(config, "0010-ugee__tablets"));
	assert_false(hs_config_udev_hid_bpf(config));
	hs_config_free(config);

	while (fgets(line, sizeof(line), f))
		strncat(text, line + (line[0] == '#' && line[1] != ' '),
			sizeof(text) - strlen(text) - 1);
	config = parse(text);
	assert_false(hs_config_enabled(config));
	assert_false(hs_config_device_enabled(config, &tablet));
	assert_false(hs_config_fixup_enabled(config, "0010-ugee__tablets"));
	assert_true(hs_config_udev_hid_bpf(config));
	assert_string_equal(hs_config_setting(config, "0010-lenovo__trackpoint-keyboard-2",
					      &keyboard, "sensitivity"),
			    "120");
	hs_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),        cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_switches),       cmocka_unit_test(test_settings),
		cmocka_unit_test(test_errors),         cmocka_unit_test(test_nul),
		cmocka_unit_test(test_installed_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
