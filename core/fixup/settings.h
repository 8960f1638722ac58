/* SPDX-License-Identifier: MIT */
/*
 * Settings in an object: the array in its section .rodata.hs_settings. Private to
 * core/fixup.
 */
#ifndef HS_FIXUP_SETTINGS_H
#define HS_FIXUP_SETTINGS_H

#include "core/fixup/fixup.h"
#include "core/fixup/strings.h"

/* The section, and the name of the map's pin. */
#define HS_SETTINGS_MAP ".rodata.hs_settings"
#define HS_SETTINGS_PIN "rodata_hs_settings"

/*
 * Read the section's contents.
 *
 * @strings: keeps the texts
 * @out, @n: an array; free it with hs_free_const()
 *
 * Returns 0; -EINVAL if that is no array of settings; -ENOMEM.
 */
int hs_settings_read(const void *section, size_t size, struct hs_strings *strings,
		     const struct hs_setting_info **out, size_t *n);

/*
 * A user's text as a value.
 *
 * Returns 0, or -EINVAL with "'12' is out of range, which is 1 to 9" in @err.
 */
int hs_setting_parse(const struct hs_setting_info *setting, const char *text, int32_t *value,
		     struct hs_error *err);

/* Write a value into the section; @index as hs_settings_read() numbers them. */
void hs_setting_write(void *section, size_t index, int32_t value);

/* The udev property of a setting, "HIDSMITH_FN_LOCK". Returns @buf. */
const char *hs_setting_property(const char *name, char *buf, size_t size);

#endif /* HS_FIXUP_SETTINGS_H */
