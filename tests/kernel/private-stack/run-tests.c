// SPDX-License-Identifier: MIT
/* What private frames hold while programs call, nest, throw and are traced. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ktap.h"
#include "private-stack.h"

static int fail(const char *what, int is, int want)
{
	snprintf(ctx.why, sizeof(ctx.why), "%s: %d, expected %d", what, is, want);
	return 1;
}

/* On the base none of these programs loads: that is the result there. */
static struct bpf_object *load_run(const char *program)
{
	struct bpf_object *obj = load_programs("run", program, NULL);

	if (!obj)
		set_reason(errno);
	return obj;
}

static bool refused_on_base(void)
{
	return ctx.base && strstr(ctx.why, "combined stack size");
}

/* Runs the program and checks what all of them report. */
static int check_run(struct bpf_object *obj, const char *program, int want)
{
	int ret, err = test_run(prog_fd(obj, program), &ret);

	if (err)
		return fail("test run", err, 0);
	if (ret != want)
		return fail("return value", ret, want);
	if (get_int(obj, "bad_frames"))
		return fail("damaged frames", get_int(obj, "bad_frames"), 0);
	snprintf(ctx.why, sizeof(ctx.why), "frames intact");
	return 0;
}

/* Runs it a hundred times; @frames private frames are seen in one run. */
static int run_program(const char *program, int want, int frames)
{
	struct bpf_object *obj = load_run(program);
	int i, err = 0;

	if (!obj)
		return !refused_on_base();
	for (i = 0; i < 100 && !err; i++)
		err = check_run(obj, program, want);
	if (!err && get_int(obj, "off_kernel_stack") != 100 * frames)
		err = fail("private frames in 100 runs", get_int(obj, "off_kernel_stack"),
			   100 * frames);
	bpf_object__close(obj);
	return err || ctx.base;
}

static int chain_of_eight(const struct test *t)
{
	(void)t;
	/* 1 of the main program, 7 and 3 and 7 below it. */
	return run_program("chain_of_eight", 42, 18);
}

static int callbacks(const struct test *t)
{
	(void)t;
	/* 3 of loop_outer(), each with 3 times level_6() and level_7(). */
	return run_program("callbacks", 43, 3 + 3 * 3 * 2);
}

static int callback_argument(const struct test *t)
{
	(void)t;
	return run_program("callback_argument", 44, 4 * 2);
}

/* A function of the timer in TIMED() is on the kernel stack, or in private memory. */
#define TIMED_FRAMES (4 * 400 + 5 * 8)

static int check_timed(struct bpf_object *obj, int fd)
{
	volatile unsigned long long *at;
	int i, ret, err, span;
	size_t size;

	err = fdinfo(fd, "priv_stack");
	if (err < TIMED_FRAMES || err >= TIMED_FRAMES + 64)
		return fail("bytes on each CPU", err, TIMED_FRAMES);
	err = test_run(fd, &ret);
	if (err || ret)
		return fail("test run", err ?: ret, 0);
	for (i = 0; i < 1000 && !get_int(obj, "ticks"); i++)
		usleep(1000);
	if (get_int(obj, "ticks") != 1)
		return fail("timer callbacks", get_int(obj, "ticks"), 1);
	if (get_int(obj, "bad_frames"))
		return fail("damaged frames", get_int(obj, "bad_frames"), 0);
	at = data_of(obj, "frame_at", &size);
	if (!at || size != 4 * sizeof(*at))
		return fail("size of frame_at[]", (int)size, 4 * sizeof(*at));
	/* On the kernel stack a return address and a register more for each. */
	span = (int)(at[0] - at[3]);
	if (span < 3 * 400 || span + 400 + 2 * 8 > fdinfo(fd, "priv_stack"))
		return fail("from the first frame to the last", span, 3 * (400 + 8));
	snprintf(ctx.why, sizeof(ctx.why), "4 private frames, intact");
	return 0;
}

