// SPDX-License-Identifier: MIT
/*
 * Sleepable timer callbacks: one test for each promise of
 * bpf_timer_set_sleepable_cb().
 */
#define _GNU_SOURCE
#include "device.h"
#include "harness.h"
#include "progs/expiry.h"
#include "progs/hardirq.h"
#include "progs/timers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS 1000000ULL

struct scene {
	struct device *dev;
	struct bpf_object *obj;
	volatile struct seen *seen;
};

static struct scene start_scene(void)
{
	struct scene s = { .dev = device_new() };

	check(kernel_has_func("bpf_timer_set_sleepable_cb"),
	      "the kernel has no bpf_timer_set_sleepable_cb()");
	s.obj = open_object("timers");
	set_const(s.obj, "hid_id", s.dev->id);
	load_object(s.obj);
	s.seen = find_var(s.obj, "seen");
	return s;
}

/* The test went well if nothing is left to happen and nobody met himself. */
static void end_scene(struct scene *s)
{
	for (int i = 0; i < NR_ELEMS; i++) {
		check_int("callbacks of one timer at a time", s->seen[i].overlaps, 0);
		check_int("callbacks where they do not belong", s->seen[i].wrong_context, 0);
	}
	bpf_object__close(s->obj);
	device_free(s->dev);
}

static int control(struct scene *s, const char *map, struct args args)
{
	char prog[32];

	snprintf(prog, sizeof(prog), "control_%s", map);
	run_prog(s->obj, prog, &args, sizeof(args));
	return args.ret;
}

static int op(struct scene *s, const char *map, enum op what, int key)
{
	return control(s, map, (struct args){ .op = what, .key = key });
}

static void init(struct scene *s, const char *map, int key)
{
	check_int("bpf_timer_init()", op(s, map, OP_INIT, key), 0);
}

static void arm(struct scene *s, const char *map, int key, uint64_t nsecs, uint64_t flags,
		struct plan plan)
{
	struct args args = {
		.op = OP_ARM,
		.key = key,
		.nsecs = nsecs,
		.flags = flags,
		.plan = plan,
	};

	check_int("arming", control(s, map, args), 0);
}

/* Arms it without a delay; returns when its callback waits for the device to answer. */
static void block(struct scene *s, const char *map, int key, struct plan plan)
{
	init(s, map, key);
	device_hold(s->dev, true);
	arm(s, map, key, 0, 0, plan);
	check(device_wait_request(s->dev, 1, 3000), "the callback did not block");
}

static bool ran(struct scene *s, int slot, unsigned int n)
{
	return wait_for(s->seen[slot].sleepable_runs >= n, 3000);
}

static int map_fd(struct scene *s, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(s->obj, name);

	check(fd >= 0, "no map %s", name);
	return fd;
}

/* An element of a hash: bpf_timer_init() needs one that is there. */
static void new_elem(struct scene *s, const char *map, int key)
{
	size_t size = bpf_map__value_size(bpf_object__find_map_by_name(s->obj, map));
	void *value = calloc(1, size);

	check(value && !bpf_map_update_elem(map_fd(s, map), &key, value, BPF_ANY),
	      "element %d of %s: %s", key, map, strerror(errno));
	free(value);
}

static void start_relative(void)
{
	struct scene s = start_scene();
	uint64_t before = now_ns();

	init(&s, "array", 0);
	arm(&s, "array", 0, 30 * MS, 0, (struct plan){ 0 });
	check(ran(&s, 0, 1), "the callback did not run");
	check(s.seen[0].time >= before + 30 * MS, "it ran %lld us too early",
	      (long long)(before + 30 * MS - s.seen[0].time) / 1000);
	sleep_ms(60);
	check_int("runs", s.seen[0].sleepable_runs, 1);
	end_scene(&s);
}

static void start_absolute(void)
{
	struct scene s = start_scene();
	uint64_t when = now_ns() + 50 * MS;

	init(&s, "array", 0);
	arm(&s, "array", 0, when, BPF_F_TIMER_ABS, (struct plan){ 0 });
	check(ran(&s, 0, 1), "the callback did not run");
	check(s.seen[0].time >= when, "it ran too early");
	end_scene(&s);
}

