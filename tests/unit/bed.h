// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A real index filled by hand, and what a strategy is expected to make of
 * it. For the tests of strategies. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "strategies/strategies.h"

#define NOW 1800000000
#define MIN INT64_C(60)
#define H   (60 * MIN)
#define D   (24 * H)
#define K   4096

/* One file of a test. Ages in seconds before NOW; bytes used. */
struct file {
	const char *name;
	enum stype type;
	uint64_t used;
	int64_t age; /* of the contents: mtime */
	int64_t born; /* birth time; 0: as age, -1: unknown */
	int64_t read; /* atime; 0: as age */
	uint8_t flags; /* INDEX_PROTECTED, INDEX_FOREIGN */
	bool is_linked, is_other, is_second_root;
};

struct bed {
	struct index *ix;
	uint32_t roots[2 * N_STYPES]; /* first and second of each type */
	uint64_t dev[2 * N_STYPES];
	uint64_t next_ino;
	struct rules rules;
	struct goal goal;
	struct strategy_order order;
	struct selection got;
};

int bed_setup(void **state);
int bed_teardown(void **state);
/* Observes them; names are borrowed. */
void bed_fill(struct bed *b, const struct file *files, size_t n);
#define FILL(b, ...)                                    \
	bed_fill(b, (const struct file[]){__VA_ARGS__}, \
		ARRAY_SIZE(((const struct file[]){__VA_ARGS__})))
struct index_item bed_find(const struct bed *b, const char *name);
/* Runs a strategy and expects these names in this order. */
void bed_expect(struct bed *b, const char *strategy, const char *names);
/* Expects so many left for that reason. */
void bed_expect_left(
	struct bed *b, enum reason reason, uint64_t files, uint64_t bytes);
/* Files picked or left for some reason. */
uint64_t bed_count(const struct bed *b);
#define BED_TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)
