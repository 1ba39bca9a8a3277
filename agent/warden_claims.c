// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_claims.h"

#include <bsd/stdlib.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "prepare.h"

#define LOCK_PAUSE_NS 20000000
#define LOCK_TRIES    100
#define CLAIMS_MAX    ((size_t)64 << 20) /* bytes of one file */

/* A file of claims: PID <space> SOCKET, then a line for each root. */
#define LINE_FORMAT "%" PRIx64 ":%" PRIx64 ":%" PRIx64 ".%" PRIx32 " %s\n"
#define LINE_SCAN   "%" SCNx64 ":%" SCNx64 ":%" SCNx64 ".%" SCNx32 " %n"

static bool is_empty(const struct identity *id)
{
	return !id->dev && !id->ino;
}

static int put_roots(const struct survey *s, struct buf *ret)
{
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; i < s->config->n_policies; i++) {
		const struct policy *p = &s->config->policies[i];

		for (size_t j = 0; r == 0 && j < p->n_roots; j++, at++) {
			const struct identity *id = &s->known[at].id;

			r = buf_printf(ret, LINE_FORMAT, id->dev, id->ino,
				(uint64_t)id->btime_s, id->btime_ns,
				p->roots[j].path);
		}
	}
	return r;
}

/* Is this root, or one that overlaps, ours? Returns our path of it. */
static const char *find_own(
	const struct survey *s, const struct identity *id, const char *path)
{
	size_t at = 0;

	for (size_t i = 0; i < s->config->n_policies; i++) {
		const struct policy *p = &s->config->policies[i];

		for (size_t j = 0; j < p->n_roots; j++, at++)
			if (admit_overlaps(p->roots[j].path, path) ||
				(!is_empty(id) &&
					identity_equal(id, &s->known[at].id)))
				return p->roots[j].path;
	}
	return NULL;
}

static bool read_line(
	const char *line, struct identity *ret_id, const char **ret_path)
{
	uint64_t btime_s;
	int n = 0;

	if (sscanf(line, LINE_SCAN, &ret_id->dev, &ret_id->ino, &btime_s,
		    &ret_id->btime_ns, &n) != 4 ||
		!n)
		return false;
	ret_id->btime_s = (int64_t)btime_s;
	*ret_path = line + n;
	return true;
}

/* Compares with what a living warden has claimed. */
static int compare(const struct survey *s, int fd, struct buf *why)
{
	buf_auto struct buf text = {0};
	char *rest, *line, *socket_path;
	int r = buf_read_fd(&text, fd, CLAIMS_MAX);

	rest = text.data;
	if (r < 0 || !rest)
		return r == -ENOMEM ? r : 0;
	line = strsep(&rest, "\n");
	socket_path = strchrnul(line, ' ');
	if (*socket_path)
		*socket_path++ = '\0';
	while (rest && (line = strsep(&rest, "\n"))) {
		struct identity id;
		const char *path, *own;

		if (!read_line(line, &id, &path))
			continue;
		own = find_own(s, &id, path);
		if (!own)
			continue;
		r = buf_printf(why,
			"%s: another ullaged (process %s, control socket %s) "
			"manages %s",
			own, text.data, socket_path, path);
		return r < 0 ? r : -EADDRINUSE;
	}
	return 0;
}

/* What a dead warden has left is removed on the way. */
static int look_at(const struct warden_claims *c, const struct survey *s,
	int dir_fd, const char *name, struct buf *why)
{
	fd_auto int fd = -1;
	struct stat st;

	if (name[0] == '.' || (c->name && strcmp(name, c->name) == 0))
		return 0;
	fd = openat(dir_fd, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		unlinkat(dir_fd, name, 0);
		return 0;
	}
	return compare(s, fd, why);
}

static int look_at_all(const struct warden_claims *c, const struct survey *s,
	int dir_fd, struct buf *why)
{
	int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir)))
		r = look_at(c, s, dir_fd, entry->d_name, why);
	closedir(dir);
	return r;
}

/* A file of our own, locked before anybody else can see it: all of us look
 * under the lock of the directory. */
static int make_file(struct warden_claims *c, int dir_fd)
{
	fd_auto int fd = -1;
	char name[32];

	snprintf(name, sizeof(name), "%d-%08" PRIx32, (int)getpid(),
		arc4random());
	fd = openat(dir_fd, name,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	c->name = strdup(name);
	if (!c->name)
		return -ENOMEM;
	c->fd = fd_take(&fd);
	return 0;
}

static int write_down(
	struct warden_claims *c, const struct survey *s, int dir_fd)
{
	buf_auto struct buf text = {0};
	int r = c->fd < 0 ? make_file(c, dir_fd) : 0;

	if (r == 0)
		r = buf_printf(&text, "%d %s\n", (int)getpid(), c->socket_path);
	if (r == 0)
		r = put_roots(s, &text);
	if (r == 0 &&
		(ftruncate(c->fd, 0) < 0 || lseek(c->fd, 0, SEEK_SET) < 0))
		r = -errno;
	return r < 0 ? r : fd_write_full(c->fd, text.data, text.len);
}

/* Others hold it for a moment. One that was stopped in that moment is not
 * waited for: we have work to do. */
static int lock_soon(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (i == LOCK_TRIES)
			return -EBUSY;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	return 0;
}

static int open_dir(const struct warden_claims *c, int *ret_fd)
{
	const struct prepare_owner ours = {
		.uid = geteuid(), .gid = getegid(), .mode = 0700};
	buf_auto struct buf why = {0};
	fd_auto int fd = -1;
	struct stat st;
	int r = prepare_dir(c->dir, &ours, &why);

	if (r < 0)
		return r;
	fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* Whoever else could lock a file in there could keep us out. */
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return -EPERM;
	r = lock_soon(fd);
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

int warden_claims_take(struct warden_claims *c, const struct survey *survey,
	struct buf *why, struct buf *notes)
{
	fd_auto int dir_fd = -1;
	int r = open_dir(c, &dir_fd);

	if (r == 0)
		r = look_at_all(c, survey, dir_fd, why);
	if (r == 0)
		r = write_down(c, survey, dir_fd);
	if (r == 0 || r == -EADDRINUSE || r == -ENOMEM)
		return r;
	(void)buf_printf(notes,
		"no guard against a second ullaged over the same directories: "
		"%s: %s\n",
		c->dir, strerror(-r));
	return 0;
}

int warden_claims_init(
	const char *dir, const char *socket_path, struct warden_claims *ret)
{
	struct warden_claims c = WARDEN_CLAIMS_NONE;

	c.dir = strdup(dir);
	c.socket_path = strdup(socket_path);
	if (!c.dir || !c.socket_path) {
		warden_claims_close(&c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void warden_claims_close(struct warden_claims *c)
{
	fd_auto int dir_fd = -1;

	if (c->name && open_dir(c, &dir_fd) == 0)
		unlinkat(dir_fd, c->name, 0);
	fd_closep(&c->fd);
	free(c->name);
	free(c->socket_path);
	free(c->dir);
	*c = WARDEN_CLAIMS_NONE;
}
