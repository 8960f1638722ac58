/* SPDX-License-Identifier: MIT */
/*
 * What happens when a device comes or goes, and when the package changes: the work
 * of `hidsmith udev`, which udev's rule starts as root. udev-rules/SECURITY.md says
 * what it defends against.
 *
 * Each call is done by a child process under a deadline, so that no device can
 * hold up udev: what has not ended in time is killed, and undone.
 */
#ifndef HS_HOTPLUG_HOTPLUG_H
#define HS_HOTPLUG_HOTPLUG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/fixup/config.h"
#include "core/hotplug/state.h"

struct hs_hotplug {
	const char *dirs; /* of objects, colon-separated, all of them trusted */
	const struct hs_config *config;
	/* A udev property of the device; NULL if it has none. */
	const char *(*property)(const char *name, void *data);
	/* Called for what a log should have; @priority is syslog's. */
	void (*log)(int priority, const char *text, void *data);
	void *data;
};

/* Is it a name as the kernel gives them to HID devices, and nothing else? */
bool hs_hotplug_sysname_ok(const char *sysname);

/*
 * Attach what matches a device that has appeared. A device that is switched off,
 * or that somebody else has pinned programs for, is left alone.
 *
 * Returns 0 if all is well, which it is with a device that has gone, too; the errno
 * of the best object if none could be attached; -ETIMEDOUT.
 */
int hs_hotplug_add(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err);

/* Remove the pins of a device that has gone. Returns 0 or a negative errno. */
int hs_hotplug_remove(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err);

/*
 * The same as add, for a device that is there: what was attached from an object that
 * has changed, has been replaced by a better one or has gone is detached first, and
 * all of it if another driver has the device now. What has not changed is not touched.
 */
int hs_hotplug_refresh(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err);

/* Detach what add and refresh attached to a device, and nothing else. */
int hs_hotplug_detach(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err);

/*
 * Something was attached or detached by hand: write down what there is now, so that
 * udev shows it, and cleans up when the device goes.
 */
void hs_hotplug_note(const char *sysname);

#endif /* HS_HOTPLUG_HOTPLUG_H */
