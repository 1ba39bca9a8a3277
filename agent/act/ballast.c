// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns: the two names of a ballast, and in which order they come and go.
 * Must not: open anything that it was not given before it was confined, or
 * touch any other name.
 */
#include "act/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "act/confine.h"
#include "act/extent.h"
#include "act/quarantine.h"
#include "base/clock.h"
#include "base/fd.h"

#define WHOLE "~ballast"
#define HALF  "~ballast.new"
#define BLOCK UINT64_C(4096)
/* How long a filesystem that frees in the background gets to do so. */
#define GIVE_UP_NS (2 * CLOCK_NS_PER_S)
#define PAUSE_NS   (10 * CLOCK_NS_PER_MS)

uint64_t ballast_wanted(const struct config *config, uint64_t total_bytes)
{
	return amount_bytes(&config->ballast, total_bytes) / BLOCK * BLOCK;
}

bool ballast_is_name(const char *name)
{
	return strcmp(name, WHOLE) == 0 || strcmp(name, HALF) == 0;
}

static uint64_t free_bytes(int fd, uint64_t unknown)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0
		       ? unknown
		       : (uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize;
}

static int remove_name(int dir_fd, const char *name)
{
	return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* ---- what is there ---- */

/* Blocks that a snapshot holds too do not come free. One that cannot be asked
 * is kept. */
static bool is_its_own(int dir_fd, const struct beneath_stat *st)
{
	fd_auto int fd = openat(
		dir_fd, WHOLE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 || !extent_can_be_shared(fd) ||
	       extent_own_bytes(fd, st->used_bytes, st->size_bytes) >=
		       st->used_bytes / 2;
}

/* Removes what is no whole ballast. Returns 0 or -errno. */
static int look(int dir_fd, struct ballast_report *report)
{
	struct beneath_stat st;
	int r = remove_name(dir_fd, HALF);

	if (r < 0)
		return r;
	r = beneath_stat(dir_fd, WHOLE, &st);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!S_ISREG(st.mode) || st.nlink != 1 ||
		st.used_bytes < st.size_bytes || !is_its_own(dir_fd, &st)) {
		report->is_spoilt = true;
		return remove_name(dir_fd, WHOLE);
	}
	report->bytes = st.size_bytes;
	return 0;
}

/* ---- making ---- */

/* For filesystems that cannot allocate ahead. */
static int write_all(int fd, uint64_t bytes)
{
	static const char some[1 << 16];
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < bytes; at += sizeof(some))
		r = fd_write_full(
			fd, some, MIN_OF(bytes - at, (uint64_t)sizeof(some)));
	return r;
}

