// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Where news of changes come from, behind one interface: inotify, with a
 * watch a directory and a queue a component, so that one component's flood
 * overflows only its own; fanotify (fanotify.h), with one queue a filesystem.
 *
 * An event never carries state: it says "look at this name again". What it
 * may say beyond that is an access, which nothing on disk may tell later.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_NO_KEY UINT64_MAX
#define WATCH_NO_DIR UINT32_MAX

enum watch_kind {
	WATCH_LOOK, /* (dir, name) may have changed */
	WATCH_TOUCH, /* name in dir was opened, or closed: observed access */
	WATCH_SELF, /* dir itself changed or went: look at it in its parent */
	WATCH_LIST, /* events for dir came before it was bound: list again */
	WATCH_OVERFLOW, /* events were lost: nothing is certain */
	WATCH_UNMOUNT, /* the filesystem below dir went away */
};

struct watch_event {
	enum watch_kind kind;
	bool is_dir; /* the name was a directory, as far as the kernel said */
	bool is_leaving; /* LOOK: all that was said is that it went away */
	bool is_written; /* LOOK: it was made, or written to */
	bool is_closed; /* by who wrote to it; TOUCH: by whomever */
	int32_t pid; /* who did it; 0: not told */
	uint32_t dir;
	const char *name; /* "" if none; valid during the callback */
	size_t name_len;
};

/* Who gets the events; called from read, in the loop thread. */
struct watch_sink {
	void (*fn)(void *ctx, const struct watch_event *e);
	void *ctx;
};

struct watch;

struct watch_ops {
	const char *name; /* "inotify" */
	/* A watch is shared with the jobs under way (any thread): the last
	 * reference ends it. unref and close return NULL. */
	struct watch *(*ref)(struct watch *w);
	struct watch *(*unref)(struct watch *w);
	/* Loop thread: its owner's reference; nothing is told any more. */
	struct watch *(*close)(struct watch *w);
	int (*fd)(const struct watch *w);
	/*
	 * Asks for the news of an open directory. Called from any thread,
	 * before the directory is listed. ret_key identifies it in events.
	 * -ENOSPC: out of watches. -ENOENT: the directory is gone.
	 */
	int (*add)(struct watch *w, int dir_fd, uint64_t *ret_key);
	/* Loop thread: events of key mean directory dir from now on.
	 * Returns 1 if events came before, or if the watch is gone already
	 * (list it again), 0, or -ENOMEM. */
	int (*bind)(struct watch *w, uint64_t key, uint32_t dir);
	/* Loop thread: nobody will bind key (the directory was forgotten
	 * while it was being listed). A bound key is left alone. */
	void (*forget)(struct watch *w, uint64_t key);
	/* Loop thread: no more news of dir, if any were asked for. */
	void (*drop)(struct watch *w, uint32_t dir);
	/* Loop thread: hands every queued event to its sink, at most max
	 * reads. Returns the number of events, or -errno. */
	int (*read)(struct watch *w, int max);
	size_t (*count)(const struct watch *w); /* directories watched */
};

extern const struct watch_ops watch_inotify;
int watch_inotify_open(const struct watch_sink *sink, struct watch **ret);
