// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A rival with every right over the tree works against the reaper:
 *
 *   race [--rounds N] [--kind KIND] [--without PROTECTION] [ATTACK...]
 *
 * Every attack ends with what must never be: a wrong file deleted, a file
 * deleted outside the root, a file lost. --without leaves a protection
 * out, to see that the attack has teeth: "quarantine" (stat, then unlink, and
 * nothing else), "landlock", "verify" (what was moved is not looked at again).
 * Exit: 0 nothing wrong, 1 something, 77 skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/confine.h"
#include "act/quarantine.h"
#include "act/reap.h"
#include "base/fd.h"
#include "hostile/world.h"

#define BATCH 500
enum { CALL_NONE, CALL_ACT, CALL_UNDO };

enum without {
	WITHOUT_NOTHING,
	WITHOUT_QUARANTINE,
	WITHOUT_LANDLOCK,
	WITHOUT_VERIFY,
};

/* Shared by reaper, rival and referee. */
struct arena {
	volatile int current; /* the round at hand */
	volatile int call; /* CALL_*; the rival answers by clearing it */
	volatile bool is_over;
	unsigned char reasons[BATCH];
};

struct fight {
	struct world w;
	enum without without;
	struct arena *arena;
	int outside_fd; /* above the root */
	struct candidate c[BATCH];
	char names[BATCH][32];
	ino_t precious[BATCH];
	int n;
	unsigned long n_rounds, n_wrong, n_deleted, n_refused;
	const struct attack *attack;
};

struct attack {
	const char *name;
	const char *dir; /* where the victims are */
	int step; /* the rival is called in each round at this step; -1: it
		     runs all the time */
	void (*rival)(struct fight *f, int round);
	/* after the batch: what is wrong with this round? */
	bool (*is_wrong)(struct fight *f, int round);
	void (*undo)(struct fight *f, int round); /* after each round */
	void (*set_up)(struct fight *f);
};

/* ---- the reaper's side ---- */

static void call(struct fight *f, int what)
{
	f->arena->call = what;
	while (f->arena->call)
		sched_yield();
}

static void on_step(void *ctx, enum reap_step step)
{
	struct fight *f = ctx;

	if (f->attack->step != (int)step)
		return;
	call(f, CALL_ACT);
}

/* What everybody does who does not know better. */
static void reap_naively(
	struct fight *f, const struct candidate *c, struct outcome *o)
{
	char path[128];
	struct stat st;

