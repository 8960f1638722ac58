// SPDX-License-Identifier: MIT
/*
 * Everything at once, for a while, on a kernel that reports what goes wrong
 * (--config debug). The harness looks at the kernel's log afterwards.
 */
#define _GNU_SOURCE
#include "device.h"
#include "harness.h"
#include "progs/timers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define LIFETIME_ROUNDS 1000

struct storm {
	struct bpf_object *obj;
	bool stop;
	unsigned long ops;
};

struct actor {
	pthread_t thread;
	struct storm *storm;
	unsigned int seed;
	int cpu;
};

static int call(struct storm *st, const char *map, struct args args)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));
	char prog[32];

	snprintf(prog, sizeof(prog), "control_%s", map);
	/* an element may be gone: then it gives an error, and that is all */
	bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(st->obj, prog)),
			       &opts);
	return args.ret;
}

static void random_op(struct storm *st, unsigned int *seed)
{
	static const char *const maps[] = { "array", "hash", "inner", "lru" };
	const char *map = maps[rand_r(seed) % 4];
	int key = rand_r(seed) % (strcmp(map, "inner") ? 6 : 2);
	struct args args = {
		.key = key,
		.nsecs = rand_r(seed) % 300000,
		.flags = rand_r(seed) % 4 ? 0 : BPF_F_TIMER_CPU_PIN,
		.plan = {
			.action = rand_r(seed) % (ACT_SET_SLEEPABLE + 1),
			.arg = rand_r(seed) % 6,
			.slot = key,
		},
	};
	int fd = bpf_object__find_map_fd_by_name(st->obj, map);
	char value[64] = { 0 };

	st->ops++;
	switch (rand_r(seed) % 12) {
	case 0:
		if (!strcmp(map, "hash") || !strcmp(map, "lru"))
			bpf_map_delete_elem(fd, &key);
		break;
	case 1:
		if (!strcmp(map, "hash") || !strcmp(map, "lru"))
			bpf_map_update_elem(fd, &key, value, BPF_ANY);
		break;
	case 2:
	case 3:
		args.op = OP_CANCEL;
		call(st, map, args);
		break;
	case 4:
		args.op = OP_SET_PLAIN;
		call(st, map, args);
		args.op = OP_START;
		call(st, map, args);
		break;
	case 5:
		if (!strcmp(map, "inner")) {
			int outer = bpf_object__find_map_fd_by_name(st->obj, "outer");
			int inner =
				bpf_object__find_map_fd_by_name(st->obj, key ? "inner0" : "inner1");

			bpf_map_update_elem(outer, &key, &inner, BPF_ANY);
		}
		break;
	default:
		args.op = OP_INIT;
		call(st, map, args);
		args.op = OP_ARM;
		call(st, map, args);
		break;
	}
}

static void *act(void *arg)
{
	struct actor *a = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(a->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!__atomic_load_n(&a->storm->stop, __ATOMIC_ACQUIRE))
		random_op(a->storm, &a->seed);
	return NULL;
}

/* One program's life: loaded, used from both CPUs, taken away in mid-air. */
static unsigned long round_of_storm(struct device *dev, unsigned int seed, unsigned int ms)
{
	struct storm st = { .obj = open_object("timers") };
	struct actor actors[2];

	set_const(st.obj, "hid_id", dev->id);
	load_object(st.obj);
	for (int i = 0; i < 2; i++) {
		actors[i] = (struct actor){ .storm = &st, .seed = seed + i, .cpu = i };
		check(!pthread_create(&actors[i].thread, NULL, act, &actors[i]), "no thread");
	}
	sleep_ms(ms);
	/* every other round a callback blocks while all goes away */
	device_hold(dev, seed & 2);
	sleep_ms(2);
	if (seed & 4)
		close(bpf_object__find_map_fd_by_name(st.obj, "hash"));
	__atomic_store_n(&st.stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		pthread_join(actors[i].thread, NULL);
	bpf_object__close(st.obj);
	sleep_ms(seed % 40);
	device_hold(dev, false);
	return st.ops;
}

static void timers(void)
{
	uint64_t end = now_ns() + stress_seconds * 1000000000ULL;
	struct device *dev = device_new();
	unsigned int rounds = 0;
	unsigned long ops = 0;

	check(kernel_has_func("bpf_timer_set_sleepable_cb"),
	      "the kernel has no bpf_timer_set_sleepable_cb()");
	while (now_ns() < end) {
		ops += round_of_storm(dev, rounds * 7 + 1, 300);
		rounds++;
		if (rounds % 3 == 0) {
			device_free(dev);
			dev = device_new();
		}
	}
	device_free(dev);
	sleep_ms(500);
	note("%u programs, %lu operations", rounds, ops);
	check(rounds > 1, "only one round in %u s", stress_seconds);
}

/* Unload, over and over, while a callback blocks or is about to start or end. */
static void lifetime(void)
{
	struct device *dev = device_new();
	bool timers_too = kernel_has_func("bpf_timer_set_sleepable_cb");
	unsigned int caught = 0;
	uint64_t start = now_ns();

	for (int i = 0; i < LIFETIME_ROUNDS; i++) {
		struct bpf_object *obj = open_object("lifetime");
		struct bpf_link *link;
		unsigned int before;

		set_const(obj, "use_timer", timers_too && i % 2);
		set_const(obj, "hid_id", dev->id);
		set_hid_id(obj, "lifetime", dev->id);
		load_object(obj);
		link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(obj, "lifetime"));
		check(link, "the program does not attach in round %d", i);
		before = dev->requests;
		device_hold(dev, true);
		device_send(dev, i);
		/* most rounds catch it in the request, some before */
		if (i % 4)
			caught += device_wait_request(dev, before + 1, 3000);
		if (i % 3)
			bpf_link__destroy(link);
		bpf_object__close(obj);
		if (i % 3 == 0)
			bpf_link__destroy(link);
		sleep_ms(i % 7);
		device_hold(dev, false);
		if (i % 4)
			check(device_wait_request(dev, before + 2, 5000),
			      "the callback did not go on in round %d", i);
	}
	note("%d rounds in %llu s, %u of them with a callback blocked", LIFETIME_ROUNDS,
	     (unsigned long long)(now_ns() - start) / 1000000000, caught);
	check(caught >= LIFETIME_ROUNDS / 2, "too few callbacks were caught");
	device_free(dev);
}

/* Last, after the others: what they left behind. */
static void leaks(void)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	char buf[4096];
	ssize_t n = 0;
	int fd;

	if (access(path, F_OK))
		mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	fd = open(path, O_RDWR);
	check(fd >= 0, "%s: %s (run it on the debug kernel)", path, strerror(errno));
	/* what is being freed needs its grace periods; a leak is one twice */
	for (int i = 0; i < 2; i++) {
		sleep_ms(6000);
		check(write(fd, "scan", 4) == 4, "kmemleak does not scan: %s", strerror(errno));
	}
	n = read(fd, buf, sizeof(buf) - 1);
	if (n > 0) {
		buf[n] = '\0';
		fail("kmemleak reports: %s", buf);
	}
	close(fd);
}

const struct test stress_tests[] = {
	{ "stress/timers", "two CPUs arm, cancel, delete, unload, unplug at random", timers },
	{ "stress/lifetime", "1000 programs unloaded under their callbacks", lifetime },
	{ "stress/leaks", "kmemleak finds nothing afterwards", leaks },
	{ 0 },
};
