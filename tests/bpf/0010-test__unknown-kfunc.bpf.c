// SPDX-License-Identifier: GPL-2.0-only
/* Calls a function that no kernel has. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x1234, HID_PID_ANY));

extern int hid_bpf_no_such_function(struct hid_bpf_ctx *ctx) __ksym;

SEC("struct_ops/hid_device_event")
int BPF_PROG(calls, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	return hid_bpf_no_such_function(hctx);
}

HID_BPF_OPS(test_unknown) = {
	.hid_device_event = (void *)calls,
};

char LICENSE[] SEC("license") = "GPL";
