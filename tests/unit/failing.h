// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Allocations that fail when they are told to: those of the library and of the
 * test itself, linked with failing_ldflags (tests/unit/failing.mk). json-c's
 * own are not among them.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* How many succeed before one fails; -1: all. */
static int failing_left = -1;

/* Set once one has failed; in shared memory where another process fails. */
static int failing_own;
static int *failing_seen = &failing_own;

static inline bool failing_now(void)
{
	if (failing_left < 0 || failing_left-- > 0)
		return false;
	*failing_seen = 1;
	return true;
}

/* What a failed allocation leaves behind: NULL, and ENOMEM. */
#define FAILING(type, name, formal, actual)          \
	type __real_##name formal;                   \
	type __wrap_##name formal;                   \
	type __wrap_##name formal                    \
	{                                            \
		if (!failing_now())                  \
			return __real_##name actual; \
		errno = ENOMEM;                      \
		return NULL;                         \
	}

FAILING(void *, malloc, (size_t size), (size))
FAILING(void *, calloc, (size_t n, size_t size), (n, size))
FAILING(void *, realloc, (void *old, size_t size), (old, size))
FAILING(void *, reallocarray, (void *old, size_t n, size_t size),
	(old, n, size))
FAILING(char *, strdup, (const char *text), (text))
FAILING(char *, strndup, (const char *text, size_t n), (text, n))

int __wrap_asprintf(char **ret, const char *format, ...);

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list ap;
	int n = -1;

	if (failing_now())
		return -1;
	va_start(ap, format);
	n = vasprintf(ret, format, ap);
	va_end(ap);
	return n;
}

/* Runs fn with one allocation more each time, until it needs no more. What it
 * returns else is -ENOMEM. Returns how many there were to fail. */
static inline int fail_everywhere(int (*fn)(void *ctx), void *ctx)
{
	for (int i = 0;; i++) {
		int r;

		*failing_seen = 0;
		failing_left = i;
		r = fn(ctx);
		failing_left = -1;
		assert_true(r == 0 || (r == -ENOMEM && *failing_seen));
		if (!*failing_seen)
			return i;
		assert_true(i < 20000);
	}
}
