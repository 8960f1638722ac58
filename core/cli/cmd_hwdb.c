// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/cli/objects.h"
#include "core/fixup/fixup.h"
#include "core/hotplug/hwdb.h"

static const char help[] =
	"usage: hidsmith hwdb [OBJECT|DIRECTORY]...\n"
	"       hidsmith hwdb --update [OPTION]...\n"
	"\n"
	"Prints udev's hwdb entries for object files, or for all of a directory; without\n"
	"argument for what is installed. They are made from the objects' own match data\n"
	"and mark the devices for which udev's rule starts hidsmith.\n"
	"\n"
	"      --update     write the entries of this machine's own objects to\n"
	"                   /etc/udev/hwdb.d, renew the database, attach and detach what\n"
	"                   that changes; after changes by hand, or of hidsmith.conf(5)\n"
	"      --no-attach  with --update: leave devices that are there as they are\n"
	"      --dry-run    with --update: say what would be done, do nothing\n"
	"  -h, --help\n";

struct list {
	struct hs_fixup **fixups;
	size_t n;
	struct hs_fixup_set **sets; /* that some of them belong to */
	size_t n_sets;
	struct hs_fixup **opened; /* the others */
	size_t n_opened;
};

static int push(void *array, size_t *n, void *item)
{
	void ***all = array;
	void **grown = realloc(*all, (*n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*all = grown;
	grown[(*n)++] = item;
	return 0;
}

static int add_set(struct list *list, const char *dirs, struct hs_error *err)
{
	struct hs_fixup_set *set;
	int rc = hs_fixup_set_open(dirs, 0, &set, err);

	if (rc < 0)
		return rc;
	if (push(&list->sets, &list->n_sets, set) < 0) {
		hs_fixup_set_free(set);
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	/* A package must not be built without an object that somebody wrote. */
	if (hs_fixup_set_problem_count(set))
		return hs_error_set(err, -EINVAL, "%s", hs_fixup_set_problem(set, 0));
	for (size_t i = 0; i < hs_fixup_set_count(set); i++)
		if (push(&list->fixups, &list->n, hs_fixup_set_get(set, i)) < 0)
			return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	return 0;
}

static int add_file(struct list *list, const char *path, struct hs_error *err)
{
	struct hs_fixup *fixup;
	int rc = hs_fixup_open(path, 0, &fixup, err);

	if (rc < 0)
		return rc;
	if (push(&list->opened, &list->n_opened, fixup) < 0) {
		hs_fixup_free(fixup);
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	if (push(&list->fixups, &list->n, fixup) < 0)
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	return 0;
}

static int add(struct list *list, const char *path, struct hs_error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	return S_ISDIR(st.st_mode) ? add_set(list, path, err) : add_file(list, path, err);
}

static void free_list(struct list *list)
{
	for (size_t i = 0; i < list->n_sets; i++)
		hs_fixup_set_free(list->sets[i]);
	for (size_t i = 0; i < list->n_opened; i++)
		hs_fixup_free(list->opened[i]);
	free(list->fixups);
	free(list->sets);
	free(list->opened);
}

static int print(char **paths, struct hs_error *err)
{
	struct list list = { 0 };
	int rc = 0;

	if (!*paths)
		rc = add_set(&list, hs_cli_bpf_path(), err);
	for (; *paths && !rc; paths++)
		rc = add(&list, *paths, err);
	if (!rc)
		rc = hs_hwdb_write(stdout, list.fixups, list.n, err);
	free_list(&list);
	return rc < 0 ? hs_cli_exit_code(rc) : HS_EXIT_OK;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = {
		{ "update", no_argument, NULL, 'u' },
		{ "no-attach", no_argument, NULL, 'a' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ 0 },
	};
	struct hs_cli_change change = { .root = "" };
	bool update = false;
	int c, rc;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'u':
			update = true;
			break;
		case 'a':
			change.no_attach = true;
			break;
		case 'n':
			change.dry_run = true;
			break;
		default:
			return hs_cli_usage_getopt(err, "hwdb", c, argv);
		}
	}
	if (!update && (change.dry_run || change.no_attach))
		return hs_cli_usage(err, "hwdb", "that option goes with --update");
	if (!update)
		return print(argv + optind, err);
	if (optind < argc)
		return hs_cli_usage(err, "hwdb", "--update takes no objects");
	rc = hs_cli_objects_changed(&change, err);
	return rc < 0 ? hs_cli_exit_code(rc) : HS_EXIT_OK;
}

const struct hs_command hs_cmd_hwdb = {
	.name = "hwdb",
	.summary = "make udev's hwdb entries from objects",
	.help = help,
	.run = run,
};
