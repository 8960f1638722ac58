/* SPDX-License-Identifier: MIT */
/* A device made of a few lines, for tests that need one and no recording. */
#ifndef TESTS_UHID_DEVICE_H
#define TESTS_UHID_DEVICE_H

#include <stddef.h>
#include <stdint.h>

struct uhid_device {
	int fd;
	char sysname[64]; /* of the HID device, once it is there */
};

struct uhid_description {
	const char *name, *phys, *uniq;
	uint16_t bus;
	uint32_t vendor, product, version;
	const uint8_t *rdesc;
	size_t rdesc_size;
};

/*
 * Create a device and wait until a driver is bound to it: before that the kernel
 * drops its reports. Returns 0 or a negative errno.
 */
int uhid_device_create(struct uhid_device *dev, const struct uhid_description *description);

/* The device sends an input report. Returns 0 or a negative errno. */
int uhid_device_input(struct uhid_device *dev, const void *report, size_t size);

/*
 * The device reads what the host asks, for @ms milliseconds or until it has answered
 * one request: it refuses all (-EIO).
 */
void uhid_device_serve(struct uhid_device *dev, int ms);

void uhid_device_destroy(struct uhid_device *dev);

#endif /* TESTS_UHID_DEVICE_H */
