// SPDX-License-Identifier: GPL-2.0-only
/*
 * What calls cost, by the size of the callee's frame. Tracepoint programs, because
 * they have private frames even where the kernel stack would do.
 */
#include "common.bpf.h"
#include <bpf/bpf_core_read.h>

#define CALLS 20000

struct pt_regs {
	unsigned long sp;
} __attribute__((preserve_access_index));

/* The stack pointer at entry of a helper that the main program or the last calls. */
__u64 sp_at_first, sp_at_eighth;
int level;

#define CALLEE(bytes)                                    \
	static __noinline int callee_##bytes(int x)      \
	{                                                \
		FRAME(frame, bytes);                     \
		touch(frame, x);                         \
		return frame[0];                         \
	}                                                \
	static int cb_##bytes(unsigned int i, void *arg) \
	{                                                \
		callee_##bytes(i);                       \
		return 0;                                \
	}                                                \
	SEC("tp/syscalls/sys_enter_getpgid")             \
	int call_##bytes(void *ctx)                      \
	{                                                \
		bpf_loop(CALLS, cb_##bytes, NULL, 0);    \
		return 0;                                \
	}

CALLEE(32)
CALLEE(64)
CALLEE(256)
CALLEE(496)

/* The same with a helper called from the frame. */
#define CALLEE_HELPER(bytes)                              \
	static __noinline int helper_##bytes(int x)       \
	{                                                 \
		FRAME(frame, bytes);                      \
		touch(frame, x);                          \
		bpf_get_prandom_u32();                    \
		return frame[0];                          \
	}                                                 \
	static int hcb_##bytes(unsigned int i, void *arg) \
	{                                                 \
		helper_##bytes(i);                        \
		return 0;                                 \
	}                                                 \
	SEC("tp/syscalls/sys_enter_getpgid")              \
	int with_helper_##bytes(void *ctx)                \
	{                                                 \
		bpf_loop(CALLS, hcb_##bytes, NULL, 0);    \
		return 0;                                 \
	}

CALLEE_HELPER(32)
CALLEE_HELPER(64)
CALLEE_HELPER(256)
CALLEE_HELPER(496)

/* A callee without a frame: what remains is the loop and the call. */
static __noinline int callee_none(int x)
{
	barrier_var(x);
	return x;
}

static int cb_none(unsigned int i, void *arg)
{
	callee_none(i);
	return 0;
}

SEC("tp/syscalls/sys_enter_getpgid")
int call_none(void *ctx)
{
	bpf_loop(CALLS, cb_none, NULL, 0);
	return 0;
}

/* How much of the kernel stack a chain takes: a probe on a helper looks. */
SEC("kprobe/bpf_get_numa_node_id")
int look(struct pt_regs *ctx)
{
	unsigned long sp = BPF_CORE_READ(ctx, sp);

	if (level)
		sp_at_eighth = sp;
	else
		sp_at_first = sp;
	return 0;
}

#define LEVEL(n, bytes, callee)                          \
	static __noinline int chain_##bytes##_##n(int x) \
	{                                                \
		FRAME(frame, bytes);                     \
		touch(frame, x);                         \
		callee(x);                               \
		return frame[0];                         \
	}

static __always_inline int at_top(int x)
{
	level = 7;
	bpf_get_numa_node_id();
	return x;
}

#define CHAIN(bytes)                       \
	LEVEL(8, bytes, at_top)            \
	LEVEL(7, bytes, chain_##bytes##_8) \
	LEVEL(6, bytes, chain_##bytes##_7) \
	LEVEL(5, bytes, chain_##bytes##_6) \
	LEVEL(4, bytes, chain_##bytes##_5) \
	LEVEL(3, bytes, chain_##bytes##_4) \
	LEVEL(2, bytes, chain_##bytes##_3) \
	SEC("raw_tp")                      \
	int chain_##bytes(void *ctx)       \
	{                                  \
		FRAME(frame, bytes);       \
		touch(frame, 1);           \
		level = 0;                 \
		bpf_get_numa_node_id();    \
		chain_##bytes##_2(1);      \
		return frame[0];           \
	}

CHAIN(64)
CHAIN(400)
