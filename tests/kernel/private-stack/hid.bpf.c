// SPDX-License-Identifier: GPL-2.0-only
/* Event handlers that need more stack than a whole program had. */
#include "common.bpf.h"

typedef unsigned long size_t;

struct hid_device;

struct hid_bpf_ctx {
	struct hid_device *hid;
	__u32 allocated_size;
	union {
		__s32 retval;
		__s32 size;
	};
} __attribute__((preserve_access_index));

enum hid_report_type {
	HID_INPUT_REPORT = 0,
};

struct hid_bpf_ops {
	int hid_id;
	__u32 flags;
	int (*hid_device_event)(struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source);
	int (*hid_hw_output_report)(struct hid_bpf_ctx *hctx, __u64 source);
};

extern __u8 *hid_bpf_get_data(struct hid_bpf_ctx *ctx, unsigned int offset, const size_t sz) __ksym;
extern int hid_bpf_try_input_report(struct hid_bpf_ctx *ctx, enum hid_report_type type, __u8 *buf,
				    const size_t sz) __ksym;

int bad_frames;
int events; /* from the device */
int injected; /* from this program */
int inject_error;
int same_frame; /* the nested run had the frame of the outer one */
int depth; /* runs of injecting() that are active */
int hold; /* how many runs shall wait, and until when */
int waiting;
int not_thrown;
__u64 outer_frame;
__u64 inner_frame;
__u64 trace[64];
long trace_size;

#define REPORT_SIZE 8

static __noinline int parse_fields(__u8 *report)
{
	FRAME(frame, 304);

	fill(frame, report[1]);
	bpf_ktime_get_ns();
	bad_frames += damage(frame, report[1]);
	return 0;
}

static __noinline int inject(struct hid_bpf_ctx *hctx)
{
	FRAME(frame, 304);
	__u8 report[REPORT_SIZE] = { 1, 0xbb, 1, 2, 3, 4, 5, 6 };
	int err;

	fill(frame, 5);
	*(const volatile void *volatile *)&outer_frame = frame;
	err = hid_bpf_try_input_report(hctx, HID_INPUT_REPORT, report, sizeof(report));
	if (err)
		inject_error = err;
	bad_frames += damage(frame, 5);
	return err;
}

/* At the place of inject() in the chain, so with its frame if slots were one. */
static __noinline int look(void)
{
	FRAME(frame, 304);

	fill(frame, 6);
	*(const volatile void *volatile *)&inner_frame = frame;
	if (*(volatile __u64 *)&inner_frame == outer_frame)
		same_frame++;
	bad_frames += damage(frame, 6);
	return 0;
}

/* A report whose second byte is aa makes a report with bb come before it. That one takes
 * its place in the handler's data.
 */
SEC("struct_ops/hid_device_event")
int BPF_PROG(injecting, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	FRAME(frame, 240);
	__u8 *data = hid_bpf_get_data(hctx, 0, REPORT_SIZE);
	__u64 own;

	if (!data)
		return 0;
	own = *(__u64 *)data;
	fill(frame, data[1] + (source != 0));
	depth++;
	parse_fields(data);
	if (source) {
		injected++;
		look();
	} else {
		events++;
		if (data[1] == 0xaa)
			inject(hctx);
		*(__u64 *)data = own;
	}
	depth--;
	bad_frames += damage(frame, data[1] + (source != 0));
	data[7] = 0x77;
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops injector_0 = {
	.hid_device_event = (void *)injecting,
};

SEC(".struct_ops.link")
struct hid_bpf_ops injector_1 = {
	.hid_device_event = (void *)injecting,
};

/* parse_fields() calls it, in the inner of two runs, too. */
SEC("fentry/bpf_ktime_get_ns")
int trace_inner_run(void *ctx)
{
	if (*(volatile int *)&depth == 2)
		trace_size = bpf_get_stack(ctx, trace, sizeof(trace), 0);
	return 0;
}

static int until_released(unsigned int i, void *arg)
{
	FRAME(frame, 304);

	fill(frame, i);
	bpf_ktime_get_ns();
	bad_frames += damage(frame, i);
	return *(volatile int *)&hold == 0;
}

/* Stays until it is released, so that others can preempt it and come in too. */
SEC("struct_ops/hid_device_event")
int BPF_PROG(staying, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	FRAME(frame, 304);
	__u8 *data = hid_bpf_get_data(hctx, 0, REPORT_SIZE);

	if (!data)
		return 0;
	fill(frame, data[1]);
	__sync_fetch_and_add(&waiting, 1);
	bpf_loop(1 << 23, until_released, NULL, 0);
	bad_frames += damage(frame, data[1]);
	data[7] = 0x77;
	return 0;
}

#define STAYER(name)                                 \
	SEC(".struct_ops.link")                      \
	struct hid_bpf_ops name = {                  \
		.hid_device_event = (void *)staying, \
	}

STAYER(stayer_0);
STAYER(stayer_1);
STAYER(stayer_2);
STAYER(stayer_3);
STAYER(stayer_4);

extern void bpf_throw(__u64 cookie) __weak __ksym;

static __noinline int throws(__u8 *report)
{
	FRAME(frame, 304);

	fill(frame, report[1]);
	if (damage(frame, report[1]) == 0)
		bpf_throw(0);
	return 1;
}

/* Every event ends by an exception, with two frames in use. */
SEC("struct_ops/hid_device_event")
int BPF_PROG(throwing, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)
{
	FRAME(frame, 304);
	__u8 *data = hid_bpf_get_data(hctx, 0, REPORT_SIZE);

	if (!data)
		return 0;
	events++;
	fill(frame, data[1]);
	data[7] = 0x77;
	not_thrown += throws(data);
	bad_frames += damage(frame, data[1]);
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops thrower = {
	.hid_device_event = (void *)throwing,
};

/* This one did not ask for private stacks. */
SEC("struct_ops/hid_hw_output_report")
int BPF_PROG(output_report, struct hid_bpf_ctx *hctx, __u64 source)
{
	FRAME(frame, 304);
	__u8 *data = hid_bpf_get_data(hctx, 0, REPORT_SIZE);

	if (!data)
		return 0;
	fill(frame, data[1]);
	parse_fields(data);
	return damage(frame, data[1]);
}

SEC(".struct_ops.link")
struct hid_bpf_ops outputter = {
	.hid_hw_output_report = (void *)output_report,
};

/* For the measurement: the same work with small frames and with large ones. */
#define EVENT(name, ops, bytes)                                                               \
	static __noinline int name##_inner(__u8 *report)                                      \
	{                                                                                     \
		FRAME(frame, bytes);                                                          \
		touch(frame, report[1]);                                                      \
		bpf_ktime_get_ns();                                                           \
		return frame[0];                                                              \
	}                                                                                     \
	SEC("struct_ops/hid_device_event")                                                    \
	int BPF_PROG(name, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source) \
	{                                                                                     \
		__u8 *data = hid_bpf_get_data(hctx, 0, REPORT_SIZE);                          \
		FRAME(frame, bytes);                                                          \
                                                                                              \
		if (!data)                                                                    \
			return 0;                                                             \
		touch(frame, data[2]);                                                        \
		name##_inner(data);                                                           \
		data[7] = frame[0];                                                           \
		return 0;                                                                     \
	}                                                                                     \
	SEC(".struct_ops.link")                                                               \
	struct hid_bpf_ops ops = {                                                            \
		.hid_device_event = (void *)name,                                             \
	}

EVENT(small_event, light, 120);
EVENT(large_event, heavy, 304);
