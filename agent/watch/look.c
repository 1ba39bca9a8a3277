// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/look.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "watch/watch.h"

/*
 * One call of getdents64, one piece. The shortest record has 24 bytes, so
 * that this many bytes hold no more than MEASURE_PIECE of them, with the
 * directory itself.
 */
#define DENTS_BYTES (64 * 1024)
_Static_assert(DENTS_BYTES / 24 < MEASURE_PIECE, "a piece is too small");

/* A root is opened again now and then even if jobs never end, so that one
 * that was replaced is noticed. */
#define ROOT_MAX_NS CLOCK_NS_PER_S

/* Between two questions whether to stop. */
#define NAMES_PER_CHECK 64

/* As getdents64(2) gives it; glibc's struct is the same on 64 bits only. */
struct dent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
} __attribute__((packed, aligned(8)));

/* A piece in the making. */
struct piece {
	struct observation *obs;
	size_t n;
	size_t n_skipped;
	int fault;
	int64_t looked_boot_ns;
	struct buf text;
};

#define piece_auto mem_cleanup(piece_fini)

static void piece_fini(struct piece *p)
{
	free(p->obs);
	buf_fini(&p->text);
	*p = (struct piece){0};
}

void look_init(struct look *l, const struct look_ops *ops, void *ctx)
{
	*l = (struct look){.ops = ops, .ctx = ctx, .root_fd = -1};
}

void look_rest(struct look *l)
{
	l->root_fd = fd_close(l->root_fd);
	free(mem_take(l->root_path));
}

void look_fini(struct look *l)
{
	look_rest(l);
	free(mem_take(l->dents));
}

static bool is_wanted(
	const struct identity *wanted, const struct identity *found)
{
	return !wanted->dev || !wanted->ino || identity_equal(wanted, found);
}

static int look_stat(const struct look *l, int dir_fd, const char *name,
	struct beneath_stat *ret)
{
	int r = l->is_remote || !*name ? beneath_stat(dir_fd, name, ret)
				       : beneath_stat_known(dir_fd, name, ret);

	if (r == 0 && l->is_overlay)
		beneath_forget_birth(ret);
	return r;
}

static int open_root(struct look *l, const char *path)
{
	mem_autofree char *copy = strdup(path);
	struct beneath_stat st;
	fd_auto int fd = -1;
	int r;

	look_rest(l);
	if (!copy)
		return -ENOMEM;
	/* O_PATH raises no event. */
	r = beneath_open_root(path, true, &fd);
	if (r < 0)
		return r;
	r = mounts_nature(fd, &l->is_remote, &l->is_overlay);
	if (r == 0)
		r = look_stat(l, fd, "", &st);
	if (r < 0)
		return r;
	l->root_boot_ns = clock_boot_ns(NULL);
	l->root_id = st.id;
	l->root_path = mem_take(copy);
	l->root_fd = fd_take(&fd);
	return 0;
}

bool look_is_at(const struct look *l, const struct job *job)
{
	return l->root_fd >= 0 && strcmp(l->root_path, job->root_path) == 0;
}

static int need_root(struct look *l, const struct job *job)
{
	int r;

	if (!look_is_at(l, job) ||
		job->started_boot_ns - l->root_boot_ns > ROOT_MAX_NS) {
		r = open_root(l, job->root_path);
		if (r < 0)
			return r;
	}
	return is_wanted(&job->root_id, &l->root_id) ? 0 : -ESTALE;
}

static int open_dir(struct look *l, const struct job *job,
	struct beneath_stat *ret_st, int *ret_fd)
{
	struct beneath_stat st;
	fd_auto int fd = -1;
	const char *rel = job->rel ? job->rel : "";
	int r;

	/* Opened to be read, a directory raises an event: for itself and
	 * for its parent. A mere look leaves no such trace. */
	if (job->kind == JOB_LOOK)
		r = beneath_open_dir_path(l->root_fd, rel, &fd);
	else
		r = beneath_open_dir(l->root_fd, rel, &fd);
	if (r < 0)
		return r;
	r = look_stat(l, fd, "", &st);
	if (r < 0)
		return r;
	/* A subvolume of btrfs is no mount, and still another filesystem. */
	if (st.id.dev != l->root_id.dev)
		return -EXDEV;
	if (!is_wanted(&job->dir_id, &st.id))
		return -ESTALE;
	*ret_st = st;
	*ret_fd = fd_take(&fd);
	return 0;
}

static uint8_t kind_of(const struct look *l, const struct beneath_stat *st)
{
	if (st->is_mount_root)
		return OBS_OTHER;
	if (S_ISREG(st->mode))
		return OBS_FILE;
	return S_ISDIR(st->mode) && st->id.dev == l->root_id.dev ? OBS_DIR
								 : OBS_OTHER;
}

