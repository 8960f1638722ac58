/* SPDX-License-Identifier: MIT */
/* What timers.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_TIMERS_H
#define TESTS_KERNEL_PROGS_TIMERS_H

#include <linux/types.h>

#define NR_ELEMS 16 /* a power of two */
#define NR_LRU   64

enum op {
	OP_INIT,
	OP_SET,
	OP_SET_PLAIN,
	OP_START,
	OP_CANCEL,
	OP_ARM, /* plan, set, start */
	OP_PLAN,
};

enum action {
	ACT_NONE,
	ACT_BLOCK, /* send a request to the device */
	ACT_BLOCK_CANCEL, /* the same, then cancel element arg */
	ACT_REARM, /* start again, for arg runs in all */
	ACT_CANCEL_SELF,
	ACT_CANCEL_OTHER, /* cancel array element arg */
	ACT_CANCEL_OTHER_PLAIN, /* the same in the plain callback */
	ACT_DELETE_SELF, /* hash element arg */
	ACT_SET_PLAIN, /* in the sleepable callback, and start */
	ACT_SET_SLEEPABLE, /* in the plain callback, and start */
};

struct plan {
	__u32 action;
	__u32 arg;
	__u32 slot; /* index into seen[] */
	__u32 pad;
};

struct args {
	__u32 op;
	__u32 key;
	__u64 nsecs;
	__u64 flags;
	struct plan plan;
	__s32 ret;
	__u32 pad;
};

struct seen {
	__u64 time; /* of the last run, CLOCK_MONOTONIC */
	__u32 sleepable_runs;
	__u32 plain_runs;
	__s32 result;
	__u32 cpu;
	__u32 inside; /* the sleepable callback */
	__u32 plain_inside;
	__u32 overlaps; /* of one of them with itself */
	__u32 wrong_context; /* runs that were not where they belong */
};

#endif
