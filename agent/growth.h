// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * What makes a component grow: by who wrote it, and by directory; bytes of the
 * last hour, to five minutes, and of the last day, to an hour. Bounded: of more
 * writers or directories than there is room for, a newcomer takes the place of
 * who has the lowest score, and inherits it (Space-Saving, Metwally 2005): so
 * whoever goes on growing stays, in however small steps.
 */

#include <stddef.h>
#include <stdint.h>

#define GROWTH_SLOTS 64
#define GROWTH_FINE  12 /* of five minutes */
#define GROWTH_WIDE  24 /* of an hour */

struct growth_rings {
	int64_t at; /* five minutes since the boot, of the last note */
	int64_t fine[GROWTH_FINE], wide[GROWTH_WIDE]; /* bytes, net */
};

struct growth_table {
	uint64_t keys[GROWTH_SLOTS];
	int64_t scores[GROWTH_SLOTS];
	struct growth_rings *rings; /* NULL: none yet */
	size_t n;
	size_t last; /* found */
	int64_t scored_at; /* when the scores were made what grew in a day */
};

struct growth {
	struct growth_table actors; /* actors.h */
	struct growth_table dirs; /* growth_dir */
};

struct growth_row {
	uint64_t key;
	int64_t hour_bytes, day_bytes;
};

void growth_fini(struct growth *g);
/* A directory that had this number in the index; see feed_life. */
static inline uint64_t growth_dir(uint32_t dir, uint32_t life)
{
	return (uint64_t)life << 32 | dir;
}
/* Without memory it is not noted. */
void growth_note(struct growth_table *t, uint64_t key, int64_t bytes,
	int64_t now_boot_ns);
/* Those that grew or shrank, the fastest of the last hour first, then of the
 * day. Returns how many. */
size_t growth_list(const struct growth_table *t, int64_t now_boot_ns,
	struct growth_row ret[GROWTH_SLOTS]);
