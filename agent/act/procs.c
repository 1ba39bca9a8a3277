// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/procs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/process.h"

void procs_name(pid_t pid, char ret[PROCS_TEXT])
{
	buf_auto struct buf text = {0};
	char comm[PROCESS_COMMAND], unit[PROCESS_UNIT];

	process_command(pid, comm);
	process_unit(pid, unit);
	if (unit[0] && (escape_name(&text, unit, strnlen(unit, 40)) < 0 ||
			       buf_puts(&text, " (") < 0))
		return;
	if (escape_name(&text, comm, strlen(comm)) < 0 ||
		buf_printf(&text, "%spid %d)", unit[0] ? ", " : " (",
			(int)pid) < 0)
		return;
	escape_fit(ret, PROCS_TEXT, text.data);
}

static int open_of(const char *pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/%.24s", pid, what);
	return open(path, flags | O_RDONLY | O_CLOEXEC);
}

/* As its user, as far as that is for us to do; who runs us we stay all the
 * same, so nobody gets to signal us. */
static void become(const char *pid)
{
	char status[2048];
	const char *uid, *gid;
	fd_auto int fd = open_of(pid, "status", 0);
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);

	status[n > 0 ? n : 0] = '\0';
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

/* False: it may not be looked at. One that has gone has nothing open. */
static bool look_at(const char *pid, procs_fn *fn, void *ctx)
{
	struct dirent *entry;
	bool is_refused;
	DIR *dir;
	int fd;

	become(pid);
	fd = open_of(pid, "fd", O_DIRECTORY);
	is_refused = fd < 0 && errno == EACCES;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		fd_close(fd);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			fn(ctx, (pid_t)strtol(pid, NULL, 10), fd,
				entry->d_name);
	if (dir)
		closedir(dir);
	become_ourselves();
	return !is_refused;
}

size_t procs_each_fd(procs_fn *fn, void *ctx)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t n_refused = 0;

	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
			strtol(entry->d_name, NULL, 10) != getpid())
			n_refused += !look_at(entry->d_name, fn, ctx);
	if (dir)
		closedir(dir);
	return n_refused;
}
