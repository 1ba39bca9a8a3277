// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a plan takes: select [ENTRIES [PICKS]]. An index of that many
 * files in directories of a hundred, with random ages, uses and sizes, and
 * each strategy asked for that many of them; and the bare walk over the index,
 * below which no plan can come. Of nine runs; CPU time beside the time on the
 * wall, for machines that do other work as well.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "strategies/strategies.h"

#define NOW	1800000000
#define DAY	86400
#define RUNS	9
#define PER_DIR 100

static uint64_t seed = 42;

static uint64_t rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static uint32_t add(struct index *ix, uint32_t dir, uint32_t i, uint8_t kind)
{
	char name[32];
	int64_t born = NOW - 3600 - (int64_t)rnd(100 * DAY);
	struct index_change change = {.node = INDEX_NONE};
	struct observation o = {
		.dir = dir,
		.name_len = (uint16_t)snprintf(
			name, sizeof(name), "file-%020" PRIu32, i),
		.kind = kind,
		.name = name,
		.st =
			{
				.id = {.dev = 1,
					.ino = i + 10,
					.btime_s = born},
				.size_bytes =
					rnd(UINT64_C(1) << (10 + rnd(20))),
				.mtime_s = born,
				.atime_s = born +
					   (int64_t)rnd((uint64_t)(NOW - born)),
				.nlink = 1,
			},
	};

	o.st.used_bytes = (o.st.size_bytes + 4096) / 4096 * 4096;
	if (index_apply(ix, &o, 0, &change) < 0)
		abort();
	return change.node;
}

static struct index *fill(uint32_t n)
{
	struct index *ix = index_new();
	uint32_t roots[STYPE_CONFIG], dir = INDEX_NONE;

	for (uint16_t t = 0; ix && t < STYPE_CONFIG; t++)
		if (index_add_root(ix, (enum stype)t, stype_name((enum stype)t),
			    t, &roots[t]) < 0)
			abort();
	for (uint32_t i = 0; ix && i < n; i++) {
		if (i % PER_DIR == 0)
			dir = add(ix, roots[i / PER_DIR % STYPE_CONFIG], n + i,
				OBS_DIR);
		add(ix, dir, i, OBS_FILE);
	}
	return ix;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* The limit: every entry decoded, and nothing done with it. */
static size_t walk(const struct strategy_order *o)
{
	struct index_item items[64];
	uint32_t cursor = 0;
	size_t n = 0, got;

	while ((got = index_read(o->index, &cursor, 64, items)))
		for (size_t i = 0; i < got; i++)
			n += items[i].used_bytes == UINT64_MAX;
	return n;
}

static size_t plan(const struct strategy *s, const struct strategy_order *o)
{
	struct selection got = {0};
	size_t n;

	if (s->select(o, &got) < 0)
		abort();
	n = got.n_picks;
	selection_fini(&got);
	return n;
}

static void print_ms(uint64_t us)
{
	printf(" %6" PRIu64 ".%" PRIu64, us / 1000, us / 100 % 10);
}

static void measure(const struct strategy *s, const struct strategy_order *o)
{
	uint64_t us[RUNS], cpu_us[RUNS];
	size_t n = 0;

	for (int i = 0; i < RUNS; i++) {
		uint64_t start = now_us(CLOCK_MONOTONIC);
		uint64_t cpu_start = now_us(CLOCK_THREAD_CPUTIME_ID);

		n = s ? plan(s, o) : walk(o);
		us[i] = now_us(CLOCK_MONOTONIC) - start;
		cpu_us[i] = now_us(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
	}
	qsort(us, RUNS, sizeof(us[0]), compare);
	qsort(cpu_us, RUNS, sizeof(us[0]), compare);
	printf("%-10s %8zu", s ? s->name : "(walk)", n);
	print_ms(us[RUNS / 2]);
	print_ms(us[0]);
	print_ms(cpu_us[RUNS / 2]);
	print_ms(cpu_us[0]);
	printf("\n");
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	uint64_t picks = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000;
	struct index *ix = fill(n);
	struct rules rules = {
		.retention_s = {DAY, 7 * DAY, 90 * DAY, 365 * DAY, 30 * DAY,
			RULES_FOREVER},
		.keep_newest = {[STYPE_BACKUP] = 3},
		.min_age_s = 600,
	};
	struct goal goal = {
		.reason = GOAL_CRITICAL,
		.free_bytes = UINT64_MAX,
		.max_files = picks,
		.max_bytes = UINT64_MAX,
		.now_s = NOW,
	};
	struct strategy_order order = {
		.index = ix, .rules = &rules, .goal = &goal};

	if (!ix)
		return 1;
	printf("%" PRIu32 " entries\n", n);
	printf("strategy      picks  median   least     cpu   least (ms)\n");
	measure(NULL, &order);
	for (size_t i = 0; i < n_strategies; i++)
		measure(strategies[i], &order);
	index_free(ix);
	return 0;
}
