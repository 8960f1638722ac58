// SPDX-License-Identifier: MIT
/* Jobs of bpf/hidsmith/io.bpf.h against a device made of uhid; runs in the VM. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <linux/uhid.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "bpf/hidsmith/io_status.h"
#include "core/base/util.h"
#include "core/fixup/fixup.h"
#include "io-ops.h"
#include "uhid-device.h"

/* What a job's output report says in byte 1. */
enum said {
	ATTACH = 0xa0,
	PLAIN,
	ASK,
	SLOW,
	FAILING,
	TICK,
	POST,
	ANSWERED,
	GET = 0x100, /* the slow job's GET_REPORT */
	GET_INPUT,
	SET_OUTPUT,
	SET_FEATURE,
};

/* Order of HS_JOBS() */
enum job { JOB_ATTACH, JOB_PLAIN, JOB_ASK, JOB_SLOW, JOB_FAILING, JOB_TICK, JOB_POST, JOB_EACH };

static const uint8_t rdesc[] = {
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, /* vendor, Application */
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, /* bytes */
	0x85, 0x02, 0x95, 0x0f, 0x09, 0x01, 0x81, 0x02, /* report 2: input, 16 bytes */
	0x95, 0x07, 0x09, 0x02, 0x91, 0x02, /* output, 8 bytes */
	0x95, 0x03, 0x09, 0x04, 0xb1, 0x02, /* feature, 4 bytes */
	0x85, 0x03, 0x95, 0x03, 0x09, 0x03, 0xb1, 0x02, /* report 3: feature, 4 bytes */
	0xc0,
};

#define MAX_REQUESTS 1024
#define SILENT       (-1)

struct request {
	int said;
	uint8_t arg, arg2;
	double time;
};

