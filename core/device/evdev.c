// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/device/evdev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libevdev/libevdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/base/util.h"

static inline void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define autoclosedir __attribute__((cleanup(closedirp)))

/* "input12" with prefix "input" is 12. */
static bool parse_numbered(const char *name, const char *prefix, unsigned int *number)
{
	size_t n = strlen(prefix);
	char *end;

	if (strncmp(name, prefix, n) != 0 || name[n] < '0' || name[n] > '9')
		return false;
	*number = (unsigned int)strtoul(name + n, &end, 10);
	return *end == '\0';
}

static struct hs_evdev_node *add_node(struct hs_evdev *evdev, struct hs_error *err)
{
	struct hs_evdev_node *nodes =
		realloc(evdev->nodes, (evdev->count + 1) * sizeof(*evdev->nodes));

	if (!nodes) {
		hs_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	evdev->nodes = nodes;
	memset(&nodes[evdev->count], 0, sizeof(*nodes));
	nodes[evdev->count].fd = -1;
	return &nodes[evdev->count++];
}

/* The events that the switch itself gives rise to are of EV_REP: see hs_evdev.h. */
static void stop_repeat(int fd)
{
	unsigned int none[2] = { 0, 0 };

	/* -ENOSYS: the node does not repeat keys. */
	ioctl(fd, EVIOCSREP, none);
}

static int open_node(struct hs_evdev_node *node, unsigned int flags, struct hs_error *err)
{
	char name[256] = "";
	int clock = CLOCK_MONOTONIC;
	int fd;

	fd = open(node->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return hs_error_set(err, -errno, "%s: %s", node->path, strerror(errno));
	node->fd = fd;

	if (ioctl(fd, EVIOCGNAME(sizeof(name) - 1), name) < 0)
		return hs_error_set(err, -errno, "%s: name: %s", node->path, strerror(errno));
	node->name = strdup(name);
	if (!node->name)
		return hs_error_set(err, -ENOMEM, "out of memory");
	if (ioctl(fd, EVIOCSCLOCKID, &clock) < 0)
		return hs_error_set(err, -errno, "%s: clock: %s", node->path, strerror(errno));
	if ((flags & HS_EVDEV_GRAB) && ioctl(fd, EVIOCGRAB, 1) < 0)
		return hs_error_set(err, -errno,
				    "%s: cannot get the events alone: %s; is another program "
				    "holding it?",
				    node->path, strerror(errno));
	if (flags & HS_EVDEV_NO_REPEAT)
		stop_repeat(fd);
	return 0;
}

/* Look for eventM in .../input/inputN. */
static int add_input(struct hs_evdev *evdev, const char *dir, unsigned int number,
		     unsigned int flags, struct hs_error *err)
{
	autoclosedir DIR *d = opendir(dir);
	const struct dirent *entry;
	unsigned int event;

	if (!d)
		return 0; /* it went away */
	while ((entry = readdir(d))) {
		struct hs_evdev_node *node;

		if (!parse_numbered(entry->d_name, "event", &event))
			continue;
		node = add_node(evdev, err);
		if (!node)
			return -ENOMEM;
		snprintf(node->path, sizeof(node->path), "/dev/input/event%u", event);
		node->number = number;
		return open_node(node, flags, err);
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct hs_evdev_node *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

int hs_evdev_open(const char *sysname, unsigned int flags, struct hs_evdev **out,
		  struct hs_error *err)
{
	hs_autofree char *inputs = NULL;
	autoclosedir DIR *d = NULL;
	struct hs_evdev *evdev;
	const struct dirent *entry;
	unsigned int number;
	int rc = 0;

	if (asprintf(&inputs, "/sys/bus/hid/devices/%s", sysname) < 0) {
		inputs = NULL;
		return hs_error_set(err, -ENOMEM, "out of memory");
	}
	if (access(inputs, F_OK) < 0)
		return hs_error_set(err, -ENODEV, "%s: no such device", sysname);
	free(inputs);
	if (asprintf(&inputs, "/sys/bus/hid/devices/%s/input", sysname) < 0) {
		inputs = NULL;
		return hs_error_set(err, -ENOMEM, "out of memory");
	}

	evdev = calloc(1, sizeof(*evdev));
	if (!evdev)
		return hs_error_set(err, -ENOMEM, "out of memory");
	d = opendir(inputs);
	while (d && !rc && (entry = readdir(d))) {
		hs_autofree char *dir = NULL;

		if (!parse_numbered(entry->d_name, "input", &number))
			continue;
		if (asprintf(&dir, "%s/%s", inputs, entry->d_name) < 0) {
			dir = NULL;
			rc = hs_error_set(err, -ENOMEM, "out of memory");
			break;
		}
		rc = add_input(evdev, dir, number, flags, err);
	}
	if (rc) {
		hs_evdev_close(evdev);
		return rc;
	}
	if (evdev->count)
		qsort(evdev->nodes, evdev->count, sizeof(*evdev->nodes), by_number);
	*out = evdev;
	return 0;
}

void hs_evdev_close(struct hs_evdev *evdev)
{
	if (!evdev)
		return;
	for (size_t i = 0; i < evdev->count; i++) {
		hs_closep(&evdev->nodes[i].fd);
		free(evdev->nodes[i].name);
	}
	free(evdev->nodes);
	free(evdev);
}

int hs_evdev_read(const struct hs_evdev_node *node, struct input_event *events, size_t max)
{
	ssize_t n = read(node->fd, events, max * sizeof(*events));

	if (n >= 0)
		return (int)((size_t)n / sizeof(*events));
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

const char *hs_evdev_names(uint16_t type, uint16_t code, char *buf, size_t size)
{
	const char *type_name = libevdev_event_type_get_name(type);
	const char *code_name = libevdev_event_code_get_name(type, code);

	if (type_name && code_name)
		snprintf(buf, size, "%s / %s", type_name, code_name);
	else if (type_name)
		snprintf(buf, size, "%s / 0x%03x", type_name, code);
	else
		snprintf(buf, size, "0x%02x / 0x%03x", type, code);
	return buf;
}

const char *hs_evdev_format(uint64_t time_us, uint16_t type, uint16_t code, int32_t value,
			    char *buf, size_t size)
{
	char names[64];

	snprintf(buf, size, "E: %06" PRIu64 ".%06" PRIu64 " %04x %04x %04d\t# %s %d",
		 time_us / 1000000, time_us % 1000000, type, code, value,
		 hs_evdev_names(type, code, names, sizeof(names)), value);
	return buf;
}
