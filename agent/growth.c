// SPDX-License-Identifier: GPL-2.0-or-later
#include "growth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define FINE_NS	 (300 * CLOCK_NS_PER_S)
#define PER_WIDE 12 /* fine ones in a wide one */

void growth_fini(struct growth *g)
{
	free(g->actors.rings);
	free(g->dirs.rings);
	*g = (struct growth){0};
}

static int64_t add_sat(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return b < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}

/* Periods that went by without a note are empty. */
static void clear(int64_t *ring, int64_t n, int64_t from, int64_t to)
{
	if (to - from >= n)
		memset(ring, 0, (size_t)n * sizeof(*ring));
	else
		while (from < to)
			ring[++from % n] = 0;
}

static void advance(struct growth_rings *r, int64_t now)
{
	clear(r->fine, GROWTH_FINE, r->at, now);
	clear(r->wide, GROWTH_WIDE, r->at / PER_WIDE, now / PER_WIDE);
	r->at = now;
}

static int64_t sum(const int64_t *ring, size_t n)
{
	int64_t all = 0;

	for (size_t i = 0; i < n; i++)
		all = add_sat(all, ring[i]);
	return all;
}

/* What was long ago, or inherited, counts no more. */
static void score_anew(struct growth_table *t, int64_t now)
{
	if (t->scored_at == now)
		return;
	t->scored_at = now;
	for (size_t i = 0; i < t->n; i++) {
		advance(&t->rings[i], now);
		t->scores[i] = sum(t->rings[i].wide, GROWTH_WIDE);
	}
}

static size_t lowest(const struct growth_table *t)
{
	size_t ret = 0;

	for (size_t i = 1; i < t->n; i++)
		if (t->scores[i] < t->scores[ret])
			ret = i;
	return ret;
}

static bool find(struct growth_table *t, uint64_t key)
{
	if (t->last < t->n && t->keys[t->last] == key)
		return true;
	for (t->last = 0; t->last < t->n; t->last++)
		if (t->keys[t->last] == key)
			return true;
	return false;
}

/* A place for a new key becomes the last found. */
static void make(struct growth_table *t, uint64_t key, int64_t now)
{
	bool has_room = t->n < GROWTH_SLOTS;

	t->last = has_room ? t->n++ : lowest(t);
	t->keys[t->last] = key;
	t->rings[t->last] = (struct growth_rings){.at = now};
	if (has_room)
		t->scores[t->last] = 0;
}

void growth_note(struct growth_table *t, uint64_t key, int64_t bytes,
	int64_t now_boot_ns)
{
	int64_t now = now_boot_ns / FINE_NS;
	int64_t *fine, *wide, *score;

	if (!t->rings)
		t->rings = calloc(GROWTH_SLOTS, sizeof(*t->rings));
	if (!t->rings)
		return;
	score_anew(t, now);
	if (!find(t, key)) {
		/* Nobody has to go for somebody who shrinks. */
		if (t->n == GROWTH_SLOTS && bytes <= 0)
			return;
		make(t, key, now);
	}
	advance(&t->rings[t->last], now);
	fine = &t->rings[t->last].fine[now % GROWTH_FINE];
	wide = &t->rings[t->last].wide[now / PER_WIDE % GROWTH_WIDE];
	score = &t->scores[t->last];
	*fine = add_sat(*fine, bytes);
	*wide = add_sat(*wide, bytes);
	*score = add_sat(*score, bytes);
}

static int by_growth(const void *a, const void *b)
{
	const struct growth_row *x = a, *y = b;

	if (x->hour_bytes != y->hour_bytes)
		return x->hour_bytes > y->hour_bytes ? -1 : 1;
	if (x->day_bytes != y->day_bytes)
		return x->day_bytes > y->day_bytes ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

size_t growth_list(const struct growth_table *t, int64_t now_boot_ns,
	struct growth_row ret[GROWTH_SLOTS])
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct growth_rings r = t->rings[i];

		advance(&r, now_boot_ns / FINE_NS);
		ret[n] = (struct growth_row){.key = t->keys[i],
			.hour_bytes = sum(r.fine, GROWTH_FINE),
			.day_bytes = sum(r.wide, GROWTH_WIDE)};
		n += ret[n].hour_bytes || ret[n].day_bytes;
	}
	if (n)
		qsort(ret, n, sizeof(*ret), by_growth);
	return n;
}
