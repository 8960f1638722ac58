// SPDX-License-Identifier: MIT
/* Fixups attached to devices and taken off again; runs in the VM. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "core/base/util.h"
#include "core/fixup/attached.h"
#include "core/fixup/config.h"
#include "core/fixup/fixup.h"
#include "core/fixup/pins.h"
#include "uhid-device.h"

#define OBJECT(name) TEST_BPF_DIR "/" name ".bpf.o"

static const uint8_t vendor_reports[] = {
	0x05, 0x01, /* Usage Page (Generic Desktop) */
	0x09, 0x02, /* Usage (Mouse) */
	0xa1, 0x01, /* Collection (Application) */
	0x06, 0x00, 0xff, /* Usage Page (Vendor) */
	0x09, 0x01, /*  Usage (1) */
	0x15, 0x00, 0x26, 0xff, 0x00, /* Logical Minimum (0), Maximum (255) */
	0x75, 0x08, 0x95, 0x02, /*  Report Size (8), Count (2) */
	0x81, 0x02, /*  Input (Data,Var,Abs) */
	0x09, 0x02, /*  Usage (2) */
	0x95, 0x01, /*  Report Count (1) */
	0xb1, 0x02, /*  Feature (Data,Var,Abs) */
	0xc0, /* End Collection */
};

static struct uhid_device device;

static int plug(void **state)
{
	const struct uhid_description d = {
		.name = "test",
		.phys = "test/input0",
		.uniq = "test-attach",
		.bus = 3,
		.vendor = 0x1234,
		.product = 1,
		.rdesc = vendor_reports,
		.rdesc_size = sizeof(vendor_reports),
	};

	(void)state;
	return uhid_device_create(&device, &d);
}

static int unplug(void **state)
{
	(void)state;
	if (device.fd >= 0)
		uhid_device_destroy(&device);
	hs_fixup_detach(device.sysname, NULL, NULL, NULL);
	return 0;
}

static struct hs_fixup *open_object(const char *path)
{
	struct hs_error err = { 0 };
	struct hs_fixup *fixup = NULL;

	if (hs_fixup_open(path, 0, &fixup, &err))
		fail_msg("%s", err.text);
	return fixup;
}

static int attach(const char *path, const struct hs_attach_opts *opts, struct hs_error *err)
{
	struct hs_fixup *fixup = open_object(path);
	int rc;

	*err = (struct hs_error){ 0 };
	rc = hs_fixup_attach(fixup, device.sysname, opts, err);
	hs_fixup_free(fixup);
	return rc;
}

static void expect_attached(const char *path, const struct hs_attach_opts *opts)
{
	struct hs_error err;

	if (attach(path, opts, &err))
		fail_msg("%s", err.text);
}

/* The texts must say what happened to whom. */
static void expect_refusal(const char *path, int code, const char *text)
{
	struct hs_error err;
	int rc = attach(path, NULL, &err);

	if (rc != code || err.code != code)
		fail_msg("%s: returned %d (%d), not %d: %s", path, rc, err.code, code, err.text);
	if (!strstr(err.text, text) || strncmp(err.text, device.sysname, strlen(device.sysname)))
		fail_msg("'%s' does not begin with %s or lacks '%s'", err.text, device.sysname,
			 text);
}

static size_t count_attached(void)
{
	struct hs_attached_list *list = NULL;
	struct hs_error err = { 0 };
	size_t n;

	if (hs_attached_list_open(NULL, NULL, &list, &err))
		fail_msg("%s", err.text);
	n = hs_attached_list_count(list);
	hs_attached_list_free(list);
	return n;
}

/* Not even an empty directory may be left. */
static void expect_nothing_left(void)
{
	char path[512], name[HS_PIN_NAME_SIZE];

	assert_int_equal(hs_pin_name(device.sysname, name), 0);
	snprintf(path, sizeof(path), HS_PIN_ROOT "/%s", name);
	if (!access(path, F_OK))
		fail_msg("%s is still there", path);
	assert_int_equal(count_attached(), 0);
}

