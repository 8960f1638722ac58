// SPDX-License-Identifier: MIT
/*
 * Reports of the device are neither lost nor reordered by reports that a
 * program injects. To be run with two CPUs.
 */
#include "device.h"
#include "harness.h"
#include "progs/input.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORTS 20000

struct scene {
	struct device *dev;
	struct bpf_object *obj;
	struct bpf_link *link;
	volatile struct input_counts *counts;
	volatile struct inject_args *trying;
	bool stop;
	unsigned long long injected, failed;
	int error;
};

static void start_scene(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	check(sysconf(_SC_NPROCESSORS_ONLN) >= 2, "this test needs two CPUs");
	s->dev = device_new();
	s->obj = open_for_device("input", s->dev->id);
	load_object(s->obj);
	s->counts = find_var(s->obj, "counts");
	s->trying = find_var(s->obj, "trying");
	s->link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(s->obj, "input"));
	check(s->link, "the program does not attach");
}

static void end_scene(struct scene *s)
{
	bpf_link__destroy(s->link);
	bpf_object__close(s->obj);
	device_free(s->dev);
}

static long dropped(struct scene *s)
{
	char path[128], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/hid/devices/%s/input_dropped", s->dev->name);
	f = fopen(path, "r");
	check(f, "%s: %s", path, strerror(errno));
	check(fgets(text, sizeof(text), f), "%s is empty", path);
	fclose(f);
	return strtol(text, NULL, 10);
}

static void *inject_flat_out(void *arg)
{
	struct scene *s = arg;

	on_cpu(1);
	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		struct inject_args args = { .reports = 100 };

		run_prog(s->obj, "inject", &args, sizeof(args));
		s->injected += args.ok;
		s->failed += args.failed;
		s->error = args.failed ? args.error : s->error;
	}
	return NULL;
}

static void send_reports(struct scene *s, unsigned int from, unsigned int n)
{
	uint64_t start = now_ns();

	for (unsigned int i = 0; i < n; i++)
		device_send(s->dev, from + i);
	if (n >= REPORTS)
		note("%u reports sent in %llu ms", n,
		     (unsigned long long)(now_ns() - start) / 1000000);
}

static void check_all_there(struct scene *s, unsigned int n)
{
	wait_for(s->counts->hardware == n, 2000);
	note("%llu of %u reports processed, %llu out of order, %llu injected",
	     (unsigned long long)s->counts->hardware, n,
	     (unsigned long long)s->counts->out_of_order, (unsigned long long)s->counts->injected);
	check_int("reports lost", n - (long long)s->counts->hardware, 0);
	check_int("reports out of order or twice", s->counts->out_of_order, 0);
}

static void inject_waiting(void)
{
	pthread_t thread;
	struct scene s;

	start_scene(&s);
	check(!pthread_create(&thread, NULL, inject_flat_out, &s), "no thread");
	check(wait_for(s.counts->injected > 0, 3000), "nothing is injected");
	on_cpu(0);
	send_reports(&s, 0, REPORTS);
	check_all_there(&s, REPORTS);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	check_int("injected reports that failed", s.failed, 0);
	check_int("injected reports", s.counts->injected, s.injected);
	check_int("dropped", dropped(&s), 0);
	end_scene(&s);
}

/* The work item of an event runs on the CPU of who sent it, and does not let go
 * of it: that must not be the one that goes on sending.
 */
static void *send_first(void *arg)
{
	struct scene *s = arg;

	on_cpu(1);
	device_send(s->dev, 0);
	return NULL;
}

