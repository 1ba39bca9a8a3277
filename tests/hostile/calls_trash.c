// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that fail while files go to the trash, are listed there, come back or
 * go for good. Each file stays itself and is in one place: home, in the trash,
 * or in quarantine until the next reaper. It may be gone if it was to be
 * emptied and the audit knows; what was not done is told.
 */
#include "hostile/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "act/slot.h"
#include "act/trash_run.h"
#include "base/clock.h"
#include "base/fd.h"

#define PART  230 /* of a path that needs two links */
#define PARTS 5
#define PIECE 1000 /* of it that a link holds */
#define LINKS 2
#define STALE TRASH_NAME "/12345~path.0"

static char long_dir[PARTS * (PART + 1) + 1];
static char deep[sizeof(long_dir) + 16], kept[sizeof(long_dir) + 16];

/* What a policy protects, or has another name elsewhere, is not emptied. */
static const struct subject {
	const char *rel;
	bool is_long, is_to_stay;
} files[] = {
	{"one", false, false},
	{"a%b/two", false, false},
	{deep, true, false},
	{kept, true, true},
	{"a%b/Protected.K", false, true},
	{"a%b/Linked.L", false, true},
};
#define FILES ARRAY_SIZE(files)
static char *const protect[] = {(char *)"Protected.*"};

enum deed { EMPTY, RESTORE, LIST, TRASH, N_DEEDS };

struct scene {
	struct world w;
	enum deed deed;
	int status; /* of the last run, and what it told */
	int reason[FILES]; /* -1: nothing of this file */
	bool is_all_refused;
	enum reason end;
	/* How often each is in these places after it, and what else is. */
	unsigned int n_home[FILES], n_lying[FILES], n_held[FILES], n_others;
};

/* ---- where a file is ---- */

static uint64_t number_of(size_t i)
{
	return trash_number((INT64_C(1790000000) + (int64_t)i) * CLOCK_NS_PER_S,
		PLAN_RULE_LARGEST);
}

/* The scene that a walk is for. */
static struct scene *seen;

/* A file's size says which one it is; where it is counts. */
static int see(const char *path, const struct stat *st, int kind mem_unused,
	struct FTW *at mem_unused)
{
	const char *rel = path + strlen(seen->w.path) + 1;
	size_t i = (size_t)st->st_size - 1000;

	if (!S_ISREG(st->st_mode))
		return 0;
	if (st->st_size < 1000 || i >= FILES)
		seen->n_others++;
	else if (strncmp(rel, TRASH_NAME "/", sizeof(TRASH_NAME)) == 0)
		seen->n_lying[i]++;
	else if (strncmp(rel, QUARANTINE_NAME "/", sizeof(QUARANTINE_NAME)) ==
		 0)
		seen->n_held[i]++;
	else if (strcmp(rel, files[i].rel) == 0)
		seen->n_home[i]++;
	else if (strcmp(rel, "other") != 0)
		calls_wrong("is where it should not be:", rel);
	return 0;
}

static void survey(struct scene *s)
{
	memset(s->n_home, 0, sizeof(s->n_home));
	memset(s->n_lying, 0, sizeof(s->n_lying));
	memset(s->n_held, 0, sizeof(s->n_held));
	s->n_others = 0;
	seen = s;
	must(nftw(s->w.path, see, 8, FTW_PHYS) == 0);
}

/* ---- before a run ---- */

static void wipe(struct scene *s, const char *dir)
{
	struct dirent *entry;
	DIR *d;
	int fd = openat(s->w.fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	d = fdopendir(fd);
	must(d);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.' && entry->d_name[0] != '~')
			must(unlinkat(fd, entry->d_name, 0) == 0);
	closedir(d);
}

static void link_path(struct scene *s, size_t i, const char *path)
{
	char link[SLOT_SHORT], rel[SLOT_SHORT + 32], piece[PIECE + 1];

	for (uint32_t n = 0; n < LINKS; n++) {
		snprintf(piece, sizeof(piece), "%s", path + n * PIECE);
		slot_name_link(number_of(i), n, link);
		snprintf(rel, sizeof(rel), TRASH_NAME "/%s", link);
		must(symlinkat(piece, s->w.fd, rel) == 0);
	}
}

static void put_in_trash(struct scene *s, size_t i)
{
	const char *path = files[i].rel, *slash = strrchr(path, '/');
	char dir[256] = "", rel[NAME_MAX + 32];
	struct quarantine_slot slot;

	if (files[i].is_long) {
		link_path(s, i, path);
		slot_name_long(number_of(i), slot.name);
	} else {
		if (slash)
			snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path),
				path);
		must(slot_name(
			number_of(i), dir, slash ? slash + 1 : path, &slot));
	}
	snprintf(rel, sizeof(rel), TRASH_NAME "/%s", slot.name);
	must(renameat(s->w.fd, path, s->w.fd, rel) == 0);
}