/* Links of struct_ops that the kernel has, pinned or not. */
static int count_links(void)
{
	FILE *f = popen("bpftool link 2>/dev/null | grep -c struct_ops", "r");
	int n = -1;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

static int open_hidraw(void)
{
	int fd = -1;

	/* There is one device. */
	for (int i = 0; i < 100 && fd < 0; i++) {
		char path[32];

		for (int n = 0; n < 8 && fd < 0; n++) {
			snprintf(path, sizeof(path), "/dev/hidraw%d", n);
			fd = open(path, O_RDONLY | O_CLOEXEC);
		}
		if (fd < 0)
			usleep(10000);
	}
	assert_true(fd >= 0);
	return fd;
}

static void expect_report(int fd, uint8_t sent, uint8_t expected)
{
	uint8_t report[2] = { sent, 0x55 }, got[16];
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(uhid_device_input(&device, report, sizeof(report)), 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(read(fd, got, sizeof(got)), 2);
	assert_int_equal(got[0], expected);
	assert_int_equal(got[1], 0x55);
}

static void changes_events_until_it_is_detached(void **state)
{
	struct hs_error err = { 0 };
	int fd = open_hidraw();

	(void)state;
	expect_report(fd, 0x0f, 0x0f);
	expect_attached(OBJECT("0010-test__event"), NULL);
	expect_report(fd, 0x0f, 0xf0);

	expect_refusal(OBJECT("0010-test__event"), -EEXIST, "already attached");
	expect_report(fd, 0x0f, 0xf0);

	/* by the name without its priority */
	assert_int_equal(hs_fixup_detach(device.sysname, "test__event", NULL, &err), 1);
	expect_report(fd, 0x0f, 0x0f);
	expect_nothing_left();
	assert_int_equal(hs_fixup_detach(device.sysname, "test__event", NULL, &err), 0);
	assert_int_equal(hs_fixup_detach(device.sysname, NULL, NULL, &err), 0);
	close(fd);
}

static void replaces_what_has_its_name(void **state)
{
	const struct hs_attach_opts opts = { .size = sizeof(opts), .replace = true };
	int fd = open_hidraw();

	(void)state;
	expect_attached(OBJECT("0010-test__event"), &opts);
	expect_attached(OBJECT("0010-test__event"), &opts);
	assert_int_equal(count_attached(), 1);
	assert_int_equal(count_links(), 1);
	expect_report(fd, 0x01, 0xfe);
	close(fd);
}

static void changes_the_descriptor(void **state)
{
	uint8_t rdesc[sizeof(vendor_reports) + 1];
	char path[256];
	int fd;

	(void)state;
	expect_attached(OBJECT("0010-test__rdesc"), NULL);
	snprintf(path, sizeof(path), "/sys/bus/hid/devices/%s/report_descriptor", device.sysname);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, rdesc, sizeof(rdesc)), sizeof(vendor_reports));
	assert_int_equal(rdesc[3], 0x01);
	close(fd);

	expect_refusal(OBJECT("0010-test__twice"), -EBUSY, "0010-test__rdesc");
	assert_int_equal(count_attached(), 1);
}

/* The probe is not shown what the one before has made of the descriptor. */
static void replaces_what_changes_the_descriptor(void **state)
{
	const struct hs_attach_opts opts = { .size = sizeof(opts), .replace = true };

	(void)state;
	expect_attached(OBJECT("0010-test__own-rdesc"), NULL);
	expect_attached(OBJECT("0010-test__own-rdesc"), &opts);
	assert_int_equal(count_attached(), 1);
	assert_int_equal(count_links(), 1);
}

static void leaves_nothing_behind_when_it_fails_half_way(void **state)
{
	(void)state;
	/* The first link attaches, the second cannot. */
	expect_refusal(OBJECT("0010-test__twice"), -EBUSY, "report descriptor");
	expect_nothing_left();
	assert_int_equal(count_links(), 0);
	/* The descriptor's place is free again. */
	expect_attached(OBJECT("0010-test__rdesc"), NULL);
}

static void says_why_the_kernel_refuses(void **state)
{
	(void)state;
	expect_refusal(OBJECT("0010-test__refused"), -ENOEXEC, "prog 'unchecked'");
	expect_refusal(OBJECT("0010-test__refused"), -ENOEXEC, "invalid mem access 'mem_or_null'");
	expect_refusal(OBJECT("0010-test__unknown-kfunc"), -ENOTSUP, "hid_bpf_no_such_function");
	expect_refusal(OBJECT("0010-test__fmod-ret"), -ENOTSUP, "6.11");
	expect_nothing_left();
}

/* A kernel's types, with nothing of HID in them. */
static void write_other_btf(const char *path)
{
	struct btf *btf = btf__new_empty();
	const void *data;
	__u32 size;
	FILE *f = fopen(path, "w");

	assert_non_null(btf);
	assert_non_null(f);
	assert_true(btf__add_int(btf, "int", 4, BTF_INT_SIGNED) > 0);
	data = btf__raw_data(btf, &size);
	assert_non_null(data);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
	btf__free(btf);
}

