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
	uint64_t n_access_changes;
	index_dir_fn *on_dir_removed;
	void *on_dir_removed_ctx;
	char *moved_name; /* the last one that a directory had lost */
	/* Directories with unseen entries, through next_stale. The first one
	 * is being swept, and stays the first until it is done. */
	uint32_t stale_head;
	uint32_t sweep_chain; /* of its names, the next to be swept */
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

void impl_remove_entry(struct index *ix, uint32_t id);
void impl_remove_dir(struct index *ix, uint32_t id);
/* It is not stale any more, or about to go. */
void impl_freshen(struct index *ix, uint32_t dir);
/* Entries of removed directories, up to max; and those directories. */
uint32_t impl_tidy_dead(struct index *ix, uint32_t max);
