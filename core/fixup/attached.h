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

/** @param list may be NULL */
void hs_attached_list_free(struct hs_attached_list *list);

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