static void says_what_the_kernel_lacks(void **state)
{
	(void)state;
	write_other_btf("/tmp/btf");
	assert_int_equal(mount("/tmp/btf", "/sys/kernel/btf/vmlinux", NULL, MS_BIND, NULL), 0);
	expect_refusal(OBJECT("0010-test__event"), -ENOTSUP, "CONFIG_HID_BPF");
	assert_int_equal(umount("/sys/kernel/btf/vmlinux"), 0);

	assert_int_equal(mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL), 0);
	expect_refusal(OBJECT("0010-test__event"), -ENOTSUP, "CONFIG_DEBUG_INFO_BTF");
	assert_int_equal(umount("/sys/kernel/btf"), 0);
	expect_nothing_left();
}

/* Standard output of the command, and its exit status. */
static int run_command(const char *arguments, char *out, size_t size)
{
	char command[1024];
	size_t n = 0, r;
	FILE *f;
	int status;

	snprintf(command, sizeof(command), "HIDSMITH_BPF_PATH=/tmp/command " HIDSMITH " %s 2>&1",
		 arguments);
	f = popen(command, "r");
	assert_non_null(f);
	while ((r = fread(out + n, 1, size - 1 - n, f)))
		n += r;
	out[n] = 0;
	status = pclose(f);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_output(const char *arguments, int status, const char *text)
{
	char out[16384];
	int got = run_command(arguments, out, sizeof(out));

	if (got != status || !strstr(out, text))
		fail_msg("hidsmith %s: exit status %d, not %d, or no '%s' in:\n%s", arguments, got,
			 status, text, out);
}

static void works_from_the_command_line(void **state)
{
	char arguments[256];

	(void)state;
	assert_int_equal(system("mkdir -p /tmp/command && cp " TEST_BPF_DIR
				"/00?0-test__event.bpf.o " TEST_BPF_DIR
				"/0010-test__no-match.bpf.o /tmp/command"),
			 0);
	expect_output("list", 0, device.sysname);
	expect_output("list fixups", 0, "0020-test__event");
	expect_output("list fixups", 0, "cannot be used: /tmp/command/0010-test__no-match.bpf.o");
	expect_output("list --json fixups", 0, "\"problems\"");
	expect_output("list matches 1234:1", 0,
		      "0010-test__event (if the one before does not load)");
	expect_output("status", 0, "no fixup is attached");

	/* The best one does not want the device, the next one does. */
	expect_output("attach 1234:1", 0, "0020-test__event does not want this device");
	expect_output("list --json", 0, "\"0010-test__event\"");
	expect_output("list --json matches 1234:1", 0, "\"fallback\": true");
	expect_output("attach 1234:1 test__event", 1, "");
	expect_output("attach 1234:1 0010-test__event", 1, "already attached");
	expect_output("attach -r -t 1234:1 0010-test__event", 0, "load ");
	expect_output("status", 0, "0010-test__event  alive");
	expect_output("status --watch=0.1 --count=2 --json", 0, "\"counting\": true");
	snprintf(arguments, sizeof(arguments), "detach %s 0010-test__event", device.sysname);
	expect_output(arguments, 0, "detached 0010-test__event");
	expect_output(arguments, 1, "is not attached");

	expect_output("attach", 2, "which device");
	expect_output("attach 1234:1 --nonsense", 2, "unknown option '--nonsense'");
	expect_output("attach 1234:1 --property", 2, "'--property' needs a value");
	expect_output("attach 1234:1 --property x", 2, "not NAME=VALUE");
	expect_output("attach 4321:1", 4, "no such HID device");
	expect_output("attach 1234:1 absent", 1, "no such fixup");
	expect_output("attach 1234:1 /etc/passwd", 7, ".bpf.o");
	expect_output("attach 1234:1 " OBJECT("0010-test__refused"), 7, "verifier refused");
	expect_output("attach 1234:1 " OBJECT("0010-test__fmod-ret"), 5, "6.11");
	expect_output("status --watch=0", 2, "not a number of seconds");
	expect_output("status --count=2", 2, "goes with --watch");
	expect_output("list x y", 2, "too much");
	expect_nothing_left();
}

static void asks_probe_and_tells_it_properties(void **state)
{
	const struct hs_property properties[] = { { "OTHER", "x" }, { "TEST_MODE", "refuse" } };
	const struct hs_property too_long[] = { { "TEST_MODE", "12345678" } };
	struct hs_attach_opts opts = { .size = sizeof(opts),
				       .properties = properties,
				       .n_properties = 2 };
	struct hs_error err;

	(void)state;
	assert_int_equal(attach(OBJECT("0010-test__event"), &opts, &err), -ECANCELED);
	assert_non_null(strstr(err.text, "probe"));
	expect_nothing_left();

	opts.properties = too_long;
	opts.n_properties = 1;
	assert_int_equal(attach(OBJECT("0010-test__event"), &opts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "TEST_MODE"));
	expect_nothing_left();

	/* An older caller's options are shorter, and its properties not ours to read. */
	opts.properties = properties;
	opts.n_properties = 2;
	opts.size = offsetof(struct hs_attach_opts, properties);
	expect_attached(OBJECT("0010-test__event"), &opts);
}

static const char *mode(const char *name, void *data)
{
	return strcmp(name, "TEST_MODE") ? NULL : data;
}

static void asks_its_caller_for_properties(void **state)
{
	struct hs_attach_opts opts = { .size = sizeof(opts), .property = mode };
	struct hs_error err;
	char refuse[] = "refuse", accept[] = "accept";

	(void)state;
	opts.property_data = refuse;
	assert_int_equal(attach(OBJECT("0010-test__event"), &opts, &err), -ECANCELED);
	opts.property_data = accept;
	expect_attached(OBJECT("0010-test__event"), &opts);
}

static void keeps_what_a_probe_has_found_out(void **state)
{
	struct hs_attached_list *list = NULL;
	const struct hs_attached *a;
	struct hs_error err = { 0 };

	(void)state;
	expect_attached(OBJECT("0010-test__probe-only"), NULL);
	assert_int_equal(hs_attached_list_open(device.sysname, NULL, &list, &err), 0);
	assert_int_equal(hs_attached_list_count(list), 1);
	a = hs_attached_list_get(list, 0);
	assert_int_equal(a->state, HS_ATTACHED_NO_LINK);
	assert_int_equal(a->n_exports, 1);
	assert_string_equal(a->exports[0].name, "TEST_ANSWER");
	assert_string_equal(a->exports[0].value, "forty-two");
	hs_attached_list_free(list);
	expect_refusal(OBJECT("0010-test__probe-only"), -EEXIST, "already");
}

struct tried {
	char names[4][64];
	int results[4];
	size_t n;
};

static void remember(const struct hs_fixup *fixup, int result, const struct hs_error *err,
		     void *data)
{
	struct tried *tried = data;

	(void)err;
	assert_true(tried->n < HS_ARRAY_SIZE(tried->names));
	snprintf(tried->names[tried->n], sizeof(tried->names[0]), "%s", hs_fixup_name(fixup));
	tried->results[tried->n++] = result;
}

static struct hs_fixup_set *make_set(const char *dir, const char *const *names)
{
	struct hs_fixup_set *set = NULL;
	struct hs_error err = { 0 };
	char command[512];

	for (; *names; names++) {
		snprintf(command, sizeof(command),
			 "mkdir -p %s && cp " TEST_BPF_DIR "/%s.bpf.o %s/", dir, *names, dir);
		assert_int_equal(system(command), 0);
	}
	if (hs_fixup_set_open(dir, 0, &set, &err))
		fail_msg("%s", err.text);
	return set;
}

static void takes_the_best_of_each_group_that_loads(void **state)
{
	static const char *const names[] = { "0020-test__event", "0010-test__event",
					     "0010-test__rdesc", "0010-test__refused", NULL };
	const struct hs_hid_id id = { .bus = 3, .group = 1, .vendor = 0x1234, .product = 1 };
	const struct hs_hid_id other = { .bus = 3, .group = 1, .vendor = 0x1234, .product = 2 };
	struct hs_fixup_set *set = make_set("/tmp/set", names);
	struct tried tried = { 0 };
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(hs_fixup_set_attach(set, device.sysname, &other, NULL, remember, &tried,
					     &err),
			 0);
	assert_int_equal(tried.n, 0);

	assert_int_equal(hs_fixup_set_attach(set, device.sysname, &id, NULL, remember, &tried,
					     &err),
			 2);
	assert_int_equal(tried.n, 4);
	assert_string_equal(tried.names[0], "0020-test__event");
	assert_int_equal(tried.results[0], -ECANCELED);
	assert_string_equal(tried.names[1], "0010-test__event");
	assert_int_equal(tried.results[1], 0);
	assert_string_equal(tried.names[2], "0010-test__rdesc");
	assert_int_equal(tried.results[2], 0);
	assert_string_equal(tried.names[3], "0010-test__refused");
	assert_int_equal(tried.results[3], -ENOEXEC);

	/* Again: what is attached counts as loaded, what failed is told. */
	tried.n = 0;
	assert_int_equal(hs_fixup_set_attach(set, device.sysname, &id, NULL, remember, &tried,
					     &err),
			 -ENOEXEC);
	assert_non_null(strstr(err.text, "0010-test__refused"));
	assert_int_equal(count_attached(), 2);
	assert_int_equal(hs_fixup_detach(device.sysname, NULL, NULL, &err), 2);
	hs_fixup_set_free(set);
}

static const struct hs_attached *only(const struct hs_attached_list *list)
{
	assert_int_equal(hs_attached_list_count(list), 1);
	return hs_attached_list_get(list, 0);
}

static void shows_what_runs(void **state)
{
	struct hs_attached_list *list = NULL;
	const struct hs_attached *a;
	struct hs_error err = { 0 };
	int fd = open_hidraw(), stats;

	(void)state;
	expect_attached(OBJECT("0010-test__event"), NULL);
	assert_false(hs_stats_enabled());
	stats = hs_stats_enable(&err);
	assert_true(stats >= 0);
	for (int i = 0; i < 5; i++)
		expect_report(fd, 0, 0xff);
	if (hs_attached_list_open(NULL, NULL, &list, &err))
		fail_msg("%s", err.text);
	a = only(list);
	assert_string_equal(a->sysname, device.sysname);
	assert_string_equal(a->name, "0010-test__event");
	assert_int_equal(a->state, HS_ATTACHED_ALIVE);
	assert_int_equal(a->n_links, 1);
	assert_true(a->links[0].alive);
	assert_string_equal(a->links[0].name, "test_event");
	assert_int_equal(a->n_programs, 1);
	assert_string_equal(a->programs[0].name, "invert");
	assert_string_equal(a->programs[0].hook, "hid_device_event");
	assert_int_equal(a->programs[0].run_count, 5);
	assert_true(a->programs[0].run_time_ns > 0);
	assert_true(a->programs[0].instructions > 0);
	hs_attached_list_free(list);
	close(stats);
	close(fd);
}

struct warnings {
	unsigned int n;
	char last[512];
};

static void count_warning(const char *text, void *data)
{
	struct warnings *warnings = data;

	warnings->n++;
	snprintf(warnings->last, sizeof(warnings->last), "%s", text);
}

/* What the fixup's event program writes: speed, and 0x80 without fn_lock. */
static void expect_settings(int hidraw, uint8_t expected, const struct hs_attach_opts *opts)
{
	struct hs_attached_list *list = NULL;
	const struct hs_attached *a;
	struct hs_error err = { 0 };

	expect_attached(OBJECT("0010-test__settings"), opts);
	expect_report(hidraw, 0, expected);
	/* status shows the values in effect */
	assert_int_equal(hs_attached_list_open(NULL, NULL, &list, &err), 0);
	a = only(list);
	assert_int_equal(a->n_settings, 2);
	for (size_t i = 0; i < a->n_settings; i++)
		assert_int_equal(a->settings[i].value, strcmp(a->settings[i].name, "speed")
							       ? !(expected & 0x80)
							       : (int8_t)(expected & 0x7f));
	hs_attached_list_free(list);
}

static const char *udev_property(const char *name, void *data)
{
	(void)data;
	if (!strcmp(name, "HIDSMITH_SPEED"))
		return "4";
	return strcmp(name, "HIDSMITH_FN_LOCK") ? NULL : "perhaps";
}

static void takes_settings_from_the_nearest_source(void **state)
{
	static const char conf[] = "[device 1234:0001]\nset speed = 8\n"
				   "[fixup test__settings]\nset fn_lock = no\n";
	static const char bad[] = "[fixup test__settings]\nset speed = 10\n";
	const struct hs_property given[] = { { "speed", "2" } };
	const struct hs_property unknown[] = { { "sped", "2" } }, wide[] = { { "speed", "10" } };
	struct warnings warnings = { 0 };
	struct hs_attach_opts opts = {
		.size = sizeof(opts), .replace = true, .warn = count_warning, .warn_data = &warnings
	};
	struct hs_config *config = NULL, *bad_config = NULL;
	struct hs_error err = { 0 };
	int fd = open_hidraw();

	(void)state;
	assert_int_equal(hs_config_parse("conf", conf, strlen(conf), &config, &err), 0);
	assert_int_equal(hs_config_parse("bad", bad, strlen(bad), &bad_config, &err), 0);

	expect_settings(fd, 5, &opts);
	assert_int_equal(warnings.n, 0);
	/* udev's; what it has for fn_lock is no value, so the default stays */
	opts.property = udev_property;
	expect_settings(fd, 4, &opts);
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.last, "HIDSMITH_FN_LOCK"));
	assert_non_null(strstr(warnings.last, "perhaps"));
	/* the configuration comes before udev */
	opts.config = config;
	expect_settings(fd, 0x88, &opts);
	assert_int_equal(warnings.n, 1);
	/* what is given comes before all */
	opts.settings = given;
	opts.n_settings = 1;
	expect_settings(fd, 0x82, &opts);

	/* out of range: told, and the default is used */
	opts = (struct hs_attach_opts){ .size = sizeof(opts),
					.replace = true,
					.config = bad_config,
					.warn = count_warning,
					.warn_data = &warnings };
	expect_settings(fd, 5, &opts);
	assert_int_equal(warnings.n, 2);
	assert_non_null(strstr(warnings.last, "-3 to 9"));
	assert_non_null(strstr(warnings.last, "default 5"));
	/* who is there to correct it gets an error */
	opts.settings = wide;
	opts.n_settings = 1;
	assert_int_equal(attach(OBJECT("0010-test__settings"), &opts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "out of range"));
	opts.settings = unknown;
	assert_int_equal(attach(OBJECT("0010-test__settings"), &opts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "sped"));
	hs_config_free(config);
	hs_config_free(bad_config);
	close(fd);
}

