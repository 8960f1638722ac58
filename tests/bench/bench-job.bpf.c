// SPDX-License-Identifier: GPL-2.0-only
/* From an event to an output report by a job. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x1209, 0x4a0b));

HS_JOBS(reply);

HS_JOB(reply)
{
	return hs_output(io, 2, 1);
}

HS_DEVICE_EVENT(event, 16)
{
	if (data[0] == 2 && data[1] == 1)
		hs_job_run(reply);
	return 0;
}

HID_BPF_OPS(bench_job) = {
	.hid_device_event = (void *)event,
};

char LICENSE[] SEC("license") = "GPL";
