// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A rival with every right over the tree works against the reaper:
 *
 *   race [--rounds N] [--kind KIND] [--without PROTECTION] [ATTACK...]
 *   race --mutants [--kind KIND] [ATTACK...]
 *
 * Every attack ends with what must never be: a wrong file deleted, a file
 * deleted outside the root, a file lost. --without leaves a protection
 * out, to see that the attack has teeth: "quarantine" (stat, then unlink, and
 * nothing else), "landlock", "verify" (what was moved is not looked at again),
 * "birth" (the inode number alone says which file it is). --mutants does that
 * for each attack until it succeeds; one that does not has become harmless.
 * Without arguments: both, as tests/run does.
 * Exit: 0 nothing wrong, 1 something, 77 skipped.
 */
#include "hostile/race.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/confine.h"
#include "act/inuse.h"
#include "act/quarantine.h"
#include "base/fd.h"

/* Of each attack on each filesystem, if nobody says how many. Together
 * over 100,000. */
#ifdef __SANITIZE_ADDRESS__
#	define ROUNDS 200
#else
#	define ROUNDS 2000
#endif
#define MUTANT_ROUNDS 100000 /* tries of a mutant at most */

enum { CALL_ACT = 'a', CALL_UNDO = 'u' };

/* ---- the reaper's side ---- */

/* The rival answers each byte with it. */
static void call(struct fight *f, char what)
{
	must(write(f->to_rival[1], &what, 1) == 1);
	must(read(f->to_reaper[0], &what, 1) == 1);
}

