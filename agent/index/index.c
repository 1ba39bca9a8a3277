// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the index: applies observations. Entries live in pool.c, directories
 * in nodes.c, inodes with several names in links.c; reading is in read.c,
 * waiting work in tidy.c.
 */
#include "index/impl.h"

#include <errno.h>
#include <string.h>

#define TIDY_AT_ONCE 256 /* entries of removed directories */

struct index *index_new(void)
{
	struct index *ix = calloc(1, sizeof(*ix));

	if (!ix)
		return NULL;
	ix->key = hash_key_random();
	ix->stale_head = INDEX_NONE;
	pool_init(&ix->pool);
	links_init(&ix->links);
	if (nodes_init(&ix->nodes, ix->key) < 0)
		return index_free(ix);
	return ix;
}

struct index *index_free(struct index *ix)
{
	if (!ix)
		return NULL;
	pool_fini(&ix->pool);
	links_fini(&ix->links);
	nodes_fini(&ix->nodes);
	free(ix->moved_name);
	free(ix);
	return NULL;
}

void index_on_dir_removed(struct index *ix, index_dir_fn *fn, void *ctx)
{
	ix->on_dir_removed = fn;
	ix->on_dir_removed_ctx = ctx;
}

int index_add_root(struct index *ix, enum stype type, const char *path,
	uint16_t root, uint32_t *ret_node)
{
	struct sums one = {.directories = 1};
	uint32_t id;
	int r = nodes_add(
		&ix->nodes, INDEX_NODE_TYPE(type), path, strlen(path), &id);

	if (r < 0)
		return r;
	nodes_at(&ix->nodes, id)->is_root = true;
	nodes_at(&ix->nodes, id)->root = root;
	nodes_add_sums(&ix->nodes, id, &one);
	*ret_node = id;
	return 0;
}

uint64_t index_hash(
	const struct index *ix, uint32_t dir, const char *name, size_t len)
{
	return hash_name(ix->key, dir, name, len) & INDEX_HASH_MASK;
}

static uint32_t find(const struct index *ix, uint32_t dir, uint64_t hash)
{
	return pool_find(&ix->pool, &nodes_at(&ix->nodes, dir)->names, hash);
}

/* The directory that stands under the observed name, or INDEX_NONE. */
static uint32_t child_at(
	const struct index *ix, const struct observation *o, uint64_t hash)
{
	return nodes_child(&ix->nodes, o->dir, hash, o->name, o->name_len);
}

