// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve.h"

#include <errno.h>
#include <string.h>

struct slot {
	uint64_t hash;
	uint32_t dir;
	uint32_t pick;
	uint32_t name; /* offset in text */
	bool is_found;
	struct identity id;
	uint64_t used_bytes, size_bytes;
};

struct resolve {
	struct feed *feed;
	const struct pick *picks;
	size_t n_picks;
	struct slot *slots; /* by (dir, hash) */
	struct buf text;
	size_t n_owed; /* directories still to come */
	int error;
	resolve_fn *done;
	void *ctx;
};

void resolved_fini(struct resolved *r)
{
	plan_fini(&r->plan);
	free(r->dirs);
	free(r->lives);
	free(r->picks);
	*r = (struct resolved){0};
}

struct resolve *resolve_cancel(struct resolve *r)
{
	if (!r)
		return NULL;
	feed_forget_names(r->feed, r);
	free(r->slots);
	buf_fini(&r->text);
	free(r);
	return NULL;
}

static int by_dir_and_hash(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int by_pick(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->pick < y->pick ? -1 : x->pick > y->pick;
}

static void take_name(
	struct resolve *r, uint32_t dir, const struct observation *o)
{
	struct slot key = {.dir = dir};
	struct slot *s;

	if (o->kind != OBS_FILE)
		return;
	key.hash = index_hash(feed_index(r->feed), dir, o->name, o->name_len);
	s = bsearch(&key, r->slots, r->n_picks, sizeof(*s), by_dir_and_hash);
	if (!s)
		return;
	s->name = (uint32_t)r->text.len;
	if (buf_put(&r->text, o->name, (size_t)o->name_len + 1) < 0) {
		r->error = -ENOMEM;
		return;
	}
	s->is_found = true;
	s->id = o->st.id;
	s->used_bytes = o->st.used_bytes;
	s->size_bytes = o->st.size_bytes;
}

static int add_item(struct resolve *r, const struct slot *s, struct buf *rel,
	struct resolved *ret)
{
	const struct index *ix = feed_index(r->feed);
	const struct pick *pick = &r->picks[s->pick];
	struct index_item item = {0};
	size_t at = ret->plan.n_items;
	int e;

	buf_reset(rel);
	e = index_rel_path(ix, s->dir, rel);
	if (e < 0)
		return e;
	index_get(ix, pick->entry, &item);
	e = plan_add(
		&ret->plan, &(struct candidate){
				    .root = index_root(ix, s->dir),
				    .type = (uint8_t)index_type(ix, s->dir),
				    .rule = pick->rule,
				    .rel_dir = rel->data,
				    .name = r->text.data + s->name,
				    .id = s->id,
				    .used_bytes = s->used_bytes,
				    .size_bytes = s->size_bytes,
				    .age_s = pick->age_s,
				    .used_real_s = strategy_used(&item),
			    });
	if (e < 0)
		return e;
	ret->dirs[at] = s->dir;
	ret->lives[at] = feed_life(r->feed, s->dir);
	ret->picks[at] = s->pick;
	return 0;
}

static int collect(struct resolve *r, struct resolved *ret)
{
	buf_auto struct buf rel = {0};
	int e = 0;

	ret->dirs = calloc(r->n_picks + 1, sizeof(*ret->dirs));
	ret->lives = calloc(r->n_picks + 1, sizeof(*ret->lives));
	ret->picks = calloc(r->n_picks + 1, sizeof(*ret->picks));
	if (!ret->dirs || !ret->lives || !ret->picks)
		return -ENOMEM;
	qsort(r->slots, r->n_picks, sizeof(*r->slots), by_pick);
	for (size_t i = 0; e == 0 && i < r->n_picks; i++) {
		const struct slot *s = &r->slots[i];

		if (s->is_found && index_is_dir(feed_index(r->feed), s->dir)) {
			e = add_item(r, s, &rel, ret);
			continue;
		}
		ret->n_missing++;
		if (s->dir != INDEX_NONE)
			feed_list(r->feed, s->dir);
	}
	return e;
}

static void finish(struct resolve *r)
{
	struct resolved found = {0};
	resolve_fn *done = r->done;
	void *ctx = r->ctx;
	int error = r->error;

	if (!error)
		error = collect(r, &found);
	resolve_cancel(r);
	done(ctx, &found, error);
	resolved_fini(&found);
}

static void on_names(void *ctx, const struct result *result)
{
	struct resolve *r = ctx;

	for (size_t i = 0; i < result->n_obs; i++)
		take_name(r, result->job->dir, &result->obs[i]);
	if (result->is_last && --r->n_owed == 0)
		finish(r);
}

/* Asks for the names of the slots [from, to), all of one directory. */
static int ask(struct resolve *r, size_t from, size_t to)
{
	uint64_t *hashes = calloc(to - from, sizeof(*hashes));
	int e;

	if (!hashes)
		return -ENOMEM;
	for (size_t i = from; i < to; i++)
		hashes[i - from] = r->slots[i].hash;
	e = feed_names(
		r->feed, r->slots[from].dir, hashes, to - from, on_names, r);
	if (e == 0)
		r->n_owed++;
	return e;
}

static int ask_all(struct resolve *r)
{
	size_t from = 0, to;
	int e = 0;

	for (; e == 0 && from < r->n_picks; from = to) {
		for (to = from + 1; to < r->n_picks &&
				    r->slots[to].dir == r->slots[from].dir;)
			to++;
		if (index_is_dir(feed_index(r->feed), r->slots[from].dir))
			e = ask(r, from, to);
	}
	return e;
}

/* Where the picked file is; INDEX_NONE: it has gone, and its entry may be
 * another file's by now. */
static uint32_t dir_of(const struct index *ix, const struct pick *pick)
{
	struct index_item item;

	return index_get(ix, pick->entry, &item) &&
			       index_entry_tag(ix, pick->entry) == pick->tag
		       ? item.dir
		       : INDEX_NONE;
}

/* The directory of each pick (those that are gone: the first free number), to
 * ret_dirs. Returns how many numbers there are. */
static uint32_t find_dirs(const struct index *ix, const struct pick *picks,
	size_t n_picks, uint32_t *ret_dirs)
{
	uint32_t end = 0;

	for (size_t i = 0; i < n_picks; i++) {
		ret_dirs[i] = dir_of(ix, &picks[i]);
		if (ret_dirs[i] != INDEX_NONE)
			end = MAX_OF(end, ret_dirs[i] + 1);
	}
	for (size_t i = 0; i < n_picks; i++)
		if (ret_dirs[i] == INDEX_NONE)
			ret_dirs[i] = end;
	return end + 1;
}

/* A counting sort: half a million picks take milliseconds. */
int resolve_group(const struct feed *feed, struct pick *picks, size_t n_picks)
{
	mem_autofree uint32_t *dirs = calloc(n_picks + 1, sizeof(*dirs));
	mem_autofree struct pick *sorted = calloc(n_picks + 1, sizeof(*sorted));
	mem_autofree uint32_t *at = NULL;
	uint32_t n_dirs;

	if (!dirs || !sorted)
		return -ENOMEM;
	n_dirs = find_dirs(feed_index(feed), picks, n_picks, dirs);
	at = calloc((size_t)n_dirs + 1, sizeof(*at));
	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < n_picks; i++)
		at[dirs[i] + 1]++;
	for (uint32_t d = 0; d < n_dirs; d++)
		at[d + 1] += at[d];
	for (size_t i = 0; i < n_picks; i++)
		sorted[at[dirs[i]]++] = picks[i];
	memcpy(picks, sorted, n_picks * sizeof(*picks));
	return 0;
}

int resolve_start(struct feed *feed, const struct pick *picks, size_t n_picks,
	resolve_fn *done, void *ctx, struct resolve **ret)
{
	struct resolve *r = calloc(1, sizeof(*r));
	const struct index *ix = feed_index(feed);
	int e = -ENOMEM;

	if (!r)
		return -ENOMEM;
	*r = (struct resolve){.feed = feed,
		.picks = picks,
		.n_picks = n_picks,
		.done = done,
		.ctx = ctx};
	r->slots = calloc(n_picks + 1, sizeof(*r->slots));
	if (!r->slots)
		goto fail;
	for (size_t i = 0; i < n_picks; i++) {
		uint32_t dir = dir_of(ix, &picks[i]);

		r->slots[i] = (struct slot){.pick = (uint32_t)i, .dir = dir};
		if (dir != INDEX_NONE)
			r->slots[i].hash = index_entry_hash(ix, picks[i].entry);
	}
	qsort(r->slots, n_picks, sizeof(*r->slots), by_dir_and_hash);
	e = ask_all(r);
	if (e < 0)
		goto fail;
	*ret = r;
	if (!r->n_owed) {
		*ret = NULL;
		finish(r);
	}
	return 0;
fail:
	resolve_cancel(r);
	return e;
}
