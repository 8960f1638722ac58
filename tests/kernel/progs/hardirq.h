/* SPDX-License-Identifier: MIT */
/* What hardirq.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_HARDIRQ_H
#define TESTS_KERNEL_PROGS_HARDIRQ_H

#include <linux/types.h>

#define HARDIRQ_ELEMS 4
#define HARDIRQ_CPUS  8
/* ns: the debug kernel takes milliseconds for one, and nothing else would run */
#define STORM_PAUSE 20000000

enum hardirq_todo {
	HARDIRQ_NOTHING,
	HARDIRQ_START,
	HARDIRQ_CANCEL,
};

struct hardirq_state {
	__u32 todo; /* in the next interrupt */
	__u32 done; /* interrupts that did something */
	__u64 nsecs;
	__s32 set; /* what the calls gave */
	__s32 start;
	__s32 cancel;
	__u32 runs; /* of the sleepable callback */
	__u32 plain_runs;
	__u32 pad;
};

#endif
