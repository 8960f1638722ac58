/* SPDX-License-Identifier: MIT */
/* What timer.bpf.c and timer.c agree on. */
#ifndef TESTS_BENCH_TIMER_H
#define TESTS_BENCH_TIMER_H

#include <linux/types.h>

enum way {
	WAY_SLEEPABLE, /* a timer with a sleepable callback */
	WAY_TIMER_WQ, /* a timer whose callback starts a work item */
	WAY_WQ, /* a work item alone */
	NR_WAYS,
};

struct run {
	__u64 event; /* CLOCK_MONOTONIC: the device's report is there */
	__u64 first; /* the callback's first instruction */
	__u64 delay; /* ns, to be set before */
	__u32 way; /* enum way, to be set before */
	__u32 runs;
};

#endif
