// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * keepNewest, seen for ourselves: the newest files of a type over all its
 * roots, by the stamp that the policy counts ages from. Only files that could
 * go otherwise take a place. Costs a walk of those roots, and only where the
 * plan names a file of a type that has such a rule.
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
	struct identity *planned; /* sorted */
	size_t n_planned;
};

void keep_fini(struct keep *k);
/* Prepares for a plan. Returns 0 or -ENOMEM. */
int keep_init(struct keep *k, const struct plan *plan);
/* Walks one root of a type whose rule keeps some. Returns 0 or -ENOMEM. */
int keep_walk(struct keep *k, const struct rules *rules, enum stype type,
	int root_fd);
/* All walks are done: from here on keep_has may be asked. */
void keep_seal(struct keep *k);
/* Is this one of the newest? */
bool keep_has(const struct keep *k, enum stype type, const struct identity *id);
