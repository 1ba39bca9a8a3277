// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/suggest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

#define MAX_WORD 40

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment; both words fit MAX_WORD. */
static unsigned distance(
	const char *a, size_t len_a, const char *b, size_t len_b)
{
	unsigned rows[3][MAX_WORD + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= len_b; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= len_a; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= len_b; j++) {
			unsigned cost = !is_same(a[i - 1], b[j - 1]);
			unsigned best = last[j - 1] + cost;

			best = MIN_OF(best, last[j] + 1);
			best = MIN_OF(best, now[j - 1] + 1);
			if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
				is_same(a[i - 2], b[j - 1]))
				best = MIN_OF(best, before[j - 2] + 1);
			now[j] = best;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[len_b];
}

const char *suggest_nearest(const char *got, const char *const *words)
{
	size_t len = strlen(got);
	unsigned best = (unsigned)MAX_OF(len / 3, 1) + 1;
	const char *nearest = NULL;

	if (len == 0 || len > MAX_WORD)
		return NULL;
	for (; *words; words++) {
		size_t n = strlen(*words);
		unsigned d;

		if (n > MAX_WORD)
			continue;
		d = distance(got, len, *words, n);
		if (d < best && d < n) {
			best = d;
			nearest = *words;
		}
	}
	return nearest;
}
