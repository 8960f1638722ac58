/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Settings in an object file: the section `.rodata.hs_settings` is an array of this
 * structure. A loader looks a setting up by name, checks the user's value against
 * min and max, and writes `value` into the section's map before it loads the object;
 * what it does not write stays at the default. Shared by fixups and userspace.
 */
#ifndef HIDSMITH_SETTING_LAYOUT_H
#define HIDSMITH_SETTING_LAYOUT_H

#define HS_SETTINGS_SECTION  ".rodata.hs_settings"
#define HS_SETTING_NAME_SIZE 24
#define HS_SETTING_HELP_SIZE 88

enum hs_setting_type {
	HS_SETTING_INT = 0,
	HS_SETTING_BOOL = 1, /* 0 or 1; "on", "off", "yes", "no", "true", "false" as text */
};

struct hs_setting {
	char name[HS_SETTING_NAME_SIZE]; /* ends in a 0: lower case, digits, '-', '_' */
	char help[HS_SETTING_HELP_SIZE]; /* one line without a full stop, ends in a 0 */
	__u32 type; /* enum hs_setting_type */
	__s32 value; /* the default, in the file */
	__s32 min;
	__s32 max;
};

#endif /* HIDSMITH_SETTING_LAYOUT_H */
