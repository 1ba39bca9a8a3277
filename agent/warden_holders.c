// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_holders.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

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