static const struct hs_attached_job *find_job(const struct hs_attached *a, const char *name)
{
	assert_non_null(a->io);
	for (size_t i = 0; i < a->io->n_jobs; i++)
		if (!strcmp(a->io->jobs[i].name, name))
			return &a->io->jobs[i];
	fail_msg("no job '%s'", name);
	return NULL;
}

static void shows_what_jobs_do(void **state)
{
	struct hs_attached_list *list = NULL;
	const struct hs_attached_job *tick, *refused;
	struct hs_error err = { 0 };
	uint64_t runs = 0, late = 0;

	(void)state;
	expect_attached(OBJECT("0010-test__jobs"), NULL);
	/* Nobody answers the device's requests: the device does, by refusing. */
	for (int i = 0; i < 500; i++) {
		uhid_device_serve(&device, 20);
		hs_attached_list_free(list);
		assert_int_equal(hs_attached_list_open(device.sysname, NULL, &list, &err), 0);
		if (find_job(only(list), "tick")->runs >= 5 &&
		    find_job(only(list), "refused")->failures)
			break;
	}
	assert_int_not_equal(only(list)->io->kind, HS_IO_KIND_NOT_STARTED);
	assert_false(only(list)->io->stopped);
	assert_int_equal(only(list)->io->n_jobs, 2);
	tick = find_job(only(list), "tick");
	refused = find_job(only(list), "refused");
	runs = tick->runs;
	assert_true(runs >= 5);
	assert_int_equal(tick->period_ms, 20);
	assert_int_equal(tick->failures, 0);
	assert_true(tick->last_start_ns > 0);
	for (size_t i = 0; i < HS_LATENCIES; i++)
		late += tick->latency[i];
	assert_int_equal(late, runs);
	assert_true(refused->failures >= 1);
	assert_int_equal(refused->last_errno, EIO);
	assert_true(only(list)->io->request_errors >= 1);

	/* It goes on counting while we look. */
	usleep(300000);
	assert_int_equal(hs_attached_list_update(list, &err), 0);
	assert_true(find_job(only(list), "tick")->runs > runs);
	assert_string_equal(only(list)->programs[0].name, "nothing");
	assert_int_equal(hs_fixup_detach(device.sysname, NULL, NULL, &err), 1);
	assert_int_equal(hs_attached_list_update(list, &err), 0);
	assert_int_equal(hs_attached_list_count(list), 0);
	hs_attached_list_free(list);
	expect_nothing_left();
}

