// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/device/device.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <libudev.h>

#include "core/base/text.h"
#include "core/base/util.h"

/* The list owns one of these for each device; libudev owns the strings. */
struct device {
	struct hs_device pub; /* must be first: hs_device_property() gets back to us */
	struct udev_device *udev;
	struct hs_input_node *inputs;
	struct udev_device **input_udevs; /* one for each of inputs */
};

struct hs_device_list {
	struct udev *udev;
	struct device *devices;
	size_t n_devices, max_devices;
};

static void udev_device_unrefp(struct udev_device **dev)
{
	udev_device_unref(*dev);
}

static void udev_enumerate_unrefp(struct udev_enumerate **e)
{
	udev_enumerate_unref(*e);
}

#define auto_udev_device    __attribute__((cleanup(udev_device_unrefp))) struct udev_device
#define auto_udev_enumerate __attribute__((cleanup(udev_enumerate_unrefp))) struct udev_enumerate

static const char *property(struct udev_device *dev, const char *name)
{
	const char *value = udev_device_get_property_value(dev, name);

	return value ? value : "";
}

/* "0003:28BD:0914.0004": BUS:VENDOR:PRODUCT.NUMBER in hex. */
static bool parse_sysname(const char *sysname, struct hs_hid_id *id, uint32_t *number)
{
	unsigned int bus, vendor, product, n;
	int end = 0;

	if (sscanf(sysname, "%4x:%8x:%8x.%8x%n", &bus, &vendor, &product, &n, &end) != 4 ||
	    sysname[end])
		return false;
	id->bus = (uint16_t)bus;
	id->vendor = vendor;
	id->product = product;
	*number = n;
	return true;
}

/* The kernel's name has 4 digits of each; the modalias has them all, and the group. */
static void parse_modalias(const char *modalias, struct hs_hid_id *id)
{
	unsigned int bus, group, vendor, product;

	if (sscanf(modalias, "hid:b%4xg%4xv%8xp%8x", &bus, &group, &vendor, &product) != 4)
		return;
	id->bus = (uint16_t)bus;
	id->group = (uint16_t)group;
	id->vendor = vendor;
	id->product = product;
}

/* Takes over the reference @udev on success. */
static int add_device(struct hs_device_list *list, struct udev_device *udev)
{
	struct device dev = { .udev = udev };

	if (!parse_sysname(udev_device_get_sysname(udev), &dev.pub.id, &dev.pub.hid_id))
		return -EINVAL;
	if (list->n_devices == list->max_devices) {
		size_t max = list->max_devices ? 2 * list->max_devices : 16;
		struct device *devices = reallocarray(list->devices, max, sizeof(*devices));

		if (!devices)
			return -ENOMEM;
		list->devices = devices;
		list->max_devices = max;
	}
	dev.pub.sysname = udev_device_get_sysname(udev);
	dev.pub.syspath = udev_device_get_syspath(udev);
	dev.pub.name = property(udev, "HID_NAME");
	dev.pub.phys = property(udev, "HID_PHYS");
	dev.pub.uniq = property(udev, "HID_UNIQ");
	dev.pub.modalias = property(udev, "MODALIAS");
	dev.pub.driver = udev_device_get_driver(udev);
	parse_modalias(dev.pub.modalias, &dev.pub.id);
	list->devices[list->n_devices++] = dev;
	return 0;
}

static struct device *find_syspath(const struct hs_device_list *list, const char *syspath)
{
	for (size_t i = 0; i < list->n_devices; i++)
		if (!strcmp(list->devices[i].pub.syspath, syspath))
			return &list->devices[i];
	return NULL;
}

/*
 * The HID device that a node belongs to: the nearest one above, since HID devices
 * of a receiver can have other HID devices below them.
 */
static struct device *find_owner(const struct hs_device_list *list, struct udev_device *node)
{
	struct udev_device *hid = udev_device_get_parent_with_subsystem_devtype(node, "hid", NULL);

	return hid ? find_syspath(list, udev_device_get_syspath(hid)) : NULL;
}

