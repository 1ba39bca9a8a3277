// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/fanotify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "watch/early.h"
#include "watch/fanotify_record.h"
#include "watch/handles.h"

#define READ_BYTES (64 * 1024)
/* Of a name that came again it is one event, and the mask has both. */
#define LEAVING ((uint64_t)(FAN_DELETE | FAN_MOVED_FROM))

/* Of a directory that was moved away the mark can be taken back by its path
 * alone, which nobody knows. So they are left, and when there are this many
 * and as many as there are directories, all marks are made anew. */
#define MAX_STALE 10000

/* Since Linux 6.5, and newer than some headers: also where no file can be
 * opened by its handle. */
#ifndef AT_HANDLE_FID
#	define AT_HANDLE_FID 0x200
#endif

struct fanotify_hub {
	int fd;
	bool is_by_dir; /* each directory is marked */
	atomic_uint n_refs;
	struct hash_key key;
	struct early early;
	struct handles handles; /* loop thread */
	struct watch **ports; /* by number, NULL: free; loop thread */
	size_t cap_ports, n_ports;
	size_t n_marks; /* by_dir: at most so many; loop thread */
};

/* A port. */
struct watch {
	struct fanotify_hub *hub;
	struct watch_sink sink;
	uint32_t number;
	atomic_uint n_refs;
	uint64_t *hashes; /* by directory; 0: none */
	size_t n_hashes;
	size_t n_bound;
};

int fanotify_mark_dir(int group_fd, int dir_fd)
{
	return fanotify_mark(group_fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR,
		       FANOTIFY_MASK | FAN_EVENT_ON_CHILD, dir_fd, ".") < 0
		       ? -errno
		       : 0;
}

int fanotify_hub_new(int fd, bool is_by_dir, struct fanotify_hub **ret)
{
	struct fanotify_hub *h = calloc(1, sizeof(*h));

	if (!h) {
		fd_close(fd);
		return -ENOMEM;
	}
	h->fd = fd;
	h->is_by_dir = is_by_dir;
	atomic_init(&h->n_refs, 1);
	h->key = hash_key_random();
	early_init(&h->early);
	handles_init(&h->handles);
	*ret = h;
	return 0;
}

struct fanotify_hub *fanotify_hub_ref(struct fanotify_hub *h)
{
	atomic_fetch_add(&h->n_refs, 1);
	return h;
}

struct fanotify_hub *fanotify_hub_free(struct fanotify_hub *h)
{
	if (!h || atomic_fetch_sub(&h->n_refs, 1) > 1)
		return NULL;
	fd_close(h->fd);
	early_fini(&h->early);
	handles_fini(&h->handles);
	free(h->ports);
	free(h);
	return NULL;
}

bool fanotify_hub_is_used(const struct fanotify_hub *h)
{
	return h->n_ports > 0;
}

/* A number that no port has. 0 or -ENOMEM. */
static int take_number(struct fanotify_hub *h, uint32_t *ret)
{
	size_t at = 0;

	while (at < h->cap_ports && h->ports[at])
		at++;
	*ret = (uint32_t)at;
	return mem_grow_zeroed((void **)&h->ports, &h->cap_ports, at + 1,
		sizeof(struct watch *));
}

int fanotify_port_new(struct fanotify_hub *h, const struct watch_sink *sink,
	struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r = w ? take_number(h, &w->number) : -ENOMEM;

	if (r < 0) {
		free(w);
		return r;
	}
	w->hub = fanotify_hub_ref(h);
	w->sink = *sink;
	atomic_init(&w->n_refs, 1);
	h->ports[w->number] = w;
	h->n_ports++;
	*ret = w;
	return 0;
}

static struct watch *port_ref(struct watch *w)
{
	atomic_fetch_add(&w->n_refs, 1);
	return w;
}

/* The last reference, perhaps a worker's. */
static struct watch *port_unref(struct watch *w)
{
	if (!w || atomic_fetch_sub(&w->n_refs, 1) > 1)
		return NULL;
	fanotify_hub_free(w->hub);
	free(w->hashes);
	free(w);
	return NULL;
}

