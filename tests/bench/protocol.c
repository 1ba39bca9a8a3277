// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What safe deletion costs at least: protocol ROOT AUDIT reads directories
 * and names ("DIR\0NAME\0"), and makes the calls of docs/safety.md for each
 * file, confined as a reaper is, with nothing between them: no plan, no
 * judgement, no index, no agent. Prints the seconds that took.
 */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/confine.h"
#include "act/inuse.h"
#include "base/beneath.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

#define QUARANTINE   ".protocol"
#define RECORD_BYTES 700 /* of an intent and a result, as of ullage */

struct work {
	int quarantine_fd, audit_fd, own_fd;
	unsigned long n;
};

static void must(bool is_fine, const char *what)
{
	if (!is_fine)
		err(EXIT_FAILURE, "%s", what);
}

static void look(int fd, const char *name)
{
	struct beneath_stat st;

	must(beneath_stat(fd, name, &st) == 0, name);
}

static void delete_one(struct work *w, int dir_fd, const char *name)
{
	static const char record[RECORD_BYTES];
	fd_auto int path_fd = -1, lease_fd = -1;
	char slot[NAME_MAX];

	must(beneath_open_path(dir_fd, name, 0, &path_fd) == 0, name);
	look(path_fd, "");
	must(inuse_lease(w->own_fd, path_fd, &lease_fd) == 0, name);
	snprintf(slot, sizeof(slot), "%lx=%s", w->n++, name);
	must(renameat2(dir_fd, name, w->quarantine_fd, slot,
		     RENAME_NOREPLACE) == 0,
		name);
	look(w->quarantine_fd, slot);
	must(inuse_check(lease_fd) == 0, name);
	must(write(w->audit_fd, record, sizeof(record)) > 0, "the record");
	must(unlinkat(w->quarantine_fd, slot, 0) == 0, slot);
}

static void delete_all(struct work *w, const struct buf *list)
{
	const char *at = list->data, *end = at + list->len, *dir = "";
	fd_auto int dir_fd = -1;

	while (at < end) {
		const char *name = at + strlen(at) + 1;

		if (strcmp(at, dir) != 0) {
			fd_close(dir_fd);
			dir_fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			must(dir_fd >= 0, at);
			dir = at;
		}
		delete_one(w, dir_fd, name);
		at = name + strlen(name) + 1;
	}
}

int main(int argc, char **argv)
{
	buf_auto struct buf list = {0};
	struct work w = {0};
	int64_t began_ns;
	const char *why;
	int root_fd;

	if (argc != 3)
		errx(2, "usage: protocol ROOT AUDIT < LIST");
	root_fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	must(root_fd >= 0, argv[1]);
	must(mkdirat(root_fd, QUARANTINE, 0700) == 0, QUARANTINE);
	w.quarantine_fd = openat(root_fd, QUARANTINE, O_RDONLY | O_DIRECTORY);
	must(w.quarantine_fd >= 0, QUARANTINE);
	w.audit_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0600);
	must(w.audit_fd >= 0, argv[2]);
	must(inuse_open_own(&w.own_fd) == 0, "/proc/self/fd");
	must(buf_read_fd(&list, STDIN_FILENO, (size_t)1 << 30) == 0, "stdin");
	must(confine_reaper(&root_fd, 1, &why) == 0, why);
	began_ns = clock_boot_ns(NULL);
	delete_all(&w, &list);
	printf("%.3f\n", (double)(clock_boot_ns(NULL) - began_ns) / 1e9);
	return 0;
}