/* Takes over the reference @node on success. */
static int add_input(struct device *dev, struct udev_device *node)
{
	size_t n = dev->pub.n_inputs;
	struct udev_device *parent = udev_device_get_parent(node);
	const char *name = parent ? udev_device_get_sysattr_value(parent, "name") : NULL;
	struct udev_device **udevs;
	struct hs_input_node *inputs;

	inputs = reallocarray(dev->inputs, n + 1, sizeof(*inputs));
	if (!inputs)
		return -ENOMEM;
	dev->inputs = inputs;
	dev->pub.inputs = inputs;
	udevs = reallocarray(dev->input_udevs, n + 1, sizeof(struct udev_device *));
	if (!udevs)
		return -ENOMEM;
	dev->input_udevs = udevs;

	if (!n && parent) {
		const char *version = udev_device_get_sysattr_value(parent, "id/version");

		dev->pub.id.version = version ? (uint32_t)strtoul(version, NULL, 16) : 0;
	}
	inputs[n].path = udev_device_get_devnode(node);
	inputs[n].name = name ? name : "";
	udevs[n] = node;
	dev->pub.n_inputs = n + 1;
	return 0;
}

/*
 * Call @fn for each device of a subsystem. @fn returns 1 when it keeps the
 * reference, 0 when it does not, or a negative errno.
 */
static int for_each(struct hs_device_list *list, const char *subsystem,
		    int (*fn)(struct hs_device_list *list, struct udev_device *dev))
{
	auto_udev_enumerate *e = udev_enumerate_new(list->udev);
	struct udev_list_entry *entry;
	int rc;

	if (!e)
		return -ENOMEM;
	rc = udev_enumerate_add_match_subsystem(e, subsystem);
	if (rc >= 0)
		rc = udev_enumerate_scan_devices(e);
	if (rc < 0)
		return rc;
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(e))
	{
		auto_udev_device *dev =
			udev_device_new_from_syspath(list->udev, udev_list_entry_get_name(entry));

		/* It can go away between the two calls. */
		if (!dev)
			continue;
		rc = fn(list, dev);
		if (rc < 0)
			return rc;
		if (rc)
			dev = NULL;
	}
	return 0;
}

static int found_hid(struct hs_device_list *list, struct udev_device *dev)
{
	int rc = add_device(list, dev);

	/* The subsystem has drivers and modules below it too. */
	if (rc == -EINVAL)
		return 0;
	return rc < 0 ? rc : 1;
}

static int found_hidraw(struct hs_device_list *list, struct udev_device *dev)
{
	struct device *owner = find_owner(list, dev);

	if (!owner || owner->pub.hidraw || !udev_device_get_devnode(dev))
		return 0;
	owner->pub.hidraw = strdup(udev_device_get_devnode(dev));
	return owner->pub.hidraw ? 0 : -ENOMEM;
}

static int found_input(struct hs_device_list *list, struct udev_device *dev)
{
	struct device *owner = find_owner(list, dev);
	int rc;

	if (!owner || !udev_device_get_devnode(dev) ||
	    strncmp(udev_device_get_sysname(dev), "event", 5))
		return 0;
	rc = add_input(owner, dev);
	return rc < 0 ? rc : 1;
}

static int by_hid_id(const void *a, const void *b)
{
	uint32_t x = ((const struct device *)a)->pub.hid_id;
	uint32_t y = ((const struct device *)b)->pub.hid_id;

	return x < y ? -1 : x > y;
}

int hs_device_list_open(struct hs_device_list **out, struct hs_error *err)
{
	struct hs_device_list *list = calloc(1, sizeof(*list));
	int rc = -ENOMEM;

	if (list)
		list->udev = udev_new();
	if (!list || !list->udev)
		goto fail;
	rc = for_each(list, "hid", found_hid);
	if (rc < 0)
		goto fail;
	if (list->n_devices)
		qsort(list->devices, list->n_devices, sizeof(*list->devices), by_hid_id);
	rc = for_each(list, "hidraw", found_hidraw);
	if (rc >= 0)
		rc = for_each(list, "input", found_input);
	if (rc < 0)
		goto fail;
	*out = list;
	return 0;

fail:
	hs_device_list_free(list);
	return hs_error_set(err, rc, "listing HID devices: %s", strerror(-rc));
}

void hs_device_list_free(struct hs_device_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->n_devices; i++) {
		struct device *dev = &list->devices[i];

		for (size_t j = 0; j < dev->pub.n_inputs; j++)
			udev_device_unref(dev->input_udevs[j]);
		free(dev->input_udevs);
		free(dev->inputs);
		free((char *)dev->pub.hidraw);
		udev_device_unref(dev->udev);
	}
	free(list->devices);
	udev_unref(list->udev);
	free(list);
}

