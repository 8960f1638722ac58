// SPDX-License-Identifier: MIT
/* Objects read, matched and ordered: all that needs no kernel. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/util.h"
#include "core/fixup/fixup.h"
#include "core/fixup/pins.h"

#define OBJECT(name) TEST_BPF_DIR "/" name ".bpf.o"

/* A directory of this test's own, removed with what the test put there. */
static char dir[PATH_MAX];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/hidsmith-test.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static char *read_object(const char *path, size_t *size)
{
	FILE *f = fopen(path, "r");
	char *data = malloc(1 << 20);

	assert_non_null(f);
	assert_non_null(data);
	*size = fread(data, 1, 1 << 20, f);
	fclose(f);
	return data;
}

static void copy_object(const char *name, const char *to)
{
	hs_autofree char *data = NULL;
	size_t size;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), TEST_BPF_DIR "/%s.bpf.o", name);
	data = read_object(path, &size);
	write_file(in_dir(to), data, size);
}

static struct hs_fixup *open_object(const char *path)
{
	struct hs_error err = { 0 };
	struct hs_fixup *fixup = NULL;

	if (hs_fixup_open(path, 0, &fixup, &err))
		fail_msg("%s", err.text);
	return fixup;
}

static void expect_refusal(const char *path, unsigned int flags, int code, const char *text)
{
	struct hs_error err = { 0 };
	struct hs_fixup *fixup = NULL;
	int rc = hs_fixup_open(path, flags, &fixup, &err);

	if (rc != code || err.code != code)
		fail_msg("%s: returned %d (%d), not %d: %s", path, rc, err.code, code, err.text);
	if (!strstr(err.text, path) || !strstr(err.text, text))
		fail_msg("'%s' does not name %s and '%s'", err.text, path, text);
	assert_null(fixup);
}

static void says_what_is_in_an_object(void **state)
{
	struct hs_fixup *fixup = open_object(OBJECT("0010-test__event"));
	const struct hs_fixup_info *info = hs_fixup_info(fixup);
	bool event = false, probe = false, bss = false;

	(void)state;
	assert_string_equal(hs_fixup_name(fixup), "0010-test__event");
	assert_string_equal(hs_fixup_path(fixup), OBJECT("0010-test__event"));
	assert_int_equal(hs_fixup_priority(fixup), 10);
	assert_string_equal(hs_fixup_group(fixup), "test__event");

	assert_int_equal(info->interface, HS_INTERFACE_STRUCT_OPS);
	assert_string_equal(info->license, "GPL");
	assert_true(info->has_probe);
	assert_int_equal(info->n_matches, 2);
	assert_int_equal(info->matches[0].bus, 3);
	assert_int_equal(info->matches[0].group, 0);
	assert_int_equal(info->matches[0].vendor, 0x1234);
	assert_int_equal(info->matches[0].product, 1);
	assert_int_equal(info->matches[1].bus, 5);
	assert_int_equal(info->matches[1].group, 1);
	assert_int_equal(info->matches[1].product, 0);

	for (size_t i = 0; i < info->n_programs; i++) {
		const struct hs_program_info *p = &info->programs[i];

		if (!strcmp(p->name, "invert")) {
			event = true;
			assert_string_equal(p->hook, "hid_device_event");
			assert_false(p->sleepable);
		}
		if (!strcmp(p->name, "probe")) {
			probe = true;
			assert_null(p->hook);
			assert_true(p->sleepable);
		}
	}
	assert_true(event);
	assert_true(probe);
	for (size_t i = 0; i < info->n_maps; i++)
		bss |= !strcmp(info->maps[i].name, ".bss");
	assert_true(bss);
	assert_int_equal(info->n_properties, 1);
	assert_string_equal(info->properties[0].name, "TEST_MODE");
	assert_int_equal(info->properties[0].size, 8);
	assert_int_equal(info->n_exports, 0);
	assert_int_equal(info->n_kfuncs, 1);
	assert_string_equal(info->kfuncs[0], "hid_bpf_get_data");
	hs_fixup_free(fixup);
}

