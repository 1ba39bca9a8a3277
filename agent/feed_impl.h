// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the files feed*.c share; nobody else includes it. feed.c owns the
 * parts, feed_source.c where news come from, feed_queue.c what waits,
 * feed_dispatch.c sends jobs out, feed_result.c takes their results in. */

#include "base/clock.h"
#include "base/hash.h"
#include "dirty.h"
#include "feed.h"
#include "growth.h"
#include "watch/watch.h"

/* What is known of a directory beside the index. */
struct dir_info {
	uint64_t tag; /* of the job under way, or 0 */
	bool is_queued : 1; /* waits in the fast queue */
	bool is_queued_slow : 1;
	bool is_again : 1; /* list once more when the job is done */
	bool is_begun : 1; /* the first piece of the job's result was seen */
	bool is_unwatched : 1;
	bool is_private : 1; /* ours, and nobody else can write into it */
	uint16_t actor; /* who made it, until it was listed */
	uint32_t life; /* counts the directories that had this number */
};

struct queue {
	uint32_t *dirs;
	size_t n, cap, at;
};

/* One place that news come from, for all roots that have it. */
struct source {
	const struct watch_ops *ops;
	struct watch *watch;
	struct fanotify_hub *hub; /* of a port; NULL: inotify */
	size_t n_roots;
	struct source *next;
};

/* Somebody waits for the names behind hashes. */
struct asker {
	uint64_t tag;
	feed_names_fn *fn;
	void *ctx;
	struct asker *next;
};

/* Inodes that were written to under no name of theirs. */
struct nameless {
	uint32_t *tags;
	size_t n, cap;
	int64_t due_boot_ns; /* of the next search */
};

/* A file that is to be looked at again though nothing may announce it. */
struct again_item {
	uint64_t hash; /* of the name, by the key beside */
	uint32_t dir, life;
	char *name;
	int64_t due_boot_ns, pause_ns;
	bool is_closed; /* the last that was heard of it */
};

struct again {
	struct hash_key key;
	struct again_item *items; /* NULL: none yet */
	size_t n;
};

struct feed {
	const struct policy *policy;
	uint32_t id;
	struct index *index;
	struct source *sources;
	struct measure *measure;
	struct actors *actors;
	struct growth growth;
	struct access_book *accesses; /* saved ones, or NULL */
	bool is_missing_uses; /* since the start: events were lost */
	struct feed_root *roots;
	size_t n_roots;
	struct dirty dirty;
	struct dir_info *dirs;
	size_t cap_dirs;
	struct queue fast, slow;
	struct asker *askers;
	struct nameless nameless;
	struct again again;
	uint64_t next_tag;
	size_t n_looking, n_listing, n_slow;
	size_t max_listings; /* that may be under way */
	uint64_t drift_before; /* of this reconciliation */
	int64_t now_real_s, now_boot_ns; /* of this read */
	int64_t links_due_boot_ns; /* INT64_MAX: no link is missed */
	bool is_provisional; /* since the start or an overflow */
	bool is_reconciling;
	bool is_reaping; /* opens are not accesses now */
	struct feed_counters counters;
};

static inline size_t feed_waiting(const struct queue *q)
{
	return q->n - q->at;
}

/* NULL: out of memory. */
struct dir_info *feed_info(struct feed *f, uint32_t dir);
/* note: dirty.h */
void feed_look_by(
	struct feed *f, uint32_t dir, const char *name, uint16_t note);
bool feed_dequeue(struct queue *q, uint32_t *ret);
/* Every directory of the index, into one of the queues. */
void feed_list_all(struct feed *f, bool is_slow);
/* Events were lost: what was waiting is not enough any more. */
void feed_overflow(struct feed *f);
void feed_lose_root(struct feed *f, size_t i, enum root_state state, int error);
/* The private directory of a root that deletions pass through, and the one
 * that they may be undone from. Of those names, elsewhere or made by somebody
 * else, it is a directory like any other. */
bool feed_is_quarantine(const struct feed *f, uint32_t dir);
bool feed_is_trash(const struct feed *f, uint32_t dir);
/* What a look says of the owner of a directory. */
void feed_note_owner(
	struct feed *f, uint32_t dir, const struct beneath_stat *st);
void feed_event(void *ctx, const struct watch_event *e);
/* Has a root still to be begun? */
bool feed_is_beginning(const struct feed *f);
/* A root has no source any more. */
void feed_release(struct feed *f, struct feed_root *root);
void feed_close_sources(struct feed *f);
/* Where news of a directory come from; NULL: nowhere. */
struct source *feed_source_of(const struct feed *f, uint32_t dir);
/* Looks at what a root lies on, which is the first that is done with it. */
int feed_probe(struct feed *f, size_t i);
/* What an event names may be an open file's number. */
void feed_note_nameless(struct feed *f, const char *name);
void feed_again_init(struct again *a);
void feed_again_fini(struct again *a);
/* A look at a name, with the note of it; has_changed: it was not as the index
 * had it. */
void feed_note_change(struct feed *f, const struct observation *o,
	uint16_t note, bool has_changed);
/* A file was opened, or closed. */
void feed_note_open(struct feed *f, const struct watch_event *e);
/* Bytes came or went in a directory, by actor. */
void feed_note_growth(
	struct feed *f, uint32_t dir, uint16_t actor, int64_t bytes);
/* A job for a directory of the index; NULL: out of memory. */
struct job *feed_job(struct feed *f, enum job_kind kind, uint32_t dir);
