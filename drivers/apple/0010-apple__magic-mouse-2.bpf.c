// SPDX-License-Identifier: GPL-2.0-only
/*
 * Apple Magic Mouse 2 and Magic Trackpad 2 on a USB cable, with a Lightning or a USB-C
 * port: battery level.
 *
 * While it charges the device has its battery's state in input report 0x90:
 *
 *	90 SS CC
 *	|  |  `- capacity in percent
 *	|  `- bit 0 AC present, bit 1 charging, bit 2 fully charged
 *	`- report ID
 *
 * but does not send it by itself; and the collections of its interface are a vendor's,
 * of which hid-input makes nothing at all. We describe the battery alone, as that of a
 * stylus, which hid-input does not ask for by itself, ask for the report once a
 * minute and put the answer in as if the device had sent it.
 *
 * Source: report, period and where the descriptor has its battery as in the kernel's
 * hid-magicmouse, which does the same where it is built; there we stay away. The
 * products with USB-C are in its newer versions (0323 is not in 6.12's).
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>
#include <hidsmith/setting.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x05ac, 0x0269),
	       HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x05ac, 0x0323),
	       HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x05ac, 0x0265),
	       HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x05ac, 0x0324));
HS_YIELDS_TO("magicmouse");

#define REPORT_BATTERY      0x90
#define REPORT_BATTERY_SIZE 3
#define REPORT_NONE         0x91
/* Where the descriptor has the usage pages of power and battery. */
#define RDESC_SIZE    83
#define RDESC_POWER   46
#define RDESC_BATTERY 58

HS_SETTING_INT(poll_seconds, 60, 10, 3600, "time between two looks at the battery");

HS_JOBS(battery);

HS_JOB(battery, .on_attach = true, .every_ms = 60000, .retries = 3, .backoff_ms = 1000)
{
	int size;

	hs_job_every(battery, hs_setting(poll_seconds) * 1000);
	size = hs_get_input(io, REPORT_BATTERY);
	if (size < 0)
		return size;
	if (size < REPORT_BATTERY_SIZE)
		return -EPROTO;
	return hs_inject(io, REPORT_BATTERY_SIZE);
}

/* clang-format off */
static const __u8 rdesc[] HS_TABLE = {
	UsagePage(GenericDesktop)
	Usage(Mouse)
	Collection(Application,
		ReportId(REPORT_BATTERY)
		UsagePage(Digitizers)
		Usage(Stylus)
		Collection(Physical,
			LogicalRange(0, 1)
			ReportSize(1) ReportCount(1) Input(Const)
			UsagePage(Battery)
			Usage(Charging)
			Input(Var)
			ReportCount(6) Input(Const)
			Usage(AbsoluteStateOfCharge)
			LogicalRange(0, 100)
			ReportSize(8) ReportCount(1) Input(Var)
		)
		/* Never comes: hid-input drops a battery that has no input node, and this is REL_MISC. */
		ReportId(REPORT_NONE)
		UsagePageVendor(0xff03)
		UsageId(1)
		Input(Relative)
	)
};
/* clang-format on */

HS_RDESC_FIXUP(battery_rdesc)
{
	if (size < RDESC_SIZE || data[RDESC_POWER] != 0x84 || data[RDESC_BATTERY] != 0x85)
		return 0;
	return hs_rdesc_replace(data, rdesc);
}

/* Only one of the interfaces has the report. */
HS_PROBE(args)
{
	struct hs_rdesc_facts facts;

	return hs_rdesc_read(args, REPORT_BATTERY, &facts) || !facts.has_report ? -ENODEV : 0;
}

HID_BPF_OPS(magic_mouse_2) = {
	.hid_rdesc_fixup = (void *)battery_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
