// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "prepare.h"

#define LOCK_NAME  "ullaged.lock"
#define AUDIT_NAME "audit.log"
#define AUDIT_NEXT "audit.log.new"
#define AUDIT_MODE 0640

/* A full disk must not keep us from emptying it. */
static bool is_full(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EROFS;
}

/* A file that nobody else can have put there, or write to. */
static int open_own(
	int dir_fd, const char *name, int flags, mode_t mode, int *ret_fd)
{
	fd_auto int fd = openat(dir_fd, name,
		flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
			O_CLOEXEC,
		mode);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1 ||
		(st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	*ret_fd = fd_take(&fd);
	return 0;
}

static int open_audit(struct warden_files *f, const char *name, int *ret_fd)
{
	fd_auto int fd = -1;
	int r = open_own(f->dir_fd, name, O_WRONLY | O_APPEND, AUDIT_MODE, &fd);

	if (r < 0)
		return r;
	if (geteuid() == 0 && (fchown(fd, (uid_t)-1, f->gid) < 0 ||
				      fchmod(fd, AUDIT_MODE) < 0))
		return -errno;
	*ret_fd = fd_take(&fd);
	return 0;
}

/* The new one is there before the old ones move: a disk without an inode
 * left keeps the long one. */
static int rotate(struct warden_files *f)
{
	char from[sizeof(AUDIT_NAME) + 12], to[sizeof(AUDIT_NAME) + 12];
	fd_auto int fd = -1;
	int r = open_audit(f, AUDIT_NEXT, &fd);

	if (r < 0)
		return r;
	for (int i = WARDEN_AUDIT_KEEP - 1; i >= 0; i--) {
		snprintf(from, sizeof(from), i ? AUDIT_NAME ".%d" : AUDIT_NAME,
			i);
		snprintf(to, sizeof(to), AUDIT_NAME ".%d", i + 1);
		if (renameat(f->dir_fd, from, f->dir_fd, to) < 0 &&
			errno != ENOENT)
			return -errno;
	}
	if (renameat(f->dir_fd, AUDIT_NEXT, f->dir_fd, AUDIT_NAME) < 0)
		return -errno;
	fd_close(f->audit_fd);
	f->audit_fd = fd_take(&fd);
	return 0;
}

int warden_files_audit(struct warden_files *f, int *ret_fd)
{
	struct stat st;
	int r = 0;

	if (f->audit_fd >= 0 &&
		(fstat(f->audit_fd, &st) < 0 || st.st_nlink == 0))
		f->audit_fd = fd_close(f->audit_fd);
	if (f->audit_fd < 0)
		r = open_audit(f, AUDIT_NAME, &f->audit_fd);
	else if (st.st_size >= WARDEN_AUDIT_MAX)
		r = rotate(f);
	if (r < 0 && !is_full(r))
		return r;
	*ret_fd = f->audit_fd;
	return 0;
}

static int take_lock(struct warden_files *f, struct buf *why, struct buf *notes)
{
	int r = open_own(f->dir_fd, LOCK_NAME, O_RDWR, 0600, &f->lock_fd);

	if (is_full(r)) {
		(void)buf_puts(notes, "no lock against a second ullaged: the "
				      "disk of the state is full\n");
		return 0;
	}
	if (r < 0) {
		(void)buf_printf(why, LOCK_NAME " beside the state file: %s",
			r == -EPERM ? "is not ours" : strerror(-r));
		return r;
	}
	if (flock(f->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		(void)buf_puts(why, "another ullaged runs with this state "
				    "directory");
	}
	return r;
}

static bool can_write(const struct stat *st, const struct account *user)
{
	if (user->uid == 0 || st->st_uid == user->uid)
		return st->st_mode & S_IWUSR;
	return st->st_mode & (st->st_gid == user->gid ? S_IWGRP : S_IWOTH);
}

static int open_dir(const char *path, const struct account *agent,
	struct warden_files *f, struct buf *why, struct buf *notes)
{
	bool is_other = agent->uid != geteuid();
	const struct prepare_owner owner = {.uid = geteuid(),
		.gid = is_other ? agent->gid : getegid(),
		.mode = is_other ? 01770 : 0750};
	struct stat st;
	int r = prepare_dir(path, &owner, why);

	if (r < 0)
		return r;
	f->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir_fd < 0 || fstat(f->dir_fd, &st) < 0) {
		r = -errno;
		(void)buf_printf(why, "%s: %s", path, strerror(-r));
		return r;
	}
	if (!can_write(&st, agent))
		(void)buf_printf(notes,
			"the agent's user %s cannot write to %s, so no state "
			"is kept (wanted: mode 1770, owner root, group %s)\n",
			agent->name, path, agent->name);
	return 0;
}

/* The directory of a path; "." if it has none. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int open_all(const char *state_file, const struct account *agent,
	struct warden_files *f, struct buf *why, struct buf *notes)
{
	mem_autofree char *dir = directory_of(state_file);
	int audit_fd, r;

	if (!dir || asprintf(&f->panic_path, "%s/panic", dir) < 0) {
		f->panic_path = NULL;
		return -ENOMEM;
	}
	f->gid = agent->gid;
	r = open_dir(dir, agent, f, why, notes);
	if (r == 0)
		r = take_lock(f, why, notes);
	if (r < 0)
		return r;
	r = warden_files_audit(f, &audit_fd);
	if (r < 0)
		(void)buf_printf(why, "%s/" AUDIT_NAME ": %s", dir,
			r == -EPERM ? "is not ours alone" : strerror(-r));
	else if (audit_fd < 0)
		(void)buf_puts(notes, "no audit file: the disk of the state is "
				      "full\n");
	return r;
}

int warden_files_open(const char *state_file, const struct account *agent,
	struct warden_files *ret, struct buf *why, struct buf *notes)
{
	struct warden_files f = WARDEN_FILES_NONE;
	int r = open_all(state_file, agent, &f, why, notes);

	if (r < 0) {
		warden_files_close(&f);
		return r;
	}
	*ret = f;
	return 0;
}

void warden_files_close(struct warden_files *f)
{
	fd_closep(&f->dir_fd);
	fd_closep(&f->lock_fd);
	fd_closep(&f->audit_fd);
	free(f->panic_path);
	*f = WARDEN_FILES_NONE;
}
