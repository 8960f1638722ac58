// SPDX-License-Identifier: GPL-2.0-only
/* Writes its settings into the report. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/setting.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001));

HS_SETTING_INT(speed, 5, -3, 9, "how fast");
HS_SETTING_BOOL(fn_lock, true, "F1 to F12 without Fn");

HS_DEVICE_EVENT(tell, 2)
{
	data[0] = hs_setting(speed);
	if (!hs_setting(fn_lock))
		data[0] |= 0x80;
	return 0;
}

HID_BPF_OPS(test_settings) = {
	.hid_device_event = (void *)tell,
};

char LICENSE[] SEC("license") = "GPL";