static int allocate(int fd, uint64_t bytes)
{
	struct stat st;

	while (fallocate(fd, 0, 0, (off_t)bytes) < 0) {
		int r = -errno;

		if (r == -EOPNOTSUPP)
			r = write_all(fd, bytes);
		if (r < 0 && r != -EINTR)
			return r;
		if (r == 0)
			break;
	}
	if (fsync(fd) < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* Compressed, or otherwise not what it looks like. */
	return (uint64_t)st.st_blocks * 512 < bytes ? -EOPNOTSUPP : 0;
}

/* It gets its name when it is whole. */
static int make(int dir_fd, uint64_t bytes)
{
	fd_auto int fd = openat(dir_fd, HALF,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : allocate(fd, bytes);

	if (r == 0 &&
		renameat2(dir_fd, HALF, dir_fd, WHOLE, RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0)
		(void)remove_name(dir_fd, HALF);
	else if (fsync(dir_fd) < 0)
		r = -errno;
	return r;
}

/* The agent says when; that there is room, we see for ourselves: beside it
 * the filesystem stays under its target. */
static int check_room(
	int dir_fd, const struct config *config, uint64_t wanted_bytes)
{
	struct statfs fs;
	uint64_t used, whole;

	if (fstatfs(dir_fd, &fs) < 0)
		return -errno;
	used = (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
	whole = mem_add_sat(used, (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize);
	return mem_add_sat(used, wanted_bytes) >
			       amount_bytes(&config->fs_target, whole)
		       ? -ENOSPC
		       : 0;
}

/* ---- giving up ---- */

static void sleep_a_little(void)
{
	struct timespec pause = {.tv_nsec = PAUSE_NS};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

/* A full btrfs may have to end what it is at before it can unlink. */
static int unlink_for_certain(int dir_fd)
{
	int64_t end_ns = clock_boot_ns(NULL) + GIVE_UP_NS;
	int r;

	while ((r = remove_name(dir_fd, WHOLE)) == -ENOSPC &&
		clock_boot_ns(NULL) < end_ns) {
		syncfs(dir_fd);
		sleep_a_little();
	}
	return r;
}

/* Waits until the filesystem has got emptier by most of it: btrfs frees at its
 * next commit, xfs in the background; others may write meanwhile. */
static uint64_t wait_freed(int dir_fd, uint64_t before, uint64_t bytes)
{
	int64_t end_ns = clock_boot_ns(NULL) + GIVE_UP_NS;
	uint64_t freed = 0;

	for (;;) {
		freed = MAX_OF(
			freed, mem_sub_sat(free_bytes(dir_fd, 0), before));
		if (freed >= bytes / 2 || clock_boot_ns(NULL) >= end_ns)
			return freed;
		syncfs(dir_fd);
		sleep_a_little();
	}
}

static int release(int dir_fd, struct ballast_report *report)
{
	uint64_t before = free_bytes(dir_fd, UINT64_MAX);
	uint64_t bytes = report->bytes;
	int r = bytes ? unlink_for_certain(dir_fd) : 0;

	if (r < 0 || !bytes)
		return r;
	report->bytes = 0;
	report->released_bytes = bytes;
	/* What came free is not known if what was free is not. */
	if (before != UINT64_MAX)
		report->freed_bytes = wait_freed(dir_fd, before, bytes);
	return 0;
}

/* ---- the process ---- */

static int at_home(const struct ballast_order *order, int dir_fd,
	struct ballast_report *report)
{
	struct statfs fs;
	uint64_t wanted;
	int r = look(dir_fd, report);

	if (r == 0 && fstatfs(dir_fd, &fs) < 0)
		r = -errno;
	if (r < 0)
		return r;
	wanted = ballast_wanted(
		order->config, (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize);
	if (!wanted || order->op == BALLAST_RELEASE)
		return release(dir_fd, report);
	if (order->op != BALLAST_MAKE || report->bytes == wanted)
		return 0;
	/* one of another size */
	r = release(dir_fd, report);
	if (r == 0)
		r = check_room(dir_fd, order->config, wanted);
	if (r == 0)
		r = make(dir_fd, wanted);
	if (r == 0)
		report->bytes = wanted;
	return r;
}

/* Returns whether there was one. */
static bool elsewhere(int dir_fd)
{
	struct beneath_stat st;
	bool is_there = beneath_stat(dir_fd, WHOLE, &st) == 0;

	(void)remove_name(dir_fd, HALF);
	return remove_name(dir_fd, WHOLE) == 0 && is_there;
}

/* The quarantines, -1 where there is none. Returns 0, or why the home is not
 * there. */
static int open_all(const struct ballast_order *order, int *ret_fds)
{
	int at_home = 0;

	for (size_t i = 0; i < order->n_roots; i++) {
		const struct ballast_root *root = &order->roots[i];
		struct admitted now;
		fd_auto int fd = -1;
		int r;

		ret_fds[i] = -1;
		r = admit_root(root->path, &root->known, &now, &fd);
		if (r == 0)
			r = quarantine_open_there(fd, &ret_fds[i]);
		if (i == 0 && r)
			at_home = r < 0 ? r : -ESTALE;
	}
	return at_home;
}

static int confine(const int *fds, size_t n)
{
	mem_autofree int *open_fds = calloc(n + 1, sizeof(*open_fds));
	size_t n_open = 0;
	const char *why;

	if (!open_fds)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			open_fds[n_open++] = fds[i];
	return n_open ? confine_ballast(open_fds, n_open, &why) : 0;
}

static int run(const struct ballast_order *order, int *fds,
	struct ballast_report *report)
{
	int home = open_all(order, fds);
	int r = confine(fds, order->n_roots);

	if (r < 0)
		return r;
	for (size_t i = order->has_home ? 1 : 0; i < order->n_roots; i++)
		if (fds[i] >= 0)
			report->is_spoilt |= elsewhere(fds[i]);
	if (!order->has_home)
		return 0;
	/* no quarantine, no ballast */
	if (home < 0)
		return home == -ENOENT && order->op != BALLAST_MAKE ? 0 : home;
	return at_home(order, fds[0], report);
}

int ballast_run(const struct ballast_order *order)
{
	struct ballast_report report = {0};
	int *fds = calloc(order->n_roots + 1, sizeof(*fds));
	int r = fds ? run(order, fds, &report) : -ENOMEM;

	report.error = -r;
	if (order->report_fd >= 0 &&
		fd_write_full(order->report_fd, &report, sizeof(report)) < 0)
		r = -EIO;
	free(fds);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