static void knows_the_kinds_of_objects(void **state)
{
	struct hs_fixup *old = open_object(OBJECT("0010-test__fmod-ret"));
	struct hs_fixup *probe = open_object(OBJECT("0010-test__probe-only"));
	struct hs_fixup *rdesc = open_object(OBJECT("0010-test__rdesc"));
	bool found = false;

	(void)state;
	assert_int_equal(hs_fixup_info(old)->interface, HS_INTERFACE_FMOD_RET);
	assert_int_equal(hs_fixup_info(probe)->interface, HS_INTERFACE_PROBE_ONLY);
	assert_int_equal(hs_fixup_info(probe)->n_exports, 1);
	assert_string_equal(hs_fixup_info(probe)->exports[0].name, "TEST_ANSWER");
	assert_int_equal(hs_fixup_info(probe)->exports[0].size, 16);
	for (size_t i = 0; i < hs_fixup_info(rdesc)->n_programs; i++) {
		const struct hs_program_info *p = &hs_fixup_info(rdesc)->programs[i];

		if (p->hook && !strcmp(p->hook, "hid_rdesc_fixup"))
			found = p->sleepable;
	}
	assert_true(found);
	hs_fixup_free(old);
	hs_fixup_free(probe);
	hs_fixup_free(rdesc);
}

static void matches_by_each_part_of_the_id(void **state)
{
	struct hs_fixup *fixup = open_object(OBJECT("0010-test__event"));
	struct {
		struct hs_hid_id id;
		bool matches;
	} cases[] = {
		{ { .bus = 3, .group = 1, .vendor = 0x1234, .product = 1 }, true },
		{ { .bus = 3, .group = 4, .vendor = 0x1234, .product = 1 }, true },
		{ { .bus = 3, .group = 1, .vendor = 0x1234, .product = 2 }, false },
		{ { .bus = 3, .group = 1, .vendor = 0x1235, .product = 1 }, false },
		{ { .bus = 0x18, .group = 1, .vendor = 0x1234, .product = 1 }, false },
		{ { .bus = 5, .group = 1, .vendor = 0x1234, .product = 0xffff }, true },
		{ { .bus = 5, .group = 2, .vendor = 0x1234, .product = 7 }, false },
		/* a group that is not known matches any */
		{ { .bus = 5, .group = 0, .vendor = 0x1234, .product = 7 }, true },
	};

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(cases); i++)
		if (hs_fixup_matches(fixup, &cases[i].id) != cases[i].matches)
			fail_msg("case %zu: %s", i, cases[i].matches ? "no match" : "match");
	hs_fixup_free(fixup);
}

static void takes_names_apart(void **state)
{
	static const struct {
		const char *file, *name, *group;
		unsigned int priority;
	} cases[] = {
		{ "0100-a__b.bpf.o", "0100-a__b", "a__b", 100 },
		{ "0-a.bpf.o", "0-a", "a", 0 },
		{ "a__b.bpf.o", "a__b", "a__b", 0 },
		{ "a-b.bpf.o", "a-b", "a-b", 0 },
		{ "0010-a-b-c.bpf.o", "0010-a-b-c", "a-b-c", 10 },
		{ "10-.bpf.o", "10-", "10-", 0 },
		/* a number that is none */
		{ "99999999999-a.bpf.o", "99999999999-a", "99999999999-a", 0 },
	};

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(cases); i++) {
		struct hs_fixup *fixup;

		copy_object("0010-test__event", cases[i].file);
		fixup = open_object(in_dir(cases[i].file));
		assert_string_equal(hs_fixup_name(fixup), cases[i].name);
		assert_string_equal(hs_fixup_group(fixup), cases[i].group);
		assert_int_equal(hs_fixup_priority(fixup), cases[i].priority);
		hs_fixup_free(fixup);
	}
}

static void refuses_what_is_no_fixup(void **state)
{
	static const char text[] = "this is not an object file, whatever its name says";

	(void)state;
	expect_refusal(OBJECT("0010-test__no-match"), 0, -EINVAL, "no match data");
	expect_refusal(OBJECT("0010-test__no-program"), 0, -EINVAL, "no program");
	expect_refusal(in_dir("absent.bpf.o"), 0, -ENOENT, "No such file");
	expect_refusal("/", 0, -EINVAL, ".bpf.o");

	write_file(in_dir("text.bpf.o"), text, sizeof(text));
	expect_refusal(in_dir("text.bpf.o"), 0, -EINVAL, "not an ELF file");
	write_file(in_dir("empty.bpf.o"), "", 0);
	expect_refusal(in_dir("empty.bpf.o"), 0, -EINVAL, "not an ELF file");
	assert_int_equal(mkdir(in_dir("dir.bpf.o"), 0700), 0);
	expect_refusal(in_dir("dir.bpf.o"), 0, -EINVAL, "not a regular file");
	assert_int_equal(mkfifo(in_dir("fifo.bpf.o"), 0600), 0);
	expect_refusal(in_dir("fifo.bpf.o"), 0, -EINVAL, "not a regular file");
	copy_object("0010-test__event", "0010-with\nnewline.bpf.o");
	expect_refusal(in_dir("0010-with\nnewline.bpf.o"), 0, -EINVAL, "name has no spaces");
}

