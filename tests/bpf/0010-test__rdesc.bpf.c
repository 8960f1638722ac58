// SPDX-License-Identifier: GPL-2.0-only
/* A fixup of the report descriptor: the Usage Mouse becomes Pointer. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x1234, HID_PID_ANY));

HS_RDESC_FIXUP(pointer)
{
	if (data[2] == 0x09 && data[3] == 0x02)
		data[3] = 0x01;
	return 0;
}

HID_BPF_OPS(test_rdesc) = {
	.hid_rdesc_fixup = (void *)pointer,
};

char LICENSE[] SEC("license") = "GPL";