/* Started on one CPU while another one is busy, pinned: runs where it started. */
static void start_pinned(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct scene s = start_scene();

	init(&s, "array", 0);
	for (int i = 0; i < 20; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i % cpus, &set);
		check(!sched_setaffinity(0, sizeof(set), &set), "no CPU %ld", i % cpus);
		arm(&s, "array", 0, 2 * MS, BPF_F_TIMER_CPU_PIN, (struct plan){ 0 });
		check(ran(&s, 0, i + 1), "run %d did not come", i);
		check_int("CPU", s.seen[0].cpu, i % cpus);
	}
	end_scene(&s);
}

static void not_initialized(void)
{
	struct scene s = start_scene();

	check_int("set on a raw timer", op(&s, "array", OP_SET, 0), -EINVAL);
	init(&s, "array", 0);
	check_int("start without a callback", op(&s, "array", OP_START, 0), -EINVAL);
	check_int("set", op(&s, "array", OP_SET, 0), 0);
	end_scene(&s);
}

static void rearm(void)
{
	struct scene s = start_scene();

	init(&s, "array", 0);
	arm(&s, "array", 0, 0, 0, (struct plan){ .action = ACT_REARM, .arg = 500 });
	check(wait_for(s.seen[0].sleepable_runs >= 500, 20000), "only %u of 500 runs",
	      s.seen[0].sleepable_runs);
	sleep_ms(20);
	check_int("runs", s.seen[0].sleepable_runs, 500);
	end_scene(&s);
}

static void cancel_idle(void)
{
	struct scene s = start_scene();

	init(&s, "array", 0);
	check_int("set", op(&s, "array", OP_SET, 0), 0);
	check_int("cancel of an idle timer", op(&s, "array", OP_CANCEL, 0), 0);
	check_int("start after cancel", op(&s, "array", OP_START, 0), -EINVAL);
	end_scene(&s);
}

static void cancel_armed(void)
{
	struct scene s = start_scene();

	init(&s, "array", 0);
	arm(&s, "array", 0, 100 * MS, 0, (struct plan){ 0 });
	check_int("cancel", op(&s, "array", OP_CANCEL, 0), 1);
	sleep_ms(200);
	check_int("runs", s.seen[0].sleepable_runs, 0);
	end_scene(&s);
}

/* Cancel close to expiry, over and over: after 0 or 1 there is no run, and a
 * timer that is started again for later does not run for the old expiry.
 */
static void cancel_race(void)
{
	struct scene s = start_scene();
	unsigned int won = 0, busy = 0;

	init(&s, "array", 0);
	for (int i = 0; i < 300; i++) {
		unsigned int runs;
		int ret, again;

		arm(&s, "array", 0, (i % 40) * 10000, 0, (struct plan){ 0 });
		for (volatile int spin = 0; spin < (i * 37) % 4000; spin++)
			;
		ret = op(&s, "array", OP_CANCEL, 0);
		runs = s.seen[0].sleepable_runs;
		check(ret == 0 || ret == 1 || ret == -EBUSY, "cancel gives %d", ret);
		won += ret == 1;
		busy += ret == -EBUSY;
		arm(&s, "array", 0, 600000 * MS, 0, (struct plan){ 0 });
		sleep_ms(2);
		if (ret >= 0)
			check_int("runs after cancel", s.seen[0].sleepable_runs, runs);
		again = op(&s, "array", OP_CANCEL, 0);
		/* the run that the first cancel found may have no processor for that long */
		check(again == 1 || (ret == -EBUSY && again == -EBUSY),
		      "cancel gives %d, then %d for the new start", ret, again);
	}
	note("300 rounds: %u cancelled in time, %u found it running", won, busy);
	check(won > 0, "no round cancelled in time");
	end_scene(&s);
}

static void cancel_self(void)
{
	struct scene s = start_scene();

	init(&s, "array", 0);
	arm(&s, "array", 0, 0, 0, (struct plan){ .action = ACT_CANCEL_SELF });
	check(ran(&s, 0, 1), "the callback did not run");
	check_int("cancel in the callback", s.seen[0].result, -EDEADLK);
	/* which changed nothing: it had started itself again before */
	check(ran(&s, 0, 2), "the start before it was lost");
	check(wait_for(op(&s, "array", OP_CANCEL, 0) >= 0, 1000), "it does not stop");
	end_scene(&s);
}

/* A timer that expires again while its callback runs, and is started anew before that
 * ends: what it expired for is not to come any more.
 */
