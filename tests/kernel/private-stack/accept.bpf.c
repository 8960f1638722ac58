// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that the verifier takes or refuses for their stack. Two frames of 304
 * bytes do not fit the 512 bytes of the kernel stack; one does.
 */
#include "common.bpf.h"
#include "async-maps.bpf.h"

#define BIG 304

#define BIG_LEAF(name, seed)                    \
	static __noinline int name(int x)       \
	{                                       \
		FRAME(frame, BIG);              \
		fill(frame, seed + x);          \
		return damage(frame, seed + x); \
	}

#define BIG_CALLS(name, seed, callee)               \
	static __noinline int name(int x)           \
	{                                           \
		FRAME(frame, BIG);                  \
		fill(frame, seed + x);              \
		x = callee(x);                      \
		return x + damage(frame, seed + x); \
	}

BIG_LEAF(leaf, 1)
BIG_CALLS(inner, 2, leaf)
BIG_CALLS(outer, 3, inner)

SEC("kprobe")
int chain(void *ctx)
{
	return outer(1);
}

SEC("tracepoint")
int chain_tracepoint(void *ctx)
{
	return outer(1);
}

SEC("perf_event")
int chain_perf_event(void *ctx)
{
	return outer(1);
}

SEC("raw_tp")
int chain_raw_tp(void *ctx)
{
	return outer(1);
}

SEC("fentry/bpf_fentry_test1")
int chain_fentry(void *ctx)
{
	outer(1);
	return 0;
}

SEC("fentry.s/bpf_fentry_test1")
int chain_fentry_sleepable(void *ctx)
{
	outer(1);
	return 0;
}

/* Nothing checks the entry of these. */
SEC("tc")
int chain_tc(void *ctx)
{
	return outer(1);
}

SEC("syscall")
int chain_syscall(void *ctx)
{
	return outer(1);
}

static __always_inline struct elem *get_elem(void)
{
	int key = 0;

	return bpf_map_lookup_elem(&elems, &key);
}

static __always_inline struct elem *get_other(void)
{
	int key = 1;

	return bpf_map_lookup_elem(&elems, &key);
}

static int timer_chain(void *map, int *key, struct elem *e)
{
	return outer(*key) & 0;
}

SEC("tc")
int timer_tree(void *ctx)
{
	struct elem *e = get_elem();

	if (!e)
		return 0;
	bpf_timer_init(&e->timer, &elems, 1);
	bpf_timer_set_callback(&e->timer, timer_chain);
	return 0;
}

/* One root calls a subprogram twice: that is still one activation at a time. */
static int timer_twice(void *map, int *key, struct elem *e)
{
	return (outer(*key) + outer(*key + 1)) & 0;
}

SEC("tc")
int timer_calls_twice(void *ctx)
{
	struct elem *e = get_elem();

	if (!e)
		return 0;
	bpf_timer_init(&e->timer, &elems, 1);
	bpf_timer_set_callback(&e->timer, timer_twice);
	return 0;
}

