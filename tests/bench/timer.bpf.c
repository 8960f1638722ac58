// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an event of the device to a callback that sends it a request, on each
 * way that there is.
 */
#include "request.bpf.h"
#include "timer.h"

const volatile int hid_id;
struct run run;

struct elem {
	struct bpf_timer timer;
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_WAYS);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

static int request_cb(void *map, int *key, struct elem *e)
{
	run.first = bpf_ktime_get_ns();
	send_request(hid_id, 1);
	run.runs++;
	return 0;
}

static int start_wq_cb(void *map, int *key, struct elem *e)
{
	bpf_wq_start(&e->wq, 0);
	return 0;
}

SEC("struct_ops/hid_device_event")
int BPF_PROG(on_event, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	int key = run.way;
	struct elem *e;

	run.event = bpf_ktime_get_ns();
	e = bpf_map_lookup_elem(&elems, &key);
	if (!e)
		return 0;
	switch (run.way) {
	case WAY_SLEEPABLE:
		if (!bpf_ksym_exists(bpf_timer_set_sleepable_cb))
			return 0;
		bpf_timer_init(&e->timer, &elems, CLOCK_MONOTONIC);
		set_sleepable_cb(&e->timer, request_cb);
		bpf_timer_start(&e->timer, run.delay, 0);
		break;
	case WAY_TIMER_WQ:
		bpf_timer_init(&e->timer, &elems, CLOCK_MONOTONIC);
		bpf_wq_init(&e->wq, &elems, 0);
		bpf_wq_set_callback(&e->wq, request_cb);
		bpf_timer_set_callback(&e->timer, start_wq_cb);
		bpf_timer_start(&e->timer, run.delay, 0);
		break;
	case WAY_WQ:
		bpf_wq_init(&e->wq, &elems, 0);
		bpf_wq_set_callback(&e->wq, request_cb);
		bpf_wq_start(&e->wq, 0);
		break;
	}
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops latency = {
	.hid_device_event = (void *)on_event,
};

char LICENSE[] SEC("license") = "GPL";
