/* SPDX-License-Identifier: GPL-2.0-only */
/* A request to the device, for callbacks that have to block: the device side
 * answers when the test lets it.
 */
#ifndef TESTS_KERNEL_PROGS_REQUEST_BPF_H
#define TESTS_KERNEL_PROGS_REQUEST_BPF_H

#include "kernel.bpf.h"

#define REPORT_SIZE 16
#define FEATURE_ID  2
#define OUTPUT_ID   3

static __attribute__((unused)) int send_request(int hid, __u8 mark)
{
	__u8 buf[REPORT_SIZE] = { FEATURE_ID, mark };
	struct hid_bpf_ctx *ctx;
	int ret;

	ctx = hid_bpf_allocate_context(hid);
	if (!ctx)
		return -1;
	ret = hid_bpf_hw_request(ctx, buf, sizeof(buf), HID_FEATURE_REPORT, HID_REQ_SET_REPORT);
	hid_bpf_release_context(ctx);
	return ret;
}

#endif
