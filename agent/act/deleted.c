// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/deleted.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

static const char suffix[] = " (deleted)";

struct seen {
	uint64_t dev, ino;
};

struct search {
	const struct deleted_place *places;
	size_t n_places;
	struct seen *seen; /* files that were counted */
	size_t n_seen, cap_seen;
	struct deleted_report *ret;
};

static bool is_asked_for(const struct search *s, uint64_t dev)
{
	for (size_t i = 0; i < s->n_places; i++)
		if (s->places[i].dev == dev)
			return true;
	return false;
}

/* Few files are deleted and open at the same time. */
static bool was_seen(struct search *s, const struct stat *st)
{
	for (size_t i = 0; i < s->n_seen; i++)
		if (s->seen[i].ino == st->st_ino &&
			s->seen[i].dev == st->st_dev)
			return true;
	if (mem_grow((void **)&s->seen, &s->cap_seen, s->n_seen + 1,
		    sizeof(*s->seen)) < 0)
		return true;
	s->seen[s->n_seen++] = (struct seen){st->st_dev, st->st_ino};
	return false;
}

/* The place with the longest path that the file was below. */
static uint32_t component_of(
	const struct search *s, const char *path, uint64_t dev)
{
	uint32_t ret = DELETED_NOWHERE;
	size_t longest = 0;

	for (size_t i = 0; i < s->n_places; i++) {
		const struct deleted_place *p = &s->places[i];
		size_t len = strlen(p->path);

		if (p->dev == dev && len > longest &&
			strncmp(path, p->path, len) == 0 && path[len] == '/') {
			longest = len;
			ret = p->component;
		}
	}
	return ret;
}

/* The last row takes those that there is no room for. */
static struct deleted_row *row_of(
	struct deleted_report *r, const struct deleted_row *like)
{
	for (uint32_t i = 0; i < r->n_rows; i++)
		if (r->rows[i].dev == like->dev &&
			r->rows[i].component == like->component &&
			r->rows[i].pid == like->pid)
			return &r->rows[i];
	if (r->n_rows < DELETED_MAX) {
		r->rows[r->n_rows] = *like;
		procs_name(like->pid, r->rows[r->n_rows].by);
		return &r->rows[r->n_rows++];
	}
	if (r->n_rows == DELETED_MAX)
		r->rows[r->n_rows++] = (struct deleted_row){
			.dev = like->dev, .component = DELETED_NOWHERE};
	return &r->rows[DELETED_MAX];
}

static void look_at(void *ctx, pid_t pid, int dir_fd, const char *name)
{
	char target[PATH_MAX + sizeof(suffix)];
	ssize_t len = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	size_t n = sizeof(suffix) - 1;
	struct search *s = ctx;
	struct deleted_row *row;
	struct stat st;

	if (len <= (ssize_t)n || target[0] != '/' ||
		memcmp(target + len - n, suffix, n) != 0)
		return;
	target[len - (ssize_t)n] = '\0';
	/* Of that name there may be one that is not deleted. */
	if (fstatat(dir_fd, name, &st, 0) < 0 || !S_ISREG(st.st_mode) ||
		st.st_nlink || !st.st_blocks || !is_asked_for(s, st.st_dev) ||
		was_seen(s, &st))
		return;
	row = row_of(
		s->ret, &(struct deleted_row){.dev = st.st_dev,
				.component = component_of(s, target, st.st_dev),
				.pid = pid});
	row->files++;
	row->bytes = mem_add_sat(row->bytes, (uint64_t)st.st_blocks * 512);
}

static int by_bytes(const void *a, const void *b)
{
	const struct deleted_row *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

void deleted_find(const struct deleted_place *places, size_t n,
	struct deleted_report *ret)
{
	struct search s = {.places = places, .n_places = n, .ret = ret};

	memset(ret, 0, sizeof(*ret));
	ret->n_hidden = (uint32_t)procs_each_fd(look_at, &s);
	if (ret->n_rows)
		qsort(ret->rows, ret->n_rows, sizeof(ret->rows[0]), by_bytes);
	free(s.seen);
}

int deleted_run(const struct deleted_place *places, size_t n, int out_fd)
{
	static struct deleted_report report;

	alarm(DELETED_TIME_S);
	deleted_find(places, n, &report);
	return fd_write_full(out_fd, &report,
		       offsetof(struct deleted_report, rows) +
			       report.n_rows * sizeof(report.rows[0])) < 0
		       ? EXIT_FAILURE
		       : EXIT_SUCCESS;
}
