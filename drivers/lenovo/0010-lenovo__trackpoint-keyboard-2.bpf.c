// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lenovo ThinkPad TrackPoint Keyboard II, USB 17ef:60ee and Bluetooth 17ef:60e1.
 *
 * The keyboard forgets its settings when it is switched off, and there is no key
 * for some of them. It takes them as commands of two bytes, by feature report 0x13
 * on USB and by output report 0x18 on Bluetooth:
 *
 *	13 05 LL	Fn lock: 1 F1 to F12 without Fn, 0 media keys
 *	13 02 SS	TrackPoint sensitivity, 1 to 255 (it starts with 5)
 *	13 09 01	middle button as a button of its own, 0 emulates a wheel
 *
 * As a button of its own it has a usage that only hid-lenovo makes BTN_MIDDLE (page
 * ffa0, usage fb on USB; page ff00, usage 4 in report 0x15 on Bluetooth), so it is for
 * programs that read hidraw, and not the default.
 *
 * We send what the user has set, at attach and after each return.
 *
 * Source: the kernel's hid-lenovo. Where it has the keyboard it has the same
 * settings in sysfs, and we keep away.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>
#include <hidsmith/setting.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x17ef, 0x60ee),
	       HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x17ef, 0x60e1));
HS_YIELDS_TO("lenovo");

HS_SETTING_INT(sensitivity, 5, 1, 255, "TrackPoint speed");
HS_SETTING_BOOL(fn_lock, true, "F1 to F12 without holding Fn");
HS_SETTING_BOOL(native_middle_button, false,
		"middle button as a vendor's usage instead of wheel emulation");

enum {
	SENSITIVITY = 0x02,
	FN_LOCK = 0x05,
	MIDDLE_BUTTON = 0x09,
	REPORT_USB = 0x13,
	REPORT_BLUETOOTH = 0x18,
};

bool bluetooth;

HS_JOBS(settings);

static int set(struct hs_io *io, __u8 command, __u8 value)
{
	if (bluetooth)
		return hs_output(io, REPORT_BLUETOOTH, command, value);
	return hs_set_feature(io, REPORT_USB, command, value);
}

HS_JOB(settings, .on_attach = true, .retries = 4, .backoff_ms = 250)
{
	return set(io, MIDDLE_BUTTON, hs_setting(native_middle_button)) ?:
		       set(io, FN_LOCK, hs_setting(fn_lock)) ?:
		       set(io, SENSITIVITY, hs_setting(sensitivity));
}

/* USB has several interfaces, one with the report. */
HS_PROBE(args)
{
	struct hs_rdesc_facts facts;
	struct hid_bpf_ctx *ctx;

	ctx = hid_bpf_allocate_context(args->hid);
	if (!ctx)
		return -ENODEV;
	bluetooth = ctx->hid->bus == BUS_BLUETOOTH;
	hid_bpf_release_context(ctx);

	if (hs_rdesc_read(args, bluetooth ? REPORT_BLUETOOTH : REPORT_USB, &facts))
		return -ENODEV;
	return facts.has_report ? 0 : -ENODEV;
}

/* Nothing in events or descriptor needs us. */
HID_BPF_OPS(trackpoint_keyboard_2) = {};

char LICENSE[] SEC("license") = "GPL";
