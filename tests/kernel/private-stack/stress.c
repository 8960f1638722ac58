// SPDX-License-Identifier: MIT
/*
 * All kinds of private frames in use on all processors at one time: event handlers
 * that nest, a timer's callback that interrupts a program, a deep chain. For the
 * debug kernel, whose log must stay empty, and which looks at guard words when
 * the programs are freed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../ktap.h"
#include "private-stack.h"

#define MAX_CPUS 2

struct worker {
	pthread_t thread;
	int cpu;
	time_t end;
	struct device dev;
	struct bpf_object *run;
	unsigned long rounds;
	int err;
};

static void drain(struct device *dev)
{
	unsigned char report[REPORT_SIZE];

	while (read(dev->hidraw, report, sizeof(report)) > 0)
		;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int ret, chain = prog_fd(w->run, "chain_of_eight");
	int interrupted = prog_fd(w->run, "interrupted");
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(w->cpu, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	while (time(NULL) < w->end && !w->err) {
		w->err = send_report(&w->dev, 0xaa);
		if (!w->err)
			w->err = test_run(chain, &ret);
		set_int(w->run, "ticks_inside", 0);
		if (!w->err)
			w->err = test_run(interrupted, &ret);
		drain(&w->dev);
		w->rounds++;
	}
	return NULL;
}

/* Returns 0 if every frame that was looked at had its content. */
int stress(int seconds)
{
	static const char *const maps[MAX_CPUS] = { "injector_0", "injector_1" };
	struct bpf_link *links[MAX_CPUS] = {}, *timed = NULL;
	struct bpf_object *hid = open_hid("injecting", "injector_");
	struct bpf_object *run = load_programs("run", "chain_of_eight", "interrupted", NULL);
	struct worker w[MAX_CPUS] = {};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int i, n, err = 0;

	n = cpus < MAX_CPUS ? (int)cpus : MAX_CPUS;
	if (!hid || !run) {
		err = -EINVAL;
		goto out;
	}
	for (i = 0; i < MAX_CPUS; i++)
		w[i].dev = (struct device){ -1, -1, 0 };
	for (i = 0; i < MAX_CPUS && !err; i++) {
		err = open_device(&w[i].dev);
		set_device(hid, maps[i], &w[i].dev);
	}
	if (!err)
		err = bpf_object__load(hid);
	for (i = 0; i < MAX_CPUS && !err; i++) {
		links[i] = attach_ops(hid, maps[i]);
		if (!links[i])
			err = -errno;
	}
	timed = bpf_program__attach(bpf_object__find_program_by_name(run, "interrupted"));
	if (err || !timed)
		goto out;

	for (i = 0; i < n; i++) {
		w[i].cpu = i;
		w[i].run = run;
		w[i].end = time(NULL) + seconds;
		err = -pthread_create(&w[i].thread, NULL, work, &w[i]);
		if (err)
			goto out;
	}
	for (i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		ktap_note("CPU %d: %lu rounds, error %d", i, w[i].rounds, w[i].err);
		if (w[i].err)
			err = w[i].err;
	}
	ktap_note("%d reports with %d injected, %d timer callbacks", get_int(hid, "events"),
		  get_int(hid, "injected"), get_int(run, "ticks"));
	if (!err && (get_int(hid, "bad_frames") || get_int(run, "bad_frames"))) {
		ktap_note("damaged frames: %d in events, %d elsewhere", get_int(hid, "bad_frames"),
			  get_int(run, "bad_frames"));
		err = 1;
	}
	if (!err && (!get_int(hid, "injected") || !get_int(run, "ticks")))
		err = 1;
out:
	bpf_link__destroy(timed);
	for (i = 0; i < MAX_CPUS; i++) {
		bpf_link__destroy(links[i]);
		close_device(&w[i].dev);
	}
	bpf_object__close(run);
	bpf_object__close(hid);
	return err;
}
