// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/keep.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/quarantine.h"
#include "base/fd.h"
#include "base/mem.h"

void keep_fini(struct keep *k)
{
	for (size_t t = 0; t < N_STYPES; t++)
		free(k->files[t]);
	free(k->planned);
	*k = (struct keep){0};
}

static int compare(const void *left, const void *right)
{
	const struct identity *a = left, *b = right;

	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->btime_s != b->btime_s)
		return a->btime_s < b->btime_s ? -1 : 1;
	return a->btime_ns < b->btime_ns ? -1 : a->btime_ns > b->btime_ns;
}

static void init_until(struct keep *k, const struct plan *plan, int64_t now_s)
{
	for (size_t t = 0; t < N_STYPES; t++)
		k->until_s[t] = INT64_MIN;
	for (size_t i = 0; i < plan->n_items; i++) {
		const struct candidate *c = &plan->items[i];
		int64_t stamp_s;

		if (__builtin_sub_overflow(now_s, c->age_s, &stamp_s))
			stamp_s = INT64_MAX;
		k->until_s[c->type] = MAX_OF(k->until_s[c->type], stamp_s);
	}
}

int keep_init(struct keep *k, const struct plan *plan, int64_t now_s)
{
	*k = (struct keep){0};
	init_until(k, plan, now_s);
	k->planned = calloc(plan->n_items + 1, sizeof(*k->planned));
	if (!k->planned)
		return -ENOMEM;
	k->n_planned = plan->n_items;
	for (size_t i = 0; i < plan->n_items; i++)
		k->planned[i] = plan->items[i].id;
	qsort(k->planned, k->n_planned, sizeof(*k->planned), compare);
	return 0;
}

/* ---- a heap with the oldest on top ---- */

static bool is_newer(const struct keep_file *a, const struct keep_file *b)
{
	if (a->stamp_s != b->stamp_s)
		return a->stamp_s > b->stamp_s;
	return !a->is_planned && b->is_planned;
}

static void sink(struct keep_file *files, size_t n)
{
	struct keep_file moved = files[0];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && is_newer(&files[child], &files[child + 1]))
			child++;
		if (!is_newer(&moved, &files[child]))
			break;
		files[i] = files[child];
	}
	files[i] = moved;
}

static void rise(struct keep_file *files, size_t i)
{
	struct keep_file moved = files[i];

	for (; i > 0 && is_newer(&files[(i - 1) / 2], &moved); i = (i - 1) / 2)
		files[i] = files[(i - 1) / 2];
	files[i] = moved;
}

/* All places are taken by files newer than any candidate. */
static bool is_enough(const struct keep *k, enum stype type)
{
	return k->n[type] && k->n[type] >= k->places[type] &&
	       k->files[type][0].stamp_s > k->until_s[type];
}

static int offer(struct keep *k, enum stype type, uint32_t places,
	const struct keep_file *file)
{
	struct keep_file *files = k->files[type];
	size_t n = k->n[type];

	if (n < places) {
		int r = mem_grow((void **)&k->files[type], &k->cap[type], n + 1,
			sizeof(*files));

		if (r < 0)
			return r;
		k->files[type][n] = *file;
		rise(k->files[type], n);
		k->n[type]++;
	} else if (is_newer(file, &files[0])) {
		files[0] = *file;
		sink(files, n);
	}
	return 0;
}

/* ---- the walk: one directory open at a time, however deep ---- */

struct walk {
	struct keep *keep;
	const struct rules *rules;
	enum stype type;
	int root_fd;
	uid_t root_uid;
	uint64_t root_dev;
	struct buf pending; /* directories to be listed: "REL\0" each */
};

/* Takes the last one. */
static int pop(struct walk *w, struct buf *ret_rel)
{
	size_t start = w->pending.len - 1;
	int r;

	while (start && w->pending.data[start - 1])
		start--;
	buf_reset(ret_rel);
	r = buf_puts(ret_rel, w->pending.data + start);
	w->pending.len = start;
	return r;
}

static int push(struct walk *w, const char *rel, const char *name)
{
	int r = *rel ? buf_printf(&w->pending, "%s/%s", rel, name)
		     : buf_puts(&w->pending, name);

	return r < 0 ? r : buf_put(&w->pending, "", 1);
}

