// SPDX-License-Identifier: GPL-2.0-or-later
/* Corners of the reaper that no filesystem here leads to, by direct calls. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "act/answer.h"
#include "act/audit.h"
#include "act/guard.h"
#include "act/hook.h"
#include "act/keep.h"
#include "act/reap.h"
#include "act/reaper.h"
#include "act/slot.h"
#include "base/clock.h"
#include "base/fd.h"
#include "scratch.h"

#define NOW INT64_C(1800000000)

/* One file that may go, and what is changed about it. */
struct judged {
	struct rules policy;
	struct reap_rules rules;
	struct reap_place place;
	struct candidate c;
	struct beneath_stat st;
};

static struct judged deletable(void)
{
	struct judged j = {
		.rules = {.reason = GOAL_CRITICAL,
			.now_s = NOW,
			.bytes_left = UINT64_MAX},
		.place = {.root_uid = 1000, .root_dev = 8, .type = STYPE_CACHE},
		.c = {.rule = PLAN_RULE_PRIORITY,
			.id = {8, 42, 7, 7},
			.name = "file",
			.rel_dir = ""},
		.st = {.id = {8, 42, 7, 7},
			.mode = S_IFREG | 0644,
			.uid = 1000,
			.nlink = 1},
	};

	for (int i = 0; i < N_STYPES; i++)
		j.policy.retention_s[i] = RULES_FOREVER;
	return j;
}

static const char *judge(struct judged *j)
{
	j->rules.rules = &j->policy;
	return reason_word(reap_judge(&j->rules, &j->place, &j->c, &j->st));
}

#define assert_judged(change, word)                   \
	do {                                          \
		struct judged j = deletable();        \
		change;                               \
		assert_string_equal(judge(&j), word); \
	} while (0)

static void test_judgements(void **state)
{
	(void)state;
	assert_judged((void)0, "deleted");
	assert_judged(j.st.id.dev = 9, "mount");
	assert_judged(j.st.is_mount_root = true, "mount");
	assert_judged(j.st.mode = S_IFIFO, "special");
	assert_judged(j.st.id.ino++, "changed");
	assert_judged(j.st.id.btime_s++, "changed");
	assert_judged(j.st.id.btime_ns++, "changed");
	assert_judged(j.st.uid = 0, "owner");
	assert_judged(j.st.nlink = 2, "linked");
	/* Deleted by somebody between name and descriptor. */
	assert_judged(j.st.nlink = 0, "gone");
	assert_judged(j.st.is_immutable = true, "immutable");
	assert_judged(j.st.used_bytes = 1;
		      j.rules.bytes_left = 0, "limit-bytes");
}

/* From the beginning of time to its end. */
static void test_ages(void **state)
{
	(void)state;
	assert_judged(j.policy.min_age_s = 1;
		      j.st.mtime_s = INT64_MAX, "young");
	assert_judged(j.policy.min_age_s = 1; j.st.ctime_s = NOW, "young");
	assert_judged(j.policy.min_age_s = 1;
		      j.st.mtime_s = j.st.ctime_s = j.st.atime_s = INT64_MIN;
		      j.st.id.btime_s = j.c.id.btime_s = INT64_MIN, "deleted");
	assert_judged(j.c.rule = PLAN_RULE_RETENTION, "retained");
	assert_judged(j.c.rule = PLAN_RULE_RETENTION;
		      j.policy.retention_s[STYPE_CACHE] = 100;
		      j.st.mtime_s = NOW - 99, "retained");
	assert_judged(j.c.rule = PLAN_RULE_RETENTION;
		      j.policy.retention_s[STYPE_CACHE] = 100;
		      j.st.mtime_s = NOW - 101, "deleted");
}

static void test_config(void **state)
{
	(void)state;
	assert_judged(j.place.type = STYPE_CONFIG, "config");
	assert_judged(j.place.type = STYPE_CONFIG;
		      j.policy.is_config_allowed = true, "config");
	assert_judged(j.place.type = STYPE_CONFIG;
		      j.policy.is_config_allowed = true;
		      j.rules.reason = GOAL_EMERGENCY, "deleted");
}

/* root's file, where others choose what stands under its name. */
static void test_bait(void **state)
{
	(void)state;
	assert_judged(j.st.uid = 0; j.place.root_uid = 0;
		      j.place.is_open = true, "owner");
	assert_judged(j.st.uid = 0; j.place.root_uid = 0, "deleted");
	assert_judged(j.st.uid = 0; j.policy.is_any_owner = true;
		      j.place.is_open = true, "deleted");
	assert_true(reap_is_open(&(struct beneath_stat){.uid = 7}));
	assert_true(reap_is_open(&(struct beneath_stat){.mode = 0775}));
	assert_true(reap_is_open(&(struct beneath_stat){.mode = 01777}));
	assert_false(reap_is_open(&(struct beneath_stat){.mode = 0755}));
}