static void shows_what_does_not_run_any_more(void **state)
{
	struct hs_attached_list *list = NULL;
	const struct hs_attached *a;
	struct hs_error err = { 0 };
	char command[256];

	(void)state;
	expect_attached(OBJECT("0010-test__event"), NULL);
	assert_int_equal(hs_attached_list_open(NULL, NULL, &list, &err), 0);
	a = only(list);
	snprintf(command, sizeof(command), "bpftool link detach id %u", a->links[0].id);
	hs_attached_list_free(list);
	assert_int_equal(system(command), 0);
	assert_int_equal(hs_attached_list_open(NULL, NULL, &list, &err), 0);
	assert_int_equal(only(list)->state, HS_ATTACHED_DETACHED);
	hs_attached_list_free(list);

	/* Dead pins do not stand in the way. */
	expect_attached(OBJECT("0010-test__event"), NULL);

	uhid_device_destroy(&device);
	usleep(200000);
	assert_int_equal(hs_attached_list_open(NULL, NULL, &list, &err), 0);
	a = only(list);
	assert_int_equal(a->state, HS_ATTACHED_GONE);
	assert_false(a->links[0].alive);
	hs_attached_list_free(list);
	expect_refusal(OBJECT("0010-test__rdesc"), -ENODEV, "no such HID device");
	assert_int_equal(hs_fixup_detach(device.sysname, NULL, NULL, &err), 1);
	expect_nothing_left();
}

