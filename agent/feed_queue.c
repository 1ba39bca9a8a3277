// SPDX-License-Identifier: GPL-2.0-or-later
/* What waits: names to look at, directories to list. */
#include "feed_impl.h"

#include <string.h>

#include "actors.h"

#define FEED_MAX_DIRTY (1u << 18) /* names; more is an overflow */

struct dir_info *feed_info(struct feed *f, uint32_t dir)
{
	int r = mem_grow_zeroed((void **)&f->dirs, &f->cap_dirs,
		(size_t)dir + 1, sizeof(*f->dirs));

	return r < 0 ? NULL : &f->dirs[dir];
}

static void enqueue(struct feed *f, struct queue *q, uint32_t dir)
{
	if (q->at && q->at == q->n)
		q->at = q->n = 0;
	if (mem_grow((void **)&q->dirs, &q->cap, q->n + 1, sizeof(*q->dirs)) <
		0) {
		f->is_provisional = true;
		return;
	}
	q->dirs[q->n++] = dir;
}

bool feed_dequeue(struct queue *q, uint32_t *ret)
{
	if (q->at == q->n)
		return false;
	*ret = q->dirs[q->at++];
	return true;
}

void feed_list(struct feed *f, uint32_t dir)
{
	struct dir_info *info = feed_info(f, dir);

	if (!info)
		return;
	if (info->tag) {
		info->is_again = true;
		return;
	}
	if (info->is_queued)
		return;
	info->is_queued = true;
	enqueue(f, &f->fast, dir);
}

void feed_look_by(struct feed *f, uint32_t dir, const char *name, uint16_t note)
{
	if (f->dirty.n_items >= FEED_MAX_DIRTY ||
		dirty_add_by(&f->dirty, dir, name, strlen(name), note) < 0)
		feed_overflow(f);
}

void feed_look(struct feed *f, uint32_t dir, const char *name)
{
	feed_look_by(f, dir, name, 0);
}

uint32_t feed_life(const struct feed *f, uint32_t dir)
{
	return dir < f->cap_dirs ? f->dirs[dir].life : 0;
}

/* Gone it is, whatever an event may say yet; but a look that is under way may
 * have seen it before. */
void feed_gone(struct feed *f, uint32_t dir, uint32_t life, const char *name)
{
	const struct observation gone = {.dir = dir,
		.kind = OBS_GONE,
		.name = name,
		.name_len = (uint16_t)strlen(name)};
	const struct dir_info *info = feed_info(f, dir);
	struct index_change change;
	int r;

	if (!info || info->life != life)
		return;
	r = index_apply(f->index, &gone, 0, &change);
	if (r == 0)
		feed_note_growth(f, dir, ACTOR_OURS, change.used_delta);
	if (r < 0 || info->tag)
		feed_look_by(f, dir, name, ACTOR_OURS);
}

/* Every directory of the index, into one of the queues. */
void feed_list_all(struct feed *f, bool is_slow)
{
	uint32_t dir = index_next_dir(f->index, INDEX_NODE_COMPONENT);

	for (; dir != INDEX_NONE; dir = index_next_dir(f->index, dir)) {
		struct dir_info *info = feed_info(f, dir);

		if (!info)
			continue;
		if (is_slow && (info->is_queued || info->is_queued_slow))
			continue;
		if (is_slow) {
			info->is_queued_slow = true;
			enqueue(f, &f->slow, dir);
		} else {
			feed_list(f, dir);
		}
	}
}

/* Events were lost: what was waiting is not enough any more. */
void feed_overflow(struct feed *f)
{
	f->counters.overflows++;
	f->is_provisional = true;
	dirty_reset(&f->dirty);
	index_own(f->index);
	f->is_missing_uses = true;
	feed_list_all(f, false);
}

void feed_reconcile(struct feed *f)
{
	if (f->is_reconciling || f->is_provisional)
		return;
	f->is_reconciling = true;
	f->drift_before = f->counters.drift;
	feed_list_all(f, true);
}

bool feed_is_reconciling(const struct feed *f)
{
	return f->is_reconciling;
}
