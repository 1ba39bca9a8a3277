// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a first scan takes: scan [-t THREADS] [-n] DIRECTORY. Lists the
 * tree as the agent does, each directory watched before it is listed (-n:
 * not watched), but keeps no index: what the pool alone can do. Prints
 * names, bytes as du(1) counts them (but for hard links), wall and CPU time.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "watch/measure.h"
#include "watch/watch.h"

struct scan {
	const char *root;
	struct measure *m;
	struct watch *w; /* NULL: not watched */
	char **rels; /* by directory */
	size_t n_dirs, cap;
	uint64_t n_files, used_bytes, n_errors, n_events;
};

static _Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "scan: %s: %s\n", what, strerror(-error));
	exit(1);
}

static void submit_dir(struct scan *s, char *rel)
{
	struct job *job = job_new(JOB_LIST);

	if (!rel || !job ||
		mem_grow((void **)&s->rels, &s->cap, s->n_dirs + 1,
			sizeof(*s->rels)) < 0)
		fail("memory", -ENOMEM);
	s->rels[s->n_dirs] = rel;
	job->dir = (uint32_t)s->n_dirs++;
	job->root_path = strdup(s->root);
	job->rel = strdup(rel);
	job->ops = s->w ? &watch_inotify : NULL;
	job->watch = s->w;
	if (measure_submit(s->m, job) < 0)
		fail("measure_submit", -ENOMEM);
}

static void submit_below(struct scan *s, const struct observation *o)
{
	const char *rel = s->rels[o->dir];
	char *below = NULL;

	if (asprintf(&below, "%s%s%s", rel, *rel ? "/" : "", o->name) < 0)
		below = NULL;
	submit_dir(s, below);
}

static void apply(struct scan *s, const struct result *r)
{
	bool is_root = r->job->dir == 0;

	if (r->is_last && r->error)
		s->n_errors++;
	if (s->w && r->watch_key != WATCH_NO_KEY)
		watch_inotify.bind(s->w, r->watch_key, r->job->dir);
	for (size_t i = 0; i < r->n_obs; i++) {
		const struct observation *o = &r->obs[i];

		/* A directory counts where its parent names it. */
		if (o->kind != OBS_SELF || is_root)
			s->used_bytes += o->st.used_bytes;
		s->n_files += o->kind == OBS_FILE;
		if (o->kind == OBS_DIR)
			submit_below(s, o);
	}
}

static void ignore(void *ctx, const struct watch_event *e)
{
	(void)e;
	++*(uint64_t *)ctx;
}

static void run(struct scan *s)
{
	submit_dir(s, strdup(""));
	while (measure_pending(s->m)) {
		struct pollfd fd = {measure_fd(s->m), POLLIN, 0};
		struct result *r, *next;

		poll(&fd, 1, -1);
		for (r = measure_take(s->m); r; r = next) {
			next = r->next;
			apply(s, r);
			result_free(r);
		}
		if (s->w)
			watch_inotify.read(s->w, 4);
	}
}

static double cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	bool is_watched = true;
	long n_threads = 2;
	struct scan s = {0};
	struct rusage u;
	int64_t start;
	double wall;
	int r, c;

	while ((c = getopt(argc, argv, "t:n")) != -1) {
		if (c == 't')
			n_threads = strtol(optarg, NULL, 10);
		else if (c == 'n')
			is_watched = false;
		else
			return 2;
	}
	if (optind + 1 != argc || n_threads < 1) {
		fprintf(stderr, "usage: scan [-t THREADS] [-n] DIRECTORY\n");
		return 2;
	}
	s.root = realpath(argv[optind], NULL);
	if (!s.root)
		fail(argv[optind], -errno);
	r = measure_new((size_t)n_threads, &s.m);
	if (r < 0)
		fail("measure_new", r);
	if (is_watched &&
		(r = watch_inotify_open(
			 &(struct watch_sink){ignore, &s.n_events}, &s.w)) < 0)
		fail("inotify", r);
	start = clock_boot_ns(NULL);
	run(&s);
	wall = (double)(clock_boot_ns(NULL) - start) / 1e9;
	getrusage(RUSAGE_SELF, &u);
	printf("files %" PRIu64 " directories %zu watched %zu used %" PRIu64
	       " errors %" PRIu64 " events %" PRIu64 "\n",
		s.n_files, s.n_dirs, s.w ? watch_inotify.count(s.w) : 0,
		s.used_bytes, s.n_errors, s.n_events);
	printf("wall %.3f s cpu %.3f s files/s %.0f rss %ld KiB\n", wall,
		cpu_s(), (double)s.n_files / wall, u.ru_maxrss);
	measure_free(s.m);
	watch_inotify.close(s.w);
	for (size_t i = 0; i < s.n_dirs; i++)
		free(s.rels[i]);
	free(s.rels);
	free((char *)s.root);
	return s.n_errors ? 1 : 0;
}
