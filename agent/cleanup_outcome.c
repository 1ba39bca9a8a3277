// SPDX-License-Identifier: GPL-2.0-or-later
/* What the reapers say of each candidate, and what follows from it. */
#include "cleanup_impl.h"

#include <errno.h>
#include <string.h>

static void remember(
	struct cleanup *c, const struct candidate *item, bool is_trashed)
{
	buf_auto struct buf path = {0};

	if (buf_printf(&path, "%s/%s%s%s",
		    c->parts.policy->roots[item->root].path, item->rel_dir,
		    item->rel_dir[0] ? "/" : "", item->name) < 0)
		return;
	deletions_add(c->parts.deletions, path.data,
		&(struct deletion){
			.at_real_s = clock_real_s(c->parts.clock),
			.strategy = c->result.strategy,
			.rule = item->rule,
			.reason = (uint8_t)c->result.reason,
			.is_trashed = is_trashed,
		});
}

/* The selection knows what a file uses; that deleting it frees less, a reaper
 * has seen. */
static void foresee_less(struct cleanup *c, uint64_t bytes)
{
	c->result.estimated_bytes =
		mem_sub_sat(c->result.estimated_bytes, bytes);
}

static void note_deleted(struct cleanup *c, const struct candidate *item,
	uint32_t at, const struct outcome *o)
{
	const struct part *part = &c->at_work;
	const struct pick *pick =
		&c->selection.picks[part->from + part->found.picks[at]];

	c->result.files++;
	c->taken_bytes += o->used_bytes;
	if (o->reason == REASON_TRASHED) {
		c->result.trashed_files++;
		c->result.trashed_bytes += o->freed_bytes;
	} else {
		c->result.freed_bytes += o->freed_bytes;
	}
	foresee_less(c, mem_sub_sat(o->used_bytes, o->freed_bytes));
	if (pick->step < CLEANUP_STEPS) {
		c->result.step_files[pick->step]++;
		c->result.step_bytes[pick->step] += o->freed_bytes;
	}
	if (c->result.is_dry_run) {
		cleanup_set_aside(c, part->from + part->found.picks[at],
			REASON_DELETED, item->used_bytes);
		return;
	}
	feed_gone(c->parts.feed, part->found.dirs[at], part->found.lives[at],
		item->name);
	remember(c, item, o->reason == REASON_TRASHED);
}

/* A reaper knows how many it may take, not why so many. */
static enum reason rail_of(const struct cleanup *c, enum reason reason)
{
	if (reason == REASON_LIMIT_FILES)
		return goal_files_rail(&c->order.goal);
	if (reason == REASON_LIMIT_BYTES)
		return goal_bytes_rail(&c->order.goal);
	return reason;
}

void cleanup_take_outcome(void *ctx, const struct outcome *o)
{
	struct cleanup *c = ctx;
	const struct resolved *found = &c->at_work.found;
	const struct candidate *item;
	enum reason reason;
	uint32_t at;

	if (o->is_end) {
		if (o->reason != REASON_DELETED && o->reason < N_REASONS)
			cleanup_stop(c, (enum reason)o->reason, -o->error);
		return;
	}
	if (o->item >= c->sent_to - c->sent_from || o->reason >= N_REASONS)
		return;
	at = (uint32_t)c->sent_from + o->item;
	item = &found->plan.items[at];
	reason = rail_of(c, (enum reason)o->reason);
	c->last_reason = reason;
	c->judged++;
	if (o->reason == REASON_DELETED || o->reason == REASON_TRASHED ||
		o->reason == REASON_WOULD_DELETE) {
		note_deleted(c, item, at, o);
		return;
	}
	cleanup_leave(c, c->at_work.from + found->picks[at], reason,
		item->used_bytes);
	if (o->reason == REASON_SHARED || o->reason == REASON_LINKED)
		foresee_less(c, item->used_bytes);
	if (beneath_is_fault(-o->error))
		feed_note_fault(c->parts.feed, item->root, -o->error);
	/* The run is broken, not this file. */
	if (reason == REASON_ERRORS)
		cleanup_stop(c, reason, -ECANCELED);
	if (o->reason == REASON_BUSY)
		blocking_note_busy(c->blocking,
			c->parts.policy->roots[item->root].path, item);
	if (o->reason == REASON_BUSY)
		dirty_add(c->parts.busy, found->dirs[at], item->name,
			strlen(item->name));
	/* What the index believed of it may be wrong. */
	if (o->reason == REASON_GONE || o->reason == REASON_CHANGED ||
		o->reason == REASON_ORPHANED || o->reason == REASON_LINKED)
		feed_look(c->parts.feed, found->dirs[at], item->name);
}
