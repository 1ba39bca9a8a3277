// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the files of this folder share; nobody else includes it. */

#include "index/index.h"
#include "index/links.h"
#include "index/nodes.h"
#include "index/pool.h"

struct index {
	struct hash_key key;
	struct pool pool;
	struct nodes nodes;
	struct links links;
	index_dir_fn *on_dir_removed;
	void *on_dir_removed_ctx;
	uint64_t n_dead; /* entries of removed directories, in the pool */
	uint32_t n_stale; /* directories that hold unseen entries */
	char *moved_name; /* the last one that a directory had lost */
	uint32_t tidy_cursor;
	bool is_tidying;
};

static inline bool impl_is_live(const struct index *ix, uint32_t node)
{
	return node < ix->nodes.n_slots &&
	       !nodes_at(&ix->nodes, node)->is_dead &&
	       !nodes_at(&ix->nodes, node)->is_free;
}

static inline bool impl_is_seen(const struct node *dir, const struct entry *e)
{
	return !!(e->flags & POOL_SEEN) == dir->epoch;
}

/* Is the entry in use, and not waiting for index_tidy? */
static inline bool impl_is_current(
	const struct index *ix, const struct entry *e)
{
	const struct node *dir;

	if (e->dir == POOL_NONE)
		return false;
	dir = nodes_at(&ix->nodes, e->dir);
	return !dir->is_dead && (!dir->is_stale || impl_is_seen(dir, e));
}

void impl_settle(struct index *ix, struct node *dir);
void impl_remove_entry(struct index *ix, uint32_t id);
void impl_remove_dir(struct index *ix, uint32_t id);
