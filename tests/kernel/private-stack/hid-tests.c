// SPDX-License-Identifier: MIT
/* HID-BPF's event handlers: large frames, events inside of events. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private-stack.h"

static int fail(const char *what, int is, int want)
{
	snprintf(ctx.why, sizeof(ctx.why), "%s: %d, expected %d", what, is, want);
	return 1;
}

static int expect_report(struct device *dev, const char *want)
{
	const char *is = next_report(dev);

	if (!strncmp(is, want, strlen(want)))
		return 0;
	snprintf(ctx.why, sizeof(ctx.why), "report %s, expected %s", *is ? is : "(none)", want);
	return 1;
}

/* On the base the load fails for the stack's size, and that is what must happen. */
static int load_hid(struct bpf_object *obj, bool want)
{
	int err = bpf_object__load(obj);

	if (err && strstr(verifier_log(), "combined stack size"))
		snprintf(ctx.why, sizeof(ctx.why), "refused: combined stack size");
	else if (err)
		snprintf(ctx.why, sizeof(ctx.why), "%s: %.400s", strerror(-err), verifier_log());
	else
		snprintf(ctx.why, sizeof(ctx.why), "accepted");
	return !err == want ? 0 : 1;
}

static int not_requested(const struct test *t)
{
	struct bpf_object *obj = open_hid("output_report", "outputter");
	int err;

	(void)t;
	if (!obj)
		return 1;
	err = load_hid(obj, false);
	bpf_object__close(obj);
	return err || !strstr(ctx.why, "combined stack size");
}

/* A program that has a device's events. */
struct handler {
	struct bpf_object *obj;
	struct bpf_link *link, *tracer;
	struct device dev;
};

static int attach_handler(struct handler *h, const char *map, struct bpf_program *tracer)
{
	h->link = attach_ops(h->obj, map);
	if (h->link && tracer)
		h->tracer = bpf_program__attach(tracer);
	if (h->link && (!tracer || h->tracer))
		return 0;
	return fail("attach", -errno, 0);
}

/*
 * @program has a device's events, and @tracer, if not NULL, looks on. Stop it in either
 * case. On the base it must be refused, and is not attached.
 */
static int start_handler(struct handler *h, const char *program, const char *map,
			 const char *tracer)
{
	struct bpf_program *prog = NULL;
	int err;

	*h = (struct handler){ .dev = { -1, -1, 0 } };
	h->obj = open_hid(program, map);
	if (!h->obj)
		return 1;
	err = open_device(&h->dev);
	if (err)
		return fail("uhid device", err, 0);
	set_device(h->obj, map, &h->dev);
	if (tracer) {
		prog = bpf_object__find_program_by_name(h->obj, tracer);
		bpf_program__set_autoload(prog, true);
	}
	err = load_hid(h->obj, !ctx.base);
	return err || ctx.base ? err : attach_handler(h, map, prog);
}

static void stop_handler(struct handler *h)
{
	bpf_link__destroy(h->tracer);
	bpf_link__destroy(h->link);
	bpf_object__close(h->obj);
	close_device(&h->dev);
}

/* A report that is injected from the handler of another, with its own frames. */
static int inject(struct handler *h, int times)
{
	struct device *dev = &h->dev;
	int i, err = 0;

	for (i = 0; i < times && !err; i++) {
		err = send_report(dev, 0xaa) || expect_report(dev, "01 bb 01 02 03 04 05 77") ||
		      expect_report(dev, "01 aa 10 20 30 40 50 77");
		if (!err)
			err = send_report(dev, 0x11) ||
			      expect_report(dev, "01 11 10 20 30 40 50 77");
	}
	if (!err && get_int(h->obj, "bad_frames"))
		err = fail("damaged frames", get_int(h->obj, "bad_frames"), 0);
	if (!err && get_int(h->obj, "same_frame"))
		err = fail("runs inside of others with their frame", get_int(h->obj, "same_frame"),
			   0);
	if (!err && get_int(h->obj, "injected") != times)
		err = fail("injected", get_int(h->obj, "injected"), times);
	if (err && get_int(h->obj, "inject_error"))
		fail("hid_bpf_try_input_report", get_int(h->obj, "inject_error"), 0);
	if (!err)
		snprintf(ctx.why, sizeof(ctx.why), "frames and reports intact");
	return err;
}

static int injecting(const struct test *t)
{
	struct handler h;
	int err = start_handler(&h, "injecting", "injector_0", NULL);

	(void)t;
	if (!err && !ctx.base)
		err = inject(&h, 100);
	stop_handler(&h);
	return err;
}

/* Two runs of one program, the inner with frames in another slot: both are in the trace. */
static int stack_trace(const struct test *t)
{
	static const char *const want[] = {
		"_parse_fields", "_injecting", "hid_process_input", "_inject", "_injecting",
		"uhid_",         NULL
	};
	struct handler h;
	int err = start_handler(&h, "injecting", "injector_0", "trace_inner_run");

	(void)t;
	if (!err && !ctx.base)
		err = inject(&h, 1) || check_trace(h.obj, want);
	stop_handler(&h);
	return err;
}

/* The slot of a run that ends by an exception is free again: there are only four. */
static int exceptions(const struct test *t)
{
	struct handler h;
	int i, missed, err = start_handler(&h, "throwing", "thrower", NULL);

	(void)t;
	if (err || ctx.base)
		goto out;
	for (i = 0; i < 20 && !err; i++)
		err = send_report(&h.dev, 0x11) || expect_report(&h.dev, "01 11 10 20 30 40 50 77");
	missed = fdinfo(prog_fd(h.obj, "throwing"), "recursion_misses");
	if (!err && get_int(h.obj, "events") != 20)
		err = fail("events", get_int(h.obj, "events"), 20);
	if (!err && get_int(h.obj, "not_thrown"))
		err = fail("runs that went on", get_int(h.obj, "not_thrown"), 0);
	if (!err && missed)
		err = fail("events that were refused", missed, 0);
	if (!err)
		snprintf(ctx.why, sizeof(ctx.why), "20 exceptions, all slots free");
out:
	stop_handler(&h);
	return err;
}

