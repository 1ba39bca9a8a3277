// SPDX-License-Identifier: GPL-2.0-or-later
/* What a deletion frees, cause by cause: shared blocks, holes, what is gone
 * already. Judged by a whole reaper on the filesystems that share blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "act/extent.h"
#include "base/fd.h"
#include "hostile/world.h"

#define MIB (UINT64_C(1) << 20)

/* xfs takes no less. */
#define WORLD_MIB 320

static struct world w;

static void each(void (*test)(void))
{
	static const char *const kinds[] = {"xfs", "btrfs"};
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!world_init(&w, kinds[i], WORLD_MIB))
			continue;
		print_message("on %s\n", kinds[i]);
		test();
		world_fini(&w);
		n++;
	}
	if (!n)
		skip();
}

#define CASE(name)                            \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		each(name);                   \
	}

/* to shares the first bytes of from; 0: all of it. */
static void share(const char *from, const char *to, uint64_t bytes)
{
	fd_auto int in = openat(w.fd, from, O_RDONLY | O_CLOEXEC);
	fd_auto int out =
		openat(w.fd, to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	struct file_clone_range range = {.src_length = bytes};

	must(in >= 0 && out >= 0);
	range.src_fd = in;
	must(fsync(in) == 0);
	must(ioctl(out, FICLONERANGE, &range) == 0);
	must(fsync(out) == 0);
}

static void append(const char *rel, uint64_t bytes)
{
	mem_autofree char *some = calloc(1, bytes);
	fd_auto int fd = openat(w.fd, rel, O_WRONLY | O_APPEND | O_CLOEXEC);

	must(fd >= 0 && some);
	memset(some, 'a', bytes);
	must(fd_write_full(fd, some, bytes) == 0);
	must(fsync(fd) == 0);
}

static struct outcome reap(const char *rel, enum plan_rule rule)
{
	mem_autofree struct outcome *o = NULL;
	size_t n;

	world_plan(&w, rel, rule);
	must(world_run(&w, &o, &n) == 0 && n == 2);
	return o[0];
}

static uint64_t free_bytes(void)
{
	struct statfs fs;

	must(syncfs(w.fd) == 0 && fstatfs(w.fd, &fs) == 0);
	return (uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize;
}

/* xfs frees what was unlinked in the background. */
static void wait_own(const char *rel)
{
	fd_auto int fd = openat(w.fd, rel, O_RDONLY | O_CLOEXEC);

	must(fd >= 0);
	for (int i = 0; i < 500 && extent_own_bytes(fd, MIB, MIB) != MIB; i++)
		usleep(10000);
}

static uint64_t wait_gain(uint64_t before, uint64_t least)
{
	for (int i = 0; i < 500 && free_bytes() < before + least; i++)
		usleep(10000);
	return mem_sub_sat(free_bytes(), before);
}

/* While a copy stands, each of the two frees nothing; the last one all. */
static void copies(void)
{
	struct outcome o;
	uint64_t before;

	world_write(&w, "one", 8 * MIB);
	share("one", "two", 0);
	o = reap("one", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "shared");
	assert_int_equal(o.freed_bytes, 0);
	assert_true(world_has(&w, "one"));
	must(unlinkat(w.fd, "two", 0) == 0);
	wait_own("one");
	before = free_bytes();
	o = reap("one", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "deleted");
	assert_int_equal(o.freed_bytes, o.used_bytes);
	assert_true(o.freed_bytes >= 8 * MIB);
	assert_true(wait_gain(before, 7 * MIB) >= 7 * MIB);
}
CASE(copies)

/* What is kept behind the end for a writer is no reason to delete a copy. */
static void behind_the_end(void)
{
	struct outcome o;
	int fd;

	world_write(&w, "one", MIB);
	share("one", "two", 0);
	fd = openat(w.fd, "one", O_WRONLY | O_CLOEXEC);
	must(fd >= 0);
	must(fallocate(fd, FALLOC_FL_KEEP_SIZE, MIB, MIB) == 0);
	close(fd);
	o = reap("one", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "shared");
	/* nor is it kept for that */
	must(unlinkat(w.fd, "two", 0) == 0);
	wait_own("one");
	o = reap("one", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "deleted");
	assert_true(o.freed_bytes >= 2 * MIB);
}
CASE(behind_the_end)

/* Room behind the end, and nothing before it. */
static void only_behind_the_end(void)
{
	fd_auto int fd =
		openat(w.fd, "one", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	must(fd >= 0 && ftruncate(fd, MIB) == 0);
	must(fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 * MIB, MIB) == 0);
	must(fsync(fd) == 0);
	assert_int_equal(extent_own_bytes(fd, MIB, MIB), MIB);
}
CASE(only_behind_the_end)

/* Past its retention it goes all the same, and nobody claims room for it. */
static void due(void)
{
	struct outcome o;

	w.policy.rules.retention_s[STYPE_CACHE] = 0;
	world_write(&w, "one", MIB);
	share("one", "two", 0);
	/* whatever rule the plan goes by */
	o = reap("one", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "deleted");
	assert_int_equal(o.freed_bytes, 0);
	assert_true(o.used_bytes >= MIB);
	wait_own("two");
	o = reap("two", PLAN_RULE_RETENTION);
	assert_string_equal(reason_word(o.reason), "deleted");
	assert_int_equal(o.freed_bytes, o.used_bytes);
}
CASE(due)

/* Half of it shared: the other half counts. */
static void half(void)
{
	struct outcome o;
	uint64_t before;

	world_write(&w, "one", 4 * MIB);
	share("one", "two", 0);
	append("two", 4 * MIB);
	before = free_bytes();
	o = reap("two", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "deleted");
	assert_in_range(o.used_bytes, 8 * MIB, 9 * MIB);
	assert_in_range(o.freed_bytes, 4 * MIB, 4 * MIB + MIB / 2);
	assert_in_range(wait_gain(before, 3 * MIB), 3 * MIB, 5 * MIB);
}
CASE(half)

/* A size of 2^40 with one block in it: that block. */
static void holes(void)
{
	struct outcome o;
	int fd;

	world_write(&w, "sparse", 4096);
	fd = openat(w.fd, "sparse", O_WRONLY | O_CLOEXEC);
	must(fd >= 0 && ftruncate(fd, (off_t)1 << 40) == 0);
	must(pwrite(fd, "x", 1, (off_t)1 << 39) == 1);
	must(fsync(fd) == 0);
	close(fd);
	o = reap("sparse", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "deleted");
	assert_in_range(o.freed_bytes, 4096, MIB);
	assert_int_equal(o.freed_bytes, o.used_bytes);
}
CASE(holes)

/* Thousands of pieces, every one shared: seen without reading all of them. */
static void pieces(void)
{
	struct outcome o;
	int fd;

	world_write(&w, "one", 1);
	fd = openat(w.fd, "one", O_WRONLY | O_CLOEXEC);
	must(fd >= 0);
	/* allocated one by one: xfs would take more for a writer */
	for (off_t i = 0; i < 2 * EXTENT_MAX; i++) {
		must(fallocate(fd, 0, i * 131072, 4096) == 0);
		must(pwrite(fd, "x", 1, i * 131072) == 1);
	}
	must(fsync(fd) == 0);
	close(fd);
	share("one", "two", 0);
	o = reap("one", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "shared");
}
CASE(pieces)

/* An emergency is over when so much came free; a component's limit is reached
 * when so much is used less. */
static void towards(void)
{
	static const enum goal_reason reasons[] = {
		GOAL_EMERGENCY, GOAL_CRITICAL};
	static const unsigned int goes[] = {4, 2};
	char rel[32];

	for (size_t k = 0; k < ARRAY_SIZE(reasons); k++) {
		mem_autofree struct outcome *o = NULL;
		unsigned int n_gone = 0;
		size_t n;

		world_write(&w, "base", MIB);
		for (int i = 0; i < 6; i++) {
			snprintf(rel, sizeof(rel), "half-%d", i);
			share("base", rel, 0);
			append(rel, MIB);
			world_plan(&w, rel, PLAN_RULE_LARGEST);
		}
		w.order.reason = reasons[k];
		w.order.free_bytes = 4 * MIB - MIB / 8;
		must(world_run(&w, &o, &n) == 0);
		for (size_t i = 0; i + 1 < n; i++)
			n_gone += o[i].reason == REASON_DELETED;
		assert_int_equal(n_gone, goes[k]);
		for (int i = 0; i < 6; i++) {
			snprintf(rel, sizeof(rel), "half-%d", i);
			unlinkat(w.fd, rel, 0);
		}
		unlinkat(w.fd, "base", 0);
	}
}
CASE(towards)

static void test_snapshot(void **state)
{
	char command[1024];
	struct outcome o;

	(void)state;
	if (!world_init(&w, "btrfs", WORLD_MIB)) {
		skip();
		return;
	}
	world_write(&w, "file", 8 * MIB);
	snprintf(command, sizeof(command),
		"sync -f %s && btrfs subvolume snapshot -r %s %s/snapshot",
		w.top, w.top, w.top);
	must(world_command("sh", "-c", command) == 0);
	o = reap("file", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "shared");
	snprintf(command, sizeof(command),
		"btrfs subvolume delete -c %s/snapshot && "
		"btrfs subvolume sync %s",
		w.top, w.top);
	must(world_command("sh", "-c", command) == 0);
	o = reap("file", PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(o.reason), "deleted");
	assert_int_equal(o.freed_bytes, o.used_bytes);
	world_fini(&w);
}

/* Where nothing can be shared nothing is asked. */
static void test_ext4(void **state)
{
	(void)state;
	if (!world_init(&w, "ext4", 32)) {
		skip();
		return;
	}
	assert_false(extent_can_be_shared(w.fd));
	assert_int_equal(extent_own_bytes(-1, 4096, 4096), 4096);
	world_fini(&w);
}

static void test_share(void **state)
{
	(void)state;
	/* nothing in it, and nothing but room behind its end */
	assert_int_equal(extent_own_bytes(-1, 0, 4096), 0);
	assert_int_equal(extent_own_bytes(-1, 4096, 0), 4096);
	assert_int_equal(extent_share(1000, 100, 0), 1000);
	assert_int_equal(extent_share(1000, 100, 100), 0);
	assert_int_equal(extent_share(1000, 100, 25), 750);
	/* compressed: fewer bytes used than mapped */
	assert_int_equal(extent_share(100, 1000, 500), 50);
	/* nothing mapped, and what cannot be */
	assert_int_equal(extent_share(512, 0, 0), 512);
	assert_int_equal(extent_share(512, 10, 11), 512);
	assert_int_equal(
		extent_share(UINT64_MAX, UINT64_MAX, 1), UINT64_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_behind_the_end),
		cmocka_unit_test(test_only_behind_the_end),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_towards),
		cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_ext4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
