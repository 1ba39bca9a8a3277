// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int mem_grow(void **array, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap ? *cap : 16;
	void *grown;

	if (want <= *cap)
		return 0;
	while (n < want) {
		if (n > SIZE_MAX / 2)
			return -ENOMEM;
		n *= 2;
	}
	/* No object may be larger; some allocators abort when asked. */
	if (n > (size_t)PTRDIFF_MAX / size)
		return -ENOMEM;
	grown = reallocarray(*array, n, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*cap = n;
	return 0;
}

int mem_grow_zeroed(void **array, size_t *cap, size_t want, size_t size)
{
	size_t before = *cap;
	int r = mem_grow(array, cap, want, size);

	if (r == 0 && *cap > before)
		memset((char *)*array + before * size, 0,
			(*cap - before) * size);
	return r;
}

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

static int buf_reserve(struct buf *b, size_t more)
{
	if (more > SIZE_MAX - b->len - 1)
		return -ENOMEM;
	return mem_grow((void **)&b->data, &b->cap, b->len + more + 1, 1);
}

int buf_put(struct buf *b, const void *data, size_t len)
{
	int r = buf_reserve(b, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_puts(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->data ? b->cap - b->len : 0;
	va_list again;
	int n, r = 0;

	va_copy(again, ap);
	/* There mostly is room, and then this was it. */
	n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, again);
	va_end(again);
	if (n < 0)
		r = -ENOMEM;
	else if ((size_t)n >= room)
		r = buf_reserve(b, (size_t)n);
	if (r < 0) {
		if (room)
			b->data[b->len] = '\0';
		return r;
	}
	if ((size_t)n >= room)
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return r;
}

int buf_read_fd(struct buf *b, int fd, size_t max)
{
	size_t start = b->len;

	for (;;) {
		size_t room;
		ssize_t n;
		int r = buf_reserve(b, 4096);

		if (r < 0)
			goto fail;
		room = b->cap - b->len - 1;
		n = read(fd, b->data + b->len, room);
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : 0;
		if (r < 0)
			goto fail;
		if (n == 0)
			break;
		b->len += (size_t)n;
		r = -EFBIG;
		if (b->len - start > max)
			goto fail;
		continue;
fail:
		b->len = start;
		if (b->data)
			b->data[start] = '\0';
		return r;
	}
	b->data[b->len] = '\0';
	return 0;
}
