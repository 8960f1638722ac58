/* SPDX-License-Identifier: MIT */
/*
 * Input events as they came out, kept by node: written and read as text, compared.
 *
 * The text has an `N: name` line for each node and below it evemu's lines,
 * `E: sec.usec type code value`, type and code in hexadecimal.
 */
#ifndef HS_REPLAY_CAPTURE_H
#define HS_REPLAY_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/error.h"

struct hs_capture_event {
	uint64_t time_us;
	uint16_t type;
	uint16_t code;
	int32_t value;
	uint32_t line; /* of the recording: the report before it; or of the file read; 0: none */
};

struct hs_capture_node {
	char *name; /* harmless for a terminal */
	struct hs_capture_event *events;
	size_t count;
	size_t room;
};

/* Zero-initialise; hs_capture_clear() frees what is in it. */
struct hs_capture {
	struct hs_capture_node *nodes;
	size_t count;
};

void hs_capture_clear(struct hs_capture *capture);

/* Returns the new node's index or -ENOMEM. */
int hs_capture_add_node(struct hs_capture *capture, const char *name);

/* Returns 0 or -ENOMEM. */
int hs_capture_add_event(struct hs_capture_node *node, const struct hs_capture_event *event);

size_t hs_capture_event_count(const struct hs_capture *capture);

/* Returns 0 or a negative errno. */
int hs_capture_write(const struct hs_capture *capture, FILE *out);

/*
 * Write to a file, all or nothing: the old one stays when something fails. What is
 * there and no regular file, such as a device, is written to as it is.
 */
int hs_capture_save(const struct hs_capture *capture, const char *path, struct hs_error *err);

/*
 * Read what hs_capture_write() wrote. Comments and empty lines are skipped.
 *
 * Returns 0; -EINVAL with "file:line: reason"; errno of open and read
 */
int hs_capture_load(struct hs_capture *capture, const char *path, struct hs_error *err);

/* Same nodes and events in the same order, whatever their times? */
bool hs_capture_equal(const struct hs_capture *a, const struct hs_capture *b);

/*
 * Write a unified diff; times are shown and do not count. Each hunk names the node
 * and the recording's line whose report came before.
 */
int hs_capture_diff(const struct hs_capture *expected, const struct hs_capture *got,
		    const char *expected_name, const char *got_name, FILE *out);

#endif /* HS_REPLAY_CAPTURE_H */
