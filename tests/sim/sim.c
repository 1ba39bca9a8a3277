// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads the story of a simulated host and tells what ullage decides: sim
 * FILE. README.md says what may happen in a story. Exit: 0, or 2 for a
 * story that is not understood.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "tests/sim/bin.h"
#include "tests/sim/line.h"
#include "tests/sim/walk.h"

struct story {
	struct world world;
	bool is_quiet; /* between { and }: things happen at once */
};

static struct trigger_limits limits_of(
	struct line *l, const char *const shares[4], uint64_t whole_bytes)
{
	return (struct trigger_limits){
		.warning_bytes =
			line_limit(l, "warning", shares[0], whole_bytes),
		.emergency_bytes = shares[1] ? line_limit(l, "emergency",
						       shares[1], whole_bytes)
					     : UINT64_MAX,
		.critical_bytes =
			line_limit(l, "critical", shares[2], whole_bytes),
		.target_bytes = line_limit(l, "target", shares[3], whole_bytes),
		.hysteresis_bytes =
			line_limit(l, "hysteresis", "2%", whole_bytes),
	};
}

static struct host_component *the_component(struct story *s, struct line *l)
{
	struct host_component *c =
		world_component(&s->world, line_argument(l, 1));

	if (!c)
		line_give_up(l, "%s: no such component", l->words[1]);
	return c;
}

static struct disk *disk_named(
	struct story *s, struct line *l, const char *name)
{
	struct disk *d = world_disk(&s->world, name);

	if (!d)
		line_give_up(l, "%s: no such filesystem", name);
	return d;
}

static void do_filesystem(struct story *s, struct line *l)
{
	static const char *const shares[] = {"85%", "90%", "95%", "80%"};
	const char *name = line_argument(l, 1);
	struct disk *d = world_disk(&s->world, name);

	if (!d)
		d = world_add_disk(&s->world, name);
	line_size(l, "total", &d->total_bytes);
	line_size(l, "others", &d->others_bytes);
	d->limits = limits_of(l, shares, d->total_bytes);
}

static void set_rules(struct story *s, struct line *l, struct host_component *c)
{
	const char *text = line_option(l, "filesystem");
	char key[32];

	for (int t = 0; t < N_STYPES; t++) {
		const char *type = stype_name((enum stype)t);
		const char *value;

		line_duration(l, type, &c->rules.retention_s[t]);
		snprintf(key, sizeof(key), "keepNewest.%s", type);
		value = line_option(l, key);
		if (value)
			c->rules.keep_newest[t] =
				(uint32_t)strtoul(value, NULL, 10);
		snprintf(key, sizeof(key), "filesystem.%s", type);
		value = line_option(l, key);
		if (value || text)
			c->disk[t] = (size_t)(disk_named(s, l,
						      value ? value : text) -
					      s->world.disks);
	}
	line_duration(l, "minAge", &c->rules.min_age_s);
	c->rules.is_config_allowed |= line_flag(l, "config-may-go");
	text = line_option(l, "age");
	if (text)
		c->rules.age_from = strcmp(text, "modified") == 0 ? AGE_MODIFIED
				    : strcmp(text, "accessed") == 0
					    ? AGE_ACCESSED
					    : AGE_BORN;
}

static void set_rails(struct line *l, struct host_component *c)
{
	const char *text = line_option(l, "limits.files");

	if (text)
		c->rails.files = strtoull(text, NULL, 10);
	text = line_option(l, "limits.share");
	if (text && units_parse_percent(text, &c->rails.share_ppm) < 0)
		line_give_up(l, "%s: not a share", text);
	text = line_option(l, "limits.bytes");
	if (text && units_parse_percent(text, &c->rails.bytes_ppm) < 0)
		line_give_up(l, "%s: not a share", text);
}

