// SPDX-License-Identifier: GPL-2.0-only
/* An event program without any device IO: what the others' events are measured against. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x1209, 0x4a0b));

HS_DEVICE_EVENT(event, 64)
{
	return data[0] == 2 && data[1] == 1 ? 0 : (int)data[2] >> 8;
}

HID_BPF_OPS(bench_plain) = {
	.hid_device_event = (void *)event,
};

char LICENSE[] SEC("license") = "GPL";
