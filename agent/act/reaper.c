// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns: one run from the plan to the last outcome.
 * Hands over: each candidate to reap.c, where it is to site.c, whether to go
 * on to guard.c and gain.c.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/answer.h"
#include "act/audit.h"
#include "act/confine.h"
#include "act/guard.h"
#include "act/keep.h"
#include "act/reap.h"
#include "act/reaper_impl.h"
#include "act/site.h"
#include "base/beneath.h"
#include "base/fd.h"

#define MAX_PLAN_BYTES ((size_t)256 << 20)
/* The directory is left and entered again after so many files, so that its
 * lock and those above it are looked at afresh. */
#define FILES_A_VISIT 64

struct run {
	const struct reaper_order *order;
	struct plan plan;
	struct sites sites;
	struct guard guard;
	struct keep keep;
	struct audit audit;
	struct answer answer;
	struct reap_rules rules;
	unsigned int n_visit;
	uint64_t freed_bytes;
	uint64_t trashed_bytes; /* on any filesystem */
};

/* ---- before the first candidate ---- */

/* We came by fork and hold what our parent holds; none of it is ours. */
static void close_others(const struct reaper_order *order)
{
	const int keep[] = {order->plan_fd, order->outcome_fd, order->audit_fd};

	for (unsigned int from = STDERR_FILENO + 1;;) {
		unsigned int next = UINT32_MAX;

		for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
			if (keep[i] >= 0 && (unsigned int)keep[i] >= from)
				next = MIN_OF(next, (unsigned int)keep[i]);
		if (next > from)
			close_range(
				from, next == UINT32_MAX ? next : next - 1, 0);
		if (next == UINT32_MAX)
			break;
		from = next + 1;
	}
}

/* SIGIO comes when somebody wants a leased file, SIGPIPE when the agent is
 * gone: both are seen where they matter. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void reaper_settle(const struct reaper_order *order)
{
	close_others(order);
	block_signals();
	guard_hear_stop();
	umask(077);
	beneath_allow_stepwise(false);
}

static int read_plan(int fd, struct plan *ret)
{
	buf_auto struct buf data = {0};
	int r = buf_read_fd(&data, fd, MAX_PLAN_BYTES);

	return r < 0 ? r : plan_decode(data.data, data.len, ret);
}

/* A cleanup that is in no hurry can be undone. */
static bool is_trashing(const struct reaper_order *order)
{
	return order->policy->trash_s && !order->is_forced &&
	       order->reason != GOAL_CRITICAL &&
	       order->reason != GOAL_EMERGENCY;
}

bool reaper_is_looking_only(const struct reaper_order *order)
{
	return order->is_dry_run || order->policy->mode == MODE_OBSERVE;
}

int reaper_confine(const struct sites *sites, struct audit *audit)
{
	mem_autofree int *fds = calloc(sites->n_roots + 1, sizeof(*fds));
	const char *why;
	int r;

	if (!fds)
		return -ENOMEM;
	r = confine_reaper(fds, site_fds(sites, fds), &why);
	if (r < 0)
		audit_refused(audit, why, -r);
	/* Whatever it was: without it nothing can be deleted safely. */
	return r < 0 ? -EOPNOTSUPP : 0;
}

int reaper_probe(struct audit *audit)
{
	const char *why;
	int r = confine_probe(&why);

	if (r < 0)
		audit_refused(audit, why, -r);
	return r;
}

static void make_rules(struct run *run)
{
	const struct reaper_order *order = run->order;

	run->rules = (struct reap_rules){
		.rules = &order->policy->rules,
		.reason = order->reason,
		.now_s = clock_real_s(order->clock),
		.is_dry_run = reaper_is_looking_only(order),
		.keep = &run->keep,
		.audit = &run->audit,
	};
	guard_init(&run->guard, order);
}

static int walk_all(void *ctx, struct keep *keep)
{
	return site_find_newest(&((struct run *)ctx)->sites, keep);
}

/* Confined already: it may be walked again later. */
static int find_newest(struct run *run)
{
	int r = keep_init(&run->keep, &run->plan, run->rules.now_s);

	run->keep.walk_all = walk_all;
	run->keep.ctx = run;
	return r < 0 ? r : site_find_newest(&run->sites, &run->keep);
}

static int prepare(struct run *run)
{
	const struct reaper_order *order = run->order;
	int r;

	reaper_settle(order);
	r = read_plan(order->plan_fd, &run->plan);
	if (r == 0)
		r = reaper_probe(&run->audit);
	if (r == 0)
		r = site_open(
			&run->sites, order->policy, order->known, &run->plan);
	if (r == 0)
		r = reaper_confine(&run->sites, &run->audit);
	if (r < 0)
		return r;
	make_rules(run);
	run->sites.is_urgent = order->reason == GOAL_CRITICAL ||
			       order->reason == GOAL_EMERGENCY;
	if (!reaper_is_looking_only(order)) {
		site_lock(&run->sites, &run->audit);
		if (is_trashing(order))
			site_use_trash(&run->sites);
	}
	return find_newest(run);
}

