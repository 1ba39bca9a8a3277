// SPDX-License-Identifier: GPL-2.0-or-later
/* Where news of the roots come from. Must not choose: feed_begin is told. */
#include "feed_impl.h"

#include <errno.h>
#include <string.h>

#include "watch/fanotify.h"

#define FEED_READS 8 /* reads of the kernel's queue a turn */

struct source *feed_source_of(const struct feed *f, uint32_t dir)
{
	return f->roots[index_root(f->index, dir)].source;
}

static struct source *find(const struct feed *f, const struct fanotify_hub *hub)
{
	struct source *s = f->sources;

	while (s && s->hub != hub)
		s = s->next;
	return s;
}

static int open_source(
	struct feed *f, struct fanotify_hub *hub, struct source *s)
{
	const struct watch_sink sink = {feed_event, f};

	s->hub = hub;
	s->ops = hub ? &watch_fanotify : &watch_inotify;
	return hub ? fanotify_port_new(hub, &sink, &s->watch)
		   : watch_inotify_open(&sink, &s->watch);
}

/* The source of a hub, or with NULL inotify: the one there is, or a new one. */
static int need_source(
	struct feed *f, struct fanotify_hub *hub, struct source **ret)
{
	struct source *s = find(f, hub);
	int r;

	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -ENOMEM;
		r = open_source(f, hub, s);
		if (r < 0) {
			free(s);
			return r;
		}
		s->next = f->sources;
		f->sources = s;
	}
	*ret = s;
	return 0;
}

static struct source *source_free(struct source *s)
{
	s->ops->close(s->watch);
	free(s);
	return NULL;
}

bool feed_is_beginning(const struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].is_probed || f->roots[i].is_waiting)
			return true;
	return false;
}

/* The last root of a hub takes the port with it; inotify's queue stays, for
 * the loop holds its descriptor. */
void feed_release(struct feed *f, struct feed_root *root)
{
	struct source *s = root->source, **at = &f->sources;

	root->source = NULL;
	root->news = FEED_NEWS_UNKNOWN;
	if (!s || --s->n_roots || !s->hub)
		return;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	source_free(s);
}

void feed_close_sources(struct feed *f)
{
	while (f->sources) {
		struct source *next = f->sources->next;

		source_free(f->sources);
		f->sources = next;
	}
}

int feed_begin(
	struct feed *f, size_t i, enum feed_news news, struct fanotify_hub *hub)
{
	struct feed_root *root = &f->roots[i];
	const struct root *place = &f->policy->roots[i];
	struct source *s = NULL;
	int r;

	if (news != FEED_NEWS_SCAN && need_source(f, hub, &s) < 0)
		news = FEED_NEWS_SCAN;
	r = index_add_root(
		f->index, place->type, place->path, (uint16_t)i, &root->node);
	if (r < 0)
		return r;
	root->is_waiting = false;
	root->news = news;
	root->source = s;
	if (s)
		s->n_roots++;
	feed_list(f, root->node);
	return 0;
}

static size_t read_source(const struct source *s)
{
	int r = s->ops->read(s->watch, FEED_READS);

	return r > 0 ? (size_t)r : 0;
}

size_t feed_read_own(struct feed *f, int64_t now_real_s)
{
	const struct source *s = find(f, NULL);

	f->now_real_s = now_real_s;
	f->now_boot_ns = clock_boot_ns(NULL);
	return s ? read_source(s) : 0;
}

void feed_read(struct feed *f, int64_t now_real_s)
{
	(void)feed_read_own(f, now_real_s);
	for (const struct source *s = f->sources; s; s = s->next)
		if (s->hub)
			(void)read_source(s);
}

int feed_fd(const struct feed *f)
{
	const struct source *s = find(f, NULL);

	return s ? s->ops->fd(s->watch) : -1;
}

/* Of what other hosts change no news come. */
static bool is_root_polled(const struct feed_root *root)
{
	return root->news == FEED_NEWS_SCAN ||
	       (root->news && root->fs.is_network);
}

bool feed_is_polled(const struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (is_root_polled(&f->roots[i]))
			return true;
	return f->counters.unwatched > 0;
}

bool feed_knows_actors(const struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].news != FEED_NEWS_FANOTIFY)
			return false;
	return true;
}

const char *feed_source(const struct feed *f)
{
	static const char *const names[] = {"scan", "inotify", "inotify+scan",
		"fanotify", "fanotify+scan", "fanotify+inotify",
		"fanotify+inotify+scan"};
	unsigned int has = 0;

	/* Bits: scan, inotify, fanotify. */
	for (size_t i = 0; i < f->n_roots; i++) {
		if (f->roots[i].news)
			has |= 1u << (f->roots[i].news - FEED_NEWS_SCAN);
		has |= is_root_polled(&f->roots[i]);
	}
	return names[has ? has - 1 : 0];
}

size_t feed_n_watches(const struct feed *f)
{
	size_t n = 0;

	for (const struct source *s = f->sources; s; s = s->next)
		n += s->ops->count(s->watch);
	return n;
}
