// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_ballast.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/ballast.h"
#include "prepare.h"
#include "warden_child.h"

struct roots {
	struct ballast_root *list;
	size_t n;
	bool has_home;
};

static bool has_path(const struct config *c, const char *path)
{
	for (size_t i = 0; i < c->n_policies; i++)
		for (size_t j = 0; j < c->policies[i].n_roots; j++)
			if (strcmp(c->policies[i].roots[j].path, path) == 0)
				return true;
	return false;
}

static size_t count(const struct config *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_policies; i++)
		n += c->policies[i].n_roots;
	return n;
}

/* Whoever owns a root may move our directory away. */
static bool is_root_only(const struct admitted *known)
{
	return known->uid == 0 && !(known->mode & (S_IWGRP | S_IWOTH));
}

/* The first one whose files may go is the home, before it one that only root
 * can move things in: it comes first. */
static void put(struct roots *roots, const char *path,
	const struct admitted *known, bool can_be_home)
{
	struct ballast_root root = {.path = path, .known = *known};
	bool is_home = can_be_home &&
		       (!roots->has_home ||
			       (is_root_only(known) &&
				       !is_root_only(&roots->list[0].known)));

	roots->list[roots->n++] = root;
	if (!is_home)
		return;
	roots->list[roots->n - 1] = roots->list[0];
	roots->list[0] = root;
	roots->has_home = true;
}

static int collect(const struct warden_ballast_order *order, uint64_t dev,
	struct roots *ret)
{
	const struct config *c = order->config;

	*ret = (struct roots){.list = calloc(count(c) + 1, sizeof(*ret->list))};
	if (!ret->list)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_policies; i++) {
		const struct policy *p = &c->policies[i];
		const struct admitted *known =
			warden_survey_known(order->survey, i);

		for (size_t j = 0; j < p->n_roots; j++)
			if (known[j].id.ino && known[j].id.dev == dev)
				put(ret, p->roots[j].path, &known[j],
					prepare_needs_quarantine(
						p, p->roots[j].type));
	}
	return 0;
}

int warden_ballast_check(
	const struct warden_ballast_order *order, uint64_t *ret_dev)
{
	const struct channel_message *m = order->request;
	const struct config *c = order->config;
	const struct admitted *known;

	if (m->op < BALLAST_LOOK || m->op > BALLAST_RELEASE)
		return -EINVAL;
	if (m->digest != c->digest)
		return -ESTALE;
	if (m->number >= c->n_policies ||
		m->root >= c->policies[m->number].n_roots)
		return -EINVAL;
	known = &warden_survey_known(order->survey, m->number)[m->root];
	if (!known->id.ino)
		return -ENODEV;
	*ret_dev = known->id.dev;
	return 0;
}

static int run_ballast(void *ctx)
{
	return ballast_run(ctx);
}

static int start(struct ballast_order *order, pid_t *ret_pid)
{
	const struct warden_child_order child = {.title = "ballast",
		.death_signal = SIGKILL,
		.keep = &order->report_fd,
		.n_keep = 1,
		.run = run_ballast,
		.ctx = order};

	return warden_child_start(&child, ret_pid);
}

int warden_ballast_start(
	const struct warden_ballast_order *order, uint64_t dev, pid_t *ret_pid)
{
	struct roots roots;
	int r = collect(order, dev, &roots);

	if (r == 0) {
		struct ballast_order run = {.roots = roots.list,
			.n_roots = roots.n,
			.has_home = roots.has_home,
			.config = order->config,
			.op = (enum ballast_op)order->request->op,
			.report_fd = order->report_fd};

		r = start(&run, ret_pid);
	}
	free(roots.list);
	return r;
}

static int collect_left(const struct config *old, const struct survey *survey,
	const struct config *next, struct roots *ret)
{
	*ret = (struct roots){
		.list = calloc(count(old) + 1, sizeof(*ret->list))};
	if (!ret->list)
		return -ENOMEM;
	for (size_t i = 0; i < old->n_policies; i++) {
		const struct policy *p = &old->policies[i];
		const struct admitted *known = warden_survey_known(survey, i);

		for (size_t j = 0; j < p->n_roots; j++)
			if (known[j].id.ino &&
				!has_path(next, p->roots[j].path))
				put(ret, p->roots[j].path, &known[j], false);
	}
	return 0;
}

void warden_ballast_leave(const struct config *old, const struct survey *survey,
	const struct config *next)
{
	struct roots roots;
	pid_t pid;

	if (collect_left(old, survey, next, &roots) < 0)
		return;
	if (roots.n) {
		struct ballast_order run = {.roots = roots.list,
			.n_roots = roots.n,
			.config = old,
			.op = BALLAST_LOOK,
			.report_fd = -1};

		(void)start(&run, &pid);
	}
	free(roots.list);
}
