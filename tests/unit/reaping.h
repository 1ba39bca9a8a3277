// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* For tests that run a reaper over a world of their own, on each filesystem
 * that can be had here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "hostile/world.h"

/* Runs the test on each of them that can be had here. */
static const char *const kinds[] = {"tmpfs", "ext4"};
static struct world w;

static inline void each(void (*test)(void))
{
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!world_init(&w, kinds[i], 64))
			continue;
		test();
		world_fini(&w);
		n++;
	}
	if (!n)
		skip();
}

static inline const char *word(enum reason reason)
{
	return reason_word(reason);
}

#define assert_reaps(rel, expected) \
	assert_string_equal(word(world_reap(&w, rel)), expected)
/* ... and it is left where it was. */
#define assert_keeps(rel, expected)              \
	do {                                     \
		assert_reaps(rel, expected);     \
		assert_true(world_has(&w, rel)); \
	} while (0)

static inline int open_file(const char *rel, int flags)
{
	int fd = openat(w.fd, rel, flags | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

#define SOMEBODY 1234
#define ANOTHER	 1235

static inline void give(const char *rel, uid_t uid)
{
	must(fchownat(w.fd, rel, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0);
	if (strcmp(rel, ".") == 0)
		w.known.uid = uid;
}

#define CASE(name)                            \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		each(name);                   \
	}
