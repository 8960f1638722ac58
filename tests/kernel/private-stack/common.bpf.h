/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames of a given size whose content is written, kept and checked. */
#ifndef COMMON_BPF_H
#define COMMON_BPF_H

/* Older headers lack struct bpf_wq, which must have this name; see below. */
#define bpf_wq bpf_wq_of_the_header
#include <linux/bpf.h>
#undef bpf_wq
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef __weak
#define __weak __attribute__((weak))
#endif
#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

/* A frame of BYTES, a multiple of 8, all of it used. */
#define FRAME(name, bytes) volatile __u64 name[(bytes) / 8]
#define WORDS(frame)       (sizeof(frame) / sizeof((frame)[0]))

#define fill(frame, seed)                                          \
	do {                                                       \
		for (unsigned int _i = 0; _i < WORDS(frame); _i++) \
			(frame)[_i] = (__u64)(seed)*0x10001 + _i;  \
	} while (0)

/* Is any word of FRAME not what fill() with SEED wrote? No branch for each word. */
#define damage(frame, seed)                                                  \
	({                                                                   \
		__u64 _diff = 0;                                             \
		for (unsigned int _i = 0; _i < WORDS(frame); _i++)           \
			_diff |= (frame)[_i] ^ ((__u64)(seed)*0x10001 + _i); \
		(int)(_diff != 0);                                           \
	})

/* Uses both ends of the frame; the compiler must believe that all of it is used. */
#define touch(frame, x)                                                    \
	do {                                                               \
		__u64 _x = (x);                                            \
		asm volatile("*(u64 *)(%0 + 0) = %1\n"                     \
			     "*(u64 *)(%0 + %2) = %1"                      \
			     :                                             \
			     : "r"(frame), "r"(_x), "i"(sizeof(frame) - 8) \
			     : "memory");                                  \
	} while (0)

struct bpf_wq {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __weak __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __weak __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq, int (*cb)(void *map, int *key, void *value),
				    unsigned int flags, void *aux) __weak __ksym;
extern int bpf_timer_set_sleepable_cb(struct bpf_timer *timer,
				      int (*cb)(void *map, int *key, void *value)) __weak __ksym;

char LICENSE[] SEC("license") = "GPL";

#endif
