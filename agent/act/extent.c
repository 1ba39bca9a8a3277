// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/extent.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "base/mem.h"

#ifndef XFS_SUPER_MAGIC /* Linux 5.1 and older */
#	define XFS_SUPER_MAGIC 0x58465342
#endif

#define BATCH 64

union request {
	struct fiemap head; /* its extents follow it */
	char room[sizeof(struct fiemap) + BATCH * sizeof(struct fiemap_extent)];
};

struct sum {
	uint64_t mapped_bytes, shared_bytes;
	unsigned int n;
	uint64_t next; /* offset in the file to go on at */
	uint64_t end; /* of the file */
	bool is_last;
};

bool extent_can_be_shared(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       ((unsigned long)fs.f_type == BTRFS_SUPER_MAGIC ||
		       (unsigned long)fs.f_type == XFS_SUPER_MAGIC);
}

static void add(struct sum *s, const struct fiemap_extent *e)
{
	s->n++;
	s->mapped_bytes = mem_add_sat(s->mapped_bytes, e->fe_length);
	if (e->fe_flags & FIEMAP_EXTENT_SHARED)
		s->shared_bytes = mem_add_sat(s->shared_bytes, e->fe_length);
	s->next = mem_add_sat(e->fe_logical, e->fe_length);
	s->is_last = e->fe_flags & FIEMAP_EXTENT_LAST;
}

/* The next batch. False: the kernel does not tell. */
static bool look(int fd, struct sum *s)
{
	union request q = {
		.head = {.fm_start = s->next,
			.fm_length = s->end - s->next,
			.fm_extent_count = BATCH},
	};
	uint32_t n;

	if (ioctl(fd, FS_IOC_FIEMAP, &q) < 0)
		return false;
	n = MIN_OF(q.head.fm_mapped_extents, (uint32_t)BATCH);
	for (uint32_t i = 0; i < n; i++)
		add(s, &q.head.fm_extents[i]);
	if (n == 0 || s->next >= s->end)
		s->is_last = true;
	return true;
}

uint64_t extent_share(
	uint64_t used_bytes, uint64_t mapped_bytes, uint64_t shared_bytes)
{
	if (!mapped_bytes || shared_bytes > mapped_bytes)
		return used_bytes;
	return mem_mul_div(
		used_bytes, mapped_bytes - shared_bytes, mapped_bytes);
}

uint64_t extent_own_bytes(int fd, uint64_t used_bytes, uint64_t size_bytes)
{
	struct sum s = {.end = size_bytes};

	while (used_bytes && size_bytes && !s.is_last && s.n < EXTENT_MAX)
		if (!look(fd, &s))
			return used_bytes;
	return extent_share(used_bytes, s.mapped_bytes, s.shared_bytes);
}
