// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading an index. */
#include "index/impl.h"

#include <string.h>

static uint64_t saturated(nodes_u128 sum)
{
	return sum > UINT64_MAX ? UINT64_MAX : (uint64_t)sum;
}

struct index_totals index_totals(const struct index *ix, uint32_t node)
{
	const struct sums *s = &nodes_at(&ix->nodes, node)->sums;

	return (struct index_totals){
		.used_bytes = saturated(s->used_bytes),
		.size_bytes = saturated(s->size_bytes),
		.files = s->files,
		.others = s->others,
		.directories = s->directories,
	};
}

uint64_t index_own_bytes(const struct index *ix, uint32_t node)
{
	return nodes_at(&ix->nodes, node)->own_used_bytes;
}

uint64_t index_memory(const struct index *ix)
{
	return sizeof(*ix) + pool_memory(&ix->pool) + nodes_memory(&ix->nodes) +
	       links_memory(&ix->links);
}

bool index_is_dir(const struct index *ix, uint32_t node)
{
	return impl_is_live(ix, node);
}

uint32_t index_parent(const struct index *ix, uint32_t node)
{
	return nodes_at(&ix->nodes, node)->parent;
}

uint32_t index_first_child(const struct index *ix, uint32_t node)
{
	return nodes_at(&ix->nodes, node)->first_child;
}

uint32_t index_next_sibling(const struct index *ix, uint32_t node)
{
	return nodes_at(&ix->nodes, node)->next_sibling;
}

uint32_t index_next_below(const struct index *ix, uint32_t top, uint32_t node)
{
	return nodes_next(&ix->nodes, top, node);
}

uint32_t index_next_dir(const struct index *ix, uint32_t node)
{
	do
		node = nodes_next(&ix->nodes, INDEX_NODE_COMPONENT, node);
	while (node != INDEX_NONE && node <= INDEX_NODE_TYPE(N_STYPES - 1));
	return node;
}

const char *index_name(const struct index *ix, uint32_t node)
{
	return nodes_at(&ix->nodes, node)->name;
}

enum stype index_type(const struct index *ix, uint32_t node)
{
	return (enum stype)nodes_at(&ix->nodes, node)->type;
}

uint16_t index_root(const struct index *ix, uint32_t node)
{
	return nodes_at(&ix->nodes, node)->root;
}

const struct identity *index_identity(const struct index *ix, uint32_t node)
{
	return &nodes_at(&ix->nodes, node)->id;
}

static int put_path(const struct index *ix, uint32_t node, struct buf *ret)
{
	const struct nodes *n = &ix->nodes;
	size_t len = 0, at;
	int r;

	for (uint32_t id = node; !nodes_at(n, id)->is_root;
		id = nodes_at(n, id)->parent)
		len += strlen(nodes_at(n, id)->name) + 1;
	if (!len)
		return buf_put(ret, "", 0);
	at = ret->len + len;
	for (size_t left = len; left;) { /* room first, then from the end */
		static const char blank[64];
		size_t piece = MIN_OF(left, sizeof(blank));

		r = buf_put(ret, blank, piece);
		if (r < 0) {
			ret->len = at - len;
			return r;
		}
		left -= piece;
	}
	for (uint32_t id = node; !nodes_at(n, id)->is_root;
		id = nodes_at(n, id)->parent) {
		const char *name = nodes_at(n, id)->name;
		size_t name_len = strlen(name);

		ret->data[--at] = '/';
		at -= name_len;
		memcpy(ret->data + at, name, name_len);
	}
	ret->data[--ret->len] = '\0'; /* the last slash */
	return 0;
}

int index_rel_path(const struct index *ix, uint32_t node, struct buf *ret)
{
	if (node <= INDEX_NODE_TYPE(N_STYPES - 1))
		return buf_put(ret, "", 0);
	return put_path(ix, node, ret);
}

uint32_t index_child(
	const struct index *ix, uint32_t node, const char *name, size_t len)
{
	return nodes_child(
		&ix->nodes, node, index_hash(ix, node, name, len), name, len);
}

uint32_t index_find_dir(
	const struct index *ix, uint32_t root_node, const char *rel)
{
	uint32_t node = root_node;

	while (*rel && node != INDEX_NONE) {
		size_t len = strcspn(rel, "/");

		if (len)
			node = index_child(ix, node, rel, len);
		rel += len + (rel[len] == '/');
	}
	return node;
}

/* The directory of the entry looked at last: those of one directory lie
 * together in the pool, and its node elsewhere. */
struct last {
	uint32_t id;
	const struct node *dir;
};

