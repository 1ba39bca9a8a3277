// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan.h"

#include "core.h"

/* In millionths; 0: nothing is known, or no allocation. */
static uint64_t fullness(const struct component *c)
{
	uint64_t used = feed_counted_bytes(c->feed);

	if (!c->allocation_bytes)
		return 0;
	if (!c->is_scanned)
		used = MAX_OF(used, c->figures.whole.used_bytes);
	return mem_mul_div(used, 1000000, c->allocation_bytes);
}

/* The fullest of those being listed; the first of equals. */
static const struct component *fullest(const struct agent *a)
{
	const struct component *first = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];
		uint64_t full;

		if (!feed_is_scanning(c->feed))
			continue;
		full = fullness(c);
		if (!first || full > most) {
			first = c;
			most = full;
		}
	}
	return first;
}

static bool is_loaded(struct agent *a)
{
	int64_t now = clock_boot_ns(a->clock);
	char root[256];

	return pressure_is_high(&a->pressure, now) &&
	       measure_oldest_ns(a->measure, now, root) < SCAN_HUNG_NS;
}

void scan_share(struct agent *a)
{
	const struct component *first = fullest(a);
	bool is_loaded_now = first && is_loaded(a);

	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];
		size_t most = FEED_LISTINGS;

		if (feed_is_scanning(c->feed))
			most = is_loaded_now ? 1
			       : c == first  ? FEED_LISTINGS
					     : SCAN_FEW;
		feed_set_listings(c->feed, most);
	}
}
