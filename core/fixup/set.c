// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/* All fixups of a list of directories, and which of them go onto a device. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/base/util.h"
#include "core/fixup/file.h"
#include "core/fixup/fixup-int.h"

#define SUFFIX ".bpf.o"

struct hs_fixup_set {
	struct hs_fixup **fixups;
	size_t n_fixups;
	char **problems;
	size_t n_problems;
};

static bool is_object_name(const char *name)
{
	size_t n = strlen(name);

	/* Editors and package managers leave .x.bpf.o and the like behind. */
	return name[0] != '.' && n > strlen(SUFFIX) && !strcmp(name + n - strlen(SUFFIX), SUFFIX);
}

static bool has_name(const struct hs_fixup_set *set, const char *file)
{
	size_t n = strlen(file) - strlen(SUFFIX);

	for (size_t i = 0; i < set->n_fixups; i++)
		if (strlen(set->fixups[i]->name) == n && !strncmp(set->fixups[i]->name, file, n))
			return true;
	return false;
}

static int add_problem(struct hs_fixup_set *set, const char *text)
{
	char **problems = realloc(set->problems, (set->n_problems + 1) * sizeof(*problems));

	if (!problems)
		return -ENOMEM;
	set->problems = problems;
	problems[set->n_problems] = strdup(text);
	if (!problems[set->n_problems])
		return -ENOMEM;
	set->n_problems++;
	return 0;
}

static int add_file(struct hs_fixup_set *set, const char *dir, const char *name, unsigned int flags)
{
	struct hs_error problem = { 0 };
	hs_autofree char *path = NULL;
	struct hs_fixup **fixups, *fixup;
	size_t n = strlen(dir);
	int rc;

	if (asprintf(&path, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	rc = hs_fixup_open(path, flags, &fixup, &problem);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0)
		return add_problem(set, problem.text);
	fixups = realloc(set->fixups, (set->n_fixups + 1) * sizeof(*fixups));
	if (!fixups) {
		hs_fixup_free(fixup);
		return -ENOMEM;
	}
	set->fixups = fixups;
	fixups[set->n_fixups++] = fixup;
	return 0;
}

static int add_dir(struct hs_fixup_set *set, const char *path, unsigned int flags)
{
	struct hs_error problem = { 0 };
	struct dirent *entry;
	DIR *dir;
	int fd, rc = 0;

	if (flags & HS_OPEN_TRUSTED_ONLY) {
		fd = hs_file_open_trusted(path, O_RDONLY | O_DIRECTORY, &problem);
	} else {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			fd = hs_error_set(&problem, -errno, "%s: %s", path, strerror(errno));
	}
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return add_problem(set, problem.text);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!rc && (entry = readdir(dir)))
		if (is_object_name(entry->d_name) && !has_name(set, entry->d_name))
			rc = add_file(set, path, entry->d_name, flags);
	closedir(dir);
	return rc;
}

static int compare(const void *a, const void *b)
{
	const struct hs_fixup *x = *(struct hs_fixup *const *)a;
	const struct hs_fixup *y = *(struct hs_fixup *const *)b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? 1 : -1;
	return strcmp(x->name, y->name);
}

int hs_fixup_set_open(const char *dirs, unsigned int flags, struct hs_fixup_set **out,
		      struct hs_error *err)
{
	hs_autofree char *copy = strdup(dirs);
	struct hs_fixup_set *set = calloc(1, sizeof(*set));
	char *save = NULL;
	int rc = copy && set ? 0 : -ENOMEM;

	for (char *dir = rc ? NULL : strtok_r(copy, ":", &save); dir && !rc;
	     dir = strtok_r(NULL, ":", &save))
		rc = add_dir(set, dir, flags);
	if (rc < 0) {
		hs_fixup_set_free(set);
		return hs_error_set(err, rc, "%s: %s", dirs, strerror(-rc));
	}
	if (set->n_fixups)
		qsort(set->fixups, set->n_fixups, sizeof(*set->fixups), compare);
	*out = set;
	return 0;
}

void hs_fixup_set_free(struct hs_fixup_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n_fixups; i++)
		hs_fixup_free(set->fixups[i]);
	for (size_t i = 0; i < set->n_problems; i++)
		free(set->problems[i]);
	free(set->fixups);
	free(set->problems);
	free(set);
}

size_t hs_fixup_set_count(const struct hs_fixup_set *set)
{
	return set->n_fixups;
}

struct hs_fixup *hs_fixup_set_get(const struct hs_fixup_set *set, size_t index)
{
	return index < set->n_fixups ? set->fixups[index] : NULL;
}

struct hs_fixup *hs_fixup_set_find(const struct hs_fixup_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_fixups; i++)
		if (!strcmp(set->fixups[i]->name, name))
			return set->fixups[i];
	for (size_t i = 0; i < set->n_fixups; i++)
		if (!strcmp(set->fixups[i]->group, name))
			return set->fixups[i];
	return NULL;
}

size_t hs_fixup_set_problem_count(const struct hs_fixup_set *set)
{
	return set->n_problems;
}

const char *hs_fixup_set_problem(const struct hs_fixup_set *set, size_t index)
{
	return index < set->n_problems ? set->problems[index] : NULL;
}

static bool group_done(const struct hs_fixup_set *set, const bool *done, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (done[i] && !strcmp(set->fixups[i]->group, set->fixups[index]->group))
			return true;
	return false;
}

int hs_fixup_set_attach(struct hs_fixup_set *set, const char *sysname, const struct hs_hid_id *id,
			const struct hs_attach_opts *opts,
			void (*attached)(const struct hs_fixup *fixup, int result,
					 const struct hs_error *err, void *data),
			void *data, struct hs_error *err)
{
	hs_autofree bool *done = calloc(set->n_fixups + 1, sizeof(*done));
	int count = 0, failed = 0;

	if (!done)
		return hs_error_set(err, -ENOMEM, "%s: %s", sysname, strerror(ENOMEM));

	for (size_t i = 0; i < set->n_fixups; i++) {
		struct hs_error one = { 0 };
		int rc;

		if (!hs_fixup_matches(set->fixups[i], id) || group_done(set, done, i))
			continue;
		rc = hs_fixup_attach(set->fixups[i], sysname, opts, &one);
		done[i] = !rc || rc == -EEXIST;
		if (!rc)
			count++;
		/* Of several failures the first is told: that of the best object. */
		if (rc < 0 && rc != -EEXIST && rc != -ECANCELED && !failed) {
			failed = rc;
			if (err)
				*err = one;
		}
		if (attached)
			attached(set->fixups[i], rc, &one, data);
		/* The device is not there for the others either. */
		if (rc == -ENODEV)
			break;
	}
	return count || !failed ? count : failed;
}
