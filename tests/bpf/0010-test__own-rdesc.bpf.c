// SPDX-License-Identifier: GPL-2.0-only
/* A fixup of a report descriptor that its probe wants to see as the device has it. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001));

HS_PROBE(args)
{
	return args->rdesc[3] == 0x02 ? 0 : -ENODEV;
}

HS_RDESC_FIXUP(pointer)
{
	data[3] = 0x01;
	return 0;
}

HID_BPF_OPS(test_own_rdesc) = {
	.hid_rdesc_fixup = (void *)pointer,
};

char LICENSE[] SEC("license") = "GPL";
