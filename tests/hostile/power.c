// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The power is cut, at any moment of a deletion or of saving the state:
 *	power [--rounds N] [--kind ext4|xfs] [--subject deletion|state|latch]
 * By the filesystems' own shutdown, which drops what is not on the disk, with
 * and without the log's last part. After a new mount a state that was told as
 * saved is there, an older one is not, and each file is at its place, gone by
 * the plan, or in quarantine from where the next run puts it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "base/fd.h"
#include "hostile/desk.h"
#include "hostile/world.h"
#include "latch.h"
#include "state.h"

#define FILES 120
#define KEPT  10 /* of them are not in the plan */
#define LONG  240

/* XFS_IOC_GOINGDOWN, and ext4 took it over. */
#define SHUT_DOWN _IOR('X', 125, uint32_t)
enum { FLUSH_ALL, FLUSH_LOG, FLUSH_NOTHING };

struct tally {
	unsigned long n_cuts, n_midway, n_gone, n_restored, n_wrong;
};

static void cut_power(struct world *w, uint32_t how)
{
	int fd = open(w->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(fd >= 0 && ioctl(fd, SHUT_DOWN, &how) == 0);
	close(fd);
}

/* As after a new start of the machine. */
static void mount_again(struct world *w)
{
	char image[256];
	int tries = 0;

	w->fd = fd_close(w->fd);
	/* Its last process may be just about to be gone. */
	while (umount2(w->top, 0) < 0) {
		must(errno == EBUSY && tries++ < 1000);
		usleep(1000);
	}
	snprintf(image, sizeof(image), "%s/image", w->base);
	must(world_command("mount", "-o", "loop", image, w->top) == 0);
	w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(w->fd >= 0);
	must(admit_root(w->path, NULL, &w->known, NULL) == 0);
}

static void pause_ns(long ns)
{
	struct timespec t = {.tv_nsec = ns};

	nanosleep(&t, NULL);
}

/* ---- deletion ---- */

static void name_file(int i, char ret[512])
{
	char fill[LONG + 1];

	memset(fill, 'x', LONG);
	fill[i % 4 == 0 ? LONG : 3] = '\0';
	snprintf(ret, 512, "a%%b/c/%s-%d", fill, i);
}

static size_t size_of(int i)
{
	return (size_t)(i % 7) * 1500 + 1;
}

static void set_up(struct world *w)
{
	char rel[512];

	mkdirat(w->fd, "a%b", 0755);
	mkdirat(w->fd, "a%b/c", 0755);
	for (int i = 0; i < FILES; i++) {
		name_file(i, rel);
		if (!world_has(w, rel))
			world_write(w, rel, size_of(i));
		if (i >= KEPT)
			world_plan(w, rel, PLAN_RULE_LARGEST);
	}
	must(syncfs(w->fd) == 0);
}

/* Begins to delete, and loses its disk after so long. */
static void delete_and_cut(struct world *w, long after_ns, uint32_t how)
{
	buf_auto struct buf stream = {0};
	fd_auto int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int plan_fd;
	pid_t pid;

	must(plan_encode(&w->plan, 0, w->plan.n_items, &stream) == 0);
	must(fd_memfile("plan", stream.data, stream.len, &plan_fd) == 0);
	pid = world_start(w, plan_fd, null_fd);
	close(plan_fd);
	pause_ns(after_ns);
	cut_power(w, how);
	kill(pid, SIGKILL);
	world_wait(pid);
	plan_fini(&w->plan);
}

static bool is_whole(struct world *w, const char *rel, size_t size)
{
	struct stat st;

	return fstatat(w->fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (size_t)st.st_size == size;
}

static unsigned int count_quarantined(struct world *w)
{
	char command[512];
	unsigned int n = 0;
	FILE *pipe;

	snprintf(command, sizeof(command),
		"ls %s/" QUARANTINE_NAME " | grep -cv '^~room\\|~path'",
		w->path);
	pipe = popen(command, "r");
	must(pipe && fscanf(pipe, "%u", &n) == 1);
	pclose(pipe);
	return n;
}

/* A run that finds nothing to do but what was left. */
static void recover(struct world *w)
{
	mem_autofree struct outcome *o = NULL;
	size_t n;

	must(ftruncate(w->audit_fd, 0) == 0);
	must(lseek(w->audit_fd, 0, SEEK_SET) == 0);
	world_write(w, "young", 1);
	world_plan(w, "young", PLAN_RULE_LARGEST);
	w->policy.rules.min_age_s = 1000;
	must(world_run(w, &o, &n) == 0);
	must(o[0].reason == REASON_YOUNG);
	w->policy.rules.min_age_s = 0;
	must(unlinkat(w->fd, "young", 0) == 0);
}

/* Every file there is is whole; those that the plan did not name are there; of
 * the others as many are there as were neither deleted nor ... lost. */
static void check_files(struct world *w, struct tally *t)
{
	unsigned int n_held = count_quarantined(w), n_before = 0, n_after = 0;
	char rel[512];

	t->n_midway += n_held > 0;
	for (int i = 0; i < FILES; i++) {
		name_file(i, rel);
		n_before += world_has(w, rel);
	}
	recover(w);
	t->n_restored += world_audited(w, "\"restored\"");
	for (int i = 0; i < FILES; i++) {
		name_file(i, rel);
		n_after += world_has(w, rel);
		if (world_has(w, rel) && !is_whole(w, rel, size_of(i)))
			t->n_wrong++, printf("not whole: %s\n", rel);
		if (i < KEPT && !world_has(w, rel))
			t->n_wrong++, printf("lost: %s\n", rel);
	}
	t->n_gone += FILES - n_after;
	if (n_after != n_before + n_held || count_quarantined(w))
		t->n_wrong++, printf("%u in place, %u in quarantine, then "
				     "%u in place, %u in quarantine\n",
				      n_before, n_held, n_after,
				      count_quarantined(w));
}

static void run_deletion(struct world *w, unsigned long rounds, struct tally *t)
{
	/* The quarantine is made at the start of an agent, long before. */
	set_up(w);
	plan_fini(&w->plan);
	recover(w);
	while (t->n_cuts < rounds) {
		set_up(w);
		delete_and_cut(w, random() % 10000000,
			t->n_cuts % 2 ? FLUSH_LOG : FLUSH_NOTHING);
		t->n_cuts++;
		mount_again(w);
		check_files(w, t);
	}
}

/* ---- the state ---- */

struct progress { /* shared with the process that saves */
	_Atomic uint64_t begun, saved; /* generations */
	atomic_bool is_cutting;
};

/* After a real cut nobody runs to be told anything. Here an fsync that meets
 * the shutdown may return 0 on xfs, so what ends after its beginning does not
 * count as told. */
static void save_for_ever(struct desk *d, struct progress *p)
{
	for (;;) {
		desk_note(d);
		p->begun = d->generation;
		if (state_save(&d->agent) < 0)
			_exit(0);
		if (p->is_cutting)
			_exit(0);
		p->saved = d->generation;
	}
}

static void save_and_cut(
	struct world *w, struct desk *d, struct progress *p, uint32_t how)
{
	pid_t pid;

	p->is_cutting = false;
	fflush(NULL);
	pid = fork();
	must(pid >= 0);
	if (pid == 0)
		save_for_ever(d, p);
	pause_ns(random() % 8000000);
	p->is_cutting = true;
	cut_power(w, how);
	kill(pid, SIGKILL);
	world_wait(pid);
}

static void run_state(struct world *w, unsigned long rounds, struct tally *t)
{
	struct progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct desk d;

	must(p != MAP_FAILED);
	desk_init(&d, w);
	desk_note(&d);
	must(state_save(&d.agent) == 0);
	p->begun = p->saved = d.generation;
	while (t->n_cuts < rounds) {
		uint64_t found;

		save_and_cut(
			w, &d, p, t->n_cuts % 2 ? FLUSH_LOG : FLUSH_NOTHING);
		t->n_cuts++;
		mount_again(w);
		found = desk_find(&d);
		t->n_midway += found != p->begun;
		if (found < p->saved || found > p->begun)
			t->n_wrong++, printf("saved %" PRIu64 ", begun %" PRIu64
					     ", found %" PRIu64 "\n",
					      p->saved, p->begun, found);
		d.generation = p->begun;
	}
	desk_fini(&d);
}

/* ---- the panic latch ---- */

static void run_latch(struct world *w, unsigned long rounds, struct tally *t)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/panic", w->path);
	while (t->n_cuts < rounds) {
		bool is_on = t->n_cuts % 2 == 0;

		must(latch_set(path, is_on) == 0);
		cut_power(w, FLUSH_NOTHING);
		t->n_cuts++;
		mount_again(w);
		if (latch_is_set(path) != is_on)
			t->n_wrong++, printf("%s, and is not\n",
					      is_on ? "set" : "lifted");
	}
}

/* ---- */

typedef void subject_fn(struct world *w, unsigned long rounds, struct tally *t);

static const struct subject {
	const char *name;
	subject_fn *run;
} subjects[] = {
	{"deletion", run_deletion},
	{"state", run_state},
	{"latch", run_latch},
};

static bool run_on(
	const struct subject *s, const char *kind, unsigned long rounds)
{
	struct tally t = {0};
	struct world w;

	if (!world_init(&w, kind, 320))
		return true;
	s->run(&w, rounds, &t);
	world_fini(&w);
	printf("%s power cut in %s on %s: %lu cuts, %lu midway, %lu gone by "
	       "plan, %lu put back, %lu wrong\n",
		t.n_wrong ? "not ok" : "ok", s->name, kind, t.n_cuts,
		t.n_midway, t.n_gone, t.n_restored, t.n_wrong);
	return !t.n_wrong;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"kind", required_argument, NULL, 'k'},
		{"subject", required_argument, NULL, 's'},
		{0},
	};
	static const char *const kinds[] = {"ext4", "xfs"};
	const char *kind = NULL, *subject = NULL;
	unsigned long rounds = 50;
	bool is_fine = true;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			rounds = strtoul(optarg, NULL, 10);
		else if (c == 'k')
			kind = optarg;
		else if (c == 's')
			subject = optarg;
		else
			return 2;
	}
	if (geteuid() != 0) {
		printf("SKIPPED: mounting needs root\n");
		return 77;
	}
	srandom((unsigned int)time(NULL));
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
			if ((!kind || strcmp(kind, kinds[k]) == 0) &&
				(!subject ||
					strcmp(subject, subjects[i].name) == 0))
				is_fine &=
					run_on(&subjects[i], kinds[k], rounds);
	return is_fine ? 0 : 1;
}
