/* SPDX-License-Identifier: MIT */
/* What lifetime.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_LIFETIME_H
#define TESTS_KERNEL_PROGS_LIFETIME_H

#define NR_CALLBACKS 256 /* at a time */

#endif
