// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Ownership of memory and small containers.
 *
 * Error convention of the whole program: a function that can fail returns
 *   0               done
 *   -errno          this operation failed; hand it on
 *   positive X_E_*  a named condition that the direct caller handles
 * Outputs are called ret_*, come last, and are untouched on failure.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define mem_cleanup(f) __attribute__((cleanup(f)))
#define mem_autofree   mem_cleanup(mem_freep)
#define mem_unused     __attribute__((unused))
/* b is 0 where the arguments come as a va_list. */
#define mem_printf(a, b) __attribute__((format(printf, a, b)))

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)	 ((a) > (b) ? (a) : (b))

/* Hands a pointer over: yields it and leaves NULL behind. */
#define mem_take(p)                             \
	({                                      \
		__typeof__(p) mem_taken_ = (p); \
		(p) = NULL;                     \
		mem_taken_;                     \
	})

static inline void mem_freep(void *p)
{
	free(*(void **)p);
}

/*
 * Grows an array so that it holds at least want elements of size bytes
 * (doubling). *cap and *array are untouched on failure.
 * Returns 0 or -ENOMEM.
 */
int mem_grow(void **array, size_t *cap, size_t want, size_t size);
/* The same, and what is new is zero. */
int mem_grow_zeroed(void **array, size_t *cap, size_t want, size_t size);

/* Saturating sum: sizes come from disk and may be hostile. */
static inline uint64_t mem_add_sat(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* a - b, never below zero. */
static inline uint64_t mem_sub_sat(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* a * b / c without overflow of the product; c > 0. */
static inline uint64_t mem_mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 r = (unsigned __int128)a * b / c;

	return r > UINT64_MAX ? UINT64_MAX : (uint64_t)r;
}

/* A growable run of bytes; data[len] is always NUL once something was put. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

#define buf_auto mem_cleanup(buf_fini)

void buf_fini(struct buf *b);
/* Empties it, keeps the memory. */
void buf_reset(struct buf *b);
/* All return 0 or -ENOMEM; on failure the contents are unchanged. */
int buf_put(struct buf *b, const void *data, size_t len);
int buf_puts(struct buf *b, const char *s);
int buf_printf(struct buf *b, const char *fmt, ...) mem_printf(2, 3);
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) mem_printf(2, 0);
/* Reads fd to its end, at most max bytes. -EFBIG if there is more. */
int buf_read_fd(struct buf *b, int fd, size_t max);
