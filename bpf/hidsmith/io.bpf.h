/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Talking to the device.
 *
 * A job is a function that runs for one device in a context that may sleep, and
 * that may send output reports, get and set feature reports and inject input
 * reports. Include this header, name the jobs, write them:
 *
 *	HS_JOBS(wake);
 *
 *	HS_JOB(wake, .on_attach = true, .retries = 5, .backoff_ms = 100)
 *	{
 *		return hs_output(io, 0x02, 0xb0, 0x04);
 *	}
 *
 * That is all. There is one instance of the fixup's object for each device, so
 * ordinary global variables are the device's own state, and a device that does
 * not answer holds up nobody else. (Global, not static: clang takes static structs
 * to pieces, and the object would not load.)
 *
 * When a job runs
 * ---------------
 * HS_JOB(name, options...):
 *	.on_attach	once the device can be talked to: after the fixup was
 *			attached, after each later probe of a driver, and after
 *			the system slept. A probe that the kernel does not tell us
 *			of (most, without HS_RDESC_FIXUP() or from 6.13 on) is
 *			seen within 10 s
 *	.every_ms	again and again, at that pace; a run that is late does not
 *			shift the next ones, and one that is missed altogether
 *			is counted. The first run is one period after attach,
 *			or at attach with .on_attach
 *	.retries	how often it runs again after it returned an error
 *	.backoff_ms	how long until the first retry (default 100); it doubles
 *			each time, up to .backoff_max_ms (default 10000)
 * and from the device's event or from a job, each 0 or a negative errno:
 *	hs_job_run(name)		as soon as possible
 *	hs_job_run_after(name, ms)
 *	hs_job_post(name, arg)		the same with a u32 that is io->arg in the
 *					run and its retries; each post is a run of its
 *					own, and waits for the retries of the one
 *					before. -ENOSPC when 8 wait already
 *	hs_job_every(name, ms)		sets the period, which begins now, unless it
 *					is that one already; 0 ends it. What was asked
 *					for in other ways stays
 *	hs_job_cancel(name)		forgets what was asked for, with retries,
 *					period and posts. A run that is under way
 *					ends, but nothing follows from it
 * A job asked for again before it has started runs once, at the earlier time; one
 * asked for while it runs, once more afterwards. Jobs of a device never overlap
 * and run in the order of the times they were asked for.
 *
 * What a job returns
 * ------------------
 * 0 when done, a negative errno when it failed, or hs_wait(). `io` holds
 *	io->step	0 at the start, see below
 *	io->attempt	0, 1, 2... in retries
 *	io->arg		of hs_job_post()
 *	io->ctx		the HID-BPF context, for kfuncs not wrapped here
 *
 * What a job can do
 * -----------------
 *	hs_output(io, bytes...)			output report, filled up with zeros to
 *						the report's length
 *	hs_set_output(io, bytes...)		the same as SET_REPORT
 *	hs_set_feature(io, bytes...)
 *	hs_get_feature(io, id), hs_get_input(io, id)
 *						GET_REPORT: the report is in io->buf;
 *						returns its length
 *	hs_input(io, bytes...)			inject an input report, filled up, too: the
 *						kernel refuses one that is too short
 *	hs_send(io, type, size), hs_inject(io, size)
 *						the same for what the job has
 *						put into io->buf
 * The first byte is the report ID; for a device without it is 0 in what is sent
 * and got, while an injected report begins with its data, as it does in the event.
 * They return 0 (or a length) or a negative errno: -ENODEV when the device is gone,
 * -ESHUTDOWN when the fixup is being detached; both end the job's retries. (On
 * kernels without our patches injecting gives -EBUSY while the device's own report
 * is on its way.) io->buf has HS_BUF_SIZE bytes (64; define it before the include for
 * longer reports, or they end there) and is shared by all jobs of the device: its
 * contents last until the next call.
 *
 * Asking and waiting for the answer
 * ---------------------------------
 * BPF cannot sleep until a report comes. Instead the job says what the answer
 * looks like, sends its question, and returns; it is called again, with another
 * step, when the answer is there:
 *
 *	switch (io->step) {
 *	case 0:
 *		hs_expect(io, 500, HS_BYTE(0, 0x81), HS_BYTE(1, 0x01));
 *		return hs_output(io, 0x80, 0x01) ?: hs_wait(io, 1);
 *	case 1:
 *		type = io->buf[3];
 *		...
 *
 * hs_expect(io, timeout_ms, conditions...) comes before the question, because the
 * answer may be there before the question's call returns. A report answers if all
 * (up to 4) conditions hold: HS_BYTE(offset, value), HS_BITS(offset, mask, value),
 * in its first 64 bytes; one that ends before an offset does not. In step 1 io->buf
 * holds these bytes and io->size the length. Without an answer in time the run fails with -ETIMEDOUT. The device's other
 * jobs wait as long. For this the fixup's event program must offer its reports:
 *
 *	HS_DEVICE_EVENT(event, 64)
 *	{
 *		if (hs_answer(data, size))
 *			return HS_DROP;		// or go on, to let it pass
 *
 * hs_answer() is three instructions when nobody waits. A condition that bytes
 * cannot express is C in front of it: `if (mine(data) && hs_answer(...))`.
 * The device sends reports only while its event node or hidraw node is open.
 *
 * Counters of all this are in the map `hs_status`, see io_status.h.
 *
 * How it works
 * ------------
 * The map `hs_device` has one element with the times at which jobs are due, a
 * timer and, on kernels without sleepable timers, a work item. Asking for a job
 * writes its time under a lock and starts timer or work. The one worker takes
 * the job that is due first, so nothing overlaps. Timer and work get their
 * callback in the object's `probe`, which is a sleepable program: if a program that
 * cannot sleep set it, an unload during a request would free the code under the
 * request (a kernel bug that this avoids). Events only start them.
 */
#ifndef HIDSMITH_IO_BPF_H
#define HIDSMITH_IO_BPF_H

#include "compat.bpf.h"
#include "foreach.h"
#include "hid.bpf.h"
#include "io_status.h"

#ifndef HS_BUF_SIZE
#define HS_BUF_SIZE 64
#endif

#define HS_ANSWER_SIZE     64
#define HS_CONDITIONS      4
#define HS_POSTS           8
#define HS_NEVER           (~0ULL)
#define HS_MS              1000000ULL
#define CLOCK_BOOTTIME     7
#define HS_WAITING         (1 << 30) /* no report has this length */
#define HID_CLAIMED_HIDRAW (1U << 2)
/*
 * How often we look whether the system slept or a driver has probed: more often at
 * first, when drivers come and go.
 */
#define HS_WATCH_MIN_NS (1000 * HS_MS)
#define HS_WATCH_MAX_NS (10000 * HS_MS)
/* How long a device gets after the system slept. */
#define HS_RESUME_NS (1000 * HS_MS)
/* Without a re-probe nothing tells us that the attach is over. */
#define HS_ATTACH_NS (100 * HS_MS)

/* What HS_JOB()'s options set; see the top. */
struct hs_job_options {
	bool on_attach;
	__u32 every_ms;
	__u32 retries;
	__u32 backoff_ms;
	__u32 backoff_max_ms;
};

struct hs_condition {
	__u8 offset;
	__u8 mask;
	__u8 value;
};

#define HS_BITS(offset_, mask_, value_)                                 \
	{                                                               \
		.offset = (offset_), .mask = (mask_), .value = (value_) \
	}
#define HS_BYTE(offset_, value_) HS_BITS(offset_, 0xff, value_)

struct hs_post {
	__u64 asked;
	__u64 arg;
};

struct hs_job {
	__u64 due; /* CLOCK_BOOTTIME, HS_NEVER */
	__u64 period_at; /* when the current period began */
	__u32 every_ms;
	__u32 retries;
	__u32 backoff_ms;
	__u32 backoff_max_ms;
	__u32 attempt;
	__u32 retry; /* the next run is a retry */
	__u32 cancelled; /* while it ran */
	__u32 on_attach;
	__u32 posted, arg; /* the run, and its retries, are of a post */
	__u64 held; /* what it was due for when a post has to be tried again */
	__u32 first_post, end_post; /* count up, the place is modulo HS_POSTS */
	struct hs_post post[HS_POSTS];
};

/* What the worker has decided to do */
enum hs_action {
	HS_NOTHING,
	HS_START,
	HS_RESUME, /* the answer is there */
	HS_TIME_OUT,
	HS_END, /* the job was cancelled while it waited */
};

/* The element of hs_device: everything the worker and the events share. */
struct hs_device {
	struct bpf_timer timer;
	struct bpf_wq wq;
	struct bpf_spin_lock lock;
	__u32 not_ready; /* times we looked in vain */
	__u64 armed; /* the timer's time; HS_NEVER: the worker will set it */
	__u64 sleep_offset; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC */
	__u64 probe_number; /* hs_probe_number() when we last looked; 0: not yet */
	__u64 watch; /* when to look at these again */
	__u64 watch_ns; /* and how long after that */
	__u64 not_before; /* the device is not ready until then */
	__u64 first; /* what is due first, see hs_first() */

	/* the run of a job, from its start to its end */
	__u32 running; /* 1 + job */
	__u32 action;
	__u32 step;
	__u32 attempt;
	__u32 arg;
	__u64 due;
	__u64 wait_until;
	__u32 waiting; /* it has returned hs_wait() */
	__u32 answered;
	__u32 answer_size;
	struct hs_condition condition[HS_CONDITIONS];
	__u8 answer[HS_ANSWER_SIZE] __attribute__((aligned(8)));

	struct hs_job job[HS_IO_MAX_JOBS];
	__u8 buf[HS_BUF_SIZE < HS_ANSWER_SIZE ? HS_ANSWER_SIZE : HS_BUF_SIZE]
		__attribute__((aligned(8)));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hs_device);
} hs_device SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct hs_io_status);
} hs_status SEC(".maps");

