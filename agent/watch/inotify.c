// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * News from inotify: one instance a watch, one kernel watch a directory.
 * add runs on any thread and touches the descriptor alone; the map from
 * kernel watches to directories belongs to the loop thread.
 */

#include "watch/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "watch/wdmap.h"

/* What invalidates a name, or the directory itself. */
#define CHANGES                                                            \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | \
		IN_ATTRIB | IN_CLOSE_WRITE)
#define LEAVING (IN_DELETE | IN_MOVED_FROM)
#define SELF	(IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB)
/* Who has had it open for long has used it until he closed it. */
#define ACCESS (IN_OPEN | IN_CLOSE_NOWRITE)
/* Not IN_EXCL_UNLINK: a file that was opened by O_TMPFILE counts as unlinked
 * for ever, also when it has a name, and would be written to unseen. */
#define MASK	   (CHANGES | SELF | ACCESS | IN_ONLYDIR)

#define READ_BYTES (64 * 1024)

struct watch {
	int fd;
	atomic_uint n_refs;
	struct watch_sink sink;
	struct wdmap map;
};

/* Events of one name that follow each other become one. */
struct run {
	int wd;
	uint32_t mask;
	const char *name;
	size_t len;
};

struct reader {
	struct watch *w;
	struct run run;
};

int watch_inotify_open(const struct watch_sink *sink, struct watch **ret)
{
	mem_autofree struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0)
		return -errno;
	atomic_init(&w->n_refs, 1);
	w->sink = *sink;
	*ret = mem_take(w);
	return 0;
}

static struct watch *inotify_ref(struct watch *w)
{
	atomic_fetch_add(&w->n_refs, 1);
	return w;
}

static struct watch *inotify_unref(struct watch *w)
{
	if (!w || atomic_fetch_sub(&w->n_refs, 1) > 1)
		return NULL;
	fd_close(w->fd);
	wdmap_fini(&w->map);
	free(w);
	return NULL;
}

static int inotify_fd(const struct watch *w)
{
	return w->fd;
}

/* By way of /proc, so that no path is walked a second time. */
static int inotify_add(struct watch *w, int dir_fd, uint64_t *ret_key)
{
	char path[32];
	int wd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir_fd);
	wd = inotify_add_watch(w->fd, path, MASK);
	if (wd < 0)
		return -errno;
	*ret_key = (uint64_t)wd;
	return 0;
}

static int inotify_bind(struct watch *w, uint64_t key, uint32_t dir)
{
	int old, r;

	if (key > INT_MAX)
		return -EINVAL;
	r = wdmap_bind(&w->map, (int)key, dir, &old);
	if (r >= 0 && old != WDMAP_NO_WD)
		inotify_rm_watch(w->fd, old);
	return r;
}

/* The kernel's answer does not matter: a watch that is gone is what was
 * wanted. Out of memory the map forgets a little later, with IN_IGNORED. */
static void remove_wd(struct watch *w, int wd)
{
	inotify_rm_watch(w->fd, wd);
	wdmap_kill(&w->map, wd);
}

static void inotify_forget(struct watch *w, uint64_t key)
{
	if (key <= INT_MAX && wdmap_dir(&w->map, (int)key) == WDMAP_NO_DIR)
		remove_wd(w, (int)key);
}

static void inotify_drop(struct watch *w, uint32_t dir)
{
	int wd = wdmap_wd(&w->map, dir);

	if (wd != WDMAP_NO_WD)
		remove_wd(w, wd);
}

static void hand_over(struct reader *rd, const struct run *run, uint32_t dir,
	enum watch_kind kind)
{
	struct watch_event e = {
		.kind = kind,
		.is_dir = run->mask & IN_ISDIR || kind == WATCH_SELF,
		.is_written = run->mask & (IN_CREATE | IN_MODIFY),
		.is_closed = run->mask &
			     (kind == WATCH_TOUCH ? IN_CLOSE : IN_CLOSE_WRITE),
		.is_leaving = kind == WATCH_LOOK &&
			      !(run->mask & CHANGES & ~(uint32_t)LEAVING),
		.dir = dir,
		.name = run->name,
		.name_len = run->len,
	};

	rd->w->sink.fn(rd->w->sink.ctx, &e);
}

static void hand_over_self(
	struct reader *rd, const struct run *run, uint32_t dir)
{
	if (run->mask & IN_UNMOUNT)
		hand_over(rd, run, dir, WATCH_UNMOUNT);
	else if (run->mask & SELF)
		hand_over(rd, run, dir, WATCH_SELF);
}

