// SPDX-License-Identifier: MIT
/*
 * All kinds of private frames in use on all processors at one time: event handlers
 * that nest, a timer's callback that interrupts a program, a deep chain, a uprobe, tail
 * calls. Meanwhile the programs are replaced, so that others are freed all the time.
 * For the debug kernel, whose log must stay empty, and which looks at guard words when
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

#define MAX_CPUS        2
#define ROUNDS_PER_LOAD 16
#define HID_LOAD_US     500000

static const char *const maps[MAX_CPUS] = { "injector_0", "injector_1" };

/* One object at a time: the verifier's log has one place. */
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

struct counts {
	int loads;
	int bad_frames;
	int events, injected;
	int ticks, uprobes, entries;
};

/* The event handlers, for the devices of all workers. */
struct handlers {
	struct bpf_object *obj;
	struct bpf_link *links[MAX_CPUS];
};

struct worker {
	pthread_t thread;
	int cpu;
	time_t end;
	struct device dev;
	struct bpf_object *run, *tail_call;
	struct bpf_link *links[3];
	int *ticks_inside;
	struct counts counts;
	unsigned long rounds;
	int err;
};

static void drain(struct device *dev)
{
	unsigned char report[REPORT_SIZE];

	while (read(dev->hidraw, report, sizeof(report)) > 0)
		;
}

static int attach(struct worker *w)
{
	int map, fd = prog_fd(w->tail_call, "with_frames"), key = 0;
	size_t size;

	/* It tail calls itself. */
	map = bpf_object__find_map_fd_by_name(w->tail_call, "progs");
	if (bpf_map_update_elem(map, &key, &fd, BPF_ANY))
		return -errno;
	/* The other worker's calls enter it, too. */
	set_int(w->run, "only_cpu", w->cpu + 1);
	w->ticks_inside = data_of(w->run, "ticks_inside", &size);
	w->links[0] = bpf_program__attach(bpf_object__find_program_by_name(w->run, "interrupted"));
	w->links[1] =
		bpf_program__attach(bpf_object__find_program_by_name(w->tail_call, "with_frames"));
	w->links[2] = attach_uprobe(bpf_object__find_program_by_name(w->run, "uprobed"));
	return w->ticks_inside && w->links[0] && w->links[1] && w->links[2] ? 0 : -errno;
}

static void load(struct worker *w)
{
	pthread_mutex_lock(&loading);
	w->run = load_programs("run", "chain_of_eight", "interrupted", "uprobed", NULL);
	w->tail_call = w->run ? load_programs("tail-call", "with_frames", NULL) : NULL;
	w->err = w->tail_call ? attach(w) : -errno;
	pthread_mutex_unlock(&loading);
	w->counts.loads++;
}

static void unload(struct worker *w)
{
	size_t i;

	for (i = 0; i < sizeof(w->links) / sizeof(*w->links); i++) {
		bpf_link__destroy(w->links[i]);
		w->links[i] = NULL;
	}
	if (w->run) {
		w->counts.bad_frames += get_int(w->run, "bad_frames");
		w->counts.ticks += get_int(w->run, "ticks");
		w->counts.uprobes += get_int(w->run, "runs");
	}
	if (w->tail_call) {
		w->counts.bad_frames += get_int(w->tail_call, "bad_frames");
		w->counts.entries += get_int(w->tail_call, "entries");
	}
	bpf_object__close(w->run);
	bpf_object__close(w->tail_call);
	w->run = w->tail_call = NULL;
}