/* What another filesystem holds is not used on this one, and when that changed
 * is not told here. */
static bool is_foreign(const struct look *l, const struct beneath_stat *st)
{
	return st->is_mount_root ||
	       (S_ISDIR(st->mode) && st->id.dev != l->root_id.dev);
}

/* Looks at one name; there is room. One that is gone is told, or left out:
 * a listing says so by leaving it out. */
static void observe(const struct look *l, int dir_fd, uint32_t dir,
	const char *name, struct piece *p, bool is_gone_told)
{
	struct observation *o = &p->obs[p->n];
	int r = look_stat(l, dir_fd, name, &o->st);

	if (r == -ENOENT && is_gone_told) {
		o->kind = OBS_GONE;
		o->st = (struct beneath_stat){0};
	} else if (r == -ENOENT) {
		return;
	} else if (r < 0) {
		p->n_skipped++;
		if (beneath_is_fault(r))
			p->fault = r;
		return;
	} else {
		o->kind = kind_of(l, &o->st);
		if (is_foreign(l, &o->st))
			o->st.size_bytes = o->st.used_bytes = o->st.mtime_s = 0;
	}
	o->dir = dir;
	o->name = name;
	o->name_len = (uint16_t)strlen(name);
	p->n++;
}

static void observe_self(
	uint32_t dir, const struct beneath_stat *st, struct piece *p)
{
	p->obs[p->n++] = (struct observation){
		.dir = dir,
		.kind = OBS_SELF,
		.name = "",
		.st = *st,
	};
}

/* Moves the piece into a result. */
static void fill(struct result *r, struct piece *p)
{
	r->obs = mem_take(p->obs);
	r->n_obs = p->n;
	r->n_skipped = p->n_skipped;
	r->fault = p->fault;
	r->looked_boot_ns = p->looked_boot_ns;
	r->text = p->text;
	*p = (struct piece){0};
}

static int emit(struct look *l, struct job *job, uint64_t key, struct piece *p)
{
	struct result *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->job = job;
	r->watch_key = key;
	fill(r, p);
	return l->ops->emit(l->ctx, r);
}

/* Room for n observations. */
static int begin(struct piece *p, size_t n)
{
	p->obs = malloc(n * sizeof(*p->obs));
	p->looked_boot_ns = clock_boot_ns(NULL);
	return p->obs ? 0 : -ENOMEM;
}

