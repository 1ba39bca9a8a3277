// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that fail while a ballast is made, looked at or given up: what is told
 * of it is so, a failure is told, and the next time it is whole or not there.
 * Nothing else in the quarantine is touched.
 */
#include "hostile/calls.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/ballast.h"
#include "act/quarantine.h"

#define SIZE   (UINT64_C(1) << 20)
#define WHOLE  QUARANTINE_NAME "/~ballast"
#define HALF   QUARANTINE_NAME "/~ballast.new"
#define ORPHAN QUARANTINE_NAME "/0=orphan"

struct scene {
	struct world w;
	struct config config;
	struct ballast_root root;
	enum ballast_op op;
	int report_fd, status;
	struct ballast_report report;
	bool has_report;
};

static int do_op(void *ctx)
{
	const struct scene *s = ctx;

	return ballast_run(&(struct ballast_order){.roots = &s->root,
		.n_roots = 1,
		.has_home = true,
		.config = &s->config,
		.op = s->op,
		.report_fd = s->report_fd});
}

static void run(struct scene *s, struct inject *inject)
{
	s->report_fd = memfd_create("report", MFD_CLOEXEC);
	must(s->report_fd >= 0);
	s->status = inject_run(inject, do_op, s);
	s->has_report = pread(s->report_fd, &s->report, sizeof(s->report), 0) ==
			sizeof(s->report);
	close(s->report_fd);
}

static void put(struct scene *s, const char *rel)
{
	int fd = openat(s->w.fd, rel, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0 && fallocate(fd, 0, 0, (off_t)SIZE) == 0);
	close(fd);
}

/* What is to be made is not there, or only half; what is to be looked at or
 * given up is there. */
static void lay_out(struct scene *s)
{
	unlinkat(s->w.fd, WHOLE, 0);
	unlinkat(s->w.fd, HALF, 0);
	if (s->op != BALLAST_MAKE)
		put(s, WHOLE);
	if (s->op != BALLAST_RELEASE)
		put(s, HALF);
}

/* Bytes of it that are kept; 0 if it is not there. */
static uint64_t kept(const struct scene *s)
{
	struct stat st;

	return fstatat(s->w.fd, WHOLE, &st, AT_SYMLINK_NOFOLLOW) < 0
		       ? 0
		       : (uint64_t)st.st_blocks * 512;
}

static bool is_done(const struct scene *s)
{
	return !world_has(&s->w, HALF) &&
	       (s->op == BALLAST_RELEASE ? !kept(s) : kept(s) >= SIZE);
}

static void check(struct scene *s)
{
	const struct ballast_report *r = &s->report;

	if (kept(s) && kept(s) < SIZE)
		calls_wrong("half of one has the name of a whole one", NULL);
	if (!world_has(&s->w, ORPHAN))
		calls_wrong("touched:", ORPHAN);
	if (s->status == 0 && !s->has_report)
		calls_wrong("nothing is told", NULL);
	if (s->status == 0 && !is_done(s))
		calls_wrong("not done, and told as done", NULL);
	if (s->status == 0 && calls_is_syncing(calls_inject()->call))
		calls_wrong("an fsync that failed is trusted", NULL);
	if (calls_is_confining(calls_inject()->call) && s->status == 0)
		calls_wrong("went on although confinement failed", NULL);
	if (!s->has_report)
		return;
	if (!r->error && r->bytes != (kept(s) ? SIZE : 0))
		calls_wrong("there are other bytes than is told", NULL);
	if (r->released_bytes && kept(s))
		calls_wrong("told as given up, and is there", NULL);
	if (r->freed_bytes > 2 * SIZE)
		calls_wrong("more is told to be free than there was", NULL);
}

static void once(void *ctx)
{
	struct scene *s = ctx;

	lay_out(s);
	run(s, calls_inject());
	calls_check_status(s->status);
	check(s);
	run(s, &(struct inject){0});
	if (s->status != 0)
		calls_wrong("the next time fails", NULL);
	if (!is_done(s) && (s->op != BALLAST_LOOK || world_has(&s->w, HALF)))
		calls_wrong("not done the next time", NULL);
}

void calls_run_ballast(const char *kind)
{
	struct scene s = {
		.config = {.ballast = {.bytes = SIZE},
			.fs_target = {.is_share = true, .ppm = 800000}}};

	if (!world_init(&s.w, kind, 320))
		return;
	s.root = (struct ballast_root){.path = s.w.path, .known = s.w.known};
	must(quarantine_prepare(s.w.fd) == 0);
	world_write(&s.w, ORPHAN, 1);
	for (s.op = BALLAST_LOOK; s.op <= BALLAST_RELEASE; s.op++)
		calls_all(once, &s);
	world_fini(&s.w);
}
