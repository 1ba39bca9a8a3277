// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which files of a hooks directory may be run. Must not know what an alert
 * is, nor run anything: that is hook_run.c.
 */
#include "act/hook.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/trusted.h"

/* Why a file or directory is no hook; NULL: it is one. */
static const char *refuse_writable(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to somebody else";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "may be written to by others";
	return NULL;
}

static const char *refuse_file(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "is a symbolic link (copy the script instead)";
	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (!(st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return "is not executable";
	return refuse_writable(st);
}

/* Left by editors and package managers, and files that a hook reads (a name
 * with a dot and nothing to execute): passed over without a word. */
static bool is_no_hook(const char *name, const struct stat *st)
{
	size_t len = strlen(name);

	if (name[0] == '.' || name[len - 1] == '~')
		return true;
	if (strstr(name, ".dpkg-") || strstr(name, ".rpmsave") ||
		strstr(name, ".rpmnew") || strstr(name, ".rpmorig"))
		return true;
	return S_ISREG(st->st_mode) && strchr(name, '.') &&
	       !(st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH));
}

static int refuse(struct buf *refused, const char *name, const char *why)
{
	int r = escape_name(refused, name, strlen(name));

	return r < 0 ? r : buf_printf(refused, "\t%s\n", why);
}

/* ret_fd: the directory, safe to take programs from. */
static int open_hooks(const char *dir, struct buf *refused, int *ret_fd)
{
	fd_auto int fd =
		open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *why;
	struct stat st;

	buf_auto struct buf untrusted = {0};
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	why = refuse_writable(&st);
	r = why ? 0 : trusted_path(dir, &untrusted);
	if (r < 0 && r != -EPERM)
		return r;
	if (r < 0)
		why = untrusted.data;
	if (why) {
		r = refuse(refused, dir, why);
		return r < 0 ? r : -EPERM;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

struct names {
	char **names;
	size_t n;
	size_t cap;
};

static void names_fini(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	free(names->names);
}
#define names_auto mem_cleanup(names_fini)

static int names_add(struct names *names, const char *name)
{
	int r = mem_grow((void **)&names->names, &names->cap, names->n + 1,
		sizeof(char *));
	char *copy;

	if (r < 0)
		return r;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	names->names[names->n++] = copy;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int judge_name(
	int dir_fd, const char *name, struct names *names, struct buf *refused)
{
	const char *why;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (is_no_hook(name, &st))
		return 0;
	why = refuse_file(&st);
	return why ? refuse(refused, name, why) : names_add(names, name);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int read_names(int dir_fd, struct names *names, struct buf *refused)
{
	int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	mem_cleanup(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		r = judge_name(dir_fd, entry->d_name, names, refused);
	if (r == 0 && errno)
		r = -errno;
	return r;
}

int hook_list(const char *dir, struct buf *ret, struct buf *refused)
{
	names_auto struct names names = {0};
	buf_auto struct buf list = {0};
	fd_auto int fd = -1;
	int r = open_hooks(dir, refused, &fd);

	if (r == 0)
		r = read_names(fd, &names, refused);
	if (r < 0)
		return r;
	if (names.n)
		qsort(names.names, names.n, sizeof(char *), compare_names);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = buf_put(&list, names.names[i], strlen(names.names[i]) + 1);
	if (r == 0)
		r = buf_put(ret, list.data, list.len);
	return r < 0 ? r : (int)names.n;
}

int hook_check(const char *dir, const char *name)
{
	buf_auto struct buf refused = {0};
	fd_auto int fd = -1;
	struct stat st;
	int r;

	if (name[0] == '\0' || strchr(name, '/'))
		return -EINVAL;
	r = open_hooks(dir, &refused, &fd);
	if (r < 0)
		return r;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return refuse_file(&st) ? -EACCES : 0;
}