/* A look goes before a touch: what is not known cannot be touched. */
static void hand_over_name(
	struct reader *rd, const struct run *run, uint32_t dir)
{
	if (run->mask & CHANGES)
		hand_over(rd, run, dir, WATCH_LOOK);
	if ((run->mask & ACCESS) && !(run->mask & IN_ISDIR) &&
		wdmap_dir(&rd->w->map, run->wd) == dir)
		hand_over(rd, run, dir, WATCH_TOUCH);
}

/* The callback may drop directories: each is looked up when its turn comes. */
static void flush(struct reader *rd)
{
	struct run run = rd->run;
	uint32_t dir;

	rd->run = (struct run){0};
	if (!run.mask)
		return;
	dir = wdmap_dir(&rd->w->map, run.wd);
	if (dir == WDMAP_NO_DIR) {
		/* Without memory the directory may miss this: as if lost. */
		if ((run.mask & (CHANGES | SELF)) &&
			wdmap_note(&rd->w->map, run.wd) < 0)
			hand_over(rd, &run, WATCH_NO_DIR, WATCH_OVERFLOW);
	} else if (run.len) {
		hand_over_name(rd, &run, dir);
	} else {
		hand_over_self(rd, &run, dir);
	}
}

/* Opening a directory says nothing of use, and we do it ourselves. */
static bool is_noise(const struct inotify_event *e)
{
	return !(e->mask & ~(uint32_t)(ACCESS | IN_ISDIR)) &&
	       (e->len == 0 || (e->mask & IN_ISDIR));
}

static void take_event(struct reader *rd, const struct inotify_event *e)
{
	struct run *run = &rd->run;
	const char *name = e->len ? e->name : "";
	size_t len = strlen(name);

	if (is_noise(e))
		return;
	if (run->mask && run->wd == e->wd && run->len == len &&
		!((run->mask ^ e->mask) & IN_ISDIR) &&
		!memcmp(run->name, name, len)) {
		run->mask |= e->mask;
		return;
	}
	flush(rd);
	*run = (struct run){e->wd, e->mask, name, len};
}

static void take_overflow(struct reader *rd)
{
	static const struct run nothing = {.name = ""};

	flush(rd);
	hand_over(rd, &nothing, WATCH_NO_DIR, WATCH_OVERFLOW);
}

static void take_any(struct reader *rd, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW) {
		take_overflow(rd);
	} else if (e->mask & IN_IGNORED) {
		flush(rd);
		wdmap_kill(&rd->w->map, e->wd);
	} else {
		take_event(rd, e);
	}
}

/* Is there a whole record at the front of n bytes? */
static bool is_whole(const struct inotify_event *e, size_t n)
{
	if (n < sizeof(*e) || e->len > n - sizeof(*e) ||
		e->len % _Alignof(struct inotify_event))
		return false;
	if (e->len && e->name[e->len - 1])
		return false;
	return e->wd > 0 || e->mask & IN_Q_OVERFLOW;
}

/* Returns the number of events in the n bytes. What makes no sense cannot be
 * skipped, for its length is not known: the rest is as if lost. */
static int take_batch(struct reader *rd, const char *data, size_t n)
{
	int count = 0;

	for (size_t at = 0; at < n; count++) {
		const struct inotify_event *e = (const void *)(data + at);

		if (!is_whole(e, n - at)) {
			take_overflow(rd);
			return count + 1;
		}
		take_any(rd, e);
		at += sizeof(*e) + e->len;
	}
	flush(rd);
	return count;
}

static int inotify_read(struct watch *w, int max)
{
	/* On the stack: seven idle components hold no buffer each. */
	_Alignas(struct inotify_event) char data[READ_BYTES];
	struct reader rd = {.w = w};
	int count = 0;

	for (int i = 0; i < max; i++) {
		ssize_t n = read(w->fd, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? count : -errno;
		count += take_batch(&rd, data, (size_t)n);
		/* With room for one more left over, there was none. */
		if ((size_t)n + sizeof(struct inotify_event) + NAME_MAX + 1 <=
			sizeof(data))
			break;
	}
	return count;
}

static size_t inotify_count(const struct watch *w)
{
	return w->map.n_bound;
}

const struct watch_ops watch_inotify = {
	.name = "inotify",
	.ref = inotify_ref,
	.unref = inotify_unref,
	.close = inotify_unref,
	.fd = inotify_fd,
	.add = inotify_add,
	.bind = inotify_bind,
	.forget = inotify_forget,
	.drop = inotify_drop,
	.read = inotify_read,
	.count = inotify_count,
};
