// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/hotplug/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/util.h"
#include "core/hotplug/hotplug.h"
#include "core/hotplug/hwdb.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int fail(struct hs_error *err, const char *name, int rc)
{
	if (rc == -EACCES || rc == -EPERM)
		return hs_error_set(err, -EPERM, HS_STATE_ROOT "/%s: %s; needs root", name,
				    strerror(-rc));
	return hs_error_set(err, rc, HS_STATE_ROOT "/%s: %s", name, strerror(-rc));
}

/* Open a directory that only we may have made. */
static int open_own(int parent, const char *name, bool create, struct hs_error *err)
{
	const char *shown = parent == AT_FDCWD ? "" : name;
	hs_autoclose int fd = -1;
	struct stat st;

	if (create && mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return fail(err, shown, -errno);
	fd = openat(parent, name, OPEN_DIR);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return fail(err, shown, -errno);
	if (fstat(fd, &st) < 0)
		return fail(err, shown, -errno);
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return hs_error_set(err, -EPERM,
				    HS_STATE_ROOT "/%s: others may write to it; remove it", shown);
	return hs_steal_fd(fd);
}

/* Lock the device's directory, and see that it is still the one of that name. */
static int open_locked(int root, const char *sysname, bool create, struct hs_error *err)
{
	for (;;) {
		hs_autoclose int fd = open_own(root, sysname, create, err);
		struct stat st;

		/* Removed between mkdir and open, by a helper that had the lock. */
		if (fd == -ENOENT && create)
			continue;
		if (fd < 0)
			return fd;
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return fail(err, sysname, -errno);
		if (fstat(fd, &st) < 0)
			return fail(err, sysname, -errno);
		if (st.st_nlink)
			return hs_steal_fd(fd);
	}
}

static int read_objects(struct hs_state *state, struct hs_error *err)
{
	hs_autofclose FILE *in = NULL;
	struct hs_state_object o;
	char line[512];
	int fd;

	fd = openat(state->dir, "objects", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : fail(err, state->sysname, -errno);
	in = fdopen(fd, "r");
	if (!in) {
		close(fd);
		return fail(err, state->sysname, -ENOMEM);
	}
	while (state->n < HS_STATE_OBJECTS_MAX && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%159s %" SCNx64 " %" SCNx64, o.name, &o.digest, &o.candidates) !=
			    3 ||
		    !hs_hwdb_name_ok(o.name))
			continue;
		state->objects[state->n++] = o;
	}
	return 0;
}

int hs_state_open(const char *sysname, bool create, struct hs_state *state, struct hs_error *err)
{
	hs_autoclose int root = -1;
	int rc;

	*state = (struct hs_state){ .dir = -1 };
	if (!hs_hotplug_sysname_ok(sysname))
		return hs_error_set(err, -EINVAL,
				    "not the name of a HID device, such as 0003:28BD:0914.0004");
	strcpy(state->sysname, sysname);
	root = open_own(AT_FDCWD, HS_STATE_ROOT, create, err);
	if (root < 0)
		return root;
	state->dir = open_locked(root, sysname, create, err);
	if (state->dir < 0)
		return state->dir;
	state->waiting = !faccessat(state->dir, "waiting", F_OK, AT_SYMLINK_NOFOLLOW);
	rc = read_objects(state, err);
	if (rc < 0)
		hs_state_close(state);
	return rc;
}

/* Written beside and renamed: udev may read at any time. */
static int replace(struct hs_state *state, const char *name, const char *text, struct hs_error *err)
{
	size_t size = strlen(text);
	hs_autoclose int fd = openat(state->dir, ".new",
				     O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return fail(err, state->sysname, -errno);
	if (write(fd, text, size) != (ssize_t)size ||
	    renameat(state->dir, ".new", state->dir, name) < 0)
		return fail(err, state->sysname, errno ? -errno : -ENOSPC);
	return 0;
}

int hs_state_write(struct hs_state *state, const char *properties, struct hs_error *err)
{
	hs_autofree char *objects = NULL;
	size_t size;
	FILE *out = open_memstream(&objects, &size);
	int rc;

	for (size_t i = 0; out && i < state->n; i++)
		fprintf(out, "%s %016" PRIx64 " %016" PRIx64 "\n", state->objects[i].name,
			state->objects[i].digest, state->objects[i].candidates);
	if (!out || fclose(out))
		return fail(err, state->sysname, -ENOMEM);
	rc = replace(state, "objects", objects, err);
	if (!rc)
		rc = replace(state, "properties", properties, err);
	if (!rc && state->waiting)
		rc = replace(state, "waiting", "", err);
	else if (!rc && unlinkat(state->dir, "waiting", 0) < 0 && errno != ENOENT)
		rc = fail(err, state->sysname, -errno);
	return rc;
}

void hs_state_print(const char *sysname, FILE *out)
{
	char path[128], text[4096];
	hs_autofclose FILE *in = NULL;
	size_t n;

	snprintf(path, sizeof(path), HS_STATE_ROOT "/%s/properties", sysname);
	in = fopen(path, "re");
	while (in && (n = fread(text, 1, sizeof(text), in)) > 0)
		fwrite(text, 1, n, out);
}

void hs_state_remove(struct hs_state *state)
{
	char path[sizeof(HS_STATE_ROOT) + sizeof(state->sysname) + 1];

	unlinkat(state->dir, "objects", 0);
	unlinkat(state->dir, "properties", 0);
	unlinkat(state->dir, "waiting", 0);
	unlinkat(state->dir, ".new", 0);
	snprintf(path, sizeof(path), HS_STATE_ROOT "/%s", state->sysname);
	rmdir(path);
	state->n = 0;
	state->waiting = false;
}

void hs_state_close(struct hs_state *state)
{
	hs_closep(&state->dir);
	state->dir = -1;
}

struct hs_state_object *hs_state_find(struct hs_state *state, const char *name)
{
	for (size_t i = 0; i < state->n; i++)
		if (!strcmp(state->objects[i].name, name))
			return &state->objects[i];
	return NULL;
}
