// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kill -9 of the reaper at any moment: kill [--rounds N] [--kind KIND]
 * After each kill every file is at its place, or deleted with a record of the
 * intent, or in quarantine; and after the next run none is in quarantine.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "base/fd.h"
#include "hostile/world.h"

#define FILES 200
#define LONG  240 /* one in four has a name that only links can hold */

struct tally {
	unsigned long n_kills, n_midway, n_restored, n_lost, n_left;
};

static void name_file(int i, char ret[512])
{
	char fill[LONG + 1];

	memset(fill, 'x', LONG);
	fill[i % 4 == 0 ? LONG : 3] = '\0';
	snprintf(ret, 512, "a%%b/c/%s-%d", fill, i);
}

static void set_up(struct world *w)
{
	char rel[512];

	mkdirat(w->fd, "a%b", 0755);
	mkdirat(w->fd, "a%b/c", 0755);
	for (int i = 0; i < FILES; i++) {
		name_file(i, rel);
		if (!world_has(w, rel))
			world_write(w, rel, 1);
	}
}

static void plan_all(struct world *w)
{
	char rel[512];

	for (int i = 0; i < FILES; i++) {
		name_file(i, rel);
		if (world_has(w, rel))
			world_plan(w, rel, PLAN_RULE_LARGEST);
	}
}

/* Starts a reaper and lets it live for so long. */
static void run_and_kill(struct world *w, long life_ns)
{
	struct timespec life = {.tv_nsec = life_ns};
	buf_auto struct buf stream = {0};
	int plan_fd, null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid;

	must(plan_encode(&w->plan, 0, w->plan.n_items, &stream) == 0);
	must(fd_memfile("plan", stream.data, stream.len, &plan_fd) == 0);
	pid = world_start(w, plan_fd, null_fd);
	nanosleep(&life, NULL);
	kill(pid, SIGKILL);
	world_wait(pid);
	close(plan_fd);
	close(null_fd);
	plan_fini(&w->plan);
}

/* Was an intent written for file i since the audit was emptied? */
static bool is_intended(struct world *w, int i)
{
	char rel[512], text[1024];

	name_file(i, rel);
	snprintf(text, sizeof(text),
		"\"intent\",\"component\":\"victim\","
		"\"root\":\"%s\",\"path\":\"%s\"",
		w->path, rel);
	return world_audited(w, text) > 0;
}

static bool is_quarantine_empty(struct world *w)
{
	char command[512];

	snprintf(command, sizeof(command),
		"test -z \"$(ls -A %s/" QUARANTINE_NAME
		" 2>&1 | grep -v '^~room')\"",
		w->path);
	return world_command("sh", "-c", command) == 0;
}

static unsigned int count_lost(struct world *w)
{
	unsigned int n = 0;
	char rel[512];

	for (int i = 0; i < FILES; i++) {
		name_file(i, rel);
		if (!world_has(w, rel) && !is_intended(w, i)) {
			printf("lost: %s\n", rel);
			n++;
		}
	}
	return n;
}

/* A run that finds nothing to do but what was left. */
static void recover(struct world *w)
{
	mem_autofree struct outcome *o = NULL;
	size_t n;

	world_write(w, "busy", 0);
	w->policy.rules.min_age_s = 1000;
	world_plan(w, "busy", PLAN_RULE_LARGEST);
	must(world_run(w, &o, &n) == 0);
	must(o[0].reason == REASON_YOUNG);
	w->policy.rules.min_age_s = 0;
	must(unlinkat(w->fd, "busy", 0) == 0);
}

static void one_round(struct world *w, struct tally *t)
{
	set_up(w);
	plan_all(w);
	must(ftruncate(w->audit_fd, 0) == 0);
	must(lseek(w->audit_fd, 0, SEEK_SET) == 0);
	run_and_kill(w, random() % 12000000);
	t->n_kills++;
	if (world_has(w, QUARANTINE_NAME) && !is_quarantine_empty(w))
		t->n_midway++;
	recover(w);
	t->n_restored += world_audited(w, "\"restored\"");
	t->n_lost += count_lost(w);
	if (!is_quarantine_empty(w))
		t->n_left++;
}

static bool run_kind(const char *kind, unsigned long rounds)
{
	struct tally t = {0};
	struct world w;

	if (!world_init(&w, kind, 320))
		return true;
	while (t.n_kills < rounds)
		one_round(&w, &t);
	world_fini(&w);
	printf("%s kill on %s: %lu kills, %lu midway, %lu restored, "
	       "%lu lost, %lu left in quarantine\n",
		t.n_lost || t.n_left ? "not ok" : "ok", kind, t.n_kills,
		t.n_midway, t.n_restored, t.n_lost, t.n_left);
	return !t.n_lost && !t.n_left;
}

int main(int argc, char **argv)
{
	return world_main(argc, argv, 25, run_kind);
}
