/* SPDX-License-Identifier: MIT */
/* What the files of core/fixup share about an object. */
#ifndef HS_FIXUP_FIXUP_INT_H
#define HS_FIXUP_FIXUP_INT_H

#include "core/fixup/fixup.h"
#include "core/fixup/strings.h"

struct bpf_object;
struct btf;

/* Where the kernel lists HID devices. */
#define HS_HID_DEVICES "/sys/bus/hid/devices"

/* Variables and maps of this prefix are udev properties. */
#define HS_PROPERTY_PREFIX "UDEV_PROP_"

struct hs_fixup {
	char *path;
	char *name;
	unsigned int priority;
	const char *group; /* points into name */
	void *image; /* the file; what is loaded is what was checked */
	size_t image_size;
	struct hs_fixup_info info;
	struct hs_strings strings; /* everything that info points to */
};

/*
 * A libbpf object of the fixup's image, ready to be given its data and loaded.
 * What libbpf says is caught by the caller. Returns NULL with errno set.
 */
struct bpf_object *hs_fixup_object(const struct hs_fixup *fixup);

/* A global variable of an object that a property goes into. */
struct hs_property_var {
	const char *name; /* without the prefix */
	const char *section;
	size_t offset; /* in the section's map; right only with a bpf_object's own BTF */
	size_t size;
};

/*
 * Call @found for each property variable.
 *
 * Returns 0, or what @found returned if that was not 0.
 */
int hs_property_vars(const struct btf *btf,
		     int (*found)(const struct hs_property_var *var, void *data), void *data);

#endif /* HS_FIXUP_FIXUP_INT_H */
