// SPDX-License-Identifier: GPL-2.0-only
/* Eight jobs, each every 10 ms, and reports are counted. */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x1209, 0x4a0b));

HS_JOBS(job0, job1, job2, job3, job4, job5, job6, job7);

#define EVERY_10_MS(name)            \
	HS_JOB(name, .every_ms = 10) \
	{                            \
		return 0;            \
	}

EVERY_10_MS(job0)
EVERY_10_MS(job1)
EVERY_10_MS(job2)
EVERY_10_MS(job3)
EVERY_10_MS(job4)
EVERY_10_MS(job5)
EVERY_10_MS(job6)
EVERY_10_MS(job7)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} reports SEC(".maps");

HS_DEVICE_EVENT(event, 16)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&reports, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

HID_BPF_OPS(bench_many) = {
	.hid_device_event = (void *)event,
};

char LICENSE[] SEC("license") = "GPL";