size_t hs_device_list_count(const struct hs_device_list *list)
{
	return list->n_devices;
}

const struct hs_device *hs_device_list_get(const struct hs_device_list *list, size_t index)
{
	return index < list->n_devices ? &list->devices[index].pub : NULL;
}

const char *hs_device_property(const struct hs_device *dev, const char *name)
{
	return udev_device_get_property_value(((const struct device *)dev)->udev, name);
}

/* The device whose node is @path; the node is what counts, not its name. */
static struct device *find_node(const struct hs_device_list *list, const char *path)
{
	auto_udev_device *node = NULL;
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISCHR(st.st_mode))
		return NULL;
	node = udev_device_new_from_devnum(list->udev, 'c', st.st_rdev);
	return node ? find_owner(list, node) : NULL;
}

static struct device *find_path(const struct hs_device_list *list, const char *spec)
{
	hs_autofree char *path = realpath(spec, NULL);

	if (!path)
		return NULL;
	return strncmp(path, "/sys/", 5) ? find_node(list, path) : find_syspath(list, path);
}

static struct device *find_kernel_name(const struct hs_device_list *list, const char *spec)
{
	const char *subsystem = !strncmp(spec, "hidraw", 6) ? "hidraw" : "input";
	auto_udev_device *node =
		udev_device_new_from_subsystem_sysname(list->udev, subsystem, spec);

	return node ? find_owner(list, node) : NULL;
}

static int find_ids(const struct hs_device_list *list, unsigned int vendor, unsigned int product,
		    struct device **out, struct hs_error *err)
{
	struct device *found = NULL;

	for (size_t i = 0; i < list->n_devices; i++) {
		struct device *dev = &list->devices[i];

		if (dev->pub.id.vendor != vendor || dev->pub.id.product != product)
			continue;
		if (found)
			return hs_error_set(err, -ENOTUNIQ,
					    "%04x:%04x: several devices, %s and %s among them; "
					    "name one of these",
					    vendor, product, found->pub.sysname, dev->pub.sysname);
		found = dev;
	}
	*out = found;
	return 0;
}

int hs_device_list_find(const struct hs_device_list *list, const char *spec,
			const struct hs_device **out, struct hs_error *err)
{
	char shown[HS_ESCAPE_SIZE(64)];
	struct device *dev = NULL;
	unsigned int vendor, product;
	int end = 0, rc = 0;

	for (size_t i = 0; i < list->n_devices && !dev; i++)
		if (!strcasecmp(list->devices[i].pub.sysname, spec))
			dev = &list->devices[i];
	if (!dev && strchr(spec, '/'))
		dev = find_path(list, spec);
	else if (!dev && (!strncmp(spec, "hidraw", 6) || !strncmp(spec, "event", 5)))
		dev = find_kernel_name(list, spec);
	else if (!dev && isxdigit((unsigned char)spec[0]) &&
		 sscanf(spec, "%8x:%8x%n", &vendor, &product, &end) == 2 && !spec[end])
		rc = find_ids(list, vendor, product, &dev, err);
	if (rc < 0)
		return rc;
	if (!dev)
		return hs_error_set(err, -ENODEV,
				    "%s: no such HID device; 'hidsmith list' shows those there are",
				    hs_escape(spec, shown, sizeof(shown)));
	*out = &dev->pub;
	return 0;
}

int hs_device_read_rdesc(const struct hs_device *dev, uint8_t rdesc[HS_RDESC_MAX], size_t *size,
			 struct hs_error *err)
{
	hs_autofree char *path = NULL;
	hs_autoclose int fd = -1;
	size_t n = 0;
	int rc;

	if (asprintf(&path, "%s/report_descriptor", dev->syspath) < 0) {
		path = NULL;
		return hs_error_set(err, -ENOMEM, "%s: out of memory", dev->sysname);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n < HS_RDESC_MAX) {
		ssize_t got = read(fd, rdesc + n, HS_RDESC_MAX - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got < 0)
				break;
			*size = n;
			return 0;
		}
		n += (size_t)got;
	}
	if (n == HS_RDESC_MAX) {
		*size = n;
		return 0;
	}
	rc = errno == ENOENT ? -ENODEV : -errno;
	return hs_error_set(err, rc, "%s: report descriptor: %s", dev->sysname, strerror(-rc));
}
