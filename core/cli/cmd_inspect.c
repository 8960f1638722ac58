// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/cli/fixups.h"
#include "core/cli/json.h"
#include "core/fixup/fixup.h"

static const char help[] =
	"usage: hidsmith inspect [OPTION]... FIXUP...\n"
	"\n"
	"Shows what is in an object without loading it: the devices it is for, its\n"
	"programs, maps, properties and the kernel functions it calls. FIXUP is an object\n"
	"file or the name of an installed fixup.\n"
	"\n"
	"  -j, --json   an array with one object for each FIXUP\n"
	"  -h, --help\n";

static const char *interface_name(enum hs_interface interface)
{
	switch (interface) {
	case HS_INTERFACE_STRUCT_OPS:
		return "struct_ops";
	case HS_INTERFACE_FMOD_RET:
		return "fmod_ret";
	case HS_INTERFACE_PROBE_ONLY:
		break;
	}
	return "probe";
}

static const char *interface_note(enum hs_interface interface)
{
	switch (interface) {
	case HS_INTERFACE_FMOD_RET:
		return " (removed in Linux 6.11; does not attach)";
	case HS_INTERFACE_PROBE_ONLY:
		return " (runs once at attach)";
	case HS_INTERFACE_STRUCT_OPS:
		break;
	}
	return "";
}

/* A number of the match data in hex, or `*` for any. */
static const char *match_number(char buf[9], uint32_t n)
{
	if (n)
		snprintf(buf, 9, "%04X", n);
	else
		strcpy(buf, "*");
	return buf;
}

static void print_text(const struct hs_fixup *fixup)
{
	const struct hs_fixup_info *info = hs_fixup_info(fixup);
	char bus[9], group[9], vendor[9], product[9];

	printf("%s\n", hs_fixup_name(fixup));
	printf("  file:      %s\n", hs_fixup_path(fixup));
	printf("  priority:  %u\n", hs_fixup_priority(fixup));
	printf("  group:     %s\n", hs_fixup_group(fixup));
	printf("  license:   %s\n", info->license[0] ? info->license : "-");
	printf("  interface: %s%s\n", interface_name(info->interface),
	       interface_note(info->interface));
	printf("  probe:     %s\n", info->has_probe ? "yes" : "no");

	printf("  devices (bus, group, vendor:product):\n");
	for (size_t i = 0; i < info->n_matches; i++) {
		const struct hs_match *m = &info->matches[i];

		printf("    %-4s %-4s %s:%s\n", match_number(bus, m->bus),
		       match_number(group, m->group), match_number(vendor, m->vendor),
		       match_number(product, m->product));
	}
	if (info->n_programs)
		printf("  programs:\n");
	for (size_t i = 0; i < info->n_programs; i++)
		printf("    %-32s %s%s\n", info->programs[i].name, info->programs[i].section,
		       info->programs[i].sleepable ? " (sleepable)" : "");
	if (info->n_maps)
		printf("  maps (key, value, entries):\n");
	for (size_t i = 0; i < info->n_maps; i++)
		printf("    %-32s %s %u %u %u\n", info->maps[i].name, info->maps[i].type,
		       info->maps[i].key_size, info->maps[i].value_size, info->maps[i].max_entries);
	if (info->n_properties)
		printf("  properties that it reads:\n");
	for (size_t i = 0; i < info->n_properties; i++)
		printf("    %s (%zu bytes)\n", info->properties[i].name, info->properties[i].size);
	if (info->n_exports)
		printf("  properties that it sets:\n");
	for (size_t i = 0; i < info->n_exports; i++)
		printf("    %s (%zu bytes)\n", info->exports[i].name, info->exports[i].size);
	if (info->n_settings)
		printf("  settings (default, range):\n");
	for (size_t i = 0; i < info->n_settings; i++)
		printf("    %-20s %d, %d to %d  %s\n", info->settings[i].name,
		       info->settings[i].value, info->settings[i].min, info->settings[i].max,
		       info->settings[i].help);
	if (info->n_kfuncs)
		printf("  kernel functions:\n");
	for (size_t i = 0; i < info->n_kfuncs; i++)
		printf("    %s\n", info->kfuncs[i]);
}

static struct json_object *properties_json(const struct hs_property_info *all, size_t n)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		hs_json_add_text(o, "name", all[i].name);
		hs_json_add_number(o, "size", all[i].size);
		json_object_array_add(array, o);
	}
	return array;
}

/* In hex, as ids are in all our JSON; null for any. */
static void add_match_number(struct json_object *o, const char *key, uint32_t n)
{
	char buf[9];

	snprintf(buf, sizeof(buf), "%04x", n);
	hs_json_add_text(o, key, n ? buf : NULL);
}

