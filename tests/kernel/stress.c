// SPDX-License-Identifier: MIT
/*
 * Everything at once, for a while, on a kernel that reports what goes wrong
 * (--config debug). The harness looks at the kernel's log meanwhile and afterwards.
 */
#define _GNU_SOURCE
#include "checkers.h"
#include "device.h"
#include "harness.h"
#include "progs/hardirq.h"
#include "progs/lookup.h"
#include "progs/timers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR_CPUS    2
#define NR_KEYS    6 /* of each map but 'inner' */
#define NR_INNER   2
#define NR_MANNER  4
#define ROUND_MS   400
#define NR_UNBINDS 60

/* Timers live in maps that several loaded programs share, so that each may find
 * callbacks of another one, or of one that is gone.
 */
static const char *const shared_maps[] = {
	"array", "hash", "lru", "inner0", "inner1", "outer", ".bss",
};

enum map_kind { ARRAY, HASH, LRU, INNER, NR_MAPS };

static const char *const map_names[] = { "array", "hash", "lru", "inner" };

/* What happened, to show that it did. */
struct tally {
	unsigned long calls, deletes, updates, swaps; /* by the actors */
	unsigned int rounds, replaced, unplugged, dropped; /* by the main thread */
	unsigned int sleepable, plain, requests; /* callbacks, and what they sent */
	unsigned int irqs, irq_sleepable, irq_plain;
};

struct storm {
	pthread_rwlock_t lock; /* objects come and go between calls, not in them */
	struct bpf_object *obj[2];
	struct device *dev;
	volatile struct seen *seen;
	bool stop;
};

struct actor {
	pthread_t thread;
	struct storm *storm;
	struct tally tally;
	unsigned int seed;
	int cpu;
};

static void call(struct bpf_object *obj, enum map_kind map, struct args args)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));
	char prog[32];

	snprintf(prog, sizeof(prog), "control_%s", map_names[map]);
	/* an element may be gone: then it gives an error, and that is all */
	bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(obj, prog)), &opts);
}

static int key_of(enum map_kind map, unsigned int random)
{
	return random % (map == INNER ? NR_INNER : NR_KEYS);
}

/* Elements of the array have a slot of 'seen' for themselves, since they stay;
 * those of others come back while a callback of the one before still runs.
 */
static unsigned int slot_of(enum map_kind map, int key)
{
	return map == ARRAY ? key : NR_KEYS + key;
}

static struct plan random_plan(struct storm *st, enum map_kind map, int key, unsigned int *seed)
{
	struct plan plan = {
		.action = rand_r(seed) % (ACT_SET_SLEEPABLE + 1),
		.arg = rand_r(seed) % NR_KEYS,
		.slot = slot_of(map, key),
	};

	/* it counts all runs, and this is for some more */
	if (plan.action == ACT_REARM)
		plan.arg = st->seen[plan.slot].sleepable_runs + rand_r(seed) % 20;
	return plan;
}

static void swap_inner(struct bpf_object *obj, unsigned int random)
{
	int outer = bpf_object__find_map_fd_by_name(obj, "outer");
	int inner = bpf_object__find_map_fd_by_name(obj, random & 2 ? "inner0" : "inner1");
	int key = random & 1;

	bpf_map_update_elem(outer, &key, &inner, BPF_ANY);
}

static void random_op(struct actor *a)
{
	struct bpf_object *obj = a->storm->obj[rand_r(&a->seed) % 2];
	enum map_kind map = rand_r(&a->seed) % NR_MAPS;
	int key = key_of(map, rand_r(&a->seed));
	int fd = map == INNER ? -1 : bpf_object__find_map_fd_by_name(obj, map_names[map]);
	char value[256] = { 0 };
	struct args args = {
		.key = key,
		.nsecs = rand_r(&a->seed) % 3 ? rand_r(&a->seed) % 300000 : 0,
		.flags = rand_r(&a->seed) % 4 ? 0 : BPF_F_TIMER_CPU_PIN,
		.plan = random_plan(a->storm, map, key, &a->seed),
	};
	static const enum op sequences[][3] = {
		{ OP_INIT, OP_ARM }, { OP_INIT, OP_ARM }, { OP_INIT, OP_ARM },
		{ OP_ARM },          { OP_CANCEL },       { OP_CANCEL, OP_ARM },
		{ OP_START },        { OP_SET },          { OP_PLAN, OP_SET_PLAIN, OP_START },
	};
	unsigned int what = rand_r(&a->seed) % 12;

	if (what < sizeof(sequences) / sizeof(sequences[0])) {
		for (int i = 0; i < 3 && (!i || sequences[what][i]); i++) {
			args.op = sequences[what][i];
			call(obj, map, args);
			a->tally.calls++;
		}
	} else if (map == HASH || map == LRU) {
		if (what == 9) {
			bpf_map_delete_elem(fd, &key);
			a->tally.deletes++;
		} else {
			bpf_map_update_elem(fd, &key, value, BPF_ANY);
			a->tally.updates++;
		}
	} else if (map == INNER) {
		swap_inner(obj, rand_r(&a->seed));
		a->tally.swaps++;
	}
}

