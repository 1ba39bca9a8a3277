// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A directory of its own for a test, below TMPDIR (or /tmp), by its real path:
 * no component of it is a symbolic link. */

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct scratch {
	char path[PATH_MAX];
	int fd;
};

static inline void scratch_init(struct scratch *s)
{
	const char *base = getenv("TMPDIR");
	char made[PATH_MAX];

	snprintf(made, sizeof(made), "%s/ullage-test-XXXXXX",
		base && *base ? base : "/tmp");
	assert_non_null(mkdtemp(made));
	assert_non_null(realpath(made, s->path));
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->fd >= 0);
}

/* rm, because it gets to the bottom of trees deeper than PATH_MAX. */
static inline void scratch_fini(struct scratch *s)
{
	char *argv[] = {
		(char *)"rm", (char *)"-rf", (char *)"--", s->path, NULL};
	char *env[] = {(char *)"PATH=/usr/bin:/bin", NULL};
	pid_t pid;
	int status;

	close(s->fd);
	assert_int_equal(posix_spawnp(&pid, "rm", NULL, NULL, argv, env), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static inline void scratch_mkdir(const struct scratch *s, const char *rel)
{
	assert_int_equal(mkdirat(s->fd, rel, 0700), 0);
}

static inline void scratch_write(
	const struct scratch *s, const char *rel, const char *text)
{
	int fd = openat(
		s->fd, rel, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Absolute path of rel; valid until the next call. */
static inline const char *scratch_path(const struct scratch *s, const char *rel)
{
	static char path[PATH_MAX + NAME_MAX + 2];

	snprintf(path, sizeof(path), "%s/%s", s->path, rel);
	return path;
}

/* How many descriptors this process has open: to see that none leaks. */
static inline int scratch_count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}
