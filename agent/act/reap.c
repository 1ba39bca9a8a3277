// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns: the order of the steps, and what each of them refuses.
 * Must not: open a path, delete by a name that others can reach, or follow the
 * plan in anything but place and identity.
 */
#include "act/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "act/audit.h"
#include "act/extent.h"
#include "act/inuse.h"
#include "act/keep.h"
#include "act/quarantine.h"
#include "act/trash.h"
#include "base/fd.h"

#define FUTURE_S 60 /* clocks are slewed, and two hosts may share a disk */
/* Of which less than one in so many bytes would come free is left alone: it
 * is destruction for next to nothing. */
#define SHARED_IN 8

static void step(const struct reap_rules *rules, enum reap_step at)
{
	if (rules->on_step)
		rules->on_step(rules->ctx, at);
}

static void conclude(struct outcome *o, enum reason reason, int error)
{
	o->reason = (uint8_t)reason;
	o->error = error < 0 ? -error : error;
}

/* ---- P4, P5: judging ---- */

bool reap_is_open(const struct beneath_stat *dir)
{
	return dir->uid != 0 || (dir->mode & (S_IWGRP | S_IWOTH));
}

/* Root's files where others may write are bait (CVE-2026-3888): whoever can
 * exchange names there, or above, chooses what root deletes. */
static bool is_bait(const struct rules *rules, const struct reap_place *place,
	const struct beneath_stat *st)
{
	return st->uid == 0 && !rules->is_any_owner && place->is_open;
}

static int64_t age_of(int64_t stamp_s, int64_t now_s)
{
	int64_t age_s;

	/* stamps in the future count as now */
	if (stamp_s >= now_s)
		return 0;
	return __builtin_sub_overflow(now_s, stamp_s, &age_s) ? INT64_MAX
							      : age_s;
}

static bool is_young(
	const struct reap_rules *rules, const struct beneath_stat *st)
{
	int64_t newest_s = MAX_OF(MAX_OF(st->mtime_s, st->ctime_s),
		MAX_OF(st->atime_s, st->id.btime_s));

	return age_of(newest_s, rules->now_s) < rules->rules->min_age_s;
}

/* The kernel stamps changes and births by this very clock, and nobody can forge
 * them: it was ahead then, or is behind now. */
static bool is_from_the_future(
	const struct reap_rules *rules, const struct beneath_stat *st)
{
	return MAX_OF(st->ctime_s, st->id.btime_s) > rules->now_s + FUTURE_S;
}

/* Uses that the agent saw can only make a file younger, so they may be
 * believed. */
static bool is_retained(const struct reap_rules *rules, enum stype type,
	const struct candidate *c, const struct beneath_stat *st)
{
	int64_t limit_s = rules->rules->retention_s[type];
	int64_t from_s = rules_stamp(rules->rules, st->mtime_s, st->id.btime_s,
		MAX_OF(st->atime_s, c->used_real_s));

	if (limit_s == RULES_FOREVER)
		return true;
	return age_of(from_s, rules->now_s) < limit_s;
}

enum reason reap_judge(const struct reap_rules *rules,
	const struct reap_place *place, const struct candidate *c,
	const struct beneath_stat *st)
{
	const struct rules *policy = rules->rules;

	if (st->id.dev != place->root_dev || st->is_mount_root)
		return REASON_MOUNT;
	if (!S_ISREG(st->mode))
		return REASON_SPECIAL;
	if (!identity_equal(&st->id, &c->id))
		return REASON_CHANGED;
	if (!rules_is_owner(policy, st->uid, place->root_uid) ||
		is_bait(policy, place, st))
		return REASON_OWNER;
	if (st->nlink != 1)
		return st->nlink ? REASON_LINKED : REASON_GONE;
	if (st->is_immutable)
		return REASON_IMMUTABLE;
	if (place->type == STYPE_CONFIG &&
		(!policy->is_config_allowed || rules->reason != GOAL_EMERGENCY))
		return REASON_CONFIG;
	if (is_from_the_future(rules, st))
		return REASON_CLOCK;
	if (is_young(rules, st))
		return REASON_YOUNG;
	if (c->rule == PLAN_RULE_RETENTION &&
		is_retained(rules, place->type, c, st))
		return REASON_RETAINED;
	if (rules->keep && keep_has(rules->keep, place->type, &st->id,
				   rules_stamp(policy, st->mtime_s,
					   st->id.btime_s, st->atime_s)))
		return REASON_NEWEST;
	/* what it takes, not what the plan says it takes */
	if (st->used_bytes > rules->bytes_left)
		return rules->bytes_rail ? rules->bytes_rail
					 : REASON_LIMIT_BYTES;
	return REASON_DELETED;
}

