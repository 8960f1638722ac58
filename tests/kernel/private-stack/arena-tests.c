// SPDX-License-Identifier: MIT
/* Private frames in functions that access an arena. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../ktap.h"
#include "machine-code.h"
#include "private-stack.h"

#define ARENA_ADDRESS 0x100000000000ULL
#define RUNS          100

static int fail(const char *what, long long is, long long want)
{
	snprintf(ctx.why, sizeof(ctx.why), "%s: %lld, expected %lld", what, is, want);
	return 1;
}

static struct bpf_object *load_in_arena(void)
{
	struct bpf_object *obj = open_object("arena");
	int err;

	if (!obj)
		return NULL;
	bpf_map__set_map_extra(bpf_object__find_map_by_name(obj, "arena"), ARENA_ADDRESS);
	bpf_program__set_autoload(bpf_object__find_program_by_name(obj, "in_arena"), true);
	err = bpf_object__load(obj);
	if (!err)
		return obj;
	set_reason(-err);
	ktap_note("%.4000s", ctx.base ? "" : verifier_log());
	bpf_object__close(obj);
	return NULL;
}

static void set_address(struct bpf_object *obj, const char *variable, unsigned long long value)
{
	size_t size;
	unsigned long long *p = data_of(obj, variable, &size);

	if (p)
		*p = value;
}

/*
 * push r9 before push r12, then movabs r12, the address in the kernel. What the main
 * program and the functions save besides differs.
 */
static int check_code(struct bpf_object *obj)
{
	static const char *const names[] = { "in_arena", "arena_outer", "arena_leaf" };
	struct machine_code code;
	const struct function *f;
	unsigned long long top;
	int i, err = read_machine_code(prog_fd(obj, "in_arena"), &code);

	if (err)
		return fail("reading the machine code", err, 0);
	for (i = 0; i < 3 && !err; i++) {
		f = function_named(&code, names[i]);
		err = !f || !code_matches(&code, f, ENTRY PRIVATE_FRAME SAVE "41 54 ...", &top);
	}
	free_machine_code(&code);
	return err;
}

static int check_runs(struct bpf_object *obj, const volatile unsigned long long *words)
{
	int i, ret, err;

	for (i = 1; i <= RUNS; i++) {
		err = test_run(prog_fd(obj, "in_arena"), &ret);
		if (err || ret != 50)
			return fail("test run", err ? err : ret, 50);
		if (get_int(obj, "bad_frames"))
			return fail("damaged frames", get_int(obj, "bad_frames"), 0);
		if (get_int(obj, "bad_values"))
			return fail("wrong values in the program", get_int(obj, "bad_values"), 0);
		if (words[0] != 1000ULL + (unsigned)i || words[1] != 122 ||
		    words[2] != words[0] + 122)
			return fail("sum in the arena", (long long)words[2], 1000 + i + 122);
	}
	return 0;
}

static int arena(const struct test *t)
{
	const size_t size = 2 * (size_t)sysconf(_SC_PAGESIZE);
	struct bpf_object *obj = load_in_arena();
	unsigned long long *words;
	int err;

	(void)t;
	if (!obj)
		return !ctx.base || !strstr(ctx.why, "combined stack size");
	/* The same place as libbpf's mapping, if it makes one. */
	words = mmap((void *)ARENA_ADDRESS, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		     bpf_map__fd(bpf_object__find_map_by_name(obj, "arena")), 0);
	if (words == MAP_FAILED) {
		err = fail("mapping the arena", -errno, 0);
	} else {
		words[0] = 1000;
		set_address(obj, "present", ARENA_ADDRESS);
		set_address(obj, "absent", ARENA_ADDRESS + size / 2);
		err = check_runs(obj, words) || check_code(obj);
	}
	if (!err)
		snprintf(ctx.why, sizeof(ctx.why), "frames and arena intact");
	bpf_object__close(obj);
	return err || ctx.base;
}

const struct test arena_tests[] = {
	{ .name = "arena", .run = arena },
	{},
};
