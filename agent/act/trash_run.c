// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns: one run over the trashes of a component. Hands over: what lies there
 * to quarantine.c, whether to go on to guard.c and gain.c.
 * Must not: touch anything outside of the trashes but where it restores to.
 */
#include "act/trash_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/audit.h"
#include "act/extent.h"
#include "act/guard.h"
#include "act/inuse.h"
#include "act/quarantine.h"
#include "act/reaper_impl.h"
#include "act/site.h"
#include "act/slot.h"
#include "act/trash.h"
#include "base/fd.h"

#define MAX_PICKS_BYTES ((size_t)64 << 20)
#define STREAM_BYTES	((size_t)32 << 10) /* records a write */
/* The oldest TRASH_SLICE of any number are found in a window twice that. */
#define WINDOW ((size_t)2 * TRASH_SLICE)

/* A file in a trash. */
struct lying {
	uint64_t number;
	uint32_t root;
	char name[NAME_MAX + 1];
};

struct errand {
	const struct reaper_order *order;
	enum trash_action action;
	struct sites sites;
	struct audit audit;
	struct guard guard;
	struct trash_pick *picks; /* sorted: root, number */
	size_t n_picks;
	struct lying *window;
	size_t n_window;
	bool is_more; /* files that the window did not hold */
	uint32_t root_at; /* whose trash is being read */
	uint64_t oldest_left;
	int64_t now_s;
	struct buf stream;
	int error; /* nobody listens any more, or no memory */
};

/* ---- records ---- */

static void flush(struct errand *e)
{
	if (!e->error && e->stream.len)
		e->error = fd_write_full(
			e->order->outcome_fd, e->stream.data, e->stream.len);
	buf_reset(&e->stream);
}

static void send_record(
	struct errand *e, struct trash_record *r, const struct buf *path)
{
	int error;

	r->path_len = path ? (uint32_t)MIN_OF(path->len, TRASH_PATH_MAX) : 0;
	error = buf_put(&e->stream, r, sizeof(*r));
	if (error == 0 && r->path_len)
		error = buf_put(&e->stream, path->data, r->path_len);
	if (error < 0)
		e->error = error;
	if (e->stream.len >= STREAM_BYTES)
		flush(e);
}

/* ---- which files ---- */

