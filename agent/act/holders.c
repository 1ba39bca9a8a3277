// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/holders.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/process.h"

#define MAX_QUESTION ((size_t)1 << 20)

/* ---- a process by name ---- */

static int open_of(const char *pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/%.24s", pid, what);
	return open(path, flags | O_RDONLY | O_CLOEXEC);
}

static void read_of(const char *pid, const char *what, char *ret, size_t size)
{
	fd_auto int fd = open_of(pid, what, 0);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
}

static void name_process(const char *pid, char ret[HOLDERS_TEXT])
{
	buf_auto struct buf text = {0};
	char comm[PROCESS_COMMAND], unit[PROCESS_UNIT];
	pid_t number = (pid_t)strtol(pid, NULL, 10);

	process_command(number, comm);
	process_unit(number, unit);
	if (unit[0] && (escape_name(&text, unit, strnlen(unit, 40)) < 0 ||
			       buf_puts(&text, " (") < 0))
		return;
	if (escape_name(&text, comm, strlen(comm)) < 0 ||
		buf_printf(&text, "%spid %.16s)", unit[0] ? ", " : " (", pid) <
			0)
		return;
	escape_fit(ret, HOLDERS_TEXT, text.data);
}

/* ---- locks ---- */

static bool read_lock(const char *line, char pid[16], uint64_t *ret_dev,
	unsigned long *ret_ino)
{
	unsigned int high, low;
	int n_pid;

	/* "1: FLOCK  ADVISORY  WRITE 1234 08:01:393219 0 EOF" */
	if (strstr(line, "->") ||
		sscanf(line, "%*s %*s %*s %*s %d %x:%x:%lu", &n_pid, &high,
			&low, ret_ino) != 4 ||
		n_pid <= 0)
		return false;
	snprintf(pid, 16, "%d", n_pid);
	*ret_dev = makedev(high, low);
	return true;
}

static bool is_self(const char *pid)
{
	char self[16];

	snprintf(self, sizeof(self), "%d", getpid());
	return strcmp(pid, self) == 0;
}

static void find_locks(struct holders_query *queries, size_t n)
{
	FILE *file = fopen("/proc/locks", "re");
	char line[256], pid[16];
	unsigned long ino;
	uint64_t dev;

	while (file && fgets(line, sizeof(line), file)) {
		if (!read_lock(line, pid, &dev, &ino) || is_self(pid))
			continue;
		for (size_t i = 0; i < n; i++)
			if (!queries[i].by[0] && queries[i].ino == ino &&
				queries[i].dev == dev)
				name_process(pid, queries[i].by);
	}
	if (file)
		fclose(file);
}

/* ---- descriptors ---- */

/* As its user, as far as that is for us to do; who runs us we stay all the
 * same, so nobody gets to signal us. */
static void become(const char *pid)
{
	char status[2048];
	const char *uid, *gid;

	read_of(pid, "status", status, sizeof(status));
	uid = strstr(status, "\nUid:");
	gid = strstr(status, "\nGid:");
	if (!uid || !gid)
		return;
	/* What we may not become we do not see, and that is all. */
	(void)!setegid((gid_t)strtoul(gid + 5, NULL, 10));
	(void)!seteuid((uid_t)strtoul(uid + 5, NULL, 10));
}

static void become_ourselves(void)
{
	(void)!seteuid(getuid());
	(void)!setegid(getgid());
}

static void look_at(int dir_fd, const char *name, const char *pid,
	struct holders_query *queries, size_t n)
{
	static const char deleted[] = " (deleted)";
	char target[PATH_MAX + sizeof(deleted)];
	ssize_t len = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	if (len <= 0 || target[0] != '/')
		return;
	target[len] = '\0';
	for (size_t i = 0; i < n; i++)
		if (!queries[i].by[0] && strcmp(queries[i].path, target) == 0)
			name_process(pid, queries[i].by);
}

static void look_at_process(
	const char *pid, struct holders_query *queries, size_t n)
{
	struct dirent *entry;
	DIR *dir;
	int fd;

	become(pid);
	fd = open_of(pid, "fd", O_DIRECTORY);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		fd_close(fd);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			look_at(fd, entry->d_name, pid, queries, n);
	if (dir)
		closedir(dir);
	become_ourselves();
}

static void find_descriptors(struct holders_query *queries, size_t n)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
			!is_self(entry->d_name))
			look_at_process(entry->d_name, queries, n);
	if (dir)
		closedir(dir);
}

void holders_find(struct holders_query *queries, size_t n)
{
	find_locks(queries, n);
	find_descriptors(queries, n);
}

/* ---- the process ---- */

static bool is_below(const char *path, const char *const *roots, size_t n_roots)
{
	for (size_t i = 0; i < n_roots; i++) {
		size_t len = strlen(roots[i]);

		if (strncmp(path, roots[i], len) == 0 && path[len] == '/')
			return true;
	}
	return false;
}

/* Returns how many; what is cut off is not there. */
static size_t read_question(
	const struct buf *in, struct holders_query ret[HOLDERS_MAX])
{
	size_t at = 0, n = 0;

	while (n < HOLDERS_MAX && in->len - at > 16) {
		struct holders_query q = {.by = ""};

		memcpy(&q.dev, in->data + at, 8);
		memcpy(&q.ino, in->data + at + 8, 8);
		q.path = in->data + at + 16;
		at += 16 + strnlen(q.path, in->len - at - 16) + 1;
		if (at > in->len)
			break;
		ret[n++] = q;
	}
	return n;
}

int holders_run(int in_fd, int out_fd, const char *const *roots, size_t n_roots)
{
	struct holders_query queries[HOLDERS_MAX];
	buf_auto struct buf in = {0};
	size_t n;
	int r;

	alarm(HOLDERS_TIME_S);
	r = buf_read_fd(&in, in_fd, MAX_QUESTION);
	if (r < 0)
		return EXIT_FAILURE;
	n = in.len ? read_question(&in, queries) : 0;
	for (size_t i = 0; i < n; i++)
		if (!is_below(queries[i].path, roots, n_roots))
			queries[i].path = "";
	holders_find(queries, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = fd_write_full(out_fd, queries[i].by, HOLDERS_TEXT);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
