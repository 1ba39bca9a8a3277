// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The files deleted or moved to the trash last, by path, so that why can still
 * answer for them. A ring of fixed size; paths are kept as keyed hashes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "model/goal.h"

#define DELETIONS_KEPT 4096

struct deletion {
	uint64_t path_hash; /* 0: none */
	int64_t at_real_s;
	const char *strategy; /* static */
	uint8_t rule; /* enum plan_rule */
	uint8_t reason; /* enum goal_reason */
	bool is_trashed; /* it can be had back yet */
};

struct deletions {
	struct hash_key key;
	size_t next;
	struct deletion items[DELETIONS_KEPT];
};

void deletions_init(struct deletions *d);
/* path: root, directory and name as one path. d->path_hash is filled in. */
void deletions_add(
	struct deletions *d, const char *path, const struct deletion *what);
/* The latest of that path, or NULL. */
const struct deletion *deletions_find(
	const struct deletions *d, const char *path);
