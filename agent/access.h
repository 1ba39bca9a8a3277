// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * What is known of files' use that their disk does not say: accesses that were
 * observed, and access times that belong to readers who do not count. As bytes
 * for a file beside the state: no names, but the keyed hashes that the index
 * knows entries by. They depend on the key and on the number that the
 * directory had in that index; so each directory's list says both, and a later
 * index, which has another key and other numbers, compares the names that a
 * listing finds (access_find). An index with a known key is never made.
 *
 * The bytes are in this machine's order. Whoever can read the key could make
 * names that collide: the file is nobody else's business.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/mem.h"

#define ACCESS_MAX_ITEMS (1u << 24) /* more are left out */
#define ACCESS_MAX_DIRS	 (1u << 22)
#define ACCESS_FILE_MAX	 (1u << 30) /* bytes */

#define ACCESS_OBSERVED	 1
#define ACCESS_DISOWNED	 2

struct access_item {
	uint32_t hash_lo; /* 48 bits of it */
	uint16_t hash_hi;
	uint16_t flags;
	uint32_t atime; /* seconds since 1970 */
	uint32_t ino_tag; /* low half of the inode's number */
};
_Static_assert(sizeof(struct access_item) == 16, "as in the file");

static inline uint64_t access_hash(const struct access_item *item)
{
	return (uint64_t)item->hash_hi << 32 | item->hash_lo;
}

/* The list of one directory. */
struct access_dir {
	struct hash_key key;
	int64_t seen_real_s; /* what was read later, nobody watched */
	uint32_t dir;
	const char *component, *root, *rel;
	const struct access_item *items; /* by hash, ascending */
	size_t n_items;
	bool is_applied; /* the caller's */
};

/* Lists as they were read. */
struct access_book {
	struct access_dir *dirs; /* by component, root and rel */
	size_t n_dirs;
	struct buf bytes; /* what they point into */
};

/* bytes is taken. Returns 0, -EBADMSG (damaged, and nothing of it is
 * believed), or -ENOMEM. */
int access_decode(struct buf *bytes, struct access_book *ret);
void access_fini(struct access_book *book);
/* The lists of a directory: the first, and how many there are behind it. */
struct access_dir *access_find(const struct access_book *book,
	const char *component, const char *root, const char *rel,
	size_t *ret_n);
/* NULL: the list has no such name. */
const struct access_item *access_item(
	const struct access_dir *dir, const char *name, size_t len);

/* Lists as they are gathered, in any order. */
struct access_draft;

int access_draft_new(struct access_draft **ret);
struct access_draft *access_draft_free(struct access_draft *d);
/* Begins the list of a directory; its strings are copied. 0 or -errno. */
int access_draft_dir(struct access_draft *d, const struct access_dir *dir,
	uint32_t *ret_number);
/* Adds to one. -ENOMEM; -E2BIG: there are too many. */
int access_draft_add(struct access_draft *d, uint32_t number,
	const struct access_item *item);
/* Puts all in order; takes long. Returns 0 or -ENOMEM. */
int access_encode(struct access_draft *d, struct buf *ret);