static void restart_running(void)
{
	struct scene s = start_scene();

	block(&s, "array", 0, (struct plan){ .action = ACT_BLOCK });
	control(&s, "array", (struct args){ .op = OP_START, .nsecs = MS });
	sleep_ms(50);
	control(&s, "array", (struct args){ .op = OP_START, .nsecs = 100000 * MS });
	device_hold(s.dev, false);
	check(ran(&s, 0, 1), "the callback did not end");
	sleep_ms(300);
	check_int("runs, 100 s before the second is due", s.seen[0].sleepable_runs, 1);
	check_int("requests of the callback", s.dev->requests, 1);
	check_int("cancel of what was started last", op(&s, "array", OP_CANCEL, 0), 1);
	end_scene(&s);
}

static void cancel_running(void)
{
	struct scene s = start_scene();

	block(&s, "array", 0, (struct plan){ .action = ACT_BLOCK });
	/* armed again meanwhile: cancel must take that back */
	check_int("start", op(&s, "array", OP_START, 0), 0);
	uint64_t before = now_ns();
	check_int("cancel", op(&s, "array", OP_CANCEL, 0), -EBUSY);
	check(now_ns() - before < 1000 * MS, "cancel waited");
	device_hold(s.dev, false);
	check(ran(&s, 0, 1), "the callback did not end");
	sleep_ms(100);
	check_int("runs", s.seen[0].sleepable_runs, 1);
	check_int("cancel when it has ended", op(&s, "array", OP_CANCEL, 0), 0);
	end_scene(&s);
}

/* Two sleepable callbacks that run at the same time and cancel each other. */
static void cancel_each_other(void)
{
	struct scene s = start_scene();
	struct device *second = device_new();

	init(&s, "array", 1);
	/* 0 blocks, 1 waits for the device behind it: both are inside */
	block(&s, "array", 0, (struct plan){ .action = ACT_BLOCK_CANCEL, .arg = 1, .slot = 0 });
	arm(&s, "array", 1, 0, 0, (struct plan){ .action = ACT_BLOCK_CANCEL, .arg = 0, .slot = 1 });
	check(wait_for(s.seen[1].inside, 3000), "the second did not start");
	device_hold(s.dev, false);
	check(ran(&s, 0, 1) && ran(&s, 1, 1), "they wait for each other");
	check(s.seen[0].result == -EBUSY || s.seen[1].result == -EBUSY,
	      "neither found the other one running: %d and %d", s.seen[0].result, s.seen[1].result);
	device_free(second);
	end_scene(&s);
}

static void cancel_across_kinds(void)
{
	struct scene s = start_scene();

	init(&s, "array", 1);
	block(&s, "array", 0, (struct plan){ .action = ACT_BLOCK, .slot = 0 });
	check_int("plan",
		  control(&s, "array",
			  (struct args){ .op = OP_PLAN,
					 .key = 1,
					 .plan = { ACT_CANCEL_OTHER_PLAIN, .arg = 0, .slot = 1 } }),
		  0);
	check_int("set plain", op(&s, "array", OP_SET_PLAIN, 1), 0);
	check_int("start", op(&s, "array", OP_START, 1), 0);
	check(wait_for(s.seen[1].plain_runs == 1, 3000), "the plain callback did not run");
	check_int("cancel in softirq", s.seen[1].result, -EBUSY);
	device_hold(s.dev, false);
	check(ran(&s, 0, 1), "the callback did not end");

	/* and the other way round: a sleepable one cancels an armed plain one */
	check_int("set plain", op(&s, "array", OP_SET_PLAIN, 1), 0);
	check_int("start for later",
		  control(&s, "array",
			  (struct args){ .op = OP_START, .key = 1, .nsecs = 5000 * MS }),
		  0);
	arm(&s, "array", 0, 0, 0, (struct plan){ .action = ACT_CANCEL_OTHER, .arg = 1 });
	check(ran(&s, 0, 2), "the callback did not run");
	check_int("cancel of a plain one", s.seen[0].result, 1);
	end_scene(&s);
}

static void delete_armed(void)
{
	struct scene s = start_scene();
	int key = 3;

	new_elem(&s, "hash", key);
	init(&s, "hash", key);
	arm(&s, "hash", key, 50 * MS, 0, (struct plan){ 0 });
	check(!bpf_map_delete_elem(map_fd(&s, "hash"), &key), "the element is not there");
	sleep_ms(120);
	check_int("runs", s.seen[0].sleepable_runs, 0);
	end_scene(&s);
}

