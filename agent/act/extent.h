// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Which of a file's blocks are its own: on btrfs and xfs a copy or a snapshot
 * may share them, st_blocks counts them in full all the same, and deleting
 * one of the names frees nothing of what is shared.
 *
 * Asked is FIEMAP, which tells of each extent whether anything else refers to
 * it; on a descriptor that is leased already, so nobody writes meanwhile. Of a
 * file in very many pieces the first EXTENT_MAX are looked at, and the rest is
 * taken to be as they are. A question costs about 1 us on xfs, 9 on btrfs, and
 * 30 there if what it finds is shared.
 */

#include <stdbool.h>
#include <stdint.h>

#define EXTENT_MAX 1024

/* May files on the filesystem of this descriptor share blocks? An ioctl for
 * each file costs little, but on ext4 and tmpfs it is for nothing. */
bool extent_can_be_shared(int fd);

/*
 * What comes free of used_bytes (st_blocks * 512) when the file that fd stands
 * for goes. Where the kernel does not tell, all of it: gain.h watches what
 * really happens. size_bytes: what xfs keeps allocated behind the end for a
 * writer is no reason to delete what is before it.
 */
uint64_t extent_own_bytes(int fd, uint64_t used_bytes, uint64_t size_bytes);

/* The sum behind it: used_bytes by the shared part of mapped_bytes. */
uint64_t extent_share(
	uint64_t used_bytes, uint64_t mapped_bytes, uint64_t shared_bytes);
