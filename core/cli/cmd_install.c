// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/cli/objects.h"
#include "core/fixup/file.h"
#include "core/fixup/fixup.h"
#include "core/hotplug/hwdb.h"

static const char help[] =
	"usage: hidsmith install [OPTION]... FILE.bpf.o...\n"
	"\n"
	"Installs objects of this machine's own to /etc/hidsmith/bpf, with entries in\n"
	"udev's hwdb, and attaches them to matching devices: those that are there, and\n"
	"from now on those that appear. An object there hides one of the same name that\n"
	"came with the package. 'hidsmith uninstall' takes them away.\n"
	"\n"
	"  -f, --force      replace one of the same name\n"
	"      --no-attach  leave devices that are there as they are\n"
	"      --root DIR   install below DIR, for packagers; the hwdb entries are\n"
	"                   written, and nothing is started\n"
	"  -n, --dry-run    say what would be done, do nothing\n"
	"  -h, --help\n";

#define OBJECT_MAX (16 << 20)

/* One object on its way to its place. */
struct object {
	struct hs_fixup *fixup;
	char *path;
};

/* Is what is there what we would put there? 1 yes, 0 no, -ENOENT nothing is there. */
static int same_is_there(const struct object *object)
{
	hs_autoclose int fd = open(object->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	hs_autofree void *there = NULL;
	size_t size, there_size;
	const void *image = hs_fixup_image(object->fixup, &size);

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : 0;
	if (hs_file_read(fd, object->path, OBJECT_MAX, &there, &there_size, NULL) < 0)
		return 0;
	return there_size == size && !memcmp(there, image, size);
}

static int check(const struct object *object, struct hs_error *err)
{
	const char *path = hs_fixup_path(object->fixup), *name = hs_fixup_name(object->fixup);
	const struct hs_fixup_info *info = hs_fixup_info(object->fixup);
	const char *suffix = ".bpf.o";
	size_t n = strlen(path);

	if (n < strlen(suffix) || strcmp(path + n - strlen(suffix), suffix))
		return hs_error_set(err, -EINVAL, "%s: the name of an object ends in '%s'", path,
				    suffix);
	if (!hs_hwdb_name_ok(name))
		return hs_error_set(err, -EINVAL,
				    "%s: a fixup that loads by itself is called with letters, "
				    "digits, '_', '-', '+' and '.' alone; rename the file",
				    path);
	if (info->interface == HS_INTERFACE_FMOD_RET)
		return hs_error_set(err, -ENOTSUP,
				    "%s: its programs use the fmod_ret interface, which Linux 6.11 "
				    "removed; it would never attach",
				    path);
	if (!info->n_matches)
		return hs_error_set(err, -EINVAL, "%s: names no device (HID_BPF_CONFIG)", path);
	return 0;
}

static int prepare(struct object *object, const char *file, const char *root, struct hs_error *err)
{
	int rc = hs_fixup_open(file, 0, &object->fixup, err);

	if (!rc)
		rc = check(object, err);
	if (rc < 0)
		return rc;
	if (asprintf(&object->path, "%s" HS_LOCAL_BPF_DIR "/%s.bpf.o", root,
		     hs_fixup_name(object->fixup)) < 0) {
		object->path = NULL;
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	return 0;
}

/* Two files of one name, from two directories: the second would take the first's place. */
static int check_twice(const struct object *objects, char **files, int n, struct hs_error *err)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(objects[i].path, objects[n].path))
			return hs_error_set(err, -EEXIST, "%s: has the same name as %s", files[n],
					    files[i]);
	return 0;
}

/* All are checked before the first is written. */
static int install(const struct hs_cli_change *change, struct object *objects, char **files, int n,
		   bool force, struct hs_error *err)
{
	int rc = 0;

	for (int i = 0; i < n && !rc; i++) {
		rc = prepare(&objects[i], files[i], change->root, err);
		if (!rc)
			rc = check_twice(objects, files, i, err);
		if (!rc && !force && same_is_there(&objects[i]) == 0)
			rc = hs_error_set(err, -EEXIST,
					  "%s: is there already, with other content; --force "
					  "replaces it",
					  objects[i].path);
	}
	for (int i = 0; i < n && !rc; i++) {
		/* What was checked, and not what the file has by now. */
		size_t size;
		const void *image = hs_fixup_image(objects[i].fixup, &size);

		hs_cli_say(change, "install %s to %s", files[i], objects[i].path);
		if (!change->dry_run)
			rc = hs_cli_write_file(objects[i].path, image, size, err);
	}
	return rc < 0 ? rc : hs_cli_objects_changed(change, err);
}

static int run_install(const struct hs_cli_change *change, char **files, int n, bool force,
		       struct hs_error *err)
{
	hs_autofree struct object *objects = calloc((size_t)n, sizeof(*objects));
	int rc;

	if (!objects)
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	rc = install(change, objects, files, n, force, err);
	for (int i = 0; i < n; i++) {
		hs_fixup_free(objects[i].fixup);
		free(objects[i].path);
	}
	return rc;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "no-attach", no_argument, NULL, 'a' },
		{ "root", required_argument, NULL, 'r' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ 0 },
	};
	struct hs_cli_change change = { .root = "" };
	bool force = false;
	int c, rc;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":fn", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			force = true;
			break;
		case 'a':
			change.no_attach = true;
			break;
		case 'r':
			change.root = optarg;
			break;
		case 'n':
			change.dry_run = true;
			break;
		default:
			return hs_cli_usage_getopt(err, "install", c, argv);
		}
	}
	if (optind >= argc)
		return hs_cli_usage(err, "install", "which object?");
	rc = run_install(&change, argv + optind, argc - optind, force, err);
	return rc < 0 ? hs_cli_exit_code(rc) : HS_EXIT_OK;
}

const struct hs_command hs_cmd_install = {
	.name = "install",
	.summary = "install an object of your own",
	.help = help,
	.run = run,
};