static int by_root_and_number(const void *a, const void *b)
{
	const struct trash_pick *x = a, *y = b;

	if (x->root != y->root)
		return x->root < y->root ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int by_number(const void *a, const void *b)
{
	const struct lying *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static bool is_picked(const struct errand *e, uint32_t root, uint64_t number)
{
	const struct trash_pick one = {.number = number, .root = root};

	return bsearch(&one, e->picks, e->n_picks, sizeof(one),
		       by_root_and_number) != NULL;
}

static void list_one(struct errand *e, const struct lying *file);

/* Keeps the oldest: of a full window the younger half goes. */
static void take_in(struct errand *e, const struct lying *file)
{
	if (e->n_window == WINDOW) {
		qsort(e->window, WINDOW, sizeof(*e->window), by_number);
		e->n_window = TRASH_SLICE;
		e->is_more = true;
	}
	e->window[e->n_window++] = *file;
}

static void see_name(void *ctx, const char *name)
{
	struct errand *e = ctx;
	const struct site_root *root = &e->sites.roots[e->root_at];
	struct lying file = {.root = e->root_at};

	switch (slot_kind(name, &file.number)) {
	case SLOT_FILE:
	case SLOT_LONG_FILE:
		break;
	case SLOT_LINK:
		/* Who has no lock only reads. */
		if (root->quarantine)
			quarantine_remove_stale(trash_slots(root->trash), name);
		return;
	default:
		return;
	}
	if (!is_picked(e, file.root, 0) &&
		!is_picked(e, file.root, file.number))
		return;
	memcpy(file.name, name, strlen(name) + 1);
	if (e->action == TRASH_LIST)
		list_one(e, &file);
	else
		take_in(e, &file);
}

static void refuse_root(struct errand *e, uint32_t at)
{
	const struct site_root *root = &e->sites.roots[at];

	send_record(e,
		&(struct trash_record){.root = at,
			.reason = (uint8_t)root->refused,
			.error = root->error},
		NULL);
}

/* Where there is no trash, nothing lies in it. */
static void read_root(struct errand *e, uint32_t at)
{
	struct site_root *root = &e->sites.roots[at];
	int r = 0;

	if (root->fd >= 0)
		r = trash_open(root->fd, false, &root->trash);
	if (r == -ENOENT)
		return;
	e->root_at = at;
	if (r == 0 && root->trash)
		r = quarantine_each(trash_slots(root->trash), see_name, e);
	if (r < 0) {
		root->refused = REASON_ERROR;
		root->error = -r;
	}
	if (root->refused != REASON_DELETED)
		refuse_root(e, at);
}

static void read_roots(struct errand *e)
{
	for (size_t i = 0; i < e->n_picks; i++)
		if (i == 0 || e->picks[i].root != e->picks[i - 1].root)
			read_root(e, e->picks[i].root);
	qsort(e->window, e->n_window, sizeof(*e->window), by_number);
	if (e->n_window > TRASH_SLICE) {
		e->n_window = TRASH_SLICE;
		e->is_more = true;
	}
}

/* ---- one file ---- */

struct subject {
	const struct lying *file;
	const struct site_root *root;
	struct quarantine *trash;
	struct quarantine_slot slot;
	struct buf path, split; /* whole, and in two */
	struct candidate c; /* where it was from: strings in split */
	bool is_lost; /* where that was is not known: its name stands for it */
	struct beneath_stat st;
};

static void subject_fini(struct subject *s)
{
	buf_fini(&s->path);
	buf_fini(&s->split);
}
#define subject_auto mem_cleanup(subject_fini)

/* What is known of it. A file whose path is lost is known by its name; so it
 * is told where the path cannot be read, but nothing is judged by that. */
static int look(struct errand *e, const struct lying *file, struct subject *ret)
{
	const char *dir = "", *name = file->name;
	int r, origin;

	ret->file = file;
	ret->root = &e->sites.roots[file->root];
	ret->trash = trash_slots(ret->root->trash);
	e->audit.root = e->order->policy->roots[file->root].path;
	origin = quarantine_origin(
		ret->trash, file->name, &ret->slot, &ret->path);
	if (origin < 0) {
		ret->is_lost = true;
		buf_reset(&ret->path);
		r = buf_puts(&ret->path, file->name);
		if (r < 0 || origin != -ENOENT)
			return r < 0 ? r : origin;
	}
	r = buf_put(&ret->split, ret->path.data, ret->path.len);
	if (r < 0)
		return r;
	if (!slot_split(&ret->split, &dir, &name))
		return -EBADMSG;
	ret->c = (struct candidate){.root = (uint16_t)file->root,
		.rule = (uint8_t)trash_number_rule(file->number),
		.rel_dir = dir,
		.name = name};
	return beneath_stat(quarantine_fd(ret->trash), file->name, &ret->st);
}

static void tell(struct errand *e, const struct subject *s, enum reason reason,
	int error)
{
	send_record(e,
		&(struct trash_record){.number = s->file->number,
			.root = s->file->root,
			.used_bytes = s->st.used_bytes,
			.size_bytes = s->st.size_bytes,
			.reason = (uint8_t)reason,
			.error = error < 0 ? -error : error},
		&s->path);
}

static void list_one(struct errand *e, const struct lying *file)
{
	subject_auto struct subject s = {0};
	int r = look(e, file, &s);

	if (r != -ENOENT)
		tell(e, &s, r < 0 ? REASON_ERROR : REASON_TRASHED, r);
}

static void restore_one(struct errand *e, const struct lying *file)
{
	subject_auto struct subject s = {0};
	buf_auto struct buf path = {0};
	struct outcome o = {.reason = REASON_RESTORED};
	int r = look(e, file, &s);

	if (r == 0 && s.is_lost)
		r = -EBADMSG;
	if (r == 0 && !S_ISREG(s.st.mode))
		r = -EPERM;
	if (r == 0)
		r = buf_put(&path, s.path.data, s.path.len);
	if (r == 0)
		r = quarantine_restore(s.trash, &s.slot, &path);
	if (r < 0) {
		o.reason = REASON_ERROR;
		o.error = -r;
	}
	tell(e, &s, (enum reason)o.reason, r);
	if (s.c.name)
		audit_result(&e->audit, &s.c, &s.st, &o);
}

/* ---- emptying ---- */

static int64_t keep_s(const struct errand *e)
{
	int64_t policy_s = e->order->policy->trash_s;

	return policy_s ? policy_s : TRASH_LEFT_S;
}

/* A stamp in the future counts as now. */
static bool is_expired(const struct errand *e, uint64_t number)
{
	return mem_sub_sat(
		       (uint64_t)e->now_s, (uint64_t)trash_number_at(number)) >=
	       (uint64_t)keep_s(e);
}

/* Named one by one, it may be young. */
static bool is_wanted(const struct errand *e, const struct lying *file)
{
	return e->order->reason != GOAL_SCHEDULED ||
	       is_expired(e, file->number) ||
	       is_picked(e, file->root, file->number);
}

/* By what it is: what a policy protects now is no longer condemned. */
static enum reason judge(const struct errand *e, const struct subject *s)
{
	const struct rules *rules = &e->order->policy->rules;
	const struct beneath_stat *st = &s->st;

	if (st->id.dev != s->root->st.id.dev || st->is_mount_root)
		return REASON_MOUNT;
	if (!S_ISREG(st->mode))
		return REASON_SPECIAL;
	if (rules_protects(rules, s->c.rel_dir, s->c.name))
		return REASON_PROTECTED;
	if (!rules_is_owner(rules, st->uid, s->root->st.uid))
		return REASON_OWNER;
	if (st->nlink != 1)
		return REASON_LINKED;
	if (st->is_immutable)
		return REASON_IMMUTABLE;
	return REASON_DELETED;
}

static enum reason lease(const struct subject *s, int own_fd, int *ret_fd)
{
	fd_auto int path_fd = -1;
	struct beneath_stat st;
	int r = beneath_open_path(
		quarantine_fd(s->trash), s->file->name, 0, &path_fd);

	if (r == 0)
		r = beneath_stat(path_fd, "", &st);
	if (r < 0)
		return r == -ENOENT ? REASON_GONE : REASON_ERROR;
	if (!identity_equal(&st.id, &s->st.id))
		return REASON_CHANGED;
	r = inuse_lease(own_fd, path_fd, ret_fd);
	if (r == X_E_INUSE_BUSY)
		return REASON_BUSY;
	return r < 0 ? REASON_UNSUPPORTED : REASON_DELETED;
}

/* The last look, with the lease in hand, and then it goes. */
static enum reason remove_one(
	struct errand *e, const struct subject *s, int lease_fd, int *ret_error)
{
	struct outcome o = {.reason = REASON_DELETED};
	struct beneath_stat st;
	int r = beneath_stat(quarantine_fd(s->trash), s->file->name, &st);

	if (r < 0 || !identity_equal(&st.id, &s->st.id) || st.nlink != 1 ||
		st.size_bytes != s->st.size_bytes)
		return REASON_CHANGED;
	if (inuse_check(lease_fd) != 0)
		return REASON_BUSY;
	audit_intent(&e->audit, &s->c, &s->st);
	r = quarantine_unlink(s->trash, &s->slot);
	if (r < 0) {
		o.reason = REASON_ERROR;
		o.error = *ret_error = -r;
	}
	audit_result(&e->audit, &s->c, &s->st, &o);
	return (enum reason)o.reason;
}

/* What may still go of the policy's share of the filesystem. */
static uint64_t bytes_left(const struct errand *e, const struct subject *s)
{
	const struct gain *gain = s->root->gain;
	uint64_t left = guard_bytes_left(&e->guard);

	if (guard_has_no_caps(e->order))
		return left;
	return MIN_OF(left,
		mem_sub_sat(mem_mul_div(gain->total_bytes,
				    e->order->policy->limits.filesystem_ppm,
				    1000000),
			gain->taken_bytes));
}

/* Fills in what it uses, and what deleting it frees. */
static enum reason try_one(
	struct errand *e, const struct subject *s, struct outcome *ret)
{
	fd_auto int lease_fd = -1;
	enum reason reason = judge(e, s);

	if (reason == REASON_DELETED && s->st.used_bytes > bytes_left(e, s))
		reason = REASON_LIMIT_BYTES;
	if (reason == REASON_DELETED)
		reason = lease(s, e->sites.own_fd, &lease_fd);
	if (reason != REASON_DELETED)
		return reason;
	ret->used_bytes = s->st.used_bytes;
	ret->freed_bytes = s->root->can_be_shared
				   ? extent_own_bytes(lease_fd,
					     s->st.used_bytes, s->st.size_bytes)
				   : s->st.used_bytes;
	if (reaper_is_looking_only(e->order))
		return e->order->is_dry_run ? REASON_WOULD_DELETE
					    : REASON_OBSERVE;
	return remove_one(e, s, lease_fd, &ret->error);
}

static void empty_one(struct errand *e, const struct lying *file)
{
	subject_auto struct subject s = {0};
	struct outcome o = {.reason = REASON_ERROR};
	int r = look(e, file, &s);

	/* An origin that is no path below a root was written by nobody of
	 * ours, and is not judged: it stays. */
	if (r == 0)
		o.reason = (uint8_t)try_one(e, &s, &o);
	else
		o.error = -r;
	if (o.reason == REASON_DELETED)
		gain_add(s.root->gain, o.used_bytes, o.freed_bytes);
	guard_note(&e->guard, &o);
	tell(e, &s, (enum reason)o.reason, o.error);
}

/* Returns REASON_DELETED, or what ends the run. */
static enum reason may_go_on(struct errand *e, const struct lying *file)
{
	const struct gain *gain = e->sites.roots[file->root].gain;
	enum reason reason = guard_ask(&e->guard);

	if (reason == REASON_DELETED && gain && gain->is_futile)
		reason = REASON_FUTILE;
	return reason;
}

/* ---- the run ---- */

static int read_picks(struct errand *e)
{
	buf_auto struct buf data = {0};
	int r = buf_read_fd(&data, e->order->plan_fd, MAX_PICKS_BYTES);

	if (r == 0)
		r = trash_picks_decode(data.data, data.len,
			(uint32_t)e->order->policy->n_roots, &e->picks,
			&e->n_picks);
	if (r == 0)
		qsort(e->picks, e->n_picks, sizeof(*e->picks),
			by_root_and_number);
	return r;
}

/* Of a plan, site.c wants to know which roots it is about. */
static int open_roots(struct errand *e)
{
	struct plan plan = {0};
	int r;

	plan.items = calloc(e->n_picks + 1, sizeof(*plan.items));
	if (!plan.items)
		return -ENOMEM;
	for (size_t i = 0; i < e->n_picks; i++)
		if (i == 0 || e->picks[i].root != e->picks[i - 1].root)
			plan.items[plan.n_items++].root =
				(uint16_t)e->picks[i].root;
	r = site_open(&e->sites, e->order->policy, e->order->known, &plan);
	free(plan.items);
	return r;
}

static int prepare(struct errand *e)
{
	int r;

	reaper_settle(e->order);
	e->window = calloc(WINDOW, sizeof(*e->window));
	if (!e->window)
		return -ENOMEM;
	r = read_picks(e);
	if (r == 0)
		r = reaper_probe(&e->audit);
	if (r == 0)
		r = open_roots(e);
	if (r == 0)
		r = reaper_confine(&e->sites, &e->audit);
	if (r < 0)
		return r;
	e->now_s = clock_real_s(e->order->clock);
	guard_init(&e->guard, e->order);
	if (e->action == TRASH_RESTORE || e->action == TRASH_RECOVER ||
		(e->action == TRASH_EMPTY && !reaper_is_looking_only(e->order)))
		site_lock(&e->sites, &e->audit);
	return 0;
}

static enum reason walk(struct errand *e)
{
	enum reason reason = REASON_DELETED;

	/* That was done when the quarantines were locked. */
	if (e->action == TRASH_RECOVER)
		return reason;
	read_roots(e);
	for (size_t i = 0; i < e->n_window && !e->error; i++) {
		const struct lying *file = &e->window[i];

		if (e->action == TRASH_RESTORE) {
			restore_one(e, file);
			continue;
		}
		if (!is_wanted(e, file)) {
			/* the rest is younger */
			e->oldest_left = file->number;
			e->is_more = false;
			break;
		}
		reason = may_go_on(e, file);
		if (reason != REASON_DELETED)
			break;
		empty_one(e, file);
	}
	return reason;
}

static int finish(struct errand *e, enum reason reason, int error)
{
	struct trash_record end = {
		.number = e->oldest_left,
		.reason = (uint8_t)reason,
		.is_end = 1,
		.is_more = e->is_more,
		.error = error,
	};

	audit_flush(&e->audit);
	send_record(e, &end, NULL);
	flush(e);
	return e->error;
}

int trash_run(const struct reaper_order *order, enum trash_action action)
{
	struct errand e = {
		.order = order,
		.action = action,
		.audit = {.fd = order->audit_fd,
			.component = order->policy->component,
			.root = "",
			.is_trash = true},
	};
	enum reason reason = REASON_DELETED;
	int r = prepare(&e), status = r < 0;

	if (r == 0)
		reason = walk(&e);
	else
		reason = r == -EOPNOTSUPP ? REASON_UNSUPPORTED : REASON_ERROR;
	if (finish(&e, reason, r < 0 ? -r : 0) < 0)
		status = 1;
	site_close(&e.sites);
	audit_fini(&e.audit);
	buf_fini(&e.stream);
	free(e.window);
	free(e.picks);
	return status;
}