static inline bool is_current(
	const struct index *ix, const struct entry *e, struct last *last)
{
	if (e->dir == POOL_NONE)
		return false;
	if (e->dir != last->id)
		*last = (struct last){e->dir, nodes_at(&ix->nodes, e->dir)};
	return !last->dir->is_dead &&
	       (!last->dir->is_stale || impl_is_seen(last->dir, e));
}

static void decode_record(
	const struct index *ix, uint32_t id, struct index_item *ret)
{
	const struct record *rec = links_record(&ix->links, id);

	ret->is_linked = rec->nlink > 1;
	ret->size_bytes = rec->size_bytes;
	ret->used_bytes = rec->used_bytes;
}

static inline void decode(const struct index *ix, uint32_t id,
	const struct entry *e, const struct node *dir, struct index_item *ret)
{
	*ret = (struct index_item){
		.entry = id,
		.dir = e->dir,
		.type = (enum stype)dir->type,
		.root = dir->root,
		.is_file = !(e->flags & POOL_OTHER),
		.is_protected = e->flags & INDEX_PROTECTED,
		.is_foreign = e->flags & INDEX_FOREIGN,
		.is_trashed = e->flags & INDEX_TRASHED,
		.size_bytes = pool_size(e),
		.used_bytes = pool_used(e),
		.mtime_s = e->mtime,
		.btime_s = e->btime,
		.atime_s = e->atime,
		.is_access_observed = e->flags & POOL_OBSERVED,
	};
	if (e->flags & POOL_RECORD)
		decode_record(ix, id, ret);
}

/* Entries to fetch ahead: the processor does it by itself, but only to the
 * end of each page. */
#define READ_AHEAD 32

size_t index_read(const struct index *ix, uint32_t *cursor, size_t max,
	struct index_item *ret)
{
	struct last last = {.id = POOL_NONE};
	uint32_t id = *cursor;
	size_t n = 0;

	for (; id < ix->pool.n_slots && n < max; id++) {
		const struct entry *e = pool_entry(&ix->pool, id);

		__builtin_prefetch(e + READ_AHEAD);
		if (is_current(ix, e, &last))
			decode(ix, id, e, last.dir, &ret[n++]);
	}
	*cursor = id;
	return n;
}

size_t index_read_accesses(const struct index *ix, uint32_t *cursor,
	uint32_t max, struct index_access *ret, bool *ret_more)
{
	struct last last = {.id = POOL_NONE};
	uint32_t id = *cursor, n_slots = ix->pool.n_slots;
	uint32_t end = id + MIN_OF(max, n_slots - MIN_OF(id, n_slots));
	size_t n = 0;

	for (; id < end; id++) {
		const struct entry *e = pool_entry(&ix->pool, id);

		__builtin_prefetch(e + READ_AHEAD);
		if (!(e->flags & (POOL_OBSERVED | POOL_DISOWNED)) ||
			!is_current(ix, e, &last))
			continue;
		ret[n++] = (struct index_access){
			.dir = e->dir,
			.hash = pool_hash(e),
			.ino_tag = e->ino_tag,
			.atime_s = e->atime,
			.is_observed = e->flags & POOL_OBSERVED,
			.is_disowned = e->flags & POOL_DISOWNED,
		};
	}
	*cursor = id;
	*ret_more = id < n_slots;
	return n;
}

uint64_t index_access_changes(const struct index *ix)
{
	return ix->n_access_changes;
}

bool index_next(
	const struct index *ix, uint32_t *cursor, struct index_item *ret)
{
	return index_read(ix, cursor, 1, ret) == 1;
}

bool index_get(const struct index *ix, uint32_t entry, struct index_item *ret)
{
	uint32_t at = entry;

	if (entry >= ix->pool.n_slots ||
		!impl_is_current(ix, pool_entry(&ix->pool, entry)))
		return false;
	return index_next(ix, &at, ret);
}

bool index_find(const struct index *ix, uint32_t dir, const char *name,
	size_t len, struct index_item *ret)
{
	uint32_t id;

	if (!impl_is_live(ix, dir))
		return false;
	id = pool_find(&ix->pool, &nodes_at(&ix->nodes, dir)->names,
		index_hash(ix, dir, name, len));
	return id != POOL_NONE && index_get(ix, id, ret);
}

uint64_t index_entry_hash(const struct index *ix, uint32_t entry)
{
	return pool_hash(pool_entry(&ix->pool, entry));
}

uint16_t index_entry_tag(const struct index *ix, uint32_t entry)
{
	return entry < ix->pool.n_slots
		       ? (uint16_t)(index_entry_hash(ix, entry) >> 32)
		       : 0;
}

struct hash_key index_key(const struct index *ix)
{
	return ix->key;
}
