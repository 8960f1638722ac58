/* SPDX-License-Identifier: MIT */
/* What the subcommands share that change which objects load by themselves. */
#ifndef HS_CLI_OBJECTS_H
#define HS_CLI_OBJECTS_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/fixup/config.h"

/* Objects that this machine's administrator installed. */
#define HS_LOCAL_BPF_DIR "/etc/hidsmith/bpf"

/*
 * The directories that udev's rule takes objects from, colon-separated: the
 * machine's own, the package's, and udev-hid-bpf's if the configuration says so.
 * The environment has no say. free() it; NULL without memory.
 */
char *hs_cli_trusted_dirs(const struct hs_config *config);

/* What changes, and whether it really does. */
struct hs_cli_change {
	const char *root; /* put in front of all paths; "" for the running system */
	bool dry_run; /* print what would be done, do nothing */
	bool no_attach; /* leave the devices that are there as they are */
};

/* Print one line of what is (to be) done. */
void hs_cli_say(const struct hs_cli_change *change, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Write @text to a file as a whole: beside it first, then renamed. Its directory is
 * made if it is not there. Returns 0 or a negative errno.
 */
int hs_cli_write_file(const char *path, const void *text, size_t size, struct hs_error *err);

/*
 * After local objects have changed: write their hwdb file (or remove it when none
 * is left), let systemd-hwdb build the database, and attach and detach what that
 * changes. With a root of its own only the file is written.
 *
 * Returns 0 or a negative errno.
 */
int hs_cli_objects_changed(const struct hs_cli_change *change, struct hs_error *err);

#endif /* HS_CLI_OBJECTS_H */
