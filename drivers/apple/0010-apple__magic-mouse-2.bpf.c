// SPDX-License-Identifier: GPL-2.0-only
/*
 * Apple Magic Mouse 2 and Magic Trackpad 2 on a USB cable: battery level.
 *
 * While it charges the device reports its battery in input report 0x90:
 *
 *	90 SS CC
 *	|  |  `- capacity in percent
 *	|  `- bit 0 AC present, bit 1 charging, bit 2 fully charged
 *	`- report ID
 *
 * but does not send it by itself, so whoever watches the battery sees the level of
 * the moment it was plugged in. We ask for the report once a minute and put the
 * answer in as if the device had sent it; from there on everything is usual.
 *
 * Source: report and period as in the kernel's hid-magicmouse, which does the same
 * where it is built; there we stay away.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>
#include <hidsmith/setting.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x05ac, 0x0269),
	       HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x05ac, 0x0265));
HS_YIELDS_TO("magicmouse");

#define REPORT_BATTERY      0x90
#define REPORT_BATTERY_SIZE 3

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

/* Only one of the interfaces has the report. */
HS_PROBE(args)
{
	struct hs_rdesc_facts facts;

	return hs_rdesc_read(args, REPORT_BATTERY, &facts) || !facts.has_report ? -ENODEV : 0;
}

/* Nothing in events or descriptor needs us. */
HID_BPF_OPS(magic_mouse_2) = {};

char LICENSE[] SEC("license") = "GPL";