/* Everything as it was, and what an interrupted reaper had left. */
static void lay_out(struct scene *s)
{
	wipe(s, TRASH_NAME);
	wipe(s, QUARANTINE_NAME);
	unlinkat(s->w.fd, TRASH_NAME, AT_REMOVEDIR);
	unlinkat(s->w.fd, "other", 0);
	unlinkat(s->w.fd, "unplanned", 0);
	for (size_t i = 0; i < FILES; i++) {
		unlinkat(s->w.fd, files[i].rel, 0);
		world_write(&s->w, files[i].rel, 1000 + i);
	}
	must(linkat(s->w.fd, "a%b/Linked.L", s->w.fd, "other", 0) == 0);
	world_write(&s->w, QUARANTINE_NAME "/0=unplanned", 1);
	if (s->deed == TRASH)
		return;
	must(mkdirat(s->w.fd, TRASH_NAME, 0700) == 0);
	for (size_t i = 0; i < FILES; i++)
		put_in_trash(s, i);
	must(symlinkat("a/b", s->w.fd, STALE) == 0);
}

/* ---- a run ---- */

static int run_empty(const struct reaper_order *order)
{
	return trash_run(order, TRASH_EMPTY);
}

static int run_restore(const struct reaper_order *order)
{
	return trash_run(order, TRASH_RESTORE);
}

static int run_list(const struct reaper_order *order)
{
	return trash_run(order, TRASH_LIST);
}

static void take_record(
	struct scene *s, const struct trash_record *r, const char *path)
{
	if (r->is_end || !r->number)
		s->is_all_refused |= r->reason != REASON_DELETED;
	if (r->is_end)
		s->end = (enum reason)r->reason;
	for (size_t i = 0; !r->is_end && i < FILES; i++) {
		if (r->number != number_of(i) && r->size_bytes != 1000 + i)
			continue;
		s->reason[i] = r->reason;
		if (r->reason != REASON_ERROR &&
			(strlen(files[i].rel) != r->path_len ||
				memcmp(path, files[i].rel, r->path_len) != 0))
			calls_wrong("told by another path:", files[i].rel);
	}
}

static void run_errand(struct scene *s, enum deed deed, struct inject *inject)
{
	static int (*const runs[])(const struct reaper_order *order) = {
		run_empty, run_restore, run_list};
	const struct trash_pick whole = {0};
	buf_auto struct buf sent = {0}, told = {0};
	struct trash_record r;

	must(buf_put(&sent, &whole, sizeof(whole)) == 0);
	s->status = calls_reap(&s->w, runs[deed], inject, &sent, &told);
	for (size_t at = 0; at + sizeof(r) <= told.len;) {
		memcpy(&r, told.data + at, sizeof(r));
		at += sizeof(r);
		if (at + r.path_len > told.len)
			break;
		take_record(s, &r, told.data + at);
		at += r.path_len;
	}
}

static void run_cleanup(struct scene *s, struct inject *inject)
{
	buf_auto struct buf sent = {0}, told = {0};
	size_t item_of[FILES], n = 0;
	struct outcome o;

	for (size_t i = 0; i < FILES; i++) {
		if (!world_has(&s->w, files[i].rel))
			continue;
		world_plan(&s->w, files[i].rel, PLAN_RULE_LARGEST);
		item_of[n++] = i;
	}
	must(plan_encode(&s->w.plan, 0, n, &sent) == 0);
	plan_fini(&s->w.plan);
	s->status = calls_reap(&s->w, reaper_run, inject, &sent, &told);
	for (size_t at = 0; at + sizeof(o) <= told.len; at += sizeof(o)) {
		memcpy(&o, told.data + at, sizeof(o));
		if (!o.is_end && o.item < n)
			s->reason[item_of[o.item]] = o.reason;
	}
}

static void run(struct scene *s, struct inject *inject)
{
	for (size_t i = 0; i < FILES; i++)
		s->reason[i] = -1;
	s->is_all_refused = false;
	s->end = REASON_DELETED;
	if (s->deed == TRASH)
		run_cleanup(s, inject);
	else
		run_errand(s, s->deed, inject);
}

/* ---- after it ---- */

static bool is_intended(struct scene *s, const char *rel)
{
	const char *slash = strrchr(rel, '/');
	char text[512];

	snprintf(text, sizeof(text), "%s\",\"dev\"", slash ? slash : rel);
	return world_audited(&s->w, text) > 0;
}

/* Where there is no room for an undo, cleaning up is needed. */
static bool may_go(const struct scene *s, size_t i)
{
	const struct inject *inject = calls_inject();

	if (files[i].is_to_stay)
		return false;
	return s->deed == EMPTY ||
	       (s->deed == TRASH &&
		       (inject->error == ENOSPC || inject->error == EDQUOT));
}