static void *act(void *arg)
{
	struct actor *a = arg;

	on_cpu(a->cpu);
	while (!__atomic_load_n(&a->storm->stop, __ATOMIC_ACQUIRE)) {
		pthread_rwlock_rdlock(&a->storm->lock);
		random_op(a);
		pthread_rwlock_unlock(&a->storm->lock);
	}
	return NULL;
}

static struct bpf_object *load_program(struct device *dev, struct bpf_object *sharing)
{
	struct bpf_object *obj = open_object("timers");

	set_const(obj, "hid_id", dev->id);
	for (size_t i = 0; sharing && i < sizeof(shared_maps) / sizeof(shared_maps[0]); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, shared_maps[i]);
		struct bpf_map *from = bpf_object__find_map_by_name(sharing, shared_maps[i]);

		check(map && from && !bpf_map__reuse_fd(map, bpf_map__fd(from)),
		      "map %s can't be shared: %s", shared_maps[i], strerror(errno));
	}
	load_object(obj);
	return obj;
}

/* The program goes while its callbacks are armed, queued, or run. */
static void replace_program(struct storm *st, int which)
{
	struct bpf_object *new = load_program(st->dev, st->obj[1 - which]), *old = st->obj[which];

	pthread_rwlock_wrlock(&st->lock);
	st->obj[which] = new;
	pthread_rwlock_unlock(&st->lock);
	bpf_object__close(old);
}

/* Callbacks that are blocked in a request find their device gone. */
static void unplug(struct storm *st)
{
	device_free(st->dev);
	st->dev = device_new();
}

/* The map's last user goes; programs keep the map. Its descriptors stay libbpf's,
 * which will close them.
 */
static void drop_map(struct storm *st, const char *name)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	check(null >= 0, "/dev/null: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		int fd = bpf_object__find_map_fd_by_name(st->obj[i], name);

		check(dup3(null, fd, O_CLOEXEC) == fd, "dup3: %s", strerror(errno));
	}
	close(null);
}

static void add_up(struct tally *sum, const struct actor *actors, const struct storm *st)
{
	for (int i = 0; i < NR_CPUS; i++) {
		sum->calls += actors[i].tally.calls;
		sum->deletes += actors[i].tally.deletes;
		sum->updates += actors[i].tally.updates;
		sum->swaps += actors[i].tally.swaps;
	}
	for (int i = 0; i < NR_ELEMS; i++) {
		sum->sleepable += st->seen[i].sleepable_runs;
		sum->plain += st->seen[i].plain_runs;
	}
	for (int key = 0; key < NR_KEYS; key++)
		check_int("callbacks of one timer at a time",
			  st->seen[slot_of(ARRAY, key)].overlaps, 0);
}

/* From maps that are new until everything is taken away in mid-air. What happens
 * on the way depends on the round.
 */
static void round_of_storm(struct storm *st, struct tally *sum, unsigned int seed)
{
	static const char *const drop[] = { "array", "hash", "lru", NULL };
	unsigned int requests = st->dev->requests;
	struct actor actors[NR_CPUS];

	st->stop = false;
	st->obj[0] = load_program(st->dev, NULL);
	st->obj[1] = load_program(st->dev, st->obj[0]);
	st->seen = find_var(st->obj[0], "seen");
	for (int i = 0; i < NR_CPUS; i++) {
		actors[i] = (struct actor){ .storm = st, .seed = seed * NR_CPUS + i, .cpu = i };
		check(!pthread_create(&actors[i].thread, NULL, act, &actors[i]), "no thread");
	}
	sleep_ms(ROUND_MS / 2);
	for (int i = 0; i < 2; i++) {
		/* one time its callbacks may be blocked, the other time not */
		device_hold(st->dev, (seed + i) % 2);
		replace_program(st, i);
		device_hold(st->dev, false);
		sum->replaced++;
		sleep_ms(ROUND_MS / 4);
	}
	if (seed % 3 == 0) {
		sum->requests += st->dev->requests - requests;
		requests = 0;
		device_hold(st->dev, seed % 2);
		unplug(st);
		sum->unplugged++;
		sleep_ms(20);
	}
	device_hold(st->dev, seed % 4 < 2);
	sleep_ms(seed % 20);
	if (drop[seed % 4]) {
		drop_map(st, drop[seed % 4]);
		sum->dropped++;
		sleep_ms(seed % 10);
	}
	__atomic_store_n(&st->stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < NR_CPUS; i++)
		pthread_join(actors[i].thread, NULL);
	bpf_object__close(st->obj[0]);
	bpf_object__close(st->obj[1]);
	sleep_ms(seed % 60);
	device_hold(st->dev, false);
	add_up(sum, actors, st);
	sum->requests += st->dev->requests - requests;
	sum->rounds++;
}