/* ---- candidates ---- */

/* With the policy's share of the filesystem, which only we can measure. */
static void set_bytes_left(struct run *run, const struct candidate *c)
{
	const struct limits *limits = &run->order->policy->limits;
	const struct gain *gain = site_gain(&run->sites, c);
	uint64_t share_left = mem_sub_sat(
		mem_mul_div(gain->total_bytes, limits->filesystem_ppm, 1000000),
		mem_add_sat(gain->taken_bytes, run->trashed_bytes));

	run->rules.bytes_left = guard_bytes_left(&run->guard);
	run->rules.bytes_rail = REASON_LIMIT_BYTES;
	if (guard_has_no_caps(run->order) ||
		share_left >= run->rules.bytes_left)
		return;
	run->rules.bytes_left = share_left;
	run->rules.bytes_rail = REASON_LIMIT_FILESYSTEM;
}

static enum reason allow(struct run *run, const struct candidate *c,
	const struct reap_place **ret_place, struct outcome *o)
{
	enum reason reason = guard_ask(&run->guard);

	if (reason != REASON_DELETED)
		return reason;
	if (run->n_visit++ % FILES_A_VISIT == 0)
		site_leave(&run->sites);
	reason = site_enter(&run->sites, c, ret_place, &o->error);
	if (reason == REASON_DELETED && site_gain(&run->sites, c)->is_futile)
		return REASON_FUTILE;
	return reason;
}

static void judge(struct run *run, const struct candidate *c, struct outcome *o)
{
	const struct reap_place *place;
	enum reason reason = allow(run, c, &place, o);

	if (reason != REASON_DELETED) {
		o->reason = (uint8_t)reason;
		return;
	}
	run->audit.root = run->order->policy->roots[c->root].path;
	set_bytes_left(run, c);
	reap_one(&run->rules, place, c, o);
	if (o->reason == REASON_DELETED)
		gain_add(site_gain(&run->sites, c), o->used_bytes,
			o->freed_bytes);
	if (o->reason == REASON_WOULD_DELETE && !run->order->is_dry_run)
		o->reason = REASON_OBSERVE;
	guard_note(&run->guard, o);
	if (o->reason == REASON_DELETED)
		run->freed_bytes =
			mem_add_sat(run->freed_bytes, o->freed_bytes);
	if (o->reason == REASON_TRASHED)
		run->trashed_bytes =
			mem_add_sat(run->trashed_bytes, o->used_bytes);
}

/* Returns 0, or -errno: nobody listens any more. */
static int walk(struct run *run)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->plan.n_items; i++) {
		struct outcome o = {.item = (uint32_t)i};

		judge(run, &run->plan.items[i], &o);
		r = answer_put(&run->answer, &o);
	}
	return r;
}

/* Every candidate gets its answer, also when nothing could begin. */
static void refuse_all(struct run *run, enum reason reason, int error)
{
	for (size_t i = 0; i < run->plan.n_items; i++) {
		struct outcome o = {
			.item = (uint32_t)i,
			.reason = (uint8_t)reason,
			.error = error,
		};

		if (answer_put(&run->answer, &o) < 0)
			return;
	}
}

static int finish(struct run *run, enum reason reason, int error)
{
	struct outcome end = {
		.item = (uint32_t)run->plan.n_items,
		.reason = (uint8_t)reason,
		.is_end = 1,
		.error = error,
		.freed_bytes = run->freed_bytes,
	};
	int r;

	audit_flush(&run->audit);
	r = answer_put(&run->answer, &end);
	return r < 0 ? r : answer_flush(&run->answer);
}

int reaper_run(const struct reaper_order *order)
{
	struct run run = {
		.order = order,
		.audit = {.fd = order->audit_fd,
			.component = order->policy->component,
			.root = ""},
		.answer = {.fd = order->outcome_fd},
	};
	enum reason reason = REASON_DELETED;
	int r = prepare(&run), status = 0;

	if (r < 0) {
		reason = r == -EOPNOTSUPP ? REASON_UNSUPPORTED : REASON_ERROR;
		refuse_all(&run, reason, -r);
		status = 1;
	} else if (walk(&run) < 0) {
		status = 1;
	}
	if (finish(&run, reason, r < 0 ? -r : 0) < 0)
		status = 1;
	site_close(&run.sites);
	keep_fini(&run.keep);
	audit_fini(&run.audit);
	plan_fini(&run.plan);
	return status;
}