/* Is there a job that waits for a report? Here, and not in the map, because
 * every event looks at it.
 */
static volatile __u32 hs_expecting;

/* A job's view of its device, see the top. */
struct hs_io {
	struct hid_bpf_ctx *ctx;
	struct hs_device *device;
	struct hs_io_status *status;
	__u8 *buf;
	__u32 job;
	__u32 step;
	__u32 attempt;
	__u32 arg;
	__u32 size;
};

/* Made by HS_JOBS() */
static int hs_call(struct hs_io *io);
static void hs_set_up_jobs(struct hs_device *d, struct hs_io_status *status);

static __always_inline struct hs_device *hs_get_device(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&hs_device, &zero);
}

static __always_inline struct hs_io_status *hs_get_status(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&hs_status, &zero);
}

/* Indices from loops and memory: the verifier wants to see that they fit. */
#define hs_job_at(d, i) (&(d)->job[(i) & (HS_IO_MAX_JOBS - 1)])

/* Under the lock: is it only the period that @job is due by? */
static __always_inline bool hs_due_by_period(const struct hs_job *job)
{
	return job->every_ms && !job->retry && job->due == job->period_at;
}

/*
 * Starting the worker
 */

/*
 * Set the timer to @t, which the caller has written to d->armed under the lock.
 * Another CPU may write an earlier time and set the timer just before us, and our
 * setting would undo it: so look again afterwards.
 */
