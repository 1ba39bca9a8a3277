// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Cleanup strategies: index and rules in, an ordered selection of entries
 * out. Pure: no disk, no clock. One file a strategy, one table.
 *
 * A strategy is a function from one entry to its place in the order; what
 * the rules keep, where the goal ends and what is left out is the same for
 * all of them, in select.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/index.h"
#include "model/goal.h"
#include "model/plan.h"
#include "model/reason.h"
#include "model/rules.h"

/* One selected entry, in the order in which it is to go. */
struct pick {
	uint32_t entry;
	uint8_t rule; /* enum plan_rule */
	uint8_t step; /* adaptive: which step chose it; else 0 */
	uint16_t tag; /* index_entry_tag, when it was selected */
	uint64_t used_bytes; /* expected to come free */
	int64_t age_s; /* by the rules' age */
};

/* What a strategy left out, by reason, for reports and target-missed. */
struct skipped {
	uint64_t files[N_REASONS];
	uint64_t bytes[N_REASONS];
};

struct selection {
	struct pick *picks;
	size_t n_picks;
	size_t cap;
	uint64_t estimated_bytes;
	struct skipped skipped;
	bool is_cut; /* a guard rail (max_files, max_bytes) ended it */
};
void selection_fini(struct selection *s);
/* The position of an entry in the order, from 1; 0: it was not picked. */
size_t selection_rank(const struct selection *s, uint32_t entry);

struct strategy_order {
	const struct index *index;
	const struct rules *rules;
	const struct goal *goal;
	/* device of each root by position; goal.dev is compared with these */
	const uint64_t *root_dev;
	size_t n_roots;
};

/* Where a strategy puts an entry: the lowest step first, in it the smallest
 * key; then the older, the larger, the lower entry. */
struct place {
	uint64_t key;
	uint8_t rule; /* enum plan_rule */
	uint8_t step; /* enum strategy_step; adaptive only, else 0 */
	bool is_due; /* past its retention: goes whatever the target is */
};

struct strategy {
	const char *name;
	const char *summary; /* one sentence, for help and manual */
	/*
	 * The place of an entry that the rules let go, age_s old by their
	 * age. Due entries come before all others. Returns REASON_DELETED,
	 * or why this strategy leaves the entry alone.
	 */
	enum reason (*place)(const struct strategy_order *order,
		const struct index_item *item, int64_t age_s,
		struct place *ret);
	/* Fills ret (zeroed by the caller). Returns 0 or -ENOMEM. */
	int (*select)(
		const struct strategy_order *order, struct selection *ret);
};

extern const struct strategy strategy_time, strategy_size, strategy_lru,
	strategy_priority, strategy_adaptive;
/* The table, in the order of the manual; NULL-terminated names for checks. */
extern const struct strategy *const strategies[];
extern const size_t n_strategies;
extern const char *const strategy_names[];
/* NULL if there is none of that name. */
const struct strategy *strategy_find(const char *name);

/* The steps of the adaptive strategy; 0 is what others pick in. */
enum strategy_step {
	STEP_NONE,
	STEP_TIME,
	STEP_COMPRESS,
	STEP_LRU,
	STEP_SIZE,
	STEP_PRIORITY,
	N_STEPS,
};
struct strategy_step_info {
	const char *name;
	bool is_active; /* else it is passed over, and reports say so */
};
extern const struct strategy_step_info strategy_steps[N_STEPS];

/* What each step of a selection yields. */
struct strategy_yield {
	uint64_t files[N_STEPS];
	uint64_t bytes[N_STEPS];
};
void selection_yield(const struct selection *s, struct strategy_yield *ret);

/*
 * For why: what the rules say of one entry right now, whatever strategy runs.
 * REASON_DELETED: it may go. ret_age_s: by the rules' age. One pass over the
 * index if the type keeps its newest.
 */
enum reason strategy_judge(const struct strategy_order *order,
	const struct index_item *item, int64_t *ret_age_s);
/* The same, and what the strategy says: whether it takes such an entry at
 * all, for this order (free_bytes UINT64_MAX: under any pressure). */
enum reason strategy_judge_by(const struct strategy *strategy,
	const struct strategy_order *order, const struct index_item *item,
	int64_t *ret_age_s);
/* Time of last known use. */
int64_t strategy_used(const struct index_item *item);
/* Is a file of that age past the retention of its type? At exactly the
 * retention it is. */
bool strategy_is_due(const struct rules *rules, enum stype type, int64_t age_s);