static void removes_nothing_but_pins(void **state)
{
	char dir[512], path[600], name[HS_PIN_NAME_SIZE];
	struct hs_error err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(hs_pin_name(device.sysname, name), 0);
	expect_attached(OBJECT("0010-test__event"), NULL);
	snprintf(dir, sizeof(dir), HS_PIN_ROOT "/%s/0010-test__event_bpf", name);

	/* A directory and a symlink in it: neither is removed, nor anything else. */
	snprintf(path, sizeof(path), "%s/sub", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(hs_fixup_detach(device.sysname, NULL, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "sub"));
	assert_int_equal(count_links(), 1);
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(hs_fixup_detach(device.sysname, NULL, NULL, &err), -EINVAL);
	assert_int_equal(count_links(), 1);
	assert_int_equal(unlink(path), 0);

	/* The fixup's directory is a symlink to another one. */
	assert_int_equal(mkdir("/sys/fs/bpf/elsewhere", 0700), 0);
	snprintf(path, sizeof(path), HS_PIN_ROOT "/%s/0010-link_bpf", name);
	assert_int_equal(symlink("/sys/fs/bpf/elsewhere", path), 0);
	assert_int_equal(hs_fixup_detach(device.sysname, "link", NULL, &err), -ENOTDIR);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir("/sys/fs/bpf/elsewhere"), 0);

	assert_int_equal(hs_fixup_detach(device.sysname, NULL, NULL, &err), 1);
	expect_nothing_left();
}