static void forget_all(struct watch *w)
{
	for (size_t dir = 0; dir < w->n_hashes; dir++)
		if (w->hashes[dir])
			handles_remove(&w->hub->handles, w->hashes[dir],
				w->number, (uint32_t)dir);
}

static struct watch *port_close(struct watch *w)
{
	if (!w)
		return NULL;
	forget_all(w);
	w->hub->ports[w->number] = NULL;
	w->hub->n_ports--;
	return port_unref(w);
}

static int port_fd(const struct watch *w)
{
	return w->hub->fd;
}

/* 0 stands for no directory, so it is no hash. */
static uint64_t hash_handle(
	const struct fanotify_hub *h, const void *handle, size_t len)
{
	uint64_t hash = hash_bytes(h->key, handle, len);

	return hash ? hash : 1;
}

/* The hash of a directory's handle, as its events will have it. 0: errno. */
static uint64_t hash_dir(const struct fanotify_hub *h, int dir_fd)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount_id;
	int r = name_to_handle_at(
		dir_fd, "", &u.head, &mount_id, AT_EMPTY_PATH);

	if (r < 0 && errno == EOPNOTSUPP) {
		u.head.handle_bytes = MAX_HANDLE_SZ;
		r = name_to_handle_at(dir_fd, "", &u.head, &mount_id,
			AT_EMPTY_PATH | AT_HANDLE_FID);
	}
	return r < 0 ? 0
		     : hash_handle(h, &u.head.handle_type,
			       sizeof(u.head.handle_type) +
				       u.head.handle_bytes);
}

static int port_add(struct watch *w, int dir_fd, uint64_t *ret_key)
{
	struct fanotify_hub *h = w->hub;
	uint64_t hash = hash_dir(h, dir_fd);
	int r;

	if (!hash)
		return -errno;
	r = early_add(&h->early, hash);
	if (r < 0)
		return r;
	r = h->is_by_dir ? fanotify_mark_dir(h->fd, dir_fd) : 0;
	if (r == 0)
		*ret_key = hash;
	else
		(void)early_take(&h->early, hash);
	return r;
}

static void port_drop(struct watch *w, uint32_t dir)
{
	if (dir >= w->n_hashes || !w->hashes[dir])
		return;
	handles_remove(&w->hub->handles, w->hashes[dir], w->number, dir);
	w->hashes[dir] = 0;
	w->n_bound--;
}

/* One add of key is over. True if news came meanwhile. */
static bool end_adding(struct fanotify_hub *h, uint64_t key)
{
	if (h->is_by_dir && !handles_find(&h->handles, key))
		h->n_marks++;
	return early_take(&h->early, key);
}

static int port_bind(struct watch *w, uint64_t key, uint32_t dir)
{
	bool has_news = end_adding(w->hub, key);
	int r = mem_grow_zeroed((void **)&w->hashes, &w->n_hashes,
		(size_t)dir + 1, sizeof(*w->hashes));

	if (r == 0)
		r = handles_put(&w->hub->handles, key, w->number, dir);
	if (r < 0)
		return r;
	if (w->hashes[dir] != key) {
		port_drop(w, dir);
		w->hashes[dir] = key;
		w->n_bound++;
	}
	return has_news;
}

static void port_forget(struct watch *w, uint64_t key)
{
	(void)end_adding(w->hub, key);
}

static void hand_over(struct watch *w, const struct watch_event *e)
{
	w->sink.fn(w->sink.ctx, e);
}

static void overflow(struct fanotify_hub *h)
{
	static const struct watch_event lost = {
		.kind = WATCH_OVERFLOW, .dir = WATCH_NO_DIR, .name = ""};

	for (size_t i = 0; i < h->cap_ports; i++)
		if (h->ports[i])
			hand_over(h->ports[i], &lost);
}

