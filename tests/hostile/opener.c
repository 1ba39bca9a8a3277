// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Somebody opens a file in the moment in which a reaper holds its lease: how
 * long does he wait, does he get his file, and does it stay?
 *
 *   opener [--rounds N]
 *
 * The reaper tells him by a pipe and goes on at once. Without a lease the
 * file would be deleted under him; with one that is not given back he would
 * wait for /proc/sys/fs/lease-break-time, 45 s.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/confine.h"
#include "act/inuse.h"
#include "act/quarantine.h"
#include "act/reap.h"
#include "base/clock.h"
#include "base/fd.h"
#include "hostile/world.h"

#define TRIES	   5
#define MAX_ROUNDS 20000
#define P99_NS	   (5 * CLOCK_NS_PER_MS) /* the promise */

struct seen {
	int64_t alone_ns[MAX_ROUNDS]; /* the same without a reaper */
	int64_t wait_ns[MAX_ROUNDS];
	bool has_opened[MAX_ROUNDS];
	unsigned char reasons[MAX_ROUNDS];
};

struct meeting {
	struct world w;
	struct seen *seen;
	int to_opener[2], to_reaper[2];
	int n;
};

static int64_t open_timed(struct meeting *m, int i, bool *ret_has_opened)
{
	char rel[32];
	int64_t start_ns = clock_boot_ns(NULL);
	int fd;

	snprintf(rel, sizeof(rel), "file-%d", i);
	fd = openat(m->w.fd, rel, O_RDONLY | O_CLOEXEC);
	*ret_has_opened = fd >= 0;
	/* before the reaper comes to the next */
	fd_close(fd);
	return clock_boot_ns(NULL) - start_ns;
}

static void be_opener(struct meeting *m)
{
	int i;

	fd_close(m->to_opener[1]);
	while (read(m->to_opener[0], &i, sizeof(i)) == sizeof(i)) {
		m->seen->wait_ns[i] = open_timed(m, i, &m->seen->has_opened[i]);
		must(write(m->to_reaper[1], &i, sizeof(i)) == sizeof(i));
	}
}

static void on_step(void *ctx, enum reap_step step)
{
	struct meeting *m = ctx;

	/* The number of the round is where reap_all keeps it. */
	if (step == REAP_STEP_LEASED)
		must(write(m->to_opener[1], &m->n, sizeof(m->n)) ==
			sizeof(m->n));
}

static void reap_all(struct meeting *m, int rounds)
{
	struct reap_rules rules = {
		.rules = &m->w.policy.rules,
		.now_s = clock_real_s(NULL),
		.bytes_left = UINT64_MAX,
		.bytes_rail = REASON_LIMIT_BYTES,
		.on_step = on_step,
		.ctx = m,
	};
	struct reap_place place = {
		.root_uid = m->w.known.uid,
		.root_dev = m->w.known.id.dev,
		.type = STYPE_CACHE,
		.dir_fd = m->w.fd,
	};
	const char *why;
	sigset_t set;

	/* what comes when somebody wants a leased file; as reaper.c does */
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	must(confine_reaper(&m->w.fd, 1, &why) == 0);
	must(inuse_open_own(&place.own_fd) == 0);
	must(quarantine_open(m->w.fd, &place.quarantine) == 0);
	for (m->n = 0; m->n < rounds; m->n++) {
		struct outcome o = {0};
		int answer;

		reap_one(&rules, &place, &m->w.plan.items[m->n], &o);
		m->seen->reasons[m->n] = o.reason;
		must(read(m->to_reaper[0], &answer, sizeof(answer)) ==
			sizeof(answer));
	}
}

static void make_files(struct meeting *m, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		char rel[32];
		bool has_opened;

		snprintf(rel, sizeof(rel), "file-%d", i);
		world_write(&m->w, rel, 100);
		world_plan(&m->w, rel, PLAN_RULE_LARGEST);
		m->seen->alone_ns[i] = open_timed(m, i, &has_opened);
	}
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t percentile(int64_t *ns, int n, int percent)
{
	qsort(ns, (size_t)n, sizeof(*ns), by_size);
	return ns[(n - 1) * percent / 100];
}

