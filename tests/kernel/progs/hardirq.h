/* SPDX-License-Identifier: MIT */
/* What hardirq.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_HARDIRQ_H
#define TESTS_KERNEL_PROGS_HARDIRQ_H

#include <linux/types.h>

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
	__u32 runs; /* of the callback */
};

#endif
