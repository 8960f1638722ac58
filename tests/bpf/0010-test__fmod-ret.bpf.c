// SPDX-License-Identifier: GPL-2.0-only
/* The interface before struct_ops, which Linux 6.11 removed. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x1234, HID_PID_ANY));

SEC("fmod_ret/hid_bpf_device_event")
int BPF_PROG(event, struct hid_bpf_ctx *hctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
