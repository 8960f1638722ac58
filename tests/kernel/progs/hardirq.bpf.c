// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets, starts and cancels a sleepable timer in hard irq: the context of
 * HID-BPF's device_event for a device whose driver reports in its interrupt.
 */
#include "kernel.bpf.h"
#include "hardirq.h"

struct elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

struct hardirq_state state = { .todo = HARDIRQ_NOTHING };

static int callback(void *map, int *key, struct elem *e)
{
	char s[8];

	bpf_copy_from_user_str(s, sizeof(s), NULL, 0);
	state.runs++;
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(in_hard_irq, int irq)
{
	struct elem *e;
	int key = 0;

	if (state.todo == HARDIRQ_NOTHING)
		return 0;
	e = bpf_map_lookup_elem(&elems, &key);
	if (!e)
		return 0;
	if (state.todo == HARDIRQ_START) {
		bpf_timer_init(&e->timer, &elems, CLOCK_MONOTONIC);
		state.set = set_sleepable_cb(&e->timer, callback);
		state.start = bpf_timer_start(&e->timer, state.nsecs, 0);
	} else {
		state.cancel = bpf_timer_cancel(&e->timer);
	}
	state.todo = HARDIRQ_NOTHING;
	state.done++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
