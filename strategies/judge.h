// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * What the rules say of one entry, in two halves: whether it is of the kind
 * that may go at all, and whether it may go now. Between the two stands the
 * rule that needs all entries at once: newest.h. Inline, since a plan asks
 * them of every entry of the index.
 */

#include "base/mem.h"
#include "strategies/strategies.h"

/* A stamp in the future counts as now: it may be forged. */
static inline int64_t judge_since(int64_t stamp_s, int64_t now_s)
{
	return stamp_s >= now_s ? 0 : now_s - stamp_s;
}

static inline int64_t judge_used(const struct index_item *item)
{
	return MAX_OF(item->atime_s, item->mtime_s);
}

static inline int64_t judge_stamp(
	const struct rules *rules, const struct index_item *item)
{
	return rules_stamp(
		rules, item->mtime_s, item->btime_s, judge_used(item));
}

static inline int64_t judge_age(
	const struct rules *rules, const struct index_item *item, int64_t now_s)
{
	return judge_since(judge_stamp(rules, item), now_s);
}

static inline bool judge_is_due(
	const struct rules *rules, enum stype type, int64_t age_s)
{
	return rules->retention_s[type] != RULES_FOREVER &&
	       age_s >= rules->retention_s[type];
}

/* By what the entry is: in the trash, special, protected, foreign, linked. */
static inline enum reason judge_kind(const struct index_item *item)
{
	if (item->is_trashed)
		return REASON_TRASHED;
	if (!item->is_file)
		return REASON_SPECIAL;
	if (item->is_protected)
		return REASON_PROTECTED;
	if (item->is_foreign)
		return REASON_OWNER;
	if (item->is_linked)
		return REASON_LINKED;
	return REASON_DELETED;
}

static inline bool judge_is_elsewhere(
	const struct strategy_order *order, const struct index_item *item)
{
	return order->goal->dev != 0 &&
	       (item->root >= order->n_roots ||
		       order->root_dev[item->root] != order->goal->dev);
}

static inline bool judge_is_config_kept(
	const struct strategy_order *order, const struct index_item *item)
{
	return item->type == STYPE_CONFIG &&
	       !(order->goal->reason == GOAL_EMERGENCY &&
		       order->rules->is_config_allowed);
}

/* By this order: filesystem, config, minimum age. */
static inline enum reason judge_order(
	const struct strategy_order *order, const struct index_item *item)
{
	int64_t newest_s = MAX_OF(item->btime_s, judge_used(item));

	if (judge_is_elsewhere(order, item))
		return REASON_MOUNT;
	if (judge_is_config_kept(order, item))
		return REASON_CONFIG;
	if (judge_since(newest_s, order->goal->now_s) < order->rules->min_age_s)
		return REASON_YOUNG;
	return REASON_DELETED;
}

/* All of it for one entry, the newest of its type too; whatever its age. */
enum reason judge_rules(
	const struct strategy_order *order, const struct index_item *item);
