// SPDX-License-Identifier: GPL-2.0-only
/*
 * XP-Pen ACK05 wireless shortcut remote, 28bd:0202, on its dongle or a cable: ten
 * buttons and a dial.
 *
 * What is wrong
 * -------------
 * The remote types key sequences ("LControl + o" and so on), in which two buttons
 * look the same when others are held. After the output report `02 b0 04` it sends on
 * its vendor interface instead:
 *
 *	02 f0 BB BB 00 00 00 DD		BB BB buttons, bit 0 first; DD 1 dial
 *					clockwise, 2 the other way
 *	02 f2 01 CC HH			battery: CC percent, HH 1 while it charges
 *	02 f8 02 01			it has come back: after sleep or out of reach it
 *					types key sequences again
 *
 * What we do
 * ----------
 * Send the request at attach, and again 10 ms after each `f8`, when the remote has
 * got its wits together; add pad and battery to the descriptor and give their
 * reports IDs of their own.
 *
 * Sources: udev-hid-bpf's fixup for this device and its issue 32; libwacom's
 * description of the buttons.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x28bd, 0x0202));

#define VENDOR_RDESC_SIZE  36
#define REPORT_VENDOR      0x02
#define VENDOR_REPORT_SIZE 12

enum {
	PAD = 0xf0,
	BATTERY = 0xf2,
	CAME_BACK = 0xf8,
};

HS_JOBS(raw_mode);

HS_JOB(raw_mode, .on_attach = true, .retries = 5, .backoff_ms = 50)
{
	return hs_output(io, REPORT_VENDOR, 0xb0, 0x04);
}

/* clang-format off */
static const __u8 added[] HS_TABLE = {
	UsagePage(GenericDesktop)
	Usage(Keypad)
	Collection(Application,
		ReportId(PAD)
		ReportSize(8) ReportCount(1) Input(Const)
		UsagePage(Digitizers)
		Usage(TabletFunctionKeys)
		Collection(Physical,
			UsagePage(Button)
			UsageRange(1, 10)
			LogicalRange(0, 1)
			ReportSize(1) ReportCount(10) Input(Var)
			ReportCount(6) Input(Const)
			/* Always 0: tells a tablet's pad from a keyboard. */
			UsagePage(Digitizers)
			Usage(BarrelSwitch)
			ReportCount(1) Input(Var)
			ReportCount(7) Input(Const)
			UsagePage(GenericDesktop)
			Usage(X) Usage(Y)
			ReportSize(8) ReportCount(2) Input(Var)
			Usage(Wheel)
			LogicalRange(-1, 1)
			ReportCount(1) Input(Relative)
		)
		ReportId(BATTERY)
		ReportCount(2) Input(Const)
		/* In a stylus the kernel takes the reports and does not ask by itself. */
		UsagePage(Digitizers)
		Usage(Stylus)
		Collection(Physical,
			UsagePage(Battery)
			Usage(AbsoluteStateOfCharge)
			LogicalRange(0, 100)
			ReportCount(1) Input(Var)
			Usage(Charging)
			LogicalRange(0, 1)
			Input(Var)
		)
	)
};
/* clang-format on */

HS_RDESC_FIXUP(remote_rdesc)
{
	/* The vendor collection stays, for the request goes through it. */
	return hs_rdesc_add(data, VENDOR_RDESC_SIZE, added);
}

HS_DEVICE_EVENT(remote_event, VENDOR_REPORT_SIZE)
{
	if (data[0] != REPORT_VENDOR)
		return 0;
	if (size < VENDOR_REPORT_SIZE)
		return HS_DROP;

	switch (data[1]) {
	case CAME_BACK:
		if (data[2] == 0x02 && data[3] == 0x01)
			hs_job_run_after(raw_mode, 10);
		return 0;
	case PAD:
		data[0] = PAD;
		data[4] = 0;
		data[5] = 0;
		data[6] = 0;
		if (data[7] == 2)
			data[7] = -1;
		return 8;
	case BATTERY:
		data[0] = BATTERY;
		return 5;
	}
	return 0;
}

HS_PROBE(args)
{
	return args->rdesc_size == VENDOR_RDESC_SIZE ? 0 : -ENODEV;
}

HID_BPF_OPS(ack05) = {
	.hid_device_event = (void *)remote_event,
	.hid_rdesc_fixup = (void *)remote_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
