/* SPDX-License-Identifier: MIT */
/*
 * The input nodes of a HID device, read without ever waiting.
 *
 * hid-input makes an input node for each application collection or so; a re-probe
 * of the HID device makes new ones, and the old ones then give -ENODEV.
 */
#ifndef HS_DEVICE_EVDEV_H
#define HS_DEVICE_EVDEV_H

#include <linux/input.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One /dev/input/eventN. */
struct hs_evdev_node {
	char *name; /**< the input device's name */
	char path[32]; /**< "/dev/input/event3" */
	unsigned int number; /**< of the inputN; grows in the order of creation */
	int fd; /**< non-blocking, CLOCK_MONOTONIC */
};

/** All nodes of one HID device, in the order of creation. */
struct hs_evdev {
	struct hs_evdev_node *nodes;
	size_t count;
};

enum {
	/** Nobody else gets the events: a replayed keyboard must not type into the desktop. */
	HS_EVDEV_GRAB = 1 << 0,
	/** No autorepeat, whose events depend on how long a key is down on the clock. */
	HS_EVDEV_NO_REPEAT = 1 << 1,
};

/**
 * Open all input nodes of a HID device.
 *
 * @param sysname as below /sys/bus/hid/devices
 * @param flags HS_EVDEV_*
 * @param out set on success; a device without input nodes has a count of 0
 * @return 0, -ENODEV no such device, errno of open
 */
int hs_evdev_open(const char *sysname, unsigned int flags, struct hs_evdev **out,
		  struct hs_error *err);

/** @param evdev may be NULL */
void hs_evdev_close(struct hs_evdev *evdev);

/**
 * Read what is there.
 *
 * @return number of events, 0 when there is nothing, -ENODEV when the node is gone.
 *   Less than @p max means that nothing is left.
 */
int hs_evdev_read(const struct hs_evdev_node *node, struct input_event *events, size_t max);

/**
 * Write an event as evemu does: "E: sec.usec type code value", type and code in
 * hexadecimal, and the names as a comment.
 *
 * @param time_us microseconds
 * @return @p buf
 */
const char *hs_evdev_format(uint64_t time_us, uint16_t type, uint16_t code, int32_t value,
			    char *buf, size_t size);

/** "EV_ABS / ABS_X", or numbers where there is no name. @return @p buf */
const char *hs_evdev_names(uint16_t type, uint16_t code, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* HS_DEVICE_EVDEV_H */
