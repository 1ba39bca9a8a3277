// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every system call of the reaper, of its errands to the trash, of what looks
 * after the ballast, of the state writer, of the audit's rotation and of the
 * panic latch fails once, one by one:
 *	calls [--subject NAME] [--kind KIND] [--all]
 * Whatever failed, nothing is lost, nothing goes that was to stay, nothing is
 * told that is not so, and the next run finds everything in order.
 */
#include "hostile/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "act/slot.h"
#include "base/beneath.h"
#include "base/fd.h"
#include "hostile/desk.h"
#include "latch.h"
#include "state.h"
#include "warden_files.h"

#define LONG 240 /* a name that only links can hold */

struct tally {
	unsigned long n_runs, n_calls, n_wrong;
};

static struct {
	const char *what; /* subject and kind */
	size_t n_ways;
	struct inject inject; /* of the run at hand */
	struct tally *tally;
} now;

static const char *how_word(enum inject_how how)
{
	static const char *const words[] = {
		"instead", "after", "short", "kill"};

	return words[how];
}

void calls_wrong(const char *what, const char *which)
{
	const char *slash = which ? strrchr(which, '/') : NULL;

	if (slash) /* the rest of some paths is long */
		which = slash + 1;
	if (now.tally->n_wrong++ < 20)
		printf("%s: call %lu (%s) failing %s with %s: %s%s%s\n",
			now.what, now.inject.at,
			inject_call_name(now.inject.call),
			how_word(now.inject.how),
			strerrorname_np(now.inject.error), what,
			which ? " " : "", which ? which : "");
}

struct inject *calls_inject(void)
{
	return &now.inject;
}

void calls_check_status(int status)
{
	if (status >= 128 && now.inject.how != INJECT_KILL)
		calls_wrong("killed by a signal", NULL);
}

bool calls_is_confining(long call)
{
	return call == SYS_landlock_create_ruleset ||
	       call == SYS_landlock_add_rule ||
	       call == SYS_landlock_restrict_self;
}

bool calls_is_syncing(long call)
{
	return call == SYS_fsync || call == SYS_fdatasync;
}

/* ---- one reaper ---- */

struct errand {
	struct reaper_order order;
	int (*run)(const struct reaper_order *order);
};

static int do_errand(void *ctx)
{
	const struct errand *e = ctx;

	return e->run(&e->order);
}

int calls_reap(struct world *w, int (*run)(const struct reaper_order *order),
	struct inject *i, const struct buf *sent, struct buf *ret)
{
	struct errand e = {.order = w->order, .run = run};
	int pair[2], status;

