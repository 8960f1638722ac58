// SPDX-License-Identifier: MIT
#include "device.h"

#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/uhid.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VENDOR 0xf055

static const uint8_t rdesc[] = {
	0x06, 0x00,
	0xff, /* Usage Page (Vendor FF00) */
	0x09, 0x01, /* Usage (1) */
	0xa1, 0x01, /* Collection (Application) */
	0x15, 0x00, /*  Logical Minimum (0) */
	0x26, 0xff,
	0x00, /*  Logical Maximum (255) */
	0x75, 0x08, /*  Report Size (8) */
	0x95, REPORT_SIZE - 1, /*  Report Count (15) */
	0x85, 0x01, /*  Report ID (1) */
	0x09, 0x02, /*  Usage (2) */
	0x81, 0x02, /*  Input (Data,Var,Abs) */
	0x85, 0x02, /*  Report ID (2) */
	0x09, 0x03, /*  Usage (3) */
	0xb1, 0x02, /*  Feature (Data,Var,Abs) */
	0x85, 0x03, /*  Report ID (3) */
	0x09, 0x04, /*  Usage (4) */
	0x91, 0x02, /*  Output (Data,Var,Abs) */
	0xc0, /* End Collection */
};

static void send_event(struct device *dev, const struct uhid_event *ev)
{
	ssize_t n = write(dev->fd, ev, sizeof(*ev));

	/* the device may be going away under a request */
	if (n < 0 && errno != ENODEV && errno != EINVAL)
		fail("write to uhid: %s", strerror(errno));
}

static void answer(struct device *dev, const struct uhid_event *ev)
{
	struct uhid_event reply = { 0 };

	if (ev->type == UHID_SET_REPORT) {
		pthread_mutex_lock(&dev->lock);
		dev->requests++;
		dev->last_time = now_ns();
		memcpy(dev->last, ev->u.set_report.data, sizeof(dev->last));
		pthread_cond_broadcast(&dev->changed);
		while (dev->hold && !dev->stop)
			pthread_cond_wait(&dev->changed, &dev->lock);
		dev->answered++;
		pthread_mutex_unlock(&dev->lock);
		reply.type = UHID_SET_REPORT_REPLY;
		reply.u.set_report_reply.id = ev->u.set_report.id;
	} else {
		reply.type = UHID_GET_REPORT_REPLY;
		reply.u.get_report_reply.id = ev->u.get_report.id;
		reply.u.get_report_reply.size = REPORT_SIZE;
		reply.u.get_report_reply.data[0] = ev->u.get_report.rnum;
	}
	send_event(dev, &reply);
}

static void *serve(void *arg)
{
	struct device *dev = arg;
	struct uhid_event ev;

	while (!dev->stop) {
		struct pollfd pfd = { .fd = dev->fd, .events = POLLIN };

		if (poll(&pfd, 1, 20) <= 0)
			continue;
		if (read(dev->fd, &ev, sizeof(ev)) <= 0)
			continue;
		if (ev.type == UHID_SET_REPORT || ev.type == UHID_GET_REPORT)
			answer(dev, &ev);
	}
	return NULL;
}

static int open_uevents(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	check(fd >= 0 && !bind(fd, (struct sockaddr *)&addr, sizeof(addr)), "uevents: %s",
	      strerror(errno));
	return fd;
}

/* Waits for the device with our unique string to be bound: before that the
 * kernel drops its reports.
 */
static void wait_bound(struct device *dev, int uevents, const char *uniq)
{
	char msg[4096], want[96];
	const char *name;

	snprintf(want, sizeof(want), "HID_UNIQ=%s", uniq);
	for (;;) {
		struct pollfd pfd = { .fd = uevents, .events = POLLIN };
		bool ours = false;
		ssize_t n;

		check(poll(&pfd, 1, 10000) > 0, "the device was not bound in 10 s");
		n = recv(uevents, msg, sizeof(msg) - 1, 0);
		if (n <= 0 || strncmp(msg, "bind@", 5))
			continue;
		msg[n] = '\0';
		for (char *p = msg; p < msg + n; p += strlen(p) + 1)
			ours |= !strcmp(p, want);
		if (ours)
			break;
	}
	name = strrchr(msg, '/') + 1;
	check(strlen(name) < sizeof(dev->name), "odd device name %s", name);
	strcpy(dev->name, name);
	dev->id = strtol(strrchr(name, '.') + 1, NULL, 16);
}

