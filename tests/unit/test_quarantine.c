// SPDX-License-Identifier: GPL-2.0-or-later
/* The private directory: moves in and out, names and paths of any length,
 * what an interrupted run left, and a rival between the steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/audit.h"
#include "act/inuse.h"
#include "act/quarantine.h"
#include "act/reap.h"
#include "base/clock.h"
#include "base/fd.h"
#include "hostile/world.h"

static int set_up(void **state)
{
	static struct world w;

	*state = &w;
	return world_init(&w, "dir", 0) ? 0 : -1;
}

static int tear_down(void **state)
{
	world_fini(*state);
	return 0;
}

static struct quarantine *open_it(struct world *w)
{
	struct quarantine *q;

	must(quarantine_open(w->fd, &q) == 0);
	return q;
}

static unsigned int count_in(struct quarantine *q)
{
	unsigned int n = 0;

	/* . and .. and what is there */
	must(lseek(quarantine_fd(q), 0, SEEK_SET) >= 0);
	for (;;) {
		char text[4096];
		ssize_t len = getdents64(quarantine_fd(q), text, sizeof(text));

		must(len >= 0);
		if (len == 0)
			return n - 2;
		for (ssize_t at = 0; at < len; n++) {
			unsigned short reclen;

			memcpy(&reclen, text + at + 16, sizeof(reclen));
			at += reclen;
		}
	}
}

/* Makes DEPTH directories of 200 bytes each below one another; their path,
 * which may be longer than any system call takes. */