static uint32_t clamp_time(int64_t s)
{
	return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static struct sums sums_of(const struct entry *e)
{
	struct sums s = {.used_bytes = pool_used(e)};

	if (e->flags & POOL_OTHER) {
		s.others = 1;
	} else {
		s.files = 1;
		s.size_bytes = pool_size(e);
	}
	if (e->flags & POOL_RECORD) /* links.c counts its bytes */
		s.used_bytes = s.size_bytes = 0;
	return s;
}

static bool needs_record(const struct observation *o)
{
	return o->st.nlink > 1 || o->st.size_bytes > POOL_MAX_SIZE ||
	       o->st.used_bytes / 512 > UINT32_MAX;
}

/* Writes what was seen into the entry, but for its sizes and record. */
static void put_facts(
	struct entry *e, const struct observation *o, uint8_t flags)
{
	uint32_t atime = clamp_time(o->st.atime_s);
	bool is_same = e->ino_tag == (uint32_t)o->st.id.ino;
	bool is_disowned = is_same && e->flags & POOL_DISOWNED;
	bool is_observed = is_same && e->flags & POOL_OBSERVED &&
			   (is_disowned || e->atime > atime);

	e->ino_tag = (uint32_t)o->st.id.ino;
	e->mtime = clamp_time(o->st.mtime_s);
	e->btime = clamp_time(o->st.id.btime_s);
	if (!is_observed && !is_disowned)
		e->atime = atime;
	e->flags &= POOL_RECORD | POOL_SEEN;
	e->flags |= flags & POOL_CALLER;
	e->flags |= is_observed ? POOL_OBSERVED : 0;
	e->flags |= is_disowned ? POOL_DISOWNED : 0;
	e->flags |= o->kind == OBS_OTHER ? POOL_OTHER : 0;
}

static void put_sizes(struct entry *e, const struct observation *o)
{
	uint64_t size = MIN_OF(o->st.size_bytes, POOL_MAX_SIZE);
	uint64_t blocks = MIN_OF(o->st.used_bytes / 512, UINT32_MAX);

	e->size_lo = (uint32_t)size;
	e->size_hi = (uint8_t)(size >> 32);
	e->blocks = (uint32_t)blocks;
}

static void mark_seen(struct node *dir, struct entry *e)
{
	if (impl_is_seen(dir, e))
		return;
	e->flags ^= POOL_SEEN;
	dir->n_seen++;
}

static void unaccount(struct index *ix, uint32_t id)
{
	struct entry *e = pool_entry(&ix->pool, id);
	struct sums s;

	if (e->flags & POOL_RECORD)
		links_detach(ix, id);
	else {
		s = sums_of(e);
		nodes_sub_sums(&ix->nodes, e->dir, &s);
		return;
	}
	/* Its bytes went with the record, its name goes now. */
	e->flags |= POOL_RECORD;
	s = sums_of(e);
	e->flags &= (uint8_t)~POOL_RECORD;
	nodes_sub_sums(&ix->nodes, e->dir, &s);
}

/* Whoever writes by one name tells of no other. Of an inode with more names
 * than that, who made them could keep us busy. */
#define MAX_TOLD 64

static void tell_names(
	struct index *ix, const struct record *rec, const struct observation *o)
{
	const struct links *l = &ix->links;
	uint32_t id = rec->n_names > MAX_TOLD ? LINKS_NONE : rec->first_name;

	for (; id != LINKS_NONE; id = l->names[id].next_in_record)
		pool_entry(&ix->pool, l->names[id].entry)->mtime =
			clamp_time(o->st.mtime_s);
}

/* Counts a fresh entry, or one that was unaccounted. */
static int account(struct index *ix, uint32_t id, const struct observation *o)
{
	struct entry *e = pool_entry(&ix->pool, id);
	struct sums s;
	int r = 0;

	if (needs_record(o)) {
		r = links_attach(ix, id, o);
		if (r == 0)
			tell_names(ix, links_record(&ix->links, id), o);
	}
	s = sums_of(e);
	nodes_add_sums(&ix->nodes, e->dir, &s);
	return r;
}

void impl_remove_entry(struct index *ix, uint32_t id)
{
	struct entry *e = pool_entry(&ix->pool, id);
	struct node *dir = nodes_at(&ix->nodes, e->dir);

	unaccount(ix, id);
	if (impl_is_seen(dir, e))
		dir->n_seen--;
	pool_remove(&ix->pool, &dir->names, id);
}

static int add_entry(struct index *ix, const struct observation *o,
	uint64_t hash, uint8_t flags)
{
	struct node *dir = nodes_at(&ix->nodes, o->dir);
	struct entry *e;
	uint32_t id;
	int r = pool_add(&ix->pool, &dir->names, o->dir, hash, &id);

	if (r < 0)
		return r;
	e = pool_entry(&ix->pool, id);
	e->flags = dir->epoch ? POOL_SEEN : 0;
	dir->n_seen++;
	put_facts(e, o, flags);
	put_sizes(e, o);
	r = account(ix, id, o);
	if (r < 0)
		impl_remove_entry(ix, id);
	return r;
}

/* The same inode with a record, looked at again. */
static bool update_record(struct index *ix, uint32_t id,
	const struct observation *o, uint8_t flags)
{
	struct entry *e = pool_entry(&ix->pool, id);
	struct record *rec;

	if (!(e->flags & POOL_RECORD) || !needs_record(o) ||
		!!(e->flags & POOL_OTHER) != (o->kind == OBS_OTHER))
		return false;
	rec = links_record(&ix->links, id);
	if (rec->ino != o->st.id.ino || rec->dev != o->st.id.dev)
		return false;
	put_facts(e, o, flags);
	tell_names(ix, rec, o);
	links_update(ix, rec, o);
	return true;
}

/* A plain entry that stays plain: one walk upward with the difference. */
static void update_plain(struct index *ix, struct entry *e,
	const struct observation *o, uint8_t flags)
{
	struct sums before = sums_of(e), after, change;

	put_facts(e, o, flags);
	put_sizes(e, o);
	after = sums_of(e);
	change = (struct sums){
		.used_bytes = after.used_bytes - before.used_bytes,
		.size_bytes = after.size_bytes - before.size_bytes,
		.files = after.files - before.files,
		.others = after.others - before.others,
	};
	if (change.used_bytes || change.size_bytes || change.files)
		nodes_add_sums(&ix->nodes, e->dir, &change);
}

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->mtime == b->mtime && a->ino_tag == b->ino_tag &&
	       a->size_lo == b->size_lo && a->size_hi == b->size_hi &&
	       a->blocks == b->blocks && a->btime == b->btime &&
	       (a->flags & ~POOL_SEEN) == (b->flags & ~POOL_SEEN);
}

