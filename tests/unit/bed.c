// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/bed.h"

static void apply(struct bed *b, const struct file *f)
{
	int64_t born = f->born ? f->born : f->age;
	struct index_change change;
	struct observation o = {
		.dir = b->roots[f->type + (f->is_second_root ? N_STYPES : 0)],
		.name = f->name,
		.name_len = (uint16_t)strlen(f->name),
		.kind = f->is_other ? OBS_OTHER : OBS_FILE,
		.st = {.id = {.dev = 1,
			       .ino = b->next_ino++,
			       .btime_s = born < 0 ? 0 : NOW - born},
			.size_bytes = f->used,
			.used_bytes = f->used,
			.mtime_s = NOW - f->age,
			.atime_s = NOW - (f->read ? f->read : f->age),
			.nlink = f->is_linked ? 2 : 1},
	};

	assert_int_equal(index_apply(b->ix, &o, f->flags, &change), 0);
}

int bed_setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->ix = index_new();
	assert_non_null(b->ix);
	b->next_ino = 100;
	for (uint16_t i = 0; i < 2 * N_STYPES; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/%d/%s", i / N_STYPES,
			stype_name((enum stype)(i % N_STYPES)));
		assert_int_equal(
			index_add_root(b->ix, (enum stype)(i % N_STYPES), path,
				i, &b->roots[i]),
			0);
		b->dev[i] = 10 + i / N_STYPES;
	}
	for (int t = 0; t < N_STYPES; t++)
		b->rules.retention_s[t] = RULES_FOREVER;
	b->goal = (struct goal){
		.reason = GOAL_WARNING,
		.free_bytes = UINT64_MAX,
		.max_files = UINT64_MAX,
		.max_bytes = UINT64_MAX,
		.now_s = NOW,
	};
	b->order = (struct strategy_order){
		b->ix, &b->rules, &b->goal, b->dev, 2 * N_STYPES};
	*state = b;
	return 0;
}

int bed_teardown(void **state)
{
	struct bed *b = *state;

	selection_fini(&b->got);
	index_free(b->ix);
	free(b);
	return 0;
}

struct index_item bed_find(const struct bed *b, const char *name)
{
	struct index_item item;

	for (size_t i = 0; i < 2 * N_STYPES; i++)
		if (index_find(b->ix, b->roots[i], name, strlen(name), &item))
			return item;
	fail_msg("no file %s", name);
	return item;
}

void bed_fill(struct bed *b, const struct file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		apply(b, &files[i]);
}
void bed_expect(struct bed *b, const char *strategy, const char *names)
{
	char copy[256], *rest = copy;
	size_t n = 0;

	selection_fini(&b->got);
	assert_int_equal(
		strategy_find(strategy)->select(&b->order, &b->got), 0);
	snprintf(copy, sizeof(copy), "%s", names);
	for (const char *name; (name = strsep(&rest, " "));) {
		if (!*name)
			continue;
		assert_true(n < b->got.n_picks);
		if (bed_find(b, name).entry != b->got.picks[n].entry)
			fail_msg("%s: pick %zu is not %s", strategy, n, name);
		assert_int_equal(
			selection_rank(&b->got, b->got.picks[n].entry), n + 1);
		n++;
	}
	assert_int_equal(b->got.n_picks, n);
}

void bed_expect_left(
	struct bed *b, enum reason reason, uint64_t files, uint64_t bytes)
{
	assert_int_equal(b->got.skipped.files[reason], files);
	assert_int_equal(b->got.skipped.bytes[reason], bytes);
}

uint64_t bed_count(const struct bed *b)
{
	uint64_t n = b->got.n_picks;

	for (int i = 0; i < N_REASONS; i++)
		n += b->got.skipped.files[i];
	return n;
}
