// SPDX-License-Identifier: GPL-2.0-only
/* Two jobs: one that runs again and again, one that the device refuses. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x1234, 0x0001));

HS_JOBS(tick, refused);

HS_JOB(tick, .every_ms = 20)
{
	return 0;
}

HS_JOB(refused, .on_attach = true)
{
	int rc = hs_get_feature(io, 0);

	return rc < 0 ? rc : 0;
}

HS_DEVICE_EVENT(nothing, 2)
{
	return 0;
}

HID_BPF_OPS(test_jobs) = {
	.hid_device_event = (void *)nothing,
};

char LICENSE[] SEC("license") = "GPL";
