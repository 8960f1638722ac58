// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/fixup/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/util.h"

static int distrust(struct hs_error *err, const char *path, int len, const char *why)
{
	return hs_error_set(err, -EPERM, "%s: not to be trusted: %.*s %s", path, len, path, why);
}

/* @len: how much of @path has been walked, for the error. */
static int check_owner(int fd, const char *path, int len, struct hs_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return hs_error_set(err, -errno, "%.*s: %s", len, path, strerror(errno));
	if (st.st_uid != 0)
		return distrust(err, path, len, "does not belong to root");
	if ((st.st_mode & S_IWGRP) && st.st_gid != 0)
		return distrust(err, path, len, "is writable by its group");
	/* The sticky bit would not help: names can be added, and we list directories. */
	if (st.st_mode & S_IWOTH)
		return distrust(err, path, len, "is writable by everybody");
	return 0;
}

int hs_file_open_trusted(const char *path, int flags, struct hs_error *err)
{
	hs_autoclose int dir = -1;
	const char *s = path;

	if (path[0] != '/')
		return hs_error_set(err, -EPERM, "%s: not an absolute path", path);

	dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return hs_error_set(err, -errno, "/: %s", strerror(errno));

	for (;;) {
		char name[NAME_MAX + 1];
		size_t len;
		bool last;
		int fd, rc, walked;

		rc = check_owner(dir, path, s == path ? 1 : (int)(s - path), err);
		if (rc < 0)
			return rc;
		s += strspn(s, "/");
		len = strcspn(s, "/");
		walked = (int)(s - path + len);
		last = !s[len + strspn(s + len, "/")];
		if (!len || len > NAME_MAX)
			return hs_error_set(err, -EINVAL, "%s: not the path of a file", path);
		memcpy(name, s, len);
		name[len] = 0;
		if (!strcmp(name, ".") || !strcmp(name, ".."))
			return distrust(err, path, walked, "is not a plain name");

		/* O_NONBLOCK: a FIFO in the file's place must not hang us. */
		fd = openat(dir, name,
			    last ? flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
				 : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0) {
			struct stat st;

			rc = -errno;
			if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode))
				return distrust(err, path, walked, "is a symlink");
			return hs_error_set(err, rc, "%.*s: %s", walked, path, strerror(-rc));
		}
		if (last) {
			rc = check_owner(fd, path, walked, err);
			if (rc < 0) {
				close(fd);
				return rc;
			}
			return fd;
		}
		close(dir);
		dir = fd;
		s += len;
	}
}

int hs_file_read(int fd, const char *path, size_t max, void **out, size_t *size,
		 struct hs_error *err)
{
	hs_autofree char *data = NULL;
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) < 0)
		return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return hs_error_set(err, -EINVAL, "%s: not a regular file", path);
	if ((uint64_t)st.st_size > max)
		return hs_error_set(err, -EINVAL, "%s: %lld bytes are too many, the limit is %zu",
				    path, (long long)st.st_size, max);

	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return hs_error_set(err, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	while (n < (size_t)st.st_size) {
		ssize_t r = read(fd, data + n, (size_t)st.st_size - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
		if (!r)
			break;
		n += (size_t)r;
	}
	*out = hs_steal_ptr(data);
	*size = n;
	return 0;
}
