/* SPDX-License-Identifier: MIT */
/*
 * SET_REPORT(Output) to a device. hidraw has no way to it where the device has an
 * interrupt pipe for output (its ioctl takes that one), and so hidapi has none.
 * Private to core/device.
 */
#ifndef HS_DEVICE_SET_REPORT_H
#define HS_DEVICE_SET_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

/*
 * Make the request through HID-BPF.
 *
 * @result: bytes or a negative errno of the device
 * Returns 0 if it was made; -EPERM; -ENOTSUP without HID-BPF; -ENODEV.
 */
int hs_set_output_report(uint32_t hid_id, const uint8_t *data, size_t size, int *result,
			 struct hs_error *err);

#endif /* HS_DEVICE_SET_REPORT_H */
