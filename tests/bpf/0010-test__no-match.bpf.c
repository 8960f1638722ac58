// SPDX-License-Identifier: GPL-2.0-only
/* For no device. */
#include <hidsmith/hid.bpf.h>

HS_DEVICE_EVENT(nothing, 2)
{
	return 0;
}

HID_BPF_OPS(test_no_match) = {
	.hid_device_event = (void *)nothing,
};

char LICENSE[] SEC("license") = "GPL";
