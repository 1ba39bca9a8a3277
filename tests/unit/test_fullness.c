// SPDX-License-Identifier: GPL-2.0-or-later
/* Growth, limits and the next look of filesystems.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "base/clock.h"
#include "filesystems.h"

#define S   CLOCK_NS_PER_S
#define MS  CLOCK_NS_PER_MS
#define G   (UINT64_C(1) << 30)
#define NOW (1000 * S)

#define SHARE(n)                                     \
	{                                            \
		.is_share = true, .ppm = 10000 * (n) \
	}
static const struct config config = {
	.fs_warning = SHARE(80),
	.fs_emergency = SHARE(90),
	.fs_critical = SHARE(95),
	.fs_target = SHARE(75),
	.hysteresis_ppm = 20000,
};

/* Of 100 GiB, 5 of which are root's own. */
static struct mounts_fs facts(uint64_t used_g)
{
	return (struct mounts_fs){
		.total_bytes = 105 * G,
		.used_bytes = used_g * G,
		.available_bytes = (100 - used_g) * G,
	};
}

static void take(struct filesystem *f, uint64_t used_g, int64_t now)
{
	struct mounts_fs m = facts(used_g);

	filesystem_take(f, &m, &config, now);
}

static void test_limits(void **state)
{
	struct filesystem f = {0};
	struct trigger_limits l;

	(void)state;
	take(&f, 40, NOW);
	assert_int_equal(filesystem_used(&f), 40 * G);
	/* As df counts: without what is root's own. */
	assert_int_equal(filesystem_whole(&f), 100 * G);
	filesystem_limits(&f, &config, &l);
	assert_int_equal(l.warning_bytes, 80 * G);
	assert_int_equal(l.emergency_bytes, 90 * G);
	assert_int_equal(l.critical_bytes, 95 * G);
	assert_int_equal(l.target_bytes, 75 * G);
	assert_int_equal(l.hysteresis_bytes, 2 * G);
}

static void test_growth(void **state)
{
	struct filesystem f = {.is_asked = true};

	(void)state;
	/* The first look is no growth from nothing. */
	take(&f, 40, NOW);
	assert_true(f.is_known && f.is_fresh && !f.is_asked);
	assert_int_equal(f.growth_bytes_per_s, 0);
	assert_int_equal(f.due_boot_ns, NOW + 30 * S);
	take(&f, 48, NOW + 4 * S);
	assert_int_equal(f.growth_bytes_per_s, 2 * G);
	/* Forgotten by an eighth a look; shrinking is no growth. */
	take(&f, 40, NOW + 8 * S);
	assert_int_equal(f.growth_bytes_per_s, 2 * G - 2 * G / 8);
	take(&f, 40, NOW + 12 * S);
	assert_true(f.growth_bytes_per_s < 2 * G - 2 * G / 8);
	/* Two looks within a millisecond: no division by nothing. */
	take(&f, 41, NOW + 12 * S);
	assert_int_equal(f.growth_bytes_per_s, 1000 * G);
}

/* The fuller and the faster, the sooner; within 50 ms and 30 s. */
static void test_next_look(void **state)
{
	static const uint64_t used_g[] = {10, 40, 78, 88, 94, 99};

	(void)state;
	for (size_t i = 0; i < sizeof(used_g) / sizeof(*used_g); i++) {
		struct filesystem f = {0};
		int64_t wait, limit_ms;
		uint64_t left = used_g[i] < 80	 ? 80 - used_g[i]
				: used_g[i] < 90 ? 90 - used_g[i]
				: used_g[i] < 95 ? 95 - used_g[i]
						 : 1;

		take(&f, used_g[i] - 1, NOW);
		take(&f, used_g[i], NOW + S);
		wait = f.due_boot_ns - (NOW + S);
		/* At 1 GiB a second, left seconds away. */
		limit_ms = (int64_t)left * 1000;
		assert_true(wait >= 50 * MS);
		assert_true(wait <= 30 * S);
		assert_true(wait <= limit_ms * MS);
		assert_int_equal(wait / MS,
			trigger_poll_ms(left * G, f.growth_bytes_per_s));
	}
}

