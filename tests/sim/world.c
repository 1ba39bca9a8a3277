// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "act/slot.h"
#include "base/mem.h"

#define START_S	   INT64_C(1800000000)
#define BOOTED_S   5000 /* the host had been up for a while */
#define COOLDOWN_S 600

static void *need(void *p)
{
	if (!p)
		abort();
	return p;
}

void world_init(struct world *w)
{
	*w = (struct world){
		.clock = {.is_fake = true,
			.fake_real_ns = START_S * CLOCK_NS_PER_S,
			.fake_boot_ns = BOOTED_S * CLOCK_NS_PER_S},
		.start_ns = BOOTED_S * CLOCK_NS_PER_S,
		.is_time_told = true,
		.next_ino = 100,
		.alerts = need(alerts_new(COOLDOWN_S)),
		.alerts_due_ns = ALERTS_NEVER,
	};
}

static void fini_component(struct host_component *c)
{
	for (size_t i = 0; i < c->n_things; i++)
		free(c->things[i].path);
	free(c->things);
	index_free(c->index);
	free(c->name);
}

void world_fini(struct world *w)
{
	for (size_t i = 0; i < w->n_components; i++)
		fini_component(&w->components[i]);
	for (size_t i = 0; i < w->n_disks; i++)
		free(w->disks[i].name);
	w->alerts = alerts_free(w->alerts);
}

int64_t world_now_s(const struct world *w)
{
	return clock_real_s(&w->clock);
}

int64_t world_now_ns(const struct world *w)
{
	return clock_boot_ns(&w->clock);
}

struct disk *world_disk(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->n_disks; i++)
		if (strcmp(w->disks[i].name, name) == 0)
			return &w->disks[i];
	return NULL;
}

struct disk *world_add_disk(struct world *w, const char *name)
{
	struct disk *d = &w->disks[w->n_disks];

	if (w->n_disks == ARRAY_SIZE(w->disks))
		abort();
	*d = (struct disk){.name = need(strdup(name))};
	w->n_disks++;
	return d;
}

uint64_t world_dev(size_t disk)
{
	return 100 + disk;
}

uint64_t world_disk_used(const struct world *w, const struct disk *d)
{
	uint64_t used = d->others_bytes;

	for (size_t i = 0; i < w->n_components; i++) {
		const struct host_component *c = &w->components[i];

		for (size_t t = 0; t < N_STYPES; t++)
			if (&w->disks[c->disk[t]] == d)
				used += index_totals(
					c->index, INDEX_NODE_TYPE(t))
						.used_bytes;
	}
	return used;
}

struct host_component *world_component(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->n_components; i++)
		if (strcmp(w->components[i].name, name) == 0)
			return &w->components[i];
	return NULL;
}

struct host_component *world_add_component(struct world *w, const char *name)
{
	struct host_component *c = &w->components[w->n_components];

	if (w->n_components == ARRAY_SIZE(w->components))
		abort();
	*c = (struct host_component){
		.name = need(strdup(name)),
		.priority = PRIORITY_NORMAL,
		.strategy = &strategy_priority,
		.rules = {.min_age_s = 600},
		.rails = {.files = 10000,
			.share_ppm = 200000,
			.bytes_ppm = 500000,
			.filesystem_ppm = 100000},
		.index = need(index_new()),
	};
	for (int t = 0; t < N_STYPES; t++) {
		c->rules.retention_s[t] = RULES_FOREVER;
		c->trash[t] = INDEX_NONE;
		if (index_add_root(c->index, (enum stype)t,
			    stype_name((enum stype)t), (uint16_t)t,
			    &c->roots[t]) < 0)
			abort();
	}
	w->n_components++;
	return c;
}

uint64_t world_used(const struct host_component *c)
{
	return index_totals(c->index, INDEX_NODE_COMPONENT).used_bytes -
	       world_lying(c).used_bytes;
}

struct index_totals world_lying(const struct host_component *c)
{
	struct index_totals sum = {0};