/* Was done to it what the errand was for? */
static bool is_done(const struct scene *s, size_t i)
{
	switch (s->deed) {
	case EMPTY:
		return files[i].is_to_stay || !s->n_lying[i];
	case RESTORE:
		return s->n_home[i];
	case LIST:
		return s->reason[i] == REASON_TRASHED;
	default:
		return files[i].is_to_stay || !s->n_home[i];
	}
}

/* The word for that. */
static const enum reason words[] = {
	REASON_DELETED, REASON_RESTORED, REASON_TRASHED, REASON_TRASHED};

static void check_file(struct scene *s, size_t i)
{
	const char *rel = files[i].rel;
	unsigned int n = s->n_home[i] + s->n_lying[i] + s->n_held[i];
	bool is_told = s->reason[i] == (int)words[s->deed];
	bool is_emptied = s->deed == EMPTY || s->deed == TRASH;

	if (n > 1)
		calls_wrong("in two places:", rel);
	if (!n && !may_go(s, i))
		calls_wrong("lost:", rel);
	if (!n && s->reason[i] != REASON_DELETED && !is_intended(s, rel))
		calls_wrong("gone without a word:", rel);
	if (is_told && (!is_done(s, i) || (is_emptied && files[i].is_to_stay)))
		calls_wrong("told as done, and is not:", rel);
	if (!is_done(s, i) && s->status == 0 && !s->is_all_refused &&
		s->reason[i] < 0)
		calls_wrong("not done, and not a word:", rel);
	if (s->deed == LIST && s->n_lying[i] != 1)
		calls_wrong("moved by a list:", rel);
	if (calls_is_confining(calls_inject()->call) &&
		(s->deed == TRASH ? !s->n_home[i] : !s->n_lying[i]))
		calls_wrong("touched although confinement failed:", rel);
}

static void check(struct scene *s)
{
	survey(s);
	if (s->status == 0 &&
		(s->end == REASON_ERROR || s->end == REASON_UNSUPPORTED))
		calls_wrong("could not, and tells of success", NULL);
	if (s->n_others != 1)
		calls_wrong("lost, or there twice:", "unplanned");
	for (size_t i = 0; i < FILES; i++)
		check_file(s, i);
}

/* The path is known of each that lies there. */
static void check_list(struct scene *s)
{
	run_errand(s, LIST, &(struct inject){0});
	for (size_t i = 0; i < FILES; i++)
		if (s->n_lying[i] && s->reason[i] != REASON_TRASHED)
			calls_wrong("cannot be listed:", files[i].rel);
}

/* The run after it, with nothing failing, does what is left to do. */
static void check_next(struct scene *s)
{
	run(s, &(struct inject){0});
	survey(s);
	if (s->status != 0 || s->is_all_refused)
		calls_wrong("the next run fails", NULL);
	for (size_t i = 0; i < FILES; i++) {
		if (s->n_held[i])
			calls_wrong("left in quarantine:", files[i].rel);
		/* What this run put back was not in its plan. */
		if (!is_done(s, i) && (s->deed != TRASH || s->reason[i] >= 0))
			calls_wrong("not done by the next run:", files[i].rel);
	}
	if (s->deed != LIST && !world_has(&s->w, "unplanned"))
		calls_wrong("not put back:", "unplanned");
	if (s->deed != LIST && world_has(&s->w, STALE))
		calls_wrong("left behind:", STALE);
	if (s->deed == TRASH)
		check_list(s);
}

static void once(void *ctx)
{
	struct scene *s = ctx;

	lay_out(s);
	run(s, calls_inject());
	calls_check_status(s->status);
	check(s);
	check_next(s);
}

static void make_dirs(struct scene *s)
{
	char *at = long_dir;

	must(mkdirat(s->w.fd, "a%b", 0755) == 0);
	for (int i = 0; i < PARTS; i++) {
		memset(at, 'd', PART);
		at += PART;
		must(mkdirat(s->w.fd, long_dir, 0755) == 0);
		*at++ = '/';
	}
	snprintf(deep, sizeof(deep), "%sdeep", long_dir);
	snprintf(kept, sizeof(kept), "%sProtected.K", long_dir);
}

void calls_run_trash(const char *kind)
{
	struct scene s = {0};

	if (!world_init(&s.w, kind, 320))
		return;
	s.w.policy.trash_s = 3600;
	s.w.policy.rules.protect = (char **)protect;
	s.w.policy.rules.n_protect = 1;
	s.w.order.reason = GOAL_MANUAL;
	must(quarantine_prepare(s.w.fd) == 0);
	make_dirs(&s);
	for (s.deed = EMPTY; s.deed < N_DEEDS; s.deed++)
		calls_all(once, &s);
	world_fini(&s.w);
}