/* First touch without opening: nothing can block here, not even a dead FUSE
 * mount or a FIFO. */
static int look(const struct reap_place *place, const struct candidate *c,
	struct beneath_stat *ret_st, int *ret_fd)
{
	fd_auto int fd = -1;
	int r = beneath_open_path(place->dir_fd, c->name, 0, &fd);

	if (r == 0)
		r = beneath_stat(fd, "", ret_st);
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

static void explain_look(int r, struct outcome *ret)
{
	switch (r) {
	case -ENOENT:
		conclude(ret, REASON_GONE, 0);
		break;
	case -EXDEV:
		conclude(ret, REASON_MOUNT, 0);
		break;
	case -ELOOP:
		conclude(ret, REASON_SPECIAL, 0);
		break;
	default:
		conclude(ret, REASON_ERROR, r);
	}
}

/* ---- P7 to P9: moving, looking again, deleting ---- */

/* EXDEV: a project quota of its own, or a directory that left the root
 * (Landlock says so too). EINVAL: the filesystem knows no RENAME_NOREPLACE. */
static bool is_unsupported(int r)
{
	return r == -EXDEV || r == -ENOSYS || r == -EINVAL;
}

/* A rename that failed although we might: either it is not that file any more
 * (Landlock lets nothing but regular files be moved), or a real failure. */
static void explain_move(const struct reap_place *place,
	const struct candidate *c, int r, struct outcome *ret)
{
	struct beneath_stat st;
	int again = beneath_stat(place->dir_fd, c->name, &st);

	if (r == -ENOENT || again == -ENOENT)
		conclude(ret, REASON_GONE, 0);
	else if (again == 0 && !identity_equal(&st.id, &c->id))
		conclude(ret, REASON_CHANGED, 0);
	else
		conclude(ret,
			is_unsupported(r) ? REASON_UNSUPPORTED : REASON_ERROR,
			r);
}

/* Nothing that failed a check is ever deleted. */
static void put_back(const struct reap_place *place, const struct candidate *c,
	const struct quarantine_slot *slot, enum reason why,
	struct outcome *ret)
{
	int r = quarantine_put_back(
		place->quarantine, slot, place->dir_fd, c->name);

	if (r == 0)
		conclude(ret, why, 0);
	else
		conclude(ret, REASON_ORPHANED, r);
}

/* P8. Where nobody else reaches the name, what it means cannot change. */
static enum reason verify(const struct reap_place *place,
	const struct quarantine_slot *slot, const struct beneath_stat *before,
	int lease_fd)
{
	struct beneath_stat st;

	if (beneath_stat(quarantine_fd(place->quarantine), slot->name, &st) < 0)
		return REASON_CHANGED;
	if (!identity_equal(&st.id, &before->id) || !S_ISREG(st.mode))
		return REASON_CHANGED;
	if (st.nlink != 1)
		return REASON_LINKED;
	if (st.uid != before->uid || st.size_bytes != before->size_bytes ||
		st.mtime_s != before->mtime_s || st.is_immutable)
		return REASON_CHANGED;
	/* Somebody found it before it was moved and waits to open it. */
	return inuse_check(lease_fd) == 0 ? REASON_DELETED : REASON_BUSY;
}

/* P9, or a place where it can be had back from. */
static int remove_or_keep(const struct reap_place *place,
	const struct candidate *c, const struct quarantine_slot *slot,
	enum reason *ret)
{
	int r = place->trash
			? trash_put(place->trash, place->quarantine, slot, c)
			: X_E_TRASH_FULL;

