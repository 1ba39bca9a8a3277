// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel tells of damage, without fanotify: the mount table, sysfs,
 * and two questions to the filesystem itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/fd.h"
#include "base/mem.h"
#include "watch/mounts.h"

/* struct xfs_fsop_geom as words of 32 bits, so that no header is needed. */
#define XFS_GEOM_WORDS 64
#define XFS_GEOM_SICK  28
#define XFS_GEOMETRY   _IOR('X', 126, uint32_t[XFS_GEOM_WORDS])

/* ---- the mount table ---- */

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (strncmp(list, word, len) == 0 &&
			(!list[len] || list[len] == ',' || list[len] == '\n'))
			return true;
	}
	return false;
}

static void read_options(
	const char *mount, const char *super, struct mounts_health *ret)
{
	ret->is_read_only |= has_word(mount, "ro") || has_word(super, "ro") ||
			     has_word(super, "emergency_ro");
	ret->is_shut_down |= has_word(super, "shutdown");
}

/* "ID PARENT DEV ROOT POINT OPTIONS ... - TYPE SOURCE SUPER-OPTIONS" */
static void read_mount(struct mounts_health *ret)
{
	mem_autofree char *line = NULL;
	FILE *file = fopen("/proc/self/mountinfo", "re");
	size_t cap = 0;

	while (file && getline(&line, &cap, file) > 0) {
		const char *rest = strstr(line, " - ");
		char mount[512], super[2048];

		if (strtoull(line, NULL, 10) != ret->mnt_id || !rest ||
			sscanf(line, "%*s %*s %*s %*s %*s %511s", mount) != 1 ||
			sscanf(rest, " - %*s %*s %2047s", super) != 1)
			continue;
		read_options(mount, super, ret);
		break;
	}
	if (file)
		fclose(file);
}

int mounts_watch_open(struct mounts_watch *ret)
{
	struct epoll_event event = {.events = EPOLLPRI};
	fd_auto int table = -1;
	fd_auto int poll = -1;

	table = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (table < 0)
		return -errno;
	/* The table is readable at all times; only its priority news count,
	 * which a loop that waits for reading does not know. */
	poll = epoll_create1(EPOLL_CLOEXEC);
	if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, table, &event) < 0)
		return -errno;
	ret->fd = fd_take(&poll);
	ret->table_fd = fd_take(&table);
	return 0;
}

void mounts_watch_read(const struct mounts_watch *w)
{
	struct epoll_event event;

	(void)epoll_wait(w->fd, &event, 1, 0);
}

void mounts_watch_close(struct mounts_watch *w)
{
	fd_closep(&w->fd);
	fd_closep(&w->table_fd);
}

/* ---- what filesystems count ---- */

/* The number after each word of a file in sysfs, in sum; 0 if there is none. */
static uint64_t sum_numbers(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[128];
	uint64_t sum = 0;

	while (file && fgets(line, sizeof(line), file))
		sum = mem_add_sat(sum,
			strtoull(line + strcspn(line, "0123456789"), NULL, 10));
	if (file)
		fclose(file);
	return sum;
}

/* The name by which the kernel has the device in sysfs. */
static bool find_disk(uint64_t dev, char ret[128])
{
	char line[256], path[64];
	bool is_found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent",
		major((dev_t)dev), minor((dev_t)dev));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		is_found |= sscanf(line, "DEVNAME=%127s", ret) == 1;
	if (file)
		fclose(file);
	for (char *at = ret; is_found && (at = strchr(at, '/'));)
		*at = '!';
	return is_found;
}

static uint64_t count_ext4(uint64_t dev)
{
	char name[128], path[192];

	if (!find_disk(dev, name))
		return 0;
	snprintf(path, sizeof(path), "/sys/fs/ext4/%s/errors_count", name);
	return sum_numbers(path);
}

static void name_uuid(const uint8_t id[16], char ret[37])
{
	char *at = ret;

	for (int i = 0; i < 16; i++)
		at += sprintf(at, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			id[i]);
}

/* Of all its devices. */
static uint64_t count_btrfs(int fd)
{
	struct btrfs_ioctl_fs_info_args info = {0};
	char uuid[37], path[128];
	uint64_t sum = 0;

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0)
		return 0;
	name_uuid(info.fsid, uuid);
	for (uint64_t id = 1; id <= MIN_OF(info.max_id, 1024u); id++) {
		snprintf(path, sizeof(path),
			"/sys/fs/btrfs/%s/devinfo/%" PRIu64 "/error_stats",
			uuid, id);
		sum = mem_add_sat(sum, sum_numbers(path));
	}
	return sum;
}

static uint64_t count_xfs(int fd)
{
	uint32_t geom[XFS_GEOM_WORDS] = {0};

	if (ioctl(fd, XFS_GEOMETRY, geom) < 0)
		return 0;
	return (uint64_t)__builtin_popcount(geom[XFS_GEOM_SICK]);
}

int mounts_health(int fd, const struct mounts_fs *fs, struct mounts_health *ret)
{
	struct mounts_health h = {.is_read_only = fs->is_read_only};
	fd_auto int dir = -1;
	struct beneath_stat st;
	bool is_ext4 = strcmp(fs->type, "ext4") == 0;
	int r = beneath_stat(fd, "", &st);

	if (r < 0)
		return r;
	h.mnt_id = st.mnt_id;
	read_mount(&h);
	/* xfs lets no directory be opened once it has given up. Where nothing
	 * comes of it none is: it would be an event, and wake us. */
	if (!is_ext4 && strcmp(fs->type, "tmpfs") != 0)
		r = beneath_open_dir(fd, "", &dir);
	h.is_shut_down |= beneath_is_fault(r) && r != -EROFS;
	if (is_ext4)
		h.n_errors = count_ext4(fs->dev);
	else if (dir >= 0 && strcmp(fs->type, "btrfs") == 0)
		h.n_errors = count_btrfs(dir);
	else if (dir >= 0 && strcmp(fs->type, "xfs") == 0)
		h.n_errors = count_xfs(dir);
	*ret = h;
	return 0;
}
