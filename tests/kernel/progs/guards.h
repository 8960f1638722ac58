/* SPDX-License-Identifier: MIT */
/* What guards.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_GUARDS_H
#define TESTS_KERNEL_PROGS_GUARDS_H

#define GUARD_BYTES 8
#define NR_SLOTS    4 /* of hid_device_event */
#define FRAME_BYTES 304 /* two do not fit the kernel stack */

#endif
