// SPDX-License-Identifier: GPL-2.0-or-later
/* The trash: more files than one reaper empties, two roots, what is judged
 * anew, a clock that stands still. */
#include "unit/reaping.h"

#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "act/quarantine.h"
#include "act/trash.h"
#include "base/clock.h"
#include "hostile/lying.h"

#define START_NS (INT64_C(1790000000) * CLOCK_NS_PER_S)

/* The kernel's clock, or where it stands. */
static int64_t stands_ns;

int64_t __real_clock_real_ns(const struct clock *clock);
int64_t __wrap_clock_real_ns(const struct clock *clock);

int64_t __wrap_clock_real_ns(const struct clock *clock)
{
	return stands_ns ? stands_ns : __real_clock_real_ns(clock);
}

static void use_trash(void)
{
	w.policy.trash_s = 3600;
	w.order.reason = GOAL_MANUAL;
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
}

/* File i of the trash, so many seconds younger than the first. */
static uint64_t lay(unsigned int i, const char *path, size_t size)
{
	uint64_t n = trash_number(
		START_NS + i * CLOCK_NS_PER_S, PLAN_RULE_RETENTION);
	char name[256];

	snprintf(name, sizeof(name), TRASH_NAME "/%llx=%s",
		(unsigned long long)n, path);
	world_write(&w, name, size);
	return n;
}

static void name_of(uint64_t n, const char *path, char ret[512])
{
	snprintf(ret, 512, "%s/" TRASH_NAME "/%llx=%s", w.path,
		(unsigned long long)n, path);
}

static size_t count(const struct told *t, enum reason reason)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->files[i].r.reason == reason;
	return n;
}

/* ---- many ---- */

static void lay_many(unsigned int n)
{
	char path[64];

	/* The names are in no order, and neither is the directory. */
	for (unsigned int i = 0; i < n; i++) {
		unsigned int k = i * 7919u % n;

		snprintf(path, sizeof(path), "%u", k);
		lay(k, path, 0);
	}
}

static void test_many(void **state)
{
	const unsigned int n = 2 * TRASH_SLICE + 100;
	struct told t;

	(void)state;
	if (!world_init(&w, "tmpfs", 64)) {
		skip();
		return;
	}
	use_trash();
	lay_many(n);
	assert_int_equal(world_errand(&w, TRASH_LIST, NULL, 0, &t), 0);
	assert_int_equal(t.n, n);
	told_fini(&t);
	/* The oldest first, as many as one reaper empties. */
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_int_equal(count(&t, REASON_DELETED), TRASH_SLICE);
	assert_string_equal(t.files[0].path, "0");
	assert_string_equal(t.files[TRASH_SLICE - 1].path, "4095");
	assert_true(t.end.is_more);
	told_fini(&t);
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_string_equal(t.files[0].path, "4096");
	assert_true(t.end.is_more);
	told_fini(&t);
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_int_equal(t.n, 100);
	assert_false(t.end.is_more);
	told_fini(&t);
	/* What is younger is left, and its date is told. */
	lay_many(n);
	w.order.reason = GOAL_SCHEDULED;
	stands_ns = START_NS + (3600 + 10) * CLOCK_NS_PER_S;
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	stands_ns = 0;
	assert_int_equal(t.n, 11);
	assert_false(t.end.is_more);
	assert_int_equal(
		trash_number_at(t.end.number), START_NS / CLOCK_NS_PER_S + 11);
	told_fini(&t);
	world_fini(&w);
}

/* An agent that goes ends the errand. */
static void test_nobody_listens(void **state)
{
	struct told t;
	int pair[2];

	(void)state;
	if (!world_init(&w, "tmpfs", 64)) {
		skip();
		return;
	}
	use_trash();
	lay_many(TRASH_SLICE);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	close(pair[0]);
	assert_int_equal(world_wait(world_errand_start(
				 &w, TRASH_EMPTY, NULL, 0, pair[1])),
		1);
	close(pair[1]);
	assert_int_equal(world_errand(&w, TRASH_LIST, NULL, 0, &t), 0);
	assert_true(t.n > TRASH_SLICE / 2);
	told_fini(&t);
	world_fini(&w);
}

/* ---- which ---- */

static void none(void)
{
	struct told t;

	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(t.end.reason, REASON_DELETED);
	assert_false(world_has(&w, TRASH_NAME));
	told_fini(&t);
}
CASE(none)

/* A number means a file in one root, and no other. */
static void two_roots(void)
{
	struct root roots[2] = {w.root, w.root};
	struct admitted known[2] = {w.known};
	struct trash_pick picks[3] = {{0}};
	char path[256], other[300];
	struct told t;

	use_trash();
	snprintf(path, sizeof(path), "%.200s/other", w.top);
	must(mkdir(path, 0755) == 0);
	roots[1].path = path;
	must(admit_root(path, NULL, &known[1], NULL) == 0);
	w.policy.roots = roots;
	w.policy.n_roots = 2;
	w.order.known = known;
	snprintf(other, sizeof(other), "%s/" TRASH_NAME, path);
	must(mkdir(other, 0700) == 0);
	picks[0].number = picks[2].number = lay(0, "one", 1);
	lay(1, "two", 1);
	snprintf(other, sizeof(other), "%s/" TRASH_NAME "/%llx=one", path,
		(unsigned long long)picks[0].number);
	close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	/* Twice, in no order, and one that is not there. */
	picks[0].root = picks[2].root = 1;
	picks[1].number = 77;
	assert_int_equal(world_errand(&w, TRASH_LIST, picks, 3, &t), 0);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.files[0].r.root, 1);
	told_fini(&t);
	assert_int_equal(world_errand(&w, TRASH_EMPTY, picks, 3, &t), 0);
	assert_int_equal(count(&t, REASON_DELETED), 1);
	told_fini(&t);
	assert_int_equal(access(other, F_OK), -1);
	picks[0].number = picks[0].root = 0;
	picks[1] = (struct trash_pick){.root = 1};
	assert_int_equal(world_errand(&w, TRASH_LIST, picks, 2, &t), 0);
	assert_int_equal(t.n, 2);
	told_fini(&t);
	w.policy.roots = &w.root;
	w.policy.n_roots = 1;
	w.order.known = &w.known;
}
CASE(two_roots)

