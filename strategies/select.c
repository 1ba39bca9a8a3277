// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way of every entry: rules, then the newest of its type, then its place
 * by the strategy, then the shortlist that keeps the first of them. Each entry
 * ends as a pick or is counted under one reason.
 */
#include "strategies/select.h"

#include "base/mem.h"
#include "strategies/judge.h"
#include "strategies/newest.h"
#include "strategies/shortlist.h"

#define WALK_ITEMS 64 /* read at once; they stay in the nearest cache */

struct selecting {
	const struct strategy *strategy;
	const struct strategy_order *order;
	struct newest newest;
	struct shortlist list;
	struct skipped skipped;
	/* all that were offered to the shortlist */
	uint64_t n_offered, offered_bytes;
};

void selection_fini(struct selection *s)
{
	free(s->picks);
	*s = (struct selection){0};
}

static void skip(
	struct skipped *s, enum reason reason, uint64_t files, uint64_t bytes)
{
	s->files[reason] += files;
	s->bytes[reason] = mem_add_sat(s->bytes[reason], bytes);
}

static inline enum reason find_place(const struct strategy *strategy,
	const struct strategy_order *order, const struct index_item *item,
	int64_t age_s, struct place *ret)
{
	const struct goal *goal = order->goal;
	enum reason reason = strategy->place(order, item, age_s, ret);

	if (reason == REASON_DELETED && !ret->is_due && goal->free_bytes == 0)
		reason = strategy_time.place(order, item, age_s, ret);
	if (reason != REASON_DELETED)
		return reason;
	if (!ret->is_due && item->used_bytes == 0)
		return REASON_FUTILE;
	/* It would end this run, and every run after it. */
	if (goal->max_bytes && item->used_bytes > goal->max_bytes)
		return goal_bytes_rail(goal);
	return REASON_DELETED;
}

enum reason strategy_judge_by(const struct strategy *strategy,
	const struct strategy_order *order, const struct index_item *item,
	int64_t *ret_age_s)
{
	int64_t age_s = judge_age(order->rules, item, order->goal->now_s);
	enum reason reason = judge_rules(order, item);
	struct place place;

	if (reason == REASON_DELETED)
		reason = find_place(strategy, order, item, age_s, &place);
	*ret_age_s = age_s;
	return reason;
}

/* From the newest rule onwards. */
static int offer(struct selecting *s, const struct index_item *item)
{
	const struct strategy_order *order = s->order;
	struct record record;
	enum reason reason = judge_order(order, item);

	if (reason == REASON_DELETED) {
		record.age_s =
			judge_age(order->rules, item, order->goal->now_s);
		reason = find_place(
			s->strategy, order, item, record.age_s, &record.place);
	}
	if (reason != REASON_DELETED) {
		skip(&s->skipped, reason, 1, item->used_bytes);
		return 0;
	}
	record.used_bytes = item->used_bytes;
	record.entry = item->entry;
	s->n_offered++;
	s->offered_bytes = mem_add_sat(s->offered_bytes, item->used_bytes);
	return shortlist_offer(&s->list, &record);
}

static int take(struct selecting *s, struct index_item *item)
{
	enum reason reason = judge_kind(item);

	if (reason != REASON_DELETED) {
		skip(&s->skipped, reason, 1, item->used_bytes);
		return 0;
	}
	if (s->order->rules->keep_newest[item->type] > 0) {
		int r = newest_offer(&s->newest, s->order, item);

		if (r < 0 || r == NEWEST_E_KEPT)
			return MIN_OF(r, 0);
	}
	return offer(s, item);
}

static int walk(struct selecting *s)
{
	struct index_item items[WALK_ITEMS];
	uint32_t cursor = 0;
	size_t n;

	while ((n = index_read(s->order->index, &cursor, WALK_ITEMS, items)))
		for (size_t i = 0; i < n; i++) {
			int r = take(s, &items[i]);

			if (r < 0)
				return r;
		}
	return 0;
}

/* Those that hold a place among the newest to the end. */
static void skip_newest(struct selecting *s)
{
	struct index_item item;

	for (size_t t = 0; t < N_STYPES; t++)
		for (size_t i = 0; i < s->newest.types[t].n; i++) {
			enum reason reason;

			index_get(s->order->index,
				s->newest.types[t].files[i].entry, &item);
			reason = judge_order(s->order, &item);
			if (reason == REASON_DELETED)
				reason = REASON_NEWEST;
			skip(&s->skipped, reason, 1, item.used_bytes);
		}
}