static int put_entry(struct index *ix, const struct observation *o,
	uint64_t hash, uint8_t flags, struct index_change *ret)
{
	uint32_t id = find(ix, o->dir, hash);
	struct entry *e, before;
	int r;

	if (id == POOL_NONE) {
		ret->what = INDEX_ADDED;
		return add_entry(ix, o, hash, flags);
	}
	e = pool_entry(&ix->pool, id);
	before = *e;
	mark_seen(nodes_at(&ix->nodes, o->dir), e);
	if (update_record(ix, id, o, flags)) {
		ret->what = is_same(&before, e) ? INDEX_SAME : INDEX_CHANGED;
		return 0;
	}
	if (!(e->flags & POOL_RECORD) && !needs_record(o)) {
		update_plain(ix, e, o, flags);
		ret->what = is_same(&before, e) ? INDEX_SAME : INDEX_CHANGED;
		return 0;
	}
	unaccount(ix, id);
	put_facts(e, o, flags);
	put_sizes(e, o);
	ret->what = INDEX_CHANGED;
	r = account(ix, id, o);
	if (r < 0) {
		/* Counted without its record: take it out altogether. */
		impl_remove_entry(ix, id);
	}
	return r;
}

/* Removes a directory and all below it. The entries of large ones linger,
 * counted nowhere. */
void impl_remove_dir(struct index *ix, uint32_t id)
{
	struct nodes *n = &ix->nodes;
	struct sums gone;

	if (nodes_at(n, id)->sums.records)
		links_detach_below(ix, id);
	for (uint32_t at = id; at != INDEX_NONE; at = nodes_next(n, id, at)) {
		if (ix->on_dir_removed)
			ix->on_dir_removed(ix->on_dir_removed_ctx, at);
		impl_freshen(ix, at);
	}
	gone = nodes_at(n, id)->sums;
	nodes_sub_sums(n, nodes_at(n, id)->parent, &gone);
	nodes_kill(n, id);
	impl_tidy_dead(ix, TIDY_AT_ONCE);
}

void index_remove_root(struct index *ix, uint32_t node)
{
	impl_remove_dir(ix, node);
}

static void set_own_used(struct index *ix, uint32_t id, uint64_t used_bytes)
{
	struct node *node = nodes_at(&ix->nodes, id);
	struct sums change = {
		.used_bytes = (nodes_u128)used_bytes - node->own_used_bytes,
	};

	if (!change.used_bytes)
		return;
	node->own_used_bytes = used_bytes;
	nodes_add_sums(&ix->nodes, id, &change);
}