struct device *device_new(void)
{
	static unsigned int count;
	struct uhid_event ev = { .type = UHID_CREATE2 };
	struct device *dev = calloc(1, sizeof(*dev));
	int uevents = open_uevents();
	char uniq[32];

	check(dev, "no memory");
	pthread_mutex_init(&dev->lock, NULL);
	pthread_cond_init(&dev->changed, NULL);
	dev->fd = open("/dev/uhid", O_RDWR | O_CLOEXEC);
	check(dev->fd >= 0, "/dev/uhid: %s", strerror(errno));
	check(!pthread_create(&dev->thread, NULL, serve, dev), "no thread");

	snprintf(uniq, sizeof(uniq), "test-%d-%u", getpid(), count++);
	snprintf((char *)ev.u.create2.name, sizeof(ev.u.create2.name), "hidsmith kernel test");
	snprintf((char *)ev.u.create2.uniq, sizeof(ev.u.create2.uniq), "%s", uniq);
	ev.u.create2.bus = 3;
	ev.u.create2.vendor = VENDOR;
	ev.u.create2.product = 1;
	ev.u.create2.rd_size = sizeof(rdesc);
	memcpy(ev.u.create2.rd_data, rdesc, sizeof(rdesc));
	send_event(dev, &ev);
	wait_bound(dev, uevents, uniq);
	close(uevents);
	return dev;
}

void device_free(struct device *dev)
{
	struct uhid_event ev = { .type = UHID_DESTROY };

	send_event(dev, &ev);
	pthread_mutex_lock(&dev->lock);
	dev->stop = true;
	pthread_cond_broadcast(&dev->changed);
	pthread_mutex_unlock(&dev->lock);
	pthread_join(dev->thread, NULL);
	close(dev->fd);
	free(dev);
}

static void send_report(struct device *dev, struct uhid_event *ev, uint32_t number, size_t size)
{
	ev->type = UHID_INPUT2;
	ev->u.input2.size = size;
	ev->u.input2.data[0] = 1;
	memcpy(&ev->u.input2.data[1], &number, sizeof(number));
	/* only what is used: the whole structure is 4 kB */
	if (write(dev->fd, ev, offsetof(struct uhid_event, u.input2.data) + size) < 0)
		fail("input report: %s", strerror(errno));
}

void device_send(struct device *dev, uint32_t number)
{
	struct uhid_event ev = { 0 };

	send_report(dev, &ev, number, REPORT_SIZE);
}

void device_send_long(struct device *dev, uint32_t number, size_t size)
{
	struct uhid_event ev = { 0 };

	check(size >= REPORT_SIZE && size <= UHID_DATA_MAX, "no report can have %zu bytes", size);
	memset(ev.u.input2.data, 0x5a, size);
	send_report(dev, &ev, number, size);
}

static void tell_driver(struct device *dev, const char *what)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/hid/drivers/hid-generic/%s", what);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	check(fd >= 0, "%s: %s", path, strerror(errno));
	check(write(fd, dev->name, strlen(dev->name)) > 0, "%s of %s: %s", what, dev->name,
	      strerror(errno));
	close(fd);
}

void device_unbind(struct device *dev)
{
	tell_driver(dev, "unbind");
}

void device_bind(struct device *dev)
{
	tell_driver(dev, "bind");
}

void device_hold(struct device *dev, bool hold)
{
	pthread_mutex_lock(&dev->lock);
	dev->hold = hold;
	pthread_cond_broadcast(&dev->changed);
	pthread_mutex_unlock(&dev->lock);
}

bool device_wait_request(struct device *dev, unsigned int n, unsigned int ms)
{
	return wait_for(__atomic_load_n(&dev->requests, __ATOMIC_ACQUIRE) >= n, ms);
}
