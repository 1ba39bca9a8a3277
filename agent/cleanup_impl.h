// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the files cleanup*.c share; nobody else includes it. cleanup.c owns
 * the run, cleanup_choice.c what is to go, cleanup_outcome.c takes in what
 * the reapers say. */

#include "cleanup.h"

/* A piece of the selection, and what was found of it on the disk. */
struct part {
	size_t from, to;
	struct resolved found;
};

struct tried {
	uint32_t entry;
	enum reason reason; /* it is counted by in left; DELETED: by none */
	uint64_t used_bytes;
};

struct cleanup {
	struct cleanup_parts parts;
	struct cleanup_order order;
	struct cleanup_handlers handlers;
	struct cleanup_result result;
	struct selection selection;
	size_t next; /* the first pick that belongs to no part yet */
	struct part at_work; /* in the hands of a reaper: */
	size_t sent_from, sent_to; /* these of its items */
	struct part ahead; /* its names are being found, or are found */
	bool is_ahead_ready;
	size_t ahead_to; /* of its items the first reaper takes so many, */
	int ahead_fd; /* encoded here */
	bool is_ended; /* but for who kept it from its target */
	bool is_done;
	struct skipped left; /* by the reapers' judgement */
	struct tried *tried; /* entries that are still there after them */
	size_t n_tried, cap_tried;
	uint64_t tried_bytes;
	/* What will have gone once all parts so far have. */
	uint64_t expected_files, expected_bytes;
	int n_selections;
	struct blocking *blocking;
	struct resolve *resolve; /* of ahead; NULL: nothing is under way */
	struct slice *slice; /* of at_work; NULL: no reaper is at work */
	enum reason last_reason; /* of this slice's last candidate */
	bool is_stopped; /* the reaper ended the run early */
	uint64_t judged;
	uint64_t taken_bytes; /* of the files that went; some of it may not
				 have come free */
};

/* ---- cleanup_choice.c ---- */

/* Asks the strategy. Returns 0 or -errno. */
int cleanup_choose(struct cleanup *c, const struct goal *goal);
/* After it: from its first pick on. */
void cleanup_begin_choice(struct cleanup *c);
/*
 * What was in use, or kept for another reason, is replaced by the next in
 * order: select again, for as much more, without those tried.
 * Returns true if there is something to go on with.
 */
bool cleanup_choose_again(struct cleanup *c);
/* The next picks whose names are to be found, in the order that they go. */
void cleanup_next_part(struct cleanup *c, struct part *ret);
/* Past its retention? Then it goes, whatever the target is. */
bool cleanup_is_due(const struct cleanup *c, size_t pick);
/* Bytes. A component's target is one of usage, an emergency's one of what
 * comes free. */
uint64_t cleanup_towards_target(const struct cleanup *c);
/* A pick that is still there: not again in this run. */
void cleanup_set_aside(struct cleanup *c, size_t pick, enum reason reason,
	uint64_t used_bytes);
/* One that did not go, and why. */
void cleanup_leave(struct cleanup *c, size_t pick, enum reason reason,
	uint64_t used_bytes);

/* ---- cleanup_outcome.c ---- */

/* ctx: the cleanup. One outcome of the slice under way. */
void cleanup_take_outcome(void *ctx, const struct outcome *o);