static int move_dir(struct index *ix, uint32_t id, const struct observation *o)
{
	struct nodes *n = &ix->nodes;
	struct lifted lifted = {0};
	struct sums s;
	int r, laid;

	if (nodes_at(n, id)->sums.records) {
		r = links_lift(ix, id, &lifted);
		if (r < 0)
			return r;
	}
	s = nodes_at(n, id)->sums;
	nodes_sub_sums(n, nodes_at(n, id)->parent, &s);
	r = nodes_move(n, id, o->dir, o->name, o->name_len);
	nodes_add_sums(n, nodes_at(n, id)->parent, &s);
	laid = links_lay(ix, &lifted);
	return r < 0 ? r : laid;
}

static int note_move(struct index *ix, uint32_t id, const struct observation *o,
	struct index_change *ret)
{
	const struct node *node = nodes_at(&ix->nodes, id);
	char *name = strdup(node->name);

	if (!name)
		return -ENOMEM;
	free(ix->moved_name);
	ix->moved_name = name;
	ret->what = INDEX_DIR_MOVED;
	ret->node = id;
	ret->old_parent = node->parent;
	ret->old_name = name;
	return move_dir(ix, id, o);
}

static int add_dir(
	struct index *ix, const struct observation *o, uint32_t *ret_id)
{
	struct sums one = {.directories = 1};
	uint32_t id;
	int r = nodes_add(&ix->nodes, o->dir, o->name, o->name_len, &id);

	if (r < 0)
		return r;
	nodes_add_sums(&ix->nodes, id, &one);
	nodes_set_identity(&ix->nodes, id, &o->st.id);
	*ret_id = id;
	return 0;
}

/* A directory of that name that is another one than before goes; the same one
 * from elsewhere moves here; an unknown one begins. */
static int place_dir(struct index *ix, const struct observation *o,
	uint64_t hash, struct index_change *ret)
{
	struct nodes *n = &ix->nodes;
	uint32_t there = child_at(ix, o, hash);
	uint32_t known;

	if (there != INDEX_NONE) {
		if (identity_equal(&nodes_at(n, there)->id, &o->st.id)) {
			ret->node = there;
			return 0;
		}
		impl_remove_dir(ix, there);
	}
	known = nodes_by_identity(n, &o->st.id);
	if (known != INDEX_NONE && !nodes_at(n, known)->is_root &&
		!nodes_is_below(n, o->dir, known)) {
		return note_move(ix, known, o, ret);
	}
	ret->what = INDEX_DIR_ADDED;
	return add_dir(ix, o, &ret->node);
}

static int put_dir(struct index *ix, const struct observation *o, uint64_t hash,
	struct index_change *ret)
{
	uint32_t entry = find(ix, o->dir, hash);
	int r;

	if (entry != POOL_NONE)
		impl_remove_entry(ix, entry);
	r = place_dir(ix, o, hash, ret);
	if (r < 0)
		return r;
	nodes_at(&ix->nodes, ret->node)->is_child_seen =
		nodes_at(&ix->nodes, o->dir)->epoch;
	set_own_used(ix, ret->node, o->st.used_bytes);
	return 0;
}

static void remove_name(struct index *ix, const struct observation *o,
	uint64_t hash, struct index_change *ret)
{
	uint32_t entry = find(ix, o->dir, hash);
	uint32_t dir = child_at(ix, o, hash);

	if (entry != POOL_NONE) {
		ret->what = INDEX_REMOVED;
		impl_remove_entry(ix, entry);
	}
	if (dir != INDEX_NONE) {
		ret->what = INDEX_DIR_REMOVED;
		impl_remove_dir(ix, dir);
	}
}

static int put_name(struct index *ix, const struct observation *o,
	uint64_t hash, uint8_t flags, struct index_change *ret)
{
	uint32_t dir = child_at(ix, o, hash);

	if (dir != INDEX_NONE)
		impl_remove_dir(ix, dir);
	return put_entry(ix, o, hash, flags, ret);
}

