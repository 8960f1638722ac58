/* SPDX-License-Identifier: MIT */
/*
 * The HID devices of the system, as sysfs and udev have them.
 *
 * Works without a running udevd, too: then what rules would have added (such as
 * properties of the hwdb) is missing, and nothing else.
 */
#ifndef HS_DEVICE_DEVICE_H
#define HS_DEVICE_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/recording/recording.h" /* struct hs_hid_id, HS_RDESC_MAX */

#ifdef __cplusplus
extern "C" {
#endif

/** An input node that a driver made for a HID device. */
struct hs_input_node {
	const char *path; /**< "/dev/input/event3" */
	const char *name; /**< of the input device; chosen by the device and the driver */
};

/**
 * One HID device.
 *
 * Name, phys and uniq are what the device says: data, that may hold any byte. No
 * pointer is NULL except where it says so.
 */
struct hs_device {
	const char *sysname; /**< "0003:28BD:0914.0004", as in /sys/bus/hid/devices */
	const char *syspath; /**< "/sys/devices/.../0003:28BD:0914.0004" */
	uint32_t hid_id; /**< number of the device, the hex suffix of sysname */
	/** @c version is that of its first input node, 0 if there is none. */
	struct hs_hid_id id;
	const char *name;
	const char *phys;
	const char *uniq;
	const char *modalias;
	const char *driver; /**< NULL if no driver is bound */
	const char *hidraw; /**< "/dev/hidraw0"; NULL if there is none */
	const struct hs_input_node *inputs; /**< in order of their number */
	size_t n_inputs;
};

/** The devices at one moment. Opaque. */
struct hs_device_list;

/**
 * List all HID devices, in order of their hid_id.
 *
 * Needs no privilege.
 *
 * @param out set on success; free with hs_device_list_free()
 * @return 0 or a negative errno
 */
int hs_device_list_open(struct hs_device_list **out, struct hs_error *err);

/** @param list may be NULL */
void hs_device_list_free(struct hs_device_list *list);

/** The devices that there were when the list was opened. */
size_t hs_device_list_count(const struct hs_device_list *list);

/** Lives as long as the list. @return NULL if @index is out of range */
const struct hs_device *hs_device_list_get(const struct hs_device_list *list, size_t index);

/**
 * Find the one device that a user means.
 *
 * @param spec a sysname, a path below /sys, a device node (/dev/hidrawN,
 *   /dev/input/eventN or a link to one), "hidrawN", "eventN", or VENDOR:PRODUCT in
 *   hex
 * @param out set on success; lives as long as the list
 * @return 0; -ENODEV no such device; -ENOTUNIQ several have that VENDOR:PRODUCT
 */
int hs_device_list_find(const struct hs_device_list *list, const char *spec,
			const struct hs_device **out, struct hs_error *err);

/**
 * A property of udev's, from the kernel, the hwdb or a rule.
 *
 * @return NULL if the device has none of that name; lives as long as the list
 */
const char *hs_device_property(const struct hs_device *dev, const char *name);

/**
 * Read the report descriptor that the kernel's parser works with: with fixups
 * attached, what they made of it.
 *
 * @param rdesc room for HS_RDESC_MAX bytes
 * @param size set to the descriptor's size on success
 * @return 0 or a negative errno; -ENODEV if the device has gone
 */
int hs_device_read_rdesc(const struct hs_device *dev, uint8_t rdesc[HS_RDESC_MAX], size_t *size,
			 struct hs_error *err);

#ifdef __cplusplus
}
#endif

#endif /* HS_DEVICE_DEVICE_H */
