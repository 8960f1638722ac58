// SPDX-License-Identifier: GPL-2.0-only
/*
 * Primax keyboard, USB 0461:4e05, sold under many names with office PCs.
 *
 * A boot keyboard's report is
 *
 *	MM 00 K1 K2 K3 K4 K5 K6
 *	|     `- keys that are down
 *	`- one bit for each modifier: left control, shift, alt, meta, right ...
 *
 * This one sends modifiers like other keys, as usages e0 to e7 in K1-K6, and leaves
 * MM alone; the descriptor allows only up to 65 there (Logical Maximum 101), so
 * control, shift and alt are lost. We move them to their bits.
 *
 * Source: the kernel's hid-primax, which does the same where it is built.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x0461, 0x4e05));

#define REPORT_SIZE 8

HS_DEVICE_EVENT(modifiers, REPORT_SIZE)
{
	if (size != REPORT_SIZE)
		return 0;

	for (int i = 2; i < REPORT_SIZE; i++) {
		if (data[i] >= 0xe0 && data[i] <= 0xe7) {
			data[0] |= 1 << (data[i] & 7);
			data[i] = 0;
		}
	}
	return 0;
}

HID_BPF_OPS(primax_keyboard) = {
	.hid_device_event = (void *)modifiers,
};

char LICENSE[] SEC("license") = "GPL";
