// SPDX-License-Identifier: MIT
/*
 * How long it takes from an event of the device to a sleepable callback's first
 * instruction, and to its request at the device.
 */
#include "device.h"
#include "harness.h"
#include "timer.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLES 100000

struct samples {
	uint64_t first[MAX_SAMPLES]; /* ns after event and delay */
	uint64_t request[MAX_SAMPLES];
};

struct figures {
	double median, p99;
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static struct figures summarize(uint64_t *ns, unsigned int n)
{
	qsort(ns, n, sizeof(*ns), compare);
	return (struct figures){ ns[n / 2] / 1000.0, ns[n * 99ULL / 100] / 1000.0 };
}

/* One event at a time, the ways in turn: what else the machine does hits all
 * of them alike.
 */
static void measure(struct device *dev, volatile struct run *run, uint64_t delay,
		    const enum way *ways, unsigned int nr_ways, unsigned int n,
		    struct samples *samples)
{
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int w = 0; w < nr_ways; w++) {
			unsigned int requests = dev->requests, runs = run->runs;

			run->way = ways[w];
			run->delay = delay;
			device_send(dev, i);
			check(device_wait_request(dev, requests + 1, 5000), "no request came");
			samples[w].first[i] = run->first - run->event - delay;
			samples[w].request[i] = dev->last_time - run->event - delay;
			check(wait_for(run->runs == runs + 1, 1000), "the callback did not end");
		}
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "sleepable timer", "timer, then work item",
					     "work item alone" };
	static const enum way all[] = { WAY_SLEEPABLE, WAY_TIMER_WQ, WAY_WQ };
	static const uint64_t delays[] = { 0, 1000000, 10000000 };
	unsigned int n[3] = { 10000, 10000, 10000 };
	struct samples *samples = calloc(NR_WAYS, sizeof(*samples));
	volatile struct run *run;
	struct bpf_object *obj;
	struct bpf_link *link;
	struct device *dev;

	check(samples, "no memory");
	/* each number is for its delay and those after it */
	for (int i = 0; i < 3 && argc > 1; i++)
		n[i] = strtoul(argv[i + 1 < argc ? i + 1 : argc - 1], NULL, 10);
	for (int i = 0; i < 3; i++) {
		if (n[i] && n[i] <= MAX_SAMPLES)
			continue;
		fprintf(stderr,
			"usage: bench-timer [EVENTS [EVENTS-AT-1-MS [EVENTS-AT-10-MS]]]\n"
			"Each number is from 1 to %d.\n",
			MAX_SAMPLES);
		return 2;
	}
	dev = device_new();
	obj = open_object("timer");
	set_const(obj, "hid_id", dev->id);
	set_hid_id(obj, "latency", dev->id);
	load_object(obj);
	run = find_var(obj, "run");
	link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(obj, "latency"));
	check(link, "the program does not attach");

	/* base kernels have no sleepable timers: what they have is measured */
	unsigned int from = kernel_has_func("bpf_timer_set_sleepable_cb") ? 0 : 1;

	printf("| delay | way | event to callback, median us | 99%% | event to request, median us | 99%% | ratio |\n"
	       "|---|---|---|---|---|---|---|\n");
	for (unsigned int d = 0; d < 3; d++) {
		/* a work item has no delay */
		unsigned int nr = (d ? 2 : 3) - from;
		double reference = 0;

		measure(dev, run, delays[d], all + from, nr, n[d], samples);
		for (unsigned int w = 0; w < nr; w++) {
			struct figures first = summarize(samples[w].first, n[d]);
			struct figures request = summarize(samples[w].request, n[d]);

			reference = reference ? reference : first.median;
			printf("| %g ms | %s | %.0f | %.0f | %.0f | %.0f | %.2f |\n",
			       delays[d] / 1e6, names[w + from], first.median, first.p99,
			       request.median, request.p99, first.median / reference);
		}
		fflush(stdout);
	}
	bpf_link__destroy(link);
	bpf_object__close(obj);
	device_free(dev);
	return 0;
}
