// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks up a report of the device all the time. The requests for it are such as uhid
 * refuses at once, so that looking up is most of them.
 */
#include "request.bpf.h"
#include "lookup.h"

const volatile int hid_id;

struct lookup_counts lookups;

SEC("syscall")
int look_up(void *ctx)
{
	__u8 buf[REPORT_SIZE] = { FEATURE_ID };
	struct hid_bpf_ctx *hctx;
	int i, ret;

	hctx = hid_bpf_allocate_context(hid_id);
	if (!hctx)
		return 1;
	for (i = 0; i < NR_LOOKUPS; i++) {
		ret = hid_bpf_hw_request(hctx, buf, sizeof(buf), HID_FEATURE_REPORT,
					 HID_REQ_GET_IDLE);
		if (ret == -EIO)
			lookups.report++;
		else if (ret == -EINVAL)
			lookups.none++;
		else
			lookups.odd++;
	}
	hid_bpf_release_context(hctx);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
