// SPDX-License-Identifier: MIT
/*
 * Stands in for udev-hid-bpf, which is not ours to ship: started by a rule of the same
 * number, it pins at the same place, and it knows nothing of our locks and notes.
 *
 *	neighbour add SYSNAME OBJECT.bpf.o
 *	neighbour remove SYSNAME
 *
 * Each success is a line in /run/neighbour.log: "add SYSNAME" or "remove SYSNAME
 * PINS", PINS being how many there still were.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#define ROOT "/sys/fs/bpf/hid"

static unsigned int n_pins;

static void note(const char *what, const char *sysname)
{
	FILE *log = fopen("/run/neighbour.log", "a");

	if (!log)
		return;
	if (!strcmp(what, "add"))
		fprintf(log, "add %s\n", sysname);
	else
		fprintf(log, "remove %s %u\n", sysname, n_pins);
	fclose(log);
}

/* ROOT/DEVICE, or with @object ROOT/DEVICE/OBJECT, as bpffs takes it. */
static char *pin_dir(const char *sysname, const char *object)
{
	const char *base = object ? strrchr(object, '/') : NULL;
	char *path;

	base = base ? base + 1 : object;
	if (asprintf(&path, ROOT "/%s%s%s", sysname, base ? "/" : "", base ? base : "") < 0)
		exit(1);
	if (base)
		path[strlen(path) - strlen(".o")] = 0;
	for (char *c = path + strlen(ROOT); *c; c++)
		if (*c == ':' || *c == '.')
			*c = '_';
	return path;
}

static int pin_link(struct bpf_map *map, const char *dir)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(map);
	char *path;

	if (!link)
		return -errno;
	if (asprintf(&path, "%s/%s", dir, bpf_map__name(map)) < 0)
		return -ENOMEM;
	return bpf_link__pin(link, path);
}

static int add(const char *sysname, const char *file)
{
	struct bpf_object *object = bpf_object__open(file);
	const char *id = strrchr(sysname, '.');
	struct bpf_map *map;
	int rc;

	if (!object || !id)
		return -EINVAL;
	bpf_object__for_each_map(map, object)
	{
		size_t size;
		int32_t *hid_id = bpf_map__initial_value(map, &size);

		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS && hid_id)
			*hid_id = (int32_t)strtol(id + 1, NULL, 16);
	}
	rc = bpf_object__load(object);
	if (rc)
		return rc;
	mkdir(ROOT, 0755);
	mkdir(pin_dir(sysname, NULL), 0755);
	mkdir(pin_dir(sysname, file), 0755);
	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		rc = pin_link(map, pin_dir(sysname, file));
		if (rc)
			return rc;
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	n_pins += type == FTW_F;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

int main(int argc, char **argv)
{
	int rc;

	if (argc == 4 && !strcmp(argv[1], "add")) {
		rc = add(argv[2], argv[3]);
		if (rc) {
			remove(pin_dir(argv[2], argv[3]));
			remove(pin_dir(argv[2], NULL));
		}
	} else if (argc == 3 && !strcmp(argv[1], "remove")) {
		rc = nftw(pin_dir(argv[2], NULL), remove_one, 8, FTW_DEPTH | FTW_PHYS) ? -errno : 0;
	} else {
		return 2;
	}
	if (rc) {
		fprintf(stderr, "neighbour: %s %s: %s\n", argv[1], argv[2], strerror(-rc));
		return 1;
	}
	note(argv[1], argv[2]);
	return 0;
}
