// SPDX-License-Identifier: GPL-2.0-or-later
#include "hostile/lying.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

pid_t world_errand_start(struct world *w, enum trash_action action,
	const struct trash_pick *picks, size_t n_picks, int record_fd)
{
	static const struct trash_pick whole;
	int picks_fd;
	pid_t pid;

	if (!picks) {
		picks = &whole;
		n_picks = 1;
	}
	must(fd_memfile("picks", picks, n_picks * sizeof(*picks), &picks_fd) ==
		0);
	fflush(NULL);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		struct reaper_order order = w->order;

		order.plan_fd = picks_fd;
		order.outcome_fd = record_fd;
		order.audit_fd = w->audit_fd;
		if (w->before)
			w->before();
		_exit(trash_run(&order, action));
	}
	close(picks_fd);
	return pid;
}

static void read_records(const struct world *w, int fd, struct told *ret)
{
	struct trash_record r;
	size_t cap = 0;

	while (fd_read_full(fd, &r, sizeof(r)) == 0) {
		char *path;

		must(trash_record_is_sound(&r, (uint32_t)w->policy.n_roots));
		path = calloc(1, r.path_len + 1);
		must(path);
		must(fd_read_full(fd, path, r.path_len) == 0);
		if (r.is_end) {
			ret->end = r;
			free(path);
			continue;
		}
		must(mem_grow((void **)&ret->files, &cap, ret->n + 1,
			     sizeof(*ret->files)) == 0);
		ret->files[ret->n++] = (struct lying){r, path};
	}
}

int world_errand(struct world *w, enum trash_action action,
	const struct trash_pick *picks, size_t n_picks, struct told *ret)
{
	int pair[2];
	pid_t pid;

	*ret = (struct told){0};
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	pid = world_errand_start(w, action, picks, n_picks, pair[1]);
	close(pair[1]);
	read_records(w, pair[0], ret);
	close(pair[0]);
	return world_wait(pid);
}

void told_fini(struct told *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->files[i].path);
	free(t->files);
	*t = (struct told){0};
}

const struct lying *told_find(const struct told *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->files[i].path, path) == 0)
			return &t->files[i];
	return NULL;
}