static void *attach_thread(void *data)
{
	struct hs_error err;

	(void)data;
	return (void *)(intptr_t)attach(OBJECT("0010-test__event"), NULL, &err);
}

/* udev and a user at the same moment: one attaches, the others are told. */
static void attaches_once_in_a_race(void **state)
{
	pthread_t threads[4];
	int attached = 0, existed = 0;

	(void)state;
	for (size_t i = 0; i < HS_ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, attach_thread, NULL), 0);
	for (size_t i = 0; i < HS_ARRAY_SIZE(threads); i++) {
		void *rc;

		pthread_join(threads[i], &rc);
		attached += (intptr_t)rc == 0;
		existed += (intptr_t)rc == -EEXIST;
	}
	assert_int_equal(attached, 1);
	assert_int_equal(existed, 3);
	assert_int_equal(count_links(), 1);
}

static void needs_a_bpf_file_system(void **state)
{
	struct hs_attach_opts opts = { .size = sizeof(opts), .pin_root = "/tmp/pins" };
	struct hs_error err;

	(void)state;
	assert_int_equal(attach(OBJECT("0010-test__event"), &opts, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "mount -t bpf"));
	assert_int_equal(mkdir("/tmp/pins", 0755), 0);
	assert_int_equal(attach(OBJECT("0010-test__event"), &opts, &err), -ENOTSUP);

	assert_int_equal(umount("/sys/fs/bpf"), 0);
	assert_int_equal(attach(OBJECT("0010-test__event"), NULL, &err), -ENOTSUP);
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), 0);
	expect_attached(OBJECT("0010-test__event"), NULL);
}