/* The main program and a timer share inner() and leaf(), in either order. */
SEC("fentry/bpf_fentry_test1")
int main_then_timer(void *ctx)
{
	struct elem *e = get_elem();

	outer(1);
	if (e)
		bpf_timer_set_callback(&e->timer, timer_chain);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int timer_then_main(void *ctx)
{
	struct elem *e = get_elem();

	if (e)
		bpf_timer_set_callback(&e->timer, timer_chain);
	outer(1);
	return 0;
}

/* Only the leaf is shared, and the kernel stack has room for that. */
BIG_CALLS(timer_only, 4, leaf)

static int timer_shares_leaf(void *map, int *key, struct elem *e)
{
	return timer_only(*key) & 0;
}

BIG_CALLS(main_only, 5, leaf)

SEC("fentry/bpf_fentry_test1")
int share_leaf(void *ctx)
{
	struct elem *e = get_elem();

	if (e)
		bpf_timer_set_callback(&e->timer, timer_shares_leaf);
	main_only(1);
	return 0;
}

/* Two timers are two roots: both can be in softirq, on two CPUs or one by one. */
static int timer_chain_2(void *map, int *key, struct elem *e)
{
	return outer(*key + 7) & 0;
}

SEC("tc")
int two_timers_share(void *ctx)
{
	struct elem *e = get_elem(), *other = get_other();

	if (!e || !other)
		return 0;
	bpf_timer_set_callback(&e->timer, timer_chain);
	bpf_timer_set_callback(&other->timer, timer_chain_2);
	return 0;
}

/* A callback that sleeps leaves the CPU to another worker in the same callback. */
static int wq_chain(void *map, int *key, struct bpf_wq *wq)
{
	return outer(*key) & 0;
}

SEC("tc")
int wq_tree(void *ctx)
{
	struct work *w;
	int key = 0;

	w = bpf_map_lookup_elem(&works, &key);
	if (!w)
		return 0;
	bpf_wq_init(&w->wq, &works, 0);
	bpf_wq_set_callback_impl(&w->wq, (void *)wq_chain, 0, NULL);
	return 0;
}

SEC("tc")
int sleepable_timer_tree(void *ctx)
{
	struct elem *e = get_elem();

	if (!e)
		return 0;
	bpf_timer_init(&e->timer, &elems, 1);
	bpf_timer_set_sleepable_cb(&e->timer, (void *)timer_chain);
	return 0;
}

/* The same callback by a timer and, sleeping, by another. */
SEC("tc")
int timer_both_ways(void *ctx)
{
	struct elem *e = get_elem(), *other = get_other();

	if (!e || !other)
		return 0;
	bpf_timer_set_callback(&e->timer, timer_chain);
	bpf_timer_set_sleepable_cb(&other->timer, (void *)timer_chain);
	return 0;
}

/*
 * One callback for a timer and for each element of a map: it runs on the stack of the
 * program, too, and on a CPU where it is running.
 */
static int big_both_ways(void *map, int *key, struct elem *e)
{
	return leaf(*key) & 0;
}

SEC("tc")
int callback_both_ways(void *ctx)
{
	FRAME(frame, 240);
	struct elem *e = get_elem();

	fill(frame, 10);
	if (e)
		bpf_timer_set_callback(&e->timer, big_both_ways);
	bpf_for_each_map_elem(&elems, big_both_ways, NULL, 0);
	return damage(frame, 10);
}

static int both_ways(void *map, int *key, struct elem *e)
{
	FRAME(frame, 200);

	fill(frame, *key);
	bpf_ktime_get_ns();
	return damage(frame, *key) & 0;
}

SEC("fentry/bpf_fentry_test1")
int callback_both_ways_private(void *ctx)
{
	FRAME(frame, 400);
	struct elem *e = get_elem();

	fill(frame, 11);
	if (e)
		bpf_timer_set_callback(&e->timer, both_ways);
	bpf_for_each_map_elem(&elems, both_ways, NULL, 0);
	return damage(frame, 11) & 0;
}

/* Synchronous callbacks belong to the root that is running. */
static int loop_cb(unsigned int i, void *arg)
{
	return outer(i) & 0;
}

SEC("kprobe")
int loop_tree(void *ctx)
{
	FRAME(frame, BIG);

	fill(frame, 9);
	bpf_loop(4, loop_cb, NULL, 0);
	return damage(frame, 9);
}

/* Frames below 64 bytes stay on the kernel stack: the limit counts them. */
#define SMALL_CALLS(name, seed, callee)             \
	static __noinline int name(int x)           \
	{                                           \
		FRAME(frame, 40);                   \
		fill(frame, seed + x);              \
		x = callee(x);                      \
		return x + damage(frame, seed + x); \
	}

SMALL_CALLS(small_1, 6, leaf)
SMALL_CALLS(small_2, 7, small_1)
SMALL_CALLS(small_3, 8, small_2)

SEC("tracepoint")
int small_frames(void *ctx)
{
	return small_3(1);
}

/*
 * The leaf is shared, so on the kernel stack, and the small frames above it are so
 * anyway: 3 of 48 bytes and one of 400 are too much.
 */
#define TINY_CALLS(name, seed, callee)              \
	static __noinline int name(int x)           \
	{                                           \
		FRAME(frame, 40);                   \
		fill(frame, seed + x);              \
		x = callee(x);                      \
		return x + damage(frame, seed + x); \
	}

static __noinline int shared_leaf(int x)
{
	FRAME(frame, 400);

	fill(frame, x);
	return damage(frame, x);
}

TINY_CALLS(tiny_1, 1, shared_leaf)
TINY_CALLS(tiny_2, 2, tiny_1)
TINY_CALLS(tiny_3, 3, tiny_2)

static int timer_tiny(void *map, int *key, struct elem *e)
{
	return tiny_1(*key) & 0;
}

SEC("fentry/bpf_fentry_test1")
int many_small_frames(void *ctx)
{
	struct elem *e = get_elem();

	if (e)
		bpf_timer_set_callback(&e->timer, timer_tiny);
	tiny_3(1);
	return 0;
}

/* One frame for which the kernel stack is enough. */
SEC("raw_tp")
int fits_raw_tp(void *ctx)
{
	return leaf(1);
}

/* A value with two timers: the map exists, and has none of its fields. */
struct odd {
	struct bpf_timer timer;
	struct bpf_timer other;
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct odd);
} odds SEC(".maps");

SEC("tc")
int wq_of_odd_map(void *ctx)
{
	struct odd *odd;
	int key = 0;

	odd = bpf_map_lookup_elem(&odds, &key);
	if (odd)
		bpf_wq_init(&odd->wq, &odds, 0);
	return 0;
}
