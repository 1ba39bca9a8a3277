// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/trusted.h"

/* What is said of one file or directory that cannot be taken. */
struct gather {
	struct bundle *b;
	struct buf *errors;
	size_t total;
	bool is_refused;
};

void bundle_fini(struct bundle *b)
{
	for (size_t i = 0; i < b->n_files; i++) {
		free(b->files[i].path);
		free(b->files[i].text);
	}
	free(b->files);
	*b = (struct bundle){0};
}

static int mem_printf(3, 4)
	refuse(struct gather *g, const char *path, const char *fmt, ...)
{
	buf_auto struct buf line = {0};
	va_list ap;
	int e;

	g->is_refused = true;
	if (!g->errors)
		return 0;
	e = escape_name(&line, path, strlen(path));
	if (e == 0)
		e = buf_puts(&line, ": ");
	va_start(ap, fmt);
	if (e == 0)
		e = buf_vprintf(&line, fmt, ap);
	va_end(ap);
	if (e == 0)
		e = buf_puts(&line, "\n");
	return e < 0 ? e : buf_put(g->errors, line.data, line.len);
}

static int refuse_errno(struct gather *g, const char *path, int e)
{
	return refuse(g, path, "cannot be read: %s", strerror(-e));
}

static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* May anybody but root and ourselves write to it? The group's bits hold the
 * mask of an access list as well, so root trusts no group at all; a user's
 * own group is his alone on most systems, and his umask lets it write. */
static int check_writers(
	struct gather *g, const char *path, const struct stat *st)
{
	uid_t me = geteuid();
	mode_t others = S_IWOTH | S_IWGRP;

	if (st->st_uid != 0 && st->st_uid != me)
		return refuse(g, path,
			"belongs to uid %u, who could change what is deleted: "
			"chown %s it",
			st->st_uid, me ? "to yourself or remove" : "root");
	if (me != 0 && st->st_gid == getegid())
		others = S_IWOTH;
	if (st->st_mode & others)
		return refuse(g, path,
			"others may write to it (mode %04o): chmod go-w it",
			st->st_mode & 07777);
	return 0;
}

/* Whoever could move a directory on the way could put another one there. */
static int check_way(struct gather *g, const char *path)
{
	buf_auto struct buf why = {0};
	int e = path[0] == '/' ? trusted_path(path, &why) : 0;

	return e == -EPERM ? refuse(g, path, "%s", why.data) : e;
}

/* Appends a file to the bundle. text is taken if that works. */
static int add_file(
	struct bundle *b, const char *path, struct buf *text, bool is_main)
{
	char *copy;

	if (mem_grow((void **)&b->files, &b->cap, b->n_files + 1,
		    sizeof(*b->files)) < 0)
		return -ENOMEM;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	b->files[b->n_files++] = (struct bundle_file){
		.path = copy,
		.text = text->data,
		.len = text->len,
		.is_main = is_main,
	};
	*text = (struct buf){0};
	return 0;
}

/* Opens path for reading if it is a trusted regular file. *ret_fd stays -1 if
 * it masks (the null device) or was refused. */
static int open_trusted(struct gather *g, const char *path, int *ret_fd)
{
	fd_auto int fd = -1;
	struct stat st;
	int e;

	/* looked at before it is opened: opening a device may do things */
	if (stat(path, &st) < 0)
		return -errno;
	if (is_null_device(&st))
		return 0;
	if (!S_ISREG(st.st_mode))
		return refuse(g, path, "is no regular file: remove it");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return refuse(g, path, "is no regular file: remove it");
	if (st.st_size > BUNDLE_MAX_FILE)
		return refuse(g, path, "is over 1 MiB: no configuration is");
	g->is_refused = false;
	e = check_writers(g, path, &st);
	if (e == 0 && !g->is_refused)
		*ret_fd = fd_take(&fd);
	return e;
}

