// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The facts of the filesystem under a directory, as df(1) gives them. A call
 * may hang as long as its disk does, so the loop asks by a job:
 *
 *	struct job *job = job_new(JOB_STATFS);
 *	job->root_path = strdup(path);	(root_id, if known, is checked)
 *	measure_submit(m, job);
 *
 * and finds the answer in result->fs when result->error is 0. Such jobs go
 * first, and wait for no other job of the same directory.
 */

#include <stdbool.h>
#include <stdint.h>

#define MOUNTS_TYPE_SIZE 16

struct mounts_fs {
	uint64_t dev; /* as in struct identity */
	uint64_t total_bytes;
	uint64_t used_bytes; /* total less free: what df calls used */
	uint64_t available_bytes; /* to processes that are not root */
	uint64_t total_inodes; /* 0: the filesystem does not count them */
	uint64_t free_inodes;
	bool is_nonsense; /* figures that cannot be: not to be judged by */
	bool is_read_only;
	bool is_network; /* others may change it, and no event tells */
	char type[MOUNTS_TYPE_SIZE]; /* "ext4", "xfs", ...; "0x1234" */
};

/* What is wrong with it, as far as the kernel tells. */
struct mounts_health {
	uint64_t mnt_id; /* another one: mounted anew */
	uint64_t n_errors; /* ext4 and btrfs count them on the disk; xfs: kinds
			      of metadata found damaged. 0: none, or not told */
	bool is_read_only; /* this mount, or the filesystem itself */
	bool is_shut_down; /* it takes and gives nothing until mounted anew */
};

/* Reads the mount table and sysfs: dearer than mounts_stat. fs: of the same
 * file. Returns 0 or -errno. */
int mounts_health(
	int fd, const struct mounts_fs *fs, struct mounts_health *ret);

/* Tells when the mount table changes: ret->fd becomes readable then, until
 * mounts_watch_read. Returns 0 or -errno. */
struct mounts_watch {
	int fd, table_fd;
};
#define MOUNTS_WATCH_NONE ((struct mounts_watch){.fd = -1, .table_fd = -1})
int mounts_watch_open(struct mounts_watch *ret);
void mounts_watch_read(const struct mounts_watch *w);
void mounts_watch_close(struct mounts_watch *w);

/* Of the filesystem that an open file (O_PATH will do) lies on.
 * Returns 0 or -errno. */
int mounts_stat(int fd, struct mounts_fs *ret);

/* Of all this what a look has to know: may others change it, and is it an
 * overlay? The same returns. */
int mounts_nature(int fd, bool *ret_is_network, bool *ret_is_overlay);

/* What df shows as Use%, in parts per million: of what is used or may still
 * be used by others than root. 0 for a filesystem without blocks. */
uint32_t mounts_used_ppm(const struct mounts_fs *fs);
/* The same for inodes (IUse%). */
uint32_t mounts_inodes_ppm(const struct mounts_fs *fs);
