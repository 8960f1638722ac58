/* SPDX-License-Identifier: MIT */
/*
 * udev's hardware database: which devices start our helper. Made from the objects'
 * own match data, so that the two cannot disagree.
 */
#ifndef HS_HOTPLUG_HWDB_H
#define HS_HOTPLUG_HWDB_H

#include <stddef.h>
#include <stdio.h>

#include "core/fixup/fixup.h"

/* Room for hs_hwdb_pattern(). */
#define HS_HWDB_PATTERN_SIZE 64

/*
 * The pattern of a match, "hidsmith:hid:b0003g*v000028BDp00000914": the modalias of
 * a HID device behind the prefix that the rule looks up.
 *
 * Returns @buf.
 */
char *hs_hwdb_pattern(const struct hs_match *match, char buf[HS_HWDB_PATTERN_SIZE]);

/*
 * Can the fixup's name stand in the database, in udev properties and in pin names?
 * Letters, digits, `_`, `-`, `+` and `.`, at most 128, a letter or digit first.
 */
bool hs_hwdb_name_ok(const char *name);

/* Is it the name of a udev property: capitals, digits, `_`? */
bool hs_property_name_ok(const char *name);

/*
 * Write the entries of @fixups. Objects of the interface that kernels no longer
 * have get none: a helper could do nothing for their devices.
 *
 * Returns 0; -EINVAL for a name that hs_hwdb_name_ok() refuses; errno of writing.
 */
int hs_hwdb_write(FILE *out, struct hs_fixup *const *fixups, size_t n, struct hs_error *err);

#endif /* HS_HOTPLUG_HWDB_H */