static int see_file(struct walk *w, const struct beneath_stat *st)
{
	struct keep_file file = {
		.id = st->id,
		.stamp_s = rules_stamp(
			w->rules, st->mtime_s, st->id.btime_s, st->atime_s),
	};

	if (!S_ISREG(st->mode) || st->nlink != 1 ||
		!rules_is_owner(w->rules, st->uid, w->root_uid))
		return 0;
	file.is_planned =
		bsearch(&file.id, w->keep->planned, w->keep->n_planned,
			sizeof(file.id), compare) != NULL;
	return offer(w->keep, w->type, w->rules->keep_newest[w->type], &file);
}

/* By an O_PATH descriptor: a stat by name may hang on a dead mount. */
static int see(struct walk *w, int dir_fd, const char *rel, const char *name)
{
	struct beneath_stat st;
	fd_auto int fd = -1;

	if (rules_protects(w->rules, rel, name) ||
		(!*rel && quarantine_is_in(name)))
		return 0;
	if (beneath_open_path(dir_fd, name, 0, &fd) < 0 ||
		beneath_stat(fd, "", &st) < 0 || st.id.dev != w->root_dev)
		return 0;
	return S_ISDIR(st.mode) ? push(w, rel, name) : see_file(w, &st);
}

static int list(struct walk *w, const char *rel)
{
	struct dirent *entry;
	int fd, r = 0;
	DIR *dir;

	if (beneath_open_dir(w->root_fd, rel, &fd) < 0)
		return 0;
	dir = fdopendir(fd);
	if (!dir) {
		fd_close(fd);
		return -ENOMEM;
	}
	while (r == 0 && !is_enough(w->keep, w->type) && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			r = see(w, fd, rel, entry->d_name);
	closedir(dir);
	return r;
}

int keep_walk(
	struct keep *k, const struct rules *rules, enum stype type, int root_fd)
{
	struct walk w = {
		.keep = k, .rules = rules, .type = type, .root_fd = root_fd};
	buf_auto struct buf rel = {0};
	struct beneath_stat root;
	int r = beneath_stat(root_fd, "", &root);

	if (r < 0)
		return 0;
	k->places[type] = rules->keep_newest[type];
	w.root_uid = root.uid;
	w.root_dev = root.id.dev;
	r = buf_put(&w.pending, "", 1);
	while (r == 0 && w.pending.len && !is_enough(k, type)) {
		r = pop(&w, &rel);
		if (r == 0)
			r = list(&w, rel.data);
	}
	buf_fini(&w.pending);
	k->is_partial[type] |= is_enough(k, type);
	return r;
}

static int compare_files(const void *left, const void *right)
{
	const struct keep_file *a = left, *b = right;

	return compare(&a->id, &b->id);
}

void keep_seal(struct keep *k)
{
	for (size_t t = 0; t < N_STYPES; t++) {
		k->oldest_s[t] = k->n[t] && k->n[t] >= k->places[t]
					 ? k->files[t][0].stamp_s
					 : INT64_MIN;
		if (k->n[t])
			qsort(k->files[t], k->n[t], sizeof(*k->files[t]),
				compare_files);
	}
}

/* Once more, and to the end. */
static int walk_all(struct keep *k)
{
	for (size_t t = 0; t < N_STYPES; t++) {
		k->n[t] = 0;
		k->until_s[t] = INT64_MAX;
		k->is_partial[t] = false;
	}
	return k->walk_all ? k->walk_all(k->ctx, k) : -EINVAL;
}

bool keep_has(struct keep *k, enum stype type, const struct identity *id,
	int64_t stamp_s)
{
	struct keep_file key = {.id = *id};

	if (k->is_failed)
		return true;
	if (stamp_s < k->oldest_s[type])
		return false;
	if (k->is_partial[type] && walk_all(k) < 0) {
		k->is_failed = true;
		return true;
	}
	return k->n[type] && bsearch(&key, k->files[type], k->n[type],
				     sizeof(key), compare_files) != NULL;
}
