// SPDX-License-Identifier: MIT
/* A device for HID-BPF programs: reports go in through uhid, come out of hidraw. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/uhid.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "private-stack.h"

/* A vendor collection with one input report of 7 bytes, report ID 1. */
static const unsigned char descriptor[] = {
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x85, 0x01, 0x09, 0x02, 0x15,
	0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x07, 0x81, 0x02, 0xc0,
};

void close_device(struct device *dev)
{
	if (dev->hidraw >= 0)
		close(dev->hidraw);
	if (dev->uhid >= 0)
		close(dev->uhid);
}

/* The device below /sys with this physical path, which is ours alone. */
static int find_device(struct device *dev, const char *phys)
{
	char path[600], line[256];
	struct dirent *e;
	DIR *dir = opendir("/sys/bus/hid/devices");
	bool found = false;
	FILE *f;

	if (!dir)
		return -errno;
	while (!found && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/bus/hid/devices/%s/uevent", e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!f)
			continue;
		while (fgets(line, sizeof(line), f))
			if (!strncmp(line, "HID_PHYS=", 9) && strstr(line, phys))
				found = sscanf(strrchr(e->d_name, '.'), ".%x", &dev->id) == 1;
		fclose(f);
		if (found)
			snprintf(path, sizeof(path), "/sys/bus/hid/devices/%s/hidraw", e->d_name);
	}
	closedir(dir);
	if (!found)
		return -ENOENT;

	dir = opendir(path);
	if (!dir)
		return -errno;
	while (dev->hidraw < 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/dev/%s", e->d_name);
		dev->hidraw = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	closedir(dir);
	return dev->hidraw < 0 ? -errno : 0;
}

int open_device(struct device *dev)
{
	struct uhid_event ev = { .type = UHID_CREATE2 };
	char phys[32];
	static int n;
	int i;

	dev->hidraw = -1;
	dev->uhid = open("/dev/uhid", O_RDWR | O_CLOEXEC);
	if (dev->uhid < 0)
		return -errno;
	snprintf(phys, sizeof(phys), "private-stack-%d-%d", getpid(), n++);
	snprintf((char *)ev.u.create2.name, sizeof(ev.u.create2.name), "%s", phys);
	snprintf((char *)ev.u.create2.phys, sizeof(ev.u.create2.phys), "%s/", phys);
	memcpy(ev.u.create2.rd_data, descriptor, sizeof(descriptor));
	ev.u.create2.rd_size = sizeof(descriptor);
	ev.u.create2.bus = 3;
	ev.u.create2.vendor = 0x1209;
	ev.u.create2.product = 0x0001;
	if (write(dev->uhid, &ev, sizeof(ev)) < 0)
		return -errno;
	/* Probing goes on after the write. */
	for (i = 0; i < 1000; i++) {
		if (!find_device(dev, strcat(phys, "/")))
			return 0;
		phys[strlen(phys) - 1] = 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

int send_report(struct device *dev, unsigned char second)
{
	struct uhid_event ev = { .type = UHID_INPUT2 };
	const unsigned char report[REPORT_SIZE] = { 1, second, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60 };

	memcpy(ev.u.input2.data, report, sizeof(report));
	ev.u.input2.size = sizeof(report);
	return write(dev->uhid, &ev, sizeof(ev)) < 0 ? -errno : 0;
}

/* The next report that comes out of the device's hidraw node, in hexadecimal. */
const char *next_report(struct device *dev)
{
	struct pollfd p = { .fd = dev->hidraw, .events = POLLIN };
	unsigned char report[REPORT_SIZE] = {};
	static char text[3 * REPORT_SIZE + 1];
	ssize_t n = 0;
	int i;

	if (poll(&p, 1, 10000) == 1)
		n = read(dev->hidraw, report, sizeof(report));
	text[0] = 0;
	for (i = 0; i < n; i++)
		sprintf(text + 3 * i, "%02x ", report[i]);
	return text;
}

/* Attaches the struct_ops map @name to the device. */
struct bpf_link *attach_ops(struct bpf_object *obj, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	return map ? bpf_map__attach_struct_ops(map) : NULL;
}

void set_device(struct bpf_object *obj, const char *name, struct device *dev)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	size_t size;
	int *hid_id = bpf_map__initial_value(map, &size);

	*hid_id = (int)dev->id;
}

/* Opens hid.bpf.o with only the program @program and the maps that use it. */
struct bpf_object *open_hid(const char *program, const char *map_prefix)
{
	struct bpf_object *obj = open_object("hid");
	struct bpf_map *map;

	if (!obj)
		return NULL;
	bpf_object__for_each_map(map, obj) if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
		bpf_map__set_autocreate(map, !strncmp(bpf_map__name(map), map_prefix,
						      strlen(map_prefix)));
	bpf_program__set_autoload(bpf_object__find_program_by_name(obj, program), true);
	return obj;
}