static __always_inline void hs_set_timer(struct hs_device *d, __u64 t, __u64 now)
{
	for (int i = 0; i < 4; i++) {
		__u64 armed;

		bpf_timer_start(&d->timer, t > now ? t - now : 0, 0);
		armed = READ_ONCE(d->armed);
		if (armed == t || armed == HS_NEVER)
			return;
		t = armed;
	}
	/* Too many at once; the worker knows what to do. */
	bpf_timer_start(&d->timer, 0, 0);
}

/*
 * Let the worker run at @t. If it is running it runs again afterwards: a work
 * item or timer that is started during its callback is not lost.
 */
static __always_inline void hs_start_worker(struct hs_device *d, __u64 t, __u64 now, bool arm)
{
	if (t <= now && !hs_has_sleepable_timer())
		bpf_wq_start(&d->wq, 0);
	else if (arm)
		hs_set_timer(d, t, now);
}

/* Under the lock: must the timer be set for @t? */
static __always_inline bool hs_arm(struct hs_device *d, __u64 t, __u64 now)
{
	if (t >= d->armed || (t <= now && !hs_has_sleepable_timer()))
		return false;
	d->armed = t;
	return true;
}

/*
 * Asking for jobs
 */

/* Under the lock: has a post failed that is to be tried again? */
static __always_inline bool hs_retries_post(const struct hs_job *job)
{
	return job->retry && job->posted;
}

/*
 * Under the lock: @job runs at @t at the latest. The retry of a post keeps its time and
 * its argument: what is asked for meanwhile comes after it.
 */
static __always_inline void hs_make_due(struct hs_job *job, __u64 t)
{
	if (!hs_retries_post(job)) {
		if (t < job->due)
			job->due = t;
	} else if (t < job->held) {
		job->held = t;
	}
}

static __always_inline int hs_job_at_time(__u32 id, __u64 delay_ns)
{
	struct hs_device *d = hs_get_device();
	struct hs_io_status *status = hs_get_status();
	__u64 now = bpf_ktime_get_boot_ns(), t = now + delay_ns;
	bool arm, coalesced = true;
	struct hs_job *job;

	if (!d || !status)
		return -EINVAL;
	if (!status->mode || status->stop)
		return -ESHUTDOWN;

	job = hs_job_at(d, id);
	bpf_spin_lock(&d->lock);
	if (hs_retries_post(job)) {
		coalesced = job->held != HS_NEVER;
	} else if (job->due == HS_NEVER || job->retry) {
		/* A new request is a new start: the retry it replaces is part of it. */
		coalesced = job->retry;
		job->retry = 0;
		job->attempt = 0;
	} else if (hs_due_by_period(job) && t < job->due) {
		coalesced = false;
	}
	hs_make_due(job, t);
	arm = hs_arm(d, t, now);
	bpf_spin_unlock(&d->lock);

	if (coalesced)
		__sync_fetch_and_add(&status->job[id & (HS_IO_MAX_JOBS - 1)].coalesced, 1);
	hs_start_worker(d, t, now, arm);
	return 0;
}

static __always_inline int hs_job_post_id(__u32 id, __u32 arg)
{
	struct hs_device *d = hs_get_device();
	struct hs_io_status *status = hs_get_status();
	__u64 now = bpf_ktime_get_boot_ns();
	bool arm = false, full;
	struct hs_job *job;
	__u32 n;

	if (!d || !status)
		return -EINVAL;
	if (!status->mode || status->stop)
		return -ESHUTDOWN;

	job = hs_job_at(d, id);
	bpf_spin_lock(&d->lock);
	n = job->end_post;
	full = n - job->first_post >= HS_POSTS;
	if (!full) {
		job->post[n % HS_POSTS].asked = now;
		job->post[n % HS_POSTS].arg = arg;
		job->end_post = n + 1;
		/* A retry comes first, at its time. */
		if (now < job->due && !job->retry)
			job->due = now;
		arm = hs_arm(d, now, now);
	}
	bpf_spin_unlock(&d->lock);

	if (full) {
		__sync_fetch_and_add(&status->queue_full, 1);
		return -ENOSPC;
	}
	hs_start_worker(d, now, now, arm);
	return 0;
}

static __always_inline int hs_job_every_id(__u32 id, __u32 ms)
{
	struct hs_device *d = hs_get_device();
	struct hs_io_status *status = hs_get_status();
	__u64 now = bpf_ktime_get_boot_ns(), t = now + ms * HS_MS;
	bool arm = false;
	struct hs_job *job;

	if (!d || !status)
		return -EINVAL;
	if (!status->mode || status->stop)
		return -ESHUTDOWN;

	job = hs_job_at(d, id);
	bpf_spin_lock(&d->lock);
	if (job->every_ms != ms) {
		if (hs_due_by_period(job))
			job->due = HS_NEVER;
		else if (hs_retries_post(job) && job->held == job->period_at)
			job->held = HS_NEVER;
		job->every_ms = ms;
		if (d->running == id + 1) {
			/* Its own end starts the next period. */
			job->cancelled = 0;
			job->period_at = now;
		} else if (ms) {
			job->period_at = t;
			hs_make_due(job, t);
			arm = hs_arm(d, t, now);
		}
	}
	bpf_spin_unlock(&d->lock);

	WRITE_ONCE(status->job[id & (HS_IO_MAX_JOBS - 1)].period_ms, ms);
	if (arm)
		hs_start_worker(d, t, now, arm);
	return 0;
}

