/* SPDX-License-Identifier: MIT */
/* What lifetime.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_LIFETIME_H
#define TESTS_KERNEL_PROGS_LIFETIME_H

#define NR_CALLBACKS 256 /* at a time */
#define NR_LOOKUPS   200 /* in a run of look_up */

/* What look_up's requests found. */
struct lookup_counts {
	unsigned int report; /* the report that they name */
	unsigned int none; /* no such report */
	unsigned int odd; /* neither */
};

#endif