/* Which identity is the newest is asked of all that are alike but for one
 * part. */
static void test_newest_by_identity(void **state)
{
	static const struct identity ids[] = {
		{8, 42, 7, 7}, {9, 42, 7, 7}, {8, 42, 8, 7}, {8, 42, 7, 8}};
	struct keep_file files[2];
	struct plan plan = {0};
	struct keep k;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(
			plan_add(&plan, &(struct candidate){.id = ids[i],
						.rel_dir = "",
						.name = "x"}),
			0);
	assert_int_equal(keep_init(&k, &plan, 0), 0);
	for (size_t kept = 0; kept < ARRAY_SIZE(ids); kept++) {
		files[0] = (struct keep_file){.id = ids[kept]};
		files[1] = (struct keep_file){.id = {8, 43, 7, 7}};
		k.files[STYPE_DATA] = files;
		k.n[STYPE_DATA] = 2;
		keep_seal(&k);
		for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
			assert_int_equal(keep_has(&k, STYPE_DATA, &ids[i], 0),
				i == kept);
		assert_false(keep_has(&k, STYPE_LOGS, &ids[kept], 0));
		k.files[STYPE_DATA] = NULL;
		k.n[STYPE_DATA] = 0;
	}
	keep_fini(&k);
	plan_fini(&plan);
}

static void test_slots(void **state)
{
	static const struct {
		const char *slot, *dir, *name; /* NULL: leads nowhere */
	} rows[] = {
		{"7=file", "", "file"},
		{"7=a%sb%sfile", "a/b", "file"},
		{"7=100%%", "", "100%"},
		{"7=%sfile", NULL, NULL},
		{"7=", NULL, NULL},
		{"7=a%s", NULL, NULL},
		{"7=.", NULL, NULL},
		{"7=a%s..", NULL, NULL},
		{"7=%", NULL, NULL},
		{"7=%x", NULL, NULL},
		{"7~file", NULL, NULL},
		{"7=.x", "", ".x"},
		{"7=..x", "", "..x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		buf_auto struct buf path = {0};
		const char *dir, *name;
		bool is_place = slot_read(rows[i].slot, &path) == 0 &&
				slot_split(&path, &dir, &name);

		assert_int_equal(is_place, rows[i].name != NULL);
		if (!is_place)
			continue;
		assert_string_equal(dir, rows[i].dir);
		assert_string_equal(name, rows[i].name);
	}
}

static void test_quarantine_names(void **state)
{
	(void)state;
	assert_true(quarantine_is_in(QUARANTINE_NAME));
	assert_true(quarantine_is_in(QUARANTINE_NAME "/x"));
	assert_true(quarantine_is_in(TRASH_NAME "/x"));
	assert_false(quarantine_is_in(QUARANTINE_NAME "x"));
	assert_false(quarantine_is_in("a/" QUARANTINE_NAME));
	assert_false(quarantine_is_in(""));
}

/* A directory that fills the name leaves no room for its slash. */
static void test_slot_room(void **state)
{
	struct quarantine_slot slot;
	char dir[NAME_MAX + 1];

	(void)state;
	for (size_t len = NAME_MAX - 5; len < NAME_MAX; len++) {
		memset(dir, 'd', len);
		dir[len] = '\0';
		/* "7=", "%s" for the slash, and one letter */
		assert_int_equal(slot_name(7, dir, "n", &slot),
			2 + len + 2 + 1 <= NAME_MAX);
	}
}

/* What is ours is refused before a descriptor of it is touched, whatever was
 * looked at already (site.c). */
static void test_ours(void **state)
{
	static const char *const dirs[] = {
		QUARANTINE_NAME, TRASH_NAME, TRASH_NAME "/x"};
	struct judged j = deletable();
	struct outcome o;

	(void)state;
	j.rules.rules = &j.policy;
	j.place.dir_fd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		j.c.rel_dir = dirs[i];
		reap_one(&j.rules, &j.place, &j.c, &o);
		assert_string_equal(reason_word(o.reason), "protected");
	}
}

