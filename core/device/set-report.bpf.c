// SPDX-License-Identifier: GPL-2.0-only
/* One SET_REPORT(Output) for `hidsmith io`. */
#include <hidsmith/hid.bpf.h>

#include "set-report-args.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct set_report);
} report SEC(".maps");

SEC("syscall")
int set_output(struct set_report_args *args)
{
	__u32 zero = 0, size;
	struct set_report *r = bpf_map_lookup_elem(&report, &zero);
	struct hid_bpf_ctx *hctx;

	args->result = -EINVAL;
	if (!r)
		return 0;
	size = r->size;
	if (size > sizeof(r->data))
		return 0;
	/* The verifier does not follow what clang makes of both in one. */
	barrier_var(size);
	if (!size)
		return 0;
	args->result = -ENODEV;
	hctx = hid_bpf_allocate_context(args->hid);
	if (!hctx)
		return 0;
	args->result =
		hid_bpf_hw_request(hctx, r->data, size, HID_OUTPUT_REPORT, HID_REQ_SET_REPORT);
	hid_bpf_release_context(hctx);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
