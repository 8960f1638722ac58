// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that only run with private frames, and tell afterwards what became of
 * the content of their frames. All are test-run raw tracepoint programs.
 */
#include "common.bpf.h"
#include "../progs/timer-map.bpf.h"

struct task_struct {
	void *stack;
} __attribute__((preserve_access_index));

/* What a run found; cleared by the loader before each. */
int bad_frames;
int off_kernel_stack; /* frames seen outside of the task's stack */
int frames_seen;
__u64 frame_addr;
int ticks;
int ticks_inside; /* of the timer while the main program was running */
int in_main;
int in_tick;
int only_cpu; /* where the main program runs, plus one; 0 for all */
__u64 trace[64];
long trace_size;
int runs;
int not_thrown;
int caught;
int fentry_runs;
int fexit_runs;

/* Count whether @frame is on the kernel stack of the current task. */
static __always_inline void see(const volatile void *frame)
{
	struct task_struct *task = bpf_get_current_task_btf();

	/* What comes back from there is a number to the verifier, no pointer. */
	*(const volatile void *volatile *)&frame_addr = frame;
	frames_seen++;
	if (*(volatile __u64 *)&frame_addr - (__u64)task->stack >= 16384)
		off_kernel_stack++;
}

#define LEVEL(name, bytes, seed, body)                 \
	static __noinline int name(int x)              \
	{                                              \
		FRAME(frame, bytes);                   \
		fill(frame, seed + x);                 \
		see(frame);                            \
		x = body(x);                           \
		bad_frames += damage(frame, seed + x); \
		return x;                              \
	}

/* Calls, helpers and kfuncs all may change what C code is free to change. */
static __always_inline int use_helpers(int x)
{
	bad_frames += bpf_get_smp_processor_id() > 4096;
	bpf_ktime_get_ns();
	return x;
}

LEVEL(level_7, 400, 7, use_helpers)
LEVEL(level_6, 400, 6, level_7)
LEVEL(level_5, 400, 5, level_6)
LEVEL(level_4, 400, 4, level_5)
LEVEL(level_3, 400, 3, level_4)
LEVEL(level_2, 400, 2, level_3)
LEVEL(level_1, 400, 1, level_2)

/* The deepest chain there is: eight functions. */
SEC("raw_tp")
int chain_of_eight(void *ctx)
{
	FRAME(frame, 400);

	fill(frame, 77);
	see(frame);
	level_1(1);
	level_5(2);
	level_1(3);
	bad_frames += damage(frame, 77);
	return 42;
}

/* Frames of callbacks, and of what is under them, while the helper runs. */
static int loop_inner(unsigned int i, void *arg)
{
	level_6(i);
	return 0;
}

static int loop_outer(unsigned int i, void *arg)
{
	FRAME(frame, 200);

	fill(frame, i);
	see(frame);
	bpf_loop(3, loop_inner, NULL, 0);
	bad_frames += damage(frame, i);
	return 0;
}

SEC("raw_tp")
int callbacks(void *ctx)
{
	FRAME(frame, 304);

	fill(frame, 5);
	bpf_loop(3, loop_outer, NULL, 0);
	bad_frames += damage(frame, 5);
	return 43;
}

struct pair {
	__u64 a;
	__u64 b;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, struct pair);
} pairs SEC(".maps");

struct bpf_map;

static long each_pair(struct bpf_map *map, int *key, struct pair *value, __u64 *sum)
{
	FRAME(frame, 400);

	fill(frame, *key);
	see(frame);
	value->a = *key;
	*sum += level_7(*key);
	bad_frames += damage(frame, *key);
	return 0;
}

/* A callback's argument points into the caller's frame. */
SEC("raw_tp")
int callback_argument(void *ctx)
{
	FRAME(frame, 304);
	__u64 sum = 0;

	fill(frame, 6);
	bpf_for_each_map_elem(&pairs, each_pair, &sum, 0);
	bad_frames += damage(frame, 6);
	return sum == 0 + 1 + 2 + 3 ? 44 : 0;
}