static void on_step(void *ctx, enum reap_step step)
{
	struct fight *f = ctx;

	if (f->attack->step == (int)step)
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

static void reap_unverified(struct fight *f, struct quarantine *q, int dir_fd,
	const struct candidate *c, struct outcome *o)
{
	struct quarantine_slot slot;
	struct beneath_stat st;

	o->reason = REASON_CHANGED;
	if (beneath_stat(dir_fd, c->name, &st) < 0 ||
		!identity_equal(&st.id, &c->id))
		return;
	on_step(f, REAP_STEP_LEASED);
	if (quarantine_take(q, dir_fd, c->rel_dir, c->name, &slot) < 0)
		return;
	if (quarantine_unlink(q, &slot) == 0)
		o->reason = REASON_DELETED;
}

/* Takes whoever has the inode number now for the one that was planned. */
static void forget_birth(int dir_fd, struct candidate *c)
{
	struct beneath_stat st;

	if (beneath_stat(dir_fd, c->name, &st) == 0 && st.id.ino == c->id.ino)
		c->id = st.id;
}

static void reap_all(struct fight *f)
{
	struct reap_rules rules = {
		.rules = &f->w.policy.rules,
		.now_s = clock_real_s(NULL),
		.bytes_left = UINT64_MAX,
		.bytes_rail = REASON_LIMIT_BYTES,
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
	must(inuse_open_own(&place.own_fd) == 0);
	must(quarantine_open(f->w.fd, &place.quarantine) == 0);
	for (int i = 0; i < f->n; i++) {
		struct outcome o = {0};
		struct beneath_stat dir;
		int dir_fd = -1;
		int r;

		f->arena->current = i;
		r = beneath_open_dir(f->w.fd, f->attack->dir, &dir_fd);
		place.dir_fd = dir_fd;
		if (r == 0)
			r = beneath_stat(dir_fd, "", &dir);
		place.is_open = r < 0 || reap_is_open(&dir);
		if (f->without == WITHOUT_BIRTH)
			forget_birth(dir_fd, &f->c[i]);
		if (f->without == WITHOUT_QUARANTINE)
			reap_naively(f, &f->c[i], &o);
		else if (r < 0)
			o.reason = REASON_GONE;
		else if (f->without == WITHOUT_VERIFY)
			reap_unverified(
				f, place.quarantine, dir_fd, &f->c[i], &o);
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
	while (!f->arena->is_over)
		f->attack->rival(f, f->arena->current);
}

static void answer(struct fight *f)
{
	char what;

	fd_close(f->to_rival[1]);
	while (read(f->to_rival[0], &what, 1) == 1) {
		if (what == CALL_UNDO)
			f->attack->undo(f, f->arena->current);
		else
			f->attack->rival(f, f->arena->current);
		must(write(f->to_reaper[1], &what, 1) == 1);
	}
}

static pid_t start(struct fight *f, void (*side)(struct fight *f))
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
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

ino_t race_make_file(struct fight *f, const char *prefix, int i)
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

		race_make_file(f, "victim", i);
		f->precious[i] = race_make_file(f, "precious", i);
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

static void open_pipes(struct fight *f)
{
	must(pipe2(f->to_rival, O_CLOEXEC) == 0);
	must(pipe2(f->to_reaper, O_CLOEXEC) == 0);
}

static void close_pipes(struct fight *f)
{
	for (int i = 0; i < 2; i++) {
		fd_close(f->to_rival[i]);
		fd_close(f->to_reaper[i]);
	}
}

static void fight_batch(struct fight *f, int n)
{
	const struct attack *a = f->attack;
	pid_t rival, reaper;

	clean(f);
	set_up(f, n);
	if (a->set_up)
		a->set_up(f);
	memset(f->arena, 0, sizeof(*f->arena));
	open_pipes(f);
	rival = start(f, a->step == STEP_ALWAYS ? rage : answer);
	reaper = start(f, a->reaper ? a->reaper : reap_all);
	end(reaper);
	f->arena->is_over = true;
	close_pipes(f); /* the other kind sees its end by that */
	end(rival);
	judge(f);
}

/* ---- all of it ---- */

static void forget_rounds(struct fight *f)
{
	f->n_rounds = f->n_wrong = f->n_deleted = f->n_refused = 0;
	f->n_reused = 0;
}

static void fight_rounds(struct fight *f, unsigned long rounds)
{
	unsigned long left = rounds - f->n_rounds;

	fight_batch(f, left < BATCH ? (int)left : BATCH);
}

static bool can_here(const struct fight *f)
{
	const char *kinds = f->attack->kinds;

	return !kinds || strstr(kinds, f->w.kind);
}

static bool run_attack(struct fight *f, unsigned long rounds)
{
	unsigned int cost = f->attack->cost ? f->attack->cost : 1;

	forget_rounds(f);
	rounds = (rounds + cost - 1) / cost;
	while (f->n_rounds < rounds)
		fight_rounds(f, rounds);
	printf("%s - %s on %s: %lu rounds, %lu deleted, %lu refused, %lu wrong",
		f->n_wrong ? "not ok" : "ok", f->attack->name, f->w.kind,
		f->n_rounds, f->n_deleted, f->n_refused, f->n_wrong);
	if (f->n_reused)
		printf(", %lu inodes reused", f->n_reused);
	printf("\n");
	return !f->n_wrong;
}

static const char *const protections[N_WITHOUT] = {
	"nothing", "quarantine", "landlock", "verify", "birth"};

/* Goes on until it bites: on a busy machine the two may not meet for long. */
static bool run_mutant(struct fight *f, enum without without)
{
	f->without = without;
	forget_rounds(f);
	while (!f->n_wrong && f->n_rounds < MUTANT_ROUNDS)
		fight_rounds(f, MUTANT_ROUNDS);
	f->without = WITHOUT_NOTHING;
	printf("%s - %s without %s on %s: %lu rounds, %lu wrong\n",
		f->n_wrong ? "ok" : "not ok", f->attack->name,
		protections[without], f->w.kind, f->n_rounds, f->n_wrong);
	return f->n_wrong;
}

static bool run_mutants(struct fight *f)
{
	bool is_fine = true;

	for (int i = 0; i < N_WITHOUT; i++)
		if (f->attack->mutants & (1u << i) && can_here(f))
			is_fine &= run_mutant(f, (enum without)i);
	return is_fine;
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

struct options {
	const char *kind;
	unsigned long rounds; /* 0: no true races */
	bool is_mutants;
	char *const *asked;
};

static bool run_kind(
	struct fight *f, const char *kind, const struct options *options)
{
	bool is_fine = true;

	if (!world_init(&f->w, kind, 320))
		return true;
	f->outside_fd = open(f->w.top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(f->outside_fd >= 0);
	for (size_t i = 0; i < race_n_attacks; i++) {
		f->attack = &race_attacks[i];
		if (!is_asked(f->attack->name, options->asked))
			continue;
		if (options->rounds)
			is_fine &= run_attack(f, options->rounds);
		if (options->is_mutants)
			is_fine &= run_mutants(f);
	}
	fd_close(f->outside_fd);
	world_fini(&f->w);
	return is_fine;
}

static enum without parse_without(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(protections); i++)
		if (strcmp(protections[i], word) == 0)
			return (enum without)i;
	fprintf(stderr, "no such protection: %s\n", word);
	exit(2);
}

static void parse(int argc, char **argv, struct options *ret, struct fight *f)
{
	static const struct option known[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"kind", required_argument, NULL, 'k'},
		{"without", required_argument, NULL, 'w'},
		{"mutants", no_argument, NULL, 'm'},
		{0},
	};
	int c;

	*ret = (struct options){.rounds = ROUNDS, .is_mutants = argc == 1};
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'r')
			ret->rounds = strtoul(optarg, NULL, 10);
		else if (c == 'k')
			ret->kind = optarg;
		else if (c == 'w')
			f->without = parse_without(optarg);
		else if (c == 'm')
			ret->is_mutants = true, ret->rounds = 0;
		else
			exit(2);
	}
	ret->asked = argv + optind;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = {"tmpfs", "ext4", "xfs", "btrfs"};
	struct fight f = {0};
	struct options options;
	bool is_fine = true;

	parse(argc, argv, &options, &f);
	if (geteuid() != 0) {
		printf("SKIPPED: mounting needs root\n");
		return 77;
	}
	f.arena = mmap(NULL, sizeof(*f.arena), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(f.arena != MAP_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!options.kind || strcmp(options.kind, kinds[i]) == 0)
			is_fine &= run_kind(&f, kinds[i], &options);
	return is_fine ? 0 : 1;
}
