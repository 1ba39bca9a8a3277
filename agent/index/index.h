// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The index of one component: what every name below its roots uses, and how
 * old it is. index_apply is its only writer. It stores no file names: the
 * directory on disk is the name table; an entry is found by (directory, keyed
 * hash of the name, 48 bits of it: in one directory of a million names the
 * chance that any two are taken for one is 1 in 560). Directories keep names,
 * parent and recursive totals.
 *
 * The tree of nodes: node 0 is the component, nodes 1..N_STYPES its types,
 * below them the root directories, below them the directories. Every node
 * has recursive totals in which each inode counts once, as du(1) counts.
 *
 * Memory: 40 bytes an entry in chunks, and for each directory a table of its
 * names: 4 bytes a hash bucket at two entries a bucket (linear hashing: grows
 * one bucket at a time, never stalls). What one listing brings lies together
 * in both, so that a scan does not wander through memory.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/mem.h"
#include "model/observation.h"
#include "model/stype.h"

struct index;

#define INDEX_NODE_COMPONENT  0u
#define INDEX_NODE_TYPE(type) (1u + (uint32_t)(type))
#define INDEX_NONE	      UINT32_MAX

struct index_totals {
	uint64_t used_bytes; /* every inode's blocks * 512, once */
	uint64_t size_bytes; /* st_size of regular files, once */
	uint64_t files; /* names of regular files */
	uint64_t others; /* names of what is neither file nor directory */
	uint64_t directories;
};

/* What one observation changed. */
enum index_what {
	INDEX_SAME,
	INDEX_ADDED,
	INDEX_CHANGED,
	INDEX_REMOVED,
	INDEX_DIR_ADDED, /* node: must be watched and listed */
	INDEX_DIR_MOVED, /* node: same directory, new place; not relisted */
	INDEX_DIR_REMOVED, /* see index_on_dir_removed */
};
struct index_change {
	enum index_what what;
	uint32_t node; /* for INDEX_DIR_* */
	uint32_t old_parent; /* for INDEX_DIR_MOVED: where it was, */
	const char *old_name; /* and as what; valid until the next apply */
	int64_t used_delta; /* of the component, bytes */
};

/* Returns NULL if out of memory. */
struct index *index_new(void);
struct index *index_free(struct index *ix);

/* Adds a root directory below a type. name is its absolute path. It counts
 * nothing until observed (OBS_SELF, then its listing). -ENOMEM. */
int index_add_root(struct index *ix, enum stype type, const char *path,
	uint16_t root, uint32_t *ret_node);
/* Forgets a root and everything below it. */
void index_remove_root(struct index *ix, uint32_t node);

/*
 * Flags that the caller judged while the name was at hand; kept with the
 * entry, replaced by each later observation.
 */
#define INDEX_PROTECTED 0x01 /* a protect pattern matches */
#define INDEX_FOREIGN	0x02 /* its owner's files may not go */
#define INDEX_TRASHED	0x40 /* it lies in the trash, and is no candidate */

/*
 * Applies one observation: idempotent, in any order. A directory is known by
 * its identity: seen under a new name it moves there with all below it.
 * OBS_GONE for a directory removes it with all below. An
 * observation of a directory that the index does not know changes nothing.
 * flags: INDEX_PROTECTED, INDEX_FOREIGN, INDEX_TRASHED. Returns 0 or -ENOMEM.
 */
int index_apply(struct index *ix, const struct observation *o, uint8_t flags,
	struct index_change *ret);

/* The name was opened or read at used_real_s. No effect on unknown names. */
void index_touch(struct index *ix, uint32_t dir, const char *name, size_t len,
	int64_t used_real_s);

/*
 * Somebody read the name whose reading does not count. From now on the access
 * time on disk may be his, and is not believed: that of the entry moves by
 * index_touch alone. index_own ends that for all: uses may have been missed.
 */
void index_disown(struct index *ix, uint32_t dir, const char *name, size_t len);
void index_own(struct index *ix);

/* What is known of an entry's use beside what the disk says of it. */
struct index_access {
	uint32_t dir;
	uint64_t hash; /* what index_hash gives */
	uint32_t ino_tag; /* low half of the inode's number */
	uint32_t atime_s;
	bool is_observed, is_disowned;
};
/* Looks at up to max entries from *cursor on, which starts at 0. Returns how
 * many it put into ret (room for max). False in ret_more at the end. */
size_t index_read_accesses(const struct index *ix, uint32_t *cursor,
	uint32_t max, struct index_access *ret, bool *ret_more);
/* Counts what index_touch, index_disown and index_own have changed. */
uint64_t index_access_changes(const struct index *ix);
/*
 * Puts one back (its dir and hash do not matter) that was known by an earlier
 * index, if the name is still that inode's. Accesses were watched until
 * seen_real_s: an access time on disk that is later is believed.
 */
void index_recall(struct index *ix, uint32_t dir, const char *name, size_t len,
	const struct index_access *a, int64_t seen_real_s);

/*
 * A full listing of a directory: begin, apply every name found, end. What
 * was not seen in between is no longer there, and goes at the end; in a very
 * large directory, in index_tidy. ret_removed (may be NULL) counts all.
 */
int index_list_begin(struct index *ix, uint32_t dir);
void index_list_end(struct index *ix, uint32_t dir, uint64_t *ret_removed);