static void delete_running(void)
{
	struct scene s = start_scene();
	int key = 3;

	new_elem(&s, "hash", key);
	block(&s, "hash", key, (struct plan){ .action = ACT_BLOCK });
	check(!bpf_map_delete_elem(map_fd(&s, "hash"), &key), "the element is not there");
	/* the element's memory is used again at once */
	new_elem(&s, "hash", 4);
	init(&s, "hash", 4);
	sleep_ms(200);
	device_hold(s.dev, false);
	check(wait_for(!s.seen[0].inside, 3000), "the callback did not end");
	sleep_ms(50);
	end_scene(&s);
}

static void delete_self(void)
{
	struct scene s = start_scene();
	char value[256];
	int key = 3;

	new_elem(&s, "hash", key);
	init(&s, "hash", key);
	arm(&s, "hash", key, 0, 0, (struct plan){ .action = ACT_DELETE_SELF, .arg = key });
	check(ran(&s, 0, 1), "the callback did not run");
	check_int("delete", s.seen[0].result, 0);
	check(bpf_map_lookup_elem(map_fd(&s, "hash"), &key, value) == -ENOENT,
	      "the element is still there");
	sleep_ms(50);
	end_scene(&s);
}

/* Deleting a running element that was started again must take that back: what may
 * end after that is the callback that had begun.
 */
static void delete_rearmed(void)
{
	struct scene s = start_scene();
	int key = 3;

	for (int i = 0; i < 50; i++) {
		/* one that ends late must not be taken for one of the next element */
		unsigned int runs, slot = i % NR_ELEMS;

		new_elem(&s, "hash", key);
		init(&s, "hash", key);
		arm(&s, "hash", key, 0, 0,
		    (struct plan){ .action = ACT_REARM, .arg = ~0U, .slot = slot });
		check(wait_for(s.seen[slot].sleepable_runs >= 3, 3000), "the callback did not run");
		check(!bpf_map_delete_elem(map_fd(&s, "hash"), &key), "no element");
		runs = s.seen[slot].sleepable_runs;
		sleep_ms(10);
		check(s.seen[slot].sleepable_runs <= runs + 1,
		      "%u callbacks ended after the element was gone",
		      s.seen[slot].sleepable_runs - runs);
		check(wait_for(!s.seen[slot].inside, 3000), "the callback did not end");
		s.seen[slot].sleepable_runs = 0;
	}
	end_scene(&s);
}

/* The map's last user reference: timers are cancelled, the program stays. */
static void last_uref_armed(void)
{
	struct scene s = start_scene();
	struct bpf_map *map = bpf_object__find_map_by_name(s.obj, "hash");
	int key = 3;

	new_elem(&s, "hash", key);
	init(&s, "hash", key);
	arm(&s, "hash", key, 100 * MS, 0, (struct plan){ 0 });
	/* libbpf holds the only one; it does not mind that it is gone */
	check(!close(bpf_map__fd(map)), "close: %s", strerror(errno));
	sleep_ms(200);
	check_int("runs", s.seen[0].sleepable_runs, 0);
	check_int("set without a user of the map", op(&s, "hash", OP_SET, key), -EINVAL);
	end_scene(&s);
}

static void last_uref_running(void)
{
	struct scene s = start_scene();
	struct bpf_map *map = bpf_object__find_map_by_name(s.obj, "hash");
	int key = 3;

	new_elem(&s, "hash", key);
	block(&s, "hash", key, (struct plan){ .action = ACT_BLOCK });
	check(!close(bpf_map__fd(map)), "close: %s", strerror(errno));
	sleep_ms(200);
	device_hold(s.dev, false);
	check(wait_for(!s.seen[0].inside, 3000), "the callback did not end");
	end_scene(&s);
}

static void unload_armed(void)
{
	struct scene s = start_scene();

	init(&s, "array", 0);
	arm(&s, "array", 0, 100 * MS, 0, (struct plan){ .action = ACT_BLOCK });
	bpf_object__close(s.obj);
	sleep_ms(300);
	check_int("requests", s.dev->requests, 0);
	device_free(s.dev);
}

