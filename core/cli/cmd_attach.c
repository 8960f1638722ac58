// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/device/device.h"
#include "core/fixup/config.h"
#include "core/fixup/fixup.h"
#include "core/hotplug/hotplug.h"

static const char help[] =
	"usage: hidsmith attach [OPTION]... DEVICE [FIXUP]...\n"
	"\n"
	"Attaches fixups to one device. DEVICE is a sysname (0003:28BD:0914.0004), a\n"
	"device node, hidrawN, eventN, or VENDOR:PRODUCT. FIXUP is a name, with or without\n"
	"its priority, or an object file. Without FIXUP the best of what matches the\n"
	"device is attached: of each group the object with the highest priority that\n"
	"loads. 'hidsmith list matches' shows them.\n"
	"\n"
	"  -r, --replace            detach a fixup of the same name first\n"
	"  -p, --property NAME=VALUE  what the object is told instead of udev's\n"
	"                           property NAME (repeatable)\n"
	"  -s, --set NAME=VALUE     a setting of the object's (repeatable), instead of that\n"
	"                           in hidsmith.conf(5) or udev's HIDSMITH_NAME\n"
	"  -f, --force              attach FIXUP to a device that it does not name\n"
	"  -t, --timing             say where the time went\n"
	"  -h, --help\n"
	"\n"
	"What is attached stays until 'hidsmith detach' or the device goes.\n";

struct attach_args {
	bool force;
	bool timing;
	struct hs_property *properties;
	struct hs_property *settings;
	const struct hs_device *device;
	struct hs_attach_opts opts;
	struct hs_attach_timing time;
};

static const char *device_property(const char *name, void *data)
{
	return hs_device_property(data, name);
}

/* NAME=VALUE, one more of @all. */
static int add_pair(struct hs_property **all, size_t *n, const char *option, char *arg,
		    struct hs_error *err)
{
	char *value = strchr(arg, '=');
	struct hs_property *grown;

	if (!value || value == arg)
		return hs_cli_usage(err, "attach", "%s '%s': not NAME=VALUE", option, arg);
	grown = realloc(*all, (*n + 1) * sizeof(*grown));
	if (!grown)
		return hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM)), HS_EXIT_FAILURE;
	*value++ = 0;
	grown[(*n)++] = (struct hs_property){ .name = arg, .value = value };
	*all = grown;
	return HS_EXIT_OK;
}

static void warn(const char *text, void *data)
{
	(void)data;
	printf("warning: %s\n", text);
}

static void report(const struct attach_args *args, const struct hs_fixup *fixup)
{
	const struct hs_attach_timing *t = &args->time;

	printf("%s: attached %s\n", args->device->sysname, hs_fixup_name(fixup));
	if (args->timing)
		printf("  prepare %llu us, load %llu us, probe %llu us, attach %llu us, "
		       "pin %llu us\n",
		       (unsigned long long)t->prepare, (unsigned long long)t->load,
		       (unsigned long long)t->probe, (unsigned long long)t->attach,
		       (unsigned long long)t->pin);
}

static int attach_one(struct attach_args *args, struct hs_fixup *fixup, struct hs_error *err)
{
	const struct hs_hid_id *id = &args->device->id;
	int rc;

	if (!args->force && !hs_fixup_matches(fixup, id)) {
		hs_error_set(err, -EINVAL,
			     "%s: %s is not for this device (bus %04X, group %04X, %04X:%04X); "
			     "--force attaches it all the same",
			     args->device->sysname, hs_fixup_name(fixup), id->bus, id->group,
			     id->vendor, id->product);
		return HS_EXIT_FAILURE;
	}
	rc = hs_fixup_attach(fixup, args->device->sysname, &args->opts, err);
	if (rc < 0)
		return hs_cli_exit_code(rc);
	report(args, fixup);
	return HS_EXIT_OK;
}

static void tell(const struct hs_fixup *fixup, int result, const struct hs_error *err, void *data)
{
	struct attach_args *args = data;

	if (!result)
		report(args, fixup);
	else if (result == -EEXIST)
		printf("%s: %s is attached already\n", args->device->sysname, hs_fixup_name(fixup));
	else if (result == -ECANCELED)
		printf("%s: %s does not want this device\n", args->device->sysname,
		       hs_fixup_name(fixup));
	else
		printf("%s\n", err->text);
}

