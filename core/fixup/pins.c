// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/fixup/pins.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "core/base/util.h"
#include "core/fixup/io-stop.h"

/* What ".bpf", the rest of a file's suffix, becomes. */
#define OBJECT_SUFFIX "_bpf"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int hs_pin_name(const char *name, char buf[HS_PIN_NAME_SIZE])
{
	size_t n = strlen(name);

	if (n >= HS_PIN_NAME_SIZE)
		return -ENAMETOOLONG;
	for (size_t i = 0; i <= n; i++)
		buf[i] = name[i] == '.' || name[i] == ':' ? '_' : name[i];
	return 0;
}

int hs_pin_object_name(const char *fixup, char buf[HS_PIN_NAME_SIZE])
{
	if (strlen(fixup) + strlen(OBJECT_SUFFIX) >= HS_PIN_NAME_SIZE)
		return -ENAMETOOLONG;
	hs_pin_name(fixup, buf);
	strcat(buf, OBJECT_SUFFIX);
	return 0;
}

void hs_pin_fixup_name(const char *dir, char buf[HS_PIN_NAME_SIZE])
{
	size_t n = strnlen(dir, HS_PIN_NAME_SIZE - 1);
	size_t suffix = strlen(OBJECT_SUFFIX);

	if (n > suffix && !memcmp(dir + n - suffix, OBJECT_SUFFIX, suffix))
		n -= suffix;
	memcpy(buf, dir, n);
	buf[n] = 0;
}

/* @n hex digits, as the kernel prints them: upper case. */
static bool is_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]) && (s[i] < 'A' || s[i] > 'F'))
			return false;
	return true;
}

/* "0003:28BD:0914.0004" with @colon and @dot for its separators. */
static bool has_shape(const char *s, char colon, char dot)
{
	size_t n = strlen(s);

	return n >= 19 && n <= 23 && is_hex(s, 4) && s[4] == colon && is_hex(s + 5, 4) &&
	       s[9] == colon && is_hex(s + 10, 4) && s[14] == dot && is_hex(s + 15, n - 15);
}

bool hs_sysname_parse(const char *sysname, uint32_t *hid_id)
{
	if (!has_shape(sysname, ':', '.'))
		return false;
	*hid_id = (uint32_t)strtoul(sysname + 15, NULL, 16);
	return true;
}

bool hs_pin_sysname(const char *dir, char buf[HS_PIN_NAME_SIZE])
{
	if (!has_shape(dir, '_', '_'))
		return false;
	/* Callers turn a name round in place. */
	memmove(buf, dir, strlen(dir) + 1);
	buf[4] = buf[9] = ':';
	buf[14] = '.';
	return true;
}

