// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listens to the talk between host and device, for `hidsmith record --io`.
 *
 * It hangs on the functions that HID core calls for HID-BPF: input passes
 * dispatch_hid_bpf_device_event(), where the original bytes are the argument and the
 * fixups' are what it returns; requests pass dispatch_hid_bpf_raw_requests() and
 * dispatch_hid_bpf_output_report() on their way to the device, whoever made them.
 * These are in a file of their own, so that no compiler can inline them. Answers
 * are what the callers of the latter two return. A HID-BPF program could not see
 * them, nor the reports that another one drops.
 */
#include <hidsmith/hid.bpf.h>

#include "iolog-event.h"

#define BPF_MAP_TYPE_HASH    1
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_NOEXIST          1

/* Members that no fixup needs. */
struct hid_device___iolog {
	unsigned int id;
	const __u8 *dev_rdesc;
	unsigned int dev_rsize;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); /* hid id */
	__type(value, __u32);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} events SEC(".maps");

/* Requests that a thread is in: the driver of a receiver makes others for its devices'. */
struct pending {
	struct {
		__u64 seq;
		__u32 device;
	} request[4];
	__u32 depth;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); /* thread */
	__type(value, struct pending);
} pending SEC(".maps");

const volatile struct iolog_args args;

__u64 last_seq;
__u64 lost; /* events that found no room */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct iolog_rdesc);
} rdesc SEC(".maps");

static __always_inline bool wanted(struct hid_device *hdev, __u32 *device)
{
	struct hid_device___iolog *h = (void *)hdev;
	__u32 id = BPF_CORE_READ(h, id);
	__u32 *value = bpf_map_lookup_elem(&devices, &id);

	if (!value)
		return false;
	*device = *value;
	return true;
}

/*
 * An event with @size bytes from the kernel at @data. The ring buffer wants to know
 * sizes when the program is loaded, and most reports are small.
 */
static __always_inline int emit_sized(const struct iolog_event *head, const void *data,
				      const __u32 room)
{
	struct iolog_event *ev = bpf_ringbuf_reserve(&events, sizeof(*ev) + room, 0);
	__u32 size = head->size;

	if (!ev) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__builtin_memcpy(ev, head, sizeof(*head));
	ev->time_ns = bpf_ktime_get_ns();
	if (size > room)
		size = room;
	if (size && bpf_probe_read_kernel(ev->data, size, data))
		size = 0;
	ev->size = size;
	bpf_ringbuf_submit(ev, 0);
	return 0;
}

static __noinline int emit(const struct iolog_event *head, const void *data)
{
	if (!head)
		return 0;
	if (head->size <= 64)
		return emit_sized(head, data, 64);
	if (head->size <= 512)
		return emit_sized(head, data, 512);
	return emit_sized(head, data, IOLOG_DATA_MAX);
}

static __always_inline __u64 arg(void *ctx, __u32 n)
{
	__u64 v = 0;

	bpf_get_func_arg(ctx, n, &v);
	return v;
}

static __always_inline __u32 read_u32(__u64 addr)
{
	__u32 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), (void *)addr);
	return v;
}

static __always_inline int input_event(void *ctx, __u32 kind, __u64 data, __s32 result)
{
	struct iolog_event head = { .kind = kind, .result = result };
	__u64 source = arg(ctx, args.event_source);

	if (!wanted((void *)arg(ctx, 0), &head.device))
		return 0;
	head.origin = (bool)arg(ctx, args.event_from_bpf) || source ? IOLOG_BPF : IOLOG_KERNEL;
	head.report_type = arg(ctx, 1);
	head.size = data ? read_u32(arg(ctx, args.event_size)) : 0;
	return emit(&head, (void *)data);
}

SEC("fentry/dispatch_hid_bpf_device_event")
int event_enter(__u64 *ctx)
{
	return input_event(ctx, IOLOG_INPUT, arg(ctx, args.event_data), 0);
}

SEC("fexit/dispatch_hid_bpf_device_event")
int event_exit(__u64 *ctx)
{
	__u64 ret = 0;

	bpf_get_func_ret(ctx, &ret);
	if (ret == arg(ctx, args.event_data))
		return 0;
	/* An error as a pointer: a fixup dropped the report. */
	if (ret >= (__u64)-4095)
		return input_event(ctx, IOLOG_FIXED, 0, ret);
	return input_event(ctx, IOLOG_FIXED, ret, 0);
}

static __always_inline __u64 push_pending(__u32 device)
{
	__u32 thread = bpf_get_current_pid_tgid();
	struct pending empty = { 0 }, *p;
	__u64 seq = __sync_fetch_and_add(&last_seq, 1) + 1;

	bpf_map_update_elem(&pending, &thread, &empty, BPF_NOEXIST);
	p = bpf_map_lookup_elem(&pending, &thread);
	if (!p || p->depth >= ARRAY_SIZE(p->request)) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	p->request[p->depth & 3].seq = seq;
	p->request[p->depth & 3].device = device;
	p->depth++;
	return seq;
}

