/* SPDX-License-Identifier: MIT */
/* What input.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_INPUT_H
#define TESTS_KERNEL_PROGS_INPUT_H

#include <linux/types.h>

struct input_counts {
	__u64 hardware; /* reports of the device that were processed */
	__u64 out_of_order; /* whose number is not the last one's plus one */
	__u64 injected; /* reports of inject() that were processed */
	__u32 next; /* the number that the next one must have */
	__u32 first_gap; /* and had not, for the first time */
	__u32 size; /* of the last report, as its event says */
	__u32 room; /* how much of it there is memory for */
	__u32 rounds; /* of a loop, in the event of each of the device's reports */
	__u32 slow; /* injected reports are processed slowly */
	__u32 nest; /* inject one more in the event */
	__s32 in_event; /* what that gave */
	__s32 nested; /* and what it gave in the injected one's event */
	__s32 injector; /* the thread in inject(), or 0 */
	__u32 in_call; /* reports that it processed in this call */
};

struct inject_args {
	__u32 reports;
	__u32 until; /* so many of the device's reports were processed */
	__u32 wait; /* not done yet */
	__u32 ok;
	__u32 failed;
	__s32 error; /* the last one */
	__u32 most; /* reports that were processed in one call, by who called */
};

#endif
