/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a fixup with jobs shows of itself: the layout of its map `hs_status`, an
 * array of one `struct hs_io_status` that may be read or mmap()ed from the pin
 * while the fixup runs. Shared by fixups and userspace.
 *
 * The layout only grows at the ends: read `header_size`, `job_size` and `n_jobs`
 * and step by them. All counters are since the fixup was attached.
 */
#ifndef HIDSMITH_IO_STATUS_H
#define HIDSMITH_IO_STATUS_H

#define HS_IO_VERSION   1
#define HS_IO_MAX_JOBS  8
#define HS_IO_NAME_SIZE 24
#define HS_IO_LATENCIES 20

enum hs_io_mode {
	HS_IO_NOT_STARTED = 0, /* `probe` has not run, or it failed: see last_errno */
	HS_IO_TIMER_AND_WORK = 1, /* stock kernel: bpf_timer for delays, bpf_wq for jobs */
	HS_IO_SLEEPABLE_TIMER = 2, /* jobs are sleepable timer callbacks */
};

struct hs_io_job_status {
	char name[HS_IO_NAME_SIZE]; /* ends in a 0 */
	__u64 runs; /* started, retries included, steps after an answer not */
	__u64 failures; /* runs that ended with an error, time-outs included */
	__u64 timeouts; /* runs that ended because no answer came */
	__u64 given_up; /* failed after the last retry */
	__u64 coalesced; /* asked for while already asked for: ran once for both */
	__u64 missed; /* periods that passed while the job or the device was busy */
	__u64 last_start_ns; /* CLOCK_BOOTTIME; 0 if never */
	__u64 busy_ns; /* sum of what runs and steps took */
	/*
	 * Time from when a job was due (asked for, or its period came) until it
	 * started: [0] below 1 us, [n] from 2^(n-1) to below 2^n us, the last one
	 * everything above.
	 */
	__u64 latency[HS_IO_LATENCIES];
	__s32 last_errno; /* of the last failure, positive; 0 if there was none */
	__u32 period_ms; /* now; 0 = not periodic */
};

struct hs_io_status {
	__u32 version; /* HS_IO_VERSION */
	__u32 header_size; /* offset of job[] */
	__u32 job_size;
	__u32 n_jobs;
	__u32 mode; /* enum hs_io_mode */
	__u32 hid; /* number in the device's sysfs name */
	/*
	 * Written by who wants to detach: any value but 0 ends device IO. Once
	 * `busy` reads 0 after that, no request is on its way and none will be.
	 */
	__u32 stop;
	__u32 busy; /* a job is running or in a request */
	__u64 probes; /* times that a driver took the device: attach, re-probe */
	__u64 resumes; /* times that the system slept */
	__u64 requests; /* requests and output reports sent */
	__u64 request_errors;
	__u64 answers; /* reports that a job waited for and got */
	__u64 queue_full; /* posts, or what a fixup queues itself, refused for want of room */
	__s32 last_errno; /* of the start-up, positive */
	__u32 reserved;
	struct hs_io_job_status job[HS_IO_MAX_JOBS];
};

#endif /* HIDSMITH_IO_STATUS_H */
