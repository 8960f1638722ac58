// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/cli/json.h"
#include "core/device/device.h"
#include "core/fixup/attached.h"
#include "core/fixup/fixup.h"

static const char help[] =
	"usage: hidsmith list [OPTION]... [devices] [DEVICE]\n"
	"       hidsmith list [OPTION]... fixups\n"
	"       hidsmith list [OPTION]... matches [DEVICE]\n"
	"\n"
	"  devices   the HID devices, their nodes and what is attached to them (that for\n"
	"            root only)\n"
	"  fixups    the fixups that are there, best first\n"
	"  matches   for each device the fixups that name it, in the order in which\n"
	"            'hidsmith attach' tries them; those after the first of a group are\n"
	"            tried only if the ones before them do not load\n"
	"\n"
	"  -j, --json\n"
	"  -h, --help\n";

/* Everything that the lists are made of. */
struct system_state {
	struct hs_device_list *devices;
	struct hs_fixup_set *fixups;
	struct hs_attached_list *attached; /* NULL if it may not be seen */
	const struct hs_device *only; /* NULL for all */
};

static bool wanted(const struct system_state *sys, const struct hs_device *dev)
{
	return !sys->only || sys->only == dev;
}

static bool is_attached(const struct system_state *sys, const struct hs_device *dev, size_t index,
			const char **name)
{
	const struct hs_attached *a = hs_attached_list_get(sys->attached, index);

	*name = a->name;
	return !strcmp(a->sysname, dev->sysname);
}

/* A text of the device's, fit for a terminal. Free it. */
static char *shown(const char *s)
{
	size_t size = HS_ESCAPE_SIZE(strlen(s));
	char *buf = malloc(size);

	return buf ? hs_escape(s, buf, size) : NULL;
}

