// SPDX-License-Identifier: GPL-2.0-or-later
#include "strategies/shortlist.h"

#include "base/mem.h"

#define SHORTLIST_FIRST 4096
#define SMALL		32

struct sums {
	uint64_t files;
	uint64_t bytes;
};

void shortlist_fini(struct shortlist *l)
{
	free(l->records);
	l->records = NULL;
	l->n = l->cap = 0;
}

static void sums_add(struct sums *s, const struct record *r, size_t n)
{
	s->files += n;
	for (size_t i = 0; i < n; i++)
		s->bytes = mem_add_sat(s->bytes, r[i].used_bytes);
}

/* Can r, with all that stand before it, no longer be picked? Once true for
 * one record it is so for all behind it, and stays so when more come. */
static bool is_beyond(const struct goal *goal, const struct sums *before,
	const struct record *r)
{
	return before->files >= goal->max_files ||
	       before->bytes > goal->max_bytes ||
	       (!r->place.is_due && before->bytes >= goal->free_bytes);
}

static void swap(struct record *a, struct record *b)
{
	struct record t = *a;

	*a = *b;
	*b = t;
}

/* Leaves the median of the first, middle and last record in front. */
static void median_to_front(struct record *r, size_t n)
{
	struct record *mid = &r[n / 2], *last = &r[n - 1];

	if (record_before(last, mid))
		swap(last, mid);
	if (record_before(last, r))
		swap(last, r);
	if (record_before(r, mid))
		swap(r, mid);
}

/* Splits n > 2 records around one of them; returns its position. */
static size_t split(struct record *r, size_t n)
{
	size_t i = 0, j = n;

	median_to_front(r, n);
	for (;;) {
		do
			i++;
		while (i < n && record_before(&r[i], &r[0]));
		do
			j--;
		while (record_before(&r[0], &r[j]));
		if (i >= j)
			break;
		swap(&r[i], &r[j]);
	}
	swap(&r[0], &r[j]);
	return j;
}

static int compare(const void *a, const void *b)
{
	return record_before(a, b) ? -1 : record_before(b, a);
}

static void sort(struct record *r, size_t n)
{
	if (n > 1)
		qsort(r, n, sizeof(*r), compare);
}

/* Puts those that can still be picked in front, the first of the others
 * right behind them; returns how many stay. */
static size_t find_cut(const struct shortlist *l)
{
	struct record *r = l->records;
	struct sums before = {0};
	size_t lo = 0, hi = l->n;
	int rounds = 64;

	while (hi - lo > SMALL && rounds-- > 0) {
		size_t at = lo + split(r + lo, hi - lo);
		struct sums sums = before;

		sums_add(&sums, r + lo, at - lo);
		if (is_beyond(l->goal, &sums, &r[at])) {
			hi = at;
			continue;
		}
		sums_add(&sums, &r[at], 1);
		before = sums;
		lo = at + 1;
	}
	sort(r + lo, hi - lo);
	for (; lo < hi && !is_beyond(l->goal, &before, &r[lo]); lo++)
		sums_add(&before, &r[lo], 1);
	return lo;
}

static void cut(struct shortlist *l)
{
	size_t n = find_cut(l);

	if (n == l->n)
		return;
	l->bound = l->records[n];
	l->has_bound = true;
	l->n = n;
}

static int make_room(struct shortlist *l)
{
	if (l->n > 0)
		cut(l);
	/* What stays fills at most half: so each cut frees as many places as
	 * it looks at records, and costs each of them a constant. */
	if (l->cap > 0 && l->n <= l->cap / 2)
		return 0;
	return mem_grow((void **)&l->records, &l->cap,
		MAX_OF(2 * l->cap, SHORTLIST_FIRST), sizeof(*l->records));
}

int shortlist_take(struct shortlist *l, const struct record *r)
{
	if (l->n == l->cap) {
		int e = make_room(l);

		if (e < 0)
			return e;
		if (shortlist_is_behind(l, r))
			return 0;
	}
	l->records[l->n++] = *r;
	return 0;
}

void shortlist_finish(struct shortlist *l)
{
	if (l->n > 0)
		cut(l);
	sort(l->records, l->n);
}
