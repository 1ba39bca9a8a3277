// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "act/slot.h"
#include "base/beneath.h"
#include "base/fd.h"
#include "base/mem.h"

/* Bytes of a symbolic link's target: xfs holds 1024, ext4 a block of its own,
 * which may be 1024. */
#define LINK_MAX_TARGET 1000

#ifndef XFS_SUPER_MAGIC /* headers of Linux 5.1 and older */
#	define XFS_SUPER_MAGIC 0x58465342
#endif

struct quarantine {
	int root_fd; /* borrowed */
	int fd;
	uint64_t next; /* N of the next slot */
};

static bool is_in(const char *rel_dir, const char *name)
{
	size_t n = strlen(name);

	return strncmp(rel_dir, name, n) == 0 &&
	       (!rel_dir[n] || rel_dir[n] == '/');
}

bool quarantine_is_in(const char *rel_dir)
{
	return is_in(rel_dir, QUARANTINE_NAME) || is_in(rel_dir, TRASH_NAME);
}

int quarantine_fd(const struct quarantine *q)
{
	return q->fd;
}

struct quarantine *quarantine_close(struct quarantine *q)
{
	if (q)
		fd_close(q->fd);
	free(q);
	return NULL;
}

/* Ours, nobody else's, and where a rename from the root can reach it. A
 * default ACL of the root may put the setgid bit there, nothing more. */
static int check_private(int root_fd, int fd)
{
	struct beneath_stat root, st;
	int r = beneath_stat(root_fd, "", &root);

	if (r == 0)
		r = beneath_stat(fd, "", &st);
	if (r < 0)
		return r;
	if (!S_ISDIR(st.mode) || st.uid != geteuid() ||
		(st.mode & 05777) != 0700)
		return -EPERM;
	if (st.id.dev != root.id.dev || st.mnt_id != root.mnt_id ||
		st.is_mount_root)
		return -EPERM;
	return 0;
}

/*
 * xfs keeps a small directory in its inode and needs a block when it grows: on
 * a full disk a long name could not be moved in. Two long names that stay keep
 * it in a block from the start. Failure only means that this is not so.
 */
static void make_room(int fd)
{
	char name[NAME_MAX + 1];
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0 || fs.f_type != XFS_SUPER_MAGIC)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		slot_name_room(i, name);
		if (symlinkat("room", fd, name) < 0)
			return;
	}
}

static int open_there(int root_fd, const char *name, int *ret_fd)
{
	fd_auto int fd = -1;
	int r = beneath_open_dir(root_fd, name, &fd);

	/* a symbolic link, a file, a mount: made by somebody else */
	if (r == -ELOOP || r == -ENOTDIR || r == -EXDEV || r == -EACCES)
		return -EPERM;
	if (r == 0)
		r = check_private(root_fd, fd);
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

int quarantine_open_there(int root_fd, int *ret_fd)
{
	return open_there(root_fd, QUARANTINE_NAME, ret_fd);
}

static int open_private(
	int root_fd, const char *name, bool is_made, int *ret_fd)
{
	fd_auto int fd = -1;
	bool is_new;
	int r;

	is_new = is_made && mkdirat(root_fd, name, 0700) == 0;
	if (is_made && !is_new && errno != EEXIST)
		return -errno;
	r = open_there(root_fd, name, &fd);
	if (r < 0)
		return r;
	if (is_new)
		make_room(fd);
	*ret_fd = fd_take(&fd);
	return 0;
}

int quarantine_prepare(int root_fd)
{
	fd_auto int fd = -1;

	return open_private(root_fd, QUARANTINE_NAME, true, &fd);
}

static int make(int root_fd, int *fd, struct quarantine **ret)
{
	struct quarantine *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->root_fd = root_fd;
	q->fd = fd_take(fd);
	*ret = q;
	return 0;
}

int quarantine_open_beside(
	int root_fd, const char *name, bool is_made, struct quarantine **ret)
{
	fd_auto int fd = -1;
	int r = open_private(root_fd, name, is_made, &fd);

	return r < 0 ? r : make(root_fd, &fd, ret);
}

int quarantine_open(int root_fd, struct quarantine **ret)
{
	fd_auto int fd = -1;
	int r = open_private(root_fd, QUARANTINE_NAME, true, &fd);

	if (r < 0)
		return r;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return X_E_QUARANTINE_BUSY;
		if (errno != EINTR)
			return -errno;
	}
	return make(root_fd, &fd, ret);
}

