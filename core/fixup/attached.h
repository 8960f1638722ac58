/* SPDX-License-Identifier: MIT */
/*
 * What is attached: read from the pins, whoever made them. Needs what opening pins
 * needs, that is root.
 */
#ifndef HS_FIXUP_ATTACHED_H
#define HS_FIXUP_ATTACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/fixup/fixup.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What has become of an attached fixup. */
enum hs_attached_state {
	HS_ATTACHED_ALIVE, /**< its programs run */
	HS_ATTACHED_GONE, /**< the device has gone; pins without effect are left */
	HS_ATTACHED_DETACHED, /**< all or some of its links were detached by force */
	HS_ATTACHED_NO_LINK, /**< its pins have no link: it only probed, or was half made */
};

/** A program that runs for a device. */
struct hs_attached_program {
	const char *name;
	const char *hook; /**< member of struct hid_bpf_ops, "hid_device_event" */
	uint32_t id; /**< the kernel's number, as bpftool shows it */
	/**
	 * How often it ran, and how long in all, in nanoseconds. Counted while
	 * hs_stats_enabled() says so; 0 before.
	 */
	uint64_t run_count;
	uint64_t run_time_ns;
	uint64_t missed; /**< runs left out because it was running already */
	uint32_t instructions; /**< that the verifier looked at when it was loaded */
};

/** A link: what binds one struct_ops map to the device. */
struct hs_attached_link {
	const char *name;
	uint32_t id;
	bool alive; /**< attached, and the device is there */
};

/** A pinned map. */
struct hs_attached_map {
	const char *name; /**< of the pin */
	const char *type;
	uint32_t id;
	uint32_t key_size; /**< bytes */
	uint32_t value_size; /**< bytes */
	uint32_t max_entries;
};

/** Classes of an hs_attached_job's latency. */
#define HS_LATENCIES 20

/** A job of a fixup that talks to its device (bpf/hidsmith/io.bpf.h). */
struct hs_attached_job {
	const char *name;
	uint64_t runs; /**< started, retries included */
	uint64_t failures; /**< runs that ended with an error, time-outs included */
	uint64_t timeouts; /**< runs that ended because no answer came */
	uint64_t given_up; /**< failed after the last retry */
	uint64_t coalesced; /**< asked for while asked for already */
	uint64_t missed; /**< periods that passed while job or device were busy */
	uint64_t last_start_ns; /**< CLOCK_BOOTTIME; 0 if never */
	uint64_t busy_ns; /**< sum of all runs */
	/**
	 * Runs by the time from when they were due until they started: [0] below
	 * 1 us, [n] from 2^(n-1) to below 2^n us, the last one all above.
	 */
	uint64_t latency[HS_LATENCIES];
	int last_errno; /**< of the last failure, positive; 0 if there was none */
	uint32_t period_ms; /**< now; 0 if it is not periodic */
};

/** By what jobs are run. */
enum hs_io_kind {
	HS_IO_KIND_NOT_STARTED, /**< jobs do not run: see last_errno */
	HS_IO_KIND_TIMER_AND_WORK, /**< bpf_timer and bpf_wq, on stock kernels */
	HS_IO_KIND_SLEEPABLE_TIMER,
};

/** A fixup's talk with its device, counted since it was attached. */
struct hs_attached_io {
	enum hs_io_kind kind;
	bool busy; /**< a job is running */
	bool stopped; /**< it is being detached */
	uint64_t probes; /**< times that a driver took the device */
	uint64_t resumes; /**< times that the system slept */
	uint64_t requests; /**< requests and output reports sent */
	uint64_t request_errors;
	uint64_t answers; /**< reports that a job waited for and got */
	uint64_t queue_full; /**< requests for a job refused for want of room */
	int last_errno; /**< of the start, positive */
	const struct hs_attached_job *jobs;
	size_t n_jobs;
};

/** One fixup on one device. */
struct hs_attached {
	const char *sysname;
	const char *name; /**< of the fixup, with `_` for its dots */
	enum hs_attached_state state;
	const struct hs_attached_link *links;
	size_t n_links;
	const struct hs_attached_program *programs;
	size_t n_programs;
	const struct hs_attached_map *maps;
	size_t n_maps;
	const struct hs_property *exports; /**< udev properties that the object set */
	size_t n_exports;
	const struct hs_setting_info *settings; /**< with the values in effect */
	size_t n_settings;
	const struct hs_attached_io *io; /**< NULL if it has no jobs */
};

/** Opaque. */
struct hs_attached_list;

/**
 * List what is attached, in order of device and name.
 *
 * @param sysname of one device only, or NULL
 * @param pin_root NULL for HS_PIN_ROOT; an empty list if it is not there
 * @param out set on success; free with hs_attached_list_free()
 * @return 0, -EPERM, or another negative errno
 */
int hs_attached_list_open(const char *sysname, const char *pin_root, struct hs_attached_list **out,
			  struct hs_error *err);

/**
 * Read all of it again; what the list gave out before is freed. Much cheaper than
 * opening another one, which has to read the kernel's types.
 *
 * @return as hs_attached_list_open(); after an error the list is empty
 */
int hs_attached_list_update(struct hs_attached_list *list, struct hs_error *err);

/**
 * hs_attached_list_open() with exports alone, for a device that is just being served:
 * does without the kernel's types, which take most of the time otherwise.
 */
int hs_attached_exports_open(const char *sysname, struct hs_attached_list **out,
			     struct hs_error *err);

/** @param list may be NULL */
void hs_attached_list_free(struct hs_attached_list *list);

/** Of fixups; of all devices that were asked for. */
size_t hs_attached_list_count(const struct hs_attached_list *list);

/** Lives as long as the list. @return NULL if @index is out of range */
const struct hs_attached *hs_attached_list_get(const struct hs_attached_list *list, size_t index);

/** Does the kernel count runs and their time now (kernel.bpf_stats_enabled)? */
bool hs_stats_enabled(void);

/**
 * Have the kernel count as long as the returned descriptor is open. Costs each
 * program two readings of the clock.
 *
 * @return a file descriptor; -EPERM
 */
int hs_stats_enable(struct hs_error *err);

#ifdef __cplusplus
}
#endif

#endif /* HS_FIXUP_ATTACHED_H */
