// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_child.h"

#include <bsd/unistd.h>
#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "privs.h"

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* All but stdin, stdout, stderr and these. */
static void close_others(const int *keep, size_t n_keep)
{
	int sorted[WARDEN_CHILD_MAX_KEEP];
	unsigned int from = STDERR_FILENO + 1;

	for (size_t i = 0; i < n_keep; i++)
		sorted[i] = keep[i];
	qsort(sorted, n_keep, sizeof(int), compare_fds);
	for (size_t i = 0; i < n_keep; i++) {
		unsigned int fd = (unsigned int)sorted[i];

		if (sorted[i] < (int)from)
			continue;
		if (fd > from)
			close_range(from, fd - 1, 0);
		from = fd + 1;
	}
	close_range(from, UINT32_MAX, 0);
}

static void reset_signals(void)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &by_default, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int warden_child_start(const struct warden_child_order *order, pid_t *ret_pid)
{
	pid_t parent = getpid();
	pid_t pid;

	if (order->n_keep > WARDEN_CHILD_MAX_KEEP)
		return -EINVAL;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		*ret_pid = pid;
		return 0;
	}
	/* Before anything else: a warden that dies takes us along. */
	if (privs_die_with(parent, order->death_signal) < 0)
		_exit(EXIT_FAILURE);
	log_close();
	close_others(order->keep, order->n_keep);
	reset_signals();
	setproctitle("-ullaged: %s", order->title);
	log_open("ullaged", LOG_TARGET_AUTO, LOG_INFO);
	_exit(order->run(order->ctx));
}
