// SPDX-License-Identifier: MIT
/* The requests of a session as a diff: hs_replay_write_requests(). */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/util.h"
#include "core/replay/replay.h"

/* Input reports shown before and after a difference. */
#define CONTEXT 3

static void write_time(uint64_t time_us, FILE *out)
{
	fprintf(out, "%06" PRIu64 ".%06" PRIu64, time_us / 1000000, time_us % 1000000);
}

static void write_input(const struct hs_plan_step *step, FILE *out)
{
	const struct hs_entry *entry = step->entry;

	fputs("  ", out);
	write_time(step->time_us, out);
	fprintf(out, " input %zu", entry->input.size);
	for (size_t i = 0; i < entry->input.size; i++)
		fprintf(out, " %02x", entry->input.data[i]);
	fprintf(out, "\t# line %u\n", entry->line);
}

static void write_expected(const struct hs_plan_step *step, FILE *out)
{
	const struct hs_request *req = &step->entry->request;
	size_t size = 3 * (req->size + req->answer_size) + 128;
	hs_autofree char *text = malloc(size);

	if (!text)
		return;
	fputs("- ", out);
	write_time(step->time_us, out);
	fprintf(out, " %s\t# line %u\n", hs_request_format(req, text, size), step->entry->line);
}

static const char *reason(enum hs_script_verdict verdict)
{
	switch (verdict) {
	case HS_SCRIPT_AS_WRITTEN:
		return "";
	case HS_SCRIPT_STANDING:
		return "standing answer";
	case HS_SCRIPT_UNSCRIPTED:
		return "not in the recording, which has no requests";
	case HS_SCRIPT_EARLY:
		return "too early: before the reports above it in the recording";
	case HS_SCRIPT_OTHER_BYTES:
		return "other bytes";
	case HS_SCRIPT_UNEXPECTED:
		return "not in the recording here";
	case HS_SCRIPT_MISSING:
		return "never came";
	}
	return "";
}

static void write_note(const struct hs_replay *result, const struct hs_script_note *n, FILE *out)
{
	const struct hs_plan_step *steps = result->plan.steps;
	const char *why = reason(n->verdict);
	uint64_t time_us = 0;

	if (n->expected && hs_script_is_difference(n->verdict) && n->verdict != HS_SCRIPT_EARLY)
		write_expected(&steps[n->expected_step], out);
	if (!n->seen)
		return;
	if (n->step)
		time_us = steps[n->step - 1].time_us;
	fputs(hs_script_is_difference(n->verdict) ? "+ " : "  ", out);
	write_time(time_us, out);
	fprintf(out, " %s", n->seen);
	if (n->expected)
		fprintf(out, "\t# line %u%s%s\n", n->expected->line, *why ? ": " : "", why);
	else
		fprintf(out, "\t# %s\n", why);
}

/* Is there a note to be shown among those that come before step @step + 1? */
static bool note_near(const struct hs_script_log *log, size_t step, bool all)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct hs_script_note *n = &log->notes[i];
		size_t distance = n->step > step ? n->step - step - 1 : step - n->step;

		if ((all || hs_script_is_difference(n->verdict)) && distance < CONTEXT)
			return true;
	}
	return false;
}

void hs_replay_write_requests(const struct hs_replay *result, bool all, FILE *out)
{
	const struct hs_script_log *log = &result->requests;
	bool gap = false;
	size_t i = 0;

	/*
	 * Notes are in order of time, each after the steps that were begun before it;
	 * only steps near a note are looked at.
	 */
	for (size_t step = 0; step <= result->plan.count; step++) {
		for (; i < log->count && log->notes[i].step <= step; i++)
			if (all || hs_script_is_difference(log->notes[i].verdict))
				write_note(result, &log->notes[i], out);
		if (step == result->plan.count ||
		    result->plan.steps[step].entry->type != HS_ENTRY_INPUT)
			continue;
		if (note_near(log, step, all)) {
			if (gap)
				fputs("  ...\n", out);
			write_input(&result->plan.steps[step], out);
			gap = false;
		} else {
			gap = true;
		}
	}
}