static int timed_after(const char *program, unsigned int functions)
{
	struct bpf_object *obj = load_run(program);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd, err;

	if (!obj)
		return !refused_on_base();
	fd = prog_fd(obj, program);
	err = bpf_prog_get_info_by_fd(fd, &info, &len);
	if (err || info.nr_jited_func_lens != functions)
		err = fail("functions", err ?: (int)info.nr_jited_func_lens, (int)functions);
	else
		err = check_timed(obj, fd);
	bpf_object__close(obj);
	return err || ctx.base;
}

/* The verifier removes functions that are never called: the others move up. */
static int dead_subprogram(const struct test *t)
{
	(void)t;
	return timed_after("dead_in_front", 5);
}

static int live_subprogram(const struct test *t)
{
	(void)t;
	return timed_after("live_in_front", 6);
}

/* Exceptions leave all frames but the main program's caller as if it had returned. */
static int throwing(const char *program, int caught, int frames)
{
	struct bpf_object *obj = load_run(program);
	struct bpf_link *link;
	int i, err = 0;

	if (!obj)
		return !refused_on_base();
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, program));
	if (!link)
		err = fail("attach", -errno, 0);
	for (i = 0; i < 100 && !err; i++)
		(void)getpgid(0);
	bpf_link__destroy(link);
	if (!err && get_int(obj, "runs") != 100)
		err = fail("runs", get_int(obj, "runs"), 100);
	if (!err && get_int(obj, "not_thrown"))
		err = fail("runs that went on", get_int(obj, "not_thrown"), 0);
	if (!err && get_int(obj, "caught") != caught)
		err = fail("exceptions caught", get_int(obj, "caught"), caught);
	if (!err && get_int(obj, "bad_frames"))
		err = fail("damaged frames", get_int(obj, "bad_frames"), 0);
	if (!err && get_int(obj, "off_kernel_stack") != 100 * frames)
		err = fail("private frames in 100 runs", get_int(obj, "off_kernel_stack"),
			   100 * frames);
	if (!err)
		snprintf(ctx.why, sizeof(ctx.why), "frames intact");
	bpf_object__close(obj);
	return err || ctx.base;
}

static int exception(const struct test *t)
{
	(void)t;
	return throwing("exception", 0, 1);
}

static int exception_callback(const struct test *t)
{
	(void)t;
	/* throws(), then on_exception(), level_6() and level_7(). */
	return throwing("exception_callback", 100, 4);
}

/* The timer's callback runs inside of the program, which waits for that. */
static int run_interrupted(struct bpf_object *obj)
{
	int inside;

	set_int(obj, "ticks_inside", 0);
	if (check_run(obj, "interrupted", 0))
		return 1;
	inside = get_int(obj, "ticks_inside");
	return inside == 1 ? 0 : fail("timer callbacks inside of the program", inside, 1);
}

static int interrupted(const struct test *t)
{
	struct bpf_object *obj = load_run("interrupted");
	struct bpf_link *link;
	int i, err = 0;

	(void)t;
	if (!obj)
		return !refused_on_base();
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, "interrupted"));
	if (!link)
		err = fail("attach", -errno, 0);
	for (i = 0; i < 20 && !err; i++)
		err = run_interrupted(obj);
	bpf_link__destroy(link);
	bpf_object__close(obj);
	return err || ctx.base;
}

/* The functions of the program must be in the trace, in order, and then its caller. */
static int stack_trace(const struct test *t)
{
	static const char *const want[] = { "_traced_inner", "_traced_outer", "_stack_trace",
					    "bpf_prog_test_run", NULL };
	struct bpf_object *obj = load_run("stack_trace");
	int err;

	(void)t;
	if (!obj)
		return !refused_on_base();
	err = check_run(obj, "stack_trace", 48) || check_trace(obj, want);
	bpf_object__close(obj);
	return err || ctx.base;
}

/*
 * Taken while the timer's callback, with frames of its own, has interrupted a program
 * that waits with its frames in use. Where an interrupt comes before a function has saved
 * the frame pointer, or in a retpoline, no kernel sees what is below it: so of ten traces
 * all have the callback's functions, and one at least the program's.
 */
