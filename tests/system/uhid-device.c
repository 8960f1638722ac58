// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "uhid-device.h"

#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <linux/uhid.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int send_event(int fd, const struct uhid_event *ev)
{
	return write(fd, ev, sizeof(*ev)) < 0 ? -errno : 0;
}

/* A driver may ask for reports in its probe; this device refuses them at once. */
static void refuse_request(int fd)
{
	struct uhid_event ev, answer = { 0 };

	if (read(fd, &ev, sizeof(ev)) <= 0)
		return;
	if (ev.type == UHID_GET_REPORT) {
		answer.type = UHID_GET_REPORT_REPLY;
		answer.u.get_report_reply.id = ev.u.get_report.id;
		answer.u.get_report_reply.err = EIO;
		send_event(fd, &answer);
	} else if (ev.type == UHID_SET_REPORT) {
		answer.type = UHID_SET_REPORT_REPLY;
		answer.u.set_report_reply.id = ev.u.set_report.id;
		answer.u.set_report_reply.err = EIO;
		send_event(fd, &answer);
	}
}

/* Is this the `bind` of the device with our uniq? Then take its name. */
static bool is_bind(struct udev_monitor *monitor, struct uhid_device *dev, const char *uniq)
{
	struct udev_device *event = udev_monitor_receive_device(monitor);
	bool found = false;

	if (!event)
		return false;
	if (!strcmp(udev_device_get_action(event), "bind")) {
		const char *value = udev_device_get_property_value(event, "HID_UNIQ");

		found = value && !strcmp(value, uniq);
	}
	if (found)
		snprintf(dev->sysname, sizeof(dev->sysname), "%s", udev_device_get_sysname(event));
	udev_device_unref(event);
	return found;
}

static int wait_for_bind(struct udev_monitor *monitor, struct uhid_device *dev, const char *uniq)
{
	struct pollfd fds[] = {
		{ .fd = dev->fd, .events = POLLIN },
		{ .fd = udev_monitor_get_fd(monitor), .events = POLLIN },
	};

	for (;;) {
		int n = poll(fds, 2, 10000);

		if (n <= 0)
			return n ? -errno : -ETIMEDOUT;
		if (fds[0].revents)
			refuse_request(dev->fd);
		if (fds[1].revents && is_bind(monitor, dev, uniq))
			return 0;
	}
}

static int create(int fd, const struct uhid_description *d)
{
	struct uhid_event ev = { .type = UHID_CREATE2 };

	snprintf((char *)ev.u.create2.name, sizeof(ev.u.create2.name), "%s", d->name);
	snprintf((char *)ev.u.create2.phys, sizeof(ev.u.create2.phys), "%s", d->phys);
	snprintf((char *)ev.u.create2.uniq, sizeof(ev.u.create2.uniq), "%s", d->uniq);
	ev.u.create2.rd_size = (uint16_t)d->rdesc_size;
	ev.u.create2.bus = d->bus;
	ev.u.create2.vendor = d->vendor;
	ev.u.create2.product = d->product;
	ev.u.create2.version = d->version;
	memcpy(ev.u.create2.rd_data, d->rdesc, d->rdesc_size);
	return send_event(fd, &ev);
}

int uhid_device_create(struct uhid_device *dev, const struct uhid_description *d)
{
	struct udev *udev = udev_new();
	struct udev_monitor *monitor = udev_monitor_new_from_netlink(udev, "kernel");
	int rc;

	if (!monitor)
		return -errno;
	udev_monitor_filter_add_match_subsystem_devtype(monitor, "hid", NULL);
	udev_monitor_enable_receiving(monitor);
	dev->fd = open("/dev/uhid", O_RDWR | O_CLOEXEC);
	rc = dev->fd < 0 ? -errno : create(dev->fd, d);
	if (!rc)
		rc = wait_for_bind(monitor, dev, d->uniq);
	udev_monitor_unref(monitor);
	udev_unref(udev);
	return rc;
}

int uhid_device_input(struct uhid_device *dev, const void *report, size_t size)
{
	struct uhid_event ev = { .type = UHID_INPUT2 };

	ev.u.input2.size = (uint16_t)size;
	memcpy(ev.u.input2.data, report, size);
	return send_event(dev->fd, &ev);
}

void uhid_device_serve(struct uhid_device *dev, int ms)
{
	struct pollfd fd = { .fd = dev->fd, .events = POLLIN };

	if (poll(&fd, 1, ms) > 0)
		refuse_request(dev->fd);
}

void uhid_device_destroy(struct uhid_device *dev)
{
	struct uhid_event ev = { .type = UHID_DESTROY };

	send_event(dev->fd, &ev);
	close(dev->fd);
	dev->fd = -1;
}
