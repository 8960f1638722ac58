/* SPDX-License-Identifier: MIT */
/* A device's hidraw node: its input reports as the kernel hands them on. */
#ifndef HS_DEVICE_HIDRAW_H
#define HS_DEVICE_HIDRAW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/device/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Open the node for reading, without blocking.
 *
 * The kernel keeps 64 reports for each reader and drops further ones silently: read
 * whenever there is something.
 *
 * @return a file descriptor, which the caller closes; -ENODEV if the device has no
 *   node or has gone; -EACCES; another errno of open
 */
int hs_hidraw_open(const struct hs_device *dev, struct hs_error *err);

/**
 * Read one report.
 *
 * @param buf room for HS_REPORT_MAX bytes
 * @return bytes; 0 when there is none at the moment; -ENODEV when the device has gone;
 *   another errno of read
 */
ssize_t hs_hidraw_read(int fd, uint8_t buf[HS_REPORT_MAX]);

#ifdef __cplusplus
}
#endif

#endif /* HS_DEVICE_HIDRAW_H */
