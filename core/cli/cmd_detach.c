// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/cli/fixups.h"
#include "core/device/device.h"
#include "core/fixup/fixup.h"
#include "core/fixup/pins.h"
#include "core/hotplug/hotplug.h"

static const char help[] =
	"usage: hidsmith detach [OPTION]... DEVICE [FIXUP]...\n"
	"\n"
	"Detaches fixups from one device, whoever attached them: those named, with or\n"
	"without their priority, or all. The device may have gone: then what is left of\n"
	"its fixups is removed.\n"
	"\n"
	"  -h, --help\n";

/* A sysname works without the device; everything else needs it. */
static int find_sysname(struct hs_device_list *devices, const char *spec, const char **out,
			struct hs_error *err)
{
	const struct hs_device *dev;
	uint32_t hid_id;
	int rc;

	rc = hs_device_list_find(devices, spec, &dev, err);
	if (!rc) {
		*out = dev->sysname;
		return 0;
	}
	if (rc == -ENODEV && hs_sysname_parse(spec, &hid_id)) {
		*out = spec;
		return 0;
	}
	return rc;
}

static int detach(const char *sysname, const char *name, struct hs_error *err)
{
	int rc = hs_fixup_detach(sysname, name, NULL, err);

	if (rc < 0)
		return hs_cli_exit_code(rc);
	if (!rc && name)
		hs_error_set(err, -ENOENT,
			     "%s: %s is not attached; 'hidsmith status' shows what is", sysname,
			     name);
	else if (!rc)
		hs_error_set(err, -ENOENT, "%s: no fixup is attached", sysname);
	if (!rc)
		return HS_EXIT_FAILURE;
	if (name)
		printf("%s: detached %s\n", sysname, name);
	else
		printf("%s: detached %d fixup%s\n", sysname, rc, rc == 1 ? "" : "s");
	return HS_EXIT_OK;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = { { 0 } };
	struct hs_device_list *devices = NULL;
	const char *sysname = NULL;
	int c, rc;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1)
		return hs_cli_usage_getopt(err, "detach", c, argv);
	if (optind >= argc)
		return hs_cli_usage(err, "detach", "which device? 'hidsmith status' shows them");

	rc = hs_device_list_open(&devices, err);
	if (!rc)
		rc = find_sysname(devices, argv[optind], &sysname, err);
	if (rc < 0) {
		hs_device_list_free(devices);
		return hs_cli_exit_code(rc);
	}
	rc = HS_EXIT_OK;
	if (optind + 1 == argc)
		rc = detach(sysname, NULL, err);
	for (int i = optind + 1; i < argc && rc == HS_EXIT_OK; i++)
		rc = detach(sysname, argv[i], err);
	hs_hotplug_note(sysname);
	hs_device_list_free(devices);
	return rc;
}

const struct hs_command hs_cmd_detach = {
	.name = "detach",
	.summary = "detach fixups from a device",
	.help = help,
	.run = run,
};
