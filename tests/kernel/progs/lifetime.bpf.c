// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each event of the device starts a callback that sends a request, blocks until
 * the device answers, and sends another one. The test takes everything away
 * while it blocks. The second request shows that the callback went on.
 */
#include "request.bpf.h"
#include "lifetime.h"

const volatile int use_timer;
const volatile int flood; /* send an output report first, which does not block */
const volatile int hid_id;

__u32 events, started, ended; /* callbacks */

struct elem {
	struct bpf_timer timer;
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_CALLBACKS);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

static void send_output(void)
{
	__u8 buf[REPORT_SIZE] = { OUTPUT_ID };
	struct hid_bpf_ctx *ctx;

	ctx = hid_bpf_allocate_context(hid_id);
	if (!ctx)
		return;
	hid_bpf_hw_output_report(ctx, buf, sizeof(buf));
	hid_bpf_release_context(ctx);
}

static int callback(void *map, int *key, struct elem *e)
{
	__sync_fetch_and_add(&started, 1);
	if (flood)
		send_output();
	send_request(hid_id, 1);
	send_request(hid_id, 2);
	__sync_fetch_and_add(&ended, 1);
	return 0;
}

SEC("struct_ops/hid_device_event")
int BPF_PROG(on_event, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	struct elem *e;
	int key = events++ % NR_CALLBACKS;

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
