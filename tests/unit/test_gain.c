// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether deletions free anything, by figures and a clock that the test makes
 * up. What real filesystems tell is in test_reaper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>

#include "act/gain.h"
#include "base/clock.h"

#define MIB (UINT64_C(1) << 20)

static struct {
	int64_t now_ns;
	uint64_t free_bytes;
	uint64_t taken_a_look; /* by others, from one look to the next */
	uint64_t freed_by_sync;
	unsigned int n_looks, n_syncs;
	unsigned int fails_at; /* this look; 0: none */
	uint64_t blocks, lie_blocks; /* of 4 KiB; more of them free */
} disk;

int __wrap_fstatfs(int fd, struct statfs *ret);
int __wrap_syncfs(int fd);
int64_t __wrap_clock_boot_ns(const struct clock *clock);
int __wrap_clock_nanosleep(clockid_t id, int flags, const struct timespec *time,
	struct timespec *left);

int __wrap_fstatfs(int fd, struct statfs *ret)
{
	(void)fd;
	if (++disk.n_looks == disk.fails_at) {
		errno = EIO;
		return -1;
	}
	memset(ret, 0, sizeof(*ret));
	ret->f_bsize = 4096;
	ret->f_blocks = disk.blocks;
	ret->f_bfree = disk.free_bytes / 4096 + disk.lie_blocks;
	disk.free_bytes -= disk.taken_a_look;
	return 0;
}

int __wrap_syncfs(int fd)
{
	(void)fd;
	disk.n_syncs++;
	disk.free_bytes += disk.freed_by_sync;
	disk.freed_by_sync = 0;
	return 0;
}

int64_t __wrap_clock_boot_ns(const struct clock *clock)
{
	(void)clock;
	return disk.now_ns;
}

int __wrap_clock_nanosleep(clockid_t id, int flags, const struct timespec *time,
	struct timespec *left)
{
	(void)id;
	(void)flags;
	(void)left;
	disk.now_ns += time->tv_nsec;
	return 0;
}

static void begin(struct gain *g)
{
	memset(&disk, 0, sizeof(disk));
	disk.now_ns = CLOCK_NS_PER_S;
	disk.blocks = 1 << 20;
	disk.free_bytes = 1024 * MIB;
	assert_int_equal(gain_init(g, 8, 3), 0);
	assert_int_equal(g->total_bytes, 4096 * MIB);
	disk.n_looks = 0;
}

/* As many files as are judged together, of 1 MiB each, in 0.1 s. */
static void remove_some(struct gain *g)
{
	disk.now_ns += CLOCK_NS_PER_S / 10;
	for (uint64_t n = g->every; n; n--)
		gain_add(g, MIB, MIB);
}

static void test_nothing_comes_free(void **state)
{
	struct gain g;

	(void)state;
	begin(&g);
	remove_some(&g);
	remove_some(&g);
	assert_false(g.is_futile);
	remove_some(&g);
	assert_true(g.is_futile);
	assert_int_equal(g.taken_bytes, 3 * 64 * MIB);
	/* In a row. */
	begin(&g);
	remove_some(&g);
	remove_some(&g);
	disk.free_bytes += 64 * MIB;
	remove_some(&g);
	remove_some(&g);
	assert_false(g.is_futile);
}

/* Small files are judged when they are enough to be seen. */
static void test_too_little_to_tell(void **state)
{
	struct gain g;

	(void)state;
	begin(&g);
	for (int i = 0; i < 64; i++)
		gain_add(&g, 4096, 4096);
	assert_int_equal(disk.n_looks, 0);
	for (int i = 0; i < 192; i++)
		gain_add(&g, 4096, 4096);
	assert_int_equal(g.n_short, 1);
}

/* Half of it is enough, after a sync at the latest, which is dear. */
static void test_comes_free(void **state)
{
	struct gain g;

	(void)state;
	begin(&g);
	disk.free_bytes += 32 * MIB;
	remove_some(&g);
	assert_int_equal(g.n_short, 0);
	assert_int_equal(disk.n_syncs, 0);
	disk.freed_by_sync = 32 * MIB;
	remove_some(&g);
	assert_int_equal(g.n_short, 0);
	assert_int_equal(disk.n_syncs, 1);
	assert_int_equal(g.every, 256);
}

static void test_others_write(void **state)
{
	struct gain g;

	(void)state;
	/* 800 MiB a second: that explains it. */
	begin(&g);
	disk.taken_a_look = 4 * MIB;
	remove_some(&g);
	assert_int_equal(g.n_short, 0);
	/* 200 MiB a second: more than can be left out, less than is missing;
	 * nothing is told by that, and what was told before stands. */
	begin(&g);
	remove_some(&g);
	assert_int_equal(g.n_short, 1);
	disk.taken_a_look = MIB;
	remove_some(&g);
	assert_int_equal(g.n_short, 1);
	assert_int_equal(g.every, 256);
	/* 20 MiB a second are no excuse. */
	begin(&g);
	disk.taken_a_look = MIB / 10;
	remove_some(&g);
	assert_int_equal(g.n_short, 1);
}

/* What cannot be measured is not held against the deletions. */
static void test_looks_that_fail(void **state)
{
	unsigned int n_looks;
	struct gain g;

	(void)state;
	begin(&g);
	remove_some(&g);
	remove_some(&g);
	n_looks = disk.n_looks;
	assert_int_equal(n_looks, 24);
	for (unsigned int at = 1; at <= n_looks; at++) {
		begin(&g);
		disk.fails_at = at;
		remove_some(&g);
		remove_some(&g);
		assert_in_range(g.n_short, 1, 2);
	}
	disk.fails_at = disk.n_looks + 1;
	assert_int_equal(gain_init(&g, 8, 3), -EIO);
	/* Nor are figures believed that cannot be. */
	disk.lie_blocks = disk.blocks;
	assert_int_equal(gain_init(&g, 8, 3), 0);
	assert_int_equal(g.total_bytes, 0);
	disk.lie_blocks = 0;
	disk.blocks = UINT64_MAX / 2;
	assert_int_equal(gain_init(&g, 8, 3), 0);
	assert_int_equal(g.total_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_comes_free),
		cmocka_unit_test(test_too_little_to_tell),
		cmocka_unit_test(test_comes_free),
		cmocka_unit_test(test_others_write),
		cmocka_unit_test(test_looks_that_fail),
	};

	return cmocka_run_group_tests_name("gain", tests, NULL, NULL);
}
