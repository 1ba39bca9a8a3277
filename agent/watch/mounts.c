// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/mounts.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "base/beneath.h"
#include "base/mem.h"

#define PPM UINT64_C(1000000)

/* Numbers that linux/magic.h lacks, at least in some versions. */
#define MAGIC_XFS    0x58465342
#define MAGIC_CIFS   0xff534d42
#define MAGIC_SMB2   0xfe534d42
#define MAGIC_CEPH   0x00c36400
#define MAGIC_9P     0x01021997
#define MAGIC_FUSE   0x65735546
#define MAGIC_ZFS    0x2fc12fc1
#define MAGIC_BCACHE 0xca451a4e
#define MAGIC_GFS2   0x01161970
#define MAGIC_OCFS2  0x7461636f
#define MAGIC_EXFAT  0x2011bab0
#define MAGIC_NTFS3  0x7366746e
#define MAGIC_LUSTRE 0x0bd00bd0
#define MAGIC_EROFS  0xe0f5e1e2

/* ext2 and ext3 have ext4's number, and its driver. A FUSE server may well
 * be a local one; only the cautious answer is safe. */
static const struct {
	uint32_t magic;
	bool is_network;
	const char *name;
} known[] = {
	{EXT4_SUPER_MAGIC, false, "ext4"},
	{MAGIC_XFS, false, "xfs"},
	{BTRFS_SUPER_MAGIC, false, "btrfs"},
	{TMPFS_MAGIC, false, "tmpfs"},
	{RAMFS_MAGIC, false, "ramfs"},
	{OVERLAYFS_SUPER_MAGIC, false, "overlay"},
	{F2FS_SUPER_MAGIC, false, "f2fs"},
	{MAGIC_ZFS, false, "zfs"},
	{MAGIC_BCACHE, false, "bcachefs"},
	{MSDOS_SUPER_MAGIC, false, "vfat"},
	{MAGIC_EXFAT, false, "exfat"},
	{MAGIC_NTFS3, false, "ntfs3"},
	{SQUASHFS_MAGIC, false, "squashfs"},
	{MAGIC_EROFS, false, "erofs"},
	{ISOFS_SUPER_MAGIC, false, "iso9660"},
	{NFS_SUPER_MAGIC, true, "nfs"},
	{MAGIC_CIFS, true, "cifs"},
	{MAGIC_SMB2, true, "smb3"},
	{SMB_SUPER_MAGIC, true, "smbfs"},
	{AFS_SUPER_MAGIC, true, "afs"},
	{CODA_SUPER_MAGIC, true, "coda"},
	{MAGIC_CEPH, true, "ceph"},
	{MAGIC_9P, true, "9p"},
	{MAGIC_FUSE, true, "fuse"},
	{MAGIC_GFS2, true, "gfs2"},
	{MAGIC_OCFS2, true, "ocfs2"},
	{MAGIC_LUSTRE, true, "lustre"},
};

static void name_type(uint32_t magic, struct mounts_fs *fs)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].magic != magic)
			continue;
		fs->is_network = known[i].is_network;
		strcpy(fs->type, known[i].name);
		return;
	}
	snprintf(fs->type, sizeof(fs->type), "0x%x", magic);
}

/* More free than there is, or more than a file can be long: a bug of the
 * filesystem, or of what stands between it and us. Nothing may be deleted
 * because of such figures. */
static bool is_nonsense(const struct statfs *s, uint64_t unit)
{
	uint64_t total;

	if (__builtin_mul_overflow(s->f_blocks, unit, &total))
		return true;
	return total > INT64_MAX || s->f_bfree > s->f_blocks ||
	       s->f_bavail > s->f_blocks ||
	       (!total && (s->f_bfree || s->f_bavail));
}

int mounts_stat(int fd, struct mounts_fs *ret)
{
	struct beneath_stat st;
	struct mounts_fs fs = {0};
	struct statfs s;
	uint64_t unit;
	int r;

	if (fstatfs(fd, &s) < 0)
		return -errno;
	r = beneath_stat(fd, "", &st);
	if (r < 0)
		return r;
	unit = (uint64_t)(s.f_frsize ? s.f_frsize : s.f_bsize);
	fs.dev = st.id.dev;
	fs.is_nonsense = is_nonsense(&s, unit);
	fs.total_bytes = mem_mul_div(s.f_blocks, unit, 1);
	fs.used_bytes =
		mem_mul_div(mem_sub_sat(s.f_blocks, s.f_bfree), unit, 1);
	fs.available_bytes = mem_mul_div(s.f_bavail, unit, 1);
	fs.total_inodes = s.f_files;
	fs.free_inodes = MIN_OF(s.f_ffree, s.f_files);
	fs.is_read_only = s.f_flags & ST_RDONLY;
	name_type((uint32_t)s.f_type, &fs);
	*ret = fs;
	return 0;
}

int mounts_nature(int fd, bool *ret_is_network, bool *ret_is_overlay)
{
	struct mounts_fs fs = {0};
	struct statfs s;

	if (fstatfs(fd, &s) < 0)
		return -errno;
	name_type((uint32_t)s.f_type, &fs);
	*ret_is_network = fs.is_network;
	*ret_is_overlay = s.f_type == OVERLAYFS_SUPER_MAGIC;
	return 0;
}

static uint32_t share_ppm(uint64_t part, uint64_t whole)
{
	return whole ? (uint32_t)mem_mul_div(part, PPM, whole) : 0;
}

uint32_t mounts_used_ppm(const struct mounts_fs *fs)
{
	return share_ppm(fs->used_bytes,
		mem_add_sat(fs->used_bytes, fs->available_bytes));
}

uint32_t mounts_inodes_ppm(const struct mounts_fs *fs)
{
	return share_ppm(fs->total_inodes - fs->free_inodes, fs->total_inodes);
}