static void refuses_other_machines(void **state)
{
	hs_autofree char *data = NULL;
	size_t size;

	(void)state;
	data = read_object("/proc/self/exe", &size);
	write_file(in_dir("program.bpf.o"), data, size);
	/* Cut at 1 MB or not: a program is no BPF object. */
	expect_refusal(in_dir("program.bpf.o"), 0, -EINVAL, "ELF file");

	free(data);
	data = read_object(OBJECT("0010-test__event"), &size);
	data[5] ^= 3; /* EI_DATA: the other byte order */
	write_file(in_dir("other.bpf.o"), data, size);
	expect_refusal(in_dir("other.bpf.o"), 0, -EINVAL, "");
}

/* No prefix of an object and none with a damaged byte may do worse than an error. */
static void survives_damage(void **state)
{
	hs_autofree char *data = NULL;
	struct hs_error err;
	struct hs_fixup *fixup;
	size_t size, cut_ok = 0;
	uint32_t random = 1;
	struct stat said;
	int rc, terminal;

	(void)state;
	data = read_object(OBJECT("0010-test__event"), &size);
	/* What libbpf and libelf say about it must not reach the terminal. */
	terminal = dup(STDERR_FILENO);
	assert_non_null(freopen(in_dir("stderr"), "w", stderr));
	for (size_t n = 0; n < size; n += 37) {
		write_file(in_dir("cut.bpf.o"), data, n);
		fixup = NULL;
		err = (struct hs_error){ 0 };
		cut_ok += !hs_fixup_open(in_dir("cut.bpf.o"), 0, &fixup, &err);
		hs_fixup_free(fixup);
	}
	assert_int_equal(cut_ok, 0);

	for (int i = 0; i < 1000; i++) {
		size_t at;
		char was;

		random = random * 1664525 + 1013904223;
		at = random % size;
		was = data[at];
		data[at] = (char)(random >> 24);
		write_file(in_dir("damaged.bpf.o"), data, size);
		data[at] = was;
		fixup = NULL;
		err = (struct hs_error){ 0 };
		rc = hs_fixup_open(in_dir("damaged.bpf.o"), 0, &fixup, &err);
		if (rc && (rc != err.code || !err.text[0]))
			fail_msg("byte %zu: %d without an error text", at, rc);
		hs_fixup_free(fixup);
	}
	fflush(stderr);
	dup2(terminal, STDERR_FILENO);
	close(terminal);
	assert_int_equal(stat(in_dir("stderr"), &said), 0);
	assert_int_equal(said.st_size, 0);
}

static void distrusts_what_others_can_change(void **state)
{
	char path[3 * PATH_MAX];

	(void)state;
	copy_object("0010-test__event", "0010-a.bpf.o");
	/* The directory lies in one that everybody may write to. */
	expect_refusal(in_dir("0010-a.bpf.o"), HS_OPEN_TRUSTED_ONLY, -EPERM, "not to be trusted");
	expect_refusal("0010-a.bpf.o", HS_OPEN_TRUSTED_ONLY, -EPERM, "absolute");
	snprintf(path, sizeof(path), "/usr/../%s", in_dir("0010-a.bpf.o"));
	expect_refusal(path, HS_OPEN_TRUSTED_ONLY, -EPERM, "not a plain name");
}

