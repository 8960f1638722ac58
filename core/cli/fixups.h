/* SPDX-License-Identifier: MIT */
/* What the subcommands that deal with fixups share. */
#ifndef HS_CLI_FIXUPS_H
#define HS_CLI_FIXUPS_H

#include "core/cli/cli.h"
#include "core/fixup/fixup.h"

/*
 * The fixup that a user means: a name in the set, or an object file.
 *
 * @opened: set to what has to be freed if it was a file, else left alone
 *
 * Returns NULL with @err set if there is none.
 */
struct hs_fixup *hs_cli_find_fixup(struct hs_fixup_set *set, const char *spec,
				   struct hs_fixup **opened, struct hs_error *err);

/* The usage error for what getopt_long() returned: '?' or ':'. */
int hs_cli_usage_getopt(struct hs_error *err, const char *command, int c, char **argv);

#endif /* HS_CLI_FIXUPS_H */
