// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/bin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/units.h"
#include "core.h"
#include "errand.h"
#include "feed_impl.h"
#include "notice.h"
#include "trashing.h"
#include "tests/sim/walk.h"

#define MAX_COMPONENTS ARRAY_SIZE(((struct world *)NULL)->components)
#define MAX_DISKS      ARRAY_SIZE(((struct world *)NULL)->disks)

/* A component as the agent holds it. */
struct held {
	struct feed feed;
	struct feed_root roots[N_STYPES];
	struct policy policy;
	struct world *world;
	struct host_component *host;
};

struct bin {
	struct agent agent;
	struct config config;
	struct component components[MAX_COMPONENTS];
	struct held held[MAX_COMPONENTS];
	struct filesystem filesystems[MAX_DISKS];
	uint64_t next; /* number */
	size_t n_errands;
};

struct errand {
	struct errand_order order;
	struct errand_result result;
};

/* ---- what trashing.c asks of others ---- */

const char *__wrap_core_obstacle(
	const struct agent *a, const struct component *c);
void __wrap_notice_emptied(
	struct component *c, const struct cleanup_result *record);
int __wrap_errand_start(const struct cleanup_parts *parts,
	const struct errand_order *order,
	const struct errand_handlers *handlers, struct errand **ret);
struct errand *__wrap_errand_free(struct errand *e);
bool __wrap_errand_is_done(const struct errand *e);
const struct errand_order *__wrap_errand_order(const struct errand *e);
const struct errand_result *__wrap_errand_result(const struct errand *e);

const char *__wrap_core_obstacle(
	const struct agent *a mem_unused, const struct component *c mem_unused)
{
	return NULL;
}

void __wrap_notice_emptied(struct component *c mem_unused,
	const struct cleanup_result *record mem_unused)
{
}

static bool is_picked(const struct errand *e, enum stype type)
{
	for (size_t i = 0; i < e->order.n_picks; i++)
		if (e->order.picks[i].root == (uint32_t)type)
			return true;
	return false;
}

static struct thing *oldest(struct host_component *c, const struct errand *e)
{
	struct thing *found = NULL;

	for (size_t i = 0; i < c->n_things; i++) {
		struct thing *t = &c->things[i];

		if (t->number && is_picked(e, t->type) &&
			(!found || t->number < found->number))
			found = t;
	}
	return found;
}

static void tell_errand(struct held *h, const struct errand *e)
{
	const struct errand_order *o = &e->order;

	if (e->result.files)
		return;
	walk_tell_time(h->world);
	printf("  trash of %s, %s: ", h->host->name,
		goal_reason_name(o->reason));
	if (o->free_bytes)
		printf("free %" PRIu64 "MB\n", o->free_bytes >> 20);
	else
		printf("what is expired\n");
}

/* Returns why it is the last; REASON_DELETED: it is not. */
static enum reason empty_one(struct held *h, struct errand *e, struct thing *t)
{
	const struct errand_order *o = &e->order;
	struct errand_result *r = &e->result;
	int64_t at_s = trash_number_at(t->number);
	int64_t age_s = world_now_s(h->world) - at_s;
	char age[UNITS_SIZE];

	if (o->reason == GOAL_SCHEDULED &&
		age_s < (h->policy.trash_s ? h->policy.trash_s
					   : TRASH_LEFT_S)) {
		r->oldest_real_s = at_s;
		return REASON_REACHED;
	}
	if (o->free_bytes && r->bytes >= o->free_bytes)
		return REASON_REACHED;
	if (r->files >= o->max_files)
		return r->stop = REASON_LIMIT_FILES;
	tell_errand(h, e);
	printf("    %" PRIu64 " %s %" PRIu64 "MB %s, in it for %s\n",
		++r->files, t->path, t->used_bytes >> 20,
		plan_rule_word(trash_number_rule(t->number)),
		units_duration(age_s, age));
	r->bytes += t->used_bytes;
	world_remove_thing(h->host, t);
	return REASON_DELETED;
}

int __wrap_errand_start(const struct cleanup_parts *parts,
	const struct errand_order *order,
	const struct errand_handlers *handlers, struct errand **ret)
{
	struct held *h = (struct held *)parts->feed;
	struct errand *e = calloc(1, sizeof(*e));
	struct thing *t;

	if (!e)
		abort();
	e->order = *order;
	while ((t = oldest(h->host, e)) && empty_one(h, e, t) == REASON_DELETED)
		continue;
	if (e->result.files)
		printf("    freed %" PRIu64 "MB, left %" PRIu64 "MB%s\n",
			e->result.bytes >> 20,
			world_lying(h->host).used_bytes >> 20,
			e->result.stop ? ", cut by a guard rail" : "");
	h->world->bin->n_errands += e->result.files > 0;
	*ret = e;
	handlers->done(handlers->ctx, e);
	return 0;
}