/* ---- long paths ---- */

static void remove_links(struct quarantine *q, const char *slot, uint32_t n)
{
	char link[SLOT_SHORT];
	uint64_t number = 0;

	if (n)
		slot_kind(slot, &number);
	for (uint32_t i = 0; i < n; i++) {
		slot_name_link(number, i, link);
		unlinkat(q->fd, link, 0);
	}
}

/* Keeps a path as targets of symbolic links; their number in *ret_n, also
 * on failure. */
static int make_links(struct quarantine *q, uint64_t number,
	const struct buf *path, uint32_t *ret_n)
{
	char piece[LINK_MAX_TARGET + 1], link[SLOT_SHORT];

	*ret_n = 0;
	for (size_t at = 0; at < path->len;) {
		size_t len = MIN_OF(path->len - at, (size_t)LINK_MAX_TARGET);

		memcpy(piece, path->data + at, len);
		piece[len] = '\0';
		slot_name_link(number, *ret_n, link);
		if (symlinkat(piece, q->fd, link) < 0)
			return -errno;
		(*ret_n)++;
		at += len;
	}
	return 0;
}

/* Returns 0, -ENOENT: the path is lost, or -errno. A piece that cannot be read
 * is not the end: what there is would be another file's path. */
static int read_links(
	struct quarantine *q, uint64_t number, struct buf *ret, uint32_t *ret_n)
{
	char piece[LINK_MAX_TARGET + 1], link[SLOT_SHORT];
	ssize_t len = LINK_MAX_TARGET;

	for (*ret_n = 0; len == LINK_MAX_TARGET; (*ret_n)++) {
		slot_name_link(number, *ret_n, link);
		len = readlinkat(q->fd, link, piece, sizeof(piece));
		if (len < 0 && errno != ENOENT)
			return -errno;
		if (len < 0)
			break;
		if (buf_put(ret, piece, (size_t)len) < 0)
			return -ENOMEM;
	}
	return *ret_n > 0 ? 0 : -ENOENT;
}

/* ---- in, out, away ---- */

static int move(int from_fd, const char *from, int to_fd, const char *to)
{
	return renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) < 0
		       ? -errno
		       : 0;
}

