// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

static void read_of(pid_t pid, const char *what, char *ret, size_t size)
{
	char path[40];
	fd_auto int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%.10s", (int)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, size - 1);
	ret[n > 0 ? n : 0] = '\0';
}

const char *process_unit_in(char *cgroup)
{
	const char *unit = NULL;
	char *at = strstr(cgroup, "::"), *part;

	at = at ? at + 2 : NULL;
	if (at)
		at[strcspn(at, "\n")] = '\0';
	while ((part = strsep(&at, "/"))) {
		const char *dot = strrchr(part, '.');

		if (dot && (strcmp(dot, ".service") == 0 ||
				   strcmp(dot, ".scope") == 0))
			unit = part;
	}
	return unit;
}

void process_unit(pid_t pid, char ret[PROCESS_UNIT])
{
	char cgroup[4096];
	const char *unit;

	read_of(pid, "cgroup", cgroup, sizeof(cgroup));
	unit = process_unit_in(cgroup);
	snprintf(ret, PROCESS_UNIT, "%s", unit ? unit : "");
}

void process_command(pid_t pid, char ret[PROCESS_COMMAND])
{
	read_of(pid, "comm", ret, PROCESS_COMMAND);
	ret[strcspn(ret, "\n")] = '\0';
}
