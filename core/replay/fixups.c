// SPDX-License-Identifier: MIT
#include "core/replay/fixups.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/device/device.h"

static void say(const struct hs_replay_opts *opts, const char *sysname, const char *what,
		const struct hs_fixup *fixup)
{
	char text[512];

	if (!opts->log)
		return;
	snprintf(text, sizeof(text), "%s: %s %s", sysname, hs_fixup_name(fixup), what);
	opts->log(text, opts->log_data);
}

static const char *device_property(const char *name, void *data)
{
	return hs_device_property(data, name);
}

/* Where attaching one device has got to. */
struct attach {
	const struct hs_replay_opts *opts;
	const struct hs_device *device;
	struct hs_replay_used *used;
	struct hs_attach_opts to;
};

static void note_settings(struct attach *a, const struct hs_fixup *fixup)
{
	for (size_t i = 0; i < a->opts->n_settings; i++)
		if (!hs_fixup_check_setting(fixup, &a->opts->settings[i], NULL))
			a->used->settings[i] = true;
}

/* A value that a fixup does not take is an error before anything is attached. */
static int check_settings(const struct attach *a, const struct hs_fixup *fixup,
			  struct hs_error *err)
{
	if (!hs_fixup_matches(fixup, &a->device->id))
		return 0;
	for (size_t i = 0; i < a->opts->n_settings; i++) {
		int rc = hs_fixup_check_setting(fixup, &a->opts->settings[i], err);

		if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	return 0;
}

static int check_all_settings(const struct attach *a, struct hs_error *err)
{
	size_t n_set = a->opts->set ? hs_fixup_set_count(a->opts->set) : 0;
	int rc = 0;

	for (size_t i = 0; i < a->opts->n_fixups && !rc; i++)
		rc = check_settings(a, a->opts->fixups[i], err);
	for (size_t i = 0; i < n_set && !rc; i++)
		rc = check_settings(a, hs_fixup_set_get(a->opts->set, i), err);
	return rc;
}

/* Returns 1 when attached, 0 when `probe` said no, or a negative errno. */
static int attach_one(struct attach *a, struct hs_fixup *fixup, struct hs_error *err)
{
	const char *sysname = a->device->sysname;
	struct hs_error one = { 0 };
	int rc = hs_fixup_attach(fixup, sysname, &a->to, &one);

	if (!rc) {
		note_settings(a, fixup);
		say(a->opts, sysname, "attached", fixup);
		return 1;
	}
	if (rc == -ECANCELED) {
		say(a->opts, sysname, "does not want this device", fixup);
		return 0;
	}
	if (err)
		*err = one;
	return rc;
}

static void tell(const struct hs_fixup *fixup, int result, const struct hs_error *err, void *data)
{
	struct attach *a = data;

	if (!result) {
		note_settings(a, fixup);
		say(a->opts, a->device->sysname, "attached", fixup);
	} else if (result == -ECANCELED) {
		say(a->opts, a->device->sysname, "does not want this device", fixup);
	} else if (a->opts->log) {
		a->opts->log(err->text, a->opts->log_data);
	}
}

static int attach_named(struct attach *a, struct hs_error *err)
{
	int count = 0;

	for (size_t i = 0; i < a->opts->n_fixups; i++) {
		int rc;

		if (!hs_fixup_matches(a->opts->fixups[i], &a->device->id))
			continue;
		rc = attach_one(a, a->opts->fixups[i], err);
		if (rc < 0)
			return rc;
		a->used->fixups[i] |= rc > 0;
		count += rc;
	}
	return count;
}

int hs_replay_attach(const struct hs_replay_opts *opts, const char *sysname,
		     struct hs_replay_used *used, struct hs_error *err)
{
	struct attach a = {
		.opts = opts,
		.used = used,
		.to = {
			.size = sizeof(a.to),
			.properties = opts->properties,
			.n_properties = opts->n_properties,
			.property = device_property,
			.settings = opts->settings,
			.n_settings = opts->n_settings,
			.skip_unknown_settings = true,
		},
	};
	struct hs_device_list *devices = NULL;
	int count, rc;

	if (!opts->n_fixups && !opts->set)
		return 0;
	/* The kernel's own view: it knows the device's group, the recording does not. */
	rc = hs_device_list_open(&devices, err);
	if (!rc)
		rc = hs_device_list_find(devices, sysname, &a.device, err);
	if (!rc)
		rc = check_all_settings(&a, err);
	if (rc)
		goto out;
	a.to.property_data = (void *)(uintptr_t)a.device;
	rc = count = attach_named(&a, err);
	if (rc >= 0 && opts->set) {
		rc = hs_fixup_set_attach(opts->set, sysname, &a.device->id, &a.to, tell, &a, err);
		rc = rc < 0 ? rc : rc + count;
	}
out:
	hs_device_list_free(devices);
	return rc;
}

int hs_replay_check_used(const struct hs_replay_opts *opts, const struct hs_replay_used *used,
			 struct hs_error *err)
{
	for (size_t i = 0; i < opts->n_fixups; i++)
		if (!used->fixups[i])
			return hs_error_set(err, -ENOENT,
					    "%s: attached to no device of the recording; 'hidsmith "
					    "inspect' shows which devices it is for",
					    hs_fixup_name(opts->fixups[i]));
	for (size_t i = 0; i < opts->n_settings; i++)
		if (!used->settings[i])
			return hs_error_set(err, -ENOENT,
					    "setting %s: no fixup that was attached has it; "
					    "'hidsmith inspect' shows those it has",
					    opts->settings[i].name);
	return 0;
}
