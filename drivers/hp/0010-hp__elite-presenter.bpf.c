// SPDX-License-Identifier: GPL-2.0-only
/*
 * HP Elite Presenter Mouse 3YF38AA, Bluetooth 03f0:464a.
 *
 * Its descriptor has two application collections of usage Mouse: report 1 is the
 * mouse, report 2 the presenter's digital laser pointer. Kernels that make one input
 * device of the two let only one of them work; those that make one for each
 * application call both "Mouse". We call the second Pointer, which works on either:
 *
 *	78	09 02	Usage (Mouse)	->	09 01	Usage (Pointer)
 *
 * Source: commit 0db117359e47 of the kernel and its HID-BPF fixup for this device.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x03f0, 0x464a));

HS_PROBE(args)
{
	return args->rdesc_size == 264 ? 0 : -EINVAL;
}

HS_RDESC_FIXUP(second_mouse)
{
	if (data[78] == 0x09 && data[79] == 0x02)
		data[79] = 0x01;
	return 0;
}

HID_BPF_OPS(elite_presenter) = {
	.hid_rdesc_fixup = (void *)second_mouse,
};

char LICENSE[] SEC("license") = "GPL";
