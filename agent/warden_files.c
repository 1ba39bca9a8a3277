// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_files.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
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
		r = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
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

/* As acl(5) has it on the disk; linux/posix_acl_xattr.h is of no use in
 * programs. */
struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};
#define ACL_NAME      "system.posix_acl_access"
#define ACL_VERSION   2
#define ACL_USER_OBJ  0x01
#define ACL_USER      0x02
#define ACL_GROUP_OBJ 0x04
#define ACL_MASK      0x10
#define ACL_OTHER     0x20
#define ACL_NO_ID     UINT32_MAX

/*
 * Members of the agent's group may ask over the socket and read the audit; a
 * file of theirs in here could stop every deletion, or keep the state from
 * being saved. So of the group's right to write only the agent's user keeps
 * what he needs.
 */
static int keep_group_out(int fd, uid_t agent)
{
	struct {
		uint32_t version;
		struct acl_entry entries[5];
	} acl = {
		.version = htole32(ACL_VERSION),
		.entries =
			{
				{htole16(ACL_USER_OBJ), htole16(7),
					htole32(ACL_NO_ID)},
				{htole16(ACL_USER), htole16(7), htole32(agent)},
				{htole16(ACL_GROUP_OBJ), htole16(5),
					htole32(ACL_NO_ID)},
				{htole16(ACL_MASK), htole16(7),
					htole32(ACL_NO_ID)},
				{htole16(ACL_OTHER), 0, htole32(ACL_NO_ID)},
			},
	};

	return fsetxattr(fd, ACL_NAME, &acl, sizeof(acl), 0) < 0 ? -errno : 0;
}

static void check_group(const struct warden_files *f, const struct stat *st,
	const struct account *agent, const char *path, struct buf *notes)
{
	int r;

	if (agent->uid == geteuid() || st->st_uid != geteuid() ||
		st->st_gid != agent->gid || !(st->st_mode & S_IWGRP))
		return;
	r = keep_group_out(f->dir_fd, agent->uid);
	if (r < 0)
		(void)buf_printf(notes,
			"every member of the agent's group can stop deletions "
			"by a file in %s: no access list there (%s)\n",
			path, strerror(-r));
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
	check_group(f, &st, agent, path, notes);
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
