// SPDX-License-Identifier: MIT
/* What the verifier takes and refuses, on the series and on the unpatched kernel. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "private-stack.h"

#define ACCEPT(bytes)                                    \
	{                                                \
		.accept = true, .private_bytes = (bytes) \
	}
#define REFUSE(text)              \
	{                         \
		.message = (text) \
	}
#define COMBINED REFUSE("combined stack size")

#define LOAD(test, prog, series, base)                                                  \
	{                                                                               \
		.name = test, .object = "accept", .program = prog, .on_series = series, \
		.on_base = base                                                         \
	}

/* May a program that is entered only once at a time be tail called? */
static int member_of_prog_array(const char *program, bool want)
{
	struct bpf_object *obj = load_programs("accept", program, NULL);
	int map, fd, key = 0, err;

	if (!obj)
		return -errno;
	fd = prog_fd(obj, program);
	map = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, NULL, sizeof(int), sizeof(int), 1, NULL);
	if (map < 0) {
		bpf_object__close(obj);
		return map;
	}
	err = bpf_map_update_elem(map, &key, &fd, BPF_ANY);
	snprintf(ctx.why, sizeof(ctx.why), "%s", err ? strerror(-err) : "may be tail called");
	close(map);
	bpf_object__close(obj);
	return want ? err : err != -EINVAL;
}

static int array_refuses_own_count(const struct test *t)
{
	(void)t;
	if (ctx.base) {
		snprintf(ctx.why, sizeof(ctx.why), "program does not load");
		return 0;
	}
	return member_of_prog_array("chain_raw_tp", false);
}

/* The same program could be tail called in a uprobe, where nobody counts. */
static int array_refuses_kprobe(const struct test *t)
{
	(void)t;
	if (ctx.base) {
		snprintf(ctx.why, sizeof(ctx.why), "program does not load");
		return 0;
	}
	return member_of_prog_array("chain", false);
}

static int array_takes_shared_count(const struct test *t)
{
	(void)t;
	if (ctx.base) {
		snprintf(ctx.why, sizeof(ctx.why), "program does not load");
		return 0;
	}
	return member_of_prog_array("chain_tracepoint", true);
}

static int array_takes_what_fits(const struct test *t)
{
	(void)t;
	return member_of_prog_array("fits_raw_tp", true);
}

/* The verifier of the unpatched kernel reads through an error pointer. */
static int wq_of_odd_map(const struct test *t)
{
	struct bpf_object *obj;

	(void)t;
	if (ctx.base) {
		snprintf(ctx.why, sizeof(ctx.why), "not run: the kernel dies of it");
		return 0;
	}
	obj = load_programs("accept", "wq_of_odd_map", NULL);
	if (!obj)
		set_reason(errno);
	bpf_object__close(obj);
	return !strstr(ctx.why, "has no valid bpf_wq");
}

const struct test load_tests[] = {
	/* Three levels of 304 bytes and four guard words. */
	LOAD("kprobe", "chain", ACCEPT(3 * 304 + 4 * 8), COMBINED),
	LOAD("tracepoint", "chain_tracepoint", ACCEPT(-1), COMBINED),
	LOAD("perf_event", "chain_perf_event", ACCEPT(-1), COMBINED),
	LOAD("raw-tracepoint", "chain_raw_tp", ACCEPT(-1), COMBINED),
	LOAD("fentry", "chain_fentry", ACCEPT(-1), COMBINED),
	LOAD("fentry-sleepable", "chain_fentry_sleepable", COMBINED, COMBINED),
	LOAD("no-entry-check-tc", "chain_tc", COMBINED, COMBINED),
	LOAD("no-entry-check-syscall", "chain_syscall", COMBINED, COMBINED),
	LOAD("fits-raw-tracepoint", "fits_raw_tp", ACCEPT(0), ACCEPT(0)),
	LOAD("small-frames-count", "small_frames", ACCEPT(304 + 2 * 8), ACCEPT(0)),
	LOAD("small-frames-limit", "many_small_frames", COMBINED, COMBINED),
	LOAD("timer-tree", "timer_tree", ACCEPT(3 * 304 + 4 * 8), COMBINED),
	LOAD("timer-calls-twice", "timer_calls_twice", ACCEPT(3 * 304 + 4 * 8), COMBINED),
	LOAD("main-and-timer-share", "main_then_timer", COMBINED, COMBINED),
	LOAD("timer-and-main-share", "timer_then_main", COMBINED, COMBINED),
	/* The leaf is on the kernel stack, its two callers are private. */
	LOAD("main-and-timer-share-leaf", "share_leaf", ACCEPT(2 * (304 + 2 * 8)), COMBINED),
	LOAD("two-timers-share", "two_timers_share", COMBINED, COMBINED),
	LOAD("workqueue-tree", "wq_tree", COMBINED, COMBINED),
	LOAD("sleepable-timer-tree", "sleepable_timer_tree", COMBINED, REFUSE("")),
	LOAD("timer-both-ways", "timer_both_ways", COMBINED, REFUSE("")),
	LOAD("callback-both-ways", "callback_both_ways", COMBINED, ACCEPT(0)),
	/* Only the main program has a frame of its own. */
	LOAD("callback-both-ways-private", "callback_both_ways_private", ACCEPT(400 + 2 * 8),
	     ACCEPT(0)),
	LOAD("synchronous-callback", "loop_tree", ACCEPT(4 * 304 + 5 * 8), COMBINED),
	{ .name = "bpf_wq-of-odd-map", .run = wq_of_odd_map },
	{ .name = "prog-array-own-count", .run = array_refuses_own_count },
	{ .name = "prog-array-kprobe", .run = array_refuses_kprobe },
	{ .name = "prog-array-shared-count", .run = array_takes_shared_count },
	{ .name = "prog-array-kernel-stack", .run = array_takes_what_fits },
	{},
};
