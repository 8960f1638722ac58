// SPDX-License-Identifier: GPL-2.0-only
/* The verifier refuses it: the data's pointer is not checked. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x1234, HID_PID_ANY));

SEC("struct_ops/hid_device_event")
int BPF_PROG(unchecked, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	__u8 *data = hid_bpf_get_data(hctx, 0, 2);

	data[0] = 1;
	return 0;
}

HID_BPF_OPS(test_refused) = {
	.hid_device_event = (void *)unchecked,
};

char LICENSE[] SEC("license") = "GPL";
