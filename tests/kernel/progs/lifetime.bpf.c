// SPDX-License-Identifier: GPL-2.0-only
/*
 * An event of the device starts a callback that sends a request, blocks until
 * the device answers, and sends another one. The test takes everything away
 * while it blocks. The second request shows that the callback went on.
 */
#include "request.bpf.h"

const volatile int use_timer;
const volatile int hid_id;

struct elem {
	struct bpf_timer timer;
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

static int callback(void *map, int *key, struct elem *e)
{
	send_request(hid_id, 1);
	send_request(hid_id, 2);
	return 0;
}

SEC("struct_ops/hid_device_event")
int BPF_PROG(on_event, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	struct elem *e;
	int key = 0;

	e = bpf_map_lookup_elem(&elems, &key);
	if (!e)
		return 0;
	if (use_timer) {
		if (bpf_timer_init(&e->timer, &elems, CLOCK_MONOTONIC))
			return 0;
		set_sleepable_cb(&e->timer, callback);
		bpf_timer_start(&e->timer, 0, 0);
	} else {
		if (bpf_wq_init(&e->wq, &elems, 0))
			return 0;
		bpf_wq_set_callback(&e->wq, callback);
		bpf_wq_start(&e->wq, 0);
	}
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops lifetime = {
	.hid_device_event = (void *)on_event,
};

char LICENSE[] SEC("license") = "GPL";