/* Whoever got his file has it still: under its name, or he came before. */
static int count_wrong(struct meeting *m, int rounds, int *ret_kept)
{
	int n_wrong = 0;

	*ret_kept = 0;
	for (int i = 0; i < rounds; i++) {
		char rel[32];
		bool is_there;

		snprintf(rel, sizeof(rel), "file-%d", i);
		is_there = world_has(&m->w, rel);
		*ret_kept += is_there;
		n_wrong += is_there == (m->seen->reasons[i] == REASON_DELETED);
		n_wrong += m->seen->has_opened[i] && !is_there &&
			   m->seen->reasons[i] != REASON_DELETED;
	}
	return n_wrong;
}

static void meet(struct meeting *m, int rounds)
{
	pid_t opener, reaper;

	must(pipe2(m->to_opener, O_CLOEXEC) == 0);
	must(pipe2(m->to_reaper, O_CLOEXEC) == 0);
	fflush(NULL);
	opener = fork();
	must(opener >= 0);
	if (opener == 0) {
		be_opener(m);
		_exit(0);
	}
	reaper = fork();
	must(reaper >= 0);
	if (reaper == 0) {
		reap_all(m, rounds);
		_exit(0);
	}
	must(world_wait(reaper) == 0);
	for (int i = 0; i < 2; i++) {
		fd_close(m->to_opener[i]);
		fd_close(m->to_reaper[i]);
	}
	must(world_wait(opener) == 0);
}

enum verdict { FINE, LATE, WRONG };

static enum verdict run_once(struct meeting *m, const char *kind, int rounds)
{
	int64_t alone_ns, p50_ns, p99_ns, max_ns;
	int n_wrong, n_kept;
	enum verdict verdict;

	if (!world_init(&m->w, kind, 320))
		return FINE;
	memset(m->seen, 0, sizeof(*m->seen));
	make_files(m, rounds);
	meet(m, rounds);
	n_wrong = count_wrong(m, rounds, &n_kept);
	alone_ns = percentile(m->seen->alone_ns, rounds, 99);
	p50_ns = percentile(m->seen->wait_ns, rounds, 50);
	p99_ns = percentile(m->seen->wait_ns, rounds, 99);
	max_ns = percentile(m->seen->wait_ns, rounds, 100);
	verdict = n_wrong || !n_kept ? WRONG : p99_ns < P99_NS ? FINE : LATE;
	printf("%s - an opener on %s: %d rounds, %d files kept, %d wrong; waits "
	       "%.3f ms, 99 %% under %.3f ms, longest %.3f ms "
	       "(alone 99 %% under %.3f ms)\n",
		verdict == FINE	  ? "ok"
		: verdict == LATE ? "late"
				  : "not ok",
		kind, rounds, n_kept, n_wrong, (double)p50_ns / CLOCK_NS_PER_MS,
		(double)p99_ns / CLOCK_NS_PER_MS,
		(double)max_ns / CLOCK_NS_PER_MS,
		(double)alone_ns / CLOCK_NS_PER_MS);
	world_fini(&m->w);
	return verdict;
}

/* On a busy machine everybody waits, at times. */
static bool run_kind(struct meeting *m, const char *kind, int rounds)
{
	enum verdict verdict = LATE;

	for (int i = 0; verdict == LATE && i < TRIES; i++)
		verdict = run_once(m, kind, rounds);
	if (verdict == LATE)
		printf("not ok - an opener on %s waits too long\n", kind);
	return verdict == FINE;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = {"tmpfs", "ext4", "xfs", "btrfs"};
	struct meeting m = {0};
	int rounds = 1000;
	bool is_fine = true;

	if (argc > 2 && strcmp(argv[1], "--rounds") == 0)
		rounds = atoi(argv[2]);
	if (rounds < 1 || rounds > MAX_ROUNDS)
		return 2;
	if (geteuid() != 0) {
		printf("SKIPPED: mounting needs root\n");
		return 77;
	}
	m.seen = mmap(NULL, sizeof(*m.seen), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(m.seen != MAP_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		is_fine &= run_kind(&m, kinds[i], rounds);
	return is_fine ? 0 : 1;
}
