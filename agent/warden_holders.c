// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_holders.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "act/deleted.h"
#include "act/holders.h"
#include "warden_child.h"

struct order {
	const struct policy *policy;
	int question_fd, report_fd;
};

static int run(void *ctx)
{
	const struct order *order = ctx;
	const char *roots[POLICY_MAX_ROOTS];

	for (size_t i = 0; i < order->policy->n_roots; i++)
		roots[i] = order->policy->roots[i].path;
	return holders_run(order->question_fd, order->report_fd, roots,
		order->policy->n_roots);
}

int warden_holders_start(const struct policy *policy, int question_fd,
	int report_fd, pid_t *ret_pid)
{
	struct order order = {policy, question_fd, report_fd};
	const int keep[] = {question_fd, report_fd};
	const struct warden_child_order child = {.title = "holders",
		.death_signal = SIGKILL,
		.keep = keep,
		.n_keep = 2,
		.run = run,
		.ctx = &order};

	return warden_child_start(&child, ret_pid);
}

struct deleted_order {
	const struct config *config;
	const struct survey *survey;
	int report_fd;
};

/* Every root that is known. Returns how many. */
static size_t collect(
	const struct deleted_order *order, struct deleted_place *ret)
{
	const struct config *c = order->config;
	size_t n = 0;

	for (size_t i = 0; i < c->n_policies; i++) {
		const struct admitted *known =
			warden_survey_known(order->survey, i);

		for (size_t j = 0; j < c->policies[i].n_roots; j++)
			if (known[j].id.ino)
				ret[n++] = (struct deleted_place){
					.path = c->policies[i].roots[j].path,
					.dev = known[j].id.dev,
					.component = (uint32_t)i};
	}
	return n;
}

static int run_deleted(void *ctx)
{
	const struct deleted_order *order = ctx;
	struct deleted_place *places =
		calloc(order->survey->n_roots + 1, sizeof(*places));
	int r = places ? deleted_run(places, collect(order, places),
				 order->report_fd)
		       : EXIT_FAILURE;

	free(places);
	return r;
}

int warden_deleted_start(const struct config *config,
	const struct survey *survey, int report_fd, pid_t *ret_pid)
{
	struct deleted_order order = {config, survey, report_fd};
	const struct warden_child_order child = {.title = "deleted",
		.death_signal = SIGKILL,
		.keep = &report_fd,
		.n_keep = 1,
		.run = run_deleted,
		.ctx = &order};

	return warden_child_start(&child, ret_pid);
}
