/* SPDX-License-Identifier: MIT */
/*
 * What of a recording is played, and when: its entries in file order, with times
 * that never go back.
 */
#ifndef HS_REPLAY_PLAN_H
#define HS_REPLAY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/recording/recording.h"

/* A pause longer than this is skipped ... */
#define HS_PLAN_LONG_PAUSE_US 2000000
/* ... that is, becomes this: long enough for every timer of a driver. */
#define HS_PLAN_SHORT_PAUSE_US 500000

struct hs_plan_opts {
	uint64_t start_us; /* leave out reports and requests before this time */
	uint64_t stop_us; /* and after this one; 0: none */
	uint64_t interval_us; /* from report to report, instead of the times; 0: the times */
	bool skip_pauses;
};

struct hs_plan_step {
	const struct hs_entry *entry; /* input, timed request, or unplug */
	uint64_t time_us; /* of the play, from its start */
};

struct hs_plan {
	struct hs_plan_step *steps;
	size_t count;
	size_t inputs; /* how many of them are input reports */
	size_t requests; /* and how many are requests */
};

/*
 * Make a plan. Where the recording's times go back, as with several devices one
 * after another or a clock that was set, the play goes on without a pause.
 *
 * The entries are the recording's, which must outlive the plan. Free with
 * hs_plan_free().
 */
int hs_plan_make(const struct hs_recording *rec, const struct hs_plan_opts *opts,
		 struct hs_plan *plan, struct hs_error *err);

void hs_plan_free(struct hs_plan *plan);

#endif /* HS_REPLAY_PLAN_H */
