/* SPDX-License-Identifier: MIT */
/*
 * Fixups: BPF object files with struct_ops programs for HID devices.
 *
 * Match data, properties, the `probe` program and pins have the layout of
 * udev-hid-bpf, so that the objects of either project load with the other's
 * loader.
 *
 * What a fixup is and how it is attached is here; what is attached, with run
 * counts and the state of its links, is in core/fixup/attached.h.
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

/** How an object's programs reach the device. */
enum hs_interface {
	HS_INTERFACE_STRUCT_OPS, /**< struct hid_bpf_ops, Linux 6.11 and later */
	HS_INTERFACE_FMOD_RET, /**< what came before it; 6.11 removed it: never attaches */
	HS_INTERFACE_PROBE_ONLY, /**< nothing but `probe`, which may talk to the device once */
};

/** A program of an object. */
struct hs_program_info {
	const char *name;
	const char *section; /**< such as "struct_ops.s/hid_rdesc_fixup" */
	/** Member of struct hid_bpf_ops that the section names; NULL for other programs. */
	const char *hook;
	bool sleepable;
};

/** A map of an object. */
struct hs_map_info {
	const char *name;
	const char *type; /**< as bpftool names it: "hash", "array", "struct_ops" */
	uint32_t key_size; /**< bytes */
	uint32_t value_size; /**< bytes */
	uint32_t max_entries;
};

/** A udev property that an object reads or sets. */
struct hs_property_info {
	const char *name; /**< without "UDEV_PROP_" */
	size_t size; /**< room for the value, with its final 0 */
};

/** Something that the user may set (bpf/hidsmith/setting.bpf.h). */
struct hs_setting_info {
	const char *name;
	const char *help; /**< one line */
	bool is_bool; /**< 0 or 1, written yes, no, on, off, true, false, too */
	int32_t value; /**< the default; of what is attached, the value in effect */
	int32_t min;
	int32_t max;
};

/** What hidsmith knows about an object without loading it. */
struct hs_fixup_info {
	enum hs_interface interface;
	const char *license; /**< "" if it says none */
	bool has_probe;
	const struct hs_match *matches;
	size_t n_matches;
	const struct hs_program_info *programs;
	size_t n_programs;
	const struct hs_map_info *maps;
	size_t n_maps;
	const struct hs_property_info *properties; /**< read at attach */
	size_t n_properties;
	const struct hs_property_info *exports; /**< set by the object, for udev */
	size_t n_exports;
	const struct hs_setting_info *settings;
	size_t n_settings;
	const char *const *kfuncs; /**< kernel functions that it calls, weak ones too */
	size_t n_kfuncs;
};

/** An object file, read and understood, not loaded. Opaque. */
struct hs_fixup;

/** Flags of hs_fixup_open() and hs_fixup_set_open(). */
enum hs_open_flags {
	/**
	 * For callers that run by themselves as root: the path is absolute and has
	 * no symlink, "." or ".."; the file and each directory on the way belong to
	 * root and nobody else may write to them.
	 */
	HS_OPEN_TRUSTED_ONLY = 1 << 0,
};

/**
 * Read an object file: match data, what programs and properties it has.
 *
 * Needs no privilege and loads nothing. The file is read once; what is attached
 * later is what was read and checked here.
 *
 * @param path the object; its name without directory and `.bpf.o` is the fixup's
 * @param flags HS_OPEN_*, or 0
 * @param out set on success; free with hs_fixup_free()
 * @return 0; -EINVAL not a BPF object or without match data; -EPERM not to be
 *   trusted; errno of open and read
 */
int hs_fixup_open(const char *path, unsigned int flags, struct hs_fixup **out,
		  struct hs_error *err);

/** @param fixup may be NULL */
void hs_fixup_free(struct hs_fixup *fixup);

/** File name without directory and `.bpf.o`, such as "0010-ugee__tablets". */
const char *hs_fixup_name(const struct hs_fixup *fixup);

/** As given to hs_fixup_open(). */
const char *hs_fixup_path(const struct hs_fixup *fixup);

/** Number at the start of the file's name, 0 if there is none: highest first. */
unsigned int hs_fixup_priority(const struct hs_fixup *fixup);

/**
 * What follows the priority's `-` in the name, or all of a name without priority:
 * of the objects of one group that match a device the first that loads is the
 * only one.
 */
const char *hs_fixup_group(const struct hs_fixup *fixup);

/** A number that another object has only by chance: to see that a file has changed. */
uint64_t hs_fixup_digest(const struct hs_fixup *fixup);

/** The object's bytes, as they were read and checked. Live as long as the fixup. */
const void *hs_fixup_image(const struct hs_fixup *fixup, size_t *size);

/** Lives as long as the fixup. */
const struct hs_fixup_info *hs_fixup_info(const struct hs_fixup *fixup);

/** Does the fixup name this device? A group of 0 in @id matches any. */
bool hs_fixup_matches(const struct hs_fixup *fixup, const struct hs_hid_id *id);

/** A udev property or setting that the object reads. */
struct hs_property {
	const char *name; /**< such as "HUION_FIRMWARE_ID" */
	const char *value;
};