struct device {
	struct uhid_device uhid;
	pthread_t thread;
	pthread_mutex_t lock;
	struct request requests[MAX_REQUESTS];
	unsigned int n;
	int get_delay_ms; /* or SILENT */
	bool answer; /* questions, at once */
	bool quit;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_ms(int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/*
 * The host may take the VM's processor away for a while, and a job then starts as
 * late as everything else. A thread that only naps sees how long that was: limits are
 * for what is ours.
 */
static double stall; /* of all naps since stall_reset(), the sum of what was too long */

static void *meter(void *data)
{
	(void)data;
	for (double start = now(), end;; start = end) {
		sleep_ms(2);
		end = now();
		if (end - start > 0.004)
			stall += end - start - 0.002;
	}
	return NULL;
}

static void stall_reset(void)
{
	sleep_ms(5);
	stall = 0;
}

/* How long the machine has not run since stall_reset(), seconds. */
static double stalled(void)
{
	sleep_ms(5);
	return stall;
}

static void note(struct device *dev, int said, uint8_t arg, uint8_t arg2)
{
	pthread_mutex_lock(&dev->lock);
	if (dev->n < MAX_REQUESTS)
		dev->requests[dev->n++] = (struct request){ said, arg, arg2, now() };
	pthread_mutex_unlock(&dev->lock);
}

static void op(struct device *dev, enum op code, uint8_t arg)
{
	uint8_t report[16] = { 2, (uint8_t)code, arg, 0x5a };

	assert_int_equal(uhid_device_input(&dev->uhid, report, sizeof(report)), 0);
}

static void answer_get(struct device *dev, const struct uhid_get_report_req *req)
{
	struct uhid_event ev = { .type = UHID_GET_REPORT_REPLY };

	if (dev->get_delay_ms == SILENT)
		return;
	sleep_ms(dev->get_delay_ms);
	ev.u.get_report_reply.id = req->id;
	ev.u.get_report_reply.size = 4;
	ev.u.get_report_reply.data[0] = req->rnum;
	ev.u.get_report_reply.data[1] = 0x77;
	if (write(dev->uhid.fd, &ev, sizeof(ev)) < 0)
		perror("uhid");
}

static void take_set(struct device *dev, const struct uhid_set_report_req *req)
{
	struct uhid_event ev = { .type = UHID_SET_REPORT_REPLY };

	note(dev, req->rtype == UHID_FEATURE_REPORT ? SET_FEATURE : SET_OUTPUT, req->data[1], 0);
	ev.u.set_report_reply.id = req->id;
	if (write(dev->uhid.fd, &ev, sizeof(ev)) < 0)
		perror("uhid");
}

static void *serve(void *data)
{
	struct device *dev = data;
	struct uhid_event ev;

	while (!dev->quit) {
		struct pollfd p = { .fd = dev->uhid.fd, .events = POLLIN };

		if (poll(&p, 1, 20) <= 0)
			continue;
		if (read(dev->uhid.fd, &ev, sizeof(ev)) <= 0)
			continue;
		if (ev.type == UHID_OUTPUT) {
			note(dev, ev.u.output.data[1], ev.u.output.data[2], ev.u.output.data[3]);
			if (dev->answer && ev.u.output.data[1] == ASK)
				op(dev, OP_ANSWER, 0xf7);
		} else if (ev.type == UHID_GET_REPORT) {
			note(dev, ev.u.get_report.rtype == UHID_INPUT_REPORT ? GET_INPUT : GET,
			     ev.u.get_report.rnum, 0);
			answer_get(dev, &ev.u.get_report);
		} else if (ev.type == UHID_SET_REPORT) {
			take_set(dev, &ev.u.set_report);
		}
	}
	return NULL;
}

static unsigned int count(struct device *dev, int said)
{
	unsigned int n = 0;

	pthread_mutex_lock(&dev->lock);
	for (unsigned int i = 0; i < dev->n; i++)
		n += dev->requests[i].said == said;
	pthread_mutex_unlock(&dev->lock);
	return n;
}

/* The request with this number, of those that say so. */
static struct request nth(struct device *dev, int said, unsigned int nth)
{
	struct request r = { .said = -1 };

	pthread_mutex_lock(&dev->lock);
	for (unsigned int i = 0; i < dev->n; i++) {
		if (dev->requests[i].said == said && !nth--) {
			r = dev->requests[i];
			break;
		}
	}
	pthread_mutex_unlock(&dev->lock);
	return r;
}

static void forget(struct device *dev)
{
	pthread_mutex_lock(&dev->lock);
	dev->n = 0;
	pthread_mutex_unlock(&dev->lock);
}

static void wait_for(struct device *dev, int said, unsigned int n, int ms)
{
	double end = now() + ms / 1e3;

	while (count(dev, said) < n) {
		if (now() > end + 2 * stall)
			fail_msg("%u of %u requests %x within %d ms", count(dev, said), n, said,
				 ms);
		sleep_ms(2);
	}
}

#define PRODUCT 0x4a0b
/* A driver is told to take all with this one, and cannot be told to stop. */
#define PRODUCT_OF_DRIVER 0x4a0c

static void plug_product(struct device *dev, uint32_t number, uint32_t product)
{
	char uniq[16];
	struct uhid_description d = {
		.name = "jobs",
		.phys = "test/io",
		.uniq = uniq,
		.bus = 3,
		.vendor = 0x1209,
		.product = product,
		.rdesc = rdesc,
		.rdesc_size = sizeof(rdesc),
	};
	int rc;

	memset(dev, 0, sizeof(*dev));
	pthread_mutex_init(&dev->lock, NULL);
	snprintf(uniq, sizeof(uniq), "io-%u", number);
	rc = uhid_device_create(&dev->uhid, &d);
	if (rc)
		fail_msg("no uhid device: %s", strerror(-rc));
	assert_int_equal(pthread_create(&dev->thread, NULL, serve, dev), 0);
}

static void plug(struct device *dev, uint32_t number)
{
	plug_product(dev, number, PRODUCT);
}

static void unplug(struct device *dev)
{
	dev->quit = true;
	pthread_join(dev->thread, NULL);
	uhid_device_destroy(&dev->uhid);
}

static int try_attach(struct device *dev, const char *object, struct hs_error *err)
{
	struct hs_attach_opts opts = { .size = sizeof(opts) };
	struct hs_fixup *fixup;
	char path[512];
	int rc;

	snprintf(path, sizeof(path), IO_OBJECTS "/%s.bpf.o", object);
	rc = hs_fixup_open(path, 0, &fixup, err);
	if (rc)
		return rc;
	rc = hs_fixup_attach(fixup, dev->uhid.sysname, &opts, err);
	hs_fixup_free(fixup);
	return rc;
}

static void attach_object(struct device *dev, const char *object)
{
	struct hs_error err = { 0 };

	if (try_attach(dev, object, &err))
		fail_msg("%s", err.text);
}

static void attach(struct device *dev)
{
	attach_object(dev, "io");
}

static void detach(struct device *dev)
{
	struct hs_error err = { 0 };

	if (hs_fixup_detach(dev->uhid.sysname, NULL, NULL, &err) != 1)
		fail_msg("not detached: %s", err.text);
}

static void pin_path(struct device *dev, const char *object, const char *pin, char *path,
		     size_t size)
{
	char name[64];

	snprintf(name, sizeof(name), "%s", dev->uhid.sysname);
	for (char *c = name; *c; c++)
		if (*c == ':' || *c == '.')
			*c = '_';
	snprintf(path, size, "/sys/fs/bpf/hid/%s/%s_bpf%s%s", name, object, pin ? "/" : "",
		 pin ? pin : "");
}

static struct hs_io_status status_of(struct device *dev, const char *object)
{
	struct hs_io_status s;
	char path[256];
	__u32 zero = 0;
	int fd;

	pin_path(dev, object, "hs_status", path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &s), 0);
	close(fd);
	return s;
}

static struct hs_io_status status(struct device *dev)
{
	return status_of(dev, "io");
}

/* One attached device, whose attach job has run. */
static int setup(void **state)
{
	struct device *dev = calloc(1, sizeof(*dev));

	*state = dev;
	plug(dev, 1);
	attach(dev);
	wait_for(dev, ATTACH, 1, 3000);
	forget(dev);
	stall_reset();
	return 0;
}

static int teardown(void **state)
{
	struct device *dev = *state;

	detach(dev);
	unplug(dev);
	free(dev);
	return 0;
}

static void attach_job_runs_once(void **state)
{
	struct device *dev = *state;
	struct hs_io_status s;

	sleep_ms(300);
	s = status(dev);
	assert_int_equal(count(dev, ATTACH), 0); /* no second one */
	assert_int_equal(s.version, HS_IO_VERSION);
	assert_int_equal(s.n_jobs, 8);
	assert_int_equal(s.probes, 1);
	assert_string_equal(s.job[JOB_ATTACH].name, "attach");
	assert_string_equal(s.job[JOB_POST].name, "post");
	assert_int_equal(s.job[JOB_ATTACH].runs, 1);
	assert_int_equal(s.job[JOB_ATTACH].failures, 0);
	assert_int_equal(s.requests, 1);
	assert_int_equal(s.mode == HS_IO_TIMER_AND_WORK || s.mode == HS_IO_SLEEPABLE_TIMER, 1);
	print_message("mode %s\n",
		      s.mode == HS_IO_TIMER_AND_WORK ? "timer and work item" : "sleepable timer");
}

static void event_runs_a_job(void **state)
{
	struct device *dev = *state;

	for (unsigned int i = 1; i <= 200; i++) {
		op(dev, OP_RUN, 0);
		wait_for(dev, PLAIN, i, 2000);
	}
	assert_int_equal(status(dev).job[JOB_PLAIN].runs, 200);
}

static void asked_three_times_runs_once(void **state)
{
	struct device *dev = *state;
	struct hs_io_status s;

	/* The slow job keeps the worker busy, so that nothing starts in between. */
	dev->get_delay_ms = 100;
	op(dev, OP_SLOW, 0);
	wait_for(dev, GET, 1, 1000);
	op(dev, OP_RUN_3, 0);
	wait_for(dev, PLAIN, 1, 2000);
	sleep_ms(100);
	s = status(dev);
	assert_int_equal(count(dev, PLAIN), 1);
	assert_int_equal(s.job[JOB_PLAIN].runs, 1);
	assert_int_equal(s.job[JOB_PLAIN].coalesced, 2);
}

static void asked_while_it_runs_runs_once_more(void **state)
{
	struct device *dev = *state;

	dev->get_delay_ms = 150;
	op(dev, OP_SLOW, 0);
	wait_for(dev, GET, 1, 1000);
	op(dev, OP_SLOW, 0);
	op(dev, OP_SLOW, 0);
	wait_for(dev, SLOW, 2, 3000);
	sleep_ms(300);
	assert_int_equal(count(dev, GET), 2);
	assert_int_equal(nth(dev, SLOW, 0).arg, 0x77);
}

static void jobs_do_not_overlap(void **state)
{
	struct device *dev = *state;

	dev->get_delay_ms = 100;
	op(dev, OP_SLOW, 0);
	wait_for(dev, GET, 1, 1000);
	op(dev, OP_RUN, 0);
	op(dev, OP_POST, 9);
	wait_for(dev, POST, 1, 3000);
	assert_true(nth(dev, SLOW, 0).time < nth(dev, PLAIN, 0).time);
	assert_true(nth(dev, PLAIN, 0).time < nth(dev, POST, 0).time);
	assert_int_equal(nth(dev, POST, 0).arg, 9);
}

/* Question, slow, plain asked in one event; others wait for the question's answer. */
static void jobs_run_in_the_order_asked(void **state)
{
	struct device *dev = *state;

	op(dev, OP_RUN_SLOW_RUN, 0);
	wait_for(dev, ASK, 1, 1000);
	sleep_ms(100);
	assert_int_equal(count(dev, GET) + count(dev, PLAIN), 0);
	op(dev, OP_ANSWER, 7);
	wait_for(dev, PLAIN, 1, 3000);
	assert_true(nth(dev, ANSWERED, 0).time < nth(dev, GET, 0).time);
	assert_true(nth(dev, SLOW, 0).time < nth(dev, PLAIN, 0).time);
}

static void delayed_job_keeps_its_time(void **state)
{
	struct device *dev = *state;
	double start = now();

	op(dev, OP_RUN_AFTER, 200);
	/* Asked for again later: the earlier time stays. */
	sleep_ms(50);
	op(dev, OP_RUN_AFTER, 250);
	wait_for(dev, PLAIN, 1, 3000);
	assert_true(nth(dev, PLAIN, 0).time - start >= 0.199);
	assert_true(nth(dev, PLAIN, 0).time - start < 0.29 + stalled());
	sleep_ms(300);
	assert_int_equal(count(dev, PLAIN), 1);

	/* Asked for again for an earlier time: that one counts. */
	do {
		forget(dev);
		stall_reset();
		start = now();
		op(dev, OP_RUN_AFTER, 250);
		op(dev, OP_RUN, 0);
		wait_for(dev, PLAIN, 1, 3000);
		sleep_ms(300);
	} while (stalled() > 0.1); /* then the first may have been due before the second */
	assert_true(nth(dev, PLAIN, 0).time - start < 0.2);
	assert_int_equal(count(dev, PLAIN), 1);
}

static void cancelled_job_does_not_run(void **state)
{
	struct device *dev = *state;

	do {
		forget(dev);
		stall_reset();
		op(dev, OP_RUN_AFTER, 200);
		sleep_ms(20);
		op(dev, OP_CANCEL, 0);
		sleep_ms(300);
	} while (stalled() > 0.1);
	assert_int_equal(count(dev, PLAIN), 0);
	op(dev, OP_RUN, 0);
	wait_for(dev, PLAIN, 1, 1000);
}

static void failing_job_backs_off_and_gives_up(void **state)
{
	struct device *dev = *state;
	static const double gap[] = { 0.040, 0.080, 0.100 };
	struct hs_io_job_status job;

	op(dev, OP_FAIL, 0);
	wait_for(dev, FAILING, 4, 3000);
	sleep_ms(300);
	assert_int_equal(count(dev, FAILING), 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(nth(dev, FAILING, i).arg, i);
	for (unsigned int i = 0; i < 3; i++) {
		double d = nth(dev, FAILING, i + 1).time - nth(dev, FAILING, i).time;

		if (d < gap[i] - 0.005 || d > gap[i] + 0.1 + stalled())
			fail_msg("retry %u after %.3f s instead of %.3f", i, d, gap[i]);
	}
	job = status(dev).job[JOB_FAILING];
	assert_int_equal(job.runs, 4);
	assert_int_equal(job.failures, 4);
	assert_int_equal(job.given_up, 1);
	assert_int_equal(job.last_errno, EIO);

	/* A new request is a new start. */
	forget(dev);
	op(dev, OP_FAIL, 0);
	wait_for(dev, FAILING, 1, 3000);
	assert_int_equal(nth(dev, FAILING, 0).arg, 0);
	op(dev, OP_CANCEL_FAIL, 0);
	sleep_ms(20);
	{
		unsigned int n = count(dev, FAILING);

		sleep_ms(400);
		assert_int_equal(count(dev, FAILING), n);
	}
}

static void periodic_job_keeps_pace(void **state)
{
	struct device *dev = *state;
	double first, fifth, sixth;

	op(dev, OP_TICK, 40);
	wait_for(dev, TICK, 6, 3000);
	first = nth(dev, TICK, 0).time;
	fifth = nth(dev, TICK, 4).time;
	sixth = nth(dev, TICK, 5).time;
	if (fifth - first < 0.150 - stalled() || fifth - first > 0.220 + stalled())
		fail_msg("four periods of 40 ms took %.3f s", fifth - first);
	/* Then it sets its own period. */
	if (sixth - fifth < 0.190 - stalled() || sixth - fifth > 0.300 + stalled())
		fail_msg("a period of 200 ms took %.3f s", sixth - fifth);
	assert_int_equal(status(dev).job[JOB_TICK].period_ms, 200);

	op(dev, OP_CANCEL_TICK, 0);
	forget(dev);
	sleep_ms(500);
	assert_int_equal(count(dev, TICK), 0);
	assert_int_equal(status(dev).job[JOB_TICK].period_ms, 0);
}

/* Not once more at the old pace: not when it ends, not when it gets longer. */
static void period_that_ended_is_not_waited_for(void **state)
{
	struct device *dev = *state;
	unsigned int n;

	do { /* until the old period cannot have passed before the new one was set */
		stall_reset();
		forget(dev);
		op(dev, OP_TICK, 150);
		wait_for(dev, TICK, 1, 1000);
		op(dev, OP_TICK, 0);
		sleep_ms(300);
		n = count(dev, TICK);
	} while (stalled() > 0.1);
	assert_int_equal(n, 1);
	assert_int_equal(status(dev).job[JOB_TICK].period_ms, 0);

	do {
		stall_reset();
		forget(dev);
		op(dev, OP_TICK, 120);
		op(dev, OP_TICK, 255);
		sleep_ms(180);
		n = count(dev, TICK);
		op(dev, OP_CANCEL_TICK, 0);
	} while (stalled() > 0.06);
	assert_int_equal(n, 0);
}

/* An error that means the end elsewhere; and a device that cannot be had for a while. */
static void period_survives_errors(void **state)
{
	struct device *dev = *state;
	unsigned int n;

	op(dev, OP_TICK_ERROR, ESHUTDOWN);
	op(dev, OP_TICK, 40);
	wait_for(dev, TICK, 3, 3000);
	assert_int_equal(status(dev).job[JOB_TICK].last_errno, ESHUTDOWN);
	op(dev, OP_TICK_ERROR, 0);

	op(dev, OP_NO_CONTEXT, 1);
	sleep_ms(300);
	n = count(dev, TICK);
	sleep_ms(500); /* the fifth tick has made it a period of 200 ms */
	assert_int_equal(count(dev, TICK), n);
	op(dev, OP_NO_CONTEXT, 0);
	wait_for(dev, TICK, n + 2, 3000);
	op(dev, OP_RUN, 0);
	wait_for(dev, PLAIN, 1, 1000);
	op(dev, OP_CANCEL_TICK, 0);
}

static void missed_periods_are_counted(void **state)
{
	struct device *dev = *state;

	dev->get_delay_ms = 300;
	op(dev, OP_TICK, 40);
	wait_for(dev, TICK, 1, 1000);
	op(dev, OP_SLOW, 0);
	wait_for(dev, TICK, 3, 3000);
	assert_in_range(status(dev).job[JOB_TICK].missed, 4, 9 + stalled() / 0.04);
	op(dev, OP_CANCEL_TICK, 0);
}

static void posts_keep_order_and_a_full_queue_is_told(void **state)
{
	struct device *dev = *state;

	dev->get_delay_ms = 100;
	op(dev, OP_SLOW, 0);
	wait_for(dev, GET, 1, 1000);
	op(dev, OP_POST_10, 0);
	wait_for(dev, POST, 8, 3000);
	sleep_ms(100);
	assert_int_equal(count(dev, POST), 8);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(nth(dev, POST, i).arg, i);
	assert_int_equal(status(dev).queue_full, 2);
}

static void expect_posts(struct device *dev, const uint8_t *args, unsigned int n)
{
	wait_for(dev, POST, n, 3000);
	sleep_ms(200);
	assert_int_equal(count(dev, POST), n);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(nth(dev, POST, i).arg, args[i]);
	/* Not before its time, though others wait behind it. */
	for (unsigned int i = 0; i + 1 < n; i += 2)
		assert_true(nth(dev, POST, i + 1).time - nth(dev, POST, i).time >
			    0.035 - stalled());
}

static void retried_post_keeps_argument_and_place(void **state)
{
	static const uint8_t three[] = { 0x81, 0x81, 0x82, 0x82, 0x83, 0x83 };
	static const uint8_t one_more[] = { POST_FAILS_AND_ASKS, POST_FAILS_AND_ASKS, 0 };
	static const uint8_t then_plain[] = { POST_FAILS, POST_FAILS, 0 };
	struct device *dev = *state;
	struct hs_io_job_status job;

	op(dev, OP_POST, 0x81);
	op(dev, OP_POST, 0x82);
	op(dev, OP_POST, 0x83);
	expect_posts(dev, three, sizeof(three));
	job = status(dev).job[JOB_POST];
	assert_int_equal(job.failures, 3);
	assert_int_equal(job.given_up, 0);

	/* Asked for without an argument while it ran: once more afterwards. */
	forget(dev);
	op(dev, OP_POST, POST_FAILS_AND_ASKS);
	expect_posts(dev, one_more, sizeof(one_more));

	/* And while it waits for its retry, which keeps its time. */
	forget(dev);
	op(dev, OP_POST, POST_FAILS);
	wait_for(dev, POST, 1, 1000);
	op(dev, OP_RUN_POST, 0);
	expect_posts(dev, then_plain, sizeof(then_plain));
}

static void event_sees_input_reports_only(void **state)
{
	struct device *dev = *state;

	op(dev, OP_POST, POST_FEATURE);
	sleep_ms(100);
	assert_int_equal(status(dev).job[JOB_POST].runs, 1);
	assert_int_equal(status(dev).job[JOB_POST].failures, 0);
	assert_int_equal(count(dev, PLAIN), 0);
	op(dev, OP_POST, POST_INPUT);
	wait_for(dev, PLAIN, 1, 1000);
	assert_int_equal(status(dev).job[JOB_POST].failures, 0);
}

static int open_hidraw(struct device *dev)
{
	char command[256], path[300] = "";
	FILE *f;
	int fd;

	snprintf(command, sizeof(command), "ls /sys/bus/hid/devices/%s/hidraw", dev->uhid.sysname);
	f = popen(command, "r");
	assert_non_null(f);
	strcpy(path, "/dev/");
	assert_non_null(fgets(path + 5, 200, f));
	path[strcspn(path, "\n")] = 0;
	pclose(f);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static void answer_reaches_the_job_and_others_pass(void **state)
{
	struct device *dev = *state;
	uint8_t report[64];
	int fd = open_hidraw(dev);

	op(dev, OP_ASK, 0);
	wait_for(dev, ASK, 1, 1000);
	while (read(fd, report, sizeof(report)) > 0)
		;
	op(dev, OP_ANSWER, 6); /* another question's */
	op(dev, OP_ANSWER, 0xf7);
	wait_for(dev, ANSWERED, 1, 1000);
	assert_int_equal(nth(dev, ANSWERED, 0).arg, 0x5a);
	assert_int_equal(read(fd, report, sizeof(report)), 16);
	assert_int_equal(report[2], 6);
	assert_int_equal(read(fd, report, sizeof(report)), -1);
	/* Nobody waits any more. */
	op(dev, OP_ANSWER, 0xf7);
	sleep_ms(20);
	assert_int_equal(read(fd, report, sizeof(report)), 16);
	assert_int_equal(status(dev).answers, 1);

	/* One that the fixup lets pass reaches both. */
	op(dev, OP_ASK, 0);
	wait_for(dev, ASK, 2, 1000);
	while (read(fd, report, sizeof(report)) > 0)
		;
	op(dev, OP_ANSWER, ANSWER_PASSES);
	wait_for(dev, ANSWERED, 2, 1000);
	assert_int_equal(read(fd, report, sizeof(report)), 16);
	assert_int_equal(report[2], ANSWER_PASSES);
	assert_int_equal(status(dev).answers, 2);
	close(fd);
}

/* A report that ends before the bytes that are asked for has no zeros there. */
static void short_report_is_no_answer(void **state)
{
	static const uint8_t whole[16] = { 2, OP_ANSWER, 7, 0x33 };
	struct device *dev = *state;

	op(dev, OP_ASK_LONG, 0);
	wait_for(dev, ASK, 1, 1000);
	assert_int_equal(uhid_device_input(&dev->uhid, whole, 15), 0);
	assert_int_equal(uhid_device_input(&dev->uhid, whole, 16), 0);
	wait_for(dev, ANSWERED, 1, 1000);
	assert_int_equal(nth(dev, ANSWERED, 0).arg, 0x33);
	assert_int_equal(nth(dev, ANSWERED, 0).arg2, 16);
	assert_int_equal(status(dev).answers, 1);
}

static void each_request_reaches_the_device(void **state)
{
	struct device *dev = *state;
	uint64_t before = status(dev).requests;
	uint8_t report[64] = { 0 };
	int fd = open_hidraw(dev);
	double end = now() + 3;

	op(dev, OP_EACH, 0);
	while (report[1] != OP_INJECTED && now() < end + 2 * stall)
		if (read(fd, report, sizeof(report)) < 0)
			sleep_ms(2);
	assert_int_equal(report[0], 2);
	assert_int_equal(report[1], OP_INJECTED);
	assert_int_equal(report[2], 0x77);
	assert_int_equal(nth(dev, GET_INPUT, 0).arg, 2);
	assert_int_equal(nth(dev, SET_OUTPUT, 0).arg, 0x77);
	assert_int_equal(nth(dev, SET_FEATURE, 0).arg, 0x77);
	assert_true(nth(dev, GET_INPUT, 0).time < nth(dev, SET_OUTPUT, 0).time);
	assert_true(nth(dev, SET_OUTPUT, 0).time < nth(dev, SET_FEATURE, 0).time);
	assert_int_equal(status(dev).requests, before + 3);
	assert_int_equal(status(dev).request_errors, 0);
	assert_int_equal(status(dev).job[JOB_EACH].failures, 0);
	close(fd);
}

static void quick_answers_are_not_lost(void **state)
{
	struct device *dev = *state;

	dev->answer = true;
	for (unsigned int i = 1; i <= 200; i++) {
		op(dev, OP_ASK, 0);
		wait_for(dev, ANSWERED, i, 2000);
	}
	assert_int_equal(status(dev).job[JOB_ASK].timeouts, 0);
}

static void silence_times_out(void **state)
{
	struct device *dev = *state;
	struct hs_io_job_status job;

	op(dev, OP_ASK, 0);
	wait_for(dev, ASK, 1, 1000);
	op(dev, OP_RUN, 0);
	wait_for(dev, PLAIN, 1, 1000);
	/* The next job starts when the time is over. */
	assert_in_range((nth(dev, PLAIN, 0).time - nth(dev, ASK, 0).time) * 1000, 290,
			450 + stalled() * 1000);
	job = status(dev).job[JOB_ASK];
	assert_int_equal(job.timeouts, 1);
	assert_int_equal(job.failures, 1);
	assert_int_equal(job.last_errno, ETIMEDOUT);
	/* Too late. */
	op(dev, OP_ANSWER, 7);
	sleep_ms(50);
	assert_int_equal(count(dev, ANSWERED), 0);
}

static void waiting_job_can_be_cancelled(void **state)
{
	struct device *dev = *state;

	op(dev, OP_ASK, 0);
	wait_for(dev, ASK, 1, 1000);
	op(dev, OP_CANCEL_ASK, 0);
	op(dev, OP_RUN, 0);
	wait_for(dev, PLAIN, 1, 1000);
	assert_true(nth(dev, PLAIN, 0).time - nth(dev, ASK, 0).time < 0.2 + stalled());
	assert_int_equal(status(dev).job[JOB_ASK].timeouts, 0);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

/* What the header promises, for kernels that do not tell. */
#define PROBE_SEEN_MS 11000

static void reprobe(struct device *dev)
{
	write_file("/sys/bus/hid/drivers/hid-generic/unbind", dev->uhid.sysname);
	op(dev, OP_RUN, 0);
	sleep_ms(100);
	write_file("/sys/bus/hid/drivers/hid-generic/bind", dev->uhid.sysname);
}

static void attach_job_runs_again_after_a_probe(void **state)
{
	struct device *dev = *state;

	for (unsigned int i = 1; i <= 3; i++) {
		reprobe(dev);
		wait_for(dev, ATTACH, i, PROBE_SEEN_MS);
		assert_int_equal(status(dev).probes, 1 + i);
		sleep_ms(200);
		assert_int_equal(count(dev, ATTACH), i);
	}
}

/* What a resume looks like to the fixup: its clock has jumped. */
static void attach_job_runs_again_after_sleep(void **state)
{
	struct device *dev = *state;

	/* No jump, no resume. */
	op(dev, OP_SLEEP, 0);
	sleep_ms(1500);
	assert_int_equal(status(dev).resumes, 0);
	assert_int_equal(count(dev, ATTACH), 0);

	op(dev, OP_SLEEP, 100);
	wait_for(dev, ATTACH, 1, PROBE_SEEN_MS);
	assert_int_equal(status(dev).resumes, 1);
	assert_int_equal(status(dev).probes, 1);
	sleep_ms(300);
	assert_int_equal(count(dev, ATTACH), 1);
}

/* No teardown from here on: these tests end the device in their own way. */

static void no_request_after_detach(void **state)
{
	static struct device dev;

	(void)state;
	for (int i = 0; i < 5; i++) {
		double end;

		plug(&dev, 10 + (uint32_t)i);
		attach(&dev);
		wait_for(&dev, ATTACH, 1, 3000);
		op(&dev, OP_TICK, 5);
		wait_for(&dev, TICK, 3, 2000);
		dev.get_delay_ms = 50 * i;
		op(&dev, OP_SLOW, 0);
		sleep_ms(10 * i);
		detach(&dev);
		end = now();
		sleep_ms(400);
		pthread_mutex_lock(&dev.lock);
		if (dev.n && dev.requests[dev.n - 1].time > end)
			fail_msg("request %x %.3f ms after detach", dev.requests[dev.n - 1].said,
				 1e3 * (dev.requests[dev.n - 1].time - end));
		pthread_mutex_unlock(&dev.lock);
		unplug(&dev);
	}
}

static void detach_waits_for_a_silent_device(void **state)
{
	static struct device dev;
	double start;
	unsigned int n;

	(void)state;
	plug(&dev, 20);
	attach(&dev);
	wait_for(&dev, ATTACH, 1, 3000);
	dev.get_delay_ms = SILENT;
	op(&dev, OP_SLOW, 0);
	wait_for(&dev, GET, 1, 1000);
	op(&dev, OP_RUN, 0);
	start = now();
	detach(&dev);
	assert_in_range((now() - start) * 1000, 3000,
			7000 + stalled() * 1000); /* the kernel's limit is 5 s */
	n = count(&dev, PLAIN);
	sleep_ms(300);
	assert_int_equal(n, 0);
	assert_int_equal(count(&dev, PLAIN), 0);
	unplug(&dev);
}

static void unplug_in_any_phase(void **state)
{
	static const enum op ops[] = { OP_SLOW, OP_ASK, OP_FAIL, OP_TICK, OP_RUN_SLOW_RUN };
	static struct device dev;

	(void)state;
	for (unsigned int i = 0; i < 2 * sizeof(ops) / sizeof(ops[0]); i++) {
		plug(&dev, 30 + i);
		attach(&dev);
		wait_for(&dev, ATTACH, 1, 3000);
		dev.get_delay_ms = SILENT;
		op(&dev, ops[i / 2], 10);
		sleep_ms(i % 2 ? 30 : 0);
		unplug(&dev);
		detach(&dev);
	}
}

/* As others' tools do it: the pins go while a request is on its way. */
static void pins_removed_during_a_request(void **state)
{
	static struct device dev;
	char path[256];

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		plug(&dev, 50 + i);
		attach(&dev);
		wait_for(&dev, ATTACH, 1, 3000);
		dev.get_delay_ms = SILENT;
		op(&dev, OP_SLOW, 0);
		wait_for(&dev, GET, 1, 1000);
		pin_path(&dev, "io", NULL, path, sizeof(path));
		{
			char command[300];

			snprintf(command, sizeof(command), "rm -r %s", path);
			assert_int_equal(system(command), 0);
		}
		sleep_ms(i * 500);
		unplug(&dev); /* ends the request; its caller's code must still be there */
		sleep_ms(200);
	}
}

static void a_silent_device_delays_no_other(void **state)
{
	static struct device silent, lively;

	(void)state;
	plug(&silent, 60);
	plug(&lively, 61);
	attach(&silent);
	attach(&lively);
	wait_for(&silent, ATTACH, 1, 3000);
	wait_for(&lively, ATTACH, 1, 3000);
	silent.get_delay_ms = SILENT;
	op(&silent, OP_SLOW, 0);
	wait_for(&silent, GET, 1, 1000);
	for (unsigned int i = 1; i <= 20; i++) {
		double start;

		stall_reset();
		start = now();
		op(&lively, OP_RUN, 0);
		wait_for(&lively, PLAIN, i, 1000);
		if (now() - start > 0.2 + stalled())
			fail_msg("took %.3f s", now() - start);
	}
	unplug(&silent);
	detach(&silent);
	detach(&lively);
	unplug(&lively);
}

/* A fixup that is not called at a probe, and probes of both kinds. */
static void attach_job_without_rdesc_runs_again(void **state)
{
	static struct device dev;
	struct hs_io_status s;

	(void)state;
	plug(&dev, 70);
	attach_object(&dev, "io-no-rdesc");
	wait_for(&dev, ATTACH, 1, 3000);
	reprobe(&dev);
	wait_for(&dev, ATTACH, 2, PROBE_SEEN_MS);
	assert_int_equal(status_of(&dev, "io-no-rdesc").probes, 2);

	/* Another fixup comes, with a descriptor: the kernel probes again. */
	forget(&dev);
	attach(&dev);
	wait_for(&dev, ATTACH, 2, PROBE_SEEN_MS);
	s = status_of(&dev, "io-no-rdesc");
	assert_int_equal(s.probes, 3);
	assert_int_equal(s.job[JOB_ATTACH].runs, 3);
	assert_int_equal(status(&dev).job[JOB_ATTACH].runs, 1);

	/* Nothing more without a probe. */
	sleep_ms(4000);
	assert_int_equal(count(&dev, ATTACH), 2);
	unplug(&dev);
	assert_int_equal(hs_fixup_detach(dev.uhid.sysname, NULL, NULL, NULL), 2);
}

static void give_to_multitouch(struct device *dev)
{
	char id[32];

	snprintf(id, sizeof(id), "0003 1209 %04x", PRODUCT_OF_DRIVER);
	write_file("/sys/bus/hid/drivers/hid-generic/unbind", dev->uhid.sysname);
	write_file("/sys/bus/hid/drivers/hid-multitouch/new_id", id);
}

static bool has_multitouch(struct device *dev)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/hid/drivers/hid-multitouch/%s", dev->uhid.sysname);
	return !access(path, F_OK);
}

/* As when its module is loaded: the driver takes the device, the fixup stands aside. */
static void fixup_yields_to_a_driver(void **state)
{
	static struct device dev, next;
	struct hs_error err = { 0 };
	struct hs_io_status before, after;

	(void)state;
	if (access("/sys/bus/hid/drivers/hid-multitouch", F_OK))
		skip();
	plug_product(&dev, 80, PRODUCT_OF_DRIVER);
	attach_object(&dev, "io-yields");
	wait_for(&dev, ATTACH, 1, 3000);
	op(&dev, OP_TICK, 50);
	wait_for(&dev, TICK, 2, 3000);

	give_to_multitouch(&dev);
	assert_true(has_multitouch(&dev));
	sleep_ms(100);
	forget(&dev);
	before = status_of(&dev, "io-yields");
	op(&dev, OP_RUN, 0);
	op(&dev, OP_POST, 1);
	sleep_ms(1500);
	after = status_of(&dev, "io-yields");
	assert_int_equal(dev.n, 0);
	assert_int_equal(after.requests, before.requests);
	assert_int_equal(after.probes, 1);

	/* It does not take the next one at all. */
	plug_product(&next, 81, PRODUCT_OF_DRIVER);
	assert_true(has_multitouch(&next));
	assert_int_equal(try_attach(&next, "io-yields", &err), -ECANCELED);
	assert_non_null(strstr(err.text, "not for this device (-16)"));
	unplug(&next);

	detach(&dev);
	unplug(&dev);
}

#define JOB_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* An argument runs the tests whose names fit it, '*' is a wildcard. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(attach_job_runs_once),
		JOB_TEST(event_runs_a_job),
		JOB_TEST(asked_three_times_runs_once),
		JOB_TEST(asked_while_it_runs_runs_once_more),
		JOB_TEST(jobs_do_not_overlap),
		JOB_TEST(jobs_run_in_the_order_asked),
		JOB_TEST(delayed_job_keeps_its_time),
		JOB_TEST(cancelled_job_does_not_run),
		JOB_TEST(failing_job_backs_off_and_gives_up),
		JOB_TEST(periodic_job_keeps_pace),
		JOB_TEST(period_that_ended_is_not_waited_for),
		JOB_TEST(period_survives_errors),
		JOB_TEST(missed_periods_are_counted),
		JOB_TEST(posts_keep_order_and_a_full_queue_is_told),
		JOB_TEST(retried_post_keeps_argument_and_place),
		JOB_TEST(event_sees_input_reports_only),
		JOB_TEST(answer_reaches_the_job_and_others_pass),
		JOB_TEST(short_report_is_no_answer),
		JOB_TEST(each_request_reaches_the_device),
		JOB_TEST(quick_answers_are_not_lost),
		JOB_TEST(silence_times_out),
		JOB_TEST(waiting_job_can_be_cancelled),
		JOB_TEST(attach_job_runs_again_after_a_probe),
		JOB_TEST(attach_job_runs_again_after_sleep),
		cmocka_unit_test(attach_job_without_rdesc_runs_again),
		cmocka_unit_test(fixup_yields_to_a_driver),
		cmocka_unit_test(no_request_after_detach),
		cmocka_unit_test(detach_waits_for_a_silent_device),
		cmocka_unit_test(unplug_in_any_phase),
		cmocka_unit_test(pins_removed_during_a_request),
		cmocka_unit_test(a_silent_device_delays_no_other),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (pthread_create(&(pthread_t){ 0 }, NULL, meter, NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
