// SPDX-License-Identifier: GPL-2.0-only
/*
 * Redragon Asura keyboard, USB 0c45:760b: each modifier acts as left shift.
 *
 * The second interface says of its eight modifier bits that they are an array: each
 * a number that selects a key, so that 1 is always the second one, left shift.
 *
 *	88	19 e0 29 e7	Usages left control to right GUI
 *	92	15 00 25 01	Logical Minimum and Maximum (0, 1)
 *	96	75 01 95 08	8 fields of 1 bit
 *	100	81 00		Input (Data, Array)	->	81 02	Input (Data, Variable)
 *
 * Source: bug 196053 of the kernel's bugzilla; the descriptor is among the notes of
 * its reporter. The kernel's hid-redragon does the same where it is built.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x0c45, 0x760b));

/* The first interface is a boot keyboard with a descriptor of its own. */
#define RDESC_SIZE 169

HS_PROBE(args)
{
	return args->rdesc_size == RDESC_SIZE ? 0 : -EINVAL;
}

HS_RDESC_FIXUP(modifiers_rdesc)
{
	if (size == RDESC_SIZE && data[100] == 0x81 && data[101] == 0x00)
		data[101] = 0x02;
	return 0;
}

HID_BPF_OPS(redragon_asura) = {
	.hid_rdesc_fixup = (void *)modifiers_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