struct errand *__wrap_errand_free(struct errand *e)
{
	if (e)
		free(e->order.picks);
	free(e);
	return NULL;
}

bool __wrap_errand_is_done(const struct errand *e mem_unused)
{
	return true;
}

const struct errand_order *__wrap_errand_order(const struct errand *e)
{
	return &e->order;
}

const struct errand_result *__wrap_errand_result(const struct errand *e)
{
	return &e->result;
}

/* ---- the agent, as far as it is looked at ---- */

void bin_init(struct world *w)
{
	struct bin *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->agent = (struct agent){.config = &b->config,
		.clock = &w->clock,
		.components = b->components,
		.filesystems = {.items = b->filesystems}};
	w->bin = b;
}

void bin_fini(struct world *w)
{
	for (size_t i = 0; i < MAX_COMPONENTS; i++) {
		errand_free(w->bin->components[i].errand);
		free(w->bin->held[i].feed.fast.dirs);
		free(w->bin->held[i].feed.dirs);
	}
	free(w->bin);
}

/* Everything as the story has it now. */
static void look_at_component(struct world *w, size_t i)
{
	struct host_component *host = &w->components[i];
	struct component *c = &w->bin->components[i];
	struct held *h = &w->bin->held[i];
	const struct beneath_stat ours = {.mode = S_IFDIR | 0700};

	h->world = w;
	h->host = host;
	h->policy = (struct policy){.component = host->name,
		.mode = MODE_ENFORCE,
		.priority = host->priority,
		.interval_s = host->interval_s,
		.trash_s = host->trash_s,
		.limits = host->rails,
		.n_roots = N_STYPES};
	h->feed.index = host->index;
	h->feed.roots = h->roots;
	h->feed.n_roots = N_STYPES;
	for (size_t t = 0; t < N_STYPES; t++)
		h->roots[t] = (struct feed_root){.node = host->roots[t],
			.state = ROOT_HERE,
			.id = {.dev = world_dev(host->disk[t])}};
	for (size_t t = 0; t < N_STYPES; t++)
		if (host->trash[t] != INDEX_NONE)
			feed_note_owner(&h->feed, host->trash[t], &ours);
	c->agent = &w->bin->agent;
	c->policy = &h->policy;
	c->feed = &h->feed;
	c->allocation_bytes = host->allocation_bytes;
	c->limits = host->limits;
}

static struct agent *look(struct world *w)
{
	struct agent *a = &w->bin->agent;

	a->n_components = w->n_components;
	for (size_t i = 0; i < w->n_components; i++)
		look_at_component(w, i);
	a->filesystems.n_items = w->n_disks;
	for (size_t i = 0; i < w->n_disks; i++) {
		struct filesystem *f = &a->filesystems.items[i];

		f->dev = world_dev(i);
		f->is_known = true;
		f->facts.total_bytes = w->disks[i].total_bytes;
	}
	return a;
}

static struct component *held(struct world *w, const struct host_component *c)
{
	return &w->bin->components[c - w->components];
}

void bin_restart(struct world *w)
{
	for (size_t i = 0; i < w->n_components; i++) {
		struct component *c = &w->bin->components[i];

		c->trash_due_boot_ns = c->trash_retry_boot_ns = 0;
		c->trash_wanted_bytes = 0;
	}
}

void bin_put(struct world *w, struct host_component *c, struct thing *t,
	enum plan_rule rule)
{
	uint64_t n = trash_number(clock_real_ns(&w->clock), rule);

	n = MAX_OF(n, w->bin->next + rule);
	w->bin->next = trash_number_next(n);
	world_trash_thing(w, c, t, n);
}

void bin_note_cleanup(struct world *w, struct host_component *c,
	const struct cleanup_result *r)
{
	look(w);
	trashing_note_cleanup(held(w, c), r);
}

bool bin_keep(struct world *w, struct host_component *c)
{
	size_t before = w->bin->n_errands;

	trashing_keep(look(w), held(w, c));
	return w->bin->n_errands > before;
}

int64_t bin_due(struct world *w)
{
	const struct agent *a = look(w);
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < w->n_components; i++)
		due = MIN_OF(due, trashing_due(a, &a->components[i]));
	return due;
}

/* As emergency.c asks, with a fresh look at the disk between two errands. */
void bin_relieve(struct world *w, struct disk *d)
{
	struct agent *a = look(w);
	struct filesystem *f = &a->filesystems.items[d - w->disks];
	uint64_t bytes;

	f->next_trash = 0;
	do {
		for (size_t i = 0; i < w->n_components; i++)
			a->components[i].errand =
				errand_free(a->components[i].errand);
		bytes = trigger_excess(&d->limits, world_disk_used(w, d));
	} while (bytes && trashing_relieve(a, f, bytes));
}
