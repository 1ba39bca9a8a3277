// SPDX-License-Identifier: GPL-2.0-or-later
/* What is to go: the strategy's picks, in parts that are in order of each
 * other, and others instead of those that stayed. */
#include "cleanup_impl.h"

#include <errno.h>
#include <string.h>

#include "strategies/judge.h"

#define MAX_SELECTIONS 8 /* of one run */
/* The first slice is a small one: its names are found while nobody deletes,
 * those of all others while the reaper before them is at work. */
#define FIRST_SLICE 256

void cleanup_set_aside(
	struct cleanup *c, size_t pick, enum reason reason, uint64_t used_bytes)
{
	if (mem_grow((void **)&c->tried, &c->cap_tried, c->n_tried + 1,
		    sizeof(*c->tried)) < 0)
		return;
	c->tried[c->n_tried++] = (struct tried){
		.entry = c->selection.picks[pick].entry,
		.reason = reason,
		.used_bytes = used_bytes,
	};
	c->tried_bytes = mem_add_sat(c->tried_bytes, used_bytes);
}

void cleanup_leave(
	struct cleanup *c, size_t pick, enum reason reason, uint64_t used_bytes)
{
	c->left.files[reason]++;
	c->left.bytes[reason] += used_bytes;
	cleanup_set_aside(c, pick, reason, used_bytes);
}

bool cleanup_is_due(const struct cleanup *c, size_t pick)
{
	return c->selection.picks[pick].rule == PLAN_RULE_RETENTION;
}

uint64_t cleanup_towards_target(const struct cleanup *c)
{
	return c->order.goal.dev ? c->result.freed_bytes : c->taken_bytes;
}

static int select_probe(struct cleanup *c)
{
	c->selection.picks = calloc(1, sizeof(*c->selection.picks));
	if (!c->selection.picks)
		return -ENOMEM;
	c->selection.picks[0] = c->order.probe;
	c->selection.n_picks = c->selection.cap = 1;
	return 0;
}

int cleanup_choose(struct cleanup *c, const struct goal *goal)
{
	const struct policy *p = c->parts.policy;
	mem_autofree uint64_t *dev = calloc(p->n_roots + 1, sizeof(*dev));
	struct strategy_order order = {
		.index = feed_index(c->parts.feed),
		.rules = &p->rules,
		.goal = goal,
		.root_dev = dev,
		.n_roots = p->n_roots,
	};

	if (c->order.is_probe)
		return select_probe(c);
	if (!dev)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_roots; i++)
		dev[i] = feed_root(c->parts.feed, i)->id.dev;
	return c->order.strategy->select(&order, &c->selection);
}

/* 0 is no limit. */
static uint64_t limit(uint64_t value)
{
	return value ? value : UINT64_MAX;
}

/* How many of the picks [from, to) will all go, so that their order makes no
 * difference: behind them the target may be met, or a limit. */
static size_t n_certain(const struct cleanup *c, size_t from, size_t to)
{
	const struct goal *g = &c->order.goal;
	uint64_t max_bytes =
		cleanup_is_due(c, from)
			? limit(g->max_bytes)
			: MIN_OF(limit(g->free_bytes), limit(g->max_bytes));
	uint64_t max_files = limit(g->max_files);
	uint64_t bytes = c->expected_bytes, files = c->expected_files;
	size_t n = 0;

	/* Which files a canary takes is to be foreseen. */
	if (c->parts.policy->mode == MODE_CANARY)
		return 0;
	for (; from + n < to && files + n < max_files; n++) {
		bytes = mem_add_sat(
			bytes, c->selection.picks[from + n].used_bytes);
		if (bytes >= max_bytes)
			break;
	}
	return n;
}

/* What is past its retention all goes, so far ahead that each directory is
 * visited once; of the rest a slice at a time keeps to the strategy's order. */
static void group(struct cleanup *c, size_t from, size_t to)
{
	if (!c->order.is_plan && !c->order.is_probe)
		(void)resolve_group(c->parts.feed, c->selection.picks + from,
			n_certain(c, from, to));
}

void cleanup_begin_choice(struct cleanup *c)
{
	size_t n = 0;

	c->next = 0;
	c->expected_files = c->result.files;
	c->expected_bytes = c->taken_bytes;
	while (n < c->selection.n_picks && cleanup_is_due(c, n))
		n++;
	if (n)
		group(c, 0, n);
}

