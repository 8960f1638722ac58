/* SPDX-License-Identifier: MIT */
/* Attaching a session's fixups to one of its devices. */
#ifndef HS_REPLAY_FIXUPS_H
#define HS_REPLAY_FIXUPS_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/replay/replay.h"

/*
 * Attach the fixups that were named, as far as they are for this device, and those
 * of the set that match best.
 *
 * @used: for each named fixup: set when it was attached
 * Returns the number attached, or a negative errno
 */
int hs_replay_attach(const struct hs_replay_opts *opts, const char *sysname, bool *used,
		     struct hs_error *err);

/*
 * A fixup that was named and attached to none of the devices is an error.
 *
 * Returns 0, or -ENOENT
 */
int hs_replay_check_used(const struct hs_replay_opts *opts, const bool *used, struct hs_error *err);

#endif /* HS_REPLAY_FIXUPS_H */
