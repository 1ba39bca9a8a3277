// SPDX-License-Identifier: GPL-2.0-or-later
/* What rivals of the reaper do, and by what one sees that they had success. */
#include "hostile/race.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "base/fd.h"

static bool has_inode_at(int dir_fd, const char *rel, ino_t ino)
{
	struct stat st;

	return fstatat(dir_fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino == ino;
}

/* Is the inode still there, by either name, or kept as an orphan? */
static bool is_there(struct fight *f, ino_t ino, int i)
{
	char rel[256];

	snprintf(rel, sizeof(rel), "%s/precious-%d", f->attack->dir, i);
	if (has_inode_at(f->w.fd, rel, ino))
		return true;
	snprintf(rel, sizeof(rel), QUARANTINE_NAME "/0=%s%%svictim-%d",
		f->attack->dir, i);
	if (has_inode_at(f->w.fd, rel, ino))
		return true;
	snprintf(rel, sizeof(rel), "%s/victim-%d", f->attack->dir, i);
	return has_inode_at(f->w.fd, rel, ino);
}

/* Deleted, or still there: never neither, never the other. */
static bool is_precious_gone(struct fight *f, int i)
{
	bool is_deleted = f->arena->reasons[i] == REASON_DELETED;

	return !is_there(f, f->precious[i], i) ||
	       is_there(f, (ino_t)f->c[i].id.ino, i) == is_deleted;
}

/* ---- attacks ---- */

static void exchange(int dir_fd, const char *a, const char *b)
{
	renameat2(dir_fd, a, dir_fd, b, RENAME_EXCHANGE);
}

static void swap_leaf(struct fight *f, int round)
{
	char a[128], b[128];

	snprintf(a, sizeof(a), "%s/victim-%d", f->attack->dir, round);
	snprintf(b, sizeof(b), "%s/precious-%d", f->attack->dir, round);
	exchange(f->w.fd, a, b);
}

/* A link to a directory outside with files of the same names. */
static void make_decoys(struct fight *f)
{
	char rel[64];

	must(symlinkat("../outside", f->w.fd, "link") == 0);
	for (int i = 0; i < f->n; i++) {
		snprintf(rel, sizeof(rel), "outside/victim-%d", i);
		fd_close(openat(f->outside_fd, rel, O_CREAT | O_WRONLY, 0644));
	}
}

static void swap_parent(struct fight *f, int round)
{
	(void)round;
	exchange(f->w.fd, f->attack->dir, "link");
}

static bool is_decoy_gone(struct fight *f, int i)
{
	char rel[64];
	struct stat st;

	snprintf(rel, sizeof(rel), "outside/victim-%d", i);
	return fstatat(f->outside_fd, rel, &st, AT_SYMLINK_NOFOLLOW) < 0;
}

static void move_out(struct fight *f, int round)
{
	(void)round;
	must(renameat(f->w.fd, f->attack->dir, f->outside_fd, "outside/d") ==
		0);
}

static void move_in(struct fight *f, int round)
{
	(void)round;
	renameat(f->outside_fd, "outside/d", f->w.fd, f->attack->dir);
}

/* Whatever went, went while its directory was outside. */
static bool is_gone(struct fight *f, int i)
{
	return f->arena->reasons[i] == REASON_DELETED ||
	       !is_there(f, (ino_t)f->c[i].id.ino, i);
}

static void link_victim(struct fight *f, int round)
{
	char a[128], b[128];

	snprintf(a, sizeof(a), "%s/victim-%d", f->attack->dir, round);
	snprintf(b, sizeof(b), "%s/link-%d", f->attack->dir, round);
	must(linkat(f->w.fd, a, f->w.fd, b, 0) == 0);
}

static bool is_link_taken(struct fight *f, int i)
{
	return f->arena->reasons[i] != REASON_LINKED ||
	       !is_there(f, (ino_t)f->c[i].id.ino, i);
}

/* The name becomes a hard link to a file that is not the rival's. */
static void plant_link(struct fight *f, int round)
{
	char a[128], b[128];

	snprintf(a, sizeof(a), "%s/victim-%d", f->attack->dir, round);
	snprintf(b, sizeof(b), "outside/mine-%d", round);
	must(renameat(f->w.fd, a, f->outside_fd, b) == 0);
	snprintf(b, sizeof(b), "%s/precious-%d", f->attack->dir, round);
	must(linkat(f->w.fd, b, f->w.fd, a, 0) == 0);
}

static bool is_planted_gone(struct fight *f, int i)
{
	char a[128], b[128];

	snprintf(a, sizeof(a), "%s/victim-%d", f->attack->dir, i);
	snprintf(b, sizeof(b), "outside/mine-%d", i);
	return !has_inode_at(f->w.fd, a, f->precious[i]) ||
	       !has_inode_at(f->outside_fd, b, (ino_t)f->c[i].id.ino);
}

/* With a file in it: that must not be deleted outside either. */
static void steal_quarantine(struct fight *f, int round)
{
	(void)round;
	must(renameat(f->w.fd, QUARANTINE_NAME, f->outside_fd,
		     "outside/stolen") == 0);
}

static void return_quarantine(struct fight *f, int round)
{
	(void)round;
	renameat(f->outside_fd, "outside/stolen", f->w.fd, QUARANTINE_NAME);
}

/* While the victim is in the quarantine its name is taken, and it is changed
 * so that it is not deleted either: there is no way back but over another. */
static void take_name(struct fight *f, int round)
{
	char a[128], b[128];

	snprintf(a, sizeof(a), "%s/precious-%d", f->attack->dir, round);
	snprintf(b, sizeof(b), "%s/victim-%d", f->attack->dir, round);
	must(renameat(f->w.fd, a, f->w.fd, b) == 0);
	snprintf(a, sizeof(a), QUARANTINE_NAME "/0=%s%%svictim-%d",
		f->attack->dir, round);
	/* what a descriptor with O_PATH, got before, would do */
	must(utimensat(f->w.fd, a, (struct timespec[2]){{1, 0}, {1, 0}}, 0) ==
		0);
}

static bool is_either_gone(struct fight *f, int i)
{
	return f->arena->reasons[i] != REASON_ORPHANED ||
	       !is_there(f, f->precious[i], i) ||
	       !is_there(f, (ino_t)f->c[i].id.ino, i);
}

/* What a name may stand for besides a file: none of it blocks, none of it
 * goes. */
static void make_odd(struct fight *f)
{
	for (int i = 0; i < f->n; i++) {
		char rel[128];
		struct stat st;

		snprintf(rel, sizeof(rel), "%s/precious-%d", f->attack->dir, i);
		must(unlinkat(f->w.fd, rel, 0) == 0);
		if (i % 3 == 0)
			must(mkfifoat(f->w.fd, rel, 0666) == 0);
		else if (i % 3 == 1)
			must(symlinkat("../../outside", f->w.fd, rel) == 0);
		else
			must(mkdirat(f->w.fd, rel, 0777) == 0);
		must(fstatat(f->w.fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0);
		f->precious[i] = st.st_ino;
	}
}

/* Half the attack is done before the reaper comes: each name is a new file now,
 * and has the old one's inode number where the filesystem gives that out
 * again. */
static void reuse_inodes(struct fight *f)
{
	/* Stamps move with the kernel's tick. */
	const struct timespec ticks = {.tv_nsec = 20000000};
	char rel[128];

	nanosleep(&ticks, NULL);
	for (int i = 0; i < f->n; i++) {
		snprintf(rel, sizeof(rel), "%s/victim-%d", f->attack->dir, i);
		must(unlinkat(f->w.fd, rel, 0) == 0);
		f->precious[i] = race_make_file(f, "victim", i);
		f->n_reused += f->precious[i] == f->c[i].id.ino;
	}
}

static bool is_newcomer_gone(struct fight *f, int i)
{
	char rel[128];

	snprintf(rel, sizeof(rel), "%s/victim-%d", f->attack->dir, i);
	return f->arena->reasons[i] == REASON_DELETED ||
	       !has_inode_at(f->w.fd, rel, f->precious[i]);
}

/* The decoys lie over the directory that is open. */
static void mount_over(struct fight *f, int round)
{
	char from[256], to[320];

	(void)round;
	snprintf(from, sizeof(from), "%s/outside", f->w.top);
	snprintf(to, sizeof(to), "%s/%s", f->w.path, f->attack->dir);
	must(mount(from, to, NULL, MS_BIND, NULL) == 0);
}

static void unmount(struct fight *f, int round)
{
	char path[320];

	(void)round;
	snprintf(path, sizeof(path), "%s/%s", f->w.path, f->attack->dir);
	must(umount2(path, MNT_DETACH) == 0);
}

/* ---- the quarantine of somebody else ---- */

#define MINE	  "mine"
#define MINE_LINK "mine-link"
#define STRANGER  65534

static void make_own_quarantine(struct fight *f)
{
	must(quarantine_prepare(f->w.fd) == 0);
	world_mkdir(&f->w, MINE);
	must(fchownat(f->w.fd, MINE, STRANGER, STRANGER, 0) == 0);
	must(fchmodat(f->w.fd, MINE, 0777, 0) == 0);
	must(symlinkat("../outside", f->w.fd, MINE_LINK) == 0);
}

/* His directory, a link to one outside, and the true one take turns. */
static void plant_quarantine(struct fight *f, int round)
{
	(void)round;
	renameat2(f->w.fd, MINE, f->w.fd, QUARANTINE_NAME, RENAME_NOREPLACE);
	exchange(f->w.fd, QUARANTINE_NAME, MINE);
	exchange(f->w.fd, QUARANTINE_NAME, MINE_LINK);
}

static int open_carelessly(struct fight *f)
{
	mkdirat(f->w.fd, QUARANTINE_NAME, 0700);
	return openat(
		f->w.fd, QUARANTINE_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A reaper that does nothing but open its quarantine. */
static void open_quarantines(struct fight *f)
{
	for (int i = 0; i < f->n; i++) {
		struct quarantine *q = NULL;
		int fd = -1;
		struct stat st;

		f->arena->current = i;
		if (f->without == WITHOUT_QUARANTINE)
			fd = open_carelessly(f);
		else if (quarantine_open(f->w.fd, &q) == 0)
			fd = quarantine_fd(q);
		f->arena->reasons[i] = fd < 0 ? REASON_ERROR : REASON_DELETED;
		f->arena->is_wrong[i] =
			fd >= 0 && (fstat(fd, &st) < 0 || st.st_uid != 0 ||
					   (st.st_mode & 07777) != 0700);
		if (q)
			quarantine_close(q);
		else
			fd_close(fd);
	}
}

static bool is_planted_used(struct fight *f, int i)
{
	return f->arena->is_wrong[i];
}

#define BIT(without) (1u << WITHOUT_##without)

const struct attack race_attacks[] = {
	{
		.name = "leaf",
		.dir = "dir",
		.step = STEP_ALWAYS,
		.rival = swap_leaf,
		.is_wrong = is_precious_gone,
		.mutants = BIT(QUARANTINE),
	},
	{
		.name = "leaf-late",
		.dir = "dir",
		.step = REAP_STEP_LEASED,
		.rival = swap_leaf,
		.is_wrong = is_precious_gone,
		.mutants = BIT(QUARANTINE) | BIT(VERIFY),
	},
	{
		.name = "leaf-early",
		.dir = "dir",
		.step = REAP_STEP_LOOKED,
		.rival = swap_leaf,
		.is_wrong = is_precious_gone,
	},
	{
		.name = "take-name",
		.dir = "dir",
		.step = REAP_STEP_MOVED,
		.rival = take_name,
		.is_wrong = is_either_gone,
	},
	{
		.name = "odd",
		.dir = "dir",
		.step = REAP_STEP_LEASED,
		.rival = swap_leaf,
		.is_wrong = is_precious_gone,
		.set_up = make_odd,
		.mutants = BIT(QUARANTINE),
	},
	{
		.name = "parent",
		.dir = "dir",
		.step = STEP_ALWAYS,
		.rival = swap_parent,
		.is_wrong = is_decoy_gone,
		.set_up = make_decoys,
	},
	{
		.name = "parent-late",
		.dir = "dir",
		.step = REAP_STEP_LEASED,
		.rival = swap_parent,
		.is_wrong = is_decoy_gone,
		.undo = swap_parent,
		.set_up = make_decoys,
		.mutants = BIT(QUARANTINE),
	},
	{
		.name = "move-out",
		.dir = "dir",
		.step = REAP_STEP_LEASED,
		.rival = move_out,
		.is_wrong = is_gone,
		.undo = move_in,
		.mutants = BIT(LANDLOCK),
	},
	{
		.name = "mount",
		.dir = "dir",
		.step = REAP_STEP_LEASED,
		.rival = mount_over,
		.is_wrong = is_decoy_gone,
		.undo = unmount,
		.set_up = make_decoys,
		.mutants = BIT(QUARANTINE),
		.cost = 10,
	},
	{
		.name = "link",
		.dir = "dir",
		.step = REAP_STEP_LEASED,
		.rival = link_victim,
		.is_wrong = is_link_taken,
		.mutants = BIT(QUARANTINE),
	},
	{
		.name = "plant-link",
		.dir = "dir",
		.step = REAP_STEP_LEASED,
		.rival = plant_link,
		.is_wrong = is_planted_gone,
		.mutants = BIT(QUARANTINE),
	},
	{
		.name = "inode-reuse",
		.dir = "dir",
		.step = STEP_NONE,
		.is_wrong = is_newcomer_gone,
		.set_up = reuse_inodes,
		.mutants = BIT(BIRTH),
		.kinds = "ext4",
	},
	{
		.name = "plant-quarantine",
		.dir = "dir",
		.step = STEP_ALWAYS,
		.rival = plant_quarantine,
		.is_wrong = is_planted_used,
		.set_up = make_own_quarantine,
		.reaper = open_quarantines,
		.mutants = BIT(QUARANTINE),
	},
	{
		.name = "steal-quarantine",
		.dir = "dir",
		.step = REAP_STEP_VERIFIED,
		.rival = steal_quarantine,
		.is_wrong = is_gone,
		.undo = return_quarantine,
		.mutants = BIT(LANDLOCK),
	},
};
const size_t race_n_attacks = ARRAY_SIZE(race_attacks);
