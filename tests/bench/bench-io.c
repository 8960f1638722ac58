// SPDX-License-Identifier: MIT
/*
 * What device IO costs. Runs in the VM:
 *
 *	kernel/vm [--base] [--icount] -- build/tests/bench/bench-io
 *		[--runs N] [--seconds S] [--devices D]
 *		[--ack05 OURS.bpf.o --ack05 THEIRS.bpf.o]
 *
 * Compare the ratios: the times are those of an emulated machine. With --icount a
 * nanosecond is an instruction, and the same comes out each time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/types.h>
#include <linux/uhid.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/hidsmith/io_status.h"
#include "core/base/util.h"
#include "core/fixup/attached.h"
#include "core/fixup/fixup.h"
#include "tests/system/uhid-device.h"

static const uint8_t rdesc[] = {
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, /* vendor, Application */
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, /* bytes */
	0x85, 0x02, 0x95, 0x0f, 0x09, 0x01, 0x81, 0x02, /* report 2: input, 16 bytes */
	0x95, 0x07, 0x09, 0x02, 0x91, 0x02, /* output, 8 bytes */
	0xc0,
};

static _Noreturn void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The vendor interface of an XP-Pen ACK05, as udev-hid-bpf's fixup looks for it. */
static const uint8_t ack05_rdesc[] = {
	0x06, 0x0a, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x85, 0x02, 0x09, 0x02, 0x75,
	0x08, 0x95, 0x0b, 0x15, 0x00, 0x26, 0xff, 0x00, 0x81, 0x02, 0x09, 0x03,
	0x75, 0x08, 0x95, 0x0b, 0x15, 0x00, 0x26, 0xff, 0x00, 0x91, 0x02, 0xc0,
};

static void plug_as(struct uhid_device *dev, unsigned int number, uint32_t vendor, uint32_t product,
		    const uint8_t *desc, size_t desc_size)
{
	char uniq[24];
	struct uhid_description d = {
		.name = "bench",
		.phys = "bench",
		.uniq = uniq,
		.bus = 3,
		.vendor = vendor,
		.product = product,
		.rdesc = desc,
		.rdesc_size = desc_size,
	};
	int rc;

	snprintf(uniq, sizeof(uniq), "bench-%u", number);
	rc = uhid_device_create(dev, &d);
	if (rc)
		die("uhid: %s", strerror(-rc));
}

static void plug(struct uhid_device *dev, unsigned int number)
{
	plug_as(dev, number, 0x1209, 0x4a0b, rdesc, sizeof(rdesc));
}

static void attach_file(struct uhid_device *dev, const char *path)
{
	struct hs_attach_opts opts = { .size = sizeof(opts) };
	struct hs_error err = { 0 };
	struct hs_fixup *fixup;

	if (hs_fixup_open(path, 0, &fixup, &err) ||
	    hs_fixup_attach(fixup, dev->sysname, &opts, &err))
		die("%s", err.text);
	hs_fixup_free(fixup);
}

static void attach(struct uhid_device *dev, const char *object)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", BENCH_BPF_DIR, object);
	attach_file(dev, path);
}

static void detach(struct uhid_device *dev)
{
	struct hs_error err = { 0 };

	if (hs_fixup_detach(dev->sysname, NULL, NULL, &err) < 0)
		die("%s", err.text);
}