#define STAYERS 5

struct sender {
	struct device dev;
	pthread_t thread;
	bool started;
};

static void *send_one(void *arg)
{
	struct sender *s = arg;

	send_report(&s->dev, 0x22);
	return NULL;
}

/* Starts a thread that preempts those before it. */
static int start_sender(struct sender *s, int priority)
{
	struct sched_param param = { .sched_priority = priority };
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	err = pthread_create(&s->thread, &attr, send_one, s);
	pthread_attr_destroy(&attr);
	s->started = !err;
	return -err;
}

/* Returns when @runs runs have come so far as to wait or to be refused. */
static void wait_for_entry(struct bpf_object *obj, int runs)
{
	int i;

	for (i = 0; i < 5000; i++) {
		if (get_int(obj, "waiting") + fdinfo(prog_fd(obj, "staying"), "recursion_misses") >=
		    runs)
			return;
		usleep(1000);
	}
}

/* Four runs of one program on one CPU, each preempted by the next; a fifth. */
static int preempted(const struct test *t)
{
	struct bpf_object *obj = open_hid("staying", "stayer_");
	struct sched_param param = { .sched_priority = 50 };
	struct sender senders[STAYERS] = {};
	struct bpf_link *links[STAYERS] = {};
	char name[16];
	cpu_set_t cpu;
	int i, fd, err = 0;

	(void)t;
	if (!obj)
		return 1;
	for (i = 0; i < STAYERS; i++)
		senders[i].dev = (struct device){ -1, -1, 0 };
	for (i = 0; i < STAYERS && !err; i++) {
		err = open_device(&senders[i].dev);
		snprintf(name, sizeof(name), "stayer_%d", i);
		set_device(obj, name, &senders[i].dev);
	}
	if (err) {
		fail("uhid device", err, 0);
		goto out;
	}
	err = load_hid(obj, !ctx.base);
	if (err || ctx.base)
		goto out;
	for (i = 0; i < STAYERS && !err; i++) {
		snprintf(name, sizeof(name), "stayer_%d", i);
		links[i] = attach_ops(obj, name);
		if (!links[i])
			err = fail("attach", -errno, 0);
	}
	if (err)
		goto out;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	sched_setscheduler(0, SCHED_FIFO, &param);
	set_int(obj, "hold", 1);
	fd = prog_fd(obj, "staying");
	for (i = 0; i < STAYERS && !err; i++) {
		err = start_sender(&senders[i], 10 + i);
		wait_for_entry(obj, i + 1);
	}
	if (!err && get_int(obj, "waiting") != STAYERS - 1)
		err = fail("runs at one time", get_int(obj, "waiting"), STAYERS - 1);
	if (!err && fdinfo(fd, "recursion_misses") != 1)
		err = fail("missed runs", fdinfo(fd, "recursion_misses"), 1);
	/* Refused: the report is as it was. The others' are held still. */
	if (!err)
		err = expect_report(&senders[STAYERS - 1].dev, "01 22 10 20 30 40 50 60");
	set_int(obj, "hold", 0);
	for (i = 0; i < STAYERS; i++)
		if (senders[i].started)
			pthread_join(senders[i].thread, NULL);
	param.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &param);
	for (i = 0; i < STAYERS - 1 && !err; i++)
		err = expect_report(&senders[i].dev, "01 22 10 20 30 40 50 77");
	if (!err && get_int(obj, "bad_frames"))
		err = fail("damaged frames", get_int(obj, "bad_frames"), 0);
	/* All slots are free again. */
	for (i = 0; i < STAYERS && !err; i++)
		err = send_report(&senders[i].dev, 0x23) ||
		      expect_report(&senders[i].dev, "01 23 10 20 30 40 50 77");
	if (!err)
		snprintf(ctx.why, sizeof(ctx.why), "4 at one time, 1 refused and counted");
out:
	for (i = 0; i < STAYERS; i++) {
		bpf_link__destroy(links[i]);
		close_device(&senders[i].dev);
	}
	bpf_object__close(obj);
	return err;
}

/* The fixup that has need of it: drivers/honeywell. */
static int fixup(const struct test *t)
{
	struct bpf_object *obj = open_object("../../../drivers/0010-honeywell__hid-pos");
	struct bpf_program *prog;
	int err, size;

	(void)t;
	if (!obj)
		return 1;
	bpf_object__for_each_program(prog, obj) bpf_program__set_autoload(prog, true);
	err = load_hid(obj, !ctx.base);
	size = err || ctx.base ? 0 : fdinfo(prog_fd(obj, "scan"), "priv_stack");
	if (!err && !ctx.base)
		snprintf(ctx.why, sizeof(ctx.why), "accepted, %d bytes on each CPU", size);
	bpf_object__close(obj);
	return err || (!ctx.base && size <= 0);
}

const struct test hid_tests[] = {
	{ .name = "hid-fixup", .run = fixup },
	{ .name = "hid-not-requested", .run = not_requested },
	{ .name = "hid-inject-from-event", .run = injecting },
	{ .name = "hid-stack-trace", .run = stack_trace },
	{ .name = "hid-exception", .run = exceptions },
	{ .name = "hid-four-slots", .run = preempted },
	{},
};
