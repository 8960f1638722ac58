// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two links of which the kernel takes only the first, since a device has one fixup
 * of its report descriptor: attaching fails half way.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x1234, HID_PID_ANY));

HS_RDESC_FIXUP(nothing)
{
	return 0;
}

HID_BPF_OPS(test_first) = {
	.hid_rdesc_fixup = (void *)nothing,
};

HID_BPF_OPS(test_second) = {
	.hid_rdesc_fixup = (void *)nothing,
};

char LICENSE[] SEC("license") = "GPL";
