/* SPDX-License-Identifier: MIT */
/* Names of usages, after the HID Usage Tables 1.4 of the USB Implementers Forum. */
#ifndef HS_HID_USAGES_H
#define HS_HID_USAGES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A usage: page in the upper 16 bits, usage ID in the lower ones. */
#define HS_USAGE(page, id) ((uint32_t)(page) << 16 | (uint16_t)(id))

enum hs_usage_page {
	HS_PAGE_GENERIC_DESKTOP = 0x01,
	HS_PAGE_SIMULATION = 0x02,
	HS_PAGE_GENERIC_DEVICE = 0x06,
	HS_PAGE_KEYBOARD = 0x07,
	HS_PAGE_LED = 0x08,
	HS_PAGE_BUTTON = 0x09,
	HS_PAGE_CONSUMER = 0x0c,
	HS_PAGE_DIGITIZER = 0x0d,
	HS_PAGE_HAPTICS = 0x0e,
	HS_PAGE_SENSOR = 0x20,
	HS_PAGE_POWER = 0x84,
	HS_PAGE_BATTERY = 0x85,
	HS_PAGE_VENDOR_FIRST = 0xff00,
};

/** @return "Generic Desktop", or NULL for a page without a name */
const char *hs_usage_page_name(uint16_t page);

/** @return "X", or NULL for a usage that our table does not have */
const char *hs_usage_known_name(uint32_t usage);

/**
 * Name a usage for people: "X", "Button 3", "Vendor 0x01", "Consumer 0x1234".
 *
 * @return @buf
 */
const char *hs_usage_name(uint32_t usage, char *buf, size_t size);

/**
 * The same for a page: "Digitizer", "Vendor 0xff0a", "Page 0x1234".
 *
 * @return @buf
 */
const char *hs_usage_page_format(uint16_t page, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* HS_HID_USAGES_H */