/* The end of the slice that begins at from: all due, or none. */
static size_t slice_end(const struct cleanup *c)
{
	size_t end = c->selection.n_picks, at = c->next;

	if (c->order.is_plan)
		return end;
	end = MIN_OF(end, at + (at ? CLEANUP_SLICE : FIRST_SLICE));
	while (at < end && cleanup_is_due(c, at) == cleanup_is_due(c, c->next))
		at++;
	return at;
}

static void expect(struct cleanup *c, const struct part *part)
{
	c->expected_files += part->to - part->from;
	for (size_t i = part->from; i < part->to; i++)
		c->expected_bytes = mem_add_sat(
			c->expected_bytes, c->selection.picks[i].used_bytes);
}

void cleanup_next_part(struct cleanup *c, struct part *ret)
{
	ret->from = c->next;
	ret->to = c->next = slice_end(c);
	if (!cleanup_is_due(c, ret->from))
		group(c, ret->from, ret->to);
	expect(c, ret);
}

static int by_entry(const void *a, const void *b)
{
	const struct tried *x = a, *y = b;

	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static bool was_tried(const struct cleanup *c, uint32_t entry)
{
	return bsearch(&(struct tried){.entry = entry}, c->tried, c->n_tried,
		sizeof(*c->tried), by_entry);
}

static void drop_tried(struct cleanup *c)
{
	struct selection *s = &c->selection;
	size_t n = 0;

	qsort(c->tried, c->n_tried, sizeof(*c->tried), by_entry);
	for (size_t i = 0; i < s->n_picks; i++)
		if (!was_tried(c, s->picks[i].entry))
			s->picks[n++] = s->picks[i];
	s->n_picks = n;
}

/* What a reaper found to be of a kind that stays, the index knows by now, and
 * the selection counts it: once is enough. */
static void uncount_known(struct cleanup *c)
{
	const struct index *ix = feed_index(c->parts.feed);

	for (size_t i = 0; i < c->n_tried; i++) {
		struct tried *t = &c->tried[i];
		struct index_item item;

		if (t->reason == REASON_DELETED ||
			!index_get(ix, t->entry, &item) ||
			judge_kind(&item) == REASON_DELETED)
			continue;
		c->left.files[t->reason]--;
		c->left.bytes[t->reason] -= t->used_bytes;
		t->reason = REASON_DELETED;
	}
}

/* However many were tried, no more go than the run may delete. (Bytes are the
 * reaper's to count: it knows what is left of them.) */
static void keep_limit(struct cleanup *c)
{
	const struct goal *g = &c->order.goal;
	struct selection *s = &c->selection;
	uint64_t n = g->max_files ? mem_sub_sat(g->max_files, c->result.files)
				  : UINT64_MAX;

	for (; s->n_picks > n; s->n_picks--) {
		enum reason rail = goal_files_rail(g);

		s->skipped.files[rail]++;
		s->skipped.bytes[rail] = mem_add_sat(s->skipped.bytes[rail],
			s->picks[s->n_picks - 1].used_bytes);
		c->result.is_cut = true;
	}
}

bool cleanup_choose_again(struct cleanup *c)
{
	struct goal goal = c->order.goal;

	if (!c->n_tried || c->order.is_plan || !goal.free_bytes ||
		c->n_selections++ >= MAX_SELECTIONS)
		return false;
	goal.free_bytes = mem_add_sat(
		mem_sub_sat(goal.free_bytes, cleanup_towards_target(c)),
		c->tried_bytes);
	if (goal.max_files)
		goal.max_files = goal.max_files -
				 MIN_OF(goal.max_files - 1, c->result.files) +
				 c->n_tried;
	if (goal.max_bytes)
		goal.max_bytes = mem_add_sat(
			MAX_OF(mem_sub_sat(goal.max_bytes, c->taken_bytes), 1),
			c->tried_bytes);
	selection_fini(&c->selection);
	c->selection = (struct selection){0};
	if (cleanup_choose(c, &goal) < 0)
		return false;
	uncount_known(c);
	drop_tried(c);
	keep_limit(c);
	cleanup_begin_choice(c);
	if (!c->selection.n_picks)
		return false;
	c->result.estimated_bytes =
		mem_add_sat(c->result.freed_bytes, c->result.trashed_bytes);
	for (size_t i = 0; i < c->selection.n_picks; i++)
		c->result.estimated_bytes =
			mem_add_sat(c->result.estimated_bytes,
				c->selection.picks[i].used_bytes);
	return true;
}
