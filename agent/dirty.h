// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Names that are to be looked at, each once however often it was announced.
 * A file written a thousand times between two looks is one look.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/mem.h"

/* What was said of a name beside that it changed: who it was last (actors.h; 0:
 * not told), and whether that closed the file. */
#define DIRTY_ACTOR  0x3fff
#define DIRTY_OPEN   0x4000
#define DIRTY_CLOSED 0x8000

struct dirty_item {
	uint32_t dir;
	uint32_t offset; /* of the name in text */
	uint16_t len;
	uint16_t note;
	uint32_t order; /* of arrival */
};

struct dirty {
	struct dirty_item *items;
	size_t n_items;
	size_t cap;
	struct buf text;
	uint32_t *slots; /* open addressing: position + 1, 0 empty */
	size_t n_slots; /* a power of two, or 0 */
	struct hash_key key;
};

void dirty_init(struct dirty *d);
void dirty_fini(struct dirty *d);
/* note: what is 0 in it leaves what was there. Returns 0, -ENOMEM or
 * -ENAMETOOLONG. */
int dirty_add_by(struct dirty *d, uint32_t dir, const char *name, size_t len,
	uint16_t note);
static inline int dirty_add(
	struct dirty *d, uint32_t dir, const char *name, size_t len)
{
	return dirty_add_by(d, dir, name, len, 0);
}
bool dirty_has(
	const struct dirty *d, uint32_t dir, const char *name, size_t len);
static inline const char *dirty_name(
	const struct dirty *d, const struct dirty_item *item)
{
	return d->text.data + item->offset;
}
/* Sorts by directory, so that each one's names stand together. Ends the life
 * of the set as a set: only dirty_reset may follow. */
void dirty_sort(struct dirty *d);
void dirty_reset(struct dirty *d);
