// SPDX-License-Identifier: GPL-2.0-or-later
#include "index/impl.h"

#include <errno.h>

static uint64_t inode_hash(uint64_t dev, uint64_t ino)
{
	return hash_word(ino ^ hash_word(dev));
}

static uint64_t record_hash(const void *owner, uint32_t id)
{
	const struct record *r = &((const struct links *)owner)->records[id];

	return inode_hash(r->dev, r->ino);
}

static uint32_t *record_next(void *owner, uint32_t id)
{
	return &((struct links *)owner)->records[id].next;
}

static uint64_t name_hash(const void *owner, uint32_t id)
{
	return hash_word(((const struct links *)owner)->names[id].entry);
}

static uint32_t *name_next(void *owner, uint32_t id)
{
	return &((struct links *)owner)->names[id].next;
}

static const struct table_ops record_ops = {record_hash, record_next};
static const struct table_ops name_ops = {name_hash, name_next};

void links_init(struct links *l)
{
	*l = (struct links){.free_record = LINKS_NONE, .free_name = LINKS_NONE};
}

void links_fini(struct links *l)
{
	free(l->records);
	free(l->names);
	table_fini(&l->by_inode);
	table_fini(&l->by_entry);
	links_init(l);
}

static uint32_t name_of_entry(const struct links *l, uint32_t entry)
{
	uint32_t id = table_head(&l->by_entry, hash_word(entry));

	while (id != LINKS_NONE && l->names[id].entry != entry)
		id = l->names[id].next;
	return id;
}

struct record *links_record(const struct links *l, uint32_t entry)
{
	return &l->records[l->names[name_of_entry(l, entry)].record];
}

struct record *links_by_inode(const struct links *l, uint64_t dev, uint64_t ino)
{
	uint32_t id = table_head(&l->by_inode, inode_hash(dev, ino));

	while (id != LINKS_NONE) {
		struct record *r = &l->records[id];

		if (r->ino == ino && r->dev == dev)
			return r;
		id = r->next;
	}
	return NULL;
}

static int new_record(
	struct links *l, const struct observation *o, uint32_t *ret_id)
{
	uint32_t id = l->free_record;
	int r;

	if (id != LINKS_NONE) {
		l->free_record = l->records[id].next;
	} else {
		r = mem_grow((void **)&l->records, &l->cap_records,
			(size_t)l->n_record_slots + 1, sizeof(*l->records));
		if (r < 0)
			return r;
		id = l->n_record_slots++;
	}
	l->records[id] = (struct record){
		.first_name = LINKS_NONE,
		.dev = o->st.id.dev,
		.ino = o->st.id.ino,
	};
	table_insert(&l->by_inode, &record_ops, l, id);
	l->n_records++;
	*ret_id = id;
	return 0;
}

static void free_record(struct links *l, uint32_t id)
{
	table_remove(&l->by_inode, &record_ops, l, id);
	l->records[id] =
		(struct record){.is_free = true, .next = l->free_record};
	l->free_record = id;
	l->n_records--;
}

static int new_name(
	struct links *l, uint32_t record, uint32_t entry, uint32_t *ret_id)
{
	uint32_t id = l->free_name;
	int r;

	if (id != LINKS_NONE) {
		l->free_name = l->names[id].next;
	} else {
		r = mem_grow((void **)&l->names, &l->cap_names,
			(size_t)l->n_name_slots + 1, sizeof(*l->names));
		if (r < 0)
			return r;
		id = l->n_name_slots++;
	}
	l->names[id] = (struct link_name){.record = record, .entry = entry};
	table_insert(&l->by_entry, &name_ops, l, id);
	l->n_names++;
	*ret_id = id;
	return 0;
}

static void free_name(struct links *l, uint32_t id)
{
	table_remove(&l->by_entry, &name_ops, l, id);
	l->names[id] =
		(struct link_name){.entry = LINKS_NONE, .next = l->free_name};
	l->free_name = id;
	l->n_names--;
}

