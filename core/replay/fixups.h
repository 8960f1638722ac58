/* SPDX-License-Identifier: MIT */
/* Attaching a session's fixups to one of its devices. */
#ifndef HS_REPLAY_FIXUPS_H
#define HS_REPLAY_FIXUPS_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/replay/replay.h"

/* What of the options has been of use so far: an element for each fixup and setting. */
struct hs_replay_used {
	bool *fixups;
	bool *settings;
};

/*
 * Attach the fixups that were named, as far as they are for this device, and those
 * of the set that match best. A setting that one of them has goes to it.
 *
 * Returns the number attached, or a negative errno; -EINVAL for a setting's value that
 * a fixup does not take
 */
int hs_replay_attach(const struct hs_replay_opts *opts, const char *sysname,
		     struct hs_replay_used *used, struct hs_error *err);

/*
 * A fixup that was named and attached to none of the devices is an error, and so is a
 * setting that no attached fixup has.
 *
 * Returns 0, or -ENOENT
 */
int hs_replay_check_used(const struct hs_replay_opts *opts, const struct hs_replay_used *used,
			 struct hs_error *err);

#endif /* HS_REPLAY_FIXUPS_H */
