// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs for test-io.c. The device tells by its reports what to ask for: `02 OP ARG`;
 * each job sends an output report that says who it is: `02 JOB ...`.
 */
#include <hidsmith/hid.bpf.h>

/*
 * A device of uhid has no sleep to wake from, and the VM's root does not survive one:
 * so let the header's clock jump, as it does when the system has slept.
 */
__u64 slept_ns;
#define bpf_ktime_get_boot_ns() (bpf_ktime_get_boot_ns() + READ_ONCE(slept_ns))

/* Memory does not become short when a test wants it to. */
bool no_context;
#define hid_bpf_allocate_context(id) (READ_ONCE(no_context) ? NULL : hid_bpf_allocate_context(id))

#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include "io-ops.h"

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x1209, 0x4a0b));
#ifdef YIELDS_TO
HS_YIELDS_TO(YIELDS_TO);
#endif

HS_JOBS(attach, plain, ask, slow, failing, tick, post, each);

HS_JOB(attach, .on_attach = true)
{
	return hs_output(io, 2, 0xa0);
}

HS_JOB(plain)
{
	return hs_output(io, 2, 0xa1);
}

/* Question 2 a2 7, answered by 2 40 7 X; X comes back in 2 a7. */
HS_JOB(ask)
{
	switch (io->step) {
	case 0:
		if (io->arg)
			hs_expect(io, 300, HS_BYTE(0, 2), HS_BYTE(1, OP_ANSWER), HS_BYTE(15, 0));
		else
			hs_expect(io, 300, HS_BYTE(0, 2), HS_BYTE(1, OP_ANSWER),
				  HS_BITS(2, 0x0f, 7));
		return hs_output(io, 2, 0xa2, 7) ?: hs_wait(io, 1);
	case 1:
		return hs_output(io, 2, 0xa7, io->buf[3], io->size);
	}
	return -EINVAL;
}

/* How long this takes is the device's affair. */
HS_JOB(slow)
{
	int ret = hs_get_feature(io, 3);

	return ret < 0 ? ret : hs_output(io, 2, 0xa3, io->buf[1]);
}

HS_JOB(failing, .retries = 3, .backoff_ms = 40, .backoff_max_ms = 100)
{
	return hs_output(io, 2, 0xa4, io->attempt) ?: -EIO;
}

static __u8 ticks, tick_error;

HS_JOB(tick)
{
	if (++ticks == 5)
		hs_job_every(tick, 200);
	return hs_output(io, 2, 0xa5, ticks) ?: -tick_error;
}

HS_JOB(post, .retries = 2, .backoff_ms = 40)
{
	int err;

	if (io->arg == POST_INPUT || io->arg == POST_FEATURE) {
		hs_fill(io, 2, OP_RUN_INJECTED);
		return hid_bpf_input_report(io->ctx,
					    io->arg == POST_INPUT ? HID_INPUT_REPORT
								  : HID_FEATURE_REPORT,
					    io->buf, HS_BUF_SIZE);
	}
	err = hs_output(io, 2, 0xa6, io->arg);
	if (err || !(io->arg & POST_FAILS) || io->attempt)
		return err;
	if (io->arg == POST_FAILS_AND_ASKS)
		hs_job_run(post);
	return -EIO;
}

/* The requests that no other job makes, and a report of its own; the answer goes on. */
HS_JOB(each)
{
	int size = hs_get_input(io, 2);

	if (size < 0)
		return size;
	return hs_set_output(io, 2, io->buf[1]) ?: hs_set_feature(io, 3, io->buf[1])
	       ?: hs_input(io, 2, OP_INJECTED, io->buf[1]);
}

HS_DEVICE_EVENT(event, 64)
{
	__u8 arg = data[2];

	if (hs_answer(data, size))
		return arg == ANSWER_PASSES ? 0 : HS_DROP;
	if (data[0] == 2 && data[1] == OP_RUN_INJECTED)
		hs_job_run(plain);
	if (data[0] != 2 || source)
		return 0;

	switch (data[1]) {
	case OP_RUN:
		hs_job_run(plain);
		break;
	case OP_RUN_AFTER:
		hs_job_run_after(plain, arg);
		break;
	case OP_CANCEL:
		hs_job_cancel(plain);
		break;
	case OP_ASK:
		hs_job_run(ask);
		break;
	case OP_SLOW:
		hs_job_run(slow);
		break;
	case OP_FAIL:
		hs_job_run(failing);
		break;
	case OP_TICK:
		ticks = 0;
		hs_job_every(tick, arg);
		break;
	case OP_POST:
		hs_job_post(post, arg);
		break;
	case OP_POST_10:
		for (int i = 0; i < 10; i++)
			hs_job_post(post, i);
		break;
	case OP_RUN_3:
		hs_job_run(plain);
		hs_job_run(plain);
		hs_job_run(plain);
		break;
	case OP_CANCEL_FAIL:
		hs_job_cancel(failing);
		break;
	case OP_CANCEL_TICK:
		hs_job_cancel(tick);
		break;
	case OP_CANCEL_ASK:
		hs_job_cancel(ask);
		break;
	case OP_EACH:
		hs_job_run(each);
		break;
	case OP_RUN_POST:
		hs_job_run(post);
		break;
	case OP_ASK_LONG:
		hs_job_post(ask, 1);
		break;
	case OP_TICK_ERROR:
		tick_error = arg;
		break;
	case OP_NO_CONTEXT:
		WRITE_ONCE(no_context, arg);
		break;
	case OP_SLEEP:
		slept_ns += arg * 100 * HS_MS;
		break;
	case OP_RUN_SLOW_RUN:
		hs_job_run(ask);
		hs_job_run(slow);
		hs_job_run(plain);
		break;
	}
	return 0;
}

#ifdef NO_RDESC
HID_BPF_OPS(io_jobs) = {
	.hid_device_event = (void *)event,
};
#else
HS_RDESC_FIXUP(rdesc)
{
	return 0;
}

HID_BPF_OPS(io_jobs) = {
	.hid_device_event = (void *)event,
	.hid_rdesc_fixup = (void *)rdesc,
};
#endif

char LICENSE[] SEC("license") = "GPL";