static void test_failed_look(void **state)
{
	struct filesystem f = {.is_asked = true};

	(void)state;
	filesystem_take(&f, NULL, &config, NOW);
	assert_false(f.is_known || f.is_fresh || f.is_asked);
	assert_int_equal(f.due_boot_ns, NOW + 10 * S);
	/* What was known stays. */
	take(&f, 40, NOW);
	f.is_asked = true;
	filesystem_take(&f, NULL, &config, NOW + 5 * S);
	assert_false(f.is_asked);
	assert_true(f.is_known);
	assert_int_equal(filesystem_used(&f), 40 * G);
	assert_int_equal(f.looked_boot_ns, NOW);
	assert_int_equal(f.due_boot_ns, NOW + 15 * S);
}

/* The index sees it grow before the next look is due. */
static void test_grew(void **state)
{
	struct filesystem f = {.due_boot_ns = 5};

	(void)state;
	filesystem_grew(&f, UINT64_MAX, &config);
	assert_int_equal(f.due_boot_ns, 5);
	take(&f, 70, NOW);
	filesystem_grew(&f, 6 * G, &config);
	assert_true(f.due_boot_ns > NOW);
	assert_int_equal(f.unseen_bytes, 6 * G);
	/* 4 GiB are left to the warning: just reached. */
	filesystem_grew(&f, 4 * G, &config);
	assert_int_equal(f.due_boot_ns, 0);
	take(&f, 70, NOW + S);
	assert_int_equal(f.unseen_bytes, 0);
	assert_true(f.due_boot_ns > NOW + S);
	filesystem_grew(&f, UINT64_MAX, &config);
	filesystem_grew(&f, UINT64_MAX, &config);
	assert_int_equal(f.unseen_bytes, UINT64_MAX);
	assert_int_equal(f.due_boot_ns, 0);
}

static void test_refresh(void **state)
{
	struct filesystem f = {0};
	int64_t due;

	(void)state;
	take(&f, 40, NOW);
	due = f.due_boot_ns;
	filesystem_refresh(&f, NOW + 50 * MS);
	assert_int_equal(f.due_boot_ns, due);
	filesystem_refresh(&f, NOW + 50 * MS + 1);
	assert_int_equal(f.due_boot_ns, 0);
}

/* What a routine look may find without a word. */
static void test_quiet(void **state)
{
	struct filesystem f = {0};

	(void)state;
	assert_int_equal(filesystem_quiet_bytes(&f, &config), 0);
	take(&f, 40, NOW);
	assert_int_equal(filesystem_pause_ns(&f, &config), 30 * S);
	assert_int_equal(filesystem_quiet_bytes(&f, &config), 40 * G / 16);
	take(&f, 79, NOW + 3600 * S);
	assert_int_equal(filesystem_quiet_bytes(&f, &config), G / 16);
	f.level = LEVEL_WARNING;
	assert_int_equal(filesystem_quiet_bytes(&f, &config), 0);
	f.level = LEVEL_OK;
	f.is_emergency = true;
	assert_int_equal(filesystem_quiet_bytes(&f, &config), 0);
}

static bool keep_even(void *ctx, uint64_t dev)
{
	++*(int *)ctx;
	return dev % 2 == 0;
}