	*ret = r == X_E_TRASH_FULL ? REASON_DELETED : REASON_TRASHED;
	return r == X_E_TRASH_FULL ? quarantine_unlink(place->quarantine, slot)
				   : r;
}

static void remove_moved(const struct reap_rules *rules,
	const struct reap_place *place, const struct candidate *c,
	const struct quarantine_slot *slot, const struct beneath_stat *st,
	struct outcome *ret)
{
	enum reason done;
	int r;

	if (rules->audit)
		audit_intent(rules->audit, c, st);
	r = remove_or_keep(place, c, slot, &done);
	if (r == 0) {
		conclude(ret, done, 0);
	} else {
		put_back(place, c, slot, REASON_ERROR, ret);
		if (ret->reason == REASON_ERROR)
			ret->error = -r;
	}
	if (rules->audit)
		audit_result(rules->audit, c, st, ret);
}

static void move_and_remove(const struct reap_rules *rules,
	const struct reap_place *place, const struct candidate *c,
	const struct beneath_stat *st, int lease_fd, struct outcome *ret)
{
	struct quarantine_slot slot;
	enum reason reason;
	int r = quarantine_take(
		place->quarantine, place->dir_fd, c->rel_dir, c->name, &slot);

	if (r < 0) {
		explain_move(place, c, r, ret);
		return;
	}
	step(rules, REAP_STEP_MOVED);
	reason = verify(place, &slot, st, lease_fd);
	step(rules, REAP_STEP_VERIFIED);
	if (reason == REASON_DELETED) {
		remove_moved(rules, place, c, &slot, st, ret);
		return;
	}
	put_back(place, c, &slot, reason, ret);
	if (ret->reason == REASON_ORPHANED && rules->audit)
		audit_result(rules->audit, c, st, ret);
}

/* ---- the whole way ---- */

static void explain_lease(int r, struct outcome *ret)
{
	if (r == X_E_INUSE_BUSY)
		conclude(ret, REASON_BUSY, 0);
	else
		conclude(ret,
			r == -EOPNOTSUPP ? REASON_UNSUPPORTED : REASON_ERROR,
			r);
}

/* Leased: nobody else has it open, so what is mapped now stays mapped. */
static void reap_leased(const struct reap_rules *rules,
	const struct reap_place *place, const struct candidate *c,
	const struct beneath_stat *st, int lease_fd, struct outcome *ret)
{
	uint64_t own = place->can_be_shared
			       ? extent_own_bytes(lease_fd, st->used_bytes,
					 st->size_bytes)
			       : st->used_bytes;

	if (own < st->used_bytes / SHARED_IN &&
		is_retained(rules, place->type, c, st))
		conclude(ret, REASON_SHARED, 0);
	else if (rules->is_dry_run)
		conclude(ret, REASON_WOULD_DELETE, 0);
	else
		move_and_remove(rules, place, c, st, lease_fd, ret);
	if (ret->reason != REASON_DELETED && ret->reason != REASON_TRASHED &&
		ret->reason != REASON_WOULD_DELETE)
		return;
	ret->used_bytes = st->used_bytes;
	ret->freed_bytes = own;
}

void reap_one(const struct reap_rules *rules, const struct reap_place *place,
	const struct candidate *c, struct outcome *ret)
{
	fd_auto int path_fd = -1, lease_fd = -1;
	struct beneath_stat st;
	enum reason reason;
	int r;

	ret->used_bytes = ret->freed_bytes = 0;
	if (quarantine_is_in(c->rel_dir) ||
		rules_protects(rules->rules, c->rel_dir, c->name)) {
		conclude(ret, REASON_PROTECTED, 0);
		return;
	}
	r = look(place, c, &st, &path_fd);
	if (r < 0) {
		explain_look(r, ret);
		return;
	}
	reason = reap_judge(rules, place, c, &st);
	step(rules, REAP_STEP_LOOKED);
	if (reason != REASON_DELETED) {
		conclude(ret, reason, 0);
		return;
	}
	r = inuse_lease(place->own_fd, path_fd, &lease_fd);
	step(rules, REAP_STEP_LEASED);
	if (r == 0)
		reap_leased(rules, place, c, &st, lease_fd, ret);
	else
		explain_lease(r, ret);
}
