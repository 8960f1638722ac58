/* SPDX-License-Identifier: MIT */
/* The shortest way from one sequence of numbers to another (Myers' algorithm). */
#ifndef HS_REPLAY_DIFF_H
#define HS_REPLAY_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What differs: a[] elements that are not in b, b[] elements that are not in a. */
struct hs_diff {
	bool *removed; /* for each element of a */
	bool *added; /* for each element of b */
};

/*
 * Compare. Sequences that differ in thousands of places are not searched for the
 * shortest way: all between their common beginning and end counts as different.
 *
 * Returns 0 or -ENOMEM. Free with hs_diff_free().
 */
int hs_diff_make(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b,
		 struct hs_diff *diff);

void hs_diff_free(struct hs_diff *diff);

#endif /* HS_REPLAY_DIFF_H */
