// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
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

#include "core/replay/capture.h"
#include "core/replay/diff.h"

static void add(struct hs_capture *c, uint16_t type, uint16_t code, int32_t value)
{
	struct hs_capture_node *node = &c->nodes[c->count - 1];
	const struct hs_capture_event e = {
		.time_us = 1000 * node->count,
		.type = type,
		.code = code,
		.value = value,
		.line = 7,
	};

	assert_int_equal(hs_capture_add_event(node, &e), 0);
}

/* A node with n movements to the right, of which one may be another. */
static void add_movements(struct hs_capture *c, const char *name, int n, int other)
{
	assert_true(hs_capture_add_node(c, name) >= 0);
	for (int i = 0; i < n; i++)
		add(c, EV_REL, REL_X, i == other ? -1 : i + 1);
}

static char *to_text(const struct hs_capture *c)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(hs_capture_write(c, out), 0);
	fclose(out);
	return text;
}

static char *diff_text(const struct hs_capture *a, const struct hs_capture *b)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(hs_capture_diff(a, b, "expected", "got", out), 0);
	fclose(out);
	return text;
}

static void test_text(void **state)
{
	struct hs_capture c = { 0 };
	char *text;

	(void)state;
	assert_int_equal(hs_capture_add_node(&c, "A\033pen"), 0);
	add(&c, EV_ABS, ABS_X, -5);
	add(&c, EV_SYN, SYN_REPORT, 0);
	add(&c, 0x1e, 0x123, 1);
	text = to_text(&c);
	assert_string_equal(text, "N: A\\x1bpen\n"
				  "E: 000000.000000 0003 0000 -005\t# EV_ABS / ABS_X -5\n"
				  "E: 000000.001000 0000 0000 0000\t# EV_SYN / SYN_REPORT 0\n"
				  "E: 000000.002000 001e 0123 0001\t# 0x1e / 0x123 1\n");
	free(text);
	hs_capture_clear(&c);
}

