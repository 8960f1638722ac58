// SPDX-License-Identifier: MIT
/* A hierarchy of tail calls has one limit of 33, whatever its shape. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "private-stack.h"

#define MAX_TAIL_CALLS 33

static int put(struct bpf_object *obj, int key, const char *program)
{
	int map = bpf_object__find_map_fd_by_name(obj, "progs");
	int fd = prog_fd(obj, program);

	return bpf_map_update_elem(map, &key, &fd, BPF_ANY);
}

/* The first entry, and one for each tail call. */
static int check_count(struct bpf_object *obj, int tail_calls)
{
	int entries = get_int(obj, "entries");

	snprintf(ctx.why, sizeof(ctx.why), "%d tail call%s", entries - 1, entries == 2 ? "" : "s");
	if (get_int(obj, "bad_frames"))
		snprintf(ctx.why, sizeof(ctx.why), "%d damaged frames", get_int(obj, "bad_frames"));
	return entries != 1 + tail_calls || get_int(obj, "bad_frames");
}

/* @first tail calls slot 0 (and 1), where @in_0 (and @in_1) are. */
static int count(const char *first, const char *in_0, const char *in_1)
{
	struct bpf_object *obj = load_programs("tail-call", first, in_0, in_1, NULL);
	int err, ret;

	if (!obj) {
		set_reason(errno);
		return 1;
	}
	err = put(obj, 0, in_0);
	if (!err && in_1)
		err = put(obj, 1, in_1);
	if (in_1)
		set_int(obj, "entry_slot", 1);
	if (!err)
		err = test_run(prog_fd(obj, first), &ret);
	if (err)
		snprintf(ctx.why, sizeof(ctx.why), "%s", strerror(-err));
	else
		err = check_count(obj, MAX_TAIL_CALLS);
	bpf_object__close(obj);
	return err;
}

static int twice(const struct test *t)
{
	(void)t;
	return count("twice", "twice", NULL);
}

static int twice_indirect(const struct test *t)
{
	(void)t;
	return count("twice_indirect", "twice_indirect", NULL);
}

static int three_deep(const struct test *t)
{
	(void)t;
	return count("three_deep", "three_deep", NULL);
}

static int sub_and_main(const struct test *t)
{
	(void)t;
	return count("sub_and_main", "sub_and_main", NULL);
}

static int two_programs(const struct test *t)
{
	(void)t;
	return count("ping", "ping", "pong");
}

/* A program with frames of its own cannot be in the array, but can start it all. */
static int frames_raw(const struct test *t)
{
	(void)t;
	if (!ctx.base)
		return count("with_frames_raw", "pong", NULL);
	return !count("with_frames_raw", "pong", NULL) || !strstr(ctx.why, "combined stack size");
}

/* @first, on a system call, tail calls @in_0 so many times. */
static int count_attached(const char *first, const char *in_0, int tail_calls)
{
	struct bpf_object *obj = load_programs("tail-call", first, in_0, NULL);
	struct bpf_link *link;
	int err;

	if (!obj) {
		set_reason(errno);
		return !ctx.base || !strstr(verifier_log(), "combined stack size");
	}
	err = put(obj, 0, in_0);
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, first));
	if (!err && !link)
		err = -errno;
	if (err)
		snprintf(ctx.why, sizeof(ctx.why), "%s", strerror(-err));
	if (!err) {
		(void)getpgid(0);
		bpf_link__destroy(link);
		link = NULL;
		err = check_count(obj, tail_calls);
	}
	bpf_link__destroy(link);
	bpf_object__close(obj);
	return err || ctx.base;
}

static int frames(const struct test *t)
{
	(void)t;
	return count_attached("with_frames", "with_frames", MAX_TAIL_CALLS);
}

/* Its frame register is set where a tail call comes in. */
static int into_frames(const struct test *t)
{
	(void)t;
	return count_attached("to_frames", "all_frames", 1);
}

/* fentry and fexit on the function that tail calls. */
static int traced(const struct test *t)
{
	struct bpf_object *obj = load_programs("tail-call", "twice", NULL);
	struct bpf_object *tracer = open_object("tail-call");
	static const char *const names[] = { "on_again", "after_again" };
	struct bpf_link *links[2] = {};
	struct bpf_program *prog;
	int i, ret, err = obj && tracer ? 0 : -EINVAL;

	(void)t;
	for (i = 0; i < 2 && !err; i++) {
		prog = bpf_object__find_program_by_name(tracer, names[i]);
		bpf_program__set_autoload(prog, true);
		err = bpf_program__set_attach_target(prog, prog_fd(obj, "twice"), "again");
	}
	if (!err)
		err = bpf_object__load(tracer);
	for (i = 0; i < 2 && !err; i++) {
		prog = bpf_object__find_program_by_name(tracer, names[i]);
		links[i] = bpf_program__attach(prog);
		if (!links[i])
			err = -errno;
	}
	if (!err)
		err = put(obj, 0, "twice");
	if (!err)
		err = test_run(prog_fd(obj, "twice"), &ret);
	if (err)
		snprintf(ctx.why, sizeof(ctx.why), "%s: %.400s", strerror(-err), verifier_log());
	else
		err = check_count(obj, MAX_TAIL_CALLS);
	bpf_link__destroy(links[0]);
	bpf_link__destroy(links[1]);
	bpf_object__close(tracer);
	bpf_object__close(obj);
	return err;
}

#define LOAD(test, prog, series, base)                                                     \
	{                                                                                  \
		.name = test, .object = "tail-call", .program = prog, .on_series = series, \
		.on_base = base                                                            \
	}
#define ACCEPT                 \
	{                      \
		.accept = true \
	}
#define REFUSE(text)              \
	{                         \
		.message = (text) \
	}

const struct test tail_call_tests[] = {
	{ .name = "tail-call-twice", .run = twice },
	{ .name = "tail-call-twice-indirect", .run = twice_indirect },
	{ .name = "tail-call-three-deep", .run = three_deep },
	{ .name = "tail-call-sub-and-main", .run = sub_and_main },
	{ .name = "tail-call-two-programs", .run = two_programs },
	{ .name = "tail-call-traced", .run = traced },
	{ .name = "tail-call-frames", .run = frames },
	{ .name = "tail-call-into-frames", .run = into_frames },
	{ .name = "tail-call-frames-raw", .run = frames_raw },
	/* A frame that waits for a tail call counts, and 256 bytes are the limit. */
	LOAD("tail-call-waiting-frame", "waiting_frame", REFUSE("tail_calls are not allowed"),
	     REFUSE("tail_calls are not allowed")),
	LOAD("tail-call-in-callback", "in_callback",
	     REFUSE("tail_call is not allowed in callback subprog"), ACCEPT),
	LOAD("tail-call-below-callback", "below_callback", REFUSE("called from callback subprog"),
	     ACCEPT),
	{},
};