static int one_round(struct worker *w)
{
	int ret, err = send_report(&w->dev, 0xaa);

	if (!err)
		err = test_run(prog_fd(w->run, "chain_of_eight"), &ret);
	*(volatile int *)w->ticks_inside = 0;
	if (!err)
		err = test_run(prog_fd(w->run, "interrupted"), &ret);
	(void)getpgid(0);
	uprobe_here();
	drain(&w->dev);
	w->rounds++;
	return err;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	cpu_set_t cpu;
	int i;

	CPU_ZERO(&cpu);
	CPU_SET(w->cpu, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	/* On a slow machine a load may take all the time there is: twice is the least. */
	do {
		load(w);
		i = 0;
		while (!w->err && i < ROUNDS_PER_LOAD && (!i || time(NULL) < w->end)) {
			w->err = one_round(w);
			i++;
		}
		unload(w);
	} while (!w->err && (w->counts.loads < 2 || time(NULL) < w->end));
	return NULL;
}

static void unload_handlers(struct handlers *h, struct counts *counts)
{
	int i;

	for (i = 0; i < MAX_CPUS; i++)
		bpf_link__destroy(h->links[i]);
	if (h->obj) {
		counts->bad_frames += get_int(h->obj, "bad_frames");
		counts->events += get_int(h->obj, "events");
		counts->injected += get_int(h->obj, "injected");
		bpf_object__close(h->obj);
	}
	*h = (struct handlers){};
}

static int load_handlers(struct handlers *h, struct worker *workers)
{
	int i, err = 0;

	*h = (struct handlers){};
	pthread_mutex_lock(&loading);
	h->obj = open_hid("injecting", "injector_");
	if (!h->obj)
		err = -EINVAL;
	for (i = 0; i < MAX_CPUS && !err; i++)
		set_device(h->obj, maps[i], &workers[i].dev);
	if (!err)
		err = bpf_object__load(h->obj);
	for (i = 0; i < MAX_CPUS && !err; i++) {
		h->links[i] = attach_ops(h->obj, maps[i]);
		if (!h->links[i])
			err = -errno;
	}
	pthread_mutex_unlock(&loading);
	return err;
}

/*
 * New handlers are attached before the old ones go, perhaps in the middle of an event.
 * The last ones stay.
 */
static int replace_handlers(struct handlers *h, struct worker *workers, time_t end,
			    struct counts *counts)
{
	struct handlers old;
	int err;

	do {
		usleep(HID_LOAD_US);
		old = *h;
		err = load_handlers(h, workers);
		counts->loads++;
		unload_handlers(&old, counts);
	} while (!err && time(NULL) < end);
	return err;
}

static int check_counts(const struct counts *hid, const struct worker *w, int n)
{
	struct counts sum = {};
	int i;

	for (i = 0; i < n; i++) {
		sum.loads += w[i].counts.loads;
		sum.bad_frames += w[i].counts.bad_frames;
		sum.ticks += w[i].counts.ticks;
		sum.uprobes += w[i].counts.uprobes;
		sum.entries += w[i].counts.entries;
	}
	ktap_note("%d loads of handlers: %d reports with %d injected", hid->loads, hid->events,
		  hid->injected);
	ktap_note("%d loads of others: %d timer callbacks, %d uprobes, %d entries by tail calls",
		  sum.loads, sum.ticks, sum.uprobes, sum.entries);
	ktap_note("damaged frames: %d in events, %d elsewhere", hid->bad_frames, sum.bad_frames);
	if (hid->bad_frames || sum.bad_frames)
		return 1;
	/* All of it must have happened. */
	return !hid->loads || !hid->injected || sum.loads <= n || !sum.ticks || !sum.uprobes ||
	       !sum.entries;
}

/* Returns 0 if every frame that was looked at had its content. */
int stress(int seconds)
{
	struct worker w[MAX_CPUS] = {};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct handlers handlers = {};
	struct counts hid = {};
	int i, n = 0, err = 0;

	for (i = 0; i < MAX_CPUS; i++)
		w[i].dev = (struct device){ -1, -1, 0 };
	for (i = 0; i < MAX_CPUS && !err; i++)
		err = open_device(&w[i].dev);
	if (!err)
		err = load_handlers(&handlers, w);
	for (i = 0; i < MAX_CPUS && i < cpus && !err; i++) {
		w[i].cpu = i;
		w[i].end = time(NULL) + seconds;
		err = -pthread_create(&w[i].thread, NULL, work, &w[i]);
		n += !err;
	}
	if (!err)
		err = replace_handlers(&handlers, w, w[0].end, &hid);
	for (i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		ktap_note("CPU %d: %lu rounds, error %d", i, w[i].rounds, w[i].err);
		err = err ?: w[i].err;
	}
	unload_handlers(&handlers, &hid);
	for (i = 0; i < MAX_CPUS; i++)
		close_device(&w[i].dev);
	if (err)
		ktap_note("stress: %s", strerror(err < 0 ? -err : err));
	return err ?: check_counts(&hid, w, n);
}