static void unload_running(void)
{
	struct scene s = start_scene();

	block(&s, "array", 0, (struct plan){ .action = ACT_BLOCK_CANCEL, .arg = 1 });
	bpf_object__close(s.obj);
	sleep_ms(500);
	device_hold(s.dev, false);
	sleep_ms(200);
	device_free(s.dev);
}

static void map_in_map_armed(void)
{
	struct scene s = start_scene();
	int key = 0;

	init(&s, "inner", key);
	arm(&s, "inner", key, 100 * MS, 0, (struct plan){ 0 });
	check(!close(map_fd(&s, "inner0")), "close: %s", strerror(errno));
	check(!bpf_map_delete_elem(map_fd(&s, "outer"), &key), "no inner map");
	sleep_ms(200);
	check_int("runs", s.seen[0].sleepable_runs, 0);
	end_scene(&s);
}

/* The inner map's last references go while a callback of its element blocks. */
static void map_in_map_running(void)
{
	struct scene s = start_scene();
	int key = 0;

	block(&s, "inner", key, (struct plan){ .action = ACT_BLOCK });
	check(!close(map_fd(&s, "inner0")), "close: %s", strerror(errno));
	check(!bpf_map_delete_elem(map_fd(&s, "outer"), &key), "no inner map");
	sleep_ms(500);
	device_hold(s.dev, false);
	check(ran(&s, 0, 1), "the callback did not end");
	end_scene(&s);
}

/* More elements than an LRU map has room for: evicted timers do not run. */
static void lru_evict(void)
{
	struct scene s = start_scene();
	uint64_t start = now_ns();
	unsigned int runs;

	for (int key = 0; key < NR_LRU * 4; key++) {
		new_elem(&s, "lru", key);
		init(&s, "lru", key);
		arm(&s, "lru", key, 3000 * MS, 0, (struct plan){ .slot = 0 });
	}
	check(now_ns() - start < 3000 * MS, "the first timers expired before the last was armed");
	sleep_ms(3500);
	runs = s.seen[0].sleepable_runs;
	check(runs > 0 && runs <= NR_LRU, "%u callbacks ran for %d elements", runs, NR_LRU);
	/* they share a slot of 'seen', which is no overlap of one timer */
	s.seen[0].overlaps = 0;
	end_scene(&s);
}

static void plain_again(void)
{
	struct scene s = start_scene();

	init(&s, "array", 0);
	arm(&s, "array", 0, 0, 0, (struct plan){ 0 });
	check(ran(&s, 0, 1), "the sleepable callback did not run");
	check_int("set plain", op(&s, "array", OP_SET_PLAIN, 0), 0);
	check_int("start", op(&s, "array", OP_START, 0), 0);
	check(wait_for(s.seen[0].plain_runs == 1, 1000), "the plain callback did not run");
	check_int("sleepable runs", s.seen[0].sleepable_runs, 1);
	check_int("set sleepable", op(&s, "array", OP_SET, 0), 0);
	check_int("start", op(&s, "array", OP_START, 0), 0);
	check(ran(&s, 0, 2), "the sleepable callback did not run again");
	check_int("plain runs", s.seen[0].plain_runs, 1);
	end_scene(&s);
}

/* On an armed timer the last callback set is the one that runs. */
static void change_while_armed(void)
{
	struct scene s = start_scene();

	init(&s, "array", 0);
	arm(&s, "array", 0, 50 * MS, 0, (struct plan){ 0 });
	check_int("set plain", op(&s, "array", OP_SET_PLAIN, 0), 0);
	check(wait_for(s.seen[0].plain_runs == 1, 1000), "the plain callback did not run");
	check_int("sleepable runs", s.seen[0].sleepable_runs, 0);
	end_scene(&s);
}

static void change_in_callback(void)
{
	struct scene s = start_scene();

	init(&s, "array", 0);
	arm(&s, "array", 0, 0, 0, (struct plan){ .action = ACT_SET_PLAIN });
	check(wait_for(s.seen[0].plain_runs == 1, 1000), "no plain run after the sleepable one");

	init(&s, "array", 1);
	check_int("plan",
		  control(&s, "array",
			  (struct args){ .op = OP_PLAN,
					 .key = 1,
					 .plan = { ACT_SET_SLEEPABLE, .slot = 1 } }),
		  0);
	check_int("set plain", op(&s, "array", OP_SET_PLAIN, 1), 0);
	check_int("start", op(&s, "array", OP_START, 1), 0);
	check(ran(&s, 1, 1), "no sleepable run after the plain one, set in softirq");
	check_int("set in softirq", s.seen[1].result, 0);
	end_scene(&s);
}