static struct json_object *matches_json(const struct hs_fixup_info *info)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < info->n_matches; i++) {
		struct json_object *o = json_object_new_object();

		add_match_number(o, "bus", info->matches[i].bus);
		add_match_number(o, "group", info->matches[i].group);
		add_match_number(o, "vendor", info->matches[i].vendor);
		add_match_number(o, "product", info->matches[i].product);
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *programs_json(const struct hs_fixup_info *info)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < info->n_programs; i++) {
		struct json_object *o = json_object_new_object();

		hs_json_add_text(o, "name", info->programs[i].name);
		hs_json_add_text(o, "section", info->programs[i].section);
		hs_json_add_text(o, "hook", info->programs[i].hook);
		hs_json_add_bool(o, "sleepable", info->programs[i].sleepable);
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *maps_json(const struct hs_fixup_info *info)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < info->n_maps; i++) {
		struct json_object *o = json_object_new_object();

		hs_json_add_text(o, "name", info->maps[i].name);
		hs_json_add_text(o, "type", info->maps[i].type);
		hs_json_add_number(o, "key_size", info->maps[i].key_size);
		hs_json_add_number(o, "value_size", info->maps[i].value_size);
		hs_json_add_number(o, "max_entries", info->maps[i].max_entries);
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *settings_json(const struct hs_fixup_info *info)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < info->n_settings; i++) {
		struct json_object *o = json_object_new_object();

		hs_json_add_text(o, "name", info->settings[i].name);
		hs_json_add_text(o, "type", info->settings[i].is_bool ? "bool" : "int");
		json_object_object_add(o, "default", json_object_new_int(info->settings[i].value));
		json_object_object_add(o, "min", json_object_new_int(info->settings[i].min));
		json_object_object_add(o, "max", json_object_new_int(info->settings[i].max));
		hs_json_add_text(o, "help", info->settings[i].help);
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *fixup_json(const struct hs_fixup *fixup)
{
	const struct hs_fixup_info *info = hs_fixup_info(fixup);
	struct json_object *o = json_object_new_object();
	struct json_object *kfuncs = json_object_new_array();

	for (size_t i = 0; i < info->n_kfuncs; i++)
		json_object_array_add(kfuncs, json_object_new_string(info->kfuncs[i]));

	hs_json_add_text(o, "name", hs_fixup_name(fixup));
	hs_json_add_text(o, "file", hs_fixup_path(fixup));
	hs_json_add_number(o, "priority", hs_fixup_priority(fixup));
	hs_json_add_text(o, "group", hs_fixup_group(fixup));
	hs_json_add_text(o, "license", info->license);
	hs_json_add_text(o, "interface", interface_name(info->interface));
	hs_json_add_bool(o, "probe", info->has_probe);
	json_object_object_add(o, "devices", matches_json(info));
	json_object_object_add(o, "programs", programs_json(info));
	json_object_object_add(o, "maps", maps_json(info));
	json_object_object_add(o, "properties",
			       properties_json(info->properties, info->n_properties));
	json_object_object_add(o, "exports", properties_json(info->exports, info->n_exports));
	json_object_object_add(o, "settings", settings_json(info));
	json_object_object_add(o, "kernel_functions", kfuncs);
	return o;
}

static int inspect(char **specs, bool json, struct hs_error *err)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	struct hs_fixup_set *set = NULL;
	int rc = HS_EXIT_OK;

	if (hs_fixup_set_open(hs_cli_bpf_path(), 0, &set, err) < 0)
		rc = hs_cli_exit_code(err->code);
	for (; *specs && rc == HS_EXIT_OK; specs++) {
		struct hs_fixup *opened = NULL;
		const struct hs_fixup *fixup = hs_cli_find_fixup(set, *specs, &opened, err);

		if (!fixup)
			rc = hs_cli_exit_code(err->code);
		else if (json)
			json_object_array_add(array, fixup_json(fixup));
		else
			print_text(fixup);
		hs_fixup_free(opened);
	}
	/* A reader of JSON gets all or nothing. */
	if (json && rc == HS_EXIT_OK)
		hs_json_print(array);
	else
		json_object_put(array);
	hs_fixup_set_free(set);
	return rc;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	bool json = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":j", options, NULL)) != -1) {
		if (c != 'j')
			return hs_cli_usage_getopt(err, "inspect", c, argv);
		json = true;
	}
	if (optind >= argc)
		return hs_cli_usage(err, "inspect", "which object?");
	return inspect(argv + optind, json, err);
}

const struct hs_command hs_cmd_inspect = {
	.name = "inspect",
	.summary = "show what is in a fixup's object file",
	.help = help,
	.run = run,
};
