// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/hotplug/hwdb.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/text.h"

#define NAME_LONGEST 128

char *hs_hwdb_pattern(const struct hs_match *match, char buf[HS_HWDB_PATTERN_SIZE])
{
	char bus[8] = "*", group[8] = "*", vendor[12] = "*", product[12] = "*";

	if (match->bus)
		snprintf(bus, sizeof(bus), "%04X", match->bus);
	if (match->group)
		snprintf(group, sizeof(group), "%04X", match->group);
	if (match->vendor)
		snprintf(vendor, sizeof(vendor), "%08" PRIX32, match->vendor);
	if (match->product)
		snprintf(product, sizeof(product), "%08" PRIX32, match->product);
	snprintf(buf, HS_HWDB_PATTERN_SIZE, "hidsmith:hid:b%sg%sv%sp%s", bus, group, vendor,
		 product);
	return buf;
}

bool hs_hwdb_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (!isalnum((unsigned char)*name) || n > NAME_LONGEST)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_-+.", name[i]))
			return false;
	return true;
}

bool hs_property_name_ok(const char *name)
{
	size_t n = strlen(name);

	return isupper((unsigned char)*name) && n <= NAME_LONGEST &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

static int write_fixup(FILE *out, const struct hs_fixup *fixup, struct hs_error *err)
{
	const struct hs_fixup_info *info = hs_fixup_info(fixup);
	const char *name = hs_fixup_name(fixup);
	char pattern[HS_HWDB_PATTERN_SIZE], shown[HS_ESCAPE_SIZE(255)];

	if (!hs_hwdb_name_ok(name))
		return hs_error_set(err, -EINVAL,
				    "%s: a fixup that loads by itself is called with letters, "
				    "digits, '_', '-', '+' and '.' alone; rename the file",
				    hs_escape(name, shown, sizeof(shown)));
	fprintf(out, "\n# %s.bpf.o\n", name);
	if (info->interface == HS_INTERFACE_FMOD_RET) {
		fputs("# uses an interface that Linux 6.11 removed\n", out);
		return 0;
	}
	for (size_t i = 0; i < info->n_matches; i++)
		fprintf(out, "%s\n", hs_hwdb_pattern(&info->matches[i], pattern));
	/* A name with a dot is for rules alone and is not stored with the device. */
	if (info->n_matches)
		fputs(" .HIDSMITH=1\n", out);
	return 0;
}

int hs_hwdb_write(FILE *out, struct hs_fixup *const *fixups, size_t n, struct hs_error *err)
{
	int rc = 0;

	fputs("# Made by 'hidsmith hwdb' from the match data of the objects named below.\n", out);
	for (size_t i = 0; i < n && !rc; i++)
		rc = write_fixup(out, fixups[i], err);
	if (!rc && (fflush(out) || ferror(out)))
		rc = hs_error_set(err, errno ? -errno : -EIO, "hwdb: %s", strerror(errno));
	return rc;
}
