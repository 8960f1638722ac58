// SPDX-License-Identifier: MIT
/*
 * What device IO costs. Runs in the VM:
 *
 *	kernel/vm -- build/tests/bench/bench-io [--runs N] [--seconds S] [--devices D]
 *
 * Compare the ratios: the times are those of an emulated machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/types.h>
#include <linux/uhid.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/hidsmith/io_status.h"
#include "core/base/util.h"
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

static void plug(struct uhid_device *dev, unsigned int number)
{
	char uniq[24];
	struct uhid_description d = {
		.name = "bench",
		.phys = "bench",
		.uniq = uniq,
		.bus = 3,
		.vendor = 0x1209,
		.product = 0x4a0b,
		.rdesc = rdesc,
		.rdesc_size = sizeof(rdesc),
	};
	int rc;

	snprintf(uniq, sizeof(uniq), "bench-%u", number);
	rc = uhid_device_create(dev, &d);
	if (rc)
		die("uhid: %s", strerror(-rc));
}

static void attach(struct uhid_device *dev, const char *object)
{
	struct hs_attach_opts opts = { .size = sizeof(opts) };
	struct hs_error err = { 0 };
	struct hs_fixup *fixup;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", BENCH_BPF_DIR, object);
	if (hs_fixup_open(path, 0, &fixup, &err) ||
	    hs_fixup_attach(fixup, dev->sysname, &opts, &err))
		die("%s", err.text);
	hs_fixup_free(fixup);
}

static void detach(struct uhid_device *dev)
{
	struct hs_error err = { 0 };

	if (hs_fixup_detach(dev->sysname, NULL, NULL, &err) < 0)
		die("%s", err.text);
}

static int pinned(struct uhid_device *dev, const char *object, const char *pin)
{
	char path[512], name[64];
	int fd;

	snprintf(name, sizeof(name), "%s", dev->sysname);
	for (char *c = name; *c; c++)
		if (*c == ':' || *c == '.')
			*c = '_';
	snprintf(path, sizeof(path), "/sys/fs/bpf/hid/%s/%s_bpf/%s", name, object, pin);
	fd = bpf_obj_get(path);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One report in, one output report out; microseconds. */
static double round_trip(struct uhid_device *dev)
{
	uint8_t report[16] = { 2, 1 };
	struct uhid_event ev;
	double start = now();

	if (uhid_device_input(dev, report, sizeof(report)))
		die("uhid: input");
	for (;;) {
		struct pollfd p = { .fd = dev->fd, .events = POLLIN };

		if (poll(&p, 1, 5000) <= 0)
			die("no output report within 5 s");
		if (read(dev->fd, &ev, sizeof(ev)) > 0 && ev.type == UHID_OUTPUT)
			return (now() - start) * 1e6;
	}
}

/* In turns, so that what else the machine does meets all of them. */
static void bench_latency(unsigned int runs)
{
	static const char *const objects[] = { "bench-wq", "bench-timer", "bench-job" };
	static const char *const what[] = { "bpf_wq by hand", "timer, then bpf_wq by hand",
					    "job of io.bpf.h" };
	struct uhid_device dev[3];
	double *times[3], median[3];

	for (unsigned int i = 0; i < 3; i++) {
		plug(&dev[i], i);
		attach(&dev[i], objects[i]);
		times[i] = calloc(runs, sizeof(double));
		if (!times[i])
			die("no memory");
	}
	usleep(500000);
	for (unsigned int n = 0; n < runs; n++)
		for (unsigned int i = 0; i < 3; i++)
			times[i][n] = round_trip(&dev[i]);

	printf("event to output report, %u runs each, taken in turns:\n", runs);
	for (unsigned int i = 0; i < 3; i++) {
		qsort(times[i], runs, sizeof(double), by_value);
		median[i] = times[i][runs / 2];
		printf("  %-28s median %8.1f us, 99%% %8.1f us, ratio %.2f\n", what[i], median[i],
		       times[i][runs * 99 / 100], median[i] / median[0]);
		free(times[i]);
		detach(&dev[i]);
		uhid_device_destroy(&dev[i]);
	}
}