struct setter {
	struct scene *scene;
	bool stop;
};

static void *set_both_kinds(void *arg)
{
	struct setter *setter = arg;

	on_cpu(1);
	while (!__atomic_load_n(&setter->stop, __ATOMIC_ACQUIRE)) {
		op(setter->scene, "array", OP_SET_PLAIN, 0);
		op(setter->scene, "array", OP_SET, 0);
	}
	return NULL;
}

static unsigned int all_runs(const struct scene *s)
{
	return s->seen[0].sleepable_runs + s->seen[0].plain_runs;
}

/* One CPU changes the callback all the time while the timer expires on the other one:
 * what runs is one of both, where it belongs, and each start is followed by a run.
 */
static void change_race(void)
{
	struct scene s = start_scene();
	struct setter setter = { .scene = &s };
	pthread_t thread;

	init(&s, "array", 0);
	check_int("set", op(&s, "array", OP_SET, 0), 0);
	check(!pthread_create(&thread, NULL, set_both_kinds, &setter), "no thread");
	on_cpu(0);
	for (unsigned int i = 0; i < 3000; i++) {
		unsigned int before = all_runs(&s);
		struct args args = { .op = OP_START, .nsecs = i % 2 ? i % 60 * 1000 : 0 };
		uint64_t end = now_ns() + 2000 * MS;

		check_int("start", control(&s, "array", args), 0);
		while (all_runs(&s) == before && now_ns() < end)
			;
		check(all_runs(&s) != before, "start %u was lost", i);
	}
	__atomic_store_n(&setter.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	note("%u sleepable and %u plain runs", s.seen[0].sleepable_runs, s.seen[0].plain_runs);
	check(s.seen[0].sleepable_runs && s.seen[0].plain_runs, "only one kind ran");
	end_scene(&s);
}

/* Output through the virtio port makes interrupts. */
static void in_next_irq(volatile struct hardirq_state *state, enum hardirq_todo todo)
{
	unsigned int done = state->done;

	state->todo = todo;
	check(wait_for((note("waiting for an interrupt"), sleep_ms(2), state->done != done), 3000),
	      "no interrupt came");
}

static void hard_irq(void)
{
	volatile struct hardirq_state *state;
	struct bpf_object *obj;
	struct bpf_link *link;

	check(kernel_has_func("bpf_timer_set_sleepable_cb"),
	      "the kernel has no bpf_timer_set_sleepable_cb()");
	obj = open_object("hardirq");
	load_object(obj);
	state = find_var(obj, "state");
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, "in_hard_irq"));
	check(link, "the program does not attach");

	in_next_irq(state, HARDIRQ_START);
	check_int("set in hard irq", state->set, 0);
	check_int("start in hard irq", state->start, 0);
	check(wait_for(state->runs == 1, 3000), "the callback did not run");

	state->nsecs = 500 * MS;
	in_next_irq(state, HARDIRQ_START);
	in_next_irq(state, HARDIRQ_CANCEL);
	check_int("cancel in hard irq", state->cancel, 1);
	sleep_ms(700);
	check_int("runs", state->runs, 1);
	bpf_link__destroy(link);
	bpf_object__close(obj);
}

static void *start_expiry(void *arg)
{
	struct bpf_object *obj = arg;
	volatile struct expiry *expiry = find_var(obj, "expiry");

	on_cpu(1);
	for (unsigned int i = 1; i <= 20; i++) {
		run_prog(obj, "start", NULL, 0);
		wait_for(expiry->cancelled == i, 3000);
	}
	return NULL;
}