/* A mark goes with its directory. */
static void note_end(struct fanotify_hub *h, const struct fanotify_record *r)
{
	if ((r->mask & FAN_DELETE_SELF) && h->n_marks)
		h->n_marks--;
}

/* What happens until all directories are listed again is as if lost. */
static void renew(struct fanotify_hub *h)
{
	size_t n_known = h->handles.table.n_ids;

	if (!h->is_by_dir || h->n_marks <= 2 * n_known + MAX_STALE)
		return;
	if (fanotify_mark(h->fd, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL) < 0)
		return;
	h->n_marks = n_known;
	overflow(h);
}

/* A look goes before a touch: what is not known cannot be touched. Opening a
 * directory says nothing of use, and we do it ourselves. */
static void tell(
	struct watch *w, uint32_t dir, const struct fanotify_record *record)
{
	struct watch_event e = {
		.kind = WATCH_LOOK,
		.is_dir = record->mask & FAN_ONDIR,
		.pid = record->pid,
		.dir = dir,
		.name = record->name,
		.name_len = record->name_len,
	};

	if (strcmp(record->name, ".") == 0) {
		e.kind = WATCH_SELF;
		e.name = "";
		e.name_len = 0;
	}
	e.is_written = record->mask & (FAN_CREATE | FAN_MODIFY);
	e.is_closed = record->mask & FAN_CLOSE_WRITE;
	e.is_leaving = !(record->mask & FANOTIFY_CHANGES & ~LEAVING);
	if (record->mask & FANOTIFY_CHANGES)
		hand_over(w, &e);
	e.kind = WATCH_TOUCH;
	e.is_closed = record->mask & FAN_CLOSE;
	if ((record->mask & FANOTIFY_ACCESS) && !(record->mask & FAN_ONDIR))
		hand_over(w, &e);
}

static bool is_noise(const struct fanotify_record *record)
{
	return (record->mask & (FANOTIFY_CHANGES | FAN_ONDIR)) == FAN_ONDIR;
}

static void take_record(
	struct fanotify_hub *h, const struct fanotify_record *record)
{
	const struct handle_slot *slot;
	uint64_t hash;

	if (record->mask & FAN_Q_OVERFLOW) {
		overflow(h);
		return;
	}
	if (!record->handle || is_noise(record))
		return;
	note_end(h, record);
	hash = hash_handle(h, record->handle, record->handle_len);
	slot = handles_find(&h->handles, hash);
	if (!slot) {
		early_note(&h->early, hash);
		return;
	}
	/* A port that was closed has taken its directories with it. */
	tell(h->ports[slot->port], slot->dir, record);
}

/* Returns the number of events in the n bytes. */
static int take_batch(struct fanotify_hub *h, const char *data, size_t n)
{
	struct fanotify_record record;
	size_t at = 0;
	int count = 0, r;

	while ((r = fanotify_record_next(data, n, &at, &record)) > 0) {
		take_record(h, &record);
		count++;
	}
	/* A kernel that speaks otherwise than it was asked to. */
	if (r < 0)
		overflow(h);
	return count;
}

int fanotify_hub_read(struct fanotify_hub *h, int max)
{
	/* On the stack: idle components hold no buffer each. */
	_Alignas(struct fanotify_event_metadata) char data[READ_BYTES];
	int count = 0;

	renew(h);
	for (int i = 0; i < max; i++) {
		ssize_t n = read(h->fd, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? count : -errno;
		count += take_batch(h, data, (size_t)n);
	}
	return count;
}

static int port_read(struct watch *w, int max)
{
	return fanotify_hub_read(w->hub, max);
}

static size_t port_count(const struct watch *w)
{
	return w->n_bound;
}

const struct watch_ops watch_fanotify = {
	.name = "fanotify",
	.ref = port_ref,
	.unref = port_unref,
	.close = port_close,
	.fd = port_fd,
	.add = port_add,
	.bind = port_bind,
	.forget = port_forget,
	.drop = port_drop,
	.read = port_read,
	.count = port_count,
};