	o->reason = REASON_CHANGED;
	snprintf(path, sizeof(path), "%s/%s", c->rel_dir, c->name);
	if (fstatat(f->w.fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		st.st_ino != c->id.ino)
		return;
	on_step(f, REAP_STEP_LEASED);
	if (unlinkat(f->w.fd, path, 0) == 0)
		o->reason = REASON_DELETED;
}

static void reap_unverified(struct quarantine *q, int dir_fd,
	const struct candidate *c, struct outcome *o)
{
	struct quarantine_slot slot;
	struct beneath_stat st;

	o->reason = REASON_CHANGED;
	if (beneath_stat(dir_fd, c->name, &st) < 0 ||
		!identity_equal(&st.id, &c->id) ||
		quarantine_take(q, dir_fd, c->rel_dir, c->name, &slot) < 0)
		return;
	if (quarantine_unlink(q, &slot) == 0)
		o->reason = REASON_DELETED;
}

static void reap_all(struct fight *f)
{
	struct reap_rules rules = {
		.rules = &f->w.policy.rules,
		.now_s = clock_real_s(NULL),
		.bytes_left = UINT64_MAX,
		.on_step = on_step,
		.ctx = f,
	};
	struct reap_place place = {
		.root_uid = f->w.known.uid,
		.root_dev = f->w.known.id.dev,
		.type = STYPE_CACHE,
	};
	const char *why;

	if (f->without != WITHOUT_LANDLOCK && f->without != WITHOUT_QUARANTINE)
		must(confine_reaper(&f->w.fd, 1, &why) == 0);
	must(quarantine_open(f->w.fd, &place.quarantine) == 0);
	for (int i = 0; i < f->n; i++) {
		struct outcome o = {0};
		int dir_fd = -1;
		int r;

		f->arena->current = i;
		r = beneath_open_dir(f->w.fd, f->attack->dir, &dir_fd);
		place.dir_fd = dir_fd;
		if (r == 0)
			r = beneath_stat(dir_fd, "", &place.dir);
		if (f->without == WITHOUT_QUARANTINE)
			reap_naively(f, &f->c[i], &o);
		else if (r < 0)
			o.reason = REASON_GONE;
		else if (f->without == WITHOUT_VERIFY)
			reap_unverified(place.quarantine, dir_fd, &f->c[i], &o);
		else
			reap_one(&rules, &place, &f->c[i], &o);
		f->arena->reasons[i] = o.reason;
		fd_close(dir_fd);
		if (f->attack->undo)
			call(f, CALL_UNDO);
	}
}

/* ---- the rival's side ---- */

static void rage(struct fight *f)
{
	while (!f->arena->is_over) {
		int what = f->arena->call;

		if (what == CALL_UNDO)
			f->attack->undo(f, f->arena->current);
		else if (what == CALL_ACT || f->attack->step < 0)
			f->attack->rival(f, f->arena->current);
		else
			sched_yield();
		if (what)
			f->arena->call = CALL_NONE;
	}
}

static pid_t start(struct fight *f, void (*side)(struct fight *f))
{
	pid_t pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		side(f);
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- the files of a batch ---- */

static ino_t make_file(struct fight *f, const char *prefix, int i)
{
	char rel[128];
	struct stat st;

	snprintf(rel, sizeof(rel), "%s/%s-%d", f->attack->dir, prefix, i);
	world_write(&f->w, rel, 0);
	must(fstatat(f->w.fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0);
	return st.st_ino;
}

static void set_up(struct fight *f, int n)
{
	fd_auto int dir_fd = -1;

	world_mkdir(&f->w, f->attack->dir);
	must(beneath_open_dir(f->w.fd, f->attack->dir, &dir_fd) == 0);
	f->n = n;
	for (int i = 0; i < n; i++) {
		struct beneath_stat st;

		make_file(f, "victim", i);
		f->precious[i] = make_file(f, "precious", i);
		snprintf(f->names[i], sizeof(f->names[i]), "victim-%d", i);
		must(beneath_stat(dir_fd, f->names[i], &st) == 0);
		f->c[i] = (struct candidate){
			.rule = PLAN_RULE_LARGEST,
			.rel_dir = f->attack->dir,
			.name = f->names[i],
			.id = st.id,
		};
	}
}

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

static void judge(struct fight *f)
{
	for (int i = 0; i < f->n; i++) {
		f->n_rounds++;
		if (f->arena->reasons[i] == REASON_DELETED)
			f->n_deleted++;
		else
			f->n_refused++;
		if (f->attack->is_wrong(f, i))
			f->n_wrong++;
	}
}

/* The root itself stays: it has an identity. */
static void clean(struct fight *f)
{
	char command[512];

	snprintf(command, sizeof(command),
		"cd %s && rm -rf root/* root/.u* outside && mkdir outside",
		f->w.top);
	must(world_command("sh", "-c", command) == 0);
}

static void fight_batch(struct fight *f, int n)
{
	pid_t rival, reaper;

	clean(f);
	set_up(f, n);
	if (f->attack->set_up)
		f->attack->set_up(f);
	memset(f->arena, 0, sizeof(*f->arena));
	rival = start(f, rage);
	reaper = start(f, reap_all);
	end(reaper);
	f->arena->is_over = true;
	end(rival);
	judge(f);
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

static const struct attack attacks[] = {
	{"leaf", "dir", -1, swap_leaf, is_precious_gone, NULL, NULL},
	{"leaf-late", "dir", REAP_STEP_LEASED, swap_leaf, is_precious_gone,
		NULL, NULL},
	{"parent", "dir", -1, swap_parent, is_decoy_gone, NULL, make_decoys},
	{"parent-late", "dir", REAP_STEP_LEASED, swap_parent, is_decoy_gone,
		swap_parent, make_decoys},
	{"move-out", "dir", REAP_STEP_LEASED, move_out, is_gone, move_in, NULL},
	{"link", "dir", REAP_STEP_LEASED, link_victim, is_link_taken, NULL,
		NULL},
	{"plant-link", "dir", REAP_STEP_LEASED, plant_link, is_planted_gone,
		NULL, NULL},
	{"steal-quarantine", "dir", REAP_STEP_VERIFIED, steal_quarantine,
		is_gone, return_quarantine, NULL},
};

/* ---- all of it ---- */

static bool run_attack(struct fight *f, unsigned long rounds)
{
	f->n_rounds = f->n_wrong = f->n_deleted = f->n_refused = 0;
	while (f->n_rounds < rounds) {
		unsigned long left = rounds - f->n_rounds;

		fight_batch(f, left < BATCH ? (int)left : BATCH);
	}
	printf("%s %s on %s: %lu rounds, %lu deleted, %lu refused, %lu wrong\n",
		f->n_wrong ? "not ok" : "ok", f->attack->name, f->w.kind,
		f->n_rounds, f->n_deleted, f->n_refused, f->n_wrong);
	return !f->n_wrong;
}

static bool is_asked(const char *name, char *const *asked)
{
	if (!*asked)
		return true;
	for (; *asked; asked++)
		if (strcmp(*asked, name) == 0)
			return true;
	return false;
}

static bool run_kind(struct fight *f, const char *kind, unsigned long rounds,
	char *const *asked)
{
	bool is_fine = true;

	if (!world_init(&f->w, kind, 320))
		return true;
	f->outside_fd = open(f->w.top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(f->outside_fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++) {
		f->attack = &attacks[i];
		if (is_asked(f->attack->name, asked))
			is_fine &= run_attack(f, rounds);
	}
	fd_close(f->outside_fd);
	world_fini(&f->w);
	return is_fine;
}

static enum without parse_without(const char *word)
{
	static const char *const words[] = {
		"nothing", "quarantine", "landlock", "verify"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], word) == 0)
			return (enum without)i;
	fprintf(stderr, "no such protection: %s\n", word);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"kind", required_argument, NULL, 'k'},
		{"without", required_argument, NULL, 'w'},
		{0},
	};
	static const char *const kinds[] = {"tmpfs", "ext4", "xfs", "btrfs"};
	const char *kind = NULL;
	unsigned long rounds = 1000;
	struct fight f = {0};
	bool is_fine = true;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			rounds = strtoul(optarg, NULL, 10);
		else if (c == 'k')
			kind = optarg;
		else if (c == 'w')
			f.without = parse_without(optarg);
		else
			return 2;
	}
	if (geteuid() != 0) {
		printf("SKIPPED: mounting needs root\n");
		return 77;
	}
	f.arena = mmap(NULL, sizeof(*f.arena), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(f.arena != MAP_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!kind || strcmp(kind, kinds[i]) == 0)
			is_fine &=
				run_kind(&f, kinds[i], rounds, argv + optind);
	return is_fine ? 0 : 1;
}