static void needs_privilege(void **state)
{
	struct hs_error err = { 0 };
	struct hs_attached_list *list = NULL;
	int rc, listed;

	(void)state;
	assert_int_equal(chmod("/sys/fs/bpf", 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	rc = attach(OBJECT("0010-test__event"), NULL, &err);
	listed = hs_attached_list_open(NULL, NULL, &list, NULL);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, -EPERM);
	assert_non_null(strstr(err.text, "root"));
	assert_int_equal(listed, -EPERM);
	expect_nothing_left();
}

static void names_must_be_devices(void **state)
{
	struct hs_fixup *fixup = open_object(OBJECT("0010-test__event"));
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(hs_fixup_attach(fixup, "0003:1234:0001.FFFF", NULL, &err), -ENODEV);
	assert_int_equal(hs_fixup_attach(fixup, "../../x", NULL, &err), -ENODEV);
	assert_int_equal(hs_fixup_attach(fixup, "", NULL, &err), -ENODEV);
	assert_int_equal(hs_fixup_detach("../../x", NULL, NULL, &err), -ENODEV);
	hs_fixup_free(fixup);
}

/* HS_OPEN_TRUSTED_ONLY where it can be fulfilled: in the VM's throw-away /usr. */
static void trusts_what_root_alone_can_change(void **state)
{
	static const char path[] = "/usr/lib/trusted/0010-x.bpf.o";
	static const struct {
		const char *command, *why;
	} cases[] = {
		{ "chmod 666 /usr/lib/trusted/0010-x.bpf.o",
		  "0010-x.bpf.o is writable by everybody" },
		{ "chmod 644 /usr/lib/trusted/0010-x.bpf.o; chown 1 /usr/lib/trusted/0010-x.bpf.o",
		  "does not belong to root" },
		{ "chown 0:1 /usr/lib/trusted/0010-x.bpf.o; chmod 664 /usr/lib/trusted/0010-x.bpf.o",
		  "is writable by its group" },
		{ "chown 0:0 /usr/lib/trusted/0010-x.bpf.o; chmod 1777 /usr/lib/trusted",
		  "/usr/lib/trusted is writable by everybody" },
		{ "chmod 755 /usr/lib/trusted; mv /usr/lib/trusted /usr/lib/t2; "
		  "ln -s t2 /usr/lib/trusted",
		  "/usr/lib/trusted is a symlink" },
		{ "rm /usr/lib/trusted; mv /usr/lib/t2 /usr/lib/trusted; cd /usr/lib/trusted; "
		  "mv 0010-x.bpf.o y; ln -s y 0010-x.bpf.o",
		  "0010-x.bpf.o is a symlink" },
	};
	struct hs_fixup *fixup = NULL;
	struct hs_error err = { 0 };

	(void)state;
	assert_int_equal(system("mkdir /usr/lib/trusted && cp " OBJECT(
				 "0010-test__event") " /usr/lib/trusted/0010-x.bpf.o"),
			 0);
	if (hs_fixup_open(path, HS_OPEN_TRUSTED_ONLY, &fixup, &err))
		fail_msg("%s", err.text);
	hs_fixup_free(fixup);
	for (size_t i = 0; i < HS_ARRAY_SIZE(cases); i++) {
		assert_int_equal(system(cases[i].command), 0);
		err = (struct hs_error){ 0 };
		assert_int_equal(hs_fixup_open(path, HS_OPEN_TRUSTED_ONLY, &fixup, &err), -EPERM);
		if (!strstr(err.text, cases[i].why))
			fail_msg("'%s' does not say '%s'", err.text, cases[i].why);
	}
}

/* An argument runs the tests whose names fit it, '*' is a wildcard. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_events_until_it_is_detached, plug, unplug),
		cmocka_unit_test_setup_teardown(replaces_what_has_its_name, plug, unplug),
		cmocka_unit_test_setup_teardown(changes_the_descriptor, plug, unplug),
		cmocka_unit_test_setup_teardown(replaces_what_changes_the_descriptor, plug, unplug),
		cmocka_unit_test_setup_teardown(leaves_nothing_behind_when_it_fails_half_way, plug,
						unplug),
		cmocka_unit_test_setup_teardown(says_why_the_kernel_refuses, plug, unplug),
		cmocka_unit_test_setup_teardown(says_what_the_kernel_lacks, plug, unplug),
		cmocka_unit_test_setup_teardown(works_from_the_command_line, plug, unplug),
		cmocka_unit_test_setup_teardown(asks_probe_and_tells_it_properties, plug, unplug),
		cmocka_unit_test_setup_teardown(asks_its_caller_for_properties, plug, unplug),
		cmocka_unit_test_setup_teardown(keeps_what_a_probe_has_found_out, plug, unplug),
		cmocka_unit_test_setup_teardown(takes_the_best_of_each_group_that_loads, plug,
						unplug),
		cmocka_unit_test_setup_teardown(shows_what_runs, plug, unplug),
		cmocka_unit_test_setup_teardown(takes_settings_from_the_nearest_source, plug,
						unplug),
		cmocka_unit_test_setup_teardown(shows_what_jobs_do, plug, unplug),
		cmocka_unit_test_setup_teardown(shows_what_does_not_run_any_more, plug, unplug),
		cmocka_unit_test_setup_teardown(removes_nothing_but_pins, plug, unplug),
		cmocka_unit_test_setup_teardown(attaches_once_in_a_race, plug, unplug),
		cmocka_unit_test_setup_teardown(needs_a_bpf_file_system, plug, unplug),
		cmocka_unit_test_setup_teardown(needs_privilege, plug, unplug),
		cmocka_unit_test(names_must_be_devices),
		cmocka_unit_test(trusts_what_root_alone_can_change),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