/** Where the time of an attach went, in microseconds. */
struct hs_attach_timing {
	uint64_t prepare; /**< the device's descriptor, bpffs, the object's own data */
	uint64_t load; /**< maps and programs into the kernel, with verifier and JIT */
	uint64_t probe; /**< the `probe` program, with what it asks the device */
	uint64_t attach; /**< with the re-probe of the device, if there is an rdesc_fixup */
	uint64_t pin;
};

struct hs_config;

/** Options of hs_fixup_attach(); set size to sizeof, the rest may be 0. */
struct hs_attach_opts {
	size_t size;
	const char *pin_root; /**< default HS_PIN_ROOT; must be on a bpffs */
	bool replace; /**< detach what has the same name first */
	const struct hs_property *properties;
	size_t n_properties;
	/**
	 * Asked for each property that the object reads and @properties lacks.
	 * Returns NULL if the device has none.
	 */
	const char *(*property)(const char *name, void *data);
	void *property_data;
	struct hs_attach_timing *timing; /**< filled on success; may be NULL */
	/**
	 * Values for the object's settings. One that the object does not have, or
	 * that is not in its range, is an error.
	 */
	const struct hs_property *settings;
	size_t n_settings;
	/**
	 * The machine's configuration (core/fixup/config.h), or NULL: asked for
	 * settings and properties that are not given above. After it comes, for a
	 * setting, the udev property HIDSMITH_<NAME>, in capitals. A value from
	 * these that is not in range is reported to @warn, and the default stays.
	 */
	const struct hs_config *config;
	void (*warn)(const char *text, void *data);
	void *warn_data;
	bool skip_unknown_settings; /**< of @settings: those that the object does not have */
};

/**
 * Would hs_fixup_attach() take this setting?
 *
 * @return 0; -ENOENT the object has no such setting; -EINVAL not a value for it, and
 *   @err says what would be
 */
int hs_fixup_check_setting(const struct hs_fixup *fixup, const struct hs_property *setting,
			   struct hs_error *err);

/**
 * Load a fixup, ask its `probe`, attach it to one device and pin what keeps it.
 *
 * Only when all of it has succeeded is anything left behind. A second attach to
 * the same device, of this or another process, waits for the first to end.
 * A value too long for the object's property is an error, not cut.
 *
 * @param sysname the HID device, "BUS:VENDOR:PRODUCT.NUMBER" as in /sys/bus/hid/devices
 * @return 0; -ENODEV no such device; -ENOTSUP kernel without HID-BPF, or the
 *   object's interface is one that the kernel has no longer; -EPERM;
 *   -ENOEXEC the kernel refused the object (verifier's last lines in @err);
 *   -ECANCELED `probe` said no; -EEXIST already attached; -EBUSY another fixup has
 *   the report descriptor of this device
 */
int hs_fixup_attach(struct hs_fixup *fixup, const char *sysname, const struct hs_attach_opts *opts,
		    struct hs_error *err);

/**
 * Remove the pins of one fixup, or of all with @name NULL; that detaches.
 *
 * Works for devices that have gone, too. Removes what has the layout of pins and
 * nothing else, and follows no symlinks.
 *
 * @param name with or without the priority
 * @return number of fixups removed (0 is not an error), or a negative errno
 */
int hs_fixup_detach(const char *sysname, const char *name, const char *pin_root,
		    struct hs_error *err);

/** All objects of a list of directories, best first. Opaque. */
struct hs_fixup_set;

/**
 * Open every `*.bpf.o` of the directories. A directory that is not there is empty.
 * An object that cannot be read does not spoil the others: it is left out and
 * reported through hs_fixup_set_problem().
 *
 * @param dirs colon-separated; a name found in an earlier directory hides later ones
 * @param flags HS_OPEN_*, or 0
 * @param out set on success; free with hs_fixup_set_free()
 * @return 0 or -ENOMEM
 */
int hs_fixup_set_open(const char *dirs, unsigned int flags, struct hs_fixup_set **out,
		      struct hs_error *err);

/** @param set may be NULL */
void hs_fixup_set_free(struct hs_fixup_set *set);

/** Of objects that could be read; those that could not are problems. */
size_t hs_fixup_set_count(const struct hs_fixup_set *set);

/** In order of priority, highest first, then by name. @return NULL if out of range */
struct hs_fixup *hs_fixup_set_get(const struct hs_fixup_set *set, size_t index);

/**
 * By name, with or without the priority; without it the highest is found.
 *
 * @return NULL if there is none
 */
struct hs_fixup *hs_fixup_set_find(const struct hs_fixup_set *set, const char *name);

/** Of objects and directories that were left out. */
size_t hs_fixup_set_problem_count(const struct hs_fixup_set *set);

/** The text of hs_fixup_open()'s error. @return NULL if out of range */
const char *hs_fixup_set_problem(const struct hs_fixup_set *set, size_t index);

/**
 * Attach the best objects to a device: of each group the first that loads.
 * One that is attached already counts as loaded.
 *
 * @param id the device's identity
 * @param attached called for each object tried; @c result as hs_fixup_attach();
 *   may be NULL
 * @return number of objects attached, which is 0 if none matches or each `probe`
 *   said no; a negative errno if none could be attached and one of them failed
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
