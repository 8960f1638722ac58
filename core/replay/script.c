// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/replay/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/util.h"

struct hs_script {
	const struct hs_recording *rec;
	const struct hs_plan *plan;
	struct hs_script_log *log;
	unsigned int device;
	bool exists;
	size_t next; /* first step that may still be one of ours */
	bool *done; /* for each step */
};

/* --- log --- */

void hs_script_log_clear(struct hs_script_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		free(log->notes[i].seen);
	free(log->notes);
	memset(log, 0, sizeof(*log));
}

/* A request with the answer it got, as a recording's line has it. */
static char *format(const struct hs_request *req)
{
	size_t size = 3 * (req->size + req->answer_size) + 128;
	char *text = malloc(size);

	if (text)
		hs_request_format(req, text, size);
	return text;
}

/* @seen is taken over; it may be NULL for a missing request only. */
static void note(struct hs_script *script, enum hs_script_verdict verdict, size_t reached,
		 size_t expected_step, char *seen)
{
	struct hs_script_log *log = script->log;
	struct hs_script_note *n;

	log->differences += hs_script_is_difference(verdict);
	log->seen += verdict != HS_SCRIPT_MISSING;
	log->out_of_memory |= verdict != HS_SCRIPT_MISSING && !seen;
	if (log->count == log->room) {
		size_t room = log->room ? 2 * log->room : 64;

		n = realloc(log->notes, room * sizeof(*n));
		if (!n) {
			log->out_of_memory = true;
			free(seen);
			return;
		}
		log->notes = n;
		log->room = room;
	}
	n = &log->notes[log->count++];
	memset(n, 0, sizeof(*n));
	n->verdict = verdict;
	n->device = script->device;
	n->step = reached;
	n->expected_step = expected_step;
	n->expected = expected_step == SIZE_MAX ? NULL : script->plan->steps[expected_step].entry;
	n->seen = seen;
}

/* --- matching --- */

static bool is_get(enum hs_request_type type)
{
	return type == HS_REQUEST_GET_FEATURE || type == HS_REQUEST_GET_INPUT;
}

static bool same_kind(const struct hs_request *want, const struct hs_request *seen)
{
	return want->type == seen->type;
}

static bool same(const struct hs_request *want, const struct hs_request *seen)
{
	if (!same_kind(want, seen))
		return false;
	if (is_get(want->type))
		return want->report_id == seen->report_id;
	if (want->size != seen->size)
		return false;
	for (size_t i = 0; i < want->size; i++) {
		uint8_t mask = want->mask ? want->mask[i] : 0xff;

		if ((want->data[i] ^ seen->data[i]) & mask)
			return false;
	}
	return true;
}

static bool is_ours(const struct hs_script *script, size_t step)
{
	const struct hs_entry *entry = script->plan->steps[step].entry;

	return entry->device == script->device && entry->type == HS_ENTRY_REQUEST &&
	       !script->done[step];
}

/* The device's next step that waits for a request; the plan's count when there is none. */
static size_t next_step(struct hs_script *script)
{
	while (script->next < script->plan->count && !is_ours(script, script->next))
		script->next++;
	return script->next;
}

/*
 * A request that is not the next one may be one further on, and those between were
 * left out by the host. A report of the device between the two ends the search: what
 * comes after it is the answer to something else.
 */
static size_t find_further(struct hs_script *script, size_t step, const struct hs_request *seen)
{
	for (size_t i = step + 1; i < script->plan->count; i++) {
		const struct hs_entry *entry = script->plan->steps[i].entry;

		if (entry->device != script->device)
			continue;
		if (entry->type != HS_ENTRY_REQUEST)
			break;
		if (is_ours(script, i) && same(&entry->request, seen))
			return i;
	}
	return SIZE_MAX;
}

static const struct hs_request *find_standing(const struct hs_script *script,
					      const struct hs_request *seen)
{
	for (size_t i = 0; i < hs_recording_entry_count(script->rec); i++) {
		const struct hs_entry *entry = hs_recording_entry(script->rec, i);

		if (entry->type == HS_ENTRY_REQUEST && entry->device == script->device &&
		    entry->request.standing && same(&entry->request, seen))
			return &entry->request;
	}
	return NULL;
}

/* Is one of the device's own reports before @step still to be sent? */
static bool is_early(const struct hs_script *script, size_t reached, size_t step)
{
	for (size_t i = reached; i < step; i++) {
		const struct hs_entry *entry = script->plan->steps[i].entry;

		if (entry->device == script->device && entry->type == HS_ENTRY_INPUT)
			return true;
	}
	return false;
}

/* Does the device wait for the request of @next, or will when its turn comes? */
static bool is_due(const struct hs_script *script, size_t reached, size_t next)
{
	return next < script->plan->count && !is_early(script, reached, next);
}

/*
 * The steps begun, with @next if it is due: whether the host's thread or the one that
 * plays is first there does not show in what is noted.
 */