/* Why a record does not follow what is picked already, or REASON_DELETED. */
static enum reason end_at(const struct selection *picked,
	const struct goal *goal, const struct record *r)
{
	uint64_t bytes = mem_add_sat(picked->estimated_bytes, r->used_bytes);

	if (!r->place.is_due && picked->estimated_bytes >= goal->free_bytes)
		return REASON_REACHED;
	if (picked->n_picks >= goal->max_files)
		return goal_files_rail(goal);
	if (bytes > goal->max_bytes)
		return goal_bytes_rail(goal);
	return REASON_DELETED;
}

static int pick(
	struct selection *s, const struct index *index, const struct record *r)
{
	int e = mem_grow(
		(void **)&s->picks, &s->cap, s->n_picks + 1, sizeof(*s->picks));

	if (e < 0)
		return e;
	s->picks[s->n_picks++] = (struct pick){
		.entry = r->entry,
		.rule = r->place.rule,
		.step = r->place.step,
		.tag = index_entry_tag(index, r->entry),
		.used_bytes = r->used_bytes,
		.age_s = r->age_s,
	};
	s->estimated_bytes = mem_add_sat(s->estimated_bytes, r->used_bytes);
	return 0;
}

/* Picks from the sorted shortlist as far as the goal allows; ret_end: why the
 * rest is left. */
static int pick_all(const struct selecting *s, struct selection *picked,
	enum reason *ret_end)
{
	const struct goal *goal = s->order->goal;
	enum reason end = REASON_DELETED;

	for (size_t i = 0; i < s->list.n && end == REASON_DELETED; i++) {
		end = end_at(picked, goal, &s->list.records[i]);
		if (end == REASON_DELETED) {
			int r = pick(
				picked, s->order->index, &s->list.records[i]);

			if (r < 0)
				return r;
		}
	}
	if (end == REASON_DELETED && s->list.has_bound)
		end = end_at(picked, goal, &s->list.bound);
	*ret_end = end;
	return 0;
}

static bool is_short(const struct selection *picked, const struct goal *goal)
{
	return goal->free_bytes == 0 ||
	       picked->estimated_bytes < goal->free_bytes;
}

static int finish(struct selecting *s, struct selection *picked)
{
	enum reason end;
	int r;

	shortlist_finish(&s->list);
	r = pick_all(s, picked, &end);
	if (r < 0)
		return r;
	skip_newest(s);
	/* Single files over the limit matter if the goal is missed. */
	picked->is_cut =
		reason_is_cut(end) ||
		(s->skipped.files[goal_bytes_rail(s->order->goal)] > 0 &&
			is_short(picked, s->order->goal));
	skip(&s->skipped, end, s->n_offered - picked->n_picks,
		mem_sub_sat(s->offered_bytes, picked->estimated_bytes));
	picked->skipped = s->skipped;
	return 0;
}

/* 0 is no limit. */
static struct goal spell_out(const struct goal *goal)
{
	struct goal g = *goal;

	g.max_files = g.max_files ? g.max_files : UINT64_MAX;
	g.max_bytes = g.max_bytes ? g.max_bytes : UINT64_MAX;
	return g;
}

int select_by(const struct strategy *strategy,
	const struct strategy_order *order, struct selection *ret)
{
	struct goal goal = spell_out(order->goal);
	struct strategy_order own = *order;
	struct selecting s = {
		.strategy = strategy,
		.order = &own,
		.list = {.goal = &goal},
	};
	struct selection picked = {0};
	int r;

	own.goal = &goal;
	r = walk(&s);
	if (r == 0)
		r = finish(&s, &picked);
	if (r == 0)
		*ret = picked;
	else
		selection_fini(&picked);
	newest_fini(&s.newest);
	shortlist_fini(&s.list);
	return r;
}

size_t selection_rank(const struct selection *s, uint32_t entry)
{
	for (size_t i = 0; i < s->n_picks; i++)
		if (s->picks[i].entry == entry)
			return i + 1;
	return 0;
}

void selection_yield(const struct selection *s, struct strategy_yield *ret)
{
	struct strategy_yield y = {0};

	for (size_t i = 0; i < s->n_picks; i++) {
		uint8_t step = s->picks[i].step;

		y.files[step]++;
		y.bytes[step] =
			mem_add_sat(y.bytes[step], s->picks[i].used_bytes);
	}
	*ret = y;
}