static uint32_t dir_of(const struct index *ix, uint32_t name)
{
	return pool_entry(&ix->pool, ix->links.names[name].entry)->dir;
}

/* Marks a directory and all above it, each with its distance. */
static void mark_upward(struct nodes *n, uint32_t dir)
{
	uint32_t depth = 0;

	nodes_new_stamp(n);
	for (; dir != INDEX_NONE; dir = nodes_at(n, dir)->parent) {
		nodes_at(n, dir)->mark = n->stamp;
		nodes_at(n, dir)->mark_depth = depth++;
	}
}

/*
 * How far above dir the first node is that has another name of the record
 * below it: from there upward the inode is counted already.
 */
static uint32_t covered_from(
	struct index *ix, const struct record *rec, uint32_t dir)
{
	struct nodes *n = &ix->nodes;
	uint32_t nearest = UINT32_MAX;
	uint32_t name;

	mark_upward(n, dir);
	for (name = rec->first_name; name != LINKS_NONE && nearest > 0;
		name = ix->links.names[name].next_in_record) {
		uint32_t at = dir_of(ix, name);

		while (nodes_at(n, at)->mark != n->stamp)
			at = nodes_at(n, at)->parent;
		nearest = MIN_OF(nearest, nodes_at(n, at)->mark_depth);
	}
	return nearest;
}

/* Adds the record's bytes (or takes them off) from dir upward, as far as no
 * other name of it covers; and one name with a record all the way. */
static void count(
	struct index *ix, const struct record *rec, uint32_t dir, bool is_added)
{
	struct nodes *n = &ix->nodes;
	uint32_t covered = covered_from(ix, rec, dir);
	uint64_t sign = is_added ? 1 : -UINT64_C(1);
	uint32_t depth = 0;

	for (; dir != INDEX_NONE; dir = nodes_at(n, dir)->parent) {
		struct sums *s = &nodes_at(n, dir)->sums;

		s->records += sign;
		if (depth++ >= covered)
			continue;
		if (is_added) {
			s->used_bytes += rec->used_bytes;
			s->size_bytes += rec->size_bytes;
		} else {
			s->used_bytes -= rec->used_bytes;
			s->size_bytes -= rec->size_bytes;
		}
	}
}

int links_attach(struct index *ix, uint32_t entry, const struct observation *o)
{
	struct links *l = &ix->links;
	struct record *rec = links_by_inode(l, o->st.id.dev, o->st.id.ino);
	struct entry *e = pool_entry(&ix->pool, entry);
	uint32_t id, name;
	int r;

	if (rec) {
		id = (uint32_t)(rec - l->records);
	} else {
		r = new_record(l, o, &id);
		if (r < 0)
			return r;
	}
	r = new_name(l, id, entry, &name);
	if (r < 0) {
		if (!rec)
			free_record(l, id);
		return r;
	}
	rec = &l->records[id];
	links_update(ix, rec, o);
	count(ix, rec, e->dir, true);
	l->names[name].next_in_record = rec->first_name;
	rec->first_name = name;
	rec->n_names++;
	e->flags |= POOL_RECORD;
	return 0;
}

static void unlink_name(struct links *l, struct record *rec, uint32_t name)
{
	uint32_t *at = &rec->first_name;

	while (*at != name)
		at = &l->names[*at].next_in_record;
	*at = l->names[name].next_in_record;
	rec->n_names--;
}

void links_detach(struct index *ix, uint32_t entry)
{
	struct links *l = &ix->links;
	struct entry *e = pool_entry(&ix->pool, entry);
	uint32_t name = name_of_entry(l, entry);
	uint32_t id = l->names[name].record;
	struct record *rec = &l->records[id];

	unlink_name(l, rec, name);
	count(ix, rec, e->dir, false);
	free_name(l, name);
	e->flags &= (uint8_t)~POOL_RECORD;
	if (!rec->n_names) {
		free_record(l, id);
		return;
	}
	/* A link has gone, or moved out. If it was moved to another place in
	 * here, the look at that place says so. */
	if (rec->nlink > 1)
		rec->nlink--;
	/* What was written through the name that went was told of that name
	 * alone. */
	rec->is_doubted = true;
	l->is_any_wanted = true;
}

