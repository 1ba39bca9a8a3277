// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The filesystems that the roots lie on: how full, and when to look again.
 * The kernel has no event for "nearly full", so free space is asked for no
 * later than the fastest growth seen could reach the next limit.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/alert.h"
#include "policy/policy.h"
#include "policy/trigger.h"
#include "watch/measure.h"

struct ballast;

struct filesystem {
	uint64_t dev;
	char *root_path; /* a root on it, to ask by */
	char *path; /* where it is mounted, escaped */
	char *device; /* what is mounted there, escaped */
	struct mounts_fs facts; /* of the last look */
	bool is_known; /* looked at at least once, and it made sense */
	bool is_nonsense_told;
	bool is_fresh; /* and not judged since the last time */
	struct mounts_health health; /* of the last look that asked for it */
	bool is_health_known;
	int64_t health_boot_ns; /* when that was */
	uint64_t accepted_errors; /* that the operator knows of */
	int fault; /* -errno that a look or a reaper met since it was mounted */
	enum level level;
	bool is_asked; /* a look is under way */
	bool is_watched; /* one that is to wake us only if much has changed */
	uint64_t growth_bytes_per_s; /* fastest seen, forgotten slowly */
	uint64_t unseen_bytes; /* the index grew by this since the look */
	int64_t asked_boot_ns; /* when the last look was asked for */
	int64_t cleaned_boot_ns; /* when a cleanup on it ended last */
	int64_t looked_boot_ns;
	int64_t due_boot_ns; /* of the next look */
	/* The emergency under way on it. */
	bool is_emergency;
	size_t next_component; /* asked so far, in order of priority */
	bool has_gained; /* one of them gave something, and may have more */
	size_t next_trash; /* before them: whose trash, in the same order */
	int64_t retry_boot_ns;
	struct ballast *ballast; /* ballast.c's; NULL: not looked for yet */
};

struct filesystems {
	struct filesystem *items;
	size_t n_items;
	size_t cap;
};

void filesystems_fini(struct filesystems *fs);
struct filesystem *filesystems_find(struct filesystems *fs, uint64_t dev);
static inline const struct filesystem *filesystems_find_const(
	const struct filesystems *fs, uint64_t dev)
{
	return filesystems_find((struct filesystems *)fs, dev);
}
/* The filesystem of a root that was just found on dev. Returns 0 or -ENOMEM. */
int filesystems_add(struct filesystems *fs, uint64_t dev, const char *root_path,
	int64_t now_boot_ns);
/* Forgets those that no longer have a root: keep says which have. */
void filesystems_prune(struct filesystems *fs,
	bool (*keep)(void *ctx, uint64_t dev), void *ctx);

enum filesystem_health {
	FILESYSTEM_UNKNOWN, /* not asked yet */
	FILESYSTEM_WELL,
	FILESYSTEM_READ_ONLY,
	FILESYSTEM_ERRORS, /* it counts some, or a system call met one */
	FILESYSTEM_SHUT_DOWN, /* it gives nothing any more */
};
/* The worst that is known of it. */
enum filesystem_health filesystem_health(const struct filesystem *f);
/* "ok", "read-only", "errors", ... */
const char *filesystem_health_word(enum filesystem_health health);
/* Nothing on it is deleted unless it is well. */
static inline bool filesystem_is_well(const struct filesystem *f)
{
	return filesystem_health(f) == FILESYSTEM_WELL;
}
/* A system call below a root on it failed (-errno) by its fault. */
void filesystem_note_fault(struct filesystem *f, int error);
/* The operator has seen what is wrong now: what comes after counts. */
void filesystem_accept(struct filesystem *f);

/* Used and limits as df counts: of what is used or may still be. */
uint64_t filesystem_used(const struct filesystem *f);
uint64_t filesystem_whole(const struct filesystem *f);
void filesystem_limits(const struct filesystem *f, const struct config *config,
	struct trigger_limits *ret);

/* The index grew by so much: it may be time to look. */
void filesystem_grew(
	struct filesystem *f, uint64_t bytes, const struct config *config);
/* Somebody wants to see it: a look is due, unless the last is young. */
void filesystem_refresh(struct filesystem *f, int64_t now_boot_ns);
/* How long until the next look. */
int64_t filesystem_pause_ns(
	const struct filesystem *f, const struct config *config);
/* By how much less may be free before a look has to be told at once; 0: it is
 * to be told in any case, for not all is well. */
uint64_t filesystem_quiet_bytes(
	const struct filesystem *f, const struct config *config);
/* A look has come back: takes the facts (NULL: it failed), works out growth
 * and the next look. */
void filesystem_take(struct filesystem *f, const struct mounts_fs *facts,
	const struct config *config, int64_t now_boot_ns);
/* Is it time that the next look asks for its health too? */
bool filesystem_wants_health(const struct filesystem *f, int64_t now_boot_ns);
/* It did. */
void filesystem_take_health(struct filesystem *f,
	const struct mounts_health *health, int64_t now_boot_ns);
/* The mount table changed: a look is due, with its health. */
void filesystem_remounted(struct filesystem *f);