/* Nanoseconds that one call of the event program takes, by the kernel's own count. */
static double event_cost(const char *object, unsigned int runs, unsigned int *insns)
{
	uint8_t report[16] = { 2, 2 };
	struct bpf_prog_info info = { 0 };
	__u32 id = 0, size;
	struct uhid_device dev;
	int stats, fd = -1;

	plug(&dev, 100);
	attach(&dev, object);
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	for (unsigned int i = 0; i < runs; i++)
		uhid_device_input(&dev, report, sizeof(report));
	while (!bpf_prog_get_next_id(id, &id)) {
		int next = bpf_prog_get_fd_by_id(id);

		size = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (next < 0)
			continue;
		if (!bpf_prog_get_info_by_fd(next, &info, &size) && !strcmp(info.name, "event") &&
		    info.run_cnt >= runs) {
			fd = next;
			break;
		}
		close(next);
	}
	if (fd < 0)
		die("%s: no event program", object);
	close(fd);
	close(stats);
	*insns = info.xlated_prog_len / 8;
	detach(&dev);
	uhid_device_destroy(&dev);
	return (double)info.run_time_ns / (double)info.run_cnt;
}

static void bench_events(unsigned int runs)
{
	unsigned int plain_insns, idle_insns;
	double plain = event_cost("bench-plain", runs, &plain_insns);
	double idle = event_cost("bench-idle", runs, &idle_insns);

	printf("event that asks for nothing, %u runs:\n", runs);
	printf("  without device IO            %4u instructions, %7.1f ns\n", plain_insns, plain);
	printf("  with jobs and hs_answer()    %4u instructions, %7.1f ns, ratio %.2f\n",
	       idle_insns, idle, idle / plain);
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
	return bytes;
}

static void bench_many(unsigned int devices, unsigned int seconds)
{
	struct uhid_device *dev = calloc(devices, sizeof(*dev));
	uint64_t runs = 0, missed = 0, late = 0;
	struct tms before, after;
	double start, took, wanted;
	unsigned long memory = 0;

	if (!dev)
		die("no memory");
	for (unsigned int i = 0; i < devices; i++) {
		plug(&dev[i], 200 + i);
		attach(&dev[i], "bench-many");
	}
	start = now();
	times(&before);
	sleep(seconds);
	took = now() - start;
	times(&after);
	for (unsigned int i = 0; i < devices; i++) {
		int fd = pinned(&dev[i], "bench-many", "hs_status");
		struct hs_io_status s;
		__u32 zero = 0;

		if (bpf_map_lookup_elem(fd, &zero, &s))
			die("hs_status: %s", strerror(errno));
		if (!i) {
			int device = pinned(&dev[i], "bench-many", "hs_device");

			memory = memlock(fd) + memlock(device);
			close(device);
		}
		for (unsigned int j = 0; j < s.n_jobs; j++) {
			runs += s.job[j].runs;
			missed += s.job[j].missed;
			for (unsigned int k = 15; k < HS_IO_LATENCIES; k++)
				late += s.job[j].latency[k];
		}
		close(fd);
		detach(&dev[i]);
		uhid_device_destroy(&dev[i]);
	}
	wanted = devices * 8 * took * 100;
	printf("%u devices with 8 jobs each every 10 ms for %.0f s:\n", devices, took);
	printf("  %llu runs and %llu missed of about %.0f, %llu later than 16 ms\n",
	       (unsigned long long)runs, (unsigned long long)missed, wanted,
	       (unsigned long long)late);
	printf("  maps of one device: %lu bytes\n", memory);
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
		{ NULL, 0, NULL, 0 },
	};
	unsigned int runs = 10000, seconds = 60, devices = 64;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			runs = number(optarg);
		else if (c == 's')
			seconds = number(optarg);
		else if (c == 'd')
			devices = number(optarg);
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_latency(runs);
	bench_events(runs);
	bench_many(devices, seconds);
	return 0;
}