void links_update(
	struct index *ix, struct record *rec, const struct observation *o)
{
	struct nodes *n = &ix->nodes;
	uint64_t used_bytes = o->st.used_bytes;
	uint64_t size_bytes = o->kind == OBS_FILE ? o->st.size_bytes : 0;
	uint32_t name;

	if (o->st.nlink > rec->nlink)
		rec->is_sought = false;
	/* Doubts stay until a look that is begun now: this one may be older. */
	rec->nlink = o->st.nlink;
	if (rec->used_bytes == used_bytes && rec->size_bytes == size_bytes)
		return;
	nodes_new_stamp(n);
	for (name = rec->first_name; name != LINKS_NONE;
		name = ix->links.names[name].next_in_record) {
		uint32_t at = dir_of(ix, name);

		for (; at != INDEX_NONE && nodes_at(n, at)->mark != n->stamp;
			at = nodes_at(n, at)->parent) {
			struct node *node = nodes_at(n, at);

			node->mark = n->stamp;
			node->sums.used_bytes += used_bytes;
			node->sums.used_bytes -= rec->used_bytes;
			node->sums.size_bytes += size_bytes;
			node->sums.size_bytes -= rec->size_bytes;
		}
	}
	rec->used_bytes = used_bytes;
	rec->size_bytes = size_bytes;
}

void links_detach_below(struct index *ix, uint32_t node)
{
	struct links *l = &ix->links;

	for (uint32_t i = 0; i < l->n_name_slots; i++)
		if (l->names[i].entry != LINKS_NONE &&
			nodes_is_below(&ix->nodes, dir_of(ix, i), node))
			links_detach(ix, l->names[i].entry);
}

int links_lift(struct index *ix, uint32_t node, struct lifted *ret)
{
	struct links *l = &ix->links;

	for (uint32_t i = 0; i < l->n_name_slots; i++) {
		const struct record *rec;
		int r;

		if (l->names[i].entry == LINKS_NONE ||
			!nodes_is_below(&ix->nodes, dir_of(ix, i), node))
			continue;
		r = mem_grow((void **)&ret->names, &ret->cap, ret->n_names + 1,
			sizeof(*ret->names));
		if (r < 0) {
			free(ret->names);
			*ret = (struct lifted){0};
			return r;
		}
		rec = &l->records[l->names[i].record];
		ret->names[ret->n_names++] = (struct lifted_name){
			.entry = l->names[i].entry,
			.is_doubted = rec->is_doubted,
			.is_open = rec->is_open,
			.o = {.kind = OBS_FILE,
				.st = {.id = {.dev = rec->dev, .ino = rec->ino},
					.nlink = rec->nlink,
					.used_bytes = rec->used_bytes,
					.size_bytes = rec->size_bytes}},
		};
	}
	for (size_t i = 0; i < ret->n_names; i++)
		links_detach(ix, ret->names[i].entry);
	return 0;
}

/* No name went or came: what was to be looked at still is, and nothing else. */
static int lay(struct index *ix, const struct lifted_name *name)
{
	int r = links_attach(ix, name->entry, &name->o);

	if (r == 0) {
		struct record *rec = links_record(&ix->links, name->entry);

		rec->is_doubted = name->is_doubted;
		rec->is_open = name->is_open;
	}
	return r;
}

int links_lay(struct index *ix, struct lifted *lifted)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < lifted->n_names; i++)
		r = lay(ix, &lifted->names[i]);
	free(lifted->names);
	*lifted = (struct lifted){0};
	return r;
}

uint64_t links_memory(const struct links *l)
{
	return l->cap_records * sizeof(*l->records) +
	       l->cap_names * sizeof(*l->names) + table_memory(&l->by_inode) +
	       table_memory(&l->by_entry);
}
