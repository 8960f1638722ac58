// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fixup of events, with a probe that a udev property decides: UDEV_PROP_TEST_MODE
 * "refuse" refuses.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x1234, HID_PID_ANY));

char UDEV_PROP_TEST_MODE[8];
__u32 events;

HS_PROBE(args)
{
	return UDEV_PROP_TEST_MODE[0] == 'r' ? -EINVAL : 0;
}

HS_DEVICE_EVENT(invert, 2)
{
	data[0] = ~data[0];
	events++;
	return 0;
}

HID_BPF_OPS(test_event) = {
	.hid_device_event = (void *)invert,
};

char LICENSE[] SEC("license") = "GPL";