static __noinline int tick_inner(int x)
{
	FRAME(frame, 304);

	fill(frame, 1000 + x);
	bpf_ktime_get_boot_ns();
	bad_frames += damage(frame, 1000 + x);
	return x;
}

static int tick(void *map, int *key, struct elem *e)
{
	FRAME(frame, 400);

	fill(frame, 2000 + ticks);
	if (in_main)
		ticks_inside++;
	in_tick = 1;
	tick_inner(ticks);
	in_tick = 0;
	bad_frames += damage(frame, 2000 + ticks);
	ticks++;
	return 0;
}

static int wait_for_tick(unsigned int i, void *arg)
{
	FRAME(frame, 304);

	fill(frame, i);
	bpf_ktime_get_ns();
	bad_frames += damage(frame, i);
	return *(volatile int *)&ticks_inside > 0;
}

/*
 * The timer fires in the middle of the main program, on its CPU. raw_tp programs
 * may not have timers.
 */
SEC("fentry/bpf_fentry_test1")
int interrupted(void *ctx)
{
	FRAME(frame, 304);
	struct elem *e;
	int key = 0;

	if (only_cpu && only_cpu != (int)bpf_get_smp_processor_id() + 1)
		return 0;
	fill(frame, 8);
	e = bpf_map_lookup_elem(&elems, &key);
	if (!e)
		return 0;
	bpf_timer_init(&e->timer, &elems, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&e->timer, tick);
	in_main = 1;
	bpf_timer_start(&e->timer, 1000 * 1000, 0);
	bpf_loop(1 << 20, wait_for_tick, NULL, 0);
	in_main = 0;
	bad_frames += damage(frame, 8);
	return 0;
}

/* tick_inner() calls it, and nothing that the timer may interrupt. */
SEC("fentry/bpf_ktime_get_boot_ns")
int trace_tick(void *ctx)
{
	if (*(volatile int *)&in_tick)
		trace_size = bpf_get_stack(ctx, trace, sizeof(trace), 0);
	return 0;
}

/*
 * A function that the verifier removes, and one that it leaves, in front of the four of
 * a timer. The first call says where it is in the program.
 */
const volatile int zero;
__u64 frame_at[4];

static __noinline int in_front(int x)
{
	FRAME(frame, 64);

	fill(frame, x);
	return damage(frame, x);
}

#define TIMED(name, level, body)                                            \
	static __noinline int name(int x)                                   \
	{                                                                   \
		FRAME(frame, 400);                                          \
		fill(frame, level + x);                                     \
		*(const volatile void *volatile *)&frame_at[level] = frame; \
		x = body(x);                                                \
		bad_frames += damage(frame, level + x);                     \
		return x;                                                   \
	}

TIMED(timed_3, 3, use_helpers)
TIMED(timed_2, 2, timed_3)
TIMED(timed_1, 1, timed_2)

static int timed_0(void *map, int *key, struct elem *e)
{
	FRAME(frame, 400);

	fill(frame, 0);
	*(const volatile void *volatile *)&frame_at[0] = frame;
	timed_1(ticks);
	bad_frames += damage(frame, 0);
	ticks++;
	return 0;
}

static __always_inline int start_timed(void)
{
	struct elem *e;
	int key = 0;

	e = bpf_map_lookup_elem(&elems, &key);
	if (!e)
		return 1;
	bpf_timer_init(&e->timer, &elems, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&e->timer, timed_0);
	return bpf_timer_start(&e->timer, 1000 * 1000, 0);
}

SEC("syscall")
int dead_in_front(void *ctx)
{
	if (zero)
		return in_front(zero);
	return start_timed();
}

SEC("syscall")
int live_in_front(void *ctx)
{
	if (*(volatile int *)&runs)
		return in_front(runs);
	return start_timed();
}

extern void bpf_throw(__u64 cookie) __weak __ksym;

