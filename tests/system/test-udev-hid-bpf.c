// SPDX-License-Identifier: MIT
/*
 * One object, two loaders: whatever udev-hid-bpf attaches to a device we attach,
 * what it refuses we refuse, and each removes what the other has attached. Runs in
 * the VM.
 *
 * usage: test-udev-hid-bpf ROOT [DIR]...
 *
 * ROOT is where the package and its libraries lie (fetch-udev-hid-bpf); its objects
 * and those of the other directories are tried on devices with the ids that they
 * name. Prints TAP.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/util.h"
#include "core/fixup/fixup.h"
#include "core/fixup/pins.h"
#include "uhid-device.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu"

extern char **environ;

/*
 * What the probe programs of the package's objects want of a device, so that they
 * take it: the descriptor's size, bytes in it, the name. Found by running each
 * probe program with descriptors of all sizes, and from the kernel's copies of these
 * programs (drivers/hid/bpf/progs). By the object's group; any other device gets
 * a descriptor of 100 bytes.
 */
static const struct wanted {
	const char *group;
	size_t size;
	size_t offset;
	const char *bytes; /* hex, at offset */
	const char *name;
	/* Its probe program never sets its answer: the device is refused. */
	bool never;
} wanted[] = {
	{ .group = "FR-TEC__Raptor-Mach-2", .size = 232, .offset = 176, .bytes = "09ef" },
	{ .group = "HP__Elite-Presenter", .size = 264 },
	{ .group = "Huion__Dial-2", .size = 18 },
	{ .group = "Huion__Inspiroy-2-M", .size = 36 },
	{ .group = "Huion__Inspiroy-2-S", .size = 18 },
	{ .group = "Huion__Kamvas-Pro-19",
	  .size = 328,
	  .offset = 16,
	  .bytes = "0943",
	  .name = "HUION Huion Tablet_GT1902" },
	{ .group = "Huion__Kamvas13Gen3", .size = 36 },
	{ .group = "Huion__Kamvas16Gen3", .size = 36 },
	{ .group = "Huion__KeydialK20-Bluetooth", .size = 114 },
	{ .group = "Huion__KeydialK20", .size = 18 },
	{ .group = "IOGEAR__Kaliber-MMOmentum", .size = 213 },
	{ .group = "Logitech__SpaceNavigator", .size = 202 },
	{ .group = "Microsoft__Xbox-Elite-2",
	  .size = 464,
	  .offset = 210,
	  .bytes = "140a9900150026ff009501750481021500250095017504"
		   "81030a8100150026ff0095017504810214" },
	{ .group = "Mistel__MD770", .size = 203 },
	{ .group = "Rapoo__M50-Plus-Silent", .size = 186 },
	{ .group = "Thrustmaster__TCA-Yoke-Boeing",
	  .size = 200,
	  .offset = 90,
	  .bytes = "0902",
	  .never = true },
	{ .group = "Trust__Philips-SPK6327", .size = 169 },
	{ .group = "WALTOP__Batteryless-Tablet", .size = 335 },
	{ .group = "Wacom__ArtPen", .size = 949 },
	{ .group = "XPPen__ACK05", .size = 102 },
	{ .group = "XPPen__Artist24", .size = 107, .offset = 16, .bytes = "0945" },
	{ .group = "XPPen__ArtistPro16Gen2", .size = 113, .offset = 16, .bytes = "0945" },
	{ .group = "XPPen__Deco01V3", .size = 102 },
	{ .group = "XPPen__Deco02", .size = 188 },
	{ .group = "XPPen__DecoMini4", .size = 109 },
};

static const char *root; /* of the package */
static unsigned int n_tests, n_failed;
static struct {
	unsigned int attached, refused, old;
} count;

static bool check(bool ok, const char *object, const char *what)
{
	n_tests++;
	if (ok)
		return true;
	n_failed++;
	printf("not ok %u - %s: %s\n", n_tests, object, what);
	return false;
}

static void unhex(const char *hex, uint8_t *out)
{
	for (; *hex; hex += 2)
		sscanf(hex, "%2hhx", out++);
}

