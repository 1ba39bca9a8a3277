// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The first of many, without sorting or keeping them all. Records are
 * offered in any order; whenever the list is full, those that can no longer
 * be reached are cut off by a quickselect on the running sums (Hoare:
 * "Find"; introspective, so that no order that somebody chose makes it
 * slow), and nothing behind the cut is taken in again. Linear in what is
 * offered; memory in what is kept.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "strategies/strategies.h"

struct record {
	struct place place;
	uint64_t used_bytes;
	int64_t age_s;
	uint32_t entry;
};

/* The order of picking: total, since no two records share an entry. */
static inline bool record_before(const struct record *a, const struct record *b)
{
	if (a->place.step != b->place.step)
		return a->place.step < b->place.step;
	if (a->place.key != b->place.key)
		return a->place.key < b->place.key;
	if (a->age_s != b->age_s)
		return a->age_s > b->age_s;
	if (a->used_bytes != b->used_bytes)
		return a->used_bytes > b->used_bytes;
	return a->entry < b->entry;
}

struct shortlist {
	const struct goal *goal;
	struct record *records;
	size_t n, cap;
	bool has_bound;
	struct record bound; /* the first one that was cut off */
};

void shortlist_fini(struct shortlist *l);
/* Is r behind all that will be kept? Of many, most are. */
static inline bool shortlist_is_behind(
	const struct shortlist *l, const struct record *r)
{
	return l->has_bound && !record_before(r, &l->bound);
}
/* One that is not behind; returns 0 or -ENOMEM. */
int shortlist_take(struct shortlist *l, const struct record *r);
/* Returns 0 or -ENOMEM. */
static inline int shortlist_offer(struct shortlist *l, const struct record *r)
{
	return shortlist_is_behind(l, r) ? 0 : shortlist_take(l, r);
}
/*
 * Sorts what is kept: a beginning of the order that reaches at least as far
 * as the goal allows. The next one, if there are more, is in bound.
 */
void shortlist_finish(struct shortlist *l);
