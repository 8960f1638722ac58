/* SPDX-License-Identifier: MIT */
/*
 * A HID device that this process plays: created through /dev/uhid, its side of
 * every request served by a thread of its own.
 *
 * The kernel probes the device in a worker and may block there on a request, so
 * answers must never wait for the thread that feeds input reports.
 */
#ifndef HS_DEVICE_UHID_H
#define HS_DEVICE_UHID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/recording/recording.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A device made by hs_uhid_create(). Opaque. */
struct hs_uhid;

/** What the kernel tells the device beside requests. */
enum hs_uhid_state {
	HS_UHID_START, /**< a driver starts the device; during probe */
	HS_UHID_STOP,
	HS_UHID_OPEN, /**< the first reader of an input node or hidraw came */
	HS_UHID_CLOSE,
};

/** The device's side. All are called from the device's own thread; none may be NULL. */
struct hs_uhid_ops {
	/**
	 * A request of the host. Fill in the answer members; they are HS_ANSWER_OK
	 * without data when this is called. @c answer_data must live until
	 * answered() or the device's end.
	 *
	 * The request's data are valid during the call only. @c mask is NULL and
	 * @c standing false.
	 */
	void (*request)(struct hs_request *req, void *data);
	/**
	 * The answer of the last get or set request went to the kernel, or never
	 * will: the device is silent, or the kernel gave up waiting (it does after 5 s).
	 */
	void (*answered)(void *data);
	/**
	 * The kernel asks for what recordings have no line for: GET_REPORT(Output) or
	 * SET_REPORT(Input). It was refused.
	 */
	void (*refused)(const char *what, unsigned int report_id, void *data);
	void (*state)(enum hs_uhid_state state, void *data);
};

/**
 * Create a device and start its thread. Returns before the kernel has probed it.
 *
 * The name, path and unique text longer than uhid takes (127 and 63 bytes) are cut.
 *
 * @param dev identity and report descriptor; need not outlive the call
 * @param ops must outlive the device
 * @param data handed to @p ops
 * @param out set on success; end it with hs_uhid_destroy()
 * @return 0, -ENOENT or -ENODEV when the kernel has no uhid, -EACCES, -EINVAL for a
 *   descriptor that is empty or larger than HS_RDESC_MAX, -ETIMEDOUT when the kernel
 *   did not announce the device
 */
int hs_uhid_create(const struct hs_recorded_device *dev, const struct hs_uhid_ops *ops, void *data,
		   struct hs_uhid **out, struct hs_error *err);

/** The name below /sys/bus/hid/devices, "BUS:VENDOR:PRODUCT.NUMBER". */
const char *hs_uhid_sysname(const struct hs_uhid *dev);

/**
 * Wait until a driver is bound; the kernel drops input reports before that.
 *
 * The time starts anew with each request that the kernel makes, since a probe may
 * wait 5 s for each request that is not answered.
 *
 * @param timeout_ms time without a sign of life
 * @return 0; -ENODEV when the kernel refused the device; -ETIMEDOUT
 */
int hs_uhid_wait_bound(struct hs_uhid *dev, unsigned int timeout_ms, struct hs_error *err);

/**
 * Send one input report. The kernel has handled it when this returns: all events
 * that it gives rise to at once can be read.
 *
 * @param size at most HS_REPORT_MAX; report ID first where the device uses IDs
 * @return 0 or a negative errno; -EINVAL when the kernel has no such device any more
 */
int hs_uhid_input(struct hs_uhid *dev, const uint8_t *report, size_t size);

/**
 * Take the device away, as when it is unplugged; a pending request ends with an
 * error. Returns when the kernel has removed it and the thread has ended.
 *
 * @param dev may be NULL
 */
void hs_uhid_destroy(struct hs_uhid *dev);

#ifdef __cplusplus
}
#endif

#endif /* HS_DEVICE_UHID_H */