static void orders_and_hides_in_a_set(void **state)
{
	struct hs_fixup_set *set = NULL;
	struct hs_error err = { 0 };
	char dirs[4 * PATH_MAX];

	(void)state;
	assert_int_equal(mkdir(in_dir("etc"), 0755), 0);
	assert_int_equal(mkdir(in_dir("lib"), 0755), 0);
	copy_object("0010-test__event", "etc/0010-test__event.bpf.o");
	copy_object("0020-test__event", "lib/0010-test__event.bpf.o");
	copy_object("0020-test__event", "lib/0020-test__event.bpf.o");
	copy_object("0010-test__rdesc", "lib/0010-test__rdesc.bpf.o");
	copy_object("0010-test__no-match", "lib/0010-test__no-match.bpf.o");
	copy_object("0010-test__rdesc", "lib/.0010-hidden.bpf.o");
	copy_object("0010-test__rdesc", "lib/0010-other.o");
	snprintf(dirs, sizeof(dirs), "%s/absent:%s/etc:%s/lib/", dir, dir, dir);

	assert_int_equal(hs_fixup_set_open(dirs, 0, &set, &err), 0);
	assert_int_equal(hs_fixup_set_count(set), 3);
	assert_string_equal(hs_fixup_name(hs_fixup_set_get(set, 0)), "0020-test__event");
	assert_string_equal(hs_fixup_name(hs_fixup_set_get(set, 1)), "0010-test__event");
	assert_string_equal(hs_fixup_name(hs_fixup_set_get(set, 2)), "0010-test__rdesc");
	assert_null(hs_fixup_set_get(set, 3));
	/* the one of the earlier directory */
	assert_string_equal(hs_fixup_path(hs_fixup_set_get(set, 1)),
			    in_dir("etc/0010-test__event.bpf.o"));
	/* one slash, however the directory is written */
	assert_string_equal(hs_fixup_path(hs_fixup_set_get(set, 2)),
			    in_dir("lib/0010-test__rdesc.bpf.o"));

	assert_ptr_equal(hs_fixup_set_find(set, "test__event"), hs_fixup_set_get(set, 0));
	assert_ptr_equal(hs_fixup_set_find(set, "0010-test__event"), hs_fixup_set_get(set, 1));
	assert_null(hs_fixup_set_find(set, "test__even"));

	assert_int_equal(hs_fixup_set_problem_count(set), 1);
	assert_non_null(strstr(hs_fixup_set_problem(set, 0), "0010-test__no-match.bpf.o"));
	assert_null(hs_fixup_set_problem(set, 1));
	hs_fixup_set_free(set);

	/* Nothing of it is root's alone: no fixups, and each directory is named. */
	assert_int_equal(hs_fixup_set_open(dirs, HS_OPEN_TRUSTED_ONLY, &set, &err), 0);
	assert_int_equal(hs_fixup_set_count(set), 0);
	assert_true(hs_fixup_set_problem_count(set) >= 2);
	hs_fixup_set_free(set);
}

/* A file may change after it was checked; what goes on is what was checked. */
static void keeps_what_it_has_read(void **state)
{
	hs_autofree char *data = NULL;
	struct hs_fixup *fixup;
	const void *image;
	size_t size, image_size = 0;

	(void)state;
	data = read_object(OBJECT("0010-test__event"), &size);
	copy_object("0010-test__event", "0010-a__b.bpf.o");
	fixup = open_object(in_dir("0010-a__b.bpf.o"));
	write_file(in_dir("0010-a__b.bpf.o"), "other", 5);
	image = hs_fixup_image(fixup, &image_size);
	assert_int_equal(image_size, size);
	assert_memory_equal(image, data, size);
	hs_fixup_free(fixup);
}

static void names_pins(void **state)
{
	char buf[HS_PIN_NAME_SIZE], longest[300];
	uint32_t id = 0;

	(void)state;
	assert_int_equal(hs_pin_name("0003:28BD:0914.0004", buf), 0);
	assert_string_equal(buf, "0003_28BD_0914_0004");
	assert_true(hs_pin_sysname(buf, buf));
	assert_string_equal(buf, "0003:28BD:0914.0004");
	assert_int_equal(hs_pin_object_name("0010-a__b.c", buf), 0);
	assert_string_equal(buf, "0010-a__b_c_bpf");
	hs_pin_fixup_name("0010-a__b_bpf", buf);
	assert_string_equal(buf, "0010-a__b");
	hs_pin_fixup_name("_bpf", buf);
	assert_string_equal(buf, "_bpf");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(hs_pin_name(longest, buf), -ENAMETOOLONG);
	assert_int_equal(hs_pin_object_name(longest, buf), -ENAMETOOLONG);

	assert_true(hs_sysname_parse("0003:28BD:0914.0004", &id));
	assert_int_equal(id, 4);
	assert_true(hs_sysname_parse("0003:28BD:0914.1ABCD", &id));
	assert_int_equal(id, 0x1abcd);
	assert_false(hs_sysname_parse("0003:28BD:0914", &id));
	assert_false(hs_sysname_parse("0003:28BD:0914.", &id));
	assert_false(hs_sysname_parse("0003:28BD:0914.000/", &id));
	assert_false(hs_sysname_parse("../../0003:28BD:0914.0004", &id));
	assert_false(hs_sysname_parse("0003_28BD_0914_0004", &id));
	assert_false(hs_pin_sysname("0003:28BD:0914.0004", buf));
	assert_false(hs_pin_sysname("something", buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_in_an_object),
		cmocka_unit_test(knows_the_kinds_of_objects),
		cmocka_unit_test(matches_by_each_part_of_the_id),
		cmocka_unit_test_setup_teardown(takes_names_apart, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_fixup, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(refuses_other_machines, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(survives_damage, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(distrusts_what_others_can_change, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(orders_and_hides_in_a_set, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(keeps_what_it_has_read, make_dir, remove_dir),
		cmocka_unit_test(names_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
