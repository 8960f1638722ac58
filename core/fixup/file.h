/* SPDX-License-Identifier: MIT */
/* Reading object files, by callers that trust nobody, too. Private to core/fixup. */
#ifndef HS_FIXUP_FILE_H
#define HS_FIXUP_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"

/*
 * Open a file or directory of which HS_OPEN_TRUSTED_ONLY holds: absolute path, no
 * symlink on the way, everything root's and writable by root alone. Each component
 * is opened relative to the one before and checked when it is open, so that
 * nothing can be put in its place between check and use.
 *
 * @flags: O_RDONLY or O_RDONLY | O_DIRECTORY
 *
 * Returns a file descriptor, -EPERM with the reason in @err, or the errno of open.
 */
int hs_file_open_trusted(const char *path, int flags, struct hs_error *err);

/*
 * Read a regular file of at most @max bytes. @out is malloc'ed; free it.
 *
 * @path: for error texts
 *
 * Returns 0 or a negative errno.
 */
int hs_file_read(int fd, const char *path, size_t max, void **out, size_t *size,
		 struct hs_error *err);

#endif /* HS_FIXUP_FILE_H */
