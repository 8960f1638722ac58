// SPDX-License-Identifier: GPL-2.0-only
/* The same event in a fixup with jobs that nobody asks for, and with hs_answer(). */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x1209, 0x4a0b));

HS_JOBS(never);

HS_JOB(never)
{
	return hs_output(io, 2, 1);
}

HS_DEVICE_EVENT(event, 64)
{
	if (hs_answer(data, size))
		return HS_DROP;
	return data[0] == 2 && data[1] == 1 ? 0 : (int)data[2] >> 8;
}

HID_BPF_OPS(bench_idle) = {
	.hid_device_event = (void *)event,
};

char LICENSE[] SEC("license") = "GPL";