/* A file with this text, removed by the caller. */
static void write_file(char path[64], const char *text)
{
	FILE *f;
	int fd;

	strcpy(path, "/tmp/hidsmith-test.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_save_and_load(void **state)
{
	struct hs_capture c = { 0 }, back = { 0 };
	struct hs_error err = { 0 };
	char path[64];

	(void)state;
	add_movements(&c, "Mouse ", 3, -1);
	add_movements(&c, "", 0, -1);
	write_file(path, "old");
	assert_int_equal(hs_capture_save(&c, path, &err), 0);
	assert_int_equal(hs_capture_load(&back, path, &err), 0);
	assert_true(hs_capture_equal(&c, &back));
	assert_string_equal(back.nodes[0].name, "Mouse ");
	unlink(path);
	hs_capture_clear(&c);
	hs_capture_clear(&back);
}

/* What is no regular file is written to: renaming would put one in its place. */
static void test_save_to_what_is_no_file(void **state)
{
	char dir[] = "/tmp/hidsmith-test.XXXXXX", path[64], link[64];
	struct hs_capture c = { 0 }, back = { 0 };
	struct hs_error err = { 0 };
	char *expected, got[4096] = "";
	struct stat st;
	int fd;

	(void)state;
	add_movements(&c, "Mouse", 3, -1);
	assert_non_null(mkdtemp(dir));

	snprintf(path, sizeof(path), "%s/pipe", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(hs_capture_save(&c, path, &err), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_true(read(fd, got, sizeof(got) - 1) > 0);
	expected = to_text(&c);
	assert_string_equal(got, expected);
	free(expected);
	close(fd);
	unlink(path);

	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(hs_capture_save(&c, link, &err), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(hs_capture_load(&back, path, &err), 0);
	assert_true(hs_capture_equal(&c, &back));
	unlink(link);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);

	assert_int_equal(hs_capture_save(&c, "/dev/full", &err), -ENOSPC);
	assert_non_null(strstr(err.text, "/dev/full: cannot write"));
	hs_capture_clear(&c);
	hs_capture_clear(&back);
}

static void test_failed_save_changes_nothing(void **state)
{
	struct hs_capture c = { 0 };
	struct hs_error err = { 0 };

	(void)state;
	add_movements(&c, "Mouse", 3, -1);
	assert_int_equal(hs_capture_save(&c, "/nonexistent/x", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
	hs_capture_clear(&c);
}

static void assert_refused(const char *text, const char *reason)
{
	struct hs_capture c = { 0 };
	struct hs_error err = { 0 };
	char path[64];

	write_file(path, text);
	assert_int_equal(hs_capture_load(&c, path, &err), -EINVAL);
	if (!strstr(err.text, reason))
		fail_msg("'%s' does not say '%s'", err.text, reason);
	assert_int_equal(c.count, 0);
	unlink(path);
}

static void test_malformed(void **state)
{
	(void)state;
	assert_refused("N: a\nE: 0.0 0003 0000\n", ":2: ");
	assert_refused("N: a\nE: 0.0 0003 0000 5x\n", ":2: ");
	assert_refused("N: a\n\n# a comment\nnonsense\n", ":4: ");
	assert_refused("N: a\nE: 0.0 0003 zzzz 5\n", ":2: ");
	assert_refused("E: 0.000000 0003 0000 5\n", ":1: an event before");
}

static void test_times_do_not_count(void **state)
{
	struct hs_capture a = { 0 }, b = { 0 };

	(void)state;
	add_movements(&a, "Mouse", 3, -1);
	add_movements(&b, "Mouse", 3, -1);
	b.nodes[0].events[1].time_us = 99;
	assert_true(hs_capture_equal(&a, &b));
	b.nodes[0].events[1].value++;
	assert_false(hs_capture_equal(&a, &b));
	hs_capture_clear(&a);
	hs_capture_clear(&b);
}

static void test_diff_shows_surroundings(void **state)
{
	struct hs_capture a = { 0 }, b = { 0 };
	char *text;

	(void)state;
	add_movements(&a, "Mouse", 20, -1);
	add_movements(&b, "Mouse", 20, 10);
	text = diff_text(&a, &b);
	assert_string_equal(text, "--- expected\n"
				  "+++ got\n"
				  "@@ -9,7 +9,7 @@ Mouse, recording line 7\n"
				  " E: 000000.007000 0002 0000 0008\t# EV_REL / REL_X 8\n"
				  " E: 000000.008000 0002 0000 0009\t# EV_REL / REL_X 9\n"
				  " E: 000000.009000 0002 0000 0010\t# EV_REL / REL_X 10\n"
				  "-E: 000000.010000 0002 0000 0011\t# EV_REL / REL_X 11\n"
				  "+E: 000000.010000 0002 0000 -001\t# EV_REL / REL_X -1\n"
				  " E: 000000.011000 0002 0000 0012\t# EV_REL / REL_X 12\n"
				  " E: 000000.012000 0002 0000 0013\t# EV_REL / REL_X 13\n"
				  " E: 000000.013000 0002 0000 0014\t# EV_REL / REL_X 14\n");
	free(text);
	hs_capture_clear(&a);
	hs_capture_clear(&b);
}

static void test_diff_of_nodes(void **state)
{
	struct hs_capture a = { 0 }, b = { 0 };
	char *text;

	(void)state;
	add_movements(&a, "Mouse", 1, -1);
	add_movements(&b, "Pen", 1, -1);
	text = diff_text(&a, &b);
	assert_non_null(strstr(text, "-N: Mouse\n+N: Pen\n"));
	free(text);
	hs_capture_clear(&b);
	text = diff_text(&a, &b);
	assert_non_null(strstr(text, "-N: Mouse\n-E: "));
	free(text);
	hs_capture_clear(&a);
}

/* A difference in each of 20,000 places ends in time, and is not printed in full. */
static void test_diff_of_everything(void **state)
{
	struct hs_capture a = { 0 }, b = { 0 };
	char *text;

	(void)state;
	hs_capture_add_node(&a, "Mouse");
	hs_capture_add_node(&b, "Mouse");
	for (int i = 0; i < 20000; i++) {
		add(&a, EV_REL, REL_X, i);
		add(&b, EV_REL, REL_Y, i);
	}
	text = diff_text(&a, &b);
	assert_non_null(strstr(text, "more lines\n"));
	assert_true(strlen(text) < 100000);
	free(text);
	hs_capture_clear(&a);
	hs_capture_clear(&b);
}

/* Applying what was found to a gives b, and it is as short as it can be. */
static void assert_diff(const char *a, const char *b, size_t edits)
{
	uint64_t x[64] = { 0 }, y[64] = { 0 };
	size_t n_x = strlen(a), n_y = strlen(b), i = 0, j = 0, n = 0;
	struct hs_diff diff;

	for (size_t k = 0; k < n_x; k++)
		x[k] = (uint64_t)a[k];
	for (size_t k = 0; k < n_y; k++)
		y[k] = (uint64_t)b[k];
	assert_int_equal(hs_diff_make(x, n_x, y, n_y, &diff), 0);
	while (i < n_x || j < n_y) {
		if (i < n_x && diff.removed[i]) {
			i++;
			n++;
		} else if (j < n_y && diff.added[j]) {
			j++;
			n++;
		} else {
			assert_true(i < n_x && j < n_y);
			assert_int_equal(x[i++], y[j++]);
		}
	}
	assert_int_equal(n, edits);
	hs_diff_free(&diff);
}

static void test_shortest(void **state)
{
	(void)state;
	assert_diff("", "", 0);
	assert_diff("abc", "abc", 0);
	assert_diff("abc", "", 3);
	assert_diff("", "abc", 3);
	assert_diff("abcabba", "cbabac", 5);
	assert_diff("abc", "xyz", 6);
	assert_diff("xabcy", "xbcdy", 2);
	assert_diff("aaaa", "aa", 2);
	assert_diff("ab", "ba", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_save_and_load),
		cmocka_unit_test(test_save_to_what_is_no_file),
		cmocka_unit_test(test_failed_save_changes_nothing),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_times_do_not_count),
		cmocka_unit_test(test_diff_shows_surroundings),
		cmocka_unit_test(test_diff_of_nodes),
		cmocka_unit_test(test_diff_of_everything),
		cmocka_unit_test(test_shortest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
