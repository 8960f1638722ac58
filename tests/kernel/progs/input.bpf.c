// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the device's numbered reports while others are injected.
 */
#include "kernel.bpf.h"
#include "input.h"

#define REPORT_SIZE 16

const volatile int hid_id;
struct input_counts counts;

struct inject_args trying; /* the arguments and results of try_cb() */
int start_trying;

struct elem {
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

static int try_cb(void *map, int *key, struct elem *e)
{
	__u8 report[REPORT_SIZE] = { 1 };
	struct hid_bpf_ctx *ctx;
	int i, ret;

	ctx = hid_bpf_allocate_context(hid_id);
	if (!ctx)
		return 0;
	bpf_for(i, 0, (int)trying.reports)
	{
		if (counts.hardware >= trying.until)
			break;
		ret = hid_bpf_try_input_report(ctx, HID_INPUT_REPORT, report, sizeof(report));
		if (!ret) {
			trying.ok++;
		} else {
			trying.failed++;
			trying.error = ret;
		}
	}
	hid_bpf_release_context(ctx);
	trying.wait = 0;
	return 0;
}

/* On the CPU that sends the event, for as long as the test does not move on. */
static void start_try(void)
{
	struct elem *e;
	int key = 0;

	start_trying = 0;
	e = bpf_map_lookup_elem(&elems, &key);
	if (!e || bpf_wq_init(&e->wq, &elems, 0))
		return;
	bpf_wq_set_callback(&e->wq, try_cb);
	bpf_wq_start(&e->wq, 0);
}

static int nothing(__u32 i, void *ctx)
{
	return 0;
}

static void count_hardware(__u8 *data)
{
	__u32 number;

	__builtin_memcpy(&number, data + 1, sizeof(number));
	if (number != counts.next && !counts.out_of_order++)
		counts.first_gap = counts.next;
	counts.next = number + 1;
	counts.hardware++;
}

static void look_at(struct hid_bpf_ctx *hctx)
{
	counts.size = hctx->size;
	counts.room = hctx->allocated_size;
	if (counts.injector && counts.injector == bpf_get_current_task_btf()->pid)
		counts.in_call++;
}

SEC("struct_ops/hid_device_event")
int BPF_PROG(count_report, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	__u8 report[REPORT_SIZE] = { 1 };
	__u8 *data = hid_bpf_get_data(hctx, 0, REPORT_SIZE);

	if (!data)
		return 0;
	look_at(hctx);
	if (source) {
		counts.injected++;
		if (counts.slow)
			bpf_loop(1 << 23, nothing, NULL, 0);
		if (counts.nest)
			counts.nested = hid_bpf_try_input_report(hctx, HID_INPUT_REPORT, report,
								 sizeof(report));
		return 0;
	}
	count_hardware(data);
	if (counts.rounds)
		bpf_loop(counts.rounds, nothing, NULL, 0);
	if (start_trying)
		start_try();
	if (counts.nest)
		counts.in_event =
			hid_bpf_try_input_report(hctx, HID_INPUT_REPORT, report, sizeof(report));
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops input = {
	.hid_device_event = (void *)count_report,
};

SEC("syscall")
int inject(struct inject_args *args)
{
	__u8 report[REPORT_SIZE] = { 1 };
	struct hid_bpf_ctx *ctx;
	int i, ret;

	ctx = hid_bpf_allocate_context(hid_id);
	if (!ctx)
		return 1;
	counts.injector = bpf_get_current_task_btf()->pid;
	bpf_for(i, 0, (int)args->reports)
	{
		counts.in_call = 0;
		ret = hid_bpf_input_report(ctx, HID_INPUT_REPORT, report, sizeof(report));
		if (!ret) {
			args->ok++;
		} else {
			args->failed++;
			args->error = ret;
		}
		if (counts.in_call > args->most)
			args->most = counts.in_call;
	}
	counts.injector = 0;
	hid_bpf_release_context(ctx);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
