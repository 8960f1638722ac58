/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which devices a fixup is for.
 *
 *	HID_BPF_CONFIG(
 *		HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x28bd, 0x0914),
 *		HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_ANY, 0x28bd, 0x0202)
 *	);
 *
 * The list exists only in the object's BTF: a union `_device_ids` in the section
 * `.hid_bpf_config`, one struct for each device, in which `int (*vid)[0x28bd]`
 * says "the vendor is 0x28bd". Loaders read it without loading the object; it is
 * the layout of udev-hid-bpf, so its tools read it too.
 */
#ifndef HIDSMITH_MATCH_BPF_H
#define HIDSMITH_MATCH_BPF_H

#include "foreach.h"

#define BUS_ANY       0x00
#define BUS_USB       0x03
#define BUS_BLUETOOTH 0x05
#define BUS_VIRTUAL   0x06
#define BUS_I2C       0x18

#define HID_GROUP_ANY                0x0000
#define HID_GROUP_GENERIC            0x0001
#define HID_GROUP_MULTITOUCH         0x0002
#define HID_GROUP_SENSOR_HUB         0x0003
#define HID_GROUP_MULTITOUCH_WIN_8   0x0004
#define HID_GROUP_RMI                0x0100
#define HID_GROUP_WACOM              0x0101
#define HID_GROUP_LOGITECH_DJ_DEVICE 0x0102
#define HID_GROUP_STEAM              0x0103

#define HID_VID_ANY 0x0000
#define HID_PID_ANY 0x0000

#define HID_DEVICE(bus_, group_, vendor, product) \
	struct {                                  \
		int (*bus)[bus_];                 \
		int (*group)[group_];             \
		int (*vid)[vendor];               \
		int (*pid)[product];              \
	} HS_PASTE(_entry, __COUNTER__)

#define HS_MATCH_ENTRY(entry) entry;
#define HID_BPF_CONFIG(...)                              \
	union {                                          \
		HS_FOR_EACH(HS_MATCH_ENTRY, __VA_ARGS__) \
	} _device_ids SEC(".hid_bpf_config")

/* The same for a table kept elsewhere; each line of it is `HID_DEVICE(...);`. */
#define HID_BPF_CONFIG_TABLE(table) \
	union {                     \
		table               \
	} _device_ids SEC(".hid_bpf_config")

#endif /* HIDSMITH_MATCH_BPF_H */
