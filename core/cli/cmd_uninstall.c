// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/cli/objects.h"
#include "core/hotplug/hwdb.h"

static const char help[] =
	"usage: hidsmith uninstall [OPTION]... NAME...\n"
	"\n"
	"Takes away objects that 'hidsmith install' put to /etc/hidsmith/bpf, with their\n"
	"hwdb entries, and detaches them. NAME is an object's name with its priority, with\n"
	"or without '.bpf.o'.\n"
	"\n"
	"      --no-attach  leave devices that are there as they are\n"
	"      --root DIR   take away what is below DIR\n"
	"  -n, --dry-run    say what would be done, do nothing\n"
	"  -h, --help\n";

static int object_path(const struct hs_cli_change *change, const char *name, char **path,
		       struct hs_error *err)
{
	size_t n = strlen(name), suffix = strlen(".bpf.o");
	hs_autofree char *base = strdup(name);
	char shown[HS_ESCAPE_SIZE(255)];

	if (base && n > suffix && !strcmp(base + n - suffix, ".bpf.o"))
		base[n - suffix] = 0;
	if (base && !hs_hwdb_name_ok(base))
		return hs_error_set(err, -EINVAL, "%s: not the name of an installed object",
				    hs_escape(base, shown, sizeof(shown)));
	if (!base || asprintf(path, "%s" HS_LOCAL_BPF_DIR "/%s.bpf.o", change->root, base) < 0) {
		*path = NULL;
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	if (access(*path, F_OK) < 0)
		return hs_error_set(err, -errno,
				    "%s: %s; 'hidsmith list fixups' shows what is there", *path,
				    strerror(errno));
	return 0;
}

/* All are looked for before the first is removed. */
static int uninstall(const struct hs_cli_change *change, char **names, char **paths, int n,
		     struct hs_error *err)
{
	int rc = 0;

	for (int i = 0; i < n && !rc; i++)
		rc = object_path(change, names[i], &paths[i], err);
	for (int i = 0; i < n && !rc; i++) {
		hs_cli_say(change, "remove %s", paths[i]);
		/* It was there when we looked: named twice, or somebody was quicker. */
		if (!change->dry_run && unlink(paths[i]) < 0 && errno != ENOENT)
			rc = hs_error_set(err, -errno, "%s: %s", paths[i], strerror(errno));
	}
	return rc < 0 ? rc : hs_cli_objects_changed(change, err);
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = {
		{ "no-attach", no_argument, NULL, 'a' },
		{ "root", required_argument, NULL, 'r' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ 0 },
	};
	struct hs_cli_change change = { .root = "" };
	hs_autofree char **paths = NULL;
	int c, n, rc;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":n", options, NULL)) != -1) {
		switch (c) {
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
			return hs_cli_usage_getopt(err, "uninstall", c, argv);
		}
	}
	n = argc - optind;
	if (n < 1)
		return hs_cli_usage(err, "uninstall", "which object?");
	paths = calloc((size_t)n, sizeof(*paths));
	rc = paths ? uninstall(&change, argv + optind, paths, n, err)
		   : hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	for (int i = 0; paths && i < n; i++)
		free(paths[i]);
	return rc < 0 ? hs_cli_exit_code(rc) : HS_EXIT_OK;
}

const struct hs_command hs_cmd_uninstall = {
	.name = "uninstall",
	.summary = "take away an object of your own",
	.help = help,
	.run = run,
};