static bool is_bpffs(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static int no_bpffs(const char *path, struct hs_error *err)
{
	return hs_error_set(
		err, -ENOTSUP,
		"%s: not on a BPF file system; 'mount -t bpf bpf /sys/fs/bpf' mounts it", path);
}

static int dir_error(const char *path, int rc, struct hs_error *err)
{
	if (rc == -EACCES || rc == -EPERM)
		return hs_error_set(err, -EPERM, "%s: %s; fixups are managed as root", path,
				    strerror(-rc));
	if (rc == -ELOOP || rc == -ENOTDIR)
		return hs_error_set(err, rc, "%s: not a directory of pins", path);
	return hs_error_set(err, rc, "%s: %s", path, strerror(-rc));
}

/* Make the directory of pins in its parent, which has to be on a bpffs. */
static int make_root(const char *root, struct hs_error *err)
{
	const char *slash = strrchr(root, '/');
	hs_autofree char *parent = NULL;
	hs_autoclose int dir = -1;

	if (!slash || slash == root || !slash[1])
		return hs_error_set(err, -EINVAL, "%s: not a place for pins", root);
	parent = strndup(root, (size_t)(slash - root));
	if (!parent)
		return hs_error_set(err, -ENOMEM, "%s: %s", root, strerror(ENOMEM));
	dir = open(parent, OPEN_DIR);
	if (dir < 0)
		return errno == ENOENT ? no_bpffs(parent, err) : dir_error(parent, -errno, err);
	if (!is_bpffs(dir))
		return no_bpffs(parent, err);
	if (mkdirat(dir, slash + 1, 0755) < 0 && errno != EEXIST)
		return dir_error(root, -errno, err);
	return 0;
}

int hs_pins_open_root(const char *root, bool create, struct hs_error *err)
{
	hs_autoclose int fd = open(root, OPEN_DIR);
	int rc;

	if (fd < 0 && errno == ENOENT && create) {
		rc = make_root(root, err);
		if (rc < 0)
			return rc;
		fd = open(root, OPEN_DIR);
	}
	if (fd < 0)
		return dir_error(root, -errno, err);
	if (!is_bpffs(fd))
		return no_bpffs(root, err);
	return hs_steal_fd(fd);
}

int hs_pins_open_device(int root, const char *sysname, bool create, struct hs_error *err)
{
	char name[HS_PIN_NAME_SIZE];
	int rc;

	rc = hs_pin_name(sysname, name);
	if (rc < 0)
		return dir_error(sysname, rc, err);

	for (;;) {
		hs_autoclose int fd = -1;
		struct stat st;

		if (create && mkdirat(root, name, 0755) < 0 && errno != EEXIST)
			return dir_error(sysname, -errno, err);
		fd = openat(root, name, OPEN_DIR);
		if (fd < 0 && errno == ENOENT && create)
			continue;
		if (fd < 0)
			return dir_error(sysname, -errno, err);
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return dir_error(sysname, -errno, err);
		/* Who had the lock before us may have removed the directory. */
		if (fstat(fd, &st) < 0)
			return dir_error(sysname, -errno, err);
		if (st.st_nlink)
			return hs_steal_fd(fd);
		if (!create)
			return dir_error(sysname, -ENOENT, err);
	}
}

int hs_pin(int fd, int dir, const char *name)
{
	LIBBPF_OPTS(bpf_obj_pin_opts, opts, .file_flags = BPF_F_PATH_FD, .path_fd = dir);

	return bpf_obj_pin_opts(fd, name, &opts) < 0 ? -errno : 0;
}

/* The kernel names the kind of a BPF descriptor only in what its /proc link says. */
static enum hs_pin_type fd_type(int fd)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return HS_PIN_OTHER;
	target[n] = 0;
	if (!strcmp(target, "anon_inode:bpf-map"))
		return HS_PIN_MAP;
	if (!strcmp(target, "anon_inode:bpf-prog"))
		return HS_PIN_PROG;
	/* "bpf_link", and "bpf-link" in kernels to come */
	if (!strcmp(target, "anon_inode:bpf_link") || !strcmp(target, "anon_inode:bpf-link"))
		return HS_PIN_LINK;
	return HS_PIN_OTHER;
}

int hs_pin_open(int dir, const char *name, enum hs_pin_type *type)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_PATH_FD, .path_fd = dir);
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	fd = bpf_obj_get_opts(name, &opts);
	if (fd < 0)
		return -errno;
	*type = fd_type(fd);
	return fd;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int hs_pin_names_read(int dir, struct hs_pin_names *names)
{
	int fd = openat(dir, ".", OPEN_DIR);
	struct dirent *entry;
	DIR *d;
	int rc;

	*names = (struct hs_pin_names){ 0 };
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		rc = -errno;
		hs_closep(&fd);
		return rc;
	}
	while (errno = 0, (entry = readdir(d))) {
		char **grown;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		grown = realloc(names->names, (names->n + 1) * sizeof(*grown));
		if (!grown)
			break;
		names->names = grown;
		grown[names->n] = strdup(entry->d_name);
		if (!grown[names->n])
			break;
		names->n++;
	}
	rc = entry ? -ENOMEM : -errno;
	closedir(d);
	if (rc < 0) {
		hs_pin_names_free(names);
		return rc;
	}
	if (names->n)
		qsort(names->names, names->n, sizeof(*names->names), compare_names);
	return 0;
}

