/* SPDX-License-Identifier: MIT */
/*
 * One device's requests: what the recording says the host asks and what the host
 * does ask, compared in order and by bytes.
 *
 * Touches no device, and knows nothing of threads: the caller keeps them apart.
 */
#ifndef HS_REPLAY_SCRIPT_H
#define HS_REPLAY_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/recording/recording.h"
#include "core/replay/plan.h"

/* What became of a request, of the recording's or the host's. */
enum hs_script_verdict {
	HS_SCRIPT_AS_WRITTEN, /* the recording's next request, at its time */
	HS_SCRIPT_STANDING, /* one with a standing answer */
	HS_SCRIPT_UNSCRIPTED, /* the recording has no requests at all: anything goes */
	/* From here on the verdicts are differences. */
	HS_SCRIPT_EARLY, /* the next request, but before a report that is to cause it */
	HS_SCRIPT_OTHER_BYTES, /* of the next request's kind, with other bytes */
	HS_SCRIPT_UNEXPECTED, /* nothing like it is due */
	HS_SCRIPT_MISSING, /* of the recording, and the host did not ask */
};

/* One thing that happened, in the order in which it did. */
struct hs_script_note {
	enum hs_script_verdict verdict;
	unsigned int device;
	size_t step; /* steps of the plan begun before it, one that waits for a request too */
	const struct hs_entry *expected; /* NULL for standing, unscripted, unexpected */
	size_t expected_step;
	char *seen; /* as hs_request_format() writes it; NULL for a missing one */
};

/* Notes of all devices. Zero-initialise. */
struct hs_script_log {
	struct hs_script_note *notes;
	size_t count;
	size_t room;
	size_t differences;
	size_t seen; /* requests of the host */
	bool out_of_memory; /* some could not be noted */
};

void hs_script_log_clear(struct hs_script_log *log);

static inline bool hs_script_is_difference(enum hs_script_verdict verdict)
{
	return verdict >= HS_SCRIPT_EARLY;
}

/* Opaque. */
struct hs_script;

/*
 * The requests of one device.
 *
 * Recording, plan and log must outlive the script.
 */
int hs_script_new(const struct hs_recording *rec, const struct hs_plan *plan, unsigned int device,
		  struct hs_script_log *log, struct hs_script **out, struct hs_error *err);

void hs_script_free(struct hs_script *script);

/* Does the recording have requests of this device, timed or standing? */
bool hs_script_exists(const struct hs_script *script);

/*
 * The host makes a request: judge it, note it, fill in the answer.
 *
 * @reached: steps of the plan that were begun
 * Returns the step that this was, or SIZE_MAX when it was none of the plan's.
 */
size_t hs_script_request(struct hs_script *script, size_t reached, struct hs_request *req);

/* Was this step's request made, or given up? */
bool hs_script_done(const struct hs_script *script, size_t step);

/* Nobody makes this step's request: note it as missing if @is_difference, and end waiting. */
void hs_script_give_up(struct hs_script *script, size_t step, bool is_difference);

/* A request that the format has no line for, such as GET_REPORT(Output). */
void hs_script_refused(struct hs_script *script, size_t reached, const char *what,
		       unsigned int report_id);

#endif /* HS_REPLAY_SCRIPT_H */