static int make_deep(struct world *w, unsigned int depth, struct buf *ret)
{
	int at = dup(w->fd);
	char name[201];

	for (unsigned int i = 0; i < depth; i++) {
		int next;

		memset(name, 'd', 200);
		name[200] = '\0';
		must(mkdirat(at, name, 0755) == 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		must(next >= 0);
		close(at);
		at = next;
		must(buf_printf(ret, "%s%s", i ? "/" : "", name) == 0);
	}
	return at;
}

static void make(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	must(fd >= 0);
	close(fd);
}

static bool has(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Taken, left there by a run that ended, and recovered by the next. */
static void check_recovery(
	struct world *w, unsigned int depth, const char *name)
{
	struct quarantine_found found = {0};
	struct quarantine_slot slot;
	buf_auto struct buf rel = {0};
	struct quarantine *q = open_it(w);
	fd_auto int dir_fd = make_deep(w, depth, &rel);

	buf_puts(&rel, "");
	make(dir_fd, name);
	assert_int_equal(quarantine_take(q, dir_fd, rel.len ? rel.data : "",
				 name, &slot),
		0);
	assert_false(has(dir_fd, name));
	assert_true(has(quarantine_fd(q), slot.name));
	q = quarantine_close(q);
	q = open_it(w);
	assert_int_equal(quarantine_recover(q, &found), 0);
	assert_int_equal(found.restored, 1);
	assert_int_equal(found.orphans, 0);
	assert_true(has(dir_fd, name));
	assert_int_equal(count_in(q), 0);
	/* and deleted: no link is left over */
	assert_int_equal(quarantine_take(q, dir_fd, rel.len ? rel.data : "",
				 name, &slot),
		0);
	assert_int_equal(quarantine_unlink(q, &slot), 0);
	assert_int_equal(count_in(q), 0);
	quarantine_close(q);
	must(world_command("rm", "-rf", "--", w->path) == 0);
	must(mkdir(w->path, 0755) == 0);
	close(w->fd);
	w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(w->fd >= 0);
}

static void test_recovers(void **state)
{
	struct world *w = *state;
	char longest[256];

	memset(longest, 'n', 255);
	longest[255] = '\0';
	check_recovery(w, 0, "plain");
	check_recovery(w, 0, "100%s%%");
	check_recovery(w, 0, "\n\xff\x1b[31m=~file");
	check_recovery(w, 0, longest);
	check_recovery(w, 1, "file");
	check_recovery(w, 2, longest);
	/* the path takes one link exactly, two, and seven */
	check_recovery(w, 20, "file");
	check_recovery(w, 30, longest);
	check_recovery(w, 130, "file");
}

static void test_never_replaces(void **state)
{
	struct world *w = *state;
	struct quarantine_found found = {0};
	struct quarantine_slot slot, other;
	struct quarantine *q = open_it(w);

	world_write(w, "file", 1);
	assert_int_equal(quarantine_take(q, w->fd, "", "file", &slot), 0);
	world_write(w, "file", 2);
	assert_int_equal(quarantine_put_back(q, &slot, w->fd, "file"), -EEXIST);
	/* an orphan's name in the quarantine is taken too */
	assert_int_equal(quarantine_take(q, w->fd, "", "file", &other), 0);
	assert_string_not_equal(slot.name, other.name);
	assert_int_equal(quarantine_put_back(q, &other, w->fd, "file"), 0);
	assert_int_equal(quarantine_recover(q, &found), 0);
	assert_int_equal(found.restored, 0);
	assert_int_equal(found.orphans, 1);
	assert_true(has(quarantine_fd(q), slot.name));
	/* its name is free again */
	assert_int_equal(unlinkat(w->fd, "file", 0), 0);
	assert_int_equal(quarantine_recover(q, &found), 0);
	assert_int_equal(found.restored, 1);
	assert_true(world_has(w, "file"));
	quarantine_close(q);
}

/* Whatever lies there stays: foreign names, paths that lead out, links. */
static void test_never_deletes(void **state)
{
	static const char *const names[] = {"foreign", "0=..%sescape", "0=..",
		"0=", "0=%", "0=a%xb", "0=%sabs", "0=gone%sfile", "zz=file",
		"5~file", "11111111111111111=file"};
	struct world *w = *state;
	struct quarantine_found found = {0};
	struct quarantine *q = open_it(w);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make(quarantine_fd(q), names[i]);
	assert_int_equal(symlinkat("..%sfile", quarantine_fd(q), "a=link"), 0);
	assert_int_equal(quarantine_recover(q, &found), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(has(quarantine_fd(q), names[i]));
	assert_int_equal(found.orphans, ARRAY_SIZE(names));
	assert_false(has(AT_FDCWD, "/escape"));
	quarantine_close(q);
}

/* Links whose file never came, or went. */
static void test_stale_links(void **state)
{
	struct world *w = *state;
	struct quarantine_found found = {0};
	struct quarantine *q = open_it(w);

	assert_int_equal(symlinkat("some", quarantine_fd(q), "0~path.0"), 0);
	assert_int_equal(symlinkat("some", quarantine_fd(q), "0~path.1"), 0);
	make(quarantine_fd(q), "3~path.0"); /* not ours: no link */
	assert_int_equal(quarantine_recover(q, &found), 0);
	assert_int_equal(count_in(q), 1);
	quarantine_close(q);
}

static void test_prepares(void **state)
{
	struct world *w = *state;
	struct quarantine *q, *second;
	struct stat st;

	assert_int_equal(quarantine_prepare(w->fd), 0);
	assert_int_equal(fstatat(w->fd, QUARANTINE_NAME, &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(quarantine_prepare(w->fd), 0);
	q = open_it(w);
	assert_int_equal(quarantine_open(w->fd, &second), X_E_QUARANTINE_BUSY);
	q = quarantine_close(q);
	q = open_it(w);
	quarantine_close(q);
	assert_null(quarantine_close(NULL));
}

/* ---- a rival at a step of reap_one ---- */

struct rival {
	struct world *w;
	enum reap_step step;
	void (*act)(struct world *w);
	void (*on_step)(void *ctx, enum reap_step step); /* instead */
};

static void on_step(void *ctx, enum reap_step step)
{
	struct rival *rival = ctx;

	if (rival->on_step)
		rival->on_step(rival->w, step);
	else if (step == rival->step)
		rival->act(rival->w);
}

static enum reason reap_against(struct rival *rival, const char *name)
{
	struct world *w = rival->w;
	struct audit audit = {
		.fd = w->audit_fd, .component = "c", .root = w->path};
	struct reap_rules rules = {
		.rules = &w->policy.rules,
		.now_s = clock_real_s(NULL),
		.bytes_left = UINT64_MAX,
		.audit = &audit,
		.on_step = on_step,
		.ctx = rival,
	};
	struct reap_place place = {
		.dir_fd = w->fd,
		.root_uid = w->known.uid,
		.root_dev = w->known.id.dev,
		.quarantine = open_it(w),
	};
	struct candidate c = {
		.rule = PLAN_RULE_LARGEST, .rel_dir = "", .name = name};
	struct outcome o = {0};
	struct beneath_stat st;

	signal(SIGIO, SIG_IGN);
	must(inuse_open_own(&place.own_fd) == 0);
	must(beneath_stat(w->fd, name, &st) == 0);
	c.id = st.id;
	reap_one(&rules, &place, &c, &o);
	audit_flush(&audit);
	audit_fini(&audit);
	quarantine_close(place.quarantine);
	close(place.own_fd);
	errno = o.error;
	return o.reason;
}

static void link_it(struct world *w)
{
	must(linkat(w->fd, "file", w->fd, "other", 0) == 0);
}

static void replace(struct world *w)
{
	must(renameat(w->fd, "file", w->fd, "mine") == 0);
	world_write(w, "file", 0);
}

static void occupy(struct world *w)
{
	world_write(w, "file", 7);
}

static void open_it_without_waiting(struct world *w)
{
	must(openat(w->fd, "file", O_RDONLY | O_NONBLOCK) < 0);
	must(errno == EWOULDBLOCK);
}

static void remove_it(struct world *w)
{
	must(unlinkat(w->fd, "file", 0) == 0);
}

static void test_put_back(void **state)
{
	static const struct {
		enum reap_step step;
		void (*act)(struct world *w);
		const char *word;
	} cases[] = {
		{REAP_STEP_LEASED, link_it, "linked"},
		{REAP_STEP_LEASED, replace, "changed"},
		{REAP_STEP_LEASED, open_it_without_waiting, "busy"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rival rival = {w, cases[i].step, cases[i].act, NULL};

		world_write(w, "file", 1);
		assert_string_equal(reason_word(reap_against(&rival, "file")),
			cases[i].word);
		assert_true(world_has(w, "file"));
		unlinkat(w->fd, "file", 0);
		unlinkat(w->fd, "other", 0);
		unlinkat(w->fd, "mine", 0);
	}
	/* nothing was about to be deleted */
	assert_int_equal(world_audited(w, "intent"), 0);
}

static void test_gone_meanwhile(void **state)
{
	struct rival rival = {*state, REAP_STEP_LEASED, remove_it, NULL};

	world_write(*state, "file", 1);
	assert_string_equal(reason_word(reap_against(&rival, "file")), "gone");
}

/* Acts twice: links the file before it is moved, takes its name after. */
static void on_two_steps(void *ctx, enum reap_step step)
{
	struct world *w = ctx;

	if (step == REAP_STEP_LEASED)
		link_it(w);
	if (step == REAP_STEP_MOVED)
		occupy(w);
}

/* What was moved failed a check, and its name is taken again. */
static void test_orphaned(void **state)
{
	struct world *w = *state;
	struct quarantine_found found = {0};
	struct rival rival = {w, REAP_STEP_LEASED, NULL, on_two_steps};
	struct quarantine *q;

	world_write(w, "file", 1);
	assert_string_equal(
		reason_word(reap_against(&rival, "file")), "orphaned");
	assert_int_equal(errno, EEXIST);
	assert_int_equal(world_audited(w, "\"reason\":\"orphaned\""), 1);
	assert_int_equal(world_audited(w, "intent"), 0);
	q = open_it(w);
	assert_true(has(quarantine_fd(q), "0=file"));
	/* the rival's is untouched */
	assert_true(world_has(w, "file"));
	assert_int_equal(unlinkat(w->fd, "file", 0), 0);
	assert_int_equal(quarantine_recover(q, &found), 0);
	assert_int_equal(found.restored, 1);
	assert_true(world_has(w, "file"));
	quarantine_close(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_recovers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_never_replaces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_never_deletes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_stale_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_prepares, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_put_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_gone_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_orphaned, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
