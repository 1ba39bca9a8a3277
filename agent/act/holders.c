// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "act/procs.h"
#include "base/fd.h"
#include "base/mem.h"

#define MAX_QUESTION ((size_t)1 << 20)

/* ---- locks ---- */

static bool read_lock(const char *line, pid_t *ret_pid, uint64_t *ret_dev,
	unsigned long *ret_ino)
{
	unsigned int high, low;

	/* "1: FLOCK  ADVISORY  WRITE 1234 08:01:393219 0 EOF" */
	if (strstr(line, "->") ||
		sscanf(line, "%*s %*s %*s %*s %d %x:%x:%lu", ret_pid, &high,
			&low, ret_ino) != 4 ||
		*ret_pid <= 0)
		return false;
	*ret_dev = makedev(high, low);
	return true;
}

static void find_locks(struct holders_query *queries, size_t n)
{
	FILE *file = fopen("/proc/locks", "re");
	unsigned long ino;
	char line[256];
	uint64_t dev;
	pid_t pid;

	while (file && fgets(line, sizeof(line), file)) {
		if (!read_lock(line, &pid, &dev, &ino) || pid == getpid())
			continue;
		for (size_t i = 0; i < n; i++)
			if (!queries[i].by[0] && queries[i].ino == ino &&
				queries[i].dev == dev)
				procs_name(pid, queries[i].by);
	}
	if (file)
		fclose(file);
}

/* ---- descriptors ---- */

struct asked {
	struct holders_query *queries;
	size_t n;
};

static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Somewhere in a mount namespace of its own it may be by another path: then it
 * is known by its number, and no server is asked for that. */
static bool is_asked_for(const struct holders_query *q, const char *target,
	int dir_fd, const char *name)
{
	struct statx sx;

	if (!q->path[0])
		return false;
	if (strcmp(q->path, target) == 0)
		return true;
	return strcmp(last_of(q->path), last_of(target)) == 0 &&
	       statx(dir_fd, name, AT_STATX_DONT_SYNC, STATX_INO, &sx) == 0 &&
	       sx.stx_ino == q->ino &&
	       makedev(sx.stx_dev_major, sx.stx_dev_minor) == q->dev;
}

static void look_at(void *ctx, pid_t pid, int dir_fd, const char *name)
{
	static const char deleted[] = " (deleted)";
	char target[PATH_MAX + sizeof(deleted)];
	ssize_t len = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	const struct asked *asked = ctx;

	if (len <= 0 || target[0] != '/')
		return;
	target[len] = '\0';
	for (size_t i = 0; i < asked->n; i++) {
		struct holders_query *q = &asked->queries[i];

		if (!q->by[0] && is_asked_for(q, target, dir_fd, name))
			procs_name(pid, q->by);
	}
}

void holders_find(struct holders_query *queries, size_t n)
{
	find_locks(queries, n);
	(void)procs_each_fd(look_at, &(struct asked){queries, n});
}

/* ---- the process ---- */

static bool is_below(const char *path, const char *const *roots, size_t n_roots)
{
	for (size_t i = 0; i < n_roots; i++) {
		size_t len = strlen(roots[i]);

		if (strncmp(path, roots[i], len) == 0 && path[len] == '/')
			return true;
	}
	return false;
}

/* Returns how many; what is cut off is not there. */
static size_t read_question(
	const struct buf *in, struct holders_query ret[HOLDERS_MAX])
{
	size_t at = 0, n = 0;

	while (n < HOLDERS_MAX && in->len - at > 16) {
		struct holders_query q = {.by = ""};

		memcpy(&q.dev, in->data + at, 8);
		memcpy(&q.ino, in->data + at + 8, 8);
		q.path = in->data + at + 16;
		at += 16 + strnlen(q.path, in->len - at - 16) + 1;
		if (at > in->len)
			break;
		ret[n++] = q;
	}
	return n;
}

int holders_run(int in_fd, int out_fd, const char *const *roots, size_t n_roots)
{
	struct holders_query queries[HOLDERS_MAX];
	buf_auto struct buf in = {0};
	size_t n;
	int r;

	alarm(HOLDERS_TIME_S);
	r = buf_read_fd(&in, in_fd, MAX_QUESTION);
	if (r < 0)
		return EXIT_FAILURE;
	n = in.len ? read_question(&in, queries) : 0;
	for (size_t i = 0; i < n; i++)
		if (!is_below(queries[i].path, roots, n_roots))
			queries[i].path = "";
	holders_find(queries, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = fd_write_full(out_fd, queries[i].by, HOLDERS_TEXT);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
