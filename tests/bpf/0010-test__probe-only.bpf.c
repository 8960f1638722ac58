// SPDX-License-Identifier: GPL-2.0-only
/* Only probes: sets a udev property and attaches nothing. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x1234, HID_PID_ANY));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[16]);
} UDEV_PROP_TEST_ANSWER SEC(".maps");

HS_PROBE(args)
{
	char answer[16] = "forty-two";
	__u32 zero = 0;

	return bpf_map_update_elem(&UDEV_PROP_TEST_ANSWER, &zero, answer, 0);
}

char LICENSE[] SEC("license") = "GPL";