/* Reads one file; a mask gives an entry without bytes. */
static int read_file(struct gather *g, const char *path, bool is_main)
{
	buf_auto struct buf text = {0};
	fd_auto int fd = -1;
	bool was_refused = g->is_refused, is_bad;
	int e;

	g->is_refused = false;
	e = open_trusted(g, path, &fd);
	is_bad = g->is_refused;
	g->is_refused |= was_refused;
	if (e < 0 || is_bad)
		return e;
	e = buf_puts(&text, "");
	if (e == 0 && fd >= 0)
		e = buf_read_fd(&text, fd, BUNDLE_MAX_FILE);
	if (e == -EFBIG)
		return refuse(g, path, "is over 1 MiB: no configuration is");
	if (e < 0)
		return e;
	g->total += text.len;
	if (g->total > BUNDLE_MAX_TOTAL)
		return refuse(g, path, "over 16 MiB of configuration");
	return add_file(g->b, path, &text, is_main);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A file of that name in a directory with precedence, be it a mask. */
static bool is_replaced(const struct bundle *b, const char *name)
{
	for (size_t i = 0; i < b->n_files; i++)
		if (!b->files[i].is_main &&
			strcmp(base_name(b->files[i].path), name) == 0)
			return true;
	return false;
}

static int is_policy_name(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 &&
	       strcmp(entry->d_name + len - 5, ".json") == 0;
}

static int read_entry(struct gather *g, const char *dir, const char *name)
{
	buf_auto struct buf path = {0};
	int e;

	if (is_replaced(g->b, name))
		return 0;
	if (g->b->n_files >= BUNDLE_MAX_FILES)
		return refuse(g, dir, "over %u files of configuration",
			BUNDLE_MAX_FILES);
	e = buf_printf(&path, "%s/%s", dir, name);
	if (e < 0)
		return e;
	e = read_file(g, path.data, false);
	if (e == -ENOMEM)
		return e;
	return e < 0 ? refuse_errno(g, path.data, e) : 0;
}

static int check_dir(struct gather *g, const char *dir, int *ret_fd)
{
	fd_auto int fd = -1;
	bool was_refused = g->is_refused;
	struct stat st;
	int e;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return refuse_errno(g, dir, -errno);
	g->is_refused = false;
	e = check_way(g, dir);
	if (e == 0 && fd >= 0)
		e = fstat(fd, &st) < 0 ? -errno : check_writers(g, dir, &st);
	if (e == 0 && !g->is_refused)
		*ret_fd = fd_take(&fd);
	g->is_refused |= was_refused;
	return e;
}

static int read_dir(struct gather *g, const char *dir)
{
	struct dirent **names = NULL;
	fd_auto int fd = -1;
	int e = check_dir(g, dir, &fd), n;

	if (e < 0 || fd < 0)
		return e;
	n = scandirat(fd, ".", &names, is_policy_name, alphasort);
	if (n < 0)
		return errno == ENOMEM ? -ENOMEM : refuse_errno(g, dir, -errno);
	for (int i = 0; i < n; i++) {
		if (e == 0)
			e = read_entry(g, dir, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return e;
}

static int read_main(struct gather *g, const char *path, bool is_optional)
{
	buf_auto struct buf text = {0};
	int e = check_way(g, path);

	if (e == 0)
		e = read_file(g, path, true);

	if (e == -ENOENT && is_optional) {
		e = buf_puts(&text, "{}");
		return e < 0 ? e : add_file(g->b, path, &text, true);
	}
	if (e < 0 && e != -ENOMEM)
		return refuse_errno(g, path, e);
	return e;
}

/* Masks have done their work when all is read. An empty main file says
 * nothing: everything is at its default. */
static int drop_masks(struct bundle *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n_files; i++) {
		struct bundle_file *file = &b->files[i];

		if (file->is_main && file->len == 0) {
			char *text = strdup("{}");

			if (!text)
				return -ENOMEM;
			free(file->text);
			file->text = text;
			file->len = 2;
		}
		if (file->len == 0) {
			free(file->path);
			free(file->text);
			continue;
		}
		b->files[kept++] = *file;
	}
	b->n_files = kept;
	return 0;
}

int bundle_read(struct bundle *ret, const char *main_path,
	bool is_main_optional, const char *const *dirs, struct buf *errors)
{
	struct bundle b = {0};
	struct gather g = {.b = &b, .errors = errors};
	int e = read_main(&g, main_path, is_main_optional);

	for (; e == 0 && *dirs; dirs++)
		e = read_dir(&g, *dirs);
	if (e == 0 && g.is_refused)
		e = -EINVAL;
	if (e == 0)
		e = drop_masks(&b);
	if (e == 0) {
		*ret = b;
		return 0;
	}
	bundle_fini(&b);
	return e;
}
