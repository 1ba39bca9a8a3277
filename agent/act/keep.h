// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * keepNewest, seen for ourselves: the newest files of a type over all its
 * roots, by the stamp that the policy counts ages from. Only files that could
 * go otherwise take a place. Costs a walk of those roots, and only where the
 * plan names a file of a type that has such a rule. The walk ends early when
 * all places are taken by files newer than any that the plan names: whatever
 * is older than those is not among the newest, however many more there are.
 * That the plan may lie about: whether a candidate is older than those its own
 * stamp decides, and for one that is not all is walked.
 *
 * What the walk cannot see (a directory that is gone, one that we may not
 * list) keeps nothing from its place here: then more files stay, never fewer.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/beneath.h"
#include "model/plan.h"
#include "model/rules.h"
#include "model/stype.h"

struct keep_file {
	struct identity id;
	int64_t stamp_s;
	bool is_planned; /* among equals, what the plan spares is kept */
};

struct keep {
	struct keep_file *files[N_STYPES];
	size_t n[N_STYPES], cap[N_STYPES];
	uint32_t places[N_STYPES]; /* 0: not walked */
	int64_t until_s[N_STYPES]; /* the newest stamp in the plan */
	int64_t oldest_s[N_STYPES]; /* once all places are taken: of them */
	bool is_partial[N_STYPES]; /* a walk ended early */
	bool is_failed; /* ... and could not be made up for */
	/* Makes all walks, and seals. Returns 0 or -errno. */
	int (*walk_all)(void *ctx, struct keep *k);
	void *ctx;
	struct identity *planned; /* sorted */
	size_t n_planned;
};

void keep_fini(struct keep *k);
/* Prepares for a plan made at about now_s. Returns 0 or -ENOMEM. */
int keep_init(struct keep *k, const struct plan *plan, int64_t now_s);
/* Walks one root of a type whose rule keeps some. Returns 0 or -ENOMEM. */
int keep_walk(struct keep *k, const struct rules *rules, enum stype type,
	int root_fd);
/* All walks are done: from here on keep_has may be asked. */
void keep_seal(struct keep *k);
/* Is this one of the newest, or may it be? stamp_s: its own, by the policy. */
bool keep_has(struct keep *k, enum stype type, const struct identity *id,
	int64_t stamp_s);