static void inject_trying(void)
{
	pthread_t thread;
	struct scene s;
	int *start;

	start_scene(&s);
	start = find_var(s.obj, "start_trying");
	s.trying->reports = 8000000;
	s.trying->until = REPORTS;
	s.trying->wait = 1;
	*start = 1;
	on_cpu(0);
	check(!pthread_create(&thread, NULL, send_first, &s), "no thread");
	check(wait_for(s.counts->injected > 0, 3000), "nothing is injected");
	send_reports(&s, 1, REPORTS - 1);
	check_all_there(&s, REPORTS);
	check(wait_for(!s.trying->wait, 2000), "the injection does not end");
	check(s.trying->ok + s.trying->failed < 8000000, "it ended before the reports did");
	note("%u tries went through, %u did not", s.trying->ok, s.trying->failed);
	if (s.trying->failed)
		check_int("why not", s.trying->error, -EBUSY);
	check_int("dropped", dropped(&s), 0);
	pthread_join(thread, NULL);
	end_scene(&s);
}

/* In the event of the device's report a program may inject, and in that one's
 * event it may not.
 */
static void nested(void)
{
	struct scene s;

	start_scene(&s);
	s.counts->nest = 1;
	s.counts->nested = 1;
	send_reports(&s, 0, 100);
	check_int("injection in the event", s.counts->in_event, 0);
	check_int("nested injection", s.counts->nested, -EDEADLK);
	check_int("reports", s.counts->hardware, 100);
	check_int("injected", s.counts->injected, 100);
	end_scene(&s);
}

/* HID_INPUT_BACKLOG_MAX and HID_INPUT_BACKLOG_BUDGET of drivers/hid/hid-core.c. */
#define MAX_WAITING 256
#define MAX_AFTER   64

static void *inject_once(void *arg)
{
	struct inject_args args = { .reports = 1 };
	struct scene *s = arg;

	on_cpu(1);
	run_prog(s->obj, "inject", &args, sizeof(args));
	return NULL;
}

/* While one injected report is processed slowly a writer that does not wait
 * goes on: what finds no room is counted, all else is there, in order.
 */
static void bounded(void)
{
	unsigned int sent = 2000, stayed, lost;
	pthread_t thread;
	struct scene s;

	start_scene(&s);
	check_int("dropped", dropped(&s), 0);
	check(!fcntl(s.dev->fd, F_SETFL, O_NONBLOCK), "fcntl: %s", strerror(errno));
	on_cpu(0);
	s.counts->slow = 1;
	check(!pthread_create(&thread, NULL, inject_once, &s), "no thread");
	check(wait_for(s.counts->injected > 0, 3000), "nothing is injected");
	send_reports(&s, 0, sent);
	pthread_join(thread, NULL);
	lost = dropped(&s);
	note("%llu processed, %u dropped", (unsigned long long)s.counts->hardware, lost);
	check(lost > 0, "no report was dropped: the injection was not slow enough");
	check_int("processed and dropped", s.counts->hardware + lost, sent);
	/* the first ones stayed, whether or not the injection ended before the writer */
	stayed = s.counts->out_of_order ? s.counts->first_gap : (unsigned int)s.counts->hardware;
	check(stayed >= MAX_WAITING, "report %u was dropped, and had room", stayed);
	check(s.counts->out_of_order <= lost, "%llu gaps, %u dropped",
	      (unsigned long long)s.counts->out_of_order, lost);
	/* and it works on */
	s.counts->next = sent;
	s.counts->out_of_order = 0;
	send_reports(&s, sent, 100);
	check_int("out of order afterwards", s.counts->out_of_order, 0);
	check_int("dropped afterwards", dropped(&s), lost);
	end_scene(&s);
}

/* The same with a writer that waits: nothing is lost. */
static void writer_waits(void)
{
	unsigned int sent = 2000;
	pthread_t thread;
	struct scene s;

	start_scene(&s);
	on_cpu(0);
	s.counts->slow = 1;
	check(!pthread_create(&thread, NULL, inject_once, &s), "no thread");
	check(wait_for(s.counts->injected > 0, 3000), "nothing is injected");
	send_reports(&s, 0, sent);
	pthread_join(thread, NULL);
	check_all_there(&s, sent);
	check_int("dropped", dropped(&s), 0);
	end_scene(&s);
}