static __always_inline __u32 origin(__u64 source, bool from_bpf)
{
	return from_bpf ? IOLOG_BPF : source ? IOLOG_HIDRAW : IOLOG_KERNEL;
}

/*
 * Behind the fixups' hooks: the bytes are what the device gets, and a request that
 * a hook answered never gets there.
 */
SEC("fexit/dispatch_hid_bpf_raw_requests")
int BPF_PROG(request_sent, struct hid_device *hdev, unsigned char reportnum, __u8 *buf, __u32 size,
	     __u32 rtype, __u32 reqtype, __u64 source, bool from_bpf, int ret)
{
	struct iolog_event head = {
		.kind = IOLOG_REQUEST,
		.origin = origin(source, from_bpf),
		.report_type = rtype,
		.request = reqtype,
		.report_id = reportnum,
	};

	if (ret || !wanted(hdev, &head.device))
		return 0;
	head.seq = push_pending(head.device);
	if (!head.seq)
		return 0;
	/* The buffer of a GET_REPORT has nothing yet. */
	head.size = reqtype == HID_REQ_SET_REPORT ? size : 0;
	return emit(&head, buf);
}

SEC("fexit/dispatch_hid_bpf_output_report")
int BPF_PROG(output_sent, struct hid_device *hdev, __u8 *buf, __u32 size, __u64 source,
	     bool from_bpf, int ret)
{
	struct iolog_event head = {
		.kind = IOLOG_OUTPUT,
		.origin = origin(source, from_bpf),
		.report_type = HID_OUTPUT_REPORT,
		.size = size,
	};

	if (ret || !wanted(hdev, &head.device))
		return 0;
	head.seq = push_pending(head.device);
	return head.seq ? emit(&head, buf) : 0;
}

/*
 * The innermost request of this thread has its answer. Both the function and its
 * wrapper get here, since one may be inlined into the other; the second one finds
 * nothing.
 */
static __always_inline int answered(struct hid_device *hdev, __u8 *buf, int ret)
{
	struct iolog_event head = { .kind = IOLOG_ANSWER, .result = ret };
	__u32 thread = bpf_get_current_pid_tgid();
	struct pending *p = bpf_map_lookup_elem(&pending, &thread);

	__u32 top;

	if (!p || !p->depth || !wanted(hdev, &head.device))
		return 0;
	top = (p->depth - 1) & 3;
	if (p->request[top].device != head.device)
		return 0;
	p->depth--;
	head.seq = p->request[top].seq;
	if (!p->depth)
		bpf_map_delete_elem(&pending, &thread);
	head.size = ret > 0 ? ret : 0;
	return emit(&head, buf);
}

SEC("fexit/__hid_hw_raw_request")
int BPF_PROG(request_done, struct hid_device *hdev, unsigned char reportnum, __u8 *buf, size_t len,
	     __u32 rtype, __u32 reqtype, __u64 source, bool from_bpf, int ret)
{
	return answered(hdev, buf, ret);
}

SEC("fexit/hid_hw_raw_request")
int BPF_PROG(request_done_outer, struct hid_device *hdev, unsigned char reportnum, __u8 *buf,
	     size_t len, __u32 rtype, __u32 reqtype, int ret)
{
	return answered(hdev, buf, ret);
}

SEC("fexit/__hid_hw_output_report")
int BPF_PROG(output_done, struct hid_device *hdev, __u8 *buf, size_t len, __u64 source,
	     bool from_bpf, int ret)
{
	return answered(hdev, 0, ret);
}

SEC("fexit/hid_hw_output_report")
int BPF_PROG(output_done_outer, struct hid_device *hdev, __u8 *buf, size_t len, int ret)
{
	return answered(hdev, 0, ret);
}

/* The descriptor as the device has it: sysfs shows what fixups made of it. */
SEC("syscall")
int original_rdesc(struct iolog_rdesc_args *a)
{
	__u32 zero = 0, size;
	struct iolog_rdesc *out = bpf_map_lookup_elem(&rdesc, &zero);
	struct hid_bpf_ctx *hctx = hid_bpf_allocate_context(a->hid);
	struct hid_device___iolog *hdev;

	if (!hctx)
		return -ENODEV;
	if (out) {
		hdev = (void *)hctx->hid;
		size = BPF_CORE_READ(hdev, dev_rsize);
		out->size = 0;
		if (size <= sizeof(out->data) &&
		    !bpf_probe_read_kernel(out->data, size, BPF_CORE_READ(hdev, dev_rdesc)))
			out->size = size;
	}
	hid_bpf_release_context(hctx);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
