// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_reap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/confine.h"
#include "act/reaper.h"
#include "act/trash_run.h"
#include "base/fd.h"
#include "warden_child.h"

int warden_reap_check(const struct warden_reap_order *order)
{
	const struct channel_message *m = order->request;

	if (order->plan_fd < 0 || order->outcome_fd < 0 ||
		m->reason > GOAL_MANUAL || m->action >= N_TRASH_ACTIONS)
		return -EINVAL;
	/* A number means something in one configuration only. */
	if (m->digest != order->config->digest)
		return -ESTALE;
	return m->number < order->config->n_policies ? 0 : -EINVAL;
}

static int run_reaper(void *ctx)
{
	const struct warden_reap_order *order = ctx;
	const struct channel_message *m = order->request;
	const struct reaper_order run = {
		.policy = &order->config->policies[m->number],
		.known = order->known,
		.reason = (enum goal_reason)m->reason,
		.free_bytes = m->free_bytes,
		.max_files = m->max_files,
		.max_bytes = m->max_bytes,
		.is_forced = m->is_forced != 0,
		.is_dry_run = m->is_dry_run != 0,
		.plan_fd = order->plan_fd,
		.outcome_fd = order->outcome_fd,
		.audit_fd = order->audit_fd,
		.panic_path = order->panic_path,
		.lead_ns = m->lead_ns,
	};

	return m->kind == CHANNEL_TRASH
		       ? trash_run(&run, (enum trash_action)m->action)
		       : reaper_run(&run);
}

int warden_reap_start(const struct warden_reap_order *order, pid_t *ret_pid)
{
	const int keep[] = {order->plan_fd, order->outcome_fd, order->audit_fd};
	struct warden_reap_order copy = *order;
	const struct warden_child_order child = {.title = "reaper",
		.death_signal = SIGKILL,
		.keep = keep,
		.n_keep = sizeof(keep) / sizeof(keep[0]),
		.run = run_reaper,
		.ctx = &copy};

	return warden_child_start(&child, ret_pid);
}

/* Confined to "/", which is no confinement, but asks for every call. */
static int run_probe(void *ctx)
{
	const int *fd = ctx;
	buf_auto struct buf note = {0};
	fd_auto int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *why;
	int r = confine_reaper(&root, 1, &why);

	if (r == 0)
		return EXIT_SUCCESS;
	if (buf_printf(&note,
		    "nothing can be deleted for want of %s: %s; watching and "
		    "alerts go on\n",
		    why, strerror(-r)) == 0)
		(void)fd_write_full(*fd, note.data, note.len);
	return EXIT_FAILURE;
}

int warden_reap_probe(struct buf *note)
{
	fd_auto int fd = memfd_create("probe", MFD_CLOEXEC);
	const struct warden_child_order child = {.title = "probe",
		.death_signal = SIGKILL,
		.keep = &fd,
		.n_keep = 1,
		.run = run_probe,
		.ctx = &fd};
	int status = 0, r;
	pid_t pid;

	if (fd < 0)
		return -errno;
	r = warden_child_start(&child, &pid);
	if (r < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return buf_read_fd(note, fd, 4096);
}
