// SPDX-License-Identifier: MIT
#include "core/cli/fixups.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

struct hs_fixup *hs_cli_find_fixup(struct hs_fixup_set *set, const char *spec,
				   struct hs_fixup **opened, struct hs_error *err)
{
	size_t n = strlen(spec);
	bool is_file = strchr(spec, '/') || (n > 6 && !strcmp(spec + n - 6, ".bpf.o"));
	struct hs_fixup *fixup;

	if (is_file)
		return hs_fixup_open(spec, 0, opened, err) < 0 ? NULL : *opened;
	fixup = hs_fixup_set_find(set, spec);
	if (!fixup)
		hs_error_set(err, -ENOENT,
			     "%s: no such fixup in %s; 'hidsmith list fixups' shows what is there",
			     spec, hs_cli_bpf_path());
	return fixup;
}

int hs_cli_usage_getopt(struct hs_error *err, const char *command, int c, char **argv)
{
	const char *arg = argv[optind - 1];
	bool is_long = !strncmp(arg, "--", 2);

	if (c == ':')
		return hs_cli_usage(err, command, "'%s' needs a value", arg);
	/* optopt: a letter that is none, or a long option's that has a value too many. */
	if (optopt && is_long && strchr(arg, '='))
		return hs_cli_usage(err, command, "'%s': takes no value", arg);
	/* Within "-xy" optind is still at that word, and arg is the one before it. */
	if (optopt)
		return hs_cli_usage(err, command, "unknown option '-%c'", optopt);
	return hs_cli_usage(err, command, "unknown option '%s'", arg);
}
