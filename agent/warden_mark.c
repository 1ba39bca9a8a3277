// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/beneath.h"
#include "base/fd.h"
#include "channel.h"
#include "policy/policy.h"
#include "warden_child.h"
#include "watch/fanotify.h"

struct mark {
	const char *path;
	int group_fd;
};

/* Not the caller's fault, but the filesystem's: it takes no mark as a whole. */
static bool is_refused(int error)
{
	return error == EXDEV || error == ENODEV || error == EOPNOTSUPP;
}

/* What a path leads to is its owner's choice, so no link is followed; what is
 * marked tells the agent names, and nothing else. That a directory can be
 * marked is seen by marking one: the agent marks it again. */
static int mark(void *ctx)
{
	const struct mark *m = ctx;
	fd_auto int fd = -1;
	int error, r = beneath_open_root(m->path, true, &fd);

	if (r < 0)
		return -r;
	if (fanotify_mark(m->group_fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
		    FANOTIFY_MASK, fd, ".") == 0)
		return 0;
	error = errno;
	if (is_refused(error) && fanotify_mark_dir(m->group_fd, fd) == 0)
		return error | CHANNEL_MARK_BY_DIR;
	return error;
}

int warden_mark_start(const struct config *config, uint32_t number,
	uint32_t root, pid_t *ret_pid, int *ret_group_fd)
{
	fd_auto int fd = -1;
	struct mark m;
	struct warden_child_order child = {.title = "mark",
		.death_signal = SIGKILL,
		.keep = &fd,
		.n_keep = 1,
		.run = mark,
		.ctx = &m};
	int r;

	if (number >= config->n_policies ||
		root >= config->policies[number].n_roots)
		return -EINVAL;
	fd = fanotify_init(FANOTIFY_FLAGS, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	m = (struct mark){.path = config->policies[number].roots[root].path,
		.group_fd = fd};
	r = warden_child_start(&child, ret_pid);
	if (r < 0)
		return r;
	*ret_group_fd = fd_take(&fd);
	return 0;
}
