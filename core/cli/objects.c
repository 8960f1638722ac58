// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/cli/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/util.h"
#include "core/fixup/fixup.h"
#include "core/hotplug/hwdb.h"
#include "hidsmith_config.h"

#define LOCAL_HWDB "/etc/udev/hwdb.d/82-hidsmith-local.hwdb"

/* Where udev-hid-bpf has its objects: its own choice, and Debian's. */
#define UDEV_HID_BPF_DIRS                  \
	"/usr/local/lib/firmware/hid/bpf:" \
	"/usr/lib/firmware/hid/bpf:/usr/lib/" HS_MULTIARCH "/bpf"

extern char **environ;

char *hs_cli_trusted_dirs(const struct hs_config *config)
{
	return strdup(hs_config_udev_hid_bpf(config) ? HS_LOCAL_BPF_DIR ":" HS_BPF_DIR
									":" UDEV_HID_BPF_DIRS
						     : HS_LOCAL_BPF_DIR ":" HS_BPF_DIR);
}

void hs_cli_say(const struct hs_cli_change *change, const char *fmt, ...)
{
	va_list args;

	if (change->dry_run)
		fputs("would ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	/* Programs that are started write to the same place. */
	fflush(stdout);
}

static int make_dirs(const char *path, struct hs_error *err)
{
	hs_autofree char *dir = strdup(path);

	for (char *s = dir; s && (s = strchr(s + 1, '/'));) {
		*s = 0;
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return hs_error_set(err, -errno, "%s: %s", dir, strerror(errno));
		*s = '/';
	}
	return 0;
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		size -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int hs_cli_write_file(const char *path, const void *text, size_t size, struct hs_error *err)
{
	hs_autofree char *temporary = NULL;
	hs_autoclose int fd = -1;
	int rc = make_dirs(path, err);

	if (rc < 0)
		return rc;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return hs_error_set(err, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	rc = write_all(fd, text, size);
	if (!rc && (fchmod(fd, 0644) < 0 || rename(temporary, path) < 0))
		rc = -errno;
	if (rc < 0) {
		unlink(temporary);
		return hs_error_set(err, rc, "%s: %s", path, strerror(-rc));
	}
	return 0;
}

/* No shell, and no search through PATH. */
static int run_program(const char *const argv[], struct hs_error *err)
{
	pid_t pid;
	int status, rc;

	rc = posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
	if (rc)
		return hs_error_set(err, -rc, "%s: %s", argv[0], strerror(rc));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return hs_error_set(err, -errno, "%s: %s", argv[0], strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return hs_error_set(err, -EIO, "%s %s: failed (status %d)", argv[0], argv[1],
				    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}

/*
 * Some systems have the database in /etc, some in /usr, and one in /etc hides the
 * other: the one in use is the one to renew. Returns its directory.
 */
static const char *database_dir(void)
{
	static const char *const dirs[] = { "/etc/udev", "/usr/lib/udev", "/lib/udev" };
	char path[32];

	for (size_t i = 0; i < HS_ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/hwdb.bin", dirs[i]);
		if (!access(path, F_OK))
			return dirs[i];
	}
	return dirs[0];
}

/* Before anything is written: what systemd-hwdb says of it has no reason in its status. */
static int check_database(struct hs_error *err)
{
	const char *dir = database_dir();

	if (!faccessat(AT_FDCWD, dir, W_OK, AT_EACCESS) || errno == ENOENT)
		return 0;
	return hs_error_set(err, -errno, "%s: %s; udev's hwdb is renewed as root", dir,
			    strerror(errno));
}

static int build_database(const struct hs_cli_change *change, struct hs_error *err)
{
	bool usr = strcmp(database_dir(), "/etc/udev") != 0;
	const char *const etc_argv[] = { "/usr/bin/systemd-hwdb", "update", NULL };
	const char *const usr_argv[] = { "/usr/bin/systemd-hwdb", "--usr", "update", NULL };

	hs_cli_say(change, "run systemd-hwdb%s update", usr ? " --usr" : "");
	return change->dry_run ? 0 : run_program(usr ? usr_argv : etc_argv, err);
}

/*
 * udevd looks for a new database three seconds after it last looked at the earliest,
 * and a device may be plugged in before.
 */
static int reload_udev(const struct hs_cli_change *change, struct hs_error *err)
{
	const char *const argv[] = { "/usr/bin/udevadm", "control", "--reload", NULL };

	if (access("/run/udev/control", F_OK) < 0)
		return 0;
	hs_cli_say(change, "run udevadm control --reload");
	return change->dry_run ? 0 : run_program(argv, err);
}

static int refresh_devices(const struct hs_cli_change *change, struct hs_error *err)
{
	const char *const argv[] = { "/proc/self/exe", "udev", "refresh", "--verbose", NULL };

	hs_cli_say(change, "run hidsmith udev refresh");
	return change->dry_run ? 0 : run_program(argv, err);
}

static int local_dirs(const struct hs_cli_change *change, char **dirs, struct hs_error *err)
{
	struct hs_config *config = NULL;
	bool others = false;
	int rc;

	/* What this machine is told does not count for a root of its own. */
	if (!*change->root) {
		rc = hs_config_read(HS_CONFIG_PATH, 0, &config, err);
		if (rc < 0)
			return rc;
		others = hs_config_udev_hid_bpf(config);
		hs_config_free(config);
	}
	rc = asprintf(dirs, "%s" HS_LOCAL_BPF_DIR "%s%s", change->root, others ? ":" : "",
		      others ? UDEV_HID_BPF_DIRS : "");
	if (rc < 0) {
		*dirs = NULL;
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	return 0;
}

static int collect(struct hs_fixup_set *set, char **text, size_t *size, size_t *n,
		   struct hs_error *err)
{
	hs_autofree struct hs_fixup **fixups = calloc(hs_fixup_set_count(set) + 1, sizeof(*fixups));
	FILE *out = open_memstream(text, size);
	int rc = fixups && out ? 0 : -ENOMEM;

	*n = 0;
	/* A name that the rule would not take must not keep the others out. */
	for (size_t i = 0; !rc && i < hs_fixup_set_count(set); i++)
		if (hs_hwdb_name_ok(hs_fixup_name(hs_fixup_set_get(set, i))))
			fixups[(*n)++] = hs_fixup_set_get(set, i);
	if (!rc)
		rc = hs_hwdb_write(out, fixups, *n, err);
	else
		hs_error_set(err, rc, "%s", strerror(-rc));
	if (out)
		fclose(out);
	return rc;
}

static int write_hwdb(const struct hs_cli_change *change, struct hs_error *err)
{
	hs_autofree char *dirs = NULL, *text = NULL, *path = NULL;
	struct hs_fixup_set *set = NULL;
	size_t size, n;
	int rc;

	if (asprintf(&path, "%s" LOCAL_HWDB, change->root) < 0) {
		path = NULL;
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	hs_cli_say(change, "write %s", path);
	if (change->dry_run)
		return 0;
	rc = local_dirs(change, &dirs, err);
	if (!rc)
		rc = hs_fixup_set_open(dirs, 0, &set, err);
	if (!rc)
		rc = collect(set, &text, &size, &n, err);
	if (!rc && n)
		rc = hs_cli_write_file(path, text, size, err);
	else if (!rc && unlink(path) < 0 && errno != ENOENT)
		rc = hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	hs_fixup_set_free(set);
	return rc;
}

int hs_cli_objects_changed(const struct hs_cli_change *change, struct hs_error *err)
{
	int rc = *change->root || change->dry_run ? 0 : check_database(err);

	if (!rc)
		rc = write_hwdb(change, err);
	if (rc < 0 || *change->root)
		return rc;
	rc = build_database(change, err);
	if (!rc)
		rc = reload_udev(change, err);
	if (rc < 0 || change->no_attach)
		return rc;
	return refresh_devices(change, err);
}