void hs_pin_names_free(struct hs_pin_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct hs_pin_names){ 0 };
}

static bool link_alive(int fd)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	/* A link that was detached by force has no map any more. */
	return !bpf_link_get_info_by_fd(fd, &info, &size) &&
	       info.type == BPF_LINK_TYPE_STRUCT_OPS && info.struct_ops.map_id;
}

bool hs_pins_alive(int device, const char *object)
{
	hs_autoclose int dir = openat(device, object, OPEN_DIR);
	struct hs_pin_names names;
	bool alive = false;

	if (dir < 0 || hs_pin_names_read(dir, &names) < 0)
		return false;
	for (size_t i = 0; i < names.n && !alive; i++) {
		enum hs_pin_type type;
		hs_autoclose int fd = hs_pin_open(dir, names.names[i], &type);

		alive = fd >= 0 && type == HS_PIN_LINK && link_alive(fd);
	}
	hs_pin_names_free(&names);
	return alive;
}

/* Is it a pin, and of a link? -EINVAL if it is something else. */
static int is_link(int dir, const char *name)
{
	enum hs_pin_type type;
	hs_autoclose int fd = hs_pin_open(dir, name, &type);

	return fd < 0 ? fd : type == HS_PIN_LINK;
}

/*
 * Removing a link's pin would detach it some time later, in a worker of the
 * kernel; our callers want it done when we return.
 */
static void detach_link(int dir, const char *name)
{
	enum hs_pin_type type;
	hs_autoclose int fd = hs_pin_open(dir, name, &type);

	if (fd >= 0)
		bpf_link_detach(fd); /* fails if the device has gone: then it is detached */
}

/* A job that does not end in time is stopped by the kernel, when its maps go. */
static void stop_io(int dir, const char *name)
{
	enum hs_pin_type type;
	hs_autoclose int fd = hs_pin_open(dir, name, &type);

	if (fd >= 0 && type == HS_PIN_MAP)
		hs_io_stop(fd);
}

int hs_pins_remove(int device, const char *object, struct hs_error *err)
{
	hs_autoclose int dir = openat(device, object, OPEN_DIR);
	hs_autofree bool *links = NULL;
	struct hs_pin_names names;
	int rc;

	if (dir < 0)
		return dir_error(object, -errno, err);
	rc = hs_pin_names_read(dir, &names);
	if (rc < 0)
		return dir_error(object, rc, err);
	links = calloc(names.n + 1, sizeof(*links));
	if (!links) {
		rc = dir_error(object, -ENOMEM, err);
		goto out;
	}

	for (size_t i = 0; i < names.n; i++) {
		rc = is_link(dir, names.names[i]);
		if (rc < 0) {
			hs_error_set(err, rc, "%s/%s: %s; nothing was removed", object,
				     names.names[i],
				     rc == -EINVAL ? "is not a pin" : strerror(-rc));
			goto out;
		}
		links[i] = rc;
	}
	for (size_t i = 0; i < names.n; i++) {
		if (!links[i])
			stop_io(dir, names.names[i]);
	}
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < names.n; i++) {
			if (links[i] != (pass == 0))
				continue;
			if (links[i])
				detach_link(dir, names.names[i]);
			if (unlinkat(dir, names.names[i], 0) < 0 && errno != ENOENT) {
				rc = hs_error_set(err, -errno, "%s/%s: %s", object, names.names[i],
						  strerror(errno));
				goto out;
			}
		}
	}
	rc = unlinkat(device, object, AT_REMOVEDIR) < 0 ? dir_error(object, -errno, err) : 0;
out:
	hs_pin_names_free(&names);
	return rc;
}

void hs_pins_remove_device(int root, const char *sysname)
{
	char name[HS_PIN_NAME_SIZE];

	if (!hs_pin_name(sysname, name))
		unlinkat(root, name, AT_REMOVEDIR);
}
