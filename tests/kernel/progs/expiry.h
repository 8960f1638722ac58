/* SPDX-License-Identifier: MIT */
/* What expiry.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_EXPIRY_H
#define TESTS_KERNEL_PROGS_EXPIRY_H

#include <linux/types.h>

struct expiry {
	__u32 runs; /* of the callback */
	__u32 cpu; /* of the last one */
	__u32 cancelled; /* calls of bpf_timer_cancel() that returned */
	__s32 result; /* what the last one gave */
};

#endif