static void set_priority(struct line *l, struct host_component *c)
{
	const char *text = line_option(l, "priority");

	for (int p = PRIORITY_LOW; text && p <= PRIORITY_CRITICAL; p++)
		if (strcmp(text, priority_name((enum priority)p)) == 0) {
			c->priority = (enum priority)p;
			text = NULL;
		}
	if (text)
		line_give_up(l, "%s: no such priority", text);
}

static const struct strategy *option_strategy(
	struct line *l, const struct strategy *fallback)
{
	const char *text = line_option(l, "strategy");
	const struct strategy *found = text ? strategy_find(text) : fallback;

	if (!found)
		line_give_up(l, "%s: no such strategy", text);
	return found;
}

/* A new one, or other rules for one that is there. */
static void do_component(struct story *s, struct line *l)
{
	static const char *const shares[] = {"80%", NULL, "95%", "70%"};
	const char *name = line_argument(l, 1);
	struct host_component *c = world_component(&s->world, name);

	if (!s->world.n_disks)
		line_give_up(l, "there is no filesystem");
	if (!c)
		c = world_add_component(&s->world, name);
	line_size(l, "allocation", &c->allocation_bytes);
	c->limits = limits_of(l, shares, c->allocation_bytes);
	c->strategy = option_strategy(l, c->strategy);
	line_duration(l, "interval", &c->interval_s);
	line_duration(l, "trash", &c->trash_s);
	c->scheduled_ns =
		world_now_ns(&s->world) + c->interval_s * CLOCK_NS_PER_S;
	set_priority(l, c);
	set_rules(s, l, c);
	set_rails(l, c);
}

static void add_thing(
	struct story *s, struct line *l, const char *path, int64_t younger_s)
{
	struct host_component *c = the_component(s, l);
	int64_t age_s = 0, born_s, read_s, now_s = world_now_s(&s->world);
	struct thing *t = world_thing(c, path);

	if (!t)
		t = world_add_thing(&s->world, c, path);
	if (!t)
		line_give_up(l, "%s: not TYPE/NAME", path);
	line_duration(l, "age", &age_s);
	age_s -= younger_s;
	born_s = read_s = age_s;
	line_duration(l, "born", &born_s);
	line_duration(l, "read", &read_s);
	line_size(l, "size", &t->used_bytes);
	t->mtime_s = now_s - age_s;
	t->btime_s = now_s - born_s;
	t->atime_s = now_s - read_s;
	t->flags = (uint8_t)((line_flag(l, "protected") ? INDEX_PROTECTED : 0) |
			     (line_flag(l, "foreign") ? INDEX_FOREIGN : 0));
	t->is_linked = line_flag(l, "linked");
	t->is_other = line_flag(l, "socket");
	world_observe(c, t);
}

static void do_file(struct story *s, struct line *l)
{
	const char *path = line_argument(l, 2),
		   *count = line_option(l, "count");
	int64_t every_s = 0;
	char name[64];

	line_duration(l, "every", &every_s);
	if (!count) {
		add_thing(s, l, path, 0);
		return;
	}
	for (long i = 0; i < strtol(count, NULL, 10); i++) {
		snprintf(name, sizeof(name), "%s%ld", path, i + 1);
		add_thing(s, l, name, i * every_s);
	}
}

static struct thing *the_thing(
	struct line *l, struct host_component *c, size_t i)
{
	struct thing *t = world_thing(c, line_argument(l, i));

	if (!t)
		line_give_up(l, "%s: no such file", l->words[i]);
	return t;
}

static void do_grow(struct story *s, struct line *l)
{
	struct host_component *c = the_component(s, l);
	struct thing *t = the_thing(l, c, 2);
	uint64_t by = 0;

	line_size(l, "by", &by);
	t->used_bytes += by;
	t->mtime_s = world_now_s(&s->world);
	world_observe(c, t);
}

static void do_read(struct story *s, struct line *l)
{
	struct host_component *c = the_component(s, l);
	struct thing *t = the_thing(l, c, 2);

	index_touch(c->index, c->roots[t->type], t->name, strlen(t->name),
		world_now_s(&s->world));
}