static int open_hidraw(const struct device *dev)
{
	char path[64], value[64];
	int fd = -1;

	for (int i = 0; i < 16 && fd < 0; i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/sys/class/hidraw/hidraw%d/device", i);
		n = readlink(path, value, sizeof(value) - 1);
		if (n <= 0)
			continue;
		value[n] = '\0';
		if (!strstr(value, dev->name))
			continue;
		snprintf(path, sizeof(path), "/dev/hidraw%d", i);
		fd = open(path, O_RDONLY | O_NONBLOCK);
	}
	check(fd >= 0, "no hidraw node: %s", strerror(errno));
	return fd;
}

/* Through the drivers too: what hidraw reads is what was sent, and what was
 * injected, each once.
 */
static void hidraw_sees_all(void)
{
	unsigned int next = 0, sent = 0, seen = 0, fd_errors = 0;
	pthread_t thread;
	struct scene s;
	int fd;

	start_scene(&s);
	fd = open_hidraw(s.dev);
	check(!pthread_create(&thread, NULL, inject_flat_out, &s), "no thread");
	check(wait_for(s.counts->injected > 0, 3000), "nothing is injected");
	on_cpu(0);
	/* one at a time: hidraw keeps 64 reports for a reader, injected ones too */
	while (sent < 500) {
		uint64_t end = now_ns() + 1000000000ULL;
		uint8_t report[64];
		uint32_t number;

		device_send(s.dev, 1000000 + sent++);
		while (now_ns() < end) {
			ssize_t n = read(fd, report, sizeof(report));

			if (n < REPORT_SIZE)
				continue;
			memcpy(&number, report + 1, sizeof(number));
			if (number < 1000000)
				continue;
			/* the reader itself can be too slow for 64 injected ones, or for 1 s */
			fd_errors += number - 1000000 < next;
			next = number - 1000000 + 1;
			seen++;
			if (next == sent)
				break;
		}
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	check_int("reports processed", s.counts->hardware, sent);
	note("%u of %u reports came in time", seen, sent);
	check(seen, "none came out of hidraw");
	check_int("reports at hidraw in the wrong order", fd_errors, 0);
	close(fd);
	end_scene(&s);
}

static void check_seen(struct scene *s, unsigned int reports, size_t sent)
{
	check_int("reports that the handler saw", s->counts->hardware, reports);
	check_int("reports out of order or twice", s->counts->out_of_order, 0);
	check(s->counts->size <= s->counts->room,
	      "of %zu bytes sent the handler sees %u, and has memory for %u", sent, s->counts->size,
	      s->counts->room);
}

/* What hidraw reads of a long report is its beginning. */
static void check_read(struct scene *s, int fd, uint32_t number)
{
	uint8_t got[4096];
	ssize_t n = read(fd, got, sizeof(got));

	check(n > 0, "hidraw: %s", strerror(errno));
	check_int("bytes at hidraw", n, s->counts->room);
	check_int("report ID", got[0], 1);
	check(!memcmp(got + 1, &number, sizeof(number)), "it is not report %u", number);
	for (ssize_t i = 1 + sizeof(number); i < n; i++)
		check(got[i] == 0x5a, "byte %zd of report %u is %#x, not 0x5a", i, number, got[i]);
}

/* Reports longer than all that the device has declared. First those for which there is
 * memory by chance, then the longest on several devices, whose buffers are neighbours.
 */
static void overlong(void)
{
	static const size_t sizes[] = { 65, 96, 128, 4096 };
	const unsigned int n = sizeof(sizes) / sizeof(sizes[0]);
	struct scene s[6];
	int fd;

	for (int i = 0; i < 6; i++)
		start_scene(&s[i]);
	fd = open_hidraw(s[0].dev);
	for (unsigned int i = 0; i < n; i++) {
		device_send_long(s[0].dev, i, sizes[i]);
		check_seen(&s[0], i + 1, sizes[i]);
		check_read(&s[0], fd, i);
	}
	close(fd);
	for (int i = 1; i < 6; i++) {
		device_send_long(s[i].dev, 0, 4096);
		check_seen(&s[i], 1, 4096);
	}
	for (int i = 0; i < 6; i++) {
		struct inject_args args = { .reports = 1 };
		unsigned int before = i ? 1 : n;

		send_reports(&s[i], before, 100);
		check_seen(&s[i], before + 100, REPORT_SIZE);
		check_int("size of a report", s[i].counts->size, REPORT_SIZE);
		run_prog(s[i].obj, "inject", &args, sizeof(args));
		check_int("injected", s[i].counts->injected, 1);
		end_scene(&s[i]);
	}
}

struct flood {
	struct scene *scene;
	unsigned int sent;
	bool done;
};

static void *send_for_2_s(void *arg)
{
	uint64_t end = now_ns() + 2000000000ULL;
	struct flood *flood = arg;

	on_cpu(0);
	while (now_ns() < end)
		device_send(flood->scene->dev, flood->sent++);
	__atomic_store_n(&flood->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Reports come faster than they can be processed. Who injects one may have to process
 * those that came before it, and a few others: there is no end to them.
 */
static void injector_not_captured(void)
{
	unsigned int calls = 0, most = 0;
	struct flood flood;
	pthread_t thread;
	struct scene s;

	start_scene(&s);
	flood = (struct flood){ .scene = &s };
	check(!fcntl(s.dev->fd, F_SETFL, O_NONBLOCK), "fcntl: %s", strerror(errno));
	s.counts->rounds = 1 << 14;
	check(!pthread_create(&thread, NULL, send_for_2_s, &flood), "no thread");
	on_cpu(1);
	check(wait_for(s.counts->hardware > 0, 3000), "no report is processed");
	while (!__atomic_load_n(&flood.done, __ATOMIC_ACQUIRE)) {
		struct inject_args args = { .reports = 1 };

		run_prog(s.obj, "inject", &args, sizeof(args));
		check_int("injection", args.error, 0);
		most = args.most > most ? args.most : most;
		calls++;
	}
	pthread_join(thread, NULL);
	check(wait_for(s.counts->hardware + dropped(&s) == flood.sent, 3000),
	      "%u reports were sent, %llu processed and %ld dropped", flood.sent,
	      (unsigned long long)s.counts->hardware, dropped(&s));
	note("%u sent, %ld dropped, %u injected, at most %u processed in one injection", flood.sent,
	     dropped(&s), calls, most);
	/* and its own */
	check(most <= MAX_WAITING + MAX_AFTER + 1,
	      "%u reports were processed in one injection, not %u", most,
	      MAX_WAITING + MAX_AFTER + 1);
	check_int("injected", s.counts->injected, calls);
	/* a gap for each one dropped at most */
	check(s.counts->out_of_order <= (unsigned long)dropped(&s), "%llu gaps, %ld dropped",
	      (unsigned long long)s.counts->out_of_order, dropped(&s));
	end_scene(&s);
}

const struct test input_tests[] = {
	{ "input/inject", "20000 reports, none lost next to hid_bpf_input_report()",
	  inject_waiting },
	{ "input/inject-try", "the same next to hid_bpf_try_input_report()", inject_trying },
	{ "input/nested", "injecting in an injected report's event gives -EDEADLK", nested },
	{ "input/bounded", "what finds no room is counted", bounded },
	{ "input/writer-waits", "a writer that may wait loses nothing", writer_waits },
	{ "input/hidraw", "what hidraw reads is in order", hidraw_sees_all },
	{ "input/overlong", "of a report longer than declared the handler sees the beginning",
	  overlong },
	{ "input/injector-not-captured", "who injects processes what came before, few more",
	  injector_not_captured },
	{ 0 },
};
