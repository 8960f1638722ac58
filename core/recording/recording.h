/* SPDX-License-Identifier: MIT */
/*
 * Recordings: the text format of hid-recorder, read and written.
 *
 * A file holds one or more devices, their input reports in order of time, and
 * comments. hidsmith adds the host's side of the talk as comment lines with a
 * fixed prefix, so that other tools still play the file:
 *
 *   # hidsmith: TIME REQUEST -> ANSWER
 *
 * TIME is seconds since the start, or `*` for a standing answer: whenever it is
 * asked, in any order, any number of times. REQUEST is one of
 *
 *   output LEN BYTES         an output report on the interrupt pipe; has no
 *                            answer, the arrow is left out
 *   set-output LEN BYTES     SET_REPORT(Output)
 *   set-feature LEN BYTES    SET_REPORT(Feature)
 *   get-feature ID           GET_REPORT(Feature); ID is two hex digits
 *   get-input ID             GET_REPORT(Input)
 *
 * A byte `??` stands for any value. LEN is decimal and counts the report ID,
 * which is the first byte where the device uses report IDs. ANSWER is one of
 *
 *   ok                       for the set requests
 *   ok LEN BYTES             for the get requests, report ID included
 *   error N                  the device refuses; N is an errno value
 *   silent                   the device never answers
 *
 * and may be preceded by `late MS`, milliseconds from request to answer. Lines
 * with a time are a script: the requests must come in the order of the file,
 * after the reports before them and, in the device's eyes, before the reports
 * after them. `# hidsmith: TIME unplug` takes the device away.
 * `# hidsmith: uniq TEXT` is the device's uniq string; `U: TEXT` is read too, but
 * not written, since it is no key of other tools.
 *
 * In files with several devices these lines belong to the device of the last
 * `D:` line, as reports do.
 */
#ifndef HS_RECORDING_RECORDING_H
#define HS_RECORDING_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/hid/rdesc.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Largest report descriptor the kernel takes, in bytes (HID_MAX_DESCRIPTOR_SIZE). */
#define HS_RDESC_MAX 4096
/** Largest report that uhid carries, in bytes (UHID_DATA_MAX). */
#define HS_REPORT_MAX 4096

/** Largest recording that is read, in bytes; the largest known has 4 MB. */
#define HS_RECORDING_MAX (256u << 20)

/** The identity of a HID device, as the `I:` line and the kernel have it. */
struct hs_hid_id {
	uint16_t bus; /**< BUS_USB 0x03, BUS_BLUETOOTH 0x05, BUS_I2C 0x18, ... */
	uint16_t group; /**< HID_GROUP_*, 0 = not known; only matching uses it */
	uint32_t vendor;
	uint32_t product;
	uint32_t version;
};

enum hs_entry_type {
	HS_ENTRY_INPUT, /**< `E:`, an input report of the device */
	HS_ENTRY_REQUEST, /**< a request of the host, with the device's answer */
	HS_ENTRY_UNPLUG, /**< the device goes away */
	HS_ENTRY_COMMENT, /**< text that has no meaning to us, kept for writing back */
};

enum hs_request_type {
	HS_REQUEST_OUTPUT,
	HS_REQUEST_SET_OUTPUT,
	HS_REQUEST_SET_FEATURE,
	HS_REQUEST_GET_FEATURE,
	HS_REQUEST_GET_INPUT,
};

enum hs_answer_type {
	HS_ANSWER_OK,
	HS_ANSWER_ERROR,
	HS_ANSWER_SILENT,
};

/** A request of the host and what the device says to it. */
struct hs_request {
	enum hs_request_type type;
	bool standing; /**< time `*`: any time, any number of times */
	uint8_t report_id; /**< of get requests */
	const uint8_t *data; /**< of set requests and output reports, report ID first */
	const uint8_t *
		mask; /**< same size: 0 where the line has `??` (data is 0 there), else 0xff; NULL: all known */
	size_t size;
	enum hs_answer_type answer;
	int error; /**< HS_ANSWER_ERROR: a positive errno */
	unsigned int late_ms; /**< delay of the answer, milliseconds */
	const uint8_t *answer_data; /**< of get requests, report ID first; NULL with size 0 */
	size_t answer_size;
};

