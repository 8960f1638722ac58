// SPDX-License-Identifier: GPL-2.0-only
/* Tail calls: how many there are, and from where there may be one. */
#include "common.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, int);
} progs SEC(".maps");

int entries; /* of a main program, the first one included */
int bad_frames;
int entry_slot; /* an index that is no constant, for the indirect form */

static __noinline int again(void *ctx)
{
	bpf_tail_call(ctx, &progs, 0);
	return 0;
}

static __noinline int again_indirect(void *ctx)
{
	bpf_tail_call(ctx, &progs, entry_slot);
	return 0;
}

static __noinline int calls_again(void *ctx)
{
	int ret = again(ctx);

	barrier_var(ret);
	return ret;
}

/* Twice from one entry: 33 in all, not two to the power of 34. */
SEC("raw_tp")
int twice(void *ctx)
{
	entries++;
	again(ctx);
	again(ctx);
	return 0;
}

SEC("raw_tp")
int twice_indirect(void *ctx)
{
	entries++;
	again_indirect(ctx);
	again_indirect(ctx);
	return 0;
}

SEC("raw_tp")
int three_deep(void *ctx)
{
	entries++;
	calls_again(ctx);
	again(ctx);
	calls_again(ctx);
	return 0;
}

/* From subprogram and main program. */
SEC("raw_tp")
int sub_and_main(void *ctx)
{
	entries++;
	again(ctx);
	bpf_tail_call(ctx, &progs, 0);
	return 0;
}

/* Through a second program, which comes back. */
SEC("raw_tp")
int ping(void *ctx)
{
	entries++;
	again_indirect(ctx);
	again_indirect(ctx);
	return 0;
}

SEC("raw_tp")
int pong(void *ctx)
{
	entries++;
	bpf_tail_call(ctx, &progs, 0);
	return 0;
}

/* Frames that do not wait for a tail call may be private; 33 is 33. */
static __noinline int leaf(int x)
{
	FRAME(frame, 304);

	fill(frame, x);
	bpf_ktime_get_ns();
	bad_frames += damage(frame, x);
	return x;
}

static __noinline int inner(int x)
{
	FRAME(frame, 304);

	fill(frame, x);
	x = leaf(x);
	bad_frames += damage(frame, x);
	return x;
}

SEC("tp/syscalls/sys_enter_getpgid")
int with_frames(void *ctx)
{
	entries++;
	inner(entries);
	again(ctx);
	inner(entries);
	again(ctx);
	return 0;
}

/* From one without private frames into one whose main program has one, too. */
SEC("tp/syscalls/sys_enter_getpgid")
int to_frames(void *ctx)
{
	entries++;
	bpf_tail_call(ctx, &progs, 0);
	return 0;
}

SEC("tp/syscalls/sys_enter_getpgid")
int all_frames(void *ctx)
{
	FRAME(frame, 304);

	fill(frame, 7);
	entries++;
	inner(entries);
	bad_frames += damage(frame, 7);
	return 0;
}

SEC("raw_tp")
int with_frames_raw(void *ctx)
{
	entries++;
	inner(entries);
	again_indirect(ctx);
	inner(entries);
	again_indirect(ctx);
	return 0;
}

/* Waits for a tail call with a frame that does not fit the kernel stack. */
static __noinline int big_again(void *ctx)
{
	FRAME(frame, 240);

	fill(frame, 1);
	bpf_tail_call(ctx, &progs, 0);
	return damage(frame, 1);
}

SEC("tp/syscalls/sys_enter_getpgid")
int waiting_frame(void *ctx)
{
	FRAME(frame, 304);

	fill(frame, 2);
	big_again(ctx);
	return damage(frame, 2);
}

SEC("fentry")
int BPF_PROG(on_again)
{
	return 0;
}

SEC("fexit")
int BPF_PROG(after_again)
{
	return 0;
}

/* What must be refused. */
static int loop_direct(unsigned int i, void **ctx)
{
	bpf_tail_call(*ctx, &progs, 0);
	return 0;
}

SEC("raw_tp")
int in_callback(void *ctx)
{
	bpf_loop(1, loop_direct, &ctx, 0);
	return 0;
}

static int loop_indirect(unsigned int i, void **ctx)
{
	return calls_again(*ctx);
}

SEC("raw_tp")
int below_callback(void *ctx)
{
	bpf_loop(1, loop_indirect, &ctx, 0);
	return 0;
}