	must(ftruncate(w->audit_fd, 0) == 0);
	must(lseek(w->audit_fd, 0, SEEK_SET) == 0);
	must(fd_memfile("sent", sent->data, sent->len, &e.order.plan_fd) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	e.order.outcome_fd = pair[1];
	e.order.audit_fd = w->audit_fd;
	status = inject_run(i, do_errand, &e);
	close(pair[1]);
	close(e.order.plan_fd);
	must(buf_read_fd(ret, pair[0], (size_t)1 << 24) == 0);
	close(pair[0]);
	return status;
}

/* ---- the reaper ---- */

/* Files of the plan; those that end in a capital are to stay. */
static const char *rels[] = {
	"one",
	"a%b/two",
	"a%b/c/three",
	NULL, /* a long one */
	"a%b/c/four",
	"a%b/Protected.K",
	"a%b/c/Linked.L",
	"five",
};
#define FILES ARRAY_SIZE(rels)
static char long_rel[LONG + 8];

static bool is_to_stay(const char *rel)
{
	char last = rel[strlen(rel) - 1];

	return last >= 'A' && last <= 'Z';
}

static void make_one(struct world *w, const char *rel)
{
	if (!world_has(w, rel))
		world_write(w, rel, 4096);
}

static void make_files(struct world *w)
{
	mkdirat(w->fd, "a%b", 0755);
	mkdirat(w->fd, "a%b/c", 0755);
	for (size_t i = 0; i < FILES; i++)
		make_one(w, rels[i]);
	make_one(w, "unplanned");
	if (linkat(w->fd, "a%b/c/Linked.L", w->fd, "other", 0) < 0)
		must(errno == EEXIST);
}

static char *const protect[] = {(char *)"Protected.*"};

static void set_rules(struct world *w)
{
	w->policy.rules.protect = (char **)protect;
	w->policy.rules.n_protect = 1;
	w->policy.rules.keep_newest[STYPE_CACHE] = 0;
}

/* What an interrupted run left: the next puts it back first. */
static void leave_in_quarantine(struct world *w)
{
	int fd;

	must(beneath_open_dir(w->fd, QUARANTINE_NAME, &fd) == 0);
	must(renameat(w->fd, "unplanned", fd, "0=unplanned") == 0);
	close(fd);
}

static bool is_in_quarantine(struct world *w, const char *rel)
{
	char path[512], name[NAME_MAX + 1];
	const char *slash = strrchr(rel, '/');
	struct quarantine_slot slot;
	bool is_there = false;

	snprintf(path, sizeof(path), "%.*s", (int)(slash ? slash - rel : 0),
		rel);
	for (unsigned int n = 0; n < 12 && !is_there; n++) {
		if (slot_name(n, path, slash ? slash + 1 : rel, &slot))
			snprintf(name, sizeof(name), "%s", slot.name);
		else
			slot_name_long(n, name);
		{
			char at[600];

			snprintf(at, sizeof(at), QUARANTINE_NAME "/%s", name);
			is_there = world_has(w, at);
		}
	}
	return is_there;
}

/* A word that the audit has, with this path, in one of its lines. */
static bool is_intended(struct world *w, const char *rel)
{
	const char *slash = strrchr(rel, '/');
	char text[512];

	snprintf(text, sizeof(text), "%s\",\"dev\"", slash ? slash : rel);
	return world_audited(w, text) > 0;
}

/* Runs a plan of all files with the injection at hand; ret: the last word of
 * each file, or -1. */
static int run_injected(struct world *w, int ret[FILES])
{
	buf_auto struct buf plan = {0}, told = {0};
	struct outcome got;
	int status;

	for (size_t i = 0; i < FILES; i++) {
		world_plan(w, rels[i], PLAN_RULE_LARGEST);
		ret[i] = -1;
	}
	must(plan_encode(&w->plan, 0, w->plan.n_items, &plan) == 0);
	plan_fini(&w->plan);
	status = calls_reap(w, reaper_run, &now.inject, &plan, &told);
	for (size_t at = 0; at + sizeof(got) <= told.len; at += sizeof(got)) {
		memcpy(&got, told.data + at, sizeof(got));
		if (!got.is_end && got.item < FILES)
			ret[got.item] = got.reason;
	}
	return status;
}

static void check_file(struct world *w, size_t i, int reason)
{
	bool is_here = world_has(w, rels[i]);
	bool is_held = !is_here && is_in_quarantine(w, rels[i]);

	if (is_to_stay(rels[i]) && !is_here)
		calls_wrong("gone or moved, and was to stay:", rels[i]);
	if (!is_here && !is_held && reason != REASON_DELETED &&
		!is_intended(w, rels[i]))
		calls_wrong("gone without a word:", rels[i]);
	if (reason == REASON_DELETED && (is_here || is_held))
		calls_wrong("told as deleted, and there:", rels[i]);
	if (!is_here && calls_is_confining(now.inject.call))
		calls_wrong("touched although confinement failed:", rels[i]);
}

/* The run after it, with nothing failing, puts back what is left. */
static void check_next(struct world *w)
{
	struct inject saved = now.inject;
	int reason[FILES];

	for (size_t i = 0; i < FILES; i++)
		make_one(w, rels[i]);
	now.inject = (struct inject){0};
	if (run_injected(w, reason) != 0)
		calls_wrong("the next run fails", NULL);
	now.inject = saved;
	for (size_t i = 0; i < FILES; i++)
		if (world_has(w, rels[i]) != is_to_stay(rels[i]))
			calls_wrong("not as it should be after the next run:",
				rels[i]);
	if (!world_has(w, "unplanned"))
		calls_wrong("lost:", "unplanned");
}

/* Of what was orphaned: its name was made anew. */
static void empty_quarantine(struct world *w)
{
	struct dirent *entry;
	DIR *dir;
	int fd;

	must(beneath_open_dir(w->fd, QUARANTINE_NAME, &fd) == 0);
	dir = fdopendir(fd);
	must(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && entry->d_name[0] != '~')
			must(unlinkat(fd, entry->d_name, 0) == 0);
	closedir(dir);
}

static void reap_once(void *ctx)
{
	struct world *w = ctx;
	int reason[FILES], status;

	make_files(w);
	leave_in_quarantine(w);
	status = run_injected(w, reason);
	calls_check_status(status);
	for (size_t i = 0; i < FILES; i++)
		check_file(w, i, reason[i]);
	if (!world_has(w, "unplanned") && !is_in_quarantine(w, "unplanned"))
		calls_wrong("lost:", "unplanned");
	check_next(w);
	empty_quarantine(w);
}

/* ---- all calls, all errors ---- */

struct way {
	enum inject_how how;
	int error;
};
static const struct way ways[] = {
	{INJECT_INSTEAD, EIO},
	{INJECT_INSTEAD, ENOMEM},
	{INJECT_AFTER, EIO},
	{INJECT_SHORT, 0},
	{INJECT_KILL, 0},
	/* By name. */
	{INJECT_INSTEAD, ENOSPC},
	{INJECT_INSTEAD, EINTR},
	{INJECT_INSTEAD, EROFS},
	{INJECT_INSTEAD, EACCES},
	{INJECT_INSTEAD, EDQUOT},
	{INJECT_AFTER, EINTR},
};
#define USUAL_WAYS 5

void calls_all(void (*once)(void *ctx), void *ctx)
{
	for (size_t i = 0; i < now.n_ways; i++) {
		unsigned long at = 0;

		do {
			now.inject = (struct inject){.at = ++at,
				.how = ways[i].how,
				.error = ways[i].error};
			once(ctx);
			now.tally->n_runs++;
		} while (now.inject.n_calls >= at && at < 100000);
		now.tally->n_calls = MAX_OF(now.tally->n_calls, at - 1);
	}
}

static void run_reaper(const char *kind)
{
	struct world w;
	int reason[FILES];

	if (!world_init(&w, kind, 320))
		return;
	snprintf(long_rel, sizeof(long_rel), "a%%b/%0*d", LONG, 7);
	rels[3] = long_rel;
	set_rules(&w);
	make_files(&w);
	/* Makes the quarantine. */
	now.inject = (struct inject){0};
	must(run_injected(&w, reason) == 0);
	calls_all(reap_once, &w);
	world_fini(&w);
}

/* ---- the state writer ---- */

static int save(void *ctx)
{
	struct desk *d = ctx;

	return state_save(&d->agent) < 0 ? 1 : 0;
}

static void save_once(void *ctx)
{
	struct desk *d = ctx;
	uint64_t before = desk_find(d), after;
	int status;

	desk_note(d);
	status = inject_run(&now.inject, save, d);
	after = desk_find(d);
	if (after != before && after != d->generation)
		calls_wrong("neither the old state nor the new one", NULL);
	if (status == 0 && after != d->generation)
		calls_wrong("told as saved, and is not", NULL);
	if (status == 0 && calls_is_syncing(now.inject.call))
		calls_wrong("an fsync that failed is trusted", NULL);
	calls_check_status(status);
	if (save(d) != 0 || desk_find(d) != d->generation)
		calls_wrong("the next save fails", NULL);
	if (world_has(d->w, "state.new"))
		calls_wrong("left behind:", "state.new");
}

static void run_state(const char *kind)
{
	struct world w;
	struct desk d;

	if (!world_init(&w, kind, 320))
		return;
	desk_init(&d, &w);
	desk_note(&d);
	must(save(&d) == 0);
	calls_all(save_once, &d);
	desk_fini(&d);
	world_fini(&w);
}

/* ---- the audit's rotation ---- */

struct shelf {
	struct world w;
	struct account user;
	char path[512];
};

static int rotate(void *ctx)
{
	struct shelf *s = ctx;
	struct warden_files f;
	buf_auto struct buf why = {0};
	buf_auto struct buf notes = {0};
	int fd = -1, r;

	r = warden_files_open(s->path, &s->user, &f, &why, &notes);
	if (r == 0) {
		r = warden_files_audit(&f, &fd);
		/* Whatever was told, what it gave is to be written to. */
		if (r == 0 && fd >= 0 && fd_write_full(fd, "line\n", 5) < 0)
			r = -EIO;
		warden_files_close(&f);
	}
	return r < 0 ? 1 : 0;
}

/* The record at the head of the long one, and those after its end, in all the
 * audit's files together. */
static unsigned int count_records(struct shelf *s)
{
	static const char *const names[] = {
		"audit.log", "audit.log.1", "audit.log.2", "audit.log.new"};
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = openat(s->w.fd, names[i], O_RDONLY | O_CLOEXEC);
		char text[256] = "";
		ssize_t len = 0;

		if (fd < 0)
			continue;
		n += pread(fd, text, 6, 0) == 6 && !memcmp(text, "first\n", 6);
		if (lseek(fd, 0, SEEK_END) >= WARDEN_AUDIT_MAX)
			len = pread(fd, text, sizeof(text), WARDEN_AUDIT_MAX);
		else
			len = pread(fd, text, sizeof(text), 0);
		for (ssize_t at = 0; at + 5 <= len; at++)
			n += !memcmp(text + at, "line\n", 5);
		close(fd);
	}
	return n;
}

