// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A simulated host: filesystems, components with real indexes, a fake clock.
 * The decisions are those of the agent's own pure parts (index, trigger,
 * strategies, alerts); only disks, reapers and hooks are imagined, and work
 * at once and without fault. A test program: out of memory ends it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts.h"
#include "base/clock.h"
#include "index/index.h"
#include "model/rules.h"
#include "policy/policy.h"
#include "policy/trigger.h"
#include "strategies/strategies.h"

struct bin;

struct disk {
	char *name;
	uint64_t total_bytes, others_bytes; /* used by nobody we manage */
	struct trigger_limits limits;
	enum level level;
	int64_t retry_ns;
};

struct thing { /* a file of a component */
	char *path; /* TYPE/NAME */
	const char *name; /* in path */
	enum stype type;
	uint64_t ino;
	uint64_t used_bytes;
	int64_t mtime_s, btime_s, atime_s;
	uint8_t flags;
	bool is_linked, is_other;
	uint64_t number; /* in the trash; 0: it is where it was */
};

struct host_component {
	char *name;
	enum priority priority;
	uint64_t allocation_bytes;
	struct trigger_limits limits;
	const struct strategy *strategy;
	int64_t interval_s;
	struct rules rules;
	struct limits rails;
	size_t disk[N_STYPES]; /* position of each type's filesystem */
	struct index *index;
	uint32_t roots[N_STYPES];
	uint32_t trash[N_STYPES]; /* below them; INDEX_NONE: not made yet */
	int64_t trash_s; /* 0: it has none */
	struct thing *things;
	size_t n_things, cap_things;
	enum level level;
	int64_t retry_ns, scheduled_ns;
	bool is_idle; /* the last cleanup found nothing */
};

struct world {
	struct clock clock;
	int64_t start_ns;
	bool is_time_told; /* of what happens now */
	struct bin *bin; /* bin.c's */
	struct disk disks[8];
	size_t n_disks;
	struct host_component components[16];
	size_t n_components;
	uint64_t next_ino;
	struct alerts *alerts;
	int64_t alerts_due_ns;
};

void world_init(struct world *w);
void world_fini(struct world *w);

struct disk *world_disk(struct world *w, const char *name);
struct disk *world_add_disk(struct world *w, const char *name);
uint64_t world_disk_used(const struct world *w, const struct disk *d);

struct host_component *world_component(struct world *w, const char *name);
/* An empty one, with the defaults of a policy, its roots on the first disk. */
struct host_component *world_add_component(struct world *w, const char *name);
/* Without what lies in the trash, which counts for nothing but the disk. */
uint64_t world_used(const struct host_component *c);
struct index_totals world_lying(const struct host_component *c);
bool world_is_on(const struct host_component *c, size_t disk);
uint64_t world_dev(size_t disk);

/* Not in the trash. */
struct thing *world_thing(struct host_component *c, const char *path);
/* NULL if the path is not TYPE/NAME. */
struct thing *world_add_thing(
	struct world *w, struct host_component *c, const char *path);
/* The thing as it is now is seen by the index. */
void world_observe(struct host_component *c, const struct thing *t);
void world_remove_thing(struct host_component *c, struct thing *t);
/* It moves there. */
void world_trash_thing(struct world *w, struct host_component *c,
	struct thing *t, uint64_t number);
/* The thing behind an index entry. */
struct thing *world_behind(struct host_component *c, uint32_t entry);

int64_t world_now_s(const struct world *w);
int64_t world_now_ns(const struct world *w); /* on the boot clock */
