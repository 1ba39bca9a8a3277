// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Keeps the index of one component true. Owns the index, the watch, and the
 * work in hand: names to look at, directories to list. Events only invalidate;
 * what the index records always comes from a fresh look, made by the workers
 * of measure.h. The caller owns the loop and calls feed_read, feed_result and
 * feed_dispatch from it.
 *
 * One job at a time is under way for a directory, so looks at a name are
 * applied in the order in which they were made.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/index.h"
#include "policy/policy.h"
#include "watch/measure.h"

struct access_book;
struct actors;
struct fanotify_hub;
struct feed;
struct growth;

enum root_state {
	ROOT_UNSEEN, /* not looked at yet */
	ROOT_HERE,
	ROOT_MISSING, /* not there, or not reachable */
	ROOT_CHANGED, /* another directory stands there */
};

/* Where news of a root come from. */
enum feed_news {
	FEED_NEWS_UNKNOWN, /* nobody has said yet */
	FEED_NEWS_SCAN, /* none come: it is listed again and again */
	FEED_NEWS_INOTIFY,
	FEED_NEWS_FANOTIFY,
};

struct feed_root {
	uint32_t node; /* in the index; INDEX_NONE while not here */
	bool is_probed; /* its filesystem is being looked at */
	bool is_waiting; /* fs is known: for feed_begin */
	struct mounts_fs fs; /* dev 0: not known */
	enum feed_news news;
	struct source *source; /* of them; feed.c's */
	enum root_state state;
	int error; /* errno behind ROOT_MISSING */
	int fault; /* what a look or a reaper met; see feed_fault */
	struct identity id; /* of the directory that was admitted */
	uid_t uid;
};

struct feed_counters {
	uint64_t events; /* read from the kernel */
	uint64_t looks; /* names looked at */
	uint64_t listings;
	uint64_t overflows;
	uint64_t drift; /* names that a reconciliation had to correct */
	int64_t drift_bytes, drift_files; /* by so much, in sum */
	uint64_t reconciliations; /* finished */
	uint64_t unreadable; /* directories we may not list */
	uint64_t unwatched; /* directories for which no watch was left */
};

/*
 * policy, measure and actors borrowed (NULL: nobody asks who it was); id is
 * this feed's alone, put into its jobs. Each root's
 * filesystem is looked at first; it then waits until feed_begin says where its
 * news are to come from.
 */
int feed_new(const struct policy *policy, uint32_t id, struct measure *measure,
	struct actors *actors, struct feed **ret);
struct feed *feed_free(struct feed *f);
/* The same roots under changed rules: everything is judged again, slowly. */
void feed_set_policy(struct feed *f, const struct policy *policy);
uint32_t feed_id(const struct feed *f);

/*
 * Root i, which is waiting, is listed from now on. hub: whose filesystem is
 * marked, for FEED_NEWS_FANOTIFY. Where inotify is not to be had it is
 * polled. Returns 0 or -ENOMEM.
 */
int feed_begin(struct feed *f, size_t i, enum feed_news news,
	struct fanotify_hub *hub);
/* Of inotify, readable when news wait; -1: there is none, or not yet. A hub's
 * is its owner's matter. */
int feed_fd(const struct feed *f);
/* Is there a root of which no news come, or not all? */
bool feed_is_polled(const struct feed *f);
/* Takes in what the kernel has queued. now_real_s: for observed accesses. */
void feed_read(struct feed *f, int64_t now_real_s);
/* The same, but for hubs, which others share: they are for their owner to
 * read, next. Returns how many events there were. */
size_t feed_read_own(struct feed *f, int64_t now_real_s);
/* What made it grow since the first scan, as far as events told. */
const struct growth *feed_growth(const struct feed *f);
/* Do its news say who did it, for all roots? */
bool feed_knows_actors(const struct feed *f);
/* While a reaper is at work here, opens are not accesses, and what is in the
 * quarantine is on its way out. */
void feed_reaping(struct feed *f, bool is_reaping);
bool feed_is_reaping(const struct feed *f);
/* Applies a piece of a result whose job belongs to this feed; result is
 * borrowed. Returns 0 or -ENOMEM. */
int feed_result(struct feed *f, const struct result *result);
/* A piece whose feed is gone: nobody will bind its watch. */
void feed_forget(const struct result *result);
/* Submits the work that can be under way now, and tidies a little. Returns
 * true if it wants to be called again soon without further events. */
