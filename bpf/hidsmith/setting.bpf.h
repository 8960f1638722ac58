/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user may set.
 *
 *	HS_SETTING_INT(sensitivity, 5, 1, 9, "TrackPoint speed");
 *	HS_SETTING_BOOL(fn_lock, true, "F1 to F12 without Fn");
 *
 *	... hs_set_feature(io, 0x13, 0x02, hs_setting(sensitivity));
 *
 * Name, default, smallest and largest value, help. `hidsmith attach --set`, the
 * configuration file or the udev property HIDSMITH_<NAME> gives another value, the
 * first of these that has one. One out of range is refused: --set then attaches
 * nothing, from the others the default stays. A program sees a value that never
 * changes while it is loaded, and the verifier knows it.
 */
#ifndef HIDSMITH_SETTING_BPF_H
#define HIDSMITH_SETTING_BPF_H

#include "hid.bpf.h"
#include "setting_layout.h"

#define HS_SETTING_(name_, type_, default_, min_, max_, help_)                                   \
	const volatile struct hs_setting hs_setting_##name_ SEC(HS_SETTINGS_SECTION) = {         \
		.name = #name_,                                                                  \
		.help = help_,                                                                   \
		.type = type_,                                                                   \
		.value = default_,                                                               \
		.min = min_,                                                                     \
		.max = max_,                                                                     \
	};                                                                                       \
	_Static_assert((min_) <= (default_) && (default_) <= (max_), "default is out of range"); \
	_Static_assert(sizeof(#name_) <= HS_SETTING_NAME_SIZE, "name is too long");              \
	_Static_assert(sizeof(help_) <= HS_SETTING_HELP_SIZE, "help is too long")

#define HS_SETTING_INT(name, default_, min, max, help) \
	HS_SETTING_(name, HS_SETTING_INT, default_, min, max, help)
#define HS_SETTING_BOOL(name, default_, help) \
	HS_SETTING_(name, HS_SETTING_BOOL, default_, 0, 1, help)

#define hs_setting(name) (hs_setting_##name.value)

#endif /* HIDSMITH_SETTING_BPF_H */
