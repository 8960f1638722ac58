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

/* Returns 1 when attached, 0 when `probe` said no, or a negative errno. */
static int attach_one(const struct hs_replay_opts *opts, struct hs_fixup *fixup,
		      const char *sysname, const struct hs_attach_opts *attach,
		      struct hs_error *err)
{
	struct hs_error one = { 0 };
	int rc = hs_fixup_attach(fixup, sysname, attach, &one);

	if (!rc) {
		say(opts, sysname, "attached", fixup);
		return 1;
	}
	if (rc == -ECANCELED) {
		say(opts, sysname, "does not want this device", fixup);
		return 0;
	}
	if (err)
		*err = one;
	return rc;
}

struct teller {
	const struct hs_replay_opts *opts;
	const char *sysname;
};

static void tell(const struct hs_fixup *fixup, int result, const struct hs_error *err, void *data)
{
	const struct teller *t = data;

	if (!result)
		say(t->opts, t->sysname, "attached", fixup);
	else if (result == -ECANCELED)
		say(t->opts, t->sysname, "does not want this device", fixup);
	else if (t->opts->log)
		t->opts->log(err->text, t->opts->log_data);
}

static int attach_named(const struct hs_replay_opts *opts, const struct hs_device *device,
			const struct hs_attach_opts *attach, bool *used, struct hs_error *err)
{
	int count = 0;

	for (size_t i = 0; i < opts->n_fixups; i++) {
		int rc;

		if (!hs_fixup_matches(opts->fixups[i], &device->id))
			continue;
		rc = attach_one(opts, opts->fixups[i], device->sysname, attach, err);
		if (rc < 0)
			return rc;
		used[i] |= rc > 0;
		count += rc;
	}
	return count;
}

int hs_replay_attach(const struct hs_replay_opts *opts, const char *sysname, bool *used,
		     struct hs_error *err)
{
	struct teller teller = { .opts = opts, .sysname = sysname };
	struct hs_attach_opts attach = {
		.size = sizeof(attach),
		.properties = opts->properties,
		.n_properties = opts->n_properties,
		.property = device_property,
	};
	struct hs_device_list *devices = NULL;
	const struct hs_device *device;
	int count, rc;

	if (!opts->n_fixups && !opts->set)
		return 0;
	/* The kernel's own view: it knows the device's group, the recording does not. */
	rc = hs_device_list_open(&devices, err);
	if (!rc)
		rc = hs_device_list_find(devices, sysname, &device, err);
	if (rc)
		goto out;
	attach.property_data = (void *)(uintptr_t)device;
	rc = count = attach_named(opts, device, &attach, used, err);
	if (rc >= 0 && opts->set) {
		rc = hs_fixup_set_attach(opts->set, sysname, &device->id, &attach, tell, &teller,
					 err);
		rc = rc < 0 ? rc : rc + count;
	}
out:
	hs_device_list_free(devices);
	return rc;
}

int hs_replay_check_used(const struct hs_replay_opts *opts, const bool *used, struct hs_error *err)
{
	for (size_t i = 0; i < opts->n_fixups; i++)
		if (!used[i])
			return hs_error_set(err, -ENOENT,
					    "%s: attached to no device of the recording; 'hidsmith "
					    "inspect' shows which devices it is for",
					    hs_fixup_name(opts->fixups[i]));
	return 0;
}