/* Arms, cancels and deletes in every timer interrupt, until it is destroyed. */
static struct bpf_object *storm_in_interrupts(struct bpf_link **link)
{
	struct bpf_object *obj = open_object("hardirq");

	load_object(obj);
	*link = bpf_program__attach(bpf_object__find_program_by_name(obj, "in_timer_irq"));
	check(*link, "the program for timer interrupts does not attach");
	return obj;
}

static void timers(void)
{
	/* else the actors, one of which always has it, would keep it for themselves */
	struct storm st = { .lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP };
	uint64_t end = now_ns() + stress_seconds * 1000000000ULL;
	volatile struct hardirq_state *irq;
	struct tally sum = { 0 };
	struct bpf_object *obj;
	struct bpf_link *link;

	check(kernel_has_func("bpf_timer_set_sleepable_cb"),
	      "the kernel has no bpf_timer_set_sleepable_cb()");
	st.dev = device_new();
	while (now_ns() < end) {
		obj = storm_in_interrupts(&link);
		irq = find_var(obj, "state");
		for (int i = 0; i < 4; i++)
			round_of_storm(&st, &sum, sum.rounds);
		bpf_link__destroy(link);
		bpf_object__close(obj);
		sum.irqs += irq->done;
		sum.irq_sleepable += irq->runs;
		sum.irq_plain += irq->plain_runs;
	}
	device_free(st.dev);
	sleep_ms(500);
	note("%u rounds: %u programs replaced, %u devices unplugged, %u maps dropped", sum.rounds,
	     sum.replaced, sum.unplugged, sum.dropped);
	note("%lu calls, %lu deletes, %lu updates, %lu inner maps", sum.calls, sum.deletes,
	     sum.updates, sum.swaps);
	note("%u sleepable and %u plain callbacks, %u requests", sum.sleepable, sum.plain,
	     sum.requests);
	note("%u timer interrupts: %u sleepable and %u plain callbacks", sum.irqs,
	     sum.irq_sleepable, sum.irq_plain);
	check(sum.calls && sum.deletes && sum.updates && sum.swaps && sum.replaced &&
		      sum.unplugged && sum.dropped && sum.sleepable && sum.plain && sum.requests &&
		      sum.irqs && sum.irq_sleepable && sum.irq_plain,
	      "something did not happen at all");
}

/* How the program goes while its callback blocks. */
enum manner { UNLOAD, LAST_MAP_REF, DETACH, DEVICE_GONE };

static struct bpf_object *load_lifetime(struct device *dev, bool timer)
{
	struct bpf_object *obj = open_for_device("lifetime", dev->id);

	set_const(obj, "use_timer", timer);
	load_object(obj);
	return obj;
}

/* Returns whether the callback was caught in its request. */
static bool round_of_lifetime(struct device **dev, unsigned int round)
{
	enum manner manner = round % NR_MANNER;
	bool timer = round / NR_MANNER % 2, wait = round / (NR_MANNER * 2) % 4, caught = false;
	struct bpf_object *obj = load_lifetime(*dev, timer);
	unsigned int before = (*dev)->requests;
	struct bpf_link *link;

	link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(obj, "lifetime"));
	check(link, "the program does not attach in round %u", round);
	device_hold(*dev, true);
	device_send(*dev, round);
	/* most rounds catch it in the request, some before */
	if (wait) {
		caught = device_wait_request(*dev, before + 1, 10000);
		check(caught, "the callback did not run in round %u", round);
	}
	if (manner == DETACH)
		check(!bpf_link__detach(link), "the link does not detach in round %u", round);
	if (manner != LAST_MAP_REF)
		bpf_link__destroy(link);
	bpf_object__close(obj);
	if (manner == LAST_MAP_REF)
		bpf_link__destroy(link);

	/* from "at once" to longer than a few grace periods */
	sleep_ms(round * 7 % 61);
	if (manner == DEVICE_GONE) {
		device_free(*dev);
		*dev = device_new();
		return caught;
	}
	device_hold(*dev, false);
	if (wait)
		check(device_wait_request(*dev, before + 2, 10000),
		      "the callback did not go on in round %u", round);
	return caught;
}

