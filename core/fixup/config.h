/* SPDX-License-Identifier: MIT */
/*
 * The machine's configuration, /etc/hidsmith/hidsmith.conf: what is switched off,
 * and settings of fixups. hidsmith.conf(5) describes the file.
 *
 *	[hidsmith]
 *	enabled = no
 *
 *	[device 0003:28BD:*]
 *	enabled = no
 *
 *	[fixup lenovo__trackpoint-keyboard-2]
 *	set sensitivity = 7
 *	HUION_FIRMWARE_ID = HUION_T21j
 *
 * `set` gives a setting of the object a value (bpf/hidsmith/setting.bpf.h); a key in
 * capitals is a udev property that objects read. In a device's section they hold for
 * that device, in a fixup's for that fixup.
 */
#ifndef HS_FIXUP_CONFIG_H
#define HS_FIXUP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/recording/recording.h" /* struct hs_hid_id */

#ifdef __cplusplus
extern "C" {
#endif

#define HS_CONFIG_PATH "/etc/hidsmith/hidsmith.conf"

/** A configuration that was read. Opaque. */
struct hs_config;

/**
 * Read the configuration. A file that is not there is an empty one.
 *
 * @param path usually HS_CONFIG_PATH
 * @param flags HS_OPEN_TRUSTED_ONLY (core/fixup/fixup.h) or 0
 * @param out set on success; free with hs_config_free()
 * @return 0; -EINVAL with "path:line: reason" if something in it is not understood,
 *   so that a misspelt switch does not stay on; -EPERM not to be trusted; errno of
 *   open and read
 */
int hs_config_read(const char *path, unsigned int flags, struct hs_config **out,
		   struct hs_error *err);

/** The same from memory. @param name for error texts */
int hs_config_parse(const char *name, const char *text, size_t size, struct hs_config **out,
		    struct hs_error *err);

/** @param config may be NULL */
void hs_config_free(struct hs_config *config);

/** May anything be attached by itself when a device appears? */
bool hs_config_enabled(const struct hs_config *config);

/** May anything be attached by itself to this device? */
bool hs_config_device_enabled(const struct hs_config *config, const struct hs_hid_id *id);

/** May this fixup be attached by itself? @param name with or without the priority */
bool hs_config_fixup_enabled(const struct hs_config *config, const char *name);

/** Are the objects that were installed for udev-hid-bpf used, too? Default: no. */
bool hs_config_udev_hid_bpf(const struct hs_config *config);

/** After how many milliseconds an attach that udev waits for is given up. */
unsigned int hs_config_deadline(const struct hs_config *config);

/**
 * The value of a setting of an object. A fixup's section comes before a device's,
 * the last of several lines counts.
 *
 * @param fixup with or without the priority
 * @param id may be NULL
 * @return NULL if nothing is set; lives as long as the configuration
 */
const char *hs_config_setting(const struct hs_config *config, const char *fixup,
			      const struct hs_hid_id *id, const char *name);

/** The same for a udev property, instead of what udev knows of the device. */
const char *hs_config_property(const struct hs_config *config, const char *fixup,
			       const struct hs_hid_id *id, const char *name);

#ifdef __cplusplus
}
#endif

#endif /* HS_FIXUP_CONFIG_H */
