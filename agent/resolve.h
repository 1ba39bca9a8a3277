// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * From entries to names: the index holds none, so the directories concerned
 * are read once, by the workers. The identity of each file is taken in that
 * same look. An entry whose name is not found is listed again, not acted on.
 */

#include "feed.h"
#include "model/plan.h"
#include "strategies/strategies.h"

struct resolve;

struct resolved {
	struct plan plan; /* in the order of the picks */
	uint32_t *dirs; /* index node of each item's directory */
	uint32_t *lives; /* feed_life of it */
	uint32_t *picks; /* position of each item's pick */
	size_t n_missing; /* picks without a name any more */
};
void resolved_fini(struct resolved *r);

/*
 * Puts picks of one directory next to each other (in it, their order stays),
 * so that each directory is read once, and entered once by the reaper. For
 * picks that will all go, whichever is first. Returns 0 or -ENOMEM: nothing
 * has changed.
 */
int resolve_group(const struct feed *feed, struct pick *picks, size_t n_picks);

/* done: takes over *found (or leaves it, to be freed after the call). */
typedef void resolve_fn(void *ctx, struct resolved *found, int error);

/* picks: borrowed until done was called. done may be called before this
 * returns (nothing to do). now_s: for ages. Returns 0 or -ENOMEM. */
int resolve_start(struct feed *feed, const struct pick *picks, size_t n_picks,
	resolve_fn *done, void *ctx, struct resolve **ret);
/* Stops waiting; done is not called any more. */
struct resolve *resolve_cancel(struct resolve *r);