static const struct wanted *find_wanted(const char *group)
{
	static const struct wanted other = { .size = 100 };

	for (size_t i = 0; i < HS_ARRAY_SIZE(wanted); i++)
		if (!strcmp(wanted[i].group, group))
			return &wanted[i];
	return &other;
}

/* A valid descriptor of the wanted size: a field, then items without effect. */
static void make_rdesc(const struct wanted *want, uint8_t *rdesc)
{
	static const uint8_t head[] = { 0x05, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x25,
					0x7f, 0x75, 0x08, 0x95, 0x04, 0x81, 0x02 };
	size_t n = sizeof(head);

	memcpy(rdesc, head, n);
	for (; n + 3 <= want->size; n += 2)
		memcpy(rdesc + n, "\x05\x01", 2); /* Usage Page (Generic Desktop) */
	if (n + 2 == want->size)
		rdesc[n++] = 0x14; /* Logical Minimum, without a byte of data: 0 */
	rdesc[n] = 0xc0; /* End Collection */
	if (want->bytes)
		unhex(want->bytes, rdesc + want->offset);
}

static int plug(struct uhid_device *dev, const struct hs_match *match, const struct wanted *want)
{
	uint8_t rdesc[HS_RDESC_MAX];
	static unsigned int n;
	char uniq[32];
	const struct uhid_description d = {
		.name = want->name ? want->name : "test",
		.phys = "",
		.uniq = uniq,
		.bus = match->bus ? match->bus : 3,
		.vendor = match->vendor ? match->vendor : 0x1234,
		.product = match->product ? match->product : 0x5678,
		.rdesc = rdesc,
		.rdesc_size = want->size,
	};

	snprintf(uniq, sizeof(uniq), "compat-%u", n++);
	make_rdesc(want, rdesc);
	return uhid_device_create(dev, &d);
}

