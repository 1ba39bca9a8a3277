// SPDX-License-Identifier: GPL-2.0-or-later
/* Each allocation of a reaper fails once, of listing hooks, and of records: no
 * file is lost, the newest stays, and every candidate has its answer. */
#include "tests/unit/failing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "act/audit.h"
#include "act/hook.h"
#include "act/quarantine.h"
#include "unit/reaping.h"

#define LONG_NAME "long/" LONG_DIR "/" LONG_DIR "/file"
#define LONG_DIR                                                            \
	"ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" \
	"ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" \
	"ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static const char *const names[] = {
	"newest", "dir/a", "dir/percent%", LONG_NAME};
#define NEWEST 0

static int left_in_child;

static void fail_in_child(void)
{
	failing_left = left_in_child;
}

/* Those of names that are not there; the newest is the last one written. */
static void write_again(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct timespec times[2] = {
			{.tv_sec = 1000000 - (long)i},
			{.tv_sec = 1000000 - (long)i},
		};

		if (!world_has(&w, names[i]))
			world_write(&w, names[i], 4096);
		must(utimensat(w.fd, names[i], times, 0) == 0);
	}
}

/* Moved files wait there; the links beside them hold paths. */
static int n_in_quarantine(void)
{
	fd_auto int fd = openat(w.fd, QUARANTINE_NAME, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd_take(&fd));
	struct dirent *e;
	int n = 0;

	while (dir && (e = readdir(dir)))
		n += e->d_type == DT_REG;
	if (dir)
		closedir(dir);
	return n;
}

static void must_be_accounted_for(const struct outcome *all, size_t n)
{
	int n_missing = 0;

	assert_true(n > 0 && all[n - 1].is_end);
	/* Without room for the plan there is nobody to answer for. */
	if (n == 1) {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			assert_true(world_has(&w, names[i]));
		return;
	}
	assert_int_equal(n, ARRAY_SIZE(names) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool is_deleted = all[i].reason == REASON_DELETED;

		assert_int_equal(all[i].item, i);
		assert_true(all[i].reason < N_REASONS);
		if (world_has(&w, names[i]))
			assert_false(is_deleted);
		else
			n_missing += !is_deleted;
	}
	assert_true(world_has(&w, names[NEWEST]));
	assert_int_equal(n_missing, n_in_quarantine());
}

static void reaper(void)
{
	struct outcome *all;
	int n_refused = 0, status;
	size_t n;

	w.policy.rules.keep_newest[STYPE_CACHE] = 1;
	w.policy.rules.age_from = AGE_MODIFIED;
	w.order.is_forced = true;
	w.before = fail_in_child;
	world_mkdir(&w, "dir");
	world_mkdir(&w, "long");
	world_mkdir(&w, "long/" LONG_DIR);
	world_mkdir(&w, "long/" LONG_DIR "/" LONG_DIR);
	for (left_in_child = 0;; left_in_child++) {
		write_again();
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			world_plan(&w, names[i], PLAN_RULE_PRIORITY);
		*failing_seen = 0;
		status = world_run(&w, &all, &n);
		must_be_accounted_for(all, n);
		free(all);
		assert_true(status == 0 || status == 1);
		n_refused += status != 0;
		if (!*failing_seen)
			break;
		assert_true(left_in_child < 1000);
	}
	assert_int_equal(status, 0);
	assert_int_equal(n_in_quarantine(), 0);
	for (size_t i = 1; i < ARRAY_SIZE(names); i++)
		assert_false(world_has(&w, names[i]));
	/* Some are the end of a run, some cost a record at most. */
	assert_true(n_refused >= 5 && left_in_child - n_refused >= 5);
}
CASE(reaper)

static int list_hooks(void *ctx)
{
	buf_auto struct buf names_found = {0}, refused = {0};
	int r = hook_list(ctx, &names_found, &refused);

	if (r < 0)
		return r;
	assert_int_equal(r, 2);
	assert_non_null(strstr(refused.data, "refused"));
	return 0;
}

static void hooks(void)
{
	world_write(&w, "10-first", 0);
	world_write(&w, "20-second", 0);
	world_write(&w, "30-refused", 0);
	must(fchmodat(w.fd, "10-first", 0755, 0) == 0);
	must(fchmodat(w.fd, "20-second", 0755, 0) == 0);
	must(fchmodat(w.fd, "30-refused", 0777, 0) == 0);
	assert_true(fail_everywhere(list_hooks, w.path) >= 5);
}
CASE(hooks)

struct record {
	struct audit audit;
	struct candidate c;
	struct beneath_stat st;
	struct outcome o;
	char text[AUDIT_PATH_MAX + 600];
};

static void write_intent(struct record *r)
{
	audit_intent(&r->audit, &r->c, &r->st);
}

static void write_result(struct record *r)
{
	audit_result(&r->audit, &r->c, &r->st, &r->o);
}

static void write_found(struct record *r)
{
	audit_found(&r->audit, r->text, true);
}

static void write_refused(struct record *r)
{
	r->audit.root = r->text;
	audit_refused(&r->audit, "seccomp", EPERM);
}

/* The whole record, or one that was counted as lost. */
static void must_be_whole(const struct audit *a)
{
	buf_auto struct buf text = {0};

	assert_int_equal(lseek(a->fd, 0, SEEK_SET), 0);
	assert_int_equal(buf_read_fd(&text, a->fd, 1 << 20), 0);
	assert_int_equal(a->n_lost, *failing_seen);
	if (a->n_lost) {
		assert_int_equal(text.len, 0);
		return;
	}
	assert_true(text.data[0] == '{');
	assert_string_equal(text.data + text.len - 2, "}\n");
	assert_ptr_equal(strchr(text.data, '\n'), text.data + text.len - 1);
}

static void try_record(void (*write)(struct record *), size_t len)
{
	static const char *const odd[] = {
		"na\"me", "na\\me", "na\1me", "na\177me", "na\377me"};
	struct record r = {
		.c = {.name = odd[len % ARRAY_SIZE(odd)], .rel_dir = r.text},
		.st = {.used_bytes = 4096}};

	memset(r.text, 'd', len);
	memset(r.text, '"', len / 4);
	for (int left = 0;; left++) {
		r.audit = (struct audit){.component = "web",
			.root = "/srv",
			.fd = memfd_create("audit", MFD_CLOEXEC)};
		assert_true(r.audit.fd >= 0);
		failing_left = left;
		*failing_seen = 0;
		write(&r);
		failing_left = -1;
		audit_flush(&r.audit);
		must_be_whole(&r.audit);
		audit_fini(&r.audit);
		fd_close(r.audit.fd);
		if (!*failing_seen)
			return;
	}
}

/* Where the line grows depends on what comes before, so each length is tried
 * that gets it past one growth to the next. */
static void test_records(void **state)
{
	static void (*const kinds_of_record[])(struct record *) = {
		write_intent, write_result, write_found, write_refused};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds_of_record); i++)
		for (size_t len = 0; len < 512; len++) {
			try_record(kinds_of_record[i], len);
			try_record(
				kinds_of_record[i], AUDIT_PATH_MAX + 1 + len);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reaper),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_records),
	};

	failing_seen = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(failing_seen != MAP_FAILED);
	return cmocka_run_group_tests_name("act_oom", tests, NULL, NULL);
}