static void lifetime(void)
{
	uint64_t start = now_ns(), end = start + stress_seconds * 1000000000ULL;
	unsigned int round = 0, caught = 0;
	struct device *dev = device_new();

	check(kernel_has_func("bpf_timer_set_sleepable_cb"),
	      "the kernel has no bpf_timer_set_sleepable_cb()");
	/* all combinations of manner, kind of callback, and waiting for it or not */
	while (stress_rounds ? round < stress_rounds : now_ns() < end || round % 32) {
		caught += round_of_lifetime(&dev, round++);
		if (stress_rounds && round % 100 == 0)
			note("%u of %u rounds", round, stress_rounds);
	}
	note("%u rounds in %llu s, %u of them with a callback blocked", round,
	     (unsigned long long)(now_ns() - start) / 1000000000, caught);
	check(caught >= round / 2, "too few callbacks were caught");
	device_free(dev);
	sleep_ms(500);
}

struct lookup {
	struct bpf_object *obj;
	bool stop;
};

static void *look_up_all_the_time(void *arg)
{
	struct lookup *l = arg;

	on_cpu(1);
	while (!__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE))
		run_prog(l->obj, "look_up", NULL, 0);
	return NULL;
}

/* A driver takes the reports with it that a request is looking up. */
static void unbind(void)
{
	const volatile struct lookup_counts *counts;
	struct device *dev = device_new();
	struct lookup l = { .obj = open_object("lookup") };
	pthread_t thread;

	on_cpu(0);
	set_const(l.obj, "hid_id", dev->id);
	load_object(l.obj);
	counts = find_var(l.obj, "lookups");
	check(!pthread_create(&thread, NULL, look_up_all_the_time, &l), "no thread");
	for (unsigned int i = 0; i < NR_UNBINDS; i++) {
		unsigned int seen = counts->report;

		check(wait_for(counts->report != seen, 10000), "no request found the report");
		device_unbind(dev);
		seen = counts->none;
		check(wait_for(counts->none != seen, 10000), "requests find a report that is gone");
		device_bind(dev);
	}
	__atomic_store_n(&l.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	check_int("requests that found something else", counts->odd, 0);
	note("%u requests found the report, %u found none", counts->report, counts->none);
	bpf_object__close(l.obj);
	device_free(dev);
}

/* tests/kernel/private-stack has a program of its own, which lies below this one. */
static void run_private_stack(const char *option)
{
	char path[PATH_MAX], command[2 * PATH_MAX + 64], line[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;
	FILE *f;

	check(n > 0, "no /proc/self/exe");
	path[n] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash, sizeof(path) - (slash - path), "/private-stack");
	snprintf(command, sizeof(command), "'%s/test-private-stack' %s '%s'", path, option, path);
	f = popen(command, "r");
	check(f, "%s: %s", command, strerror(errno));
	while (fgets(line, sizeof(line), f))
		note("%.*s", (int)strcspn(line, "\n"), line);
	check(!pclose(f), "%s failed", command);
	/* what is freed is looked at, a little later */
	sleep_ms(1000);
}

static void private_stack(void)
{
	char option[32];

	snprintf(option, sizeof(option), "--stress %u", (stress_seconds + 1) / 2);
	run_private_stack(option);
}

static void scarce(void)
{
	run_private_stack("--scarce");
}

/* Last, after the others: what they left behind, and whether the kernel was
 * watching to the end.
 */
static void leaks(void)
{
	char *found;

	check(lockdep_is_on(), "lockdep is off");
	found = scan_for_leaks();
	check(!found, "kmemleak reports: %s", found);
}

const struct test stress_tests[] = {
	{ "stress/timers", "two CPUs arm, cancel, delete, replace, unplug at random", timers },
	{ "stress/lifetime", "programs go away under their callbacks, in each manner", lifetime },
	{ "stress/unbind", "the driver goes while requests look up its reports", unbind },
	{ "stress/private-stack", "private frames of all kinds, of programs that come and go",
	  private_stack },
	{ "stress/scarce", "they are loaded while each allocation fails in turn", scarce },
	{ "stress/leaks", "kmemleak finds nothing afterwards, and lockdep is still on", leaks },
	{ 0 },
};