/* What is attached to a device, which is one fixup; freed with the list. */
static const struct hs_attached *attached(struct uhid_device *dev, struct hs_attached_list **list)
{
	struct hs_error err = { 0 };

	if (hs_attached_list_open(dev->sysname, NULL, list, &err))
		die("%s", err.text);
	if (hs_attached_list_count(*list) != 1)
		die("%s: %zu fixups", dev->sysname, hs_attached_list_count(*list));
	return hs_attached_list_get(*list, 0);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One report in, one output report out; microseconds. */
static double round_trip(struct uhid_device *dev, const uint8_t *report, size_t size)
{
	struct uhid_event ev;
	double start = now();

	if (uhid_device_input(dev, report, size))
		die("uhid: input");
	for (;;) {
		struct pollfd p = { .fd = dev->fd, .events = POLLIN };

		if (poll(&p, 1, 5000) <= 0)
			die("no output report within 5 s");
		if (read(dev->fd, &ev, sizeof(ev)) > 0 && ev.type == UHID_OUTPUT)
			return (now() - start) * 1e6;
	}
}

/*
 * In turns, so that what else the machine does meets all of them. @wait_us: what each
 * of them waits on purpose.
 */
static void compare_latency(struct uhid_device *dev, const char *const *what, unsigned int n,
			    const uint8_t *report, size_t size, unsigned int runs, double wait_us)
{
	double *times[3];

	for (unsigned int i = 0; i < n; i++) {
		times[i] = calloc(runs, sizeof(double));
		if (!times[i])
			die("no memory");
	}
	for (unsigned int r = 0; r < runs; r++)
		for (unsigned int i = 0; i < n; i++)
			times[i][r] = round_trip(&dev[i], report, size) - wait_us;
	for (unsigned int i = 0; i < n; i++)
		qsort(times[i], runs, sizeof(double), by_value);
	for (unsigned int i = 0; i < n; i++) {
		printf("  %-28s median %8.1f us, 99%% %8.1f us, ratio %.2f\n", what[i],
		       times[i][runs / 2], times[i][runs * 99 / 100],
		       times[i][runs / 2] / times[0][runs / 2]);
		free(times[i]);
		detach(&dev[i]);
		uhid_device_destroy(&dev[i]);
	}
}

static void bench_latency(unsigned int runs)
{
	static const char *const objects[] = { "bench-wq", "bench-timer", "bench-job" };
	static const char *const what[] = { "bpf_wq by hand", "timer, then bpf_wq by hand",
					    "job of io.bpf.h" };
	static const uint8_t report[16] = { 2, 1 };
	struct uhid_device dev[3];

	for (unsigned int i = 0; i < 3; i++) {
		plug(&dev[i], i);
		attach(&dev[i], objects[i]);
	}
	usleep(500000);
	printf("event to output report, %u runs each, taken in turns:\n", runs);
	compare_latency(dev, what, 3, report, sizeof(report), runs, 0);
}

static void drain(struct uhid_device *dev)
{
	struct pollfd p = { .fd = dev->fd, .events = POLLIN };
	struct uhid_event ev;

	while (poll(&p, 1, 200) > 0)
		if (read(dev->fd, &ev, sizeof(ev)) < 0)
			break;
}

/* Both answer this report with an output report, 10 ms later. */
static void bench_ack05(char *const *objects, unsigned int n, unsigned int runs)
{
	static const uint8_t came_back[12] = { 0x02, 0xf8, 0x02, 0x01 };
	const char *what[2];
	struct uhid_device dev[2];

	for (unsigned int i = 0; i < n; i++) {
		const char *name = strrchr(objects[i], '/');

		what[i] = name ? name + 1 : objects[i];
		plug_as(&dev[i], 50 + i, 0x28bd, 0x0202, ack05_rdesc, sizeof(ack05_rdesc));
		attach_file(&dev[i], objects[i]);
	}
	usleep(500000);
	/* What was sent at attach is not to be taken for an answer. */
	for (unsigned int i = 0; i < n; i++)
		drain(&dev[i]);
	printf("event to output report beyond the 10 ms that are meant, %u runs each:\n", runs);
	compare_latency(dev, what, n, came_back, sizeof(came_back), runs, 10000);
}

/* Nanoseconds that one call of the event program takes, by the kernel's own count. */
static double event_cost(const char *object, unsigned int runs)
{
	uint8_t report[16] = { 2, 2 };
	struct hs_attached_list *list;
	const struct hs_attached *a;
	struct uhid_device dev;
	double cost = 0;
	int stats;

	plug(&dev, 100);
	attach(&dev, object);
	usleep(200000);
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	for (unsigned int i = 0; i < runs; i++)
		uhid_device_input(&dev, report, sizeof(report));
	a = attached(&dev, &list);
	for (size_t i = 0; i < a->n_programs; i++) {
		const struct hs_attached_program *p = &a->programs[i];

		if (!strcmp(p->hook, "hid_device_event") && p->run_count >= runs)
			cost = (double)p->run_time_ns / (double)p->run_count;
	}
	if (cost <= 0)
		die("%s: its event program did not run", object);
	hs_attached_list_free(list);
	close(stats);
	detach(&dev);
	uhid_device_destroy(&dev);
	return cost;
}

static void bench_events(unsigned int runs)
{
	double plain = event_cost("bench-plain", runs);
	double idle = event_cost("bench-idle", runs);

	printf("event that asks for nothing, %u runs:\n", runs);
	printf("  without device IO            %7.1f ns\n", plain);
	printf("  with jobs and hs_answer()    %7.1f ns, %.1f more, ratio %.2f\n", idle,
	       idle - plain, idle / plain);
}

static unsigned long memlock(int fd)
{
	char path[64], line[256];
	unsigned long bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %lu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	if (fd >= 0)
		close(fd);
	return bytes;
}

/* The highest number that the kernel has given to a program or map. */
static __u32 last_id(int (*next)(__u32, __u32 *))
{
	__u32 id = 0;

	while (!next(id, &id))
		;
	return id;
}

static unsigned long memory_after(__u32 id, int (*next)(__u32, __u32 *), int (*open_id)(__u32))
{
	unsigned long bytes = 0;

	while (!next(id, &id))
		bytes += memlock(open_id(id));
	return bytes;
}

/* All that stays after an attach, pinned or held by something that is. */
static void print_memory(const char *object)
{
	__u32 last_program = last_id(bpf_prog_get_next_id), last_map = last_id(bpf_map_get_next_id);
	struct uhid_device dev;

	plug(&dev, 101);
	attach(&dev, object);
	/* What attaching needed is freed a while later. */
	usleep(1000000);
	printf("  %-12s %6lu bytes of maps, %6lu of programs\n", object,
	       memory_after(last_map, bpf_map_get_next_id, bpf_map_get_fd_by_id),
	       memory_after(last_program, bpf_prog_get_next_id, bpf_prog_get_fd_by_id));
	detach(&dev);
	uhid_device_destroy(&dev);
	usleep(1000000);
}

struct totals {
	uint64_t runs, missed, late, reports;
};

static void add_totals(struct uhid_device *dev, struct totals *t)
{
	struct hs_attached_list *list;
	const struct hs_attached *a = attached(dev, &list);
	__u32 zero = 0;

	for (size_t i = 0; a->io && i < a->io->n_jobs; i++) {
		t->runs += a->io->jobs[i].runs;
		t->missed += a->io->jobs[i].missed;
		/* [15]: from 16 ms */
		for (size_t k = 15; k < HS_LATENCIES; k++)
			t->late += a->io->jobs[i].latency[k];
	}
	for (size_t i = 0; i < a->n_maps; i++) {
		int fd;
		uint64_t n;

		if (strcmp(a->maps[i].name, "reports"))
			continue;
		fd = bpf_map_get_fd_by_id(a->maps[i].id);
		if (fd < 0 || bpf_map_lookup_elem(fd, &zero, &n))
			die("reports: %s", strerror(errno));
		t->reports += n;
		close(fd);
	}
	hs_attached_list_free(list);
}

static struct totals all_totals(struct uhid_device *dev, unsigned int n)
{
	struct totals t = { 0 };

	for (unsigned int i = 0; i < n; i++)
		add_totals(&dev[i], &t);
	return t;
}

/* What nobody else wants of one processor, in rounds a second. */
static double spare_rounds(double seconds)
{
	struct sched_param param = { 0 };
	double start = now(), took;
	uint64_t rounds = 0;

	sched_setscheduler(0, SCHED_IDLE, &param);
	while ((took = now() - start) < seconds)
		for (volatile int i = 0; i < 10000; i++)
			rounds++;
	sched_setscheduler(0, SCHED_OTHER, &param);
	return (double)rounds / took;
}

/* Each device sends a report every 50 ms meanwhile. */
static uint64_t send_reports(struct uhid_device *dev, unsigned int n, unsigned int seconds)
{
	uint8_t report[16] = { 2, 2 };
	double start = now();
	uint64_t sent = 0;

	for (unsigned int round = 1; round <= seconds * 20; round++) {
		double left;

		for (unsigned int i = 0; i < n; i++)
			sent += !uhid_device_input(&dev[i], report, sizeof(report));
		left = start + round * 0.05 - now();
		if (left > 0)
			usleep((useconds_t)(left * 1e6));
	}
	return sent;
}

static void bench_many(unsigned int devices, unsigned int seconds)
{
	struct uhid_device *dev = calloc(devices, sizeof(*dev));
	double start, took, free_before, free_then;
	struct totals before, after;
	uint64_t sent;

	if (!dev)
		die("no memory");
	for (unsigned int i = 0; i < devices; i++)
		plug(&dev[i], 200 + i);
	free_before = spare_rounds(0.5);
	for (unsigned int i = 0; i < devices; i++)
		attach(&dev[i], "bench-many");
	free_then = spare_rounds(0.5);

	/* Both readings take as long, and each device's interval is the same. */
	start = now();
	before = all_totals(dev, devices);
	sent = send_reports(dev, devices, seconds);
	took = now() - start;
	after = all_totals(dev, devices);

	printf("%u devices with 8 jobs each every 10 ms for %.0f s:\n", devices, took);
	printf("  %llu runs and %llu missed of about %.0f, %llu later than 16 ms\n",
	       (unsigned long long)(after.runs - before.runs),
	       (unsigned long long)(after.missed - before.missed), devices * 8 * took * 100,
	       (unsigned long long)(after.late - before.late));
	printf("  %llu reports sent meanwhile, %lld lost\n", (unsigned long long)sent,
	       (long long)(sent - (after.reports - before.reports)));
	printf("  %.0f %% of one processor\n", 100 * (1 - free_then / free_before));
	for (unsigned int i = 0; i < devices; i++) {
		detach(&dev[i]);
		uhid_device_destroy(&dev[i]);
	}
	free(dev);
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > 1000000)
		die("'%s' is not a number from 1 to 1000000", text);
	return (unsigned int)n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "runs", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "devices", required_argument, NULL, 'd' },
		{ "ack05", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int runs = 10000, seconds = 60, devices = 64, n_ack05 = 0;
	char *ack05[2];
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			runs = number(optarg);
		else if (c == 's')
			seconds = number(optarg);
		else if (c == 'd')
			devices = number(optarg);
		else if (c == 'a' && n_ack05 < 2)
			ack05[n_ack05++] = optarg;
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_latency(runs);
	if (n_ack05)
		bench_ack05(ack05, n_ack05, runs / 10 + 1);
	bench_events(runs);
	printf("memory of one device:\n");
	print_memory("bench-plain");
	print_memory("bench-wq");
	print_memory("bench-job");
	bench_many(devices, seconds);
	return 0;
}