static size_t with_next(size_t reached, size_t next, bool due)
{
	return due && next >= reached ? next + 1 : reached;
}

static void answer_as(struct hs_request *req, const struct hs_request *want)
{
	req->answer = want->answer;
	req->error = want->error;
	req->late_ms = want->late_ms;
	req->answer_data = want->answer_data;
	req->answer_size = want->answer_size;
}

/* What the recording does not know the device cannot have answered. */
static void answer_refuse(struct hs_request *req)
{
	req->answer = HS_ANSWER_ERROR;
	req->error = EIO;
}

/* The request is that of @step, perhaps at the wrong time or with other bytes. */
static size_t take(struct hs_script *script, size_t reached, size_t step, struct hs_request *req)
{
	const struct hs_request *want = &script->plan->steps[step].entry->request;
	enum hs_script_verdict verdict = HS_SCRIPT_AS_WRITTEN;

	if (!same(want, req))
		verdict = HS_SCRIPT_OTHER_BYTES;
	else if (is_early(script, reached, step))
		verdict = HS_SCRIPT_EARLY;
	script->done[step] = true;
	answer_as(req, want);
	note(script, verdict, reached, step, format(req));
	return step;
}

static size_t take_further(struct hs_script *script, size_t reached, size_t next, size_t further,
			   struct hs_request *req)
{
	for (size_t i = next; i < further; i++)
		if (is_ours(script, i))
			hs_script_give_up(script, i, true);
	return take(script, reached, further, req);
}

static size_t take_none(struct hs_script *script, enum hs_script_verdict verdict, size_t reached,
			struct hs_request *req)
{
	note(script, verdict, reached, SIZE_MAX, format(req));
	return SIZE_MAX;
}

size_t hs_script_request(struct hs_script *script, size_t reached, struct hs_request *req)
{
	const struct hs_request *want = NULL, *standing;
	size_t next = next_step(script), further;
	bool due = is_due(script, reached, next);

	if (next < script->plan->count)
		want = &script->plan->steps[next].entry->request;
	reached = with_next(reached, next, due);

	/* The best explanation first. */
	if (due && same(want, req))
		return take(script, reached, next, req);
	standing = find_standing(script, req);
	if (standing) {
		answer_as(req, standing);
		return take_none(script, HS_SCRIPT_STANDING, reached, req);
	}
	if (due) {
		further = find_further(script, next, req);
		if (further != SIZE_MAX)
			return take_further(script, reached, next, further, req);
		if (same_kind(want, req))
			return take(script, reached, next, req);
	}
	if (want && same(want, req))
		return take(script, reached, next, req);
	if (script->exists) {
		answer_refuse(req);
		return take_none(script, HS_SCRIPT_UNEXPECTED, reached, req);
	}
	if (is_get(req->type))
		answer_refuse(req);
	return take_none(script, HS_SCRIPT_UNSCRIPTED, reached, req);
}

bool hs_script_done(const struct hs_script *script, size_t step)
{
	return script->done[step];
}

void hs_script_give_up(struct hs_script *script, size_t step, bool is_difference)
{
	script->done[step] = true;
	if (is_difference)
		note(script, HS_SCRIPT_MISSING, step, step, NULL);
}

void hs_script_refused(struct hs_script *script, size_t reached, const char *what,
		       unsigned int report_id)
{
	size_t next = next_step(script);
	char *text;

	if (asprintf(&text, "%s %02x -> error %d", what, report_id, EOPNOTSUPP) < 0)
		text = NULL;
	note(script, script->exists ? HS_SCRIPT_UNEXPECTED : HS_SCRIPT_UNSCRIPTED,
	     with_next(reached, next, is_due(script, reached, next)), SIZE_MAX, text);
}

/* --- life --- */

bool hs_script_exists(const struct hs_script *script)
{
	return script->exists;
}

int hs_script_new(const struct hs_recording *rec, const struct hs_plan *plan, unsigned int device,
		  struct hs_script_log *log, struct hs_script **out, struct hs_error *err)
{
	struct hs_script *script = calloc(1, sizeof(*script));

	if (script)
		script->done = calloc(plan->count ? plan->count : 1, sizeof(*script->done));
	if (!script || !script->done) {
		hs_script_free(script);
		return hs_error_set(err, -ENOMEM, "out of memory");
	}
	script->rec = rec;
	script->plan = plan;
	script->device = device;
	script->log = log;
	for (size_t i = 0; i < hs_recording_entry_count(rec); i++) {
		const struct hs_entry *entry = hs_recording_entry(rec, i);

		if (entry->type == HS_ENTRY_REQUEST && entry->device == device)
			script->exists = true;
	}
	*out = script;
	return 0;
}

void hs_script_free(struct hs_script *script)
{
	if (!script)
		return;
	free(script->done);
	free(script);
}