static int stack_traces_in_timer(struct bpf_object *obj)
{
	static const char *const want[] = { "_tick_inner",       "_tick",
					    "bpf_timer_cb",      "_interrupted",
					    "bpf_prog_test_run", NULL };
	int i, found, complete = 0;

	for (i = 0; i < 10; i++) {
		if (run_interrupted(obj))
			return 1;
		found = take_trace(obj, want);
		if (found < 3)
			return 1;
		complete += !want[found];
	}
	if (complete)
		snprintf(ctx.why, sizeof(ctx.why), "complete");
	return !complete;
}

static int stack_trace_timer(const struct test *t)
{
	struct bpf_object *obj = load_programs("run", "interrupted", "trace_tick", NULL);
	struct bpf_link *link, *tracer;
	int err = 0;

	(void)t;
	if (!obj) {
		set_reason(errno);
		return !refused_on_base();
	}
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, "interrupted"));
	tracer = bpf_program__attach(bpf_object__find_program_by_name(obj, "trace_tick"));
	if (!link || !tracer)
		err = fail("attach", -errno, 0);
	err = err || stack_traces_in_timer(obj);
	bpf_link__destroy(tracer);
	bpf_link__destroy(link);
	bpf_object__close(obj);
	return err || ctx.base;
}

/* Loads a tracing program or an extension for a function of another program. */
static struct bpf_object *load_on(int target, const char *program, const char *function,
				  struct bpf_link **link)
{
	struct bpf_object *obj = open_object("run");
	struct bpf_program *prog;
	int err;

	if (!obj)
		return NULL;
	prog = bpf_object__find_program_by_name(obj, program);
	bpf_program__set_autoload(prog, true);
	err = bpf_program__set_attach_target(prog, target, function);
	if (!err)
		err = bpf_object__load(obj);
	if (!err) {
		*link = bpf_program__attach(prog);
		if (!*link)
			err = -errno;
	}
	if (!err)
		return obj;
	snprintf(ctx.why, sizeof(ctx.why), "%s: %s", program, strerror(-err));
	ktap_note("%.4000s", verifier_log());
	bpf_object__close(obj);
	return NULL;
}

/* Tracing a function with a private frame must leave its caller's frame register. */
static int traced(const struct test *t)
{
	struct bpf_link *entry = NULL, *exit = NULL;
	struct bpf_object *obj = load_run("traced"), *on_entry, *on_exit = NULL;
	int err = 1;

	(void)t;
	if (!obj)
		return !refused_on_base();
	on_entry = load_on(prog_fd(obj, "traced"), "target_fentry", "target", &entry);
	if (on_entry)
		on_exit = load_on(prog_fd(obj, "traced"), "target_fexit", "target", &exit);
	if (on_exit)
		err = check_run(obj, "traced", 3);
	if (!err && get_int(on_entry, "fentry_runs") != 2)
		err = fail("fentry runs", get_int(on_entry, "fentry_runs"), 2);
	if (!err && get_int(on_exit, "fexit_runs") != 2)
		err = fail("fexit runs", get_int(on_exit, "fexit_runs"), 2);
	bpf_link__destroy(exit);
	bpf_link__destroy(entry);
	bpf_object__close(on_exit);
	bpf_object__close(on_entry);
	bpf_object__close(obj);
	return err || ctx.base;
}

static int replaced(const struct test *t)
{
	struct bpf_object *obj = load_run("traced"), *extension;
	struct bpf_link *link = NULL;
	int err = 1;

	(void)t;
	if (!obj)
		return !refused_on_base();
	extension = load_on(prog_fd(obj, "traced"), "target_replaced", "target", &link);
	if (extension)
		err = check_run(obj, "traced", 0);
	bpf_link__destroy(link);
	if (!err)
		err = check_run(obj, "traced", 3);
	bpf_object__close(extension);
	bpf_object__close(obj);
	return err || ctx.base;
}

