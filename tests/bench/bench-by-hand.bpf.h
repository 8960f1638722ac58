/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same by hand, the shortest way: one work item, its callback set by `probe`.
 * TIMER: through a timer of 0 ns, as fixups do that may want a delay.
 */
#include <hidsmith/compat.bpf.h>
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x1209, 0x4a0b));

struct element {
	struct bpf_timer timer;
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct element);
} elements SEC(".maps");

__u32 hid_id;

static struct element *element(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&elements, &zero);
}

static int send(void *map, int *key, void *value)
{
	struct hid_bpf_ctx *ctx = hid_bpf_allocate_context(hid_id);
	__u8 buf[8] = { 2, 1 };

	if (!ctx)
		return 0;
	hid_bpf_hw_output_report(ctx, buf, sizeof(buf));
	hid_bpf_release_context(ctx);
	return 0;
}

static int tick(void *map, int *key, void *value)
{
	struct element *e = value;

	bpf_wq_start(&e->wq, 0);
	return 0;
}

HS_PROBE(args)
{
	struct element *e = element();
	int err;

	if (!e)
		return -EINVAL;
	hid_id = args->hid;
	err = bpf_wq_init(&e->wq, &elements, 0);
	err = err ?: hs_wq_set_callback(&e->wq, send);
	err = err ?: bpf_timer_init(&e->timer, &elements, 1 /* CLOCK_MONOTONIC */);
	err = err ?: bpf_timer_set_callback(&e->timer, tick);
	return err;
}

HS_DEVICE_EVENT(event, 16)
{
	struct element *e;

	if (data[0] != 2 || data[1] != 1)
		return 0;
	e = element();
	if (!e)
		return 0;
#ifdef TIMER
	bpf_timer_start(&e->timer, 0, 0);
#else
	bpf_wq_start(&e->wq, 0);
#endif
	return 0;
}

HID_BPF_OPS(bench_by_hand) = {
	.hid_device_event = (void *)event,
};

char LICENSE[] SEC("license") = "GPL";