static bool is_gone(struct quarantine *q, const char *name)
{
	struct stat st;

	return fstatat(q->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

/* A file on its way in: what it is called now, and where it is from. */
struct coming {
	int fd;
	const char *name;
	const char *rel_dir, *origin;
};

static int take_long(struct quarantine *q, const struct coming *c,
	struct quarantine_slot *ret)
{
	buf_auto struct buf path = {0};
	int r;

	r = buf_printf(
		&path, "%s%s%s", c->rel_dir, *c->rel_dir ? "/" : "", c->origin);
	if (r < 0)
		return r;
	slot_name_long(q->next, ret->name);
	r = make_links(q, q->next, &path, &ret->n_links);
	if (r == 0) {
		r = move(c->fd, c->name, q->fd, ret->name);
		/* A disk that fails may have moved it all the same. */
		if (r < 0 && r != -EEXIST && !is_gone(q, ret->name))
			return r;
	}
	if (r < 0)
		remove_links(q, ret->name, ret->n_links);
	return r;
}

static int take(struct quarantine *q, const struct coming *c,
	struct quarantine_slot *ret)
{
	for (;;) {
		int r;

		if (slot_name(q->next, c->rel_dir, c->origin, ret))
			r = move(c->fd, c->name, q->fd, ret->name);
		else
			r = take_long(q, c, ret);
		/* an orphan has this number */
		if (r != -EEXIST || q->next == UINT64_MAX)
			return r;
		q->next++;
	}
}

int quarantine_take(struct quarantine *q, int dir_fd, const char *rel_dir,
	const char *name, struct quarantine_slot *ret)
{
	return take(q, &(struct coming){dir_fd, name, rel_dir, name}, ret);
}

int quarantine_pass(struct quarantine *from, const struct quarantine_slot *slot,
	struct quarantine *to, uint64_t n, const char *rel_dir,
	const char *name)
{
	const struct coming c = {from->fd, slot->name, rel_dir, name};
	struct quarantine_slot there;
	int r;

	to->next = n;
	r = take(to, &c, &there);
	if (r < 0)
		return r;
	remove_links(from, slot->name, slot->n_links);
	return 0;
}

int quarantine_put_back(struct quarantine *q,
	const struct quarantine_slot *slot, int dir_fd, const char *name)
{
	int r = move(q->fd, slot->name, dir_fd, name);

	if (r == 0)
		remove_links(q, slot->name, slot->n_links);
	return r;
}

int quarantine_unlink(struct quarantine *q, const struct quarantine_slot *slot)
{
	if (unlinkat(q->fd, slot->name, 0) < 0)
		return -errno;
	remove_links(q, slot->name, slot->n_links);
	return 0;
}

/* ---- P10 ---- */

int quarantine_restore(struct quarantine *q, const struct quarantine_slot *slot,
	struct buf *path)
{
	fd_auto int dir_fd = -1;
	const char *dir, *name;
	int r;

	if (!slot_split(path, &dir, &name))
		return -EBADMSG;
	r = beneath_open_dir(q->root_fd, dir, &dir_fd);
	if (r < 0)
		return r;
	return quarantine_put_back(q, slot, dir_fd, name);
}

/* A link whose file is not there (any more) is our own and nothing else. */
void quarantine_remove_stale(struct quarantine *q, const char *name)
{
	char file[SLOT_SHORT];
	struct stat st;
	uint64_t n = 0;

	if (slot_kind(name, &n) != SLOT_LINK)
		return;
	slot_name_long(n, file);
	if (fstatat(q->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISLNK(st.st_mode) && is_gone(q, file))
		unlinkat(q->fd, name, 0);
}

int quarantine_origin(struct quarantine *q, const char *name,
	struct quarantine_slot *ret, struct buf *ret_path)
{
	uint64_t n = 0;
	enum slot_kind kind = slot_kind(name, &n);

	ret->n_links = 0;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	switch (kind) {
	case SLOT_FILE:
		return slot_read(name, ret_path);
	case SLOT_LONG_FILE:
		return read_links(q, n, ret_path, &ret->n_links);
	default:
		return -ENOENT;
	}
}

/* ret_path: where it was from; empty if that is not known. */
static bool put_in_place(
	struct quarantine *q, const char *name, struct buf *ret_path)
{
	buf_auto struct buf path = {0};
	struct quarantine_slot slot;

	if (quarantine_origin(q, name, &slot, &path) < 0)
		return false;
	buf_put(ret_path, path.data, path.len);
	return quarantine_restore(q, &slot, &path) == 0;
}

struct recovery {
	struct quarantine *q;
	struct quarantine_found *found;
};

static void recover_one(void *ctx, const char *name)
{
	const struct recovery *recovery = ctx;
	struct quarantine *q = recovery->q;
	struct quarantine_found *found = recovery->found;
	buf_auto struct buf path = {0};
	bool is_restored;
	uint64_t n = 0;

	switch (slot_kind(name, &n)) {
	case SLOT_ROOM:
	case SLOT_BALLAST:
		return;
	case SLOT_LINK:
		quarantine_remove_stale(q, name);
		return;
	default:
		break;
	}
	is_restored = put_in_place(q, name, &path);
	found->restored += is_restored;
	found->orphans += !is_restored;
	if (found->on_each)
		found->on_each(
			found->ctx, path.len ? path.data : name, is_restored);
}

int quarantine_recover(struct quarantine *q, struct quarantine_found *found)
{
	struct recovery recovery = {q, found};

	return quarantine_each(q, recover_one, &recovery);
}

int quarantine_each(struct quarantine *q, quarantine_fn *fn, void *ctx)
{
	struct dirent *entry;
	int fd;
	DIR *dir;
	int r = beneath_open_dir(q->fd, "", &fd);

	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			fn(ctx, entry->d_name);
	r = -errno;
	closedir(dir);
	return r;
}