static __always_inline int hs_job_cancel_id(__u32 id)
{
	struct hs_device *d = hs_get_device();
	struct hs_io_status *status = hs_get_status();
	__u64 now = bpf_ktime_get_boot_ns();
	struct hs_job *job;
	bool wake = false;

	if (!d || !status)
		return -EINVAL;

	job = hs_job_at(d, id);
	bpf_spin_lock(&d->lock);
	job->due = HS_NEVER;
	job->every_ms = 0;
	job->retry = 0;
	job->attempt = 0;
	if (d->running == id + 1) {
		job->cancelled = 1;
		wake = d->waiting;
	}
	job->first_post = job->end_post;
	if (wake)
		wake = hs_arm(d, now, now) || !hs_has_sleepable_timer();
	bpf_spin_unlock(&d->lock);

	WRITE_ONCE(status->job[id & (HS_IO_MAX_JOBS - 1)].period_ms, 0);
	if (wake)
		hs_start_worker(d, now, now, true);
	return 0;
}

#define hs_job_run(name)           hs_job_at_time(HS_JOB_##name, 0)
#define hs_job_run_after(name, ms) hs_job_at_time(HS_JOB_##name, (ms)*HS_MS)
#define hs_job_post(name, arg)     hs_job_post_id(HS_JOB_##name, arg)
#define hs_job_every(name, ms)     hs_job_every_id(HS_JOB_##name, ms)
#define hs_job_cancel(name)        hs_job_cancel_id(HS_JOB_##name)

/*
 * Within a job: requests
 */

static __always_inline int hs_sent(struct hs_io *io, int err)
{
	__sync_fetch_and_add(&io->status->requests, 1);
	if (err < 0)
		__sync_fetch_and_add(&io->status->request_errors, 1);
	return err;
}

enum hs_send_type {
	HS_SEND_OUTPUT, /* the output pipe if there is one, else SET_REPORT */
	HS_SEND_SET_OUTPUT,
	HS_SEND_SET_FEATURE,
};

/* Send @size bytes of io->buf; more than the report's length is cut off. */
static __always_inline int hs_send(struct hs_io *io, enum hs_send_type type, const size_t size)
{
	enum hid_report_type rtype =
		type == HS_SEND_SET_FEATURE ? HID_FEATURE_REPORT : HID_OUTPUT_REPORT;
	int ret = -ENOSYS;

	if (READ_ONCE(io->status->stop))
		return -ESHUTDOWN;
	if (type == HS_SEND_OUTPUT)
		ret = hid_bpf_hw_output_report(io->ctx, io->buf, size);
	if (ret == -ENOSYS)
		ret = hid_bpf_hw_request(io->ctx, io->buf, size, rtype, HID_REQ_SET_REPORT);
	hs_sent(io, ret);
	return ret < 0 ? ret : 0;
}

/* The same for an input report, which must not be shorter than described. */
static __always_inline int hs_inject(struct hs_io *io, const size_t size)
{
	int ret;

	if (READ_ONCE(io->status->stop))
		return -ESHUTDOWN;
	ret = hid_bpf_input_report(io->ctx, HID_INPUT_REPORT, io->buf, size);
	return ret < 0 ? ret : 0;
}

static __always_inline int hs_get_report(struct hs_io *io, enum hid_report_type type, __u8 id)
{
	if (READ_ONCE(io->status->stop))
		return -ESHUTDOWN;
	__builtin_memset(io->buf, 0, HS_BUF_SIZE);
	io->buf[0] = id;
	return hs_sent(io,
		       hid_bpf_hw_request(io->ctx, io->buf, HS_BUF_SIZE, type, HID_REQ_GET_REPORT));
}

static __always_inline int hs_get_feature(struct hs_io *io, __u8 id)
{
	return hs_get_report(io, HID_FEATURE_REPORT, id);
}

static __always_inline int hs_get_input(struct hs_io *io, __u8 id)
{
	return hs_get_report(io, HID_INPUT_REPORT, id);
}

#define hs_fill(io, ...)                                                                    \
	({                                                                                  \
		const __u8 __bytes[] = { __VA_ARGS__ };                                     \
                                                                                            \
		_Static_assert(sizeof(__bytes) <= HS_BUF_SIZE, "HS_BUF_SIZE is too small"); \
		__builtin_memset((io)->buf, 0, HS_BUF_SIZE);                                \
		__builtin_memcpy((io)->buf, __bytes, sizeof(__bytes));                      \
		sizeof(__bytes);                                                            \
	})

#define hs_output(io, ...)                                \
	({                                                \
		hs_fill(io, __VA_ARGS__);                 \
		hs_send(io, HS_SEND_OUTPUT, HS_BUF_SIZE); \
	})
#define hs_set_output(io, ...)                                \
	({                                                    \
		hs_fill(io, __VA_ARGS__);                     \
		hs_send(io, HS_SEND_SET_OUTPUT, HS_BUF_SIZE); \
	})
#define hs_set_feature(io, ...)                                \
	({                                                     \
		hs_fill(io, __VA_ARGS__);                      \
		hs_send(io, HS_SEND_SET_FEATURE, HS_BUF_SIZE); \
	})
#define hs_input(io, ...)                   \
	({                                  \
		hs_fill(io, __VA_ARGS__);   \
		hs_inject(io, HS_BUF_SIZE); \
	})

/*
 * Within a job: waiting
 */

#define hs_expect(io, timeout_ms, ...)                                                      \
	({                                                                                  \
		const struct hs_condition __cond[] = { __VA_ARGS__ };                       \
                                                                                            \
		_Static_assert(ARRAY_SIZE(__cond) <= HS_CONDITIONS, "too many conditions"); \
		hs_expect_(io, timeout_ms, __cond, ARRAY_SIZE(__cond));                     \
	})

