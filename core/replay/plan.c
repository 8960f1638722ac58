// SPDX-License-Identifier: MIT
#include "core/replay/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Standing answers have no time, comments no meaning. */
static bool is_step(const struct hs_entry *entry)
{
	switch (entry->type) {
	case HS_ENTRY_INPUT:
	case HS_ENTRY_UNPLUG:
		return true;
	case HS_ENTRY_REQUEST:
		return !entry->request.standing;
	case HS_ENTRY_COMMENT:
		break;
	}
	return false;
}

static bool in_window(const struct hs_plan_opts *opts, uint64_t time_us)
{
	return time_us >= opts->start_us && (!opts->stop_us || time_us <= opts->stop_us);
}

static void add_step(struct hs_plan *plan, const struct hs_entry *entry, uint64_t time_us)
{
	plan->steps[plan->count].entry = entry;
	plan->steps[plan->count].time_us = time_us;
	plan->count++;
	plan->inputs += entry->type == HS_ENTRY_INPUT;
	plan->requests += entry->type == HS_ENTRY_REQUEST;
}

int hs_plan_make(const struct hs_recording *rec, const struct hs_plan_opts *opts,
		 struct hs_plan *plan, struct hs_error *err)
{
	size_t n = hs_recording_entry_count(rec);
	uint64_t recorded = 0; /* time of the last entry in the file */
	uint64_t straight = 0; /* the same, never going back */
	uint64_t play = 0;

	memset(plan, 0, sizeof(*plan));
	plan->steps = calloc(n ? n : 1, sizeof(*plan->steps));
	if (!plan->steps)
		return hs_error_set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; i < n; i++) {
		const struct hs_entry *entry = hs_recording_entry(rec, i);
		uint64_t before = straight, pause;

		if (!is_step(entry))
			continue;
		if (entry->time_us > recorded)
			straight += entry->time_us - recorded;
		recorded = entry->time_us;
		if (!in_window(opts, straight))
			continue;

		/* The play's clock starts where the window does. */
		if (before < opts->start_us)
			before = opts->start_us;
		pause = straight - before;
		if (opts->interval_us)
			pause = entry->type == HS_ENTRY_INPUT && plan->inputs ? opts->interval_us
									      : 0;
		else if (opts->skip_pauses && pause > HS_PLAN_LONG_PAUSE_US)
			pause = HS_PLAN_SHORT_PAUSE_US;
		play += pause;
		add_step(plan, entry, play);
	}
	return 0;
}

void hs_plan_free(struct hs_plan *plan)
{
	free(plan->steps);
	memset(plan, 0, sizeof(*plan));
}