bool feed_dispatch(struct feed *f);

/* What was known of files' use before the start, borrowed; put back in each
 * directory when it is listed for the first time. NULL: no more. */
void feed_set_accesses(struct feed *f, struct access_book *book);
/* So many listings may be under way at once from now on. */
#define FEED_LISTINGS 256u /* unless somebody says otherwise */
void feed_set_listings(struct feed *f, size_t max);

/* Work from elsewhere: look at (dir, name); list every directory again. */
void feed_look(struct feed *f, uint32_t dir, const char *name);
void feed_list(struct feed *f, uint32_t dir);
/* Which of the directories that had this number it is: once it is removed,
 * the number is another one's. */
uint32_t feed_life(const struct feed *f, uint32_t dir);
/* A reaper says that it has deleted this name. */
void feed_gone(struct feed *f, uint32_t dir, uint32_t life, const char *name);
void feed_reconcile(struct feed *f);
bool feed_is_reconciling(const struct feed *f);
/* Roots that are missing are looked for again, and those where another
 * directory stood: the known one may be back. */
void feed_retry_roots(struct feed *f);
/* A root was lost, and dev is the filesystem it was on: told once for each,
 * as what is known of that filesystem may be of one that is gone. */
bool feed_take_lost(struct feed *f, uint64_t *ret_dev);
/* Each root is looked at: it may have been unmounted, or covered. */
void feed_check_roots(struct feed *f);
/* A system call below a root failed by the filesystem's fault (-errno). */
void feed_note_fault(struct feed *f, size_t root, int error);
/* The fault noted last of a root, which is forgotten by that; 0: none. */
int feed_take_fault(struct feed *f, size_t root);
/* Files that are written to under no name of theirs are looked for. Returns
 * when to call again, on the boot clock; INT64_MAX: when news have come. */
int64_t feed_keep_nameless(struct feed *f, int64_t now_boot_ns);
/* When feed_dispatch is to be called for links that were not found. */
int64_t feed_links_due(const struct feed *f);
/* Large files that were written to are looked at again, while they may be open
 * and be written to unseen. Returns when to call again; INT64_MAX: when news
 * have come. */
int64_t feed_keep_again(struct feed *f, int64_t now_boot_ns);
/* Finds the names behind entries of one directory; the result comes through
 * fn (borrowed; is_last for its last piece). hashes taken. 0 or -errno. */
typedef void feed_names_fn(void *ctx, const struct result *result);
int feed_names(struct feed *f, uint32_t dir, uint64_t *hashes, size_t n_hashes,
	feed_names_fn *fn, void *ctx);
/* Drops the answers that feed_names still owes to ctx. */
void feed_forget_names(struct feed *f, void *ctx);

struct index *feed_index(const struct feed *f);
/* The trash of root i in the index, or INDEX_NONE. */
uint32_t feed_trash(const struct feed *f, size_t i);
/* What emptying the trashes on a filesystem (0: all) would free; the
 * directories stay. */
struct index_totals feed_trash_totals(const struct feed *f, uint64_t dev);
/* Files in the quarantines; while no reaper is at work, what one left. */
uint64_t feed_orphans(const struct feed *f);
uint64_t feed_orphans_in(const struct feed *f, size_t root);
/* What counts against the component's limits: all but the trash. */
uint64_t feed_counted_bytes(const struct feed *f);
/* Every directory was listed since the start or the last overflow, every root
 * is the admitted one, and no waiting work makes the totals too large. */
bool feed_is_trusted(const struct feed *f);
/* Nothing is under way and nothing waits: totals are what du would say. */
bool feed_is_quiet(const struct feed *f);
bool feed_is_scanning(const struct feed *f);
/* Directories waiting for a listing, for progress. */
size_t feed_backlog(const struct feed *f);
const struct feed_root *feed_root(const struct feed *f, size_t i);
/* Is a root of it on this filesystem? */
bool feed_is_on(const struct feed *f, uint64_t dev);
bool feed_has_lost_roots(const struct feed *f);
const struct feed_counters *feed_counters(const struct feed *f);
/* "fanotify", "inotify", "scan", or several joined by "+"; valid until the
 * next call. */
const char *feed_source(const struct feed *f);
size_t feed_n_watches(const struct feed *f);