static __always_inline void hs_expect_(struct hs_io *io, __u32 timeout_ms,
				       const struct hs_condition *cond, __u32 n)
{
	struct hs_device *d = io->device;
	__u64 until = bpf_ktime_get_boot_ns() + timeout_ms * HS_MS;

	bpf_spin_lock(&d->lock);
	for (__u32 i = 0; i < HS_CONDITIONS; i++) {
		/* One that is not used is always true. */
		d->condition[i].offset = i < n ? cond[i].offset : 0;
		d->condition[i].mask = i < n ? cond[i].mask : 0;
		d->condition[i].value = i < n ? cond[i].value & cond[i].mask : 0;
	}
	d->answered = 0;
	d->wait_until = until;
	hs_expecting = 1;
	bpf_spin_unlock(&d->lock);
}

/* Return this from a job: it goes on with @step when the answer is there. */
static __always_inline int hs_wait(struct hs_io *io, __u32 step)
{
	WRITE_ONCE(io->device->step, step);
	return HS_WAITING;
}

/* In the event: true if @data, of which 64 bytes can be read, is what a job waits for. */
static __always_inline bool hs_answer(const __u8 *data, __u32 size)
{
	struct hs_device *d;
	__u64 now;
	bool arm = false, hit;
	__u8 differs = 0;

	if (!hs_expecting)
		return false;

	d = hs_get_device();
	if (!d)
		return false;
	now = bpf_ktime_get_boot_ns();
	bpf_spin_lock(&d->lock);
	for (int i = 0; i < HS_CONDITIONS; i++) {
		const struct hs_condition *c = &d->condition[i];

		differs |= (data[c->offset & (HS_ANSWER_SIZE - 1)] ^ c->value) & c->mask;
		/* What lies behind the report's end is no 0 of the device's. */
		differs |= c->mask && (c->offset >= size || c->offset >= HS_ANSWER_SIZE);
	}
	hit = hs_expecting && !differs;
	if (hit) {
		hs_expecting = 0;
		d->answered = 1;
		d->answer_size = size;
		for (int i = 0; i < HS_ANSWER_SIZE / 8; i++)
			((__u64 *)d->answer)[i] = ((const __u64 *)data)[i];
		arm = hs_arm(d, now, now);
	}
	bpf_spin_unlock(&d->lock);
	if (hit)
		hs_start_worker(d, now, now, arm);
	return hit;
}

/*
 * The worker
 */

static __always_inline void hs_count_latency(struct hs_io_job_status *job, __u64 ns)
{
	__u64 us = ns / 1000;
	__u32 bucket = 0;

	for (int i = 0; i < HS_IO_LATENCIES - 1 && us; i++) {
		bucket++;
		us >>= 1;
	}
	if (bucket < HS_IO_LATENCIES)
		job->latency[bucket]++;
}

/*
 * Requests need parsed reports, and answers need a driver that takes them: while
 * a driver probes, hid-core drops what the device sends.
 */
static __always_inline bool hs_device_ready(struct hid_bpf_ctx *ctx)
{
	struct hid_device *hdev = ctx->hid;

	return hdev->claimed && (hdev->io_started || hdev->driver_input_lock.count);
}

/*
 * A number that is another one after each probe: that of the sysfs node of the
 * hidraw device. 0 if there is none.
 */
static __always_inline __u64 hs_probe_number(struct hid_bpf_ctx *ctx)
{
	struct device *holder;

	if (!bpf_core_type_exists(struct hidraw) || !(ctx->hid->claimed & HID_CLAIMED_HIDRAW))
		return 0;
	/*
	 * The verifier takes it for a number: cast as in hs_bytes_at(), so that what would
	 * be a device's parent is hidraw's device.
	 */
	holder = bpf_rdonly_cast(ctx->hid->hidraw + bpf_core_field_offset(struct hidraw, dev) -
					 bpf_core_field_offset(struct device, parent),
				 bpf_core_type_id_kernel(struct device));
	return holder->parent->kobj.sd->id;
}

/*
 * Under the lock: d->first becomes the time of what is due first, with the job's
 * number in its last bits. It goes through memory because the verifier would else
 * follow each outcome of each comparison.
 */
static __always_inline void hs_first(struct hs_device *d)
{
	WRITE_ONCE(d->first, HS_NEVER);
	for (__u32 i = 0; i < HS_IO_MAX_JOBS; i++) {
		__u64 key = (d->job[i].due & ~(HS_IO_MAX_JOBS - 1ULL)) | i;

		if (d->job[i].due != HS_NEVER && key < READ_ONCE(d->first))
			WRITE_ONCE(d->first, key);
	}
}

/*
 * Under the lock: the argument of the run that starts, which is that of the oldest
 * post unless it is a retry; the next post makes the job due again.
 */
static __always_inline __u32 hs_take_post(struct hs_job *job)
{
	__u32 n = job->first_post;

	if (!job->retry) {
		job->posted = n != job->end_post;
		job->arg = job->posted ? job->post[n % HS_POSTS].arg : 0;
		n += job->posted;
		job->first_post = n;
	}
	if (hs_retries_post(job))
		job->due = job->held;
	if (n != job->end_post && job->post[n % HS_POSTS].asked < job->due)
		job->due = job->post[n % HS_POSTS].asked;
	return job->arg;
}

