// SPDX-License-Identifier: GPL-2.0-or-later
/* The guard rails of a run: limits, modes, the panic latch, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "act/guard.h"
#include "act/quarantine.h"
#include "unit/reaping.h"

/* ---- the run ---- */

static void plan_many(unsigned int n, size_t size)
{
	char rel[64];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(rel, sizeof(rel), "file-%u", i);
		if (!world_has(&w, rel))
			world_write(&w, rel, size);
		world_plan(&w, rel, PLAN_RULE_LARGEST);
	}
}

/* Runs, and counts the outcomes of each word. */
static void run_counted(unsigned int ret[N_REASONS])
{
	mem_autofree struct outcome *o = NULL;
	size_t n, n_items = w.plan.n_items;

	memset(ret, 0, N_REASONS * sizeof(ret[0]));
	assert_int_equal(world_run(&w, &o, &n), 0);
	assert_int_equal(n, n_items + 1);
	for (size_t i = 0; i < n_items; i++) {
		assert_int_equal(o[i].item, i);
		ret[o[i].reason]++;
	}
	assert_true(o[n_items].is_end);
}

static void limit_files(void)
{
	unsigned int n[N_REASONS];

	w.policy.limits.files = 3;
	plan_many(10, 4096);
	run_counted(n);
	assert_int_equal(n[REASON_DELETED], 3);
	assert_int_equal(n[REASON_LIMIT_FILES], 7);
	/* a forced run, and one at the critical level with a target, are only
	 * bound by the order */
	w.order.is_forced = true;
	w.order.max_files = 5;
	plan_many(10, 4096);
	run_counted(n);
	assert_int_equal(n[REASON_DELETED], 5);
	assert_int_equal(n[REASON_LIMIT_FILES], 5);
	w.order.is_forced = false;
	w.order.max_files = UINT64_MAX;
	w.order.reason = GOAL_CRITICAL;
	w.order.free_bytes = 4 * 4096;
	plan_many(10, 4096);
	run_counted(n);
	assert_int_equal(n[REASON_DELETED], 4);
	assert_int_equal(n[REASON_REACHED], 6);
	w.order.max_files = 0;
	plan_many(10, 4096);
	run_counted(n);
	assert_int_equal(n[REASON_LIMIT_FILES], 10);
}

static void limit_bytes(void)
{
	unsigned int n[N_REASONS];

	w.order.max_bytes = 5 * 4096 + 100;
	plan_many(10, 4096);
	/* the plan says they take nothing */
	for (size_t i = 0; i < w.plan.n_items; i++)
		w.plan.items[i].used_bytes = 0;
	run_counted(n);
	assert_int_equal(n[REASON_DELETED], 5);
	assert_int_equal(n[REASON_LIMIT_BYTES], 5);
	/* 64 MiB: about 640 KiB of it */
	w.order.max_bytes = UINT64_MAX;
	w.policy.limits.filesystem_ppm = 10000;
	plan_many(10, 100000);
	run_counted(n);
	assert_in_range(n[REASON_DELETED], 1, 10);
	plan_many(20, 100000);
	run_counted(n);
	assert_in_range(n[REASON_DELETED], 4, 6);
	assert_int_equal(n[REASON_DELETED] + n[REASON_LIMIT_FILESYSTEM], 20);
}

static void modes(void)
{
	unsigned int n[N_REASONS];

	w.policy.mode = MODE_OBSERVE;
	w.order.is_forced = true;
	plan_many(20, 4096);
	run_counted(n);
	assert_int_equal(n[REASON_OBSERVE], 20);
	assert_false(world_has(&w, QUARANTINE_NAME));
	w.order.is_dry_run = true;
	plan_many(20, 4096);
	run_counted(n);
	assert_int_equal(n[REASON_WOULD_DELETE], 20);
	w.policy.mode = MODE_ENFORCE;
	w.order.free_bytes = 7 * 4096;
	plan_many(20, 4096);
	run_counted(n);
	assert_int_equal(n[REASON_WOULD_DELETE], 7);
	assert_int_equal(n[REASON_REACHED], 13);
	assert_false(world_has(&w, QUARANTINE_NAME));
	assert_int_equal(world_audited(&w, "event"), 0);
	w.order.is_dry_run = false;
	w.order.free_bytes = 0;
	w.policy.mode = MODE_CANARY;
	plan_many(20, 4096);
	run_counted(n);
	assert_int_equal(n[REASON_DELETED], POLICY_CANARY_FILES);
	assert_int_equal(n[REASON_CANARY], 20 - POLICY_CANARY_FILES);
}

