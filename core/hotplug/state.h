/* SPDX-License-Identifier: MIT */
/*
 * What the helper that udev starts remembers of a device, in /run/hidsmith/DEVICE/:
 *
 *	objects     what it attached: a line "NAME DIGEST GROUP-DIGEST" for each
 *	properties  all that is attached, for udev, which reads it by itself
 *	waiting     is there while the device has no driver, see below
 *
 * The directory is there as long as something may be attached, so udev's rule knows
 * by it that a removed device has to be cleaned up after. It is the lock, too: one
 * helper for each device at a time. Pins without a line here are somebody else's.
 */
#ifndef HS_HOTPLUG_STATE_H
#define HS_HOTPLUG_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/error.h"

#define HS_STATE_ROOT "/run/hidsmith"

/* One attached object. */
struct hs_state_object {
	char name[160];
	uint64_t digest; /* of the object's bytes */
	uint64_t candidates; /* of all objects that could have taken its place, and the driver */
};

#define HS_STATE_OBJECTS_MAX 64

struct hs_state {
	int dir; /* locked; -1 if there is none */
	char sysname[32];
	struct hs_state_object objects[HS_STATE_OBJECTS_MAX];
	size_t n;
	/*
	 * The device had no driver, and so no report descriptor that could be read, when
	 * its objects were asked whether they want it: to be asked again by udev's rule,
	 * when a driver has taken it.
	 */
	bool waiting;
};

/*
 * Open and lock a device's directory and read what it has.
 *
 * @create: make it if it is not there
 *
 * Waits for another helper of the same device. Returns 0; -ENOENT; -EINVAL for what
 * is not a sysname; -EPERM if somebody else could write to it; another errno.
 */
int hs_state_open(const char *sysname, bool create, struct hs_state *state, struct hs_error *err);

/*
 * Write @state's objects, and @properties for udev, lines NAME=VALUE. Each file is
 * replaced as a whole.
 */
int hs_state_write(struct hs_state *state, const char *properties, struct hs_error *err);

/*
 * Print the properties of the device to @out, without waiting for the lock. Prints
 * nothing if there are none.
 */
void hs_state_print(const char *sysname, FILE *out);

/* Remove the directory with what is in it. */
void hs_state_remove(struct hs_state *state);

/* Unlock. Does nothing for one that hs_state_open() refused. */
void hs_state_close(struct hs_state *state);

struct hs_state_object *hs_state_find(struct hs_state *state, const char *name);

#endif /* HS_HOTPLUG_STATE_H */
