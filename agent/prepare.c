// SPDX-License-Identifier: GPL-2.0-or-later
#include "prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "act/trash.h"
#include "base/beneath.h"
#include "base/escape.h"
#include "base/fd.h"

#define OPEN_STEP (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define BASE_MODE 0750

/* Could anyone but us and root rename what we make in here? */
static int check_parent(int parent_fd)
{
	struct stat st;

	if (fstat(parent_fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return -EOPNOTSUPP;
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
		return -EOPNOTSUPP;
	return 0;
}

static int dress(int fd, const struct prepare_owner *owner)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_uid != owner->uid || st.st_gid != owner->gid) &&
		fchown(fd, owner->uid, owner->gid) < 0)
		return -errno;
	return fchmod(fd, owner->mode) < 0 ? -errno : 0;
}

/* A server of FUSE may know no flags. A directory that is not empty is not
 * replaced anyway, and in here nobody makes one but root and we. */
static int give_name(int parent_fd, const char *aside, const char *name)
{
	int r = renameat2(parent_fd, aside, parent_fd, name, RENAME_NOREPLACE);

	if (r < 0 && errno == EINVAL)
		r = renameat2(parent_fd, aside, parent_fd, name, 0);
	if (r < 0 && errno == ENOTEMPTY)
		return -EEXIST;
	return r < 0 ? -errno : 0;
}

/*
 * Makes it aside and gives it its name when all is right with it: killed in
 * between we leave nothing that the next start would take for finished. Others
 * of us make the same parents at the same time: aside is each one's own.
 */
static int make_step(
	int parent_fd, const char *name, const struct prepare_owner *owner)
{
	char aside[NAME_MAX + 1];
	fd_auto int fd = -1;
	int r = check_parent(parent_fd);

	if (r < 0)
		return r;
	if (snprintf(aside, sizeof(aside), ".%s.%d.new", name, (int)getpid()) >=
		(int)sizeof(aside))
		return -ENAMETOOLONG;
	(void)unlinkat(parent_fd, aside, AT_REMOVEDIR);
	if (mkdirat(parent_fd, aside, 0700) < 0)
		return -errno;
	fd = openat(parent_fd, aside, OPEN_STEP);
	r = fd < 0 ? -errno : dress(fd, owner);
	if (r == 0)
		r = give_name(parent_fd, aside, name);
	if (r < 0)
		(void)unlinkat(parent_fd, aside, AT_REMOVEDIR);
	/* Somebody was faster: we take what there is. */
	return r == -EEXIST ? 0 : r;
}

/* One step down from *fd, made if need be. */
static int step(int *fd, const char *name, const struct prepare_owner *owner)
{
	int next = openat(*fd, name, OPEN_STEP);

	if (next < 0 && errno == ENOENT) {
		int r = make_step(*fd, name, owner);

		if (r < 0)
			return r;
		next = openat(*fd, name, OPEN_STEP);
	}
	if (next < 0) {
		struct stat st;

		/* The kernel says ENOTDIR of a link with O_DIRECTORY. */
		if (errno == ENOTDIR &&
			fstatat(*fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR;
		return -errno;
	}
	close(*fd);
	*fd = next;
	return 0;
}

static void explain(struct buf *why, const char *path, size_t len, int error)
{
	/* A sentence less is no reason to fail. */
	if (escape_name(why, path, len) < 0)
		return;
	switch (error) {
	case -ELOOP:
		(void)buf_puts(why, " is a symbolic link");
		break;
	case -ENOTDIR:
		(void)buf_puts(why, " is no directory");
		break;
	case -ENOENT:
		(void)buf_puts(why, " does not exist");
		break;
	case -EOPNOTSUPP:
		(void)buf_puts(why, " cannot be made: in the directory above "
				    "it others could replace it");
		break;
	default:
		(void)buf_printf(why, ": %s", strerror(-error));
	}
}

int prepare_dir(
	const char *path, const struct prepare_owner *last, struct buf *why)
{
	const struct prepare_owner ours = {
		.uid = geteuid(), .gid = getegid(), .mode = 0755};
	fd_auto int fd = open("/", OPEN_STEP);
	const char *at = path;

	if (fd < 0)
		return -errno;
	while (*at) {
		size_t len;
		char name[NAME_MAX + 1];
		int r;

		at += strspn(at, "/");
		len = strcspn(at, "/");
		if (len == 0)
			break;
		if (len >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, at, len);
		name[len] = '\0';
		at += len;
		r = step(&fd, name, *at ? &ours : last);
		if (r < 0) {
			explain(why, path, (size_t)(at - path), r);
			return r;
		}
	}
	return 0;
}

static int look_for(const struct root *root, struct buf *note)
{
	int fd = -1, r = beneath_open_root(root->path, true, &fd);

	fd_close(fd);
	if (r < 0)
		explain(note, root->path, strlen(root->path), r);
	return r;
}

int prepare_root(
	const struct root *root, uid_t uid, gid_t gid, struct buf *note)
{
	const struct prepare_owner owner = {
		.uid = uid, .gid = gid, .mode = BASE_MODE};

	if (!root->is_base)
		return look_for(root, note);
	return prepare_dir(root->path, &owner, note);
}

bool prepare_needs_quarantine(const struct policy *p, enum stype type)
{
	return p->mode != MODE_OBSERVE &&
	       (type != STYPE_CONFIG || p->rules.is_config_allowed);
}

/* Config is given up in an emergency, which deletes. */
static bool needs_trash(const struct policy *p, enum stype type)
{
	return p->trash_s && type != STYPE_CONFIG;
}

static void explain_private(
	const struct root *root, const char *name, int r, struct buf *note)
{
	if (escape_name(note, root->path, strlen(root->path)) < 0)
		return;
	(void)buf_printf(note, ": nothing can be deleted here: %s %s", name,
		r == -EPERM ? "is there, and not ours alone"
			    : "cannot be made: ");
	if (r != -EPERM)
		(void)buf_puts(note, strerror(-r));
}

void prepare_quarantine(
	const struct policy *p, const struct root *root, struct buf *note)
{
	const char *name = QUARANTINE_NAME;
	fd_auto int fd = -1;
	int r;

	if (!prepare_needs_quarantine(p, root->type))
		return;
	r = beneath_open_root(root->path, true, &fd);
	if (r == 0)
		r = quarantine_prepare(fd);
	if (r == 0 && needs_trash(p, root->type)) {
		name = TRASH_NAME;
		r = trash_prepare(fd);
	}
	if (r < 0)
		explain_private(root, name, r, note);
}