static void do_remove(struct story *s, struct line *l)
{
	struct host_component *c = the_component(s, l);

	world_remove_thing(c, the_thing(l, c, 2));
}

static void do_advance(struct story *s, struct line *l)
{
	int64_t time_s = line_parse_duration(l, line_argument(l, 1));

	walk_advance(&s->world, time_s * CLOCK_NS_PER_S);
}

static void do_cleanup(struct story *s, struct line *l)
{
	struct host_component *c = the_component(s, l);
	struct walk_order order = {
		.reason = GOAL_MANUAL,
		.strategy = option_strategy(l, c->strategy),
		.is_forced = line_flag(l, "force"),
		.is_dry_run = line_flag(l, "dry-run"),
	};
	uint64_t target = c->limits.target_bytes;

	line_size(l, "target", &target);
	order.free_bytes = mem_sub_sat(world_used(c), target);
	walk_cleanup(&s->world, c, &order);
}

static void do_why(struct story *s, struct line *l)
{
	struct host_component *c = the_component(s, l);

	walk_why(&s->world, c, the_thing(l, c, 2));
}

static void do_silence(struct story *s, struct line *l)
{
	char *const text = l->words[1];

	line_argument(l, 1);
	if (alerts_set_silences(s->world.alerts, &text, 1) < 0)
		line_give_up(l, "%s: not KIND[:SCOPE]", text);
}

/* The agent is started again: what its state file carries over. */
static void do_restart(struct story *s, struct line *l)
{
	struct world *w = &s->world;
	struct alerts *next = alerts_new(600);
	struct alerts_now now = {world_now_ns(w), world_now_s(w)};

	for (size_t i = 0; i < alerts_n_open(w->alerts); i++) {
		struct alerts_open open = alerts_get_open(w->alerts, i);

		if (!next || alerts_restore(next, &open, now) < 0)
			line_give_up(l, "an alert is lost");
	}
	alerts_free(w->alerts);
	w->alerts = next;
	bin_restart(w);
	for (size_t i = 0; i < w->n_components; i++)
		w->components[i].level = LEVEL_OK;
	for (size_t i = 0; i < w->n_disks; i++)
		w->disks[i].level = LEVEL_OK;
}

static void do_begin(struct story *s, struct line *l mem_unused)
{
	s->is_quiet = true;
}

static void do_end(struct story *s, struct line *l mem_unused)
{
	s->is_quiet = false;
}

static const struct {
	const char *word;
	void (*act)(struct story *s, struct line *l);
} acts[] = {
	{"filesystem", do_filesystem},
	{"component", do_component},
	{"file", do_file},
	{"grow", do_grow},
	{"read", do_read},
	{"remove", do_remove},
	{"advance", do_advance},
	{"cleanup", do_cleanup},
	{"why", do_why},
	{"silence", do_silence},
	{"restart", do_restart},
	{"{", do_begin},
	{"}", do_end},
};

static void act(struct story *s, struct line *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		if (strcmp(acts[i].word, l->words[0]) != 0)
			continue;
		acts[i].act(s, l);
		for (size_t j = 1; j < l->n; j++)
			if (!l->is_used[j])
				line_give_up(
					l, "%s: not understood", l->words[j]);
		if (!s->is_quiet)
			walk_turn(&s->world);
		return;
	}
	line_give_up(l, "%s: nothing of that kind happens", l->words[0]);
}

int main(int argc, char **argv)
{
	struct story s = {0};
	struct line l = {.file = argc > 1 ? argv[1] : ""};
	FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
	char text[512];

	if (!f) {
		fprintf(stderr, "usage: sim FILE\n");
		return 2;
	}
	world_init(&s.world);
	bin_init(&s.world);
	while (fgets(text, sizeof(text), f)) {
		l.number++;
		printf("%s", text);
		line_split(&l, text);
		if (l.n)
			act(&s, &l);
	}
	fclose(f);
	bin_fini(&s.world);
	world_fini(&s.world);
	return 0;
}