/* Under the lock: decide what to do now. */
static __always_inline void hs_decide(struct hs_device *d, __u64 now)
{
	struct hs_job *job;
	__u32 id;

	WRITE_ONCE(d->action, HS_NOTHING);
	if (d->not_before > now)
		return;
	d->not_ready = 0;

	if (d->running) {
		if (!d->waiting)
			return;
		job = hs_job_at(d, d->running - 1);
		if (job->cancelled)
			WRITE_ONCE(d->action, HS_END);
		else if (d->answered)
			WRITE_ONCE(d->action, HS_RESUME);
		else if (now >= d->wait_until)
			WRITE_ONCE(d->action, HS_TIME_OUT);
		else
			return;
		d->waiting = 0;
		d->answered = 0;
		return;
	}

	hs_first(d);
	if (READ_ONCE(d->first) > now)
		return;
	id = READ_ONCE(d->first) & (HS_IO_MAX_JOBS - 1);
	job = hs_job_at(d, id);
	d->due = job->due;
	job->due = HS_NEVER;
	job->cancelled = 0;
	d->arg = hs_take_post(job);
	job->retry = 0;
	d->attempt = job->attempt;
	d->step = 0;
	d->answered = 0;
	d->running = id + 1;
	WRITE_ONCE(d->action, HS_START);
}

/* Under the lock, at the end of a run: when does the job run again? */
static __always_inline void hs_finish(struct hs_device *d, struct hs_io_job_status *count, __u32 id,
				      int err, __u64 now)
{
	struct hs_job *job = hs_job_at(d, id);
	__u64 next = HS_NEVER, period = job->every_ms * HS_MS, backoff;
	__u32 shift;

	d->running = 0;
	hs_expecting = 0;
	if (err < 0) {
		count->failures++;
		count->last_errno = -err;
		if (err == -ETIMEDOUT)
			count->timeouts++;
	}
	if (job->cancelled) {
		job->cancelled = 0;
		job->attempt = 0;
		return;
	}
	if (err < 0 && err != -ENODEV && err != -ESHUTDOWN && job->attempt < job->retries) {
		shift = job->attempt < 16 ? job->attempt : 16;
		backoff = (__u64)job->backoff_ms << shift;
		if (backoff > job->backoff_max_ms)
			backoff = job->backoff_max_ms;
		next = now + backoff * HS_MS;
		/*
		 * Asked for again meanwhile: that is a start of its own, unless the argument
		 * would be lost.
		 */
		if (job->due == HS_NEVER || job->posted) {
			job->held = job->due;
			job->due = HS_NEVER;
			job->attempt++;
			job->retry = 1;
		} else {
			job->attempt = 0;
		}
	} else {
		if (err < 0)
			count->given_up++;
		job->attempt = 0;
		if (period) {
			/* A run that was asked for does not use up the period. */
			next = job->period_at > now ? job->period_at : job->period_at + period;
			if (next <= now) {
				count->missed += (now - next) / period + 1;
				next += ((now - next) / period + 1) * period;
			}
			job->period_at = next;
		}
	}
	if (next < job->due)
		job->due = next;
}

/*
 * How long the system has slept since it was started, and @slack that this may be too
 * much: we can be preempted between the clocks. The first one is first, so that the
 * difference is never below 0.
 */
static __always_inline __u64 hs_sleep_offset(__u64 *slack)
{
	__u64 running = bpf_ktime_get_ns(), offset = bpf_ktime_get_boot_ns() - running;

	*slack = bpf_ktime_get_ns() - running;
	return offset;
}

/* Under the lock: @job runs at @t, whatever it was due for, and its period begins. */
static __always_inline void hs_begin(struct hs_job *job, struct hs_io_status *status, __u64 t)
{
	/* What a retry was for comes again after that, if its place is still there. */
	if (hs_retries_post(job) && job->end_post - job->first_post < HS_POSTS)
		job->first_post--;
	else if (hs_retries_post(job))
		status->queue_full++;
	job->due = t;
	/* Not the same: nobody shall take this run for one of the period. */
	job->period_at = t - 1;
	job->attempt = 0;
	job->retry = 0;
}

/* Under the lock: attach jobs run at @t, as if the fixup had just been attached. */
static __always_inline void hs_attach_again(struct hs_device *d, struct hs_io_status *status,
					    __u64 t)
{
	for (int i = 0; i < HS_IO_MAX_JOBS; i++)
		if (d->job[i].on_attach)
			hs_begin(&d->job[i], status, t);
	d->watch_ns = HS_WATCH_MIN_NS;
}

/*
 * Under the lock: has the system slept, or has a driver probed without our being
 * told? Then attach jobs run again.
 */
static __always_inline void hs_watch(struct hs_device *d, struct hs_io_status *status, __u64 now,
				     __u64 offset, __u64 slack, __u64 number)
{
	if (offset > d->sleep_offset + slack + 100 * HS_MS) {
		status->resumes++;
		hs_attach_again(d, status, now + HS_RESUME_NS);
	} else if (number && d->probe_number && number != d->probe_number) {
		status->probes++;
		hs_attach_again(d, status, now);
	}
	d->sleep_offset = offset;
	if (number)
		d->probe_number = number;
	if (d->watch != HS_NEVER && d->watch <= now) {
		d->watch = now + d->watch_ns;
		d->watch_ns *= 2;
		if (d->watch_ns > HS_WATCH_MAX_NS)
			d->watch_ns = HS_WATCH_MAX_NS;
	}
}

/* Run the job or its next step; the result as the job returns it. */
static __always_inline int hs_run(struct hs_device *d, struct hs_io_status *status,
				  struct hid_bpf_ctx *ctx, __u64 now)
{
	struct hs_io io = {
		.ctx = ctx,
		.device = d,
		.status = status,
		.buf = d->buf,
		.job = READ_ONCE(d->running) - 1,
		.step = READ_ONCE(d->step),
		.attempt = d->attempt,
		.arg = d->arg,
		.size = d->answer_size,
	};
	struct hs_io_job_status *count = &status->job[io.job & (HS_IO_MAX_JOBS - 1)];
	int err;