	for (size_t i = 0; i < c->n_things; i++)
		if (c->things[i].number) {
			sum.files++;
			sum.used_bytes += c->things[i].used_bytes;
		}
	return sum;
}

bool world_is_on(const struct host_component *c, size_t disk)
{
	for (size_t t = 0; t < N_STYPES; t++)
		if (c->disk[t] == disk)
			return true;
	return false;
}

struct thing *world_thing(struct host_component *c, const char *path)
{
	for (size_t i = 0; i < c->n_things; i++)
		if (strcmp(c->things[i].path, path) == 0 &&
			!c->things[i].number)
			return &c->things[i];
	return NULL;
}

struct thing *world_add_thing(
	struct world *w, struct host_component *c, const char *path)
{
	struct thing t = {.path = need(strdup(path)), .ino = w->next_ino++};
	char *slash = strchr(t.path, '/');

	if (slash)
		*slash = '\0';
	if (!slash || !slash[1] || stype_parse(t.path, &t.type) < 0 ||
		mem_grow((void **)&c->things, &c->cap_things, c->n_things + 1,
			sizeof(t)) < 0) {
		free(t.path);
		return NULL;
	}
	*slash = '/';
	t.name = slash + 1;
	c->things[c->n_things] = t;
	return &c->things[c->n_things++];
}

static void apply(
	struct host_component *c, const struct thing *t, enum obs_kind kind)
{
	struct index_change change;
	struct quarantine_slot slot;
	struct observation o = {
		.dir = c->roots[t->type],
		.name = t->name,
		.kind = (uint8_t)kind,
	};
	uint8_t flags = t->flags;

	if (t->number) {
		if (!slot_name(t->number, "", t->name, &slot))
			abort();
		o.dir = c->trash[t->type];
		o.name = slot.name;
		flags |= INDEX_TRASHED;
	}
	o.name_len = (uint16_t)strlen(o.name);
	if (kind != OBS_GONE)
		o.st = (struct beneath_stat){
			.id = {.dev = world_dev(c->disk[t->type]),
				.ino = t->ino,
				.btime_s = t->btime_s},
			.size_bytes = t->used_bytes,
			.used_bytes = t->used_bytes,
			.mtime_s = t->mtime_s,
			.atime_s = t->atime_s,
			.nlink = t->is_linked ? 2 : 1,
		};
	if (index_apply(c->index, &o, flags, &change) < 0)
		abort();
}

void world_observe(struct host_component *c, const struct thing *t)
{
	apply(c, t, t->is_other ? OBS_OTHER : OBS_FILE);
}

void world_remove_thing(struct host_component *c, struct thing *t)
{
	apply(c, t, OBS_GONE);
	free(t->path);
	*t = c->things[--c->n_things];
}

static void make_trash(
	struct world *w, struct host_component *c, enum stype type)
{
	struct index_change change;
	struct observation o = {
		.dir = c->roots[type],
		.name = TRASH_NAME,
		.name_len = sizeof(TRASH_NAME) - 1,
		.kind = OBS_DIR,
		.st = {.id = {.dev = world_dev(c->disk[type]),
			       .ino = w->next_ino++}},
	};

	if (index_apply(c->index, &o, 0, &change) < 0 ||
		change.what != INDEX_DIR_ADDED)
		abort();
	c->trash[type] = change.node;
}

void world_trash_thing(struct world *w, struct host_component *c,
	struct thing *t, uint64_t number)
{
	if (c->trash[t->type] == INDEX_NONE)
		make_trash(w, c, t->type);
	apply(c, t, OBS_GONE);
	t->number = number;
	apply(c, t, OBS_FILE);
}

struct thing *world_behind(struct host_component *c, uint32_t entry)
{
	for (size_t i = 0; i < c->n_things; i++) {
		const struct thing *t = &c->things[i];
		struct index_item item;

		if (!t->number &&
			index_find(c->index, c->roots[t->type], t->name,
				strlen(t->name), &item) &&
			item.entry == entry)
			return &c->things[i];
	}
	return NULL;
}
