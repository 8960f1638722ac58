// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions whose every instruction is known, so that the test can say what machine
 * code they must become. The frames together fit the kernel stack. They have no
 * parameters because BTF would lack the names of those.
 */
#include "common.bpf.h"
#include "async-maps.bpf.h"

#define NAKED   __attribute__((naked, noinline, used))
#define CLOBBER "r0", "r1", "r2", "r3", "r4", "r5", "memory"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} progs SEC(".maps");

/* 128 bytes, calls nothing. */
static NAKED int leaf(void)
{
	asm volatile("*(u64 *)(r10 - 128) = r1\n"
		     "r0 = *(u64 *)(r10 - 128)\n"
		     "exit" ::
			     : CLOBBER);
}

/* 64 bytes, calls a function and a helper. */
static NAKED int calls(void)
{
	asm volatile("*(u64 *)(r10 - 64) = r1\n"
		     "r1 = 7\n"
		     "call leaf\n"
		     "call %[bpf_ktime_get_ns]\n"
		     "r0 = *(u64 *)(r10 - 64)\n"
		     "exit" ::[bpf_ktime_get_ns] "i"(BPF_FUNC_ktime_get_ns)
		     : CLOBBER);
}

/* 64 bytes, and a register to restore. */
static NAKED int uses_r6(void)
{
	asm volatile("r6 = r1\n"
		     "*(u64 *)(r10 - 64) = r6\n"
		     "r1 = 7\n"
		     "call leaf\n"
		     "r0 = *(u64 *)(r10 - 64)\n"
		     "r0 += r6\n"
		     "exit" ::
			     : CLOBBER, "r6");
}

/* 48 bytes: too small for a private frame. */
static NAKED int small(void)
{
	asm volatile("*(u64 *)(r10 - 48) = r1\n"
		     "r1 = 7\n"
		     "call leaf\n"
		     "exit" ::
			     : CLOBBER);
}

SEC("tracepoint")
NAKED int frames(void)
{
	asm volatile("*(u64 *)(r10 - 32) = r1\n"
		     "r1 = 7\n"
		     "call calls\n"
		     "r1 = 7\n"
		     "call uses_r6\n"
		     "r1 = 7\n"
		     "call small\n"
		     "r0 = 0\n"
		     "exit" ::
			     : CLOBBER);
}

/* The same functions in a program that may sleep. */
SEC("fentry.s/bpf_fentry_test1")
NAKED int sleepable(void)
{
	asm volatile("r1 = 7\n"
		     "call calls\n"
		     "r0 = 0\n"
		     "exit" ::
			     : CLOBBER);
}

/* In a callback that may sleep. */
static NAKED int work_cb(void)
{
	asm volatile("r1 = 7\n"
		     "call calls\n"
		     "r0 = 0\n"
		     "exit" ::
			     : CLOBBER);
}

SEC("tc")
int work_queue(void *ctx)
{
	struct work *w;
	int key = 0;

	w = bpf_map_lookup_elem(&works, &key);
	if (!w)
		return 0;
	bpf_wq_init(&w->wq, &works, 0);
	bpf_wq_set_callback_impl(&w->wq, (void *)work_cb, 0, NULL);
	return 0;
}

/* Two roots share leaf(), uses_r6() belongs to one. */
static NAKED int timer_a(void)
{
	asm volatile("r1 = 7\n"
		     "call uses_r6\n"
		     "r0 = 0\n"
		     "exit" ::
			     : CLOBBER);
}

static NAKED int timer_b(void)
{
	asm volatile("r1 = 7\n"
		     "call leaf\n"
		     "r0 = 0\n"
		     "exit" ::
			     : CLOBBER);
}

SEC("tc")
int two_timers(void *ctx)
{
	int a = 0, b = 1;
	struct elem *first = bpf_map_lookup_elem(&elems, &a);
	struct elem *second = bpf_map_lookup_elem(&elems, &b);

	if (!first || !second)
		return 0;
	bpf_timer_set_callback(&first->timer, timer_a);
	bpf_timer_set_callback(&second->timer, timer_b);
	return 0;
}

/* 64 bytes that are in use when the tail call happens. */
static NAKED int tail_calls(void)
{
	asm volatile("*(u64 *)(r10 - 64) = r1\n"
		     "r2 = progs ll\n"
		     "r3 = 0\n"
		     "call %[bpf_tail_call]\n"
		     "r0 = 0\n"
		     "exit" ::[bpf_tail_call] "i"(BPF_FUNC_tail_call)
		     : CLOBBER);
}

SEC("tracepoint")
NAKED int tail_call(void)
{
	asm volatile("r6 = r1\n"
		     "r1 = 7\n"
		     "call calls\n"
		     "r1 = r6\n"
		     "call tail_calls\n"
		     "r0 = 0\n"
		     "exit" ::
			     : CLOBBER, "r6");
}
