/* SPDX-License-Identifier: GPL-2.0-only */
/* NR_TIMERS timers, or one, with nothing else in their elements. */
#ifndef TESTS_KERNEL_PROGS_TIMER_MAP_BPF_H
#define TESTS_KERNEL_PROGS_TIMER_MAP_BPF_H

#ifndef NR_TIMERS
#define NR_TIMERS 1
#endif

struct elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_TIMERS);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

#endif