static __noinline int throws(int x)
{
	FRAME(frame, 304);

	fill(frame, x);
	see(frame);
	if (damage(frame, x) == 0)
		bpf_throw(46);
	return x;
}

/*
 * A main program with registers to restore, and frames that are left behind. raw_tp
 * programs may not throw.
 */
SEC("tp/syscalls/sys_enter_getpgid")
int exception(void *ctx)
{
	FRAME(frame, 304);
	__u64 a = bpf_ktime_get_ns(), b = bpf_get_prandom_u32();

	runs++;
	fill(frame, a + b);
	throws(a);
	not_thrown++;
	bad_frames += damage(frame, a + b);
	return a * b;
}

__noinline int on_exception(__u64 cookie)
{
	FRAME(frame, 304);

	caught += cookie == 46;
	fill(frame, cookie);
	see(frame);
	level_6(1);
	bad_frames += damage(frame, cookie);
	return cookie + 1;
}

SEC("tp/syscalls/sys_enter_getpgid")
__attribute__((btf_decl_tag("exception_callback:on_exception"))) int exception_callback(void *ctx)
{
	FRAME(frame, 304);
	__u64 a = bpf_ktime_get_ns(), b = bpf_get_prandom_u32();

	runs++;
	fill(frame, a + b);
	throws(a);
	not_thrown++;
	bad_frames += damage(frame, a + b);
	return a * b;
}

static __noinline int traced_inner(void *ctx)
{
	FRAME(frame, 304);

	fill(frame, 3);
	trace_size = bpf_get_stack(ctx, trace, sizeof(trace), 0);
	bad_frames += damage(frame, 3);
	return trace_size;
}

static __noinline int traced_outer(void *ctx)
{
	FRAME(frame, 304);
	int size;

	fill(frame, 4);
	size = traced_inner(ctx);
	bad_frames += damage(frame, 4);
	return size;
}

SEC("raw_tp")
int stack_trace(void *ctx)
{
	FRAME(frame, 304);
	int size;

	fill(frame, 5);
	size = traced_outer(ctx);
	bad_frames += damage(frame, 5);
	return size > 0 ? 48 : 0;
}

/* A uprobe enters its program in a task that can be preempted, unless told otherwise. */
SEC("uprobe")
int uprobed(void *ctx)
{
	FRAME(frame, 304);

	runs++;
	fill(frame, runs);
	see(frame);
	level_6(runs);
	bad_frames += damage(frame, runs);
	return 0;
}

/*
 * The tracepoint is in the helper: a program on it that calls the helper would come to
 * itself. Frames are of no matter, the kernel stack has room.
 */
SEC("raw_tp/bpf_trace_printk")
int in_itself(void *ctx)
{
	if (runs++)
		return 0;
	bpf_printk("private-stack");
	return 0;
}

/* For a program that is traced itself, and whose function is replaced. */
__noinline int target(int x)
{
	FRAME(frame, 304);

	fill(frame, x);
	see(frame);
	bpf_ktime_get_ns();
	bad_frames += damage(frame, x);
	return x + 1;
}

SEC("raw_tp")
int traced(void *ctx)
{
	FRAME(frame, 304);
	int x;

	fill(frame, 11);
	x = target(1);
	x = target(x);
	bad_frames += damage(frame, 11);
	return x;
}

SEC("fentry")
int BPF_PROG(target_fentry, int x)
{
	fentry_runs++;
	return 0;
}

SEC("fexit")
int BPF_PROG(target_fexit, int x, int ret)
{
	FRAME(frame, 304);

	fill(frame, ret);
	fexit_runs += ret == x + 1;
	bad_frames += damage(frame, ret);
	return 0;
}

/* An extension of a function of a raw tracepoint program may return 0 only. */
SEC("freplace")
int target_replaced(int x)
{
	FRAME(frame, 304);

	fill(frame, x);
	bpf_ktime_get_ns();
	bad_frames += damage(frame, x);
	return 0;
}