/* A hundred times; with the program on the helper, too, that it calls once in each run. */
static int run_uprobed(bool kprobe)
{
	struct bpf_object *obj = load_run("uprobed");
	struct bpf_link *link, *other = NULL;
	struct bpf_program *prog;
	int i, missed, err = 0;

	if (!obj)
		return !refused_on_base();
	prog = bpf_object__find_program_by_name(obj, "uprobed");
	link = attach_uprobe(prog);
	if (link && kprobe)
		other = bpf_program__attach_kprobe(prog, false, "bpf_ktime_get_ns");
	if (!link || (kprobe && !other))
		err = fail("attach", -errno, 0);
	for (i = 0; i < 100 && !err; i++)
		uprobe_here();
	missed = fdinfo(bpf_program__fd(prog), "recursion_misses");
	bpf_link__destroy(other);
	bpf_link__destroy(link);
	if (!err && get_int(obj, "runs") != 100)
		err = fail("runs", get_int(obj, "runs"), 100);
	if (!err && get_int(obj, "bad_frames"))
		err = fail("damaged frames", get_int(obj, "bad_frames"), 0);
	if (!err && get_int(obj, "off_kernel_stack") != 100 * 3)
		err = fail("private frames in 100 runs", get_int(obj, "off_kernel_stack"), 300);
	if (!err && missed != (kprobe ? 100 : 0))
		err = fail("entries that were refused", missed, kprobe ? 100 : 0);
	if (!err)
		snprintf(ctx.why, sizeof(ctx.why),
			 kprobe ? "one of both at a time, frames intact" : "frames intact");
	bpf_object__close(obj);
	return err || ctx.base;
}

static int uprobed(const struct test *t)
{
	(void)t;
	return run_uprobed(false);
}

/* The program is on a uprobe and, below that, on a kprobe: it has one set of frames. */
static int uprobe_and_kprobe(const struct test *t)
{
	(void)t;
	return run_uprobed(true);
}

/* A test run counts as any other entry: the tracepoint does not enter it once more. */
static int in_itself(const struct test *t)
{
	struct bpf_object *obj = load_run("in_itself");
	struct bpf_link *link;
	int ret, runs, missed, want = ctx.base ? 2 : 1, err = 0;

	(void)t;
	if (!obj)
		return 1;
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, "in_itself"));
	if (!link)
		err = fail("attach", -errno, 0);
	if (!err && (err = test_run(prog_fd(obj, "in_itself"), &ret)))
		fail("test run", err, 0);
	bpf_link__destroy(link);
	runs = get_int(obj, "runs");
	missed = fdinfo(prog_fd(obj, "in_itself"), "recursion_misses");
	if (!err && runs != want)
		err = fail("runs", runs, want);
	if (!err && missed != 2 - want)
		err = fail("entries that were refused", missed, 2 - want);
	if (!err)
		snprintf(ctx.why, sizeof(ctx.why), missed ? "refused" : "entered inside of itself");
	bpf_object__close(obj);
	return err;
}

const struct test run_tests[] = {
	{ .name = "chain-of-eight", .run = chain_of_eight },
	{ .name = "callbacks", .run = callbacks },
	{ .name = "callback-argument", .run = callback_argument },
	{ .name = "exception", .run = exception },
	{ .name = "exception-callback", .run = exception_callback },
	{ .name = "timer-inside-main", .run = interrupted },
	{ .name = "dead-subprogram", .run = dead_subprogram },
	{ .name = "live-subprogram", .run = live_subprogram },
	{ .name = "uprobe", .run = uprobed },
	{ .name = "uprobe-and-kprobe", .run = uprobe_and_kprobe },
	{ .name = "test-run-in-itself", .run = in_itself },
	{ .name = "stack-trace", .run = stack_trace },
	{ .name = "stack-trace-timer", .run = stack_trace_timer },
	{ .name = "fentry-and-fexit", .run = traced },
	{ .name = "freplace", .run = replaced },
	{},
};