/** One line of a recording, in file order. */
struct hs_entry {
	enum hs_entry_type type;
	unsigned int device; /**< index into the recording's devices */
	uint64_t time_us; /**< microseconds since the device's (file's) start */
	unsigned int line; /**< line number in the file, from 1; 0 if made by a program */
	union {
		struct {
			const uint8_t *data; /**< report ID first, where there is one */
			size_t size;
		} input;
		struct hs_request request;
		const char *comment; /**< without `# ` */
	};
};

/** One device of a recording. */
struct hs_recorded_device {
	int number; /**< of the `D:` line; 0 if there is none */
	const char *name; /**< `N:`, with its trailing spaces; never NULL, may be not UTF-8 */
	const char *phys; /**< `P:`; never NULL, "" if absent or empty */
	const char *uniq; /**< `# hidsmith: uniq`; never NULL, "" if absent */
	struct hs_hid_id id;
	const uint8_t *rdesc; /**< report descriptor */
	size_t rdesc_size;
};

/** Opaque; everything that is reached through it lives as long as it does. */
struct hs_recording;

/**
 * Read a recording.
 *
 * Every line variant found in the wild is read as its author meant it: `D:0`,
 * CRLF, comments with and without `#`, several devices, no newline at the end.
 *
 * @param path the file, or "-" for standard input
 * @param out set on success; free with hs_recording_free()
 * @param err "file:line: reason" on failure
 * @return 0, -EINVAL when the file is malformed or larger than HS_RECORDING_MAX, or
 *   the errno of open and read
 */
int hs_recording_read(const char *path, struct hs_recording **out, struct hs_error *err);

/**
 * The same from memory.
 *
 * @param name stands for the file in error texts
 */
int hs_recording_parse(const char *name, const char *text, size_t size, struct hs_recording **out,
		       struct hs_error *err);

/**
 * A recording without devices and entries, to be filled by a recorder.
 *
 * @return NULL without memory; free with hs_recording_free()
 */
struct hs_recording *hs_recording_new(void);

/** @param rec may be NULL */
void hs_recording_free(struct hs_recording *rec);

/** Of devices; an entry has an index that is less. */
size_t hs_recording_device_count(const struct hs_recording *rec);

/** @return NULL if @index is out of range */
const struct hs_recorded_device *hs_recording_device(const struct hs_recording *rec, size_t index);

/** Of reports, requests, unplugs and comments. */
size_t hs_recording_entry_count(const struct hs_recording *rec);

/** Entries in file order. @return NULL if @index is out of range */
const struct hs_entry *hs_recording_entry(const struct hs_recording *rec, size_t index);

/**
 * Add a device; its strings and descriptor are copied.
 *
 * @return its index; -EINVAL for a descriptor that is empty or larger than
 *   HS_RDESC_MAX, or a negative number; -EEXIST if the number is taken; -ENOMEM
 */
int hs_recording_add_device(struct hs_recording *rec, const struct hs_recorded_device *dev);

/**
 * Add an entry at the end; its data are copied.
 *
 * @return 0; -EINVAL for one that no line of a file could say; -ENOMEM
 */
int hs_recording_add_entry(struct hs_recording *rec, const struct hs_entry *entry);

/**
 * Write the head of a file: all devices' `D: R: N: P: I:` lines. A single device
 * with number 0 has no `D:` line.
 *
 * @return 0, or -EIO when @out has an error
 */
int hs_recording_write_devices(const struct hs_recording *rec, FILE *out);

/**
 * Write one entry. `D:` lines are written where the device changes.
 *
 * @param last index of the device that the last written line belongs to; updated
 * @return 0; -EINVAL for an entry that could not be read again, and nothing is
 *   written; -EIO when @out has an error
 */
int hs_recording_write_entry(const struct hs_recording *rec, const struct hs_entry *entry,
			     unsigned int *last, FILE *out);

/**
 * Write all of it. Reading it again gives the same devices and entries.
 *
 * @return 0 or a negative errno, as the two above
 */
int hs_recording_write(const struct hs_recording *rec, FILE *out);

/**
 * Format a request as its line has it, without prefix and time: in messages and
 * differences the same words stand as in the file.
 *
 * @param size of @buf, in bytes; what does not fit is cut off. 3 for each byte of
 *   data and answer, and 128, are enough.
 * @return @buf
 */
const char *hs_request_format(const struct hs_request *req, char *buf, size_t size);

/** The type of the report that a request sets or gets. */
enum hs_report_type hs_request_report_type(const struct hs_request *req);

#ifdef __cplusplus
}
#endif

#endif /* HS_RECORDING_RECORDING_H */
