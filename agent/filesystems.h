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

struct filesystem {
	uint64_t dev;
	char *root_path; /* a root on it, to ask by */
	char *path; /* where it is mounted */
	char *device; /* what is mounted there */
	struct mounts_fs facts; /* of the last look */
	bool is_known; /* looked at at least once */
	bool is_fresh; /* and not judged since the last time */
	enum level level;
	bool is_asked; /* a look is under way */
	uint64_t growth_bytes_per_s; /* fastest seen, forgotten slowly */
	uint64_t unseen_bytes; /* the index grew by this since the look */
	int64_t asked_boot_ns; /* when the last look was asked for */
	int64_t cleaned_boot_ns; /* when a cleanup on it ended last */
	int64_t looked_boot_ns;
	int64_t due_boot_ns; /* of the next look */
	/* The emergency under way on it. */
	bool is_emergency;
	size_t next_component; /* asked so far, in order of priority */
	size_t next_trash; /* before them: whose trash, in the same order */
	int64_t retry_boot_ns;
};

struct filesystems {
	struct filesystem *items;
	size_t n_items;
	size_t cap;
};

void filesystems_fini(struct filesystems *fs);
struct filesystem *filesystems_find(struct filesystems *fs, uint64_t dev);
/* The filesystem of a root that was just found on dev. Returns 0 or -ENOMEM. */
int filesystems_add(struct filesystems *fs, uint64_t dev, const char *root_path,
	int64_t now_boot_ns);
/* Forgets those that no longer have a root: keep says which have. */
void filesystems_prune(struct filesystems *fs,
	bool (*keep)(void *ctx, uint64_t dev), void *ctx);

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
/* A look has come back: takes the facts (NULL: it failed), works out growth
 * and the next look. */
void filesystem_take(struct filesystem *f, const struct mounts_fs *facts,
	const struct config *config, int64_t now_boot_ns);
