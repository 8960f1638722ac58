/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps for those whose asynchronous callbacks are roots: two timers and a work item. */
#ifndef ASYNC_MAPS_BPF_H
#define ASYNC_MAPS_BPF_H

#include "common.bpf.h"
#define NR_TIMERS 2
#include "../progs/timer-map.bpf.h"

struct work {
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct work);
} works SEC(".maps");

#endif
