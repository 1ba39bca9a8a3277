// SPDX-License-Identifier: GPL-2.0-or-later
#include "sources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "core.h"
#include "loop.h"
#include "watch/fanotify.h"
#include "wire.h"

#define READS 32 /* of a group's queue a turn: about all that it holds */

static struct marked *find(const struct agent *a, uint64_t dev)
{
	struct marked *m = a->marked;

	while (m && m->dev != dev)
		m = m->next;
	return m;
}

static void marked_free(struct marked *m)
{
	wire_forget(m->agent->wire, m);
	loop_remove(m->source);
	fanotify_hub_free(m->hub);
	free(m);
}

static void forget(struct agent *a, uint64_t dev)
{
	struct marked **at = &a->marked, *m;

	while (*at && (*at)->dev != dev)
		at = &(*at)->next;
	m = *at;
	if (!m)
		return;
	*at = m->next;
	marked_free(m);
}

void sources_free(struct agent *a)
{
	while (a->marked)
		forget(a, a->marked->dev);
}

/* The turn that follows reads. */
static void on_news(void *ctx)
{
	(void)ctx;
}

/* fd: the group, borrowed. */
static int take_group(struct marked *m, int fd, bool is_by_dir)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int r = own < 0 ? -errno : fanotify_hub_new(own, is_by_dir, &m->hub);

	if (r < 0)
		return r;
	return loop_add_fd(m->agent->loop, own, on_news, m, &m->source);
}

static void on_marked(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct marked *m = ctx;
	bool is_by_dir = msg->status > 0 && msg->status & CHANNEL_MARK_BY_DIR;
	int r;

	m->error = is_by_dir ? msg->status & ~CHANNEL_MARK_BY_DIR
			     : abs(msg->status);
	if (m->error && !is_by_dir)
		return;
	r = fds[0] < 0 ? -EBADMSG : take_group(m, fds[0], is_by_dir);
	if (r < 0) {
		m->hub = fanotify_hub_free(m->hub);
		m->error = -r;
	}
}

/* Has the filesystem of this root marked. NULL: out of memory. */
static struct marked *ask(
	struct agent *a, const struct component *c, size_t root)
{
	struct channel_message msg = {.kind = CHANNEL_MARK,
		.number = c->number,
		.root = (uint16_t)root,
		.digest = a->config->digest};
	struct marked *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return NULL;
	m->agent = a;
	m->dev = feed_root(c->feed, root)->fs.dev;
	m->next = a->marked;
	a->marked = m;
	r = wire_request(a->wire, &msg, NULL, 0, on_marked, m);
	if (r < 0)
		m->error = -r;
	return m;
}

static bool may_mark(const struct agent *a)
{
	return a->config->watch == WATCH_WITH_AUTO ||
	       a->config->watch == WATCH_WITH_FANOTIFY;
}

static void begin_without(
	struct agent *a, struct component *c, size_t i, enum feed_news news)
{
	if (a->config->n_ignore_readers)
		log_note(LOG_NOTICE,
			"%s: without fanotify nothing tells who reads %s: "
			"ignoreReaders has no effect there",
			c->policy->component, c->policy->roots[i].path);
	feed_begin(c->feed, i, news, NULL);
}

static void begin(struct agent *a, struct component *c, size_t i)
{
	const struct feed_root *root = feed_root(c->feed, i);
	struct marked *m;

	if (a->config->watch == WATCH_WITH_SCAN) {
		begin_without(a, c, i, FEED_NEWS_SCAN);
		return;
	}
	/* A server that does not answer may hang a worker of ours, but not
	 * whoever marks for the warden. */
	if (root->fs.is_network || !may_mark(a)) {
		begin_without(a, c, i, FEED_NEWS_INOTIFY);
		return;
	}
	m = find(a, root->fs.dev);
	if (!m)
		m = ask(a, c, i);
	if (m && m->hub)
		feed_begin(c->feed, i, FEED_NEWS_FANOTIFY, m->hub);
	else if (!m || m->error)
		begin_without(a, c, i, FEED_NEWS_INOTIFY);
}

/* inotify's descriptor is there when the first root needs it. */
static void listen_to(struct agent *a, struct component *c)
{
	int fd = feed_fd(c->feed);

	if (!c->source && fd >= 0)
		loop_add_fd(a->loop, fd, on_news, c, &c->source);
}

/* Whose last component went: its news would wait for ever. */
static void prune(struct agent *a)
{
	struct marked *m = a->marked;

	while (m) {
		struct marked *next = m->next;

		if (m->hub && !fanotify_hub_is_used(m->hub))
			forget(a, m->dev);
		m = next;
	}
}

void sources_turn(struct agent *a)
{
	uint64_t dev;

	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];

		/* What is mounted there next may be another filesystem of the
		 * same number, which nobody has marked. */
		while (feed_take_lost(c->feed, &dev))
			forget(a, dev);
		for (size_t r = 0; r < c->policy->n_roots; r++)
			if (feed_root(c->feed, r)->is_waiting)
				begin(a, c, r);
		listen_to(a, c);
	}
	prune(a);
}

size_t sources_read(struct agent *a)
{
	int64_t now_s = clock_real_s(a->clock);
	size_t n = 0;

	for (size_t i = 0; i < a->n_components; i++)
		n += feed_read_own(a->components[i].feed, now_s);
	for (struct marked *m = a->marked; m; m = m->next) {
		int r = m->hub && fanotify_hub_is_used(m->hub)
				? fanotify_hub_read(m->hub, READS)
				: 0;

		n += r > 0 ? (size_t)r : 0;
	}
	return n;
}

void sources_hold(struct agent *a, bool is_held)
{
	for (struct marked *m = a->marked; m; m = m->next)
		if (m->source)
			loop_pause(m->source, is_held);
}

static const char *why(const struct agent *a, const struct feed_root *root)
{
	const struct marked *m = find(a, root->fs.dev);

	if (root->fs.is_network && a->config->watch != WATCH_WITH_SCAN)
		return "other hosts may write here, which no event tells";
	switch (root->news) {
	case FEED_NEWS_UNKNOWN:
		return NULL;
	case FEED_NEWS_FANOTIFY:
		if (!m || !m->error)
			return NULL;
		return m->error == EXDEV
			       ? "a subvolume is not marked as a whole, but "
				 "each directory"
			       : "this filesystem is not marked as a whole, "
				 "but each directory";
	case FEED_NEWS_SCAN:
		return may_mark(a) ? "no inotify instance is to be had"
				   : "as the configuration says";
	case FEED_NEWS_INOTIFY:
		break;
	}
	if (!may_mark(a))
		return "as the configuration says";
	switch (m ? m->error : ENOMEM) {
	case EPERM:
		return "marking a filesystem needs CAP_SYS_ADMIN";
	case EXDEV:
		return "a subvolume cannot be marked";
	case ENODEV:
	case EOPNOTSUPP:
		return "this filesystem cannot be marked";
	case EINVAL:
	case ENOSYS:
		return "this kernel cannot mark a filesystem by name";
	default:
		return "the filesystem could not be marked";
	}
}

const char *sources_reason(const struct agent *a, const struct component *c)
{
	const char *reason = NULL;

	for (size_t i = 0; !reason && i < c->policy->n_roots; i++)
		reason = why(a, feed_root(c->feed, i));
	return reason;
}
