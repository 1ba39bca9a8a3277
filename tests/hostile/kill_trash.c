// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kill -9 while files go to the trash, come back from it, or leave it for
 * good: kill_trash [--rounds N] [--kind KIND]
 * After each kill, and a reaper that begins and ends in peace, every file is
 * in exactly one place: where it was, or in the trash with the path it is
 * from, or emptied with a record of the intent.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "base/fd.h"
#include "hostile/lying.h"

#define FILES 200
#define LONG  240 /* one in four has a name that only links can hold */

/* What a round does before it is cut off. */
enum deed { DEED_TRASH, DEED_RESTORE, DEED_EMPTY, N_DEEDS };

struct tally {
	unsigned long n_kills, n_midway, n_trashed, n_emptied, n_lost, n_twice;
};

static void name_file(int i, char ret[512])
{
	char fill[LONG + 1];

	memset(fill, 'x', LONG);
	fill[i % 4 == 0 ? LONG : 3] = '\0';
	snprintf(ret, 512, "a%%b/c/%s-%d", fill, i);
}

/* The contents say which file it is. */
static void set_up(struct world *w, const struct told *in_trash)
{
	char rel[512];

	mkdirat(w->fd, "a%b", 0755);
	mkdirat(w->fd, "a%b/c", 0755);
	for (int i = 0; i < FILES; i++) {
		name_file(i, rel);
		if (!world_has(w, rel) && !told_find(in_trash, rel))
			world_write(w, rel, (size_t)i + 1);
	}
}

static pid_t start_trashing(struct world *w, int null_fd)
{
	buf_auto struct buf stream = {0};
	char rel[512];
	int plan_fd;
	pid_t pid;

	for (int i = 0; i < FILES; i++) {
		name_file(i, rel);
		if (world_has(w, rel))
			world_plan(w, rel, PLAN_RULE_LARGEST);
	}
	must(plan_encode(&w->plan, 0, w->plan.n_items, &stream) == 0);
	must(fd_memfile("plan", stream.data, stream.len, &plan_fd) == 0);
	pid = world_start(w, plan_fd, null_fd);
	close(plan_fd);
	plan_fini(&w->plan);
	return pid;
}

static void run_and_kill(struct world *w, enum deed deed, long life_ns)
{
	struct timespec life = {.tv_nsec = life_ns};
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid;

	must(ftruncate(w->audit_fd, 0) == 0);
	must(lseek(w->audit_fd, 0, SEEK_SET) == 0);
	w->order.reason = GOAL_MANUAL;
	pid = deed == DEED_TRASH ? start_trashing(w, null_fd)
				 : world_errand_start(w,
					   deed == DEED_EMPTY ? TRASH_EMPTY
							      : TRASH_RESTORE,
					   NULL, 0, null_fd);
	nanosleep(&life, NULL);
	kill(pid, SIGKILL);
	world_wait(pid);
	close(null_fd);
}

/* A restoration of nothing: it begins as every reaper does, by putting back
 * what an interrupted one had left. */
static void recover(struct world *w, struct told *ret)
{
	const struct trash_pick none = {.number = 1};

	must(world_errand(w, TRASH_RESTORE, &none, 1, ret) == 0);
	told_fini(ret);
	must(world_errand(w, TRASH_LIST, NULL, 0, ret) == 0);
}

static bool is_emptied(struct world *w, const char *rel)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"\"intent\",\"component\":\"victim\","
		"\"root\":\"%s\",\"path\":\"%s\"",
		w->path, rel);
	return world_audited(w, text) > 0 &&
	       world_audited(w, "\"trash\":true") > 0;
}

/* Is it the file that it was? Its size says so. */
static bool is_itself(const struct lying *f, int i)
{
	return f->r.size_bytes == (uint64_t)i + 1;
}

static void count(struct world *w, const struct told *in_trash, enum deed deed,
	struct tally *t)
{
	char rel[512];

	for (int i = 0; i < FILES; i++) {
		const struct lying *lying;
		bool is_there;

		name_file(i, rel);
		lying = told_find(in_trash, rel);
		is_there = world_has(w, rel);
		t->n_trashed += lying != NULL;
		t->n_twice += is_there && lying;
		if (is_there || (lying && is_itself(lying, i)))
			continue;
		if (deed == DEED_EMPTY && is_emptied(w, rel)) {
			t->n_emptied++;
			continue;
		}
		printf("lost: %s\n", rel);
		t->n_lost++;
	}
}

static bool run_kind(const char *kind, unsigned long rounds)
{
	struct told in_trash = {0};
	struct tally t = {0};
	struct world w;

	if (!world_init(&w, kind, 320))
		return true;
	w.policy.trash_s = 3600;
	while (t.n_kills < rounds) {
		enum deed deed = (enum deed)(t.n_kills++ % N_DEEDS);

		set_up(&w, &in_trash);
		told_fini(&in_trash);
		run_and_kill(&w, deed, random() % 12000000);
		t.n_midway += world_audited(&w, "\"intent\"") > 0;
		recover(&w, &in_trash);
		count(&w, &in_trash, deed, &t);
	}
	told_fini(&in_trash);
	world_fini(&w);
	printf("%s kill in the trash on %s: %lu kills, %lu after an intent, "
	       "%lu found in the trash, %lu emptied, %lu lost, %lu twice\n",
		t.n_lost || t.n_twice ? "not ok" : "ok", kind, t.n_kills,
		t.n_midway, t.n_trashed, t.n_emptied, t.n_lost, t.n_twice);
	return !t.n_lost && !t.n_twice;
}

int main(int argc, char **argv)
{
	return world_main(argc, argv, 30, run_kind);
}
