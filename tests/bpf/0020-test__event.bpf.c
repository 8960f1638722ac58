// SPDX-License-Identifier: GPL-2.0-only
/* The better one of its group, which never wants the device. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x1234, HID_PID_ANY));

HS_PROBE(args)
{
	return -ENODEV;
}

HS_DEVICE_EVENT(nothing, 2)
{
	return 0;
}

HID_BPF_OPS(test_event) = {
	.hid_device_event = (void *)nothing,
};

char LICENSE[] SEC("license") = "GPL";
