/* SPDX-License-Identifier: MIT */
/* What lookup.bpf.c and its test agree on. */
#ifndef TESTS_KERNEL_PROGS_LOOKUP_H
#define TESTS_KERNEL_PROGS_LOOKUP_H

#define NR_LOOKUPS 200 /* in a run */

/* What the requests found. */
struct lookup_counts {
	unsigned int report; /* the report that they name */
	unsigned int none; /* no such report */
	unsigned int odd; /* neither */
};

#endif
