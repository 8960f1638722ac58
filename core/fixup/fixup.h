/* SPDX-License-Identifier: MIT */
/*
 * Fixups: BPF object files with struct_ops programs for HID devices.
 *
 * Match data, properties, the `probe` program and pins have the layout of
 * udev-hid-bpf, so that the objects of either project load with the other's
 * loader.
 */
#ifndef HS_FIXUP_FIXUP_H
#define HS_FIXUP_FIXUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/recording/recording.h" /* struct hs_hid_id */

#ifdef __cplusplus
extern "C" {
#endif

/** Where links and maps are pinned. */
#define HS_PIN_ROOT "/sys/fs/bpf/hid"

/** Which devices a fixup is for; 0 stands for any. */
struct hs_match {
	uint16_t bus;
	uint16_t group;
	uint32_t vendor;
	uint32_t product;
};

/** An object file, read and understood, not loaded. Opaque. */
struct hs_fixup;

/**
 * Read an object file: match data, what programs and properties it has.
 *
 * Needs no privilege and loads nothing.
 *
 * @param path the object; its name without directory and `.bpf.o` is the fixup's
 * @param out set on success; free with hs_fixup_free()
 * @return 0; -EINVAL not a BPF object or without match data; errno of open
 */
int hs_fixup_open(const char *path, struct hs_fixup **out, struct hs_error *err);

/** @param fixup may be NULL */
void hs_fixup_free(struct hs_fixup *fixup);

/** File name without directory and `.bpf.o`, such as "0010-ugee__tablets". */
const char *hs_fixup_name(const struct hs_fixup *fixup);

/** As given to hs_fixup_open(). */
const char *hs_fixup_path(const struct hs_fixup *fixup);

/** Number at the start of the file's name, 0 if there is none: highest first. */
unsigned int hs_fixup_priority(const struct hs_fixup *fixup);

/**
 * What follows the priority's `-` in the name: of the objects of one group that
 * match a device the first that loads is the only one.
 */
const char *hs_fixup_group(const struct hs_fixup *fixup);

size_t hs_fixup_match_count(const struct hs_fixup *fixup);
const struct hs_match *hs_fixup_match(const struct hs_fixup *fixup, size_t index);

/** Does the fixup name this device? A group of 0 in @id matches any. */
bool hs_fixup_matches(const struct hs_fixup *fixup, const struct hs_hid_id *id);

/** A udev property or setting that the object reads. */
struct hs_property {
	const char *name; /**< such as "ID_VENDOR" */
	const char *value;
};

/** Options of hs_fixup_attach(); set size to sizeof, the rest may be 0. */
struct hs_attach_opts {
	size_t size;
	const char *pin_root; /**< default HS_PIN_ROOT */
	bool replace; /**< detach what has the same name first */
	const struct hs_property *properties;
	size_t n_properties;
};

/**
 * Load a fixup, ask its `probe`, attach it to one device and pin what keeps it.
 *
 * @param sysname the HID device, "BUS:VENDOR:PRODUCT.NUMBER" as in /sys/bus/hid/devices
 * @return 0; -ENODEV no such device; -ENOTSUP kernel without HID-BPF; -EPERM;
 *   -ENOEXEC the kernel refused the object (verifier's last lines in @err);
 *   -ECANCELED `probe` said no; -EEXIST already attached
 */
int hs_fixup_attach(struct hs_fixup *fixup, const char *sysname, const struct hs_attach_opts *opts,
		    struct hs_error *err);

/**
 * Remove the pins of one fixup, or of all with @name NULL; that detaches.
 *
 * @return number of fixups removed (0 is not an error), or a negative errno
 */
int hs_fixup_detach(const char *sysname, const char *name, const char *pin_root,
		    struct hs_error *err);

/** All objects of a list of directories, best first. Opaque. */
struct hs_fixup_set;

/**
 * Open every `*.bpf.o` of the directories. An object that cannot be read does not
 * spoil the others: it is left out and reported through hs_fixup_set_problem().
 *
 * @param dirs colon-separated; a name found in an earlier directory hides later ones
 */
int hs_fixup_set_open(const char *dirs, struct hs_fixup_set **out, struct hs_error *err);
void hs_fixup_set_free(struct hs_fixup_set *set);
size_t hs_fixup_set_count(const struct hs_fixup_set *set);
struct hs_fixup *hs_fixup_set_get(const struct hs_fixup_set *set, size_t index);
/** By name, with or without the priority. @return NULL if there is none */
struct hs_fixup *hs_fixup_set_find(const struct hs_fixup_set *set, const char *name);
size_t hs_fixup_set_problem_count(const struct hs_fixup_set *set);
const char *hs_fixup_set_problem(const struct hs_fixup_set *set, size_t index);

/**
 * Attach the best objects to a device: of each group the first that loads.
 *
 * @param id the device's identity
 * @param attached called for each object tried; @c result as hs_fixup_attach()
 * @return number of objects attached, or a negative errno
 */
int hs_fixup_set_attach(struct hs_fixup_set *set, const char *sysname, const struct hs_hid_id *id,
			const struct hs_attach_opts *opts,
			void (*attached)(const struct hs_fixup *fixup, int result,
					 const struct hs_error *err, void *data),
			void *data, struct hs_error *err);

#ifdef __cplusplus
}
#endif

#endif /* HS_FIXUP_FIXUP_H */
