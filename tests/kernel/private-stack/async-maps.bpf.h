/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps for those whose asynchronous callbacks are roots: two timers and a work item. */
#ifndef ASYNC_MAPS_BPF_H
#define ASYNC_MAPS_BPF_H

#include "common.bpf.h"

struct elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

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
