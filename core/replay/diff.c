// SPDX-License-Identifier: MIT
#include "core/replay/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Its square is the memory needed, in 4-byte numbers. */
#define EDITS_MAX 2000

/* The part of both sequences that is left to compare. */
struct window {
	const uint64_t *a, *b;
	long n_a, n_b;
	bool *removed, *added;
};

/*
 * For each number of edits @d the furthest point on each diagonal: row @d of a
 * triangle, with 2 d + 1 diagonals from -d to d.
 */
struct rows {
	int32_t *row[EDITS_MAX + 1];
	long count;
};

static int32_t furthest(const struct rows *rows, long d, long diagonal)
{
	if (d < 0)
		return 0;
	return rows->row[d][diagonal + d];
}

/* Did the way to this point come down (an element of b added)? */
static bool came_down(const struct rows *rows, long d, long k)
{
	if (k == -d)
		return true;
	if (k == d)
		return false;
	return furthest(rows, d - 1, k - 1) < furthest(rows, d - 1, k + 1);
}

static long step(const struct rows *rows, long d, long k)
{
	if (!d)
		return 0;
	return came_down(rows, d, k) ? furthest(rows, d - 1, k + 1)
				     : furthest(rows, d - 1, k - 1) + 1;
}

/* Mark the way back from the end. */
static void mark(const struct window *w, const struct rows *rows, long d, long k)
{
	for (; d > 0; d--) {
		if (came_down(rows, d, k)) {
			k++;
			w->added[furthest(rows, d - 1, k) - k] = true;
		} else {
			k--;
			w->removed[furthest(rows, d - 1, k)] = true;
		}
	}
}

/* Returns 1 when done, 0 when there are too many edits, or -ENOMEM. */
static int search(const struct window *w, struct rows *rows)
{
	for (long d = 0; d <= EDITS_MAX; d++) {
		int32_t *row = calloc((size_t)(2 * d + 1), sizeof(*row));

		if (!row)
			return -ENOMEM;
		rows->row[d] = row;
		rows->count = d + 1;
		for (long k = -d; k <= d; k += 2) {
			long x = step(rows, d, k);
			long y = x - k;

			while (x < w->n_a && y < w->n_b && y >= 0 && w->a[x] == w->b[y]) {
				x++;
				y++;
			}
			row[k + d] = (int32_t)x;
			if (x >= w->n_a && y >= w->n_b) {
				mark(w, rows, d, k);
				return 1;
			}
		}
	}
	return 0;
}

static void mark_all(const struct window *w)
{
	memset(w->removed, true, (size_t)w->n_a);
	memset(w->added, true, (size_t)w->n_b);
}

int hs_diff_make(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, struct hs_diff *diff)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	struct window w;
	size_t head = 0, tail = 0;
	int rc = -ENOMEM;

	diff->removed = calloc(n_a + 1, sizeof(*diff->removed));
	diff->added = calloc(n_b + 1, sizeof(*diff->added));
	if (!rows || !diff->removed || !diff->added)
		goto out;

	while (head < n_a && head < n_b && a[head] == b[head])
		head++;
	while (tail < n_a - head && tail < n_b - head && a[n_a - 1 - tail] == b[n_b - 1 - tail])
		tail++;
	w.a = a + head;
	w.b = b + head;
	w.n_a = (long)(n_a - head - tail);
	w.n_b = (long)(n_b - head - tail);
	w.removed = diff->removed + head;
	w.added = diff->added + head;

	rc = search(&w, rows);
	if (!rc)
		mark_all(&w);
	rc = rc < 0 ? rc : 0;
out:
	for (long d = 0; rows && d < rows->count; d++)
		free(rows->row[d]);
	free(rows);
	if (rc)
		hs_diff_free(diff);
	return rc;
}

void hs_diff_free(struct hs_diff *diff)
{
	free(diff->removed);
	free(diff->added);
	memset(diff, 0, sizeof(*diff));
}