static void test_set(void **state)
{
	struct filesystems fs = {0};
	int n_asked = 0;

	(void)state;
	for (uint64_t dev = 1; dev <= 9; dev++)
		assert_int_equal(
			filesystems_add(&fs, dev, "/proc/self", NOW), 0);
	/* Known: nothing is added and nothing changed. */
	filesystems_find(&fs, 4)->level = LEVEL_CRITICAL;
	assert_int_equal(filesystems_add(&fs, 4, "/", 2 * NOW), 0);
	assert_int_equal(fs.n_items, 9);
	assert_int_equal(filesystems_find(&fs, 4)->level, LEVEL_CRITICAL);
	assert_int_equal(filesystems_find(&fs, 4)->due_boot_ns, NOW);
	/* The mount point above it, and what is mounted there. */
	assert_string_equal(fs.items[0].root_path, "/proc/self");
	assert_string_equal(fs.items[0].path, "/proc");
	assert_true(strlen(fs.items[0].device) > 0);
	filesystems_prune(&fs, keep_even, &n_asked);
	assert_int_equal(n_asked, 9);
	assert_int_equal(fs.n_items, 4);
	assert_null(filesystems_find(&fs, 3));
	assert_int_equal(filesystems_find(&fs, 4)->level, LEVEL_CRITICAL);
	assert_non_null(filesystems_find(&fs, 8));
	/* "/proc" is not above "/procession". */
	assert_int_equal(filesystems_add(&fs, 77, "/procession/x", NOW), 0);
	assert_string_not_equal(filesystems_find(&fs, 77)->path, "/proc");
	filesystems_fini(&fs);
	assert_int_equal(fs.n_items, 0);
	filesystems_fini(&fs);
}

static void assert_health(const struct filesystem *f, const char *word)
{
	assert_string_equal(filesystem_health_word(filesystem_health(f)), word);
	assert_int_equal(filesystem_is_well(f), strcmp(word, "ok") == 0);
}

static void tell(struct filesystem *f, struct mounts_health h)
{
	filesystem_take_health(f, &h, NOW);
}

/* Nothing is deleted on it before it was asked, nor after it told errors. */
static void test_health(void **state)
{
	struct filesystem f = {.is_known = true};

	(void)state;
	assert_health(&f, "unknown");
	assert_true(filesystem_wants_health(&f, NOW));
	tell(&f, (struct mounts_health){.mnt_id = 7});
	assert_health(&f, "ok");
	assert_false(filesystem_wants_health(&f, NOW + S / 2));
	assert_true(filesystem_wants_health(&f, NOW + S));
	filesystem_remounted(&f);
	assert_true(filesystem_wants_health(&f, NOW));
	tell(&f, (struct mounts_health){.mnt_id = 7, .is_read_only = true});
	assert_health(&f, "read-only");
	filesystem_accept(&f);
	assert_health(&f, "read-only");
	tell(&f, (struct mounts_health){.mnt_id = 7, .is_shut_down = true});
	assert_health(&f, "shut-down");
	filesystem_accept(&f);
	assert_health(&f, "shut-down");
}

/* What was accepted is accepted, and no more than that. */
static void test_errors(void **state)
{
	struct filesystem f = {.is_known = true};

	(void)state;
	tell(&f, (struct mounts_health){.mnt_id = 7, .n_errors = 2});
	assert_health(&f, "errors");
	filesystem_accept(&f);
	assert_health(&f, "ok");
	tell(&f, (struct mounts_health){.mnt_id = 7, .n_errors = 3});
	assert_health(&f, "errors");
	filesystem_accept(&f);
	/* Mounted anew, with the count still on the disk. */
	tell(&f, (struct mounts_health){.mnt_id = 8, .n_errors = 3});
	assert_health(&f, "errors");
}

static void test_fault(void **state)
{
	struct filesystem f = {.is_known = true, .due_boot_ns = NOW};

	(void)state;
	tell(&f, (struct mounts_health){.mnt_id = 7});
	/* That one the mount table knows better. */
	filesystem_note_fault(&f, -EROFS);
	assert_health(&f, "ok");
	assert_int_equal(f.due_boot_ns, 0);
	filesystem_note_fault(&f, -EIO);
	assert_health(&f, "errors");
	assert_true(f.is_fresh);
	tell(&f, (struct mounts_health){.mnt_id = 7});
	assert_health(&f, "errors");
	/* A fsck, and a new mount. */
	tell(&f, (struct mounts_health){.mnt_id = 8});
	assert_health(&f, "ok");
	filesystem_note_fault(&f, -EIO);
	filesystem_accept(&f);
	assert_health(&f, "ok");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_next_look),
		cmocka_unit_test(test_failed_look),
		cmocka_unit_test(test_grew),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