/* Who names a file does not wait for its day. */
static void named(void)
{
	struct trash_pick pick = {0};
	struct told t;

	use_trash();
	w.order.reason = GOAL_SCHEDULED;
	stands_ns = START_NS;
	pick.number = lay(2, "young", 1);
	lay(1, "young too", 1);
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_int_equal(t.n, 0);
	told_fini(&t);
	assert_int_equal(world_errand(&w, TRASH_EMPTY, &pick, 1, &t), 0);
	assert_int_equal(count(&t, REASON_DELETED), 1);
	told_fini(&t);
	stands_ns = 0;
}
CASE(named)

/* ---- what a reaper left in quarantine ---- */

static void recovered(void)
{
	struct quarantine_slot slot;
	struct quarantine *q;
	struct told t;

	world_write(&w, "back", 1);
	world_write(&w, "taken", 1);
	assert_int_equal(quarantine_open(w.fd, &q), 0);
	assert_int_equal(quarantine_take(q, w.fd, "", "back", &slot), 0);
	assert_int_equal(quarantine_take(q, w.fd, "", "taken", &slot), 0);
	quarantine_close(q);
	world_write(&w, "taken", 1);
	assert_int_equal(world_errand(&w, TRASH_RECOVER, NULL, 0, &t), 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(t.end.reason, REASON_DELETED);
	told_fini(&t);
	assert_true(world_has(&w, "back"));
	assert_int_equal(world_audited(&w, "\"restored\""), 1);
	assert_int_equal(world_audited(&w, "\"orphan\""), 1);
	assert_false(world_has(&w, TRASH_NAME));
}
CASE(recovered)

/* ---- judged anew ---- */

static void judged(void)
{
	char from[512], to[512];
	struct told t;
	uint64_t n;

	use_trash();
	give(".", SOMEBODY);
	n = lay(1, "mount", 1);
	name_of(n, "mount", to);
	name_of(lay(2, "foreign", 1), "foreign", from);
	must(chown(from, ANOTHER, 0) == 0);
	must(chown(to, SOMEBODY, 0) == 0);
	must(mount(from, to, NULL, MS_BIND, NULL) == 0);
	must(mkfifoat(w.fd, TRASH_NAME "/1=fifo", 0644) == 0);
	lay(3, "large", 65536);
	w.order.max_bytes = 4096;
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_string_equal(word(told_find(&t, "mount")->r.reason), "mount");
	assert_string_equal(word(told_find(&t, "foreign")->r.reason), "owner");
	assert_string_equal(word(told_find(&t, "fifo")->r.reason), "special");
	assert_int_equal(count(&t, REASON_DELETED), 0);
	told_fini(&t);
	umount(to);
	give(".", 0);
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_string_equal(
		word(told_find(&t, "large")->r.reason), "limit-bytes");
	told_fini(&t);
}
CASE(judged)

static void immutable(void)
{
	struct told t;
	char path[512];
	int fd, old, flag;

	if (strcmp(w.kind, "ext4") != 0)
		return;
	use_trash();
	name_of(lay(1, "f", 1), "f", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(ioctl(fd, FS_IOC_GETFLAGS, &old) == 0);
	flag = old | FS_IMMUTABLE_FL;
	must(ioctl(fd, FS_IOC_SETFLAGS, &flag) == 0);
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_string_equal(word(t.files[0].r.reason), "immutable");
	told_fini(&t);
	must(ioctl(fd, FS_IOC_SETFLAGS, &old) == 0);
	close(fd);
}
CASE(immutable)

/* ---- put there ---- */

/* The clock stands still, or is set back: numbers stay apart, and in order. */
static void same_instant(void)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	mem_autofree struct outcome *o = NULL;
	struct told t;
	uint64_t last = 0;
	size_t n;

	use_trash();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		world_write(&w, names[i], 1);
		world_plan(&w, names[i],
			i % 2 ? PLAN_RULE_LARGEST : PLAN_RULE_PRIORITY);
	}
	stands_ns = __real_clock_real_ns(NULL);
	assert_int_equal(world_run(&w, &o, &n), 0);
	stands_ns = 0;
	assert_int_equal(world_errand(&w, TRASH_LIST, NULL, 0, &t), 0);
	assert_int_equal(t.n, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct trash_record *r = &told_find(&t, names[i])->r;

		assert_true(r->number > last);
		assert_int_equal(trash_number_rule(r->number),
			i % 2 ? PLAN_RULE_LARGEST : PLAN_RULE_PRIORITY);
		last = r->number;
	}
	told_fini(&t);
}
CASE(same_instant)

static void prepared(void)
{
	struct stat st;

	assert_int_equal(trash_prepare(w.fd), 0);
	must(fstatat(w.fd, TRASH_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(trash_prepare(w.fd), 0);
	must(fchmodat(w.fd, TRASH_NAME, 0711, 0) == 0);
	assert_int_equal(trash_prepare(w.fd), -EPERM);
}
CASE(prepared)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_two_roots),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_recovered),
		cmocka_unit_test(test_judged),
		cmocka_unit_test(test_immutable),
		cmocka_unit_test(test_same_instant),
		cmocka_unit_test(test_prepared),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
