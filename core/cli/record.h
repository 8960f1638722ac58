/* SPDX-License-Identifier: MIT */
/* What `hidsmith record` and `hidsmith record --io` share. */
#ifndef HS_CLI_RECORD_H
#define HS_CLI_RECORD_H

#include <stdbool.h>
#include <stdio.h>

#include "core/device/device.h"
#include "core/recording/recording.h"

struct record_options {
	const char *output;
	double duration; /* seconds, 0: until told to end */
	bool plain, quiet;
	bool io, no_rebind;
};

/* The file: devices on top, then entries as they come, at times from the first one. */
struct record_file {
	struct hs_recording *rec; /* the devices */
	FILE *out;
	const char *name; /* for errors */
	bool opened;
	unsigned int last; /* device of the last line */
	bool started;
	uint64_t start_us; /* of the first entry */
	size_t n_reports, n_requests;
};

void record_file_close(struct record_file *file);

/* Add a device to be written by record_begin(). */
int record_file_add(struct record_file *file, const struct hs_device *dev, const uint8_t *rdesc,
		    size_t rdesc_size, struct hs_error *err);

/* Microseconds since the first entry. */
uint64_t record_file_time(struct record_file *file, uint64_t time_us);

/* Write an entry; its time is that of CLOCK_MONOTONIC. */
int record_file_entry(struct record_file *file, const struct hs_entry *entry, struct hs_error *err);

/* Everything that was written is in the file after this. */
int record_file_flush(struct record_file *file, struct hs_error *err);

/* CLOCK_MONOTONIC in microseconds. */
uint64_t record_now_us(void);

/* What ends a recording: signals and the duration, as file descriptors to poll. */
struct record_end {
	int signals;
	int timer; /* -1 without a duration */
};

/*
 * Open the file, write the devices, and wait for what ends the recording: a signal does
 * no harm from here on. What this has opened is to be closed when it fails too.
 */
int record_begin(struct record_file *file, struct record_end *end,
		 const struct record_options *opts, struct hs_error *err);
void record_end_close(struct record_end *end);

/*
 * Record with all requests.
 *
 * Returns 1 when told to end, 0 when the last device has gone, or a negative errno.
 */
int record_io(const struct record_options *opts, const struct hs_device *const *devs, size_t n,
	      struct record_file *file, struct hs_error *err);

#endif /* HS_CLI_RECORD_H */