static void remove_audits(struct shelf *s)
{
	char name[32] = "audit.log.new";

	unlinkat(s->w.fd, name, 0);
	unlinkat(s->w.fd, "audit.log", 0);
	for (int i = 1; i <= WARDEN_AUDIT_KEEP; i++) {
		snprintf(name, sizeof(name), "audit.log.%d", i);
		unlinkat(s->w.fd, name, 0);
	}
}

/* One that is to be rotated, with a line that is not to be lost. */
static void make_long_audit(struct shelf *s)
{
	int fd;

	remove_audits(s);
	fd = openat(s->w.fd, "audit.log",
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	must(fd >= 0 && write(fd, "first\n", 6) == 6);
	must(ftruncate(fd, WARDEN_AUDIT_MAX) == 0);
	close(fd);
}

static void rotate_once(void *ctx)
{
	struct shelf *s = ctx;
	int status;

	make_long_audit(s);
	status = inject_run(&now.inject, rotate, s);
	if (count_records(s) < 1)
		calls_wrong("a record is lost", NULL);
	calls_check_status(status);
	if (rotate(s) != 0)
		calls_wrong("the next one fails", NULL);
	if (count_records(s) < 2)
		calls_wrong("records are lost", NULL);
}

static void run_audit(const char *kind)
{
	struct shelf s = {.user = {.uid = 0}};

	if (!world_init(&s.w, kind, 320))
		return;
	snprintf(s.path, sizeof(s.path), "%s/state", s.w.path);
	calls_all(rotate_once, &s);
	world_fini(&s.w);
}

/* ---- the panic latch ---- */

struct lever {
	struct world w;
	char path[512];
	bool is_on;
};

static int pull(void *ctx)
{
	struct lever *l = ctx;

	return latch_set(l->path, l->is_on) < 0 ? 1 : 0;
}

static void pull_once(void *ctx)
{
	struct lever *l = ctx;
	int status = inject_run(&now.inject, pull, l);

	if (status == 0 && latch_is_set(l->path) != l->is_on)
		calls_wrong("told as done, and is not", NULL);
	if (status == 0 && calls_is_syncing(now.inject.call))
		calls_wrong("an fsync that failed is trusted", NULL);
	if (pull(l) != 0 || latch_is_set(l->path) != l->is_on)
		calls_wrong("the next time fails", NULL);
	must(latch_set(l->path, !l->is_on) == 0);
}

static void run_latch(const char *kind)
{
	struct lever l = {.is_on = true};

	if (!world_init(&l.w, kind, 320))
		return;
	snprintf(l.path, sizeof(l.path), "%s/panic", l.w.path);
	calls_all(pull_once, &l);
	must(latch_set(l.path, true) == 0);
	l.is_on = false;
	calls_all(pull_once, &l);
	world_fini(&l.w);
}

/* ---- */

static const struct subject {
	const char *name;
	void (*run)(const char *kind);
} subjects[] = {
	{"reaper", run_reaper},
	{"trash", calls_run_trash},
	{"ballast", calls_run_ballast},
	{"state", run_state},
	{"audit", run_audit},
	{"latch", run_latch},
};

static bool run_subject(const struct subject *s, const char *kind)
{
	struct tally t = {0};
	char what[64];

	snprintf(what, sizeof(what), "%s on %s", s->name, kind);
	now.what = what;
	now.tally = &t;
	s->run(kind);
	printf("%s calls of the %s: %lu calls, %lu runs, %lu wrong\n",
		t.n_wrong ? "not ok" : "ok", what, t.n_calls, t.n_runs,
		t.n_wrong);
	return !t.n_wrong;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"subject", required_argument, NULL, 's'},
		{"kind", required_argument, NULL, 'k'},
		{"all", no_argument, NULL, 'a'},
		{0},
	};
	const char *subject = NULL, *kind = "tmpfs";
	bool is_fine = true;
	int c;

	now.n_ways = USUAL_WAYS;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			subject = optarg;
		else if (c == 'k')
			kind = optarg;
		else if (c == 'a')
			now.n_ways = ARRAY_SIZE(ways);
		else
			return 2;
	}
	if (geteuid() != 0 || !inject_is_possible()) {
		printf("SKIPPED: needs root, and x86-64\n");
		return 77;
	}
#ifdef ULLAGE_SANITIZED
	printf("SKIPPED: the sanitizers' own calls must not fail\n");
	return 77;
#endif
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		if (!subject || strcmp(subject, subjects[i].name) == 0)
			is_fine &= run_subject(&subjects[i], kind);
	return is_fine ? 0 : 1;
}