/* To the byte: pieces wait in a queue by the dozen. */
static int copy_text(struct piece *p, const void *text, size_t len)
{
	p->text.data = malloc(len + 1);
	if (!p->text.data)
		return -ENOMEM;
	if (len)
		memcpy(p->text.data, text, len);
	p->text.data[len] = '\0';
	p->text.len = len;
	p->text.cap = len + 1;
	return 0;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static size_t count_dents(const unsigned char *data, size_t len)
{
	size_t n = 0;

	for (size_t at = 0; at < len; n++)
		at += ((const struct dent *)(const void *)(data + at))->reclen;
	return n;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool is_name_wanted(const struct job *job, const char *name)
{
	uint64_t hash;

	if (job->kind != JOB_NAMES)
		return true;
	hash = hash_name(job->key, job->dir, name, strlen(name)) &
	       job->hash_mask;
	return job->n_hashes && bsearch(&hash, job->hashes, job->n_hashes,
					sizeof(hash), compare_u64);
}

/* Looks at every name of one batch of the kernel's records. */
static int take_dents(struct look *l, const struct job *job, int dir_fd,
	const struct beneath_stat *self, size_t len, struct piece *p)
{
	size_t n = count_dents(l->dents, len) + 1, seen = 0;
	int r = begin(p, n);

	if (r == 0)
		r = copy_text(p, l->dents, len);
	if (r < 0)
		return r;
	if (self)
		observe_self(job->dir, self, p);
	for (size_t at = 0; at < len; seen++) {
		const struct dent *d = (const void *)(p->text.data + at);

		at += d->reclen;
		if (seen % NAMES_PER_CHECK == 0 && l->ops->is_stopping(l->ctx))
			return -ECANCELED;
		if (!is_dots(d->name) && is_name_wanted(job, d->name))
			observe(l, dir_fd, job->dir, d->name, p, false);
	}
	return 0;
}

static int need_dents(struct look *l)
{
	if (!l->dents)
		l->dents = malloc(DENTS_BYTES);
	return l->dents ? 0 : -ENOMEM;
}

/*
 * A piece is handed on when the next batch has come, so that the last one
 * travels with the end of the job, and a small directory is one result.
 */
static int list(struct look *l, struct job *job, int dir_fd,
	const struct beneath_stat *self, struct result *last)
{
	piece_auto struct piece p = {0};
	bool is_first = true;

	for (;;) {
		long n = syscall(SYS_getdents64, dir_fd, l->dents, DENTS_BYTES);
		int r = 0;

		if (n < 0)
			return -errno;
		if (n == 0 && !is_first)
			break;
		if (!is_first)
			r = emit(l, job, last->watch_key, &p);
		if (r == 0)
			r = take_dents(l, job, dir_fd, is_first ? self : NULL,
				(size_t)n, &p);
		if (r < 0)
			return r;
		is_first = false;
		/* Removed, but still open: the kernel has no dots for it. */
		if (n == 0)
			break;
	}
	fill(last, &p);
	return 0;
}

/*
 * First the watch: what comes after the listing raises an event. And only then
 * is the directory begun: btrfs lists what there was when it was opened, or
 * rewound.
 */
static int watch_dir(const struct job *job, int dir_fd, struct result *last)
{
	last->watch_error = job->ops->add(job->watch, dir_fd, &last->watch_key);
	return lseek(dir_fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int run_list(struct look *l, struct job *job, int dir_fd,
	const struct beneath_stat *self, struct result *last)
{
	bool is_watched = job->kind == JOB_LIST && job->ops;
	int r = need_dents(l);

	if (r == 0 && is_watched)
		r = watch_dir(job, dir_fd, last);
	if (r == 0)
		r = list(l, job, dir_fd, job->kind == JOB_LIST ? self : NULL,
			last);
	if (r == 0 && is_watched && last->watch_error < 0)
		return -ENOSPC;
	return r;
}

/* Looks at the next n names, each NUL-terminated. Returns where they end. */
static const char *take_names(const struct look *l, const struct job *job,
	int dir_fd, const char *name, size_t n, struct piece *p)
{
	for (; n; n--, name += strlen(name) + 1)
		if (*name && !is_dots(name))
			observe(l, dir_fd, job->dir, name, p, true);
	return name;
}

/* The names stay where they are: the job lives as long as its results. */
static int run_look(struct look *l, struct job *job, int dir_fd,
	const struct beneath_stat *self, struct result *last)
{
	const char *name = job->names.data;
	size_t left = job->n_names;

	for (;;) {
		piece_auto struct piece p = {0};
		size_t n = MIN_OF(left, MEASURE_PIECE - 1);
		int r = begin(&p, n + 1);

		if (r == 0 && l->ops->is_stopping(l->ctx))
			r = -ECANCELED;
		if (r < 0)
			return r;
		if (left == job->n_names)
			observe_self(job->dir, self, &p);
		name = take_names(l, job, dir_fd, name, n, &p);
		left -= n;
		if (!left) {
			fill(last, &p);
			return 0;
		}
		r = emit(l, job, WATCH_NO_KEY, &p);
		if (r < 0)
			return r;
	}
}

static bool is_as_expected(const struct job *job, const struct result *r)
{
	const struct mounts_health *was = &job->quiet_health;

	return job->quiet_used_bytes &&
	       r->fs.used_bytes <= job->quiet_used_bytes &&
	       r->fs.available_bytes >= job->quiet_available_bytes &&
	       (!job->is_health_asked ||
		       (r->health.mnt_id == was->mnt_id &&
			       r->health.n_errors == was->n_errors &&
			       r->health.is_read_only == was->is_read_only &&
			       r->health.is_shut_down == was->is_shut_down));
}

static int run_statfs(
	const struct look *l, const struct job *job, struct result *last)
{
	int r;

	last->looked_boot_ns = clock_boot_ns(NULL);
	r = mounts_stat(l->root_fd, &last->fs);
	if (r == 0 && job->is_health_asked)
		r = mounts_health(l->root_fd, &last->fs, &last->health);
	last->is_quiet = r == 0 && is_as_expected(job, last);
	return r;
}

static int run(struct look *l, struct job *job, struct result *last)
{
	struct beneath_stat self;
	fd_auto int fd = -1;
	int r = need_root(l, job);

	last->is_root_error = r < 0;
	if (r < 0)
		return r;
	if (job->kind == JOB_PROBE)
		return mounts_stat(l->root_fd, &last->fs);
	if (job->kind == JOB_STATFS)
		return run_statfs(l, job, last);
	r = open_dir(l, job, &self, &fd);
	if (r < 0)
		return r;
	if (job->kind == JOB_LOOK)
		return run_look(l, job, fd, &self, last);
	return run_list(l, job, fd, &self, last);
}

void look_run(struct look *l, struct job *job, struct result *last)
{
	last->job = job;
	last->is_last = true;
	last->watch_key = WATCH_NO_KEY;
	last->error = run(l, job, last);
	if (beneath_is_fault(last->error))
		last->fault = last->error;
}
