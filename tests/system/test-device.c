// SPDX-License-Identifier: MIT
/* Devices found and described as sysfs has them; runs in the VM. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/util.h"
#include "core/device/device.h"
#include "uhid-device.h"

static const uint8_t mouse[] = {
	0x05, 0x01, /* Usage Page (Generic Desktop) */
	0x09, 0x02, /* Usage (Mouse) */
	0xa1, 0x01, /* Collection (Application) */
	0x05, 0x09, /*  Usage Page (Button) */
	0x19, 0x01, 0x29, 0x08, /* Usage Minimum (1), Maximum (8) */
	0x15, 0x00, 0x25, 0x01, /*  Logical Minimum (0), Maximum (1) */
	0x75, 0x01, 0x95, 0x08, /*  Report Size (1), Count (8) */
	0x81, 0x02, /*  Input (Data,Var,Abs) */
	0x05, 0x01, /*  Usage Page (Generic Desktop) */
	0x09, 0x30, 0x09, 0x31, /* Usage (X), (Y) */
	0x15, 0x81, 0x25, 0x7f, /*  Logical Minimum (-127), Maximum (127) */
	0x75, 0x08, 0x95, 0x02, /*  Report Size (8), Count (2) */
	0x81, 0x06, /*  Input (Data,Var,Rel) */
	0xc0, /* End Collection */
};

static struct uhid_device plug(const char *name, const char *uniq, uint32_t product)
{
	struct uhid_device dev;
	struct uhid_description d = {
		.name = name,
		.phys = "test/input0",
		.uniq = uniq,
		.bus = 3,
		.vendor = 0x28bd,
		.product = product,
		.version = 0x110,
		.rdesc = mouse,
		.rdesc_size = sizeof(mouse),
	};
	int rc = uhid_device_create(&dev, &d);

	if (rc)
		fail_msg("no uhid device: %s", strerror(-rc));
	return dev;
}

static struct hs_device_list *list_devices(void)
{
	struct hs_device_list *list;
	struct hs_error err = { 0 };

	if (hs_device_list_open(&list, &err))
		fail_msg("%s", err.text);
	return list;
}

static void assert_found(const struct hs_device_list *list, const char *spec, const char *sysname)
{
	const struct hs_device *dev = NULL;
	struct hs_error err = { 0 };

	if (hs_device_list_find(list, spec, &dev, &err))
		fail_msg("%s", err.text);
	assert_string_equal(dev->sysname, sysname);
}

static void assert_not_found(const struct hs_device_list *list, const char *spec, int code,
			     const char *text)
{
	const struct hs_device *dev = NULL;
	struct hs_error err = { 0 };

	assert_int_equal(hs_device_list_find(list, spec, &dev, &err), code);
	assert_null(dev);
	assert_int_equal(err.code, code);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
}

static void test_described(void **state)
{
	struct uhid_device plugged = plug("Pen \x1b[2J\xae ", "first", 0x914);
	struct hs_device_list *list = list_devices();
	const struct hs_device *dev = NULL;
	struct hs_error err = { 0 };
	uint8_t rdesc[HS_RDESC_MAX];
	size_t size = 0;

	(void)state;
	assert_int_equal(hs_device_list_count(list), 1);
	assert_null(hs_device_list_get(list, 1));
	dev = hs_device_list_get(list, 0);
	assert_string_equal(dev->sysname, plugged.sysname);
	assert_int_equal(dev->hid_id, 1);
	assert_int_equal(dev->id.bus, 3);
	assert_int_equal(dev->id.group, 1);
	assert_int_equal(dev->id.vendor, 0x28bd);
	assert_int_equal(dev->id.product, 0x914);
	assert_int_equal(dev->id.version, 0x110);
	assert_string_equal(dev->name, "Pen \x1b[2J\xae ");
	assert_string_equal(dev->phys, "test/input0");
	assert_string_equal(dev->uniq, "first");
	assert_string_equal(dev->driver, "hid-generic");
	assert_string_equal(dev->modalias, "hid:b0003g0001v000028BDp00000914");
	assert_string_equal(dev->hidraw, "/dev/hidraw0");
	assert_int_equal(dev->n_inputs, 1);
	assert_int_equal(strncmp(dev->inputs[0].path, "/dev/input/event", 16), 0);
	assert_found(list, dev->inputs[0].path, dev->sysname);
	assert_found(list, dev->inputs[0].path + strlen("/dev/input/"), dev->sysname);
	assert_string_equal(dev->inputs[0].name, "Pen \x1b[2J\xae ");
	assert_string_equal(hs_device_property(dev, "HID_UNIQ"), "first");
	assert_null(hs_device_property(dev, "NO_SUCH_PROPERTY"));

	if (hs_device_read_rdesc(dev, rdesc, &size, &err))
		fail_msg("%s", err.text);
	assert_int_equal(size, sizeof(mouse));
	assert_memory_equal(rdesc, mouse, size);

	uhid_device_destroy(&plugged);
	assert_int_equal(hs_device_read_rdesc(dev, rdesc, &size, &err), -ENODEV);
	assert_non_null(strstr(err.text, dev->sysname));
	hs_device_list_free(list);
}

static void test_found(void **state)
{
	struct uhid_device a = plug("A", "a", 0x914), b = plug("B", "b", 0x914),
			   c = plug("C", "c", 0xabcd);
	struct hs_device_list *list = list_devices();
	const char *link = "/run/link-to-hidraw";
	char path[128];

	(void)state;
	assert_int_equal(hs_device_list_count(list), 3);
	assert_string_equal(hs_device_list_get(list, 0)->name, "A");
	assert_string_equal(hs_device_list_get(list, 2)->name, "C");

	assert_found(list, b.sysname, b.sysname);
	assert_found(list, "28bd:abcd", c.sysname);
	assert_found(list, "28BD:ABCD", c.sysname);
	assert_found(list, "/dev/hidraw1", b.sysname);
	assert_found(list, "hidraw2", c.sysname);
	snprintf(path, sizeof(path), "/sys/bus/hid/devices/%s", a.sysname);
	assert_found(list, path, a.sysname);
	unlink(link);
	assert_int_equal(symlink("/dev/hidraw1", link), 0);
	assert_found(list, link, b.sysname);

	assert_not_found(list, "28bd:914", -ENOTUNIQ, "several devices");
	assert_not_found(list, "28bd:9999", -ENODEV, "28bd:9999: no such HID device");
	assert_not_found(list, "28bd:914x", -ENODEV, "no such HID device");
	assert_not_found(list, "/dev/null", -ENODEV, "/dev/null: no such HID device");
	assert_not_found(list, "/dev/hidraw9", -ENODEV, "no such HID device");
	assert_not_found(list, "hidraw9", -ENODEV, "no such HID device");
	assert_not_found(list, "\x1b[2J", -ENODEV, "\\x1b[2J: no such");
	assert_not_found(list, "", -ENODEV, "no such HID device");
	hs_device_list_free(list);
	uhid_device_destroy(&a);
	uhid_device_destroy(&b);
	uhid_device_destroy(&c);
}

static void test_none(void **state)
{
	struct hs_device_list *list = list_devices();

	(void)state;
	assert_int_equal(hs_device_list_count(list), 0);
	assert_not_found(list, "0003:28BD:0914.0001", -ENODEV, "no such HID device");
	hs_device_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_described),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