/* fn is called for each directory that is about to be forgotten: removed
 * ones and all below them. */
typedef void index_dir_fn(void *ctx, uint32_t node);
void index_on_dir_removed(struct index *ix, index_dir_fn *fn, void *ctx);

/*
 * Work that is too much to be done at once, in steps of at most max entries
 * (or little more) a call: entries of removed directories, and names that the
 * listing of a very large one did not find. Until it is done, totals may
 * include the latter. Returns true if there is more to do.
 */
bool index_tidy(struct index *ix, uint32_t max);
bool index_is_tidy(const struct index *ix);

/*
 * Hard links: an entry does not hold its inode number, only a tag of it. When
 * a second name of an inode turns up, the first one is sought by tag; and when
 * one of several names goes, the others are doubted, because what was written
 * through that name was announced under it alone. Calls fn for each directory
 * that holds such a name; the caller lists those directories again. Cost: one
 * pass over the pool for all sought inodes together. Returns how many inodes
 * it was about.
 */
size_t index_seek_links(struct index *ix, index_dir_fn *fn, void *ctx);

/*
 * Other names that were not found may be outside, or not known yet: then they
 * may be written to and go before they are, and nobody looks at the name that
 * is known. So its directory is to be listed once more when all news that
 * there were have been taken. Calls fn for the directories of at most max
 * inodes. Returns how many there were.
 */
bool index_has_open_links(const struct index *ix);
size_t index_close_links(
	struct index *ix, size_t max, index_dir_fn *fn, void *ctx);

/* Calls fn for each entry whose inode's number has one of these lower halves
 * (sorted); hash is what index_hash gives. One pass over the pool. */
typedef void index_entry_fn(void *ctx, uint32_t dir, uint64_t hash);
void index_seek_inodes(const struct index *ix, const uint32_t *tags, size_t n,
	index_entry_fn *fn, void *ctx);

/* Reading. */
struct index_totals index_totals(const struct index *ix, uint32_t node);
/* What a directory's own blocks take of its totals. */
uint64_t index_own_bytes(const struct index *ix, uint32_t node);
uint64_t index_memory(const struct index *ix); /* bytes held */
bool index_is_dir(const struct index *ix, uint32_t node); /* still known? */
uint32_t index_parent(const struct index *ix, uint32_t node);
uint32_t index_first_child(const struct index *ix, uint32_t node);
uint32_t index_next_sibling(const struct index *ix, uint32_t node);
/* The next directory in preorder after node, root directories included;
 * start with INDEX_NODE_COMPONENT. INDEX_NONE at the end. */
uint32_t index_next_dir(const struct index *ix, uint32_t node);
/* The same within the subtree of top; start with top. */
uint32_t index_next_below(const struct index *ix, uint32_t top, uint32_t node);
const char *index_name(const struct index *ix, uint32_t node);
enum stype index_type(const struct index *ix, uint32_t node);
uint16_t index_root(const struct index *ix, uint32_t node);
const struct identity *index_identity(const struct index *ix, uint32_t node);
/* Path below its root, "" for a root. Returns 0 or -ENOMEM. */
int index_rel_path(const struct index *ix, uint32_t node, struct buf *ret);
/* The node of a directory below a root node, or INDEX_NONE. */
uint32_t index_find_dir(
	const struct index *ix, uint32_t root_node, const char *rel);
uint32_t index_child(
	const struct index *ix, uint32_t node, const char *name, size_t len);

/* One entry, decoded. Times: seconds since 1970, 0 for earlier. */
struct index_item {
	uint32_t entry;
	uint32_t dir;
	enum stype type;
	uint16_t root;
	bool is_file; /* else OBS_OTHER */
	bool is_protected, is_foreign, is_linked, is_trashed;
	uint64_t size_bytes, used_bytes;
	int64_t mtime_s;
	int64_t btime_s; /* 0: unknown */
	int64_t atime_s; /* newest of disk and observed */
	bool is_access_observed; /* atime_s was observed, not read from disk */
};

/* Walks the pool: *cursor starts at 0. False at the end. */
bool index_next(
	const struct index *ix, uint32_t *cursor, struct index_item *ret);
/* The same, up to max at once, for who walks all of it. Returns how many it
 * found; 0 only at the end. */
size_t index_read(const struct index *ix, uint32_t *cursor, size_t max,
	struct index_item *ret);
/* Returns false if the name is not known. */
bool index_find(const struct index *ix, uint32_t dir, const char *name,
	size_t len, struct index_item *ret);
bool index_get(const struct index *ix, uint32_t entry, struct index_item *ret);
/* The keyed hash of (dir, name) that the entry was stored under, to match a
 * directory's listing against wanted entries outside of this thread. */
uint64_t index_hash(
	const struct index *ix, uint32_t dir, const char *name, size_t len);
uint64_t index_entry_hash(const struct index *ix, uint32_t entry);
/* Part of that hash: an entry whose file has gone is used again, and then is
 * another one's. 0 for an entry that never was. */
uint16_t index_entry_tag(const struct index *ix, uint32_t entry);
#define INDEX_HASH_MASK UINT64_C(0xffffffffffff)
struct hash_key index_key(const struct index *ix);

/*
 * Self-check: recomputes every total, link count and chain from the entries.
 * Describes each difference in report (one line each, at most 100).
 * Returns the number of differences, or -ENOMEM.
 */
int index_check(const struct index *ix, struct buf *report);