	if (READ_ONCE(d->action) == HS_RESUME) {
		__builtin_memcpy(d->buf, d->answer, HS_ANSWER_SIZE);
		status->answers++;
	} else {
		count->runs++;
		count->last_start_ns = now;
		hs_count_latency(count, now > d->due ? now - d->due : 0);
	}
	err = hs_call(&io);
	count->busy_ns += bpf_ktime_get_boot_ns() - now;
	return err;
}

/* Under the lock: when must the worker look again? HS_NEVER: when somebody asks. */
static __always_inline __u64 hs_next_look(struct hs_device *d)
{
	hs_first(d);
	if (d->running && d->waiting)
		WRITE_ONCE(d->first, d->answered || hs_job_at(d, d->running - 1)->cancelled
					     ? 0
					     : d->wait_until);
	else if (d->running)
		WRITE_ONCE(d->first, HS_NEVER); /* the one who runs it looks at its end */
	if (READ_ONCE(d->first) < d->not_before)
		WRITE_ONCE(d->first, d->not_before);
	if (d->watch < READ_ONCE(d->first))
		WRITE_ONCE(d->first, d->watch);
	return READ_ONCE(d->first);
}

/* Look again after a while, which doubles up to 2^@max ms. */
static __always_inline void hs_not_ready(struct hs_device *d, __u64 now, __u32 max)
{
	d->not_ready = d->not_ready < max ? d->not_ready + 1 : max;
	d->not_before = now + (HS_MS << (d->not_ready & 15));
}

/*
 * The device has gone, and this ends with the fixup's pins; or memory is short, and
 * what is due must not wait until somebody asks again.
 */
static __always_inline void hs_no_context(struct hs_device *d)
{
	__u64 now = bpf_ktime_get_boot_ns(), look;

	hs_not_ready(d, now, 14);
	bpf_spin_lock(&d->lock);
	look = d->not_before;
	d->armed = look;
	bpf_spin_unlock(&d->lock);
	hs_set_timer(d, look, now);
}

/*
 * One run or step of one job, or nothing if nothing is due. Whatever is left
 * starts the worker again, so that each call is short for the verifier and others
 * get the CPU in between.
 */
static int hs_worker(void *map, int *key, void *value)
{
	struct hs_device *d = value;
	struct hs_io_status *status = hs_get_status();
	struct hid_bpf_ctx *ctx;
	__u64 now, offset, slack, look, number = 0;
	int err = -ETIMEDOUT;
	__u32 action, id;
	bool arm;

	if (!status)
		return 0;
	/* Busy before looking at stop; who detaches does it the other way round. */
	__sync_fetch_and_add(&status->busy, 1);
	if (READ_ONCE(status->stop))
		goto out;

	ctx = hid_bpf_allocate_context(status->hid);
	if (!ctx) {
		hs_no_context(d);
		goto out;
	}

	offset = hs_sleep_offset(&slack);
	now = bpf_ktime_get_boot_ns();
	if (hs_stands_aside(ctx)) {
		d->not_before = now + HS_WATCH_MAX_NS;
	} else if (!hs_device_ready(ctx)) {
		hs_not_ready(d, now, 8);
	} else if (d->not_ready || !d->probe_number || d->watch <= now) {
		number = hs_probe_number(ctx);
	}

	bpf_spin_lock(&d->lock);
	/* Whoever asks from now on starts us again. */
	d->armed = HS_NEVER;
	hs_watch(d, status, now, offset, slack, number);
	hs_decide(d, now);
	bpf_spin_unlock(&d->lock);

	action = READ_ONCE(d->action);
	id = (READ_ONCE(d->running) - 1) & (HS_IO_MAX_JOBS - 1);
	if (action == HS_START || action == HS_RESUME)
		err = hs_run(d, status, ctx, now);
	else if (action == HS_END)
		err = 0;
	hid_bpf_release_context(ctx);

	now = bpf_ktime_get_boot_ns();
	bpf_spin_lock(&d->lock);
	if (action != HS_NOTHING && err == HS_WAITING)
		d->waiting = 1;
	else if (action != HS_NOTHING)
		hs_finish(d, &status->job[id], id, err, now);
	look = hs_next_look(d);
	arm = look != HS_NEVER && hs_arm(d, look, now);
	bpf_spin_unlock(&d->lock);

	if (look != HS_NEVER)
		hs_start_worker(d, look, now, arm);
out:
	__sync_fetch_and_add(&status->busy, -1);
	return 0;
}

/* The timer's callback where a timer cannot sleep: on to the work item. */
static int hs_tick(void *map, int *key, void *value)
{
	struct hs_device *d = value;

	bpf_wq_start(&d->wq, 0);
	return 0;
}

/*
 * Start-up
 */

/* A driver is about to parse the descriptor: attach jobs run when it is done. */
static __always_inline void hs_ask_attach_jobs(__u64 delay_ns)
{
	struct hs_device *d = hs_get_device();
	struct hs_io_status *status = hs_get_status();
	__u64 now = bpf_ktime_get_boot_ns(), t = now + delay_ns;
	bool arm;

	if (!d || !status || !status->mode || status->stop)
		return;
	bpf_spin_lock(&d->lock);
	for (int i = 0; i < HS_IO_MAX_JOBS; i++) {
		struct hs_job *job = &d->job[i];

		if (job->on_attach) {
			hs_begin(job, status, t);
		} else if (job->every_ms && job->due == HS_NEVER) {
			job->period_at = t + job->every_ms * HS_MS;
			job->due = job->period_at;
			job->attempt = 0;
		}
	}
	d->not_ready = 0;
	d->not_before = t;
	/* The probe that asks for them is no reason to run them again. */
	d->probe_number = 0;
	d->watch_ns = HS_WATCH_MIN_NS;
	arm = hs_arm(d, t, now);
	bpf_spin_unlock(&d->lock);
	status->probes++;
	if (arm)
		hs_set_timer(d, t, now);
}

