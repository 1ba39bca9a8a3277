// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes where inotify's records are read, and records put together from
 * any parts, while directories are bound, given up and dropped. Every event
 * is of a directory that is bound, with a name that ends; whatever is no
 * record is reported as lost.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "watch/watch.h"

#define N_DIRS 16

struct scene {
	struct watch *w;
	struct input does; /* what happens in between: see act() */
	bool is_bound[N_DIRS]; /* or has been, and was not dropped */
	int n_overflows;
};

/* One thing that the loop may do, three bytes each. */
static void act(struct scene *s)
{
	uint8_t what = input_byte(&s->does);
	uint64_t key = input_byte(&s->does);
	uint32_t dir = input_byte(&s->does) % N_DIRS;

	switch (what % 4) {
	case 0:
	case 1:
		if (watch_inotify.bind(s->w, key, dir) >= 0)
			s->is_bound[dir] = true;
		break;
	case 2:
		watch_inotify.drop(s->w, dir);
		s->is_bound[dir] = false;
		break;
	case 3:
		watch_inotify.forget(s->w, key);
		break;
	}
	must(watch_inotify.count(s->w) <= N_DIRS);
}

static void on_event(void *ctx, const struct watch_event *e)
{
	struct scene *s = ctx;

	must(strlen(e->name) == e->name_len);
	if (e->kind == WATCH_OVERFLOW) {
		must(e->dir == WATCH_NO_DIR);
		s->n_overflows++;
	} else {
		must(e->dir < N_DIRS && s->is_bound[e->dir]);
		must(e->name_len ||
			(e->kind != WATCH_LOOK && e->kind != WATCH_TOUCH));
	}
	if (s->does.left)
		act(s);
}

/* The records come from a pipe instead. */
static void feed(struct scene *s, const void *data, size_t len)
{
	int ends[2];

	must(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
	must(dup2(ends[0], watch_inotify.fd(s->w)) >= 0);
	fd_close(ends[0]);
	must(write(ends[1], data, len) == (ssize_t)len);
	must(watch_inotify.read(s->w, 4) >= 0);
	fd_close(ends[1]);
}

/* wd, mask and a name of 0 to 255 bytes, as the kernel would put them. */
static void put_record(struct input *in, struct buf *b)
{
	static const char zeros[sizeof(struct inotify_event)];
	struct inotify_event e = {.wd = (int8_t)input_byte(in)};
	const char *name;
	size_t len;

	for (int i = 0; i < 4; i++)
		e.mask = e.mask << 8 | input_byte(in);
	name = input_run(in, input_byte(in), &len);
	len = strnlen(name ? name : "", len);
	e.len = (uint32_t)(len ? (len / sizeof(e) + 1) * sizeof(e) : 0);
	must(buf_put(b, &e, sizeof(e)) == 0 && buf_put(b, name, len) == 0 &&
		buf_put(b, zeros, e.len - len) == 0);
}

/* Descriptors rise one by one, and a table is kept by them: one of 2^31 would
 * only cost memory, and time. Returns whether all of it is records. */
static bool lower_descriptors(struct buf *b)
{
	struct inotify_event e;
	size_t at = 0;

	while (b->len - at >= sizeof(e)) {
		memcpy(&e, b->data + at, sizeof(e));
		e.wd &= ~0x7fff8000;
		memcpy(b->data + at, &e, sizeof(e));
		at += sizeof(e);
		if (e.len > b->len - at || e.len % 4 ||
			(e.len && b->data[at + e.len - 1]))
			return false;
		if (e.wd <= 0 && !(e.mask & IN_Q_OVERFLOW))
			return false;
		at += e.len;
	}
	return at == b->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, MIN_OF(size, 16384)};
	buf_auto struct buf records = {0};
	struct scene s = {0};
	bool is_raw = input_byte(&in) & 1, is_good = true;
	size_t len, n_bound = input_byte(&in) % 8;

	s.does.at = input_run(&in, input_byte(&in) * 3, &len);
	s.does.left = len;
	must(watch_inotify_open(&(struct watch_sink){.fn = on_event, .ctx = &s},
		     &s.w) == 0);
	while (n_bound--)
		act(&s);
	while (!is_raw && in.left)
		put_record(&in, &records);
	if (is_raw)
		must(buf_put(&records, in.at, in.left) == 0);
	if (is_raw)
		is_good = lower_descriptors(&records);
	if (records.len > 0 && records.len <= 65536) {
		feed(&s, records.data, records.len);
		must(is_good || s.n_overflows);
	}
	watch_inotify.close(s.w);
	return 0;
}