static void panic(void)
{
	char latch[512];
	unsigned int n[N_REASONS];

	snprintf(latch, sizeof(latch), "%s/panic", w.base);
	w.order.panic_path = latch;
	w.order.is_forced = true;
	plan_many(3, 1);
	run_counted(n);
	assert_int_equal(n[REASON_DELETED], 3);
	close(open(latch, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	plan_many(3, 1);
	run_counted(n);
	assert_int_equal(n[REASON_PANIC], 3);
	assert_true(world_has(&w, "file-0"));
	/* a path that cannot be looked at holds too */
	w.order.panic_path = "/proc/1/fdinfo/none/none";
	unlink(latch);
	snprintf(latch, sizeof(latch), "%s/%0300d", w.base, 0);
	w.order.panic_path = latch;
	plan_many(3, 1);
	run_counted(n);
	assert_int_equal(n[REASON_PANIC], 3);
}

/* Set while it works: stops within 64 files. */
static void panic_midway(void)
{
	char latch[512];
	unsigned int n[N_REASONS];
	pid_t pid;

	snprintf(latch, sizeof(latch), "%s/panic", w.base);
	w.order.panic_path = latch;
	plan_many(4000, 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		while (world_has(&w, "file-100"))
			;
		close(open(latch, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		_exit(0);
	}
	run_counted(n);
	waitpid(pid, NULL, 0);
	assert_true(n[REASON_DELETED] >= 100);
	assert_true(n[REASON_PANIC] > 0);
	assert_int_equal(n[REASON_DELETED] + n[REASON_PANIC], 4000);
}

/* Ten that fail of fifteen: the rest is left alone. */
static void errors(void)
{
	unsigned int n[N_REASONS];

	w.policy.limits.errors = 10;
	w.policy.limits.errors_ppm = 50000;
	/* not even root moves a file out of an immutable directory */
	world_mkdir(&w, "dir");
	for (int i = 0; i < 30; i++) {
		char rel[64];
		int fd, flags;

		snprintf(rel, sizeof(rel), "dir/file-%d", i);
		world_write(&w, rel, 1);
		world_plan(&w, rel, PLAN_RULE_LARGEST);
		if (i < 29)
			continue;
		fd = open_file("dir", O_RDONLY | O_DIRECTORY);
		flags = FS_IMMUTABLE_FL;
		assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
		close(fd);
	}
	plan_many(5, 1);
	run_counted(n);
	assert_int_equal(n[REASON_ERROR] + n[REASON_ERRORS], 35);
	assert_true(n[REASON_ERRORS] >= 5);
	assert_true(world_has(&w, "file-0"));
	w.policy.limits.errors_ppm = 1000000;
	plan_many(5, 1);
	run_counted(n);
	assert_int_equal(n[REASON_DELETED], 5);
	{
		int fd = open_file("dir", O_RDONLY | O_DIRECTORY), flags = 0;

		ioctl(fd, FS_IOC_SETFLAGS, &flags);
		close(fd);
	}
}

static void assert_all(enum reason reason)
{
	unsigned int n[N_REASONS];

	plan_many(5, 1);
	run_counted(n);
	assert_int_equal(n[reason], 5);
	assert_int_equal(world_has(&w, "file-0"), reason != REASON_DELETED);
}

/* The reaper's own look at the clock: it takes nobody's word for the time. */
static void wrong_clock(void)
{
	int64_t now_ns = clock_real_ns(NULL), day_ns = 86400 * CLOCK_NS_PER_S;
	struct clock clock = {
		.is_fake = true, .fake_boot_ns = 5000 * CLOCK_NS_PER_S};

	w.order.clock = &clock;
	w.order.is_forced = true;
	/* a machine without a clock, */
	clock.fake_real_ns = 100 * day_ns;
	assert_all(REASON_CLOCK);
	/* one that is behind: these files changed tomorrow, */
	clock.fake_real_ns = now_ns - day_ns;
	assert_all(REASON_CLOCK);
	/* and one that was set after the plan was made */
	clock.fake_real_ns = now_ns;
	for (int64_t step_s = -6; step_s <= 6; step_s += 12) {
		w.order.lead_ns =
			clock_lead_ns(&clock) - step_s * CLOCK_NS_PER_S;
		assert_all(REASON_CLOCK);
	}
	w.order.lead_ns = clock_lead_ns(&clock) + 4 * CLOCK_NS_PER_S;
	assert_all(REASON_DELETED);
	w.order.lead_ns = 0;
	assert_all(REASON_DELETED);
}

/* While it is at work. */
static void clock_set_midway(void)
{
	struct clock clock = {.is_fake = true,
		.fake_real_ns = clock_real_ns(NULL),
		.fake_boot_ns = 5000 * CLOCK_NS_PER_S};
	struct guard g;

	w.order.clock = &clock;
	guard_init(&g, &w.order);
	clock_advance(&clock, 3600 * CLOCK_NS_PER_S);
	assert_int_equal(guard_ask(&g), REASON_DELETED);
	clock.fake_real_ns += 6 * CLOCK_NS_PER_S;
	assert_int_equal(guard_ask(&g), REASON_CLOCK);
	/* It does not get well by being set back. */
	clock.fake_real_ns -= 6 * CLOCK_NS_PER_S;
	assert_int_equal(guard_ask(&g), REASON_CLOCK);
}

/* One error that is the filesystem's is enough; others are counted. */
static void faults(void)
{
	static const int at_once[] = {
		EIO, EUCLEAN, EBADMSG, EREMOTEIO, ESHUTDOWN, EROFS};
	struct outcome o = {.reason = REASON_ERROR};
	struct guard g;

	for (size_t i = 0; i < ARRAY_SIZE(at_once); i++) {
		guard_init(&g, &w.order);
		o.error = at_once[i];
		guard_note(&g, &o);
		assert_int_equal(guard_ask(&g), REASON_ERRORS);
	}
	guard_init(&g, &w.order);
	o.error = EPERM;
	guard_note(&g, &o);
	assert_int_equal(guard_ask(&g), REASON_DELETED);
}

/* What is at hand is done with; nothing more is begun. */
static void told_to_stop(void)
{
	struct guard g;
	pid_t pid;

	guard_init(&g, &w.order);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		enum reason before = guard_ask(&g);

		guard_hear_stop();
		raise(SIGTERM);
		_exit(before != REASON_DELETED ||
			guard_ask(&g) != REASON_STOPPED);
	}
	assert_int_equal(world_wait(pid), 0);
}

CASE(limit_files)
CASE(limit_bytes)
CASE(modes)
CASE(panic)
CASE(panic_midway)
CASE(errors)
CASE(wrong_clock)
CASE(clock_set_midway)
CASE(faults)
CASE(told_to_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_files),
		cmocka_unit_test(test_limit_bytes),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_panic),
		cmocka_unit_test(test_panic_midway),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_wrong_clock),
		cmocka_unit_test(test_clock_set_midway),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