static __always_inline void hs_io_reprobed(struct hid_bpf_ctx *hctx)
{
	/* The probe that called us has not even parsed yet. */
	hs_ask_attach_jobs(HS_MS);
}

static void (*const hs_reprobed)(struct hid_bpf_ctx *hctx) = hs_io_reprobed;

static __always_inline int hs_io_init(__u32 hid)
{
	struct hs_device *d = hs_get_device();
	struct hs_io_status *status = hs_get_status();
	__u64 slack;
	int err;

	if (!d || !status)
		return -EINVAL;
	status->version = HS_IO_VERSION;
	status->header_size = __builtin_offsetof(struct hs_io_status, job);
	status->job_size = sizeof(struct hs_io_job_status);
	status->hid = hid;
	for (int i = 0; i < HS_IO_MAX_JOBS; i++)
		d->job[i].due = HS_NEVER;
	d->armed = HS_NEVER;
	d->watch = HS_NEVER;
	d->sleep_offset = hs_sleep_offset(&slack);
	hs_set_up_jobs(d, status);

	err = bpf_timer_init(&d->timer, &hs_device, CLOCK_BOOTTIME);
	if (hs_has_sleepable_timer()) {
		err = err ?: bpf_timer_set_sleepable_cb(&d->timer, hs_worker);
	} else {
		err = err ?: bpf_timer_set_callback(&d->timer, hs_tick);
		err = err ?: bpf_wq_init(&d->wq, &hs_device, 0);
		err = err ?: hs_wq_set_callback(&d->wq, hs_worker);
	}
	if (err) {
		status->last_errno = -err;
		return err;
	}
	status->mode = hs_has_sleepable_timer() ? HS_IO_SLEEPABLE_TIMER : HS_IO_TIMER_AND_WORK;
	if (!hs_reprobes)
		hs_ask_attach_jobs(HS_ATTACH_NS);
	return 0;
}

/* With jobs every fixup has a probe, and HS_PROBE() is what it asks first. */
static int (*const hs_probe_fn)(struct hid_bpf_probe_args *args);
#undef HS_PROBE
#define HS_PROBE(args)                                                                     \
	static int hs_probe_body(struct hid_bpf_probe_args *args);                         \
	static int (*const hs_probe_fn)(struct hid_bpf_probe_args * args) = hs_probe_body; \
	static int hs_probe_body(struct hid_bpf_probe_args *args)

SEC("syscall")
int probe(struct hid_bpf_probe_args *args)
{
	int err = hs_ask_driver(args->hid);

	if (!err && hs_probe_fn)
		err = hs_probe_fn(args);
	if (!err)
		err = hs_io_init(args->hid);
	args->retval = err;
	return 0;
}

static __always_inline void hs_set_up_job(struct hs_device *d, struct hs_io_status *status,
					  __u32 id, const struct hs_job_options *opts,
					  const char *name, __u32 name_size)
{
	struct hs_job *job = &d->job[id];

	job->on_attach = opts->on_attach;
	job->every_ms = opts->every_ms;
	job->retries = opts->retries;
	job->backoff_ms = opts->backoff_ms ?: 100;
	job->backoff_max_ms = opts->backoff_max_ms ?: 10000;
	if (opts->on_attach)
		d->watch = 0;
	status->job[id].period_ms = opts->every_ms;
	for (__u32 i = 0; i < HS_IO_NAME_SIZE - 1 && i < name_size; i++)
		status->job[id].name[i] = name[i];
	status->n_jobs = id + 1;
}

/*
 * HS_JOBS(a, b, c); once in a fixup, before the first HS_JOB(). Up to 8 names.
 */
#define HS_JOB_ID(name) HS_JOB_##name,
#define HS_JOB_DECLARE(name)               \
	static int name(struct hs_io *io); \
	static const struct hs_job_options hs_options_##name;
#define HS_JOB_CASE(name)   \
	case HS_JOB_##name: \
		return name(io);
#define HS_JOB_SET_UP(name) \
	hs_set_up_job(d, status, HS_JOB_##name, &hs_options_##name, #name, sizeof(#name));

#define HS_JOBS(...)                                                            \
	enum { HS_FOR_EACH(HS_JOB_ID, __VA_ARGS__) HS_N_JOBS };                 \
	_Static_assert(HS_N_JOBS <= HS_IO_MAX_JOBS, "too many jobs");           \
	HS_FOR_EACH(HS_JOB_DECLARE, __VA_ARGS__)                                \
	static __always_inline int hs_call(struct hs_io *io)                    \
	{                                                                       \
		switch (io->job) {                                              \
			HS_FOR_EACH(HS_JOB_CASE, __VA_ARGS__)                   \
		}                                                               \
		return -EINVAL;                                                 \
	}                                                                       \
	static __always_inline void hs_set_up_jobs(struct hs_device *d,         \
						   struct hs_io_status *status) \
	{                                                                       \
		HS_FOR_EACH(HS_JOB_SET_UP, __VA_ARGS__)                         \
	}

#define HS_JOB(name, ...)                                                       \
	static const struct hs_job_options hs_options_##name = { __VA_ARGS__ }; \
	static __noinline int name(struct hs_io *io)

#endif /* HIDSMITH_IO_BPF_H */
