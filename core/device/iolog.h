/* SPDX-License-Identifier: MIT */
/*
 * The talk between the host and devices as it happens: input reports before and after
 * fixups, requests with their answers, whoever makes them.
 *
 * BPF programs on functions of HID core listen (iolog.bpf.c). They change nothing and
 * go away with the hs_iolog.
 */
#ifndef HS_DEVICE_IOLOG_H
#define HS_DEVICE_IOLOG_H

#include <stdbool.h>

#include "core/device/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum hs_io_kind {
	HS_IO_INPUT, /**< a report of the device, or one that a BPF program injects */
	HS_IO_FIXED, /**< the HS_IO_INPUT before it of this device, after all fixups */
	HS_IO_REQUEST, /**< a request is sent; its answer comes with the same @c seq */
	HS_IO_ANSWER, /**< the end of a request */
};

enum hs_io_origin {
	HS_IO_BY_KERNEL, /**< for input: by the device */
	HS_IO_BY_HIDRAW, /**< a program that has the hidraw node open */
	HS_IO_BY_BPF, /**< a fixup */
};

/** One thing that happened. */
struct hs_io_event {
	enum hs_io_kind kind;
	uint64_t time_us; /**< CLOCK_MONOTONIC */
	unsigned int device; /**< as given to hs_iolog_add() */
	enum hs_io_origin origin; /**< of input and requests */
	uint64_t seq; /**< of requests and answers */
	/** What the request is; @c valid is false for those that recordings have no word
	 * for, such as GET_REPORT(Output). Of its data only type, report_id, data and
	 * size are set.
	 */
	struct hs_request request;
	bool valid;
	uint8_t report_type; /**< of input: 0 input; requests of that type answered late */
	int result; /**< of answers: bytes or a negative errno; of HS_IO_FIXED: -errno if dropped */
	const uint8_t *data; /**< of input, fixed, and answers of get requests */
	size_t size;
};

/** Opaque. */
struct hs_iolog;

/**
 * Load the programs; they listen to nothing yet.
 *
 * @param out set on success; free with hs_iolog_free()
 * @return 0; -EPERM; -ENOTSUP if the kernel has no HID-BPF or no BTF; -ENOEXEC if it
 *   refuses the programs
 */
int hs_iolog_open(struct hs_iolog **out, struct hs_error *err);

/** @param log may be NULL */
void hs_iolog_free(struct hs_iolog *log);

/**
 * Listen to this device; its events have @index.
 *
 * @return 0; -E2BIG after 256 devices; another negative errno
 */
int hs_iolog_add(struct hs_iolog *log, const struct hs_device *dev, unsigned int index,
		 struct hs_error *err);

/**
 * From now on.
 *
 * @return 0; a negative errno if the kernel lacks a function that is listened at:
 *   then free it, for some may be listened at already
 */
int hs_iolog_start(struct hs_iolog *log, struct hs_error *err);

/**
 * The report descriptor as the device has it, before fixups and drivers change it.
 *
 * @param rdesc room for HS_RDESC_MAX bytes
 * @param size set to the descriptor's size on success, in bytes
 * @return 0; -ENODEV if the device has gone; -EIO if it could not be read
 */
int hs_iolog_rdesc(struct hs_iolog *log, const struct hs_device *dev, uint8_t rdesc[HS_RDESC_MAX],
		   size_t *size, struct hs_error *err);

/** A descriptor that is readable when there are events. It lives as long as @log. */
int hs_iolog_fd(const struct hs_iolog *log);

/**
 * Call @fn for each event there is, in order of time for each device.
 *
 * @param fn returns 0, or a negative errno to stop
 * @return 0 or what @fn returned
 */
int hs_iolog_read(struct hs_iolog *log, int (*fn)(const struct hs_io_event *event, void *data),
		  void *data);

/** Number of events that were lost since there was no room for them, from the start. */
uint64_t hs_iolog_lost(struct hs_iolog *log);

#ifdef __cplusplus
}
#endif

#endif /* HS_DEVICE_IOLOG_H */