static bool is_link_unknown(const struct index *ix, const struct observation *o)
{
	const struct record *rec;

	if (o->st.nlink < 2 || (o->kind != OBS_FILE && o->kind != OBS_OTHER))
		return false;
	rec = links_by_inode(&ix->links, o->st.id.dev, o->st.id.ino);
	return rec && rec->n_names < rec->nlink && !rec->is_sought;
}

static int apply(struct index *ix, const struct observation *o, uint8_t flags,
	struct index_change *ret)
{
	uint64_t hash = index_hash(ix, o->dir, o->name, o->name_len);

	switch ((enum obs_kind)o->kind) {
	case OBS_GONE:
		remove_name(ix, o, hash, ret);
		return 0;
	case OBS_SELF:
		set_own_used(ix, o->dir, o->st.used_bytes);
		nodes_set_identity(&ix->nodes, o->dir, &o->st.id);
		return 0;
	case OBS_DIR:
		return put_dir(ix, o, hash, ret);
	case OBS_FILE:
	case OBS_OTHER:
		return put_name(ix, o, hash, flags, ret);
	}
	return -EINVAL;
}

int index_apply(struct index *ix, const struct observation *o, uint8_t flags,
	struct index_change *ret)
{
	const struct sums *whole = &nodes_at(&ix->nodes, 0)->sums;
	struct index_change change = {.node = INDEX_NONE};
	nodes_u128 before = whole->used_bytes;
	int r;

	if (!impl_is_live(ix, o->dir)) {
		*ret = change;
		return 0;
	}
	r = apply(ix, o, flags, &change);
	if (r < 0)
		return r;
	/* The chunk that holds node 0 never moves. */
	change.used_delta = (int64_t)(whole->used_bytes - before);
	if (is_link_unknown(ix, o))
		ix->links.is_any_wanted = true;
	*ret = change;
	return 0;
}

/* NULL: not known. */
static struct entry *entry_of(
	const struct index *ix, uint32_t dir, const char *name, size_t len)
{
	uint32_t id = impl_is_live(ix, dir)
			      ? find(ix, dir, index_hash(ix, dir, name, len))
			      : POOL_NONE;

	return id == POOL_NONE ? NULL : pool_entry(&ix->pool, id);
}

void index_touch(struct index *ix, uint32_t dir, const char *name, size_t len,
	int64_t used_real_s)
{
	struct entry *e = entry_of(ix, dir, name, len);
	uint32_t now = clamp_time(used_real_s);

	if (!e || now <= e->atime)
		return;
	e->atime = now;
	e->flags |= POOL_OBSERVED;
	ix->n_access_changes++;
}

void index_disown(struct index *ix, uint32_t dir, const char *name, size_t len)
{
	struct entry *e = entry_of(ix, dir, name, len);

	if (!e || e->flags & POOL_DISOWNED)
		return;
	e->flags |= POOL_DISOWNED;
	ix->n_access_changes++;
}

void index_recall(struct index *ix, uint32_t dir, const char *name, size_t len,
	const struct index_access *a, int64_t seen_real_s)
{
	struct entry *e = entry_of(ix, dir, name, len);

	if (!e || e->ino_tag != a->ino_tag)
		return;
	if (a->is_disowned && e->atime <= seen_real_s) {
		e->atime = a->atime_s;
		e->flags |= POOL_DISOWNED;
		e->flags |= a->is_observed ? POOL_OBSERVED : 0;
	} else if (a->is_observed && a->atime_s > e->atime) {
		e->atime = a->atime_s;
		e->flags |= POOL_OBSERVED;
	}
}

void index_own(struct index *ix)
{
	ix->n_access_changes++;
	for (uint32_t id = 0; id < ix->pool.n_slots; id++)
		pool_entry(&ix->pool, id)->flags &= (uint8_t)~POOL_DISOWNED;
}