/* The tracepoint is after the callback and before the kernel says that it has ended. */
static void cancel_on_expiry(void)
{
	struct bpf_object *obj = open_object("expiry");
	volatile struct expiry *expiry;
	struct bpf_link *link;
	pthread_t thread;

	load_object(obj);
	expiry = find_var(obj, "expiry");
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, "on_exit"));
	check(link, "the program does not attach");
	/* on another CPU, which the kernel may not come back from */
	on_cpu(0);
	check(!pthread_create(&thread, NULL, start_expiry, obj), "no thread");
	wait_for(expiry->cancelled == 20, 5000);
	note("the last cancel gives %d", expiry->result);
	check_int("calls of bpf_timer_cancel() that have not returned",
		  expiry->runs - (long long)expiry->cancelled, 0);
	check_int("callbacks", expiry->runs, 20);
	pthread_join(thread, NULL);
	bpf_link__destroy(link);
	bpf_object__close(obj);
}

/* Callbacks that block do not keep another one from running. */
static void many_blocked(void)
{
	struct scene s = start_scene();

	device_hold(s.dev, true);
	for (int i = 0; i < NR_ELEMS - 1; i++) {
		init(&s, "array", i);
		arm(&s, "array", i, 0, 0, (struct plan){ .action = ACT_BLOCK, .slot = i });
	}
	check(device_wait_request(s.dev, 1, 3000), "no callback blocked");
	init(&s, "array", NR_ELEMS - 1);
	arm(&s, "array", NR_ELEMS - 1, 0, 0, (struct plan){ .slot = NR_ELEMS - 1 });
	check(ran(&s, NR_ELEMS - 1, 1), "blocked callbacks keep others from running");
	device_hold(s.dev, false);
	for (int i = 0; i < NR_ELEMS - 1; i++)
		check(ran(&s, i, 1), "callback %d did not end", i);
	end_scene(&s);
}

const struct test timer_tests[] = {
	{ "timer/start-relative", "runs once, not before its time", start_relative },
	{ "timer/start-absolute", "the same with BPF_F_TIMER_ABS", start_absolute },
	{ "timer/start-pinned", "runs on the CPU it was started on", start_pinned },
	{ "timer/not-initialized", "set and start on a raw timer give -EINVAL", not_initialized },
	{ "timer/rearm", "500 runs, each started by the one before", rearm },
	{ "timer/cancel-idle", "gives 0, and clears the callback", cancel_idle },
	{ "timer/cancel-armed", "gives 1, and it does not run", cancel_armed },
	{ "timer/cancel-race", "no run after cancel has given 0 or 1", cancel_race },
	{ "timer/cancel-self", "gives -EDEADLK in the callback, and changes nothing", cancel_self },
	{ "timer/cancel-running", "gives -EBUSY at once, and it does not run again",
	  cancel_running },
	{ "timer/restart-running",
	  "starting it again takes an expiry back that waits for the callback", restart_running },
	{ "timer/cancel-each-other", "two running callbacks, no deadlock", cancel_each_other },
	{ "timer/cancel-across-kinds", "plain cancels sleepable and the other way round",
	  cancel_across_kinds },
	{ "timer/delete-armed", "the element goes, it does not run", delete_armed },
	{ "timer/delete-running", "the element goes while the callback blocks", delete_running },
	{ "timer/delete-self", "the callback deletes its element", delete_self },
	{ "timer/delete-rearmed", "a deleted element's callback is not started again",
	  delete_rearmed },
	{ "timer/last-uref-armed", "the map's last user goes, it does not run", last_uref_armed },
	{ "timer/last-uref-running", "the same while the callback blocks", last_uref_running },
	{ "timer/unload-armed", "everything is closed, it does not run", unload_armed },
	{ "timer/unload-running", "the same while the callback blocks", unload_running },
	{ "timer/map-in-map-armed", "an inner map goes, it does not run", map_in_map_armed },
	{ "timer/map-in-map-running", "the same while the callback blocks", map_in_map_running },
	{ "timer/lru-evict", "evicted elements do not run", lru_evict },
	{ "timer/plain-again", "either kind of callback follows the other", plain_again },
	{ "timer/change-while-armed", "the last callback set is the one that runs",
	  change_while_armed },
	{ "timer/change-in-callback", "each kind sets the other, in its callback",
	  change_in_callback },
	{ "timer/change-race", "either kind is set while it expires: all in their context",
	  change_race },
	{ "timer/hard-irq", "set, start and cancel work in hard irq", hard_irq },
	{ "timer/cancel-on-expiry", "the tracepoint of its expiry can cancel it",
	  cancel_on_expiry },
	{ "timer/many-blocked", "blocked callbacks do not keep others from running", many_blocked },
	{ 0 },
};
