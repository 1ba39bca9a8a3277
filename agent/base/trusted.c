// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"

#define MAX_LINKS 40

struct way {
	int fd; /* the directory reached */
	struct stat at; /* of it */
	struct buf done; /* its path, as it was gone */
	struct buf rest; /* still to go */
	int n_links;
};

static bool is_one_of_us(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static bool is_writable(const struct stat *dir)
{
	bool is_own_group = geteuid() != 0 && dir->st_gid == getegid();

	return dir->st_mode & (is_own_group ? S_IWOTH : S_IWOTH | S_IWGRP);
}

static int refuse(const struct way *w, struct buf *why)
{
	int r = escape_name(why, w->done.len ? w->done.data : "/",
		w->done.len ? w->done.len : 1);

	if (r == 0)
		r = is_one_of_us(w->at.st_uid)
			    ? buf_printf(why, ", on the way there, may be "
					      "written to by others")
			    : buf_printf(why,
				      ", on the way there, belongs to uid %u",
				      w->at.st_uid);
	return r < 0 ? r : -EPERM;
}

/* next: what the way goes on with, in the directory reached. */
static int judge(const struct way *w, const struct stat *next, struct buf *why)
{
	bool is_safe =
		is_one_of_us(w->at.st_uid) &&
		(!is_writable(&w->at) || ((w->at.st_mode & S_ISVTX) &&
						 is_one_of_us(next->st_uid)));

	return is_safe ? 0 : refuse(w, why);
}

static int enter(struct way *w, int dir_fd, const char *name)
{
	fd_auto int fd = openat(
		dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &w->at) < 0)
		return -errno;
	fd_close(w->fd);
	w->fd = fd_take(&fd);
	return 0;
}

/* The way goes on where the link leads. */
static int follow(struct way *w, const char *name, const char *rest)
{
	buf_auto struct buf on = {0};
	char target[PATH_MAX];
	ssize_t n = readlinkat(w->fd, name, target, sizeof(target) - 1);
	int r;

	if (n < 0)
		return -errno;
	if (++w->n_links > MAX_LINKS)
		return -ELOOP;
	target[n] = '\0';
	r = buf_printf(&on, "%s/%s", target, rest);
	if (r == 0 && target[0] == '/') {
		buf_reset(&w->done);
		r = enter(w, AT_FDCWD, "/");
	}
	buf_fini(&w->rest);
	w->rest = on;
	on = (struct buf){0};
	return r;
}

static int step(
	struct way *w, const char *name, const char *rest, struct buf *why)
{
	struct stat next;
	int r;

	/* What is not there could be made by whoever may write here. */
	if (fstatat(w->fd, name, &next, AT_SYMLINK_NOFOLLOW) < 0) {
		next = (struct stat){.st_uid = (uid_t)-1};
		r = judge(w, &next, why);
		return r < 0 ? r : -ENOENT;
	}
	r = judge(w, &next, why);
	if (r < 0)
		return r;
	if (S_ISLNK(next.st_mode))
		return follow(w, name, rest);
	if (*rest || S_ISDIR(next.st_mode)) {
		r = enter(w, w->fd, name);
		if (r == 0)
			r = buf_printf(&w->done, "/%s", name);
	}
	if (r == 0) {
		buf_auto struct buf on = {0};

		r = buf_puts(&on, rest);
		buf_fini(&w->rest);
		w->rest = on;
		on = (struct buf){0};
	}
	return r;
}

static int walk(struct way *w, struct buf *why)
{
	int r = 0;

	while (r == 0) {
		char name[NAME_MAX + 1];
		const char *at = w->rest.data + strspn(w->rest.data, "/");
		size_t n = strcspn(at, "/");
		const char *rest = at + n + strspn(at + n, "/");

		if (!n)
			return 0;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, at, n);
		name[n] = '\0';
		r = step(w, name, rest, why);
	}
	return r;
}

int trusted_path(const char *path, struct buf *why)
{
	struct way w = {.fd = -1};
	int r = buf_puts(&w.rest, path);

	if (r == 0)
		r = enter(&w, AT_FDCWD, "/");
	if (r == 0)
		r = walk(&w, why);
	fd_close(w.fd);
	buf_fini(&w.done);
	buf_fini(&w.rest);
	return r == -ENOENT ? 0 : r;
}