/* Names that begin with a dot are names. */
static void test_dots(void **state)
{
	static const struct {
		const char *rel;
		int r;
	} rows[] = {{".x", 0}, {"..x", 0}, {"x.", 0}, {".x/..", -EINVAL},
		{"..", -EINVAL}, {".", 0}, {"./.x", 0}};
	struct scratch s;

	(void)state;
	scratch_init(&s);
	assert_int_equal(mkdirat(s.fd, ".x", 0755), 0);
	assert_int_equal(mkdirat(s.fd, "..x", 0755), 0);
	assert_int_equal(mkdirat(s.fd, "x.", 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fd_auto int fd = -1;

		assert_int_equal(
			beneath_open_dir(s.fd, rows[i].rel, &fd), rows[i].r);
	}
	scratch_fini(&s);
}

static int send_one(const char *dir, const char *name, uint8_t type)
{
	struct candidate c = {.rel_dir = dir, .name = name, .type = type};
	buf_auto struct buf b = {0};
	struct plan plan = {0}, back = {0};
	int r = plan_add(&plan, &c);

	assert_int_equal(plan_encode(&plan, 1, 0, &b), -EOVERFLOW);
	assert_int_equal(plan_encode(&plan, 0, 2, &b), -EOVERFLOW);
	if (r == 0)
		r = plan_encode(&plan, 0, 1, &b);
	if (r == 0) {
		assert_int_equal(plan_decode(b.data, b.len, &back), 0);
		assert_string_equal(back.items[0].name, name);
	}
	plan_fini(&plan);
	plan_fini(&back);
	return r;
}

static int send_rule(unsigned int rule)
{
	struct candidate c = {
		.rel_dir = "", .name = "x", .rule = (uint8_t)rule};
	buf_auto struct buf b = {0};
	struct plan plan = {0};
	int r = plan_add(&plan, &c);

	if (r == 0)
		r = plan_encode(&plan, 0, 1, &b);
	plan_fini(&plan);
	return r;
}

static void test_plans(void **state)
{
	(void)state;
	assert_int_equal(send_one("", ".x", 0), 0);
	assert_int_equal(send_one("..x", "..x", 0), 0);
	assert_int_equal(send_one("", "..", 0), -EINVAL);
	assert_int_equal(send_one("", ".", 0), -EINVAL);
	assert_int_equal(send_one("a/..", "x", 0), -EINVAL);
	assert_int_equal(send_one("a", "x", N_STYPES), -EINVAL);
	assert_int_equal(send_one("a", "", 0), -EINVAL);
	assert_int_equal(send_rule(N_PLAN_RULES - 1), 0);
	assert_int_equal(send_rule(N_PLAN_RULES), -EINVAL);
}

static void test_nothing_to_answer(void **state)
{
	struct answer a = {.fd = -1};

	(void)state;
	assert_int_equal(answer_flush(&a), 0);
}

/* An outcome that has waited for 100 ms takes the others along. */
static void test_late_answer(void **state)
{
	struct outcome o = {.item = 7}, got[3];
	struct answer a = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	a.fd = fds[1];
	assert_int_equal(answer_put(&a, &o), 0);
	assert_int_equal(read(fds[0], got, sizeof(got)), -1);
	a.first_boot_ns -= CLOCK_NS_PER_S;
	assert_int_equal(answer_put(&a, &o), 0);
	assert_int_equal(read(fds[0], got, sizeof(got)), 2 * sizeof(o));
	assert_int_equal(got[1].item, 7);
	close(fds[0]);
	close(fds[1]);
}

#define D64 "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
static const char *const deep[] = {
	D64, D64 "/" D64, D64 "/" D64 "/" D64, D64 "/" D64 "/" D64 "/" D64};

static void recover(int root_fd, uint64_t restored, uint64_t orphans)
{
	struct quarantine_found found = {0};
	struct quarantine *q;

	assert_int_equal(quarantine_open(root_fd, &q), 0);
	assert_int_equal(quarantine_recover(q, &found), 0);
	assert_int_equal(found.restored, restored);
	assert_int_equal(found.orphans, orphans);
	quarantine_close(q);
}

/* The links that hold a long path stay as long as its file does, however often
 * there is no place for it. */
static void test_long_orphan(void **state)
{
	struct quarantine_slot slot;
	struct quarantine *q;
	struct scratch s;
	fd_auto int dir = -1;
	char path[400];

	(void)state;
	scratch_init(&s);
	for (size_t i = 0; i < ARRAY_SIZE(deep); i++)
		assert_int_equal(mkdirat(s.fd, deep[i], 0755), 0);
	assert_int_equal(beneath_open_dir(s.fd, deep[3], &dir), 0);
	close(openat(dir, "file", O_CREAT | O_CLOEXEC, 0644));
	assert_int_equal(quarantine_open(s.fd, &q), 0);
	assert_int_equal(quarantine_take(q, dir, deep[3], "file", &slot), 0);
	assert_true(slot.n_links > 0);
	quarantine_close(q);
	/* Somebody is quicker. */
	close(openat(dir, "file", O_CREAT | O_CLOEXEC, 0600));
	recover(s.fd, 0, 1);
	recover(s.fd, 0, 1);
	assert_int_equal(unlinkat(dir, "file", 0), 0);
	recover(s.fd, 1, 0);
	assert_int_equal(faccessat(dir, "file", F_OK, 0), 0);
	snprintf(path, sizeof(path), QUARANTINE_NAME "/%s", slot.name);
	assert_int_equal(faccessat(s.fd, path, F_OK, 0), -1);
	scratch_fini(&s);
}

static void test_slot_kinds(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(slot_kind("ffffffffffffffff=x", &n), SLOT_FILE);
	assert_int_equal(n, UINT64_MAX);
	assert_int_equal(slot_kind("10000000000000000=x", &n), SLOT_FOREIGN);
	assert_int_equal(slot_kind("=x", &n), SLOT_FOREIGN);
	assert_int_equal(slot_kind("7", &n), SLOT_FOREIGN);
	assert_int_equal(slot_kind("7~files", &n), SLOT_FOREIGN);
	assert_int_equal(slot_kind("7~path.0", &n), SLOT_LINK);
	assert_int_equal(slot_kind("~room.3...", &n), SLOT_ROOM);
}

static void test_guard(void **state)
{
	const struct outcome deleted = {
		.reason = REASON_DELETED, .used_bytes = 100};
	const struct outcome small = {
		.reason = REASON_DELETED, .used_bytes = 1};
	const struct outcome orphaned = {.reason = REASON_ORPHANED};
	const struct outcome failed = {.reason = REASON_ERROR};
	struct policy policy = {
		.limits = {.files = 5, .errors = 3, .errors_ppm = 500000}};
	struct reaper_order order = {.policy = &policy,
		.max_files = 9,
		.max_bytes = 100,
		.free_bytes = 100,
		.reason = GOAL_WARNING};
	struct guard g;

	(void)state;
	assert_false(guard_has_no_caps(&order));
	order.reason = GOAL_EMERGENCY;
	assert_true(guard_has_no_caps(&order));
	order.free_bytes = 0;
	assert_false(guard_has_no_caps(&order));
	order.is_forced = true;
	assert_true(guard_has_no_caps(&order));
	guard_init(&g, &order);
	assert_int_equal(guard_ask(&g), REASON_DELETED);
	guard_note(&g, &deleted);
	assert_int_equal(guard_ask(&g), REASON_LIMIT_BYTES);
	assert_int_equal(guard_bytes_left(&g), 0);
	/* Three errors, but not over half of all. */
	guard_init(&g, &order);
	for (int i = 0; i < 3; i++)
		guard_note(&g, &small);
	for (int i = 0; i < 3; i++)
		guard_note(&g, i % 2 ? &failed : &orphaned);
	assert_int_equal(guard_ask(&g), REASON_DELETED);
	guard_note(&g, &failed);
	assert_int_equal(guard_ask(&g), REASON_ERRORS);
	/* It is looked at again after 0.2 s, and means nothing to a dry run. */
	order.panic_path = "/proc/self/fd/0/none";
	guard_init(&g, &order);
	assert_int_equal(guard_ask(&g), REASON_DELETED);
	g.panic_path = "/";
	assert_int_equal(guard_ask(&g), REASON_DELETED);
	g.panic_look_ns -= CLOCK_NS_PER_S;
	assert_int_equal(guard_ask(&g), REASON_PANIC);
	assert_int_equal(guard_ask(&g), REASON_PANIC);
	order.panic_path = "/";
	order.is_dry_run = true;
	guard_init(&g, &order);
	assert_int_equal(guard_ask(&g), REASON_DELETED);
	order.is_dry_run = false;
	/* A latch that cannot be looked at holds. */
	order.panic_path = "/proc/self/mem/no/directory";
	guard_init(&g, &order);
	assert_int_equal(guard_ask(&g), REASON_DELETED);
	order.panic_path = "";
	guard_init(&g, &order);
	assert_int_equal(guard_ask(&g), REASON_DELETED);
	{
		static char name[5000];

		memset(name, 'x', sizeof(name) - 1);
		order.panic_path = name;
		guard_init(&g, &order);
		assert_int_equal(guard_ask(&g), REASON_PANIC);
	}
}

static void write_record(struct audit *a)
{
	static const struct candidate c = {.rel_dir = "a", .name = "b"};
	static const struct beneath_stat st = {.nlink = 1};

	audit_intent(a, &c, &st);
}

static void set_limit(int fd, off_t more)
{
	struct stat st;
	struct rlimit limit;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur =
		more < 0 ? limit.rlim_max : (rlim_t)(st.st_size + more);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A record that was cut off costs itself alone. */
static void test_torn_records(void **state)
{
	struct scratch s;
	struct audit a = {.component = "web", .root = "/srv"};
	buf_auto struct buf text = {0};
	char *at, *line;
	int n_whole = 0, n_torn = 0;

	(void)state;
	scratch_init(&s);
	signal(SIGXFSZ, SIG_IGN);
	a.fd = openat(
		s.fd, "audit", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(a.fd >= 0);
	write_record(&a);
	set_limit(a.fd, 20); /* half a line */
	write_record(&a);
	assert_int_equal(a.n_lost, 1);
	write_record(&a); /* not even the end of the torn one */
	assert_int_equal(a.n_lost, 2);
	set_limit(a.fd, -1);
	write_record(&a);
	set_limit(a.fd, 0);
	write_record(&a); /* nothing of it */
	set_limit(a.fd, -1);
	write_record(&a);
	assert_int_equal(a.n_lost, 3);
	assert_int_equal(lseek(a.fd, 0, SEEK_SET), 0);
	assert_int_equal(buf_read_fd(&text, a.fd, 65536), 0);
	at = text.data;
	while ((line = strsep(&at, "\n")) && at) {
		assert_true(line[0] == '{');
		if (line[strlen(line) - 1] == '}')
			n_whole++;
		else
			n_torn++;
	}
	assert_int_equal(n_whole, 3);
	assert_int_equal(n_torn, 1);
	audit_fini(&a);
	fd_close(a.fd);
	scratch_fini(&s);
}

/* Cut just between two, none is torn. */
static void test_cut_between_records(void **state)
{
	static const struct candidate c = {.rel_dir = "a", .name = "b"};
	static const struct beneath_stat st = {.nlink = 1};
	static const struct outcome o = {.reason = REASON_DELETED};
	struct audit a = {.component = "web", .root = "/srv"};
	struct scratch s;
	struct stat file;
	off_t size;

	(void)state;
	scratch_init(&s);
	a.fd = openat(
		s.fd, "audit", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(a.fd >= 0);
	audit_result(&a, &c, &st, &o);
	size = (off_t)a.line.len;
	set_limit(a.fd, size);
	audit_intent(&a, &c, &st);
	set_limit(a.fd, -1);
	assert_int_equal(a.n_lost, 1);
	assert_false(a.is_torn);
	assert_int_equal(fstat(a.fd, &file), 0);
	assert_int_equal(file.st_size, size);
	audit_fini(&a);
	fd_close(a.fd);
	scratch_fini(&s);
}

/* Nobody wants records: nothing is written, nothing is lost. */
static void test_no_audit(void **state)
{
	struct audit a = {.fd = -1, .component = "web", .root = "/srv"};

	(void)state;
	write_record(&a);
	audit_found(&a, "x", true);
	audit_refused(&a, "landlock", ENOSYS);
	audit_flush(&a);
	assert_int_equal(a.n_lost, 0);
	assert_int_equal(a.line.len, 0);
	audit_fini(&a);
}

/* What editors and package managers leave is no hook, executable or not. */
static void test_no_hooks(void **state)
{
	static const char *const left[] = {"10-a.dpkg-old", "10-a.rpmsave",
		"10-a.rpmnew", "10-a.rpmorig", "10-a~", ".10-a"};
	buf_auto struct buf names = {0}, refused = {0};
	struct scratch s;

	(void)state;
	scratch_init(&s);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		close(openat(s.fd, left[i], O_CREAT | O_CLOEXEC, 0755));
	assert_int_equal(hook_list(s.path, &names, &refused), 0);
	assert_int_equal(names.len + refused.len, 0);
	assert_int_equal(hook_check(s.path, ""), -EINVAL);
	assert_int_equal(hook_check(s.path, "../x"), -EINVAL);
	assert_int_equal(hook_check(s.path, "none"), -ENOENT);
	scratch_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judgements),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_bait),
		cmocka_unit_test(test_newest_by_identity),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_slot_kinds),
		cmocka_unit_test(test_quarantine_names),
		cmocka_unit_test(test_slot_room),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_long_orphan),
		cmocka_unit_test(test_dots),
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_nothing_to_answer),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_torn_records),
		cmocka_unit_test(test_cut_between_records),
		cmocka_unit_test(test_no_audit),
		cmocka_unit_test(test_no_hooks),
	};

	return cmocka_run_group_tests_name("act_edges", tests, NULL, NULL);
}