static int attach_matching(struct attach_args *args, struct hs_fixup_set *set, struct hs_error *err)
{
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < hs_fixup_set_count(set); i++)
		n += hs_fixup_matches(hs_fixup_set_get(set, i), &args->device->id);
	if (!n) {
		hs_error_set(err, -ENOENT,
			     "%s: no fixup for this device in %s; 'hidsmith list fixups' shows "
			     "what is there",
			     args->device->sysname, hs_cli_bpf_path());
		return HS_EXIT_FAILURE;
	}
	rc = hs_fixup_set_attach(set, args->device->sysname, &args->device->id, &args->opts, tell,
				 args, err);
	return rc < 0 ? hs_cli_exit_code(rc) : HS_EXIT_OK;
}

static int attach(struct attach_args *args, const char *spec, char **names, struct hs_error *err)
{
	struct hs_device_list *devices = NULL;
	struct hs_fixup_set *set = NULL;
	struct hs_config *config = NULL;
	int rc, exit_code = HS_EXIT_OK;

	rc = hs_device_list_open(&devices, err);
	if (!rc)
		rc = hs_device_list_find(devices, spec, &args->device, err);
	if (!rc)
		rc = hs_fixup_set_open(hs_cli_bpf_path(), 0, &set, err);
	if (!rc)
		rc = hs_config_read(HS_CONFIG_PATH, 0, &config, err);
	if (rc < 0) {
		exit_code = hs_cli_exit_code(rc);
		goto out;
	}
	args->opts.config = config;
	/* libudev's device; the callback only reads it. */
	args->opts.property_data = (void *)(uintptr_t)args->device;

	if (!*names)
		exit_code = attach_matching(args, set, err);
	for (; *names && exit_code == HS_EXIT_OK; names++) {
		struct hs_fixup *opened = NULL, *fixup;

		fixup = hs_cli_find_fixup(set, *names, &opened, err);
		exit_code = fixup ? attach_one(args, fixup, err) : hs_cli_exit_code(err->code);
		hs_fixup_free(opened);
	}
	hs_hotplug_note(args->device->sysname);
out:
	hs_config_free(config);
	hs_fixup_set_free(set);
	hs_device_list_free(devices);
	return exit_code;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = {
		{ "replace", no_argument, NULL, 'r' },
		{ "property", required_argument, NULL, 'p' },
		{ "set", required_argument, NULL, 's' },
		{ "force", no_argument, NULL, 'f' },
		{ "timing", no_argument, NULL, 't' },
		{ 0 },
	};
	struct attach_args args = { .opts = { .size = sizeof(args.opts),
					      .property = device_property } };
	int c, rc = HS_EXIT_OK;

	args.opts.timing = &args.time;
	args.opts.warn = warn;
	opterr = 0;
	while (rc == HS_EXIT_OK && (c = getopt_long(argc, argv, ":rp:s:ft", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			args.opts.replace = true;
			break;
		case 'p':
			rc = add_pair(&args.properties, &args.opts.n_properties, "--property",
				      optarg, err);
			break;
		case 's':
			rc = add_pair(&args.settings, &args.opts.n_settings, "--set", optarg, err);
			break;
		case 'f':
			args.force = true;
			break;
		case 't':
			args.timing = true;
			break;
		default:
			rc = hs_cli_usage_getopt(err, "attach", c, argv);
		}
	}
	if (rc == HS_EXIT_OK && optind >= argc)
		rc = hs_cli_usage(err, "attach", "which device? 'hidsmith list' shows them");
	args.opts.properties = args.properties;
	args.opts.settings = args.settings;
	if (rc == HS_EXIT_OK)
		rc = attach(&args, argv[optind], argv + optind + 1, err);
	free(args.properties);
	free(args.settings);
	return rc;
}

const struct hs_command hs_cmd_attach = {
	.name = "attach",
	.summary = "attach fixups to a device",
	.help = help,
	.run = run,
};
