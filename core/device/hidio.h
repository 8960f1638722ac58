/* SPDX-License-Identifier: MIT */
/*
 * Requests to a device by hand, through hidapi and hidraw; SET_REPORT(Output), which
 * these do not have, through HID-BPF.
 */
#ifndef HS_DEVICE_HIDIO_H
#define HS_DEVICE_HIDIO_H

#include "core/device/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A device that is open for requests. Opaque. */
struct hs_hidio;

/**
 * Open a device. From now on its input reports are kept for hs_hidio_read(), the last
 * 64 of them.
 *
 * @param out set on success; close with hs_hidio_close()
 * @return 0; -ENODEV; -EACCES; -EIO
 */
int hs_hidio_open(const struct hs_device *dev, struct hs_hidio **out, struct hs_error *err);

/** @param io may be NULL */
void hs_hidio_close(struct hs_hidio *io);

/**
 * Make a request.
 *
 * Bytes are as HID core has them: the first one is the report ID, or 0 for a device
 * without report IDs.
 *
 * @param req in: type, report_id (get requests) or data and size. Out: answer; error
 *   with a device that refuses; answer_data points into @buf
 * @param buf room for HS_REPORT_MAX bytes, for the answer
 * @param buf_size bytes to ask a get request for, at most HS_REPORT_MAX
 * @return 0 if the device has answered, with an error too; -ENODEV if it has gone;
 *   -EINVAL for more than HS_REPORT_MAX bytes; for SET_REPORT(Output), which goes by
 *   HID-BPF, -EPERM and -ENOTSUP, too
 */
int hs_hidio_request(struct hs_hidio *io, struct hs_request *req, uint8_t *buf, size_t buf_size,
		     struct hs_error *err);

/**
 * The next input report.
 *
 * @param buf room for HS_REPORT_MAX bytes
 * @param timeout_ms milliseconds to wait; 0 takes what is there
 * @return bytes; 0 if none came in time; -ENODEV if the device has gone
 */
int hs_hidio_read(struct hs_hidio *io, uint8_t *buf, int timeout_ms, struct hs_error *err);

#ifdef __cplusplus
}
#endif

#endif /* HS_DEVICE_HIDIO_H */
