// SPDX-License-Identifier: GPL-2.0-only
/*
 * FR-TEC Raptor Mach 2 joystick, USB 11c0:5606.
 *
 * Its hat switch says degrees: 16 bits from 0 to 239 in steps of 30, with a Logical
 * Maximum of 239. The kernel keeps a hat's range in 8 bits with sign, finds a range
 * of 0 to -17, and reports ABS_HAT0X from 0 to 239 where -1, 0 and 1 are due. We make
 * it 0 to 7:
 *
 *	176	26 ef 00	Logical Maximum (239)	->	26 07 00
 *
 *	01 ... HH 00 ...	bytes 33 and 34 of report 1: divided by 30
 *
 * Source: the kernel's HID-BPF fixup for this device, with its descriptor.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x11c0, 0x5606));

#define RDESC_SIZE  232
#define REPORT_ID   1
#define LOGICAL_MAX 177
#define HAT         33

HS_PROBE(args)
{
	return args->rdesc_size == RDESC_SIZE && args->rdesc[LOGICAL_MAX] == 239 ? 0 : -EINVAL;
}

HS_RDESC_FIXUP(hat_range)
{
	data[LOGICAL_MAX] = 7;
	return 0;
}

HS_DEVICE_EVENT(hat_value, HAT + 1)
{
	if (data[0] == REPORT_ID)
		data[HAT] /= 30;
	return 0;
}

HID_BPF_OPS(raptor_mach_2) = {
	.hid_rdesc_fixup = (void *)hat_range,
	.hid_device_event = (void *)hat_value,
};

char LICENSE[] SEC("license") = "GPL";