/* Run udev-hid-bpf with its own C library. Returns its exit status. */
static int theirs(const char *command, const struct uhid_device *dev, const char *object)
{
	char loader[512], libraries[512], program[512], syspath[512];
	char *const argv[] = { loader,
			       (char[]){ "--library-path" },
			       libraries,
			       program,
			       strdupa(command),
			       syspath,
			       object ? (char[]){ "-" } : NULL,
			       object ? strdupa(object) : NULL,
			       NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	snprintf(loader, sizeof(loader), "%s" LIBRARIES "/ld-linux-x86-64.so.2", root);
	snprintf(libraries, sizeof(libraries), "%s" LIBRARIES, root);
	snprintf(program, sizeof(program), "%s/usr/bin/udev-hid-bpf", root);
	snprintf(syspath, sizeof(syspath), "/sys/bus/hid/devices/%s", dev->sysname);
	posix_spawn_file_actions_init(&actions);
	/* It says at length why it refuses; that it does is what counts. */
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (posix_spawn(&pid, loader, &actions, NULL, argv, environ))
		return -1;
	posix_spawn_file_actions_destroy(&actions);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/*
 * The names of the links that are pinned for a device's fixup, or "". Read from the
 * pins themselves: what status shows costs a look at all of the kernel's types.
 */
static void read_links(const struct uhid_device *dev, const char *fixup, char *out, size_t size)
{
	char object[HS_PIN_NAME_SIZE];
	struct hs_pin_names names = { 0 };
	hs_autoclose int pins = hs_pins_open_root(HS_PIN_ROOT, false, NULL);
	hs_autoclose int device = -1;
	hs_autoclose int dir = -1;
	size_t used = 0;

	out[0] = 0;
	if (pins >= 0)
		device = hs_pins_open_device(pins, dev->sysname, false, NULL);
	if (device < 0 || hs_pin_object_name(fixup, object) < 0)
		return;
	dir = openat(device, object, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || hs_pin_names_read(dir, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		enum hs_pin_type type;
		hs_autoclose int fd = hs_pin_open(dir, names.names[i], &type);

		if (fd >= 0 && type == HS_PIN_LINK)
			used += (size_t)snprintf(out + used, size - used, "%s ", names.names[i]);
	}
	hs_pin_names_free(&names);
	if (!hs_pins_alive(device, object))
		out[0] = 0;
}

static bool nothing_pinned(const struct uhid_device *dev)
{
	char name[HS_PIN_NAME_SIZE], path[512];

	hs_pin_name(dev->sysname, name);
	snprintf(path, sizeof(path), HS_PIN_ROOT "/%s", name);
	return access(path, F_OK) < 0;
}

static void try_device(struct hs_fixup *fixup, struct uhid_device *dev, bool must_attach)
{
	const char *name = hs_fixup_name(fixup);
	const struct hs_fixup_info *info = hs_fixup_info(fixup);
	char their_links[512], our_links[512];
	struct hs_error err = { 0 };
	bool attached;
	int rc;

	/* The old interface it cannot attach either, and takes its time to find out. */
	if (info->interface != HS_INTERFACE_FMOD_RET)
		theirs("add", dev, hs_fixup_path(fixup));
	read_links(dev, name, their_links, sizeof(their_links));
	attached = their_links[0];
	if (attached)
		check(hs_fixup_detach(dev->sysname, name, NULL, &err) == 1, name, err.text);
	else if (info->interface == HS_INTERFACE_PROBE_ONLY)
		theirs("remove", dev, NULL);
	check(nothing_pinned(dev), name, "pins of udev-hid-bpf are left");

	rc = hs_fixup_attach(fixup, dev->sysname, NULL, &err);
	read_links(dev, name, our_links, sizeof(our_links));
	if (info->interface == HS_INTERFACE_FMOD_RET) {
		count.old++;
		check(rc == -ENOTSUP && strstr(err.text, "fmod_ret") && strstr(err.text, "6.11"),
		      name, err.text);
	} else if (info->interface == HS_INTERFACE_PROBE_ONLY) {
		check(rc == 0 || rc == -ECANCELED, name, err.text);
		count.refused += rc == -ECANCELED;
		count.attached += rc == 0;
	} else {
		check(rc == (attached ? 0 : -ECANCELED), name,
		      rc ? err.text : "udev-hid-bpf refuses what we attach");
		check(!strcmp(our_links, their_links), name, "other links than udev-hid-bpf's");
		check(!must_attach || our_links[0], name, "does not attach");
		count.refused += rc == -ECANCELED;
		count.attached += rc == 0;
	}
	if (rc == 0)
		check(!theirs("remove", dev, NULL), name, "udev-hid-bpf cannot remove it");
	check(nothing_pinned(dev), name, "pins are left");
}

static void try_object(const char *path, bool of_package)
{
	struct hs_fixup *fixup = NULL;
	struct hs_error err = { 0 };
	const struct wanted *want;
	struct uhid_device dev;
	int rc;

	if (!check(!hs_fixup_open(path, 0, &fixup, &err), path, err.text))
		return;
	want = find_wanted(hs_fixup_group(fixup));
	rc = plug(&dev, &hs_fixup_info(fixup)->matches[0], want);
	if (check(!rc, path, "no device")) {
		try_device(fixup, &dev, of_package && !want->never);
		uhid_device_destroy(&dev);
	}
	printf("# %s\n", hs_fixup_name(fixup));
	hs_fixup_free(fixup);
}

static int is_object(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 6 && !strcmp(entry->d_name + n - 6, ".bpf.o");
}

static void try_dir(const char *dir, bool of_package)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_object, alphasort);

	check(n > 0, dir, "no objects");
	for (int i = 0; i < n; i++) {
		char path[1024];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		try_object(path, of_package);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

int main(int argc, char **argv)
{
	char dir[512];

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	root = argv[1];
	snprintf(dir, sizeof(dir), "%s" LIBRARIES "/bpf", root);
	try_dir(dir, true);
	printf("# udev-hid-bpf's: %u attached, %u refused by their probe, %u of the old interface\n",
	       count.attached, count.refused, count.old);
	check(count.attached > 0 && count.old > 0, dir, "no objects of both kinds");
	for (int i = 2; i < argc; i++)
		try_dir(argv[i], false);
	printf("%s %u - %u of %u checks failed\n", n_failed ? "not ok" : "ok", n_tests + 1,
	       n_failed, n_tests);
	printf("1..%u\n", n_tests + 1);
	return n_failed != 0;
}
