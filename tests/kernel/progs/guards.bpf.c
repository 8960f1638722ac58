// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs with private frames of which a helper fills one to the last byte, from its
 * beginning to its end. The module overrun.ko makes it write more than that.
 */
#include "kernel.bpf.h"
#include "guards.h"

#define REPORT_SIZE 16
#define NAKED       __attribute__((naked, noinline, used))

__u32 events, injected, changed;

/* Reads from an address that is none: the frame is filled with zeroes. */
static NAKED int fill(void)
{
	asm volatile("r1 = r10\n"
		     "r1 += %[offset]\n"
		     "r2 = %[bytes]\n"
		     "r3 = 0\n"
		     "call %[bpf_probe_read_kernel]\n"
		     "r0 = 0\n"
		     "exit" ::[offset] "i"(-FRAME_BYTES),
		     [bytes] "i"(FRAME_BYTES),
		     [bpf_probe_read_kernel] "i"(BPF_FUNC_probe_read_kernel)
		     : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
}

/* Its frame is above that of fill(), with a guard word between. Returns 0 if the lowest
 * word of it stays what it is.
 */
SEC("raw_tp")
NAKED int calls_fill(void)
{
	asm volatile("r1 = 7\n"
		     "*(u64 *)(r10 %[offset]) = r1\n"
		     "call fill\n"
		     "r0 = *(u64 *)(r10 %[offset])\n"
		     "r0 -= 7\n"
		     "exit" ::[offset] "i"(-FRAME_BYTES)
		     : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
}

static __noinline void inject(struct hid_bpf_ctx *hctx)
{
	__u8 report[REPORT_SIZE] = { 1 };

	hid_bpf_try_input_report(hctx, HID_INPUT_REPORT, report, sizeof(report));
}

/* The event of the device's report injects one, whose event fills the frame: it has
 * the second slot.
 */
SEC("struct_ops/hid_device_event")
int BPF_PROG(in_slots, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	volatile __u64 frame[FRAME_BYTES / 8];

	for (__u32 i = 0; i < FRAME_BYTES / 8; i++)
		frame[i] = i;
	if (source) {
		injected++;
		fill();
	} else {
		events++;
		inject(hctx);
	}
	for (__u32 i = 0; i < FRAME_BYTES / 8; i++)
		changed += frame[i] != i;
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops slots = {
	.hid_device_event = (void *)in_slots,
};

char LICENSE[] SEC("license") = "GPL";
