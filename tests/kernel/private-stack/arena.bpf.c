// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private frames in functions that access an arena: the JIT keeps the arena's address
 * in r12 and the frame's in r9. Not every clang knows address spaces, so the casts are
 * instructions in bytes.
 */
#include "common.bpf.h"

/* Older headers lack it. */
#define MAP_TYPE_ARENA 33

struct {
	__uint(type, MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2); /* pages */
} arena SEC(".maps");

int bad_frames;
int bad_values;

/* r2 = addr_space_cast(r2, 0, 1): what is in r2 is an address in the arena. */
#define CAST_R2 ".byte 0xbf, 0x22, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00\n"

/* The verifier wants to see the arena once in a program that casts. */
static __always_inline void use_arena(void)
{
	asm volatile("" ::"r"(&arena));
}

static __always_inline void arena_write(__u64 addr, __u64 value)
{
	asm volatile("r2 = %0\n" CAST_R2 "*(u64 *)(r2 + 0) = %1" ::"r"(addr), "r"(value)
		     : "r2", "memory");
}

static __always_inline __u64 arena_read(__u64 addr)
{
	__u64 value;

	asm volatile("r2 = %1\n" CAST_R2 "%0 = *(u64 *)(r2 + 0)"
		     : "=r"(value)
		     : "r"(addr)
		     : "r2", "memory");
	return value;
}

static __always_inline void arena_add(__u64 addr, __u64 value)
{
	asm volatile("r2 = %0\n" CAST_R2 "lock *(u64 *)(r2 + 0) += %1" ::"r"(addr), "r"(value)
		     : "r2", "memory");
}

/* Set by the test: an address in a page that it has touched, and in one that is not. */
__u64 present;
__u64 absent;

static __noinline int arena_leaf(__u64 addr)
{
	FRAME(frame, 304);

	fill(frame, addr);
	arena_write(addr + 8, 22);
	bpf_ktime_get_ns();
	arena_add(addr + 8, 100);
	bad_values += arena_read(addr + 8) != 122;
	/* A fault that is handled: the register that is loaded becomes 0. */
	bad_values += arena_read(absent) != 0;
	bad_frames += damage(frame, addr);
	return 0;
}

static __noinline int arena_outer(__u64 addr)
{
	FRAME(frame, 304);

	fill(frame, addr + 1);
	arena_write(addr, arena_read(addr) + 1);
	arena_leaf(addr);
	/* After a call both registers must be right. */
	arena_write(addr + 16, arena_read(addr) + arena_read(addr + 8));
	bad_frames += damage(frame, addr + 1);
	return 0;
}

SEC("raw_tp")
int in_arena(void *ctx)
{
	FRAME(frame, 304);
	__u64 addr = present;

	use_arena();
	fill(frame, 3);
	arena_outer(addr);
	bad_values += arena_read(addr + 16) != arena_read(addr) + 122;
	bad_frames += damage(frame, 3);
	return 50;
}