static void print_device(const struct system_state *sys, const struct hs_device *dev)
{
	hs_autofree char *name = shown(dev->name);
	size_t n = sys->attached ? hs_attached_list_count(sys->attached) : 0;
	const char *fixup;

	printf("%s  %s\n", dev->sysname, name ? name : "");
	printf("  driver   %s\n", dev->driver ? dev->driver : "-");
	printf("  nodes   ");
	if (dev->hidraw)
		printf(" %s", dev->hidraw);
	for (size_t i = 0; i < dev->n_inputs; i++)
		printf(" %s", dev->inputs[i].path);
	printf("%s\n", dev->hidraw || dev->n_inputs ? "" : " -");
	if (!sys->attached) {
		printf("  fixups   ? (for root to see)\n");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (is_attached(sys, dev, i, &fixup))
			printf("  fixup    %s\n", fixup);
}

static struct json_object *device_json(const struct system_state *sys, const struct hs_device *dev)
{
	struct json_object *o = json_object_new_object();
	struct json_object *inputs = json_object_new_array();
	struct json_object *attached = sys->attached ? json_object_new_array() : NULL;
	size_t n = sys->attached ? hs_attached_list_count(sys->attached) : 0;
	const char *fixup;
	char group[8];

	for (size_t i = 0; i < dev->n_inputs; i++) {
		struct json_object *input = json_object_new_object();

		hs_json_add_text(input, "path", dev->inputs[i].path);
		hs_json_add_text(input, "name", dev->inputs[i].name);
		json_object_array_add(inputs, input);
	}
	for (size_t i = 0; i < n; i++)
		if (is_attached(sys, dev, i, &fixup))
			json_object_array_add(attached, hs_json_text(fixup));

	hs_json_add_text(o, "sysname", dev->sysname);
	hs_json_add_text(o, "syspath", dev->syspath);
	hs_json_add_number(o, "hid_id", dev->hid_id);
	hs_json_add_id(o, &dev->id);
	snprintf(group, sizeof(group), "%04x", dev->id.group);
	hs_json_add_text(o, "group", group);
	hs_json_add_text(o, "name", dev->name);
	hs_json_add_text(o, "phys", dev->phys);
	hs_json_add_text(o, "uniq", dev->uniq);
	hs_json_add_text(o, "modalias", dev->modalias);
	hs_json_add_text(o, "driver", dev->driver);
	hs_json_add_text(o, "hidraw", dev->hidraw);
	json_object_object_add(o, "inputs", inputs);
	/* null: not allowed to see it */
	json_object_object_add(o, "attached", attached);
	return o;
}

/* Each device that is wanted, in one of two ways. */
static void list_each(const struct system_state *sys, bool json,
		      struct json_object *(*to_json)(const struct system_state *sys,
						     const struct hs_device *dev),
		      void (*print)(const struct system_state *sys, const struct hs_device *dev))
{
	struct json_object *array = json ? json_object_new_array() : NULL;

	for (size_t i = 0; i < hs_device_list_count(sys->devices); i++) {
		const struct hs_device *dev = hs_device_list_get(sys->devices, i);

		if (!wanted(sys, dev))
			continue;
		if (json)
			json_object_array_add(array, to_json(sys, dev));
		else
			print(sys, dev);
	}
	if (json)
		hs_json_print(array);
}

static void list_fixups(const struct system_state *sys, bool json)
{
	size_t n = hs_fixup_set_count(sys->fixups);
	size_t problems = hs_fixup_set_problem_count(sys->fixups);
	struct json_object *o, *fixups, *bad;

	if (!json) {
		for (size_t i = 0; i < n; i++) {
			const struct hs_fixup *fixup = hs_fixup_set_get(sys->fixups, i);

			printf("%-40s %s\n", hs_fixup_name(fixup), hs_fixup_path(fixup));
		}
		for (size_t i = 0; i < problems; i++)
			printf("cannot be used: %s\n", hs_fixup_set_problem(sys->fixups, i));
		return;
	}

	o = json_object_new_object();
	fixups = json_object_new_array();
	bad = json_object_new_array();
	for (size_t i = 0; i < n; i++) {
		const struct hs_fixup *fixup = hs_fixup_set_get(sys->fixups, i);
		struct json_object *f = json_object_new_object();

		hs_json_add_text(f, "name", hs_fixup_name(fixup));
		hs_json_add_text(f, "file", hs_fixup_path(fixup));
		hs_json_add_number(f, "priority", hs_fixup_priority(fixup));
		hs_json_add_text(f, "group", hs_fixup_group(fixup));
		hs_json_add_number(f, "devices", hs_fixup_info(fixup)->n_matches);
		json_object_array_add(fixups, f);
	}
	for (size_t i = 0; i < problems; i++)
		json_object_array_add(bad, hs_json_text(hs_fixup_set_problem(sys->fixups, i)));
	json_object_object_add(o, "fixups", fixups);
	json_object_object_add(o, "problems", bad);
	hs_json_print(o);
}

/* Does a better one of the same group match the device, too? */
static bool is_fallback(const struct system_state *sys, const struct hs_device *dev, size_t index)
{
	const struct hs_fixup *fixup = hs_fixup_set_get(sys->fixups, index);

	for (size_t i = 0; i < index; i++) {
		const struct hs_fixup *better = hs_fixup_set_get(sys->fixups, i);

		if (hs_fixup_matches(better, &dev->id) &&
		    !strcmp(hs_fixup_group(better), hs_fixup_group(fixup)))
			return true;
	}
	return false;
}

static void print_matches(const struct system_state *sys, const struct hs_device *dev)
{
	hs_autofree char *name = shown(dev->name);
	bool none = true;

	printf("%s  %s\n", dev->sysname, name ? name : "");
	for (size_t i = 0; i < hs_fixup_set_count(sys->fixups); i++) {
		const struct hs_fixup *fixup = hs_fixup_set_get(sys->fixups, i);

		if (!hs_fixup_matches(fixup, &dev->id))
			continue;
		none = false;
		printf("  %s%s\n", hs_fixup_name(fixup),
		       is_fallback(sys, dev, i) ? " (if the one before does not load)" : "");
	}
	if (none)
		printf("  -\n");
}

static struct json_object *matches_json(const struct system_state *sys, const struct hs_device *dev)
{
	struct json_object *o = json_object_new_object();
	struct json_object *fixups = json_object_new_array();

	for (size_t i = 0; i < hs_fixup_set_count(sys->fixups); i++) {
		const struct hs_fixup *fixup = hs_fixup_set_get(sys->fixups, i);
		struct json_object *f;

		if (!hs_fixup_matches(fixup, &dev->id))
			continue;
		f = json_object_new_object();
		hs_json_add_text(f, "name", hs_fixup_name(fixup));
		hs_json_add_text(f, "file", hs_fixup_path(fixup));
		hs_json_add_bool(f, "fallback", is_fallback(sys, dev, i));
		json_object_array_add(fixups, f);
	}
	hs_json_add_text(o, "sysname", dev->sysname);
	hs_json_add_text(o, "name", dev->name);
	json_object_object_add(o, "fixups", fixups);
	return o;
}

static int list(const char *what, const char *spec, bool json, struct hs_error *err)
{
	bool devices = !strcmp(what, "devices"), fixups = !strcmp(what, "fixups");
	struct system_state sys = { 0 };
	int rc = 0;

	if (!fixups)
		rc = hs_device_list_open(&sys.devices, err);
	if (!rc && spec)
		rc = hs_device_list_find(sys.devices, spec, &sys.only, err);
	if (!rc && devices) {
		/* Who may not see what is attached still sees the devices. */
		rc = hs_attached_list_open(NULL, NULL, &sys.attached, err);
		if (rc == -EPERM || rc == -ENOTSUP)
			rc = 0;
	}
	if (!rc && !devices)
		rc = hs_fixup_set_open(hs_cli_bpf_path(), 0, &sys.fixups, err);
	if (!rc) {
		if (devices)
			list_each(&sys, json, device_json, print_device);
		else if (fixups)
			list_fixups(&sys, json);
		else
			list_each(&sys, json, matches_json, print_matches);
	}
	hs_attached_list_free(sys.attached);
	hs_fixup_set_free(sys.fixups);
	hs_device_list_free(sys.devices);
	return hs_cli_exit_code(rc);
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	const char *what = "devices";
	bool json = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":j", options, NULL)) != -1) {
		if (c != 'j')
			return hs_cli_usage_getopt(err, "list", c, argv);
		json = true;
	}
	if (optind < argc && (!strcmp(argv[optind], "devices") || !strcmp(argv[optind], "fixups") ||
			      !strcmp(argv[optind], "matches")))
		what = argv[optind++];
	if (argc - optind > (strcmp(what, "fixups") ? 1 : 0))
		return hs_cli_usage(err, "list", "'%s' is too much", argv[argc - 1]);
	return list(what, optind < argc ? argv[optind] : NULL, json, err);
}

const struct hs_command hs_cmd_list = {
	.name = "list",
	.summary = "show devices, fixups and which of them match",
	.help = help,
	.run = run,
};
