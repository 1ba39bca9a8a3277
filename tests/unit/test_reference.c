// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random indexes, rules and goals, every strategy, against a reference that
 * knows nothing of the index's coding nor of bounded selection: it judges
 * each file by the rules in the order in which they are written down, sorts
 * everything and walks. REFERENCE_SEED runs a single seed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/bed.h"

#define N_FILES	  10000
#define N_SEEDS	  200
#define NAME_SIZE 16

struct fact {
	struct file file;
	char name[NAME_SIZE];
	uint32_t entry;
	int64_t age_s; /* by the rules */
	enum reason reason; /* why it stays, or DELETED: a candidate */
	uint8_t step;
};

struct expected {
	const struct fact *picks[N_FILES];
	size_t n_picks;
	uint64_t bytes;
	struct skipped skipped;
	bool is_cut;
};

static uint64_t seed;
static struct fact facts[N_FILES], *sorted[N_FILES];
static struct expected expected;
static int strategy_number; /* position in the table */
static uint64_t running; /* seed */

static uint64_t rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static bool chance(uint64_t percent)
{
	return rnd(100) < percent;
}

/* Few different values, so that there are many ties. */
static void invent_files(struct bed *b)
{
	for (int i = 0; i < N_FILES; i++) {
		struct fact *f = &facts[i];

		*f = (struct fact){0};
		snprintf(f->name, sizeof(f->name), "f%d", i);
		f->file = (struct file){
			.name = f->name,
			.type = (enum stype)rnd(N_STYPES),
			.used = rnd(30) * K << rnd(4),
			.age = (int64_t)rnd(1000) * H - 2 * H,
			.born = chance(20) ? -1 : (int64_t)rnd(900) * H + 1,
			.read = chance(50) ? 0 : (int64_t)rnd(1000) * H + 1,
			.flags = chance(5)   ? INDEX_PROTECTED
				 : chance(5) ? INDEX_FOREIGN
					     : 0,
			.is_linked = chance(3),
			.is_other = chance(3),
			.is_second_root = chance(30),
		};
		bed_fill(b, &f->file, 1);
		f->entry = bed_find(b, f->name).entry;
	}
}

static uint64_t some(uint64_t n)
{
	return chance(20) ? UINT64_MAX - 1 : rnd(n);
}

static void invent_order(struct bed *b)
{
	for (int t = 0; t < N_STYPES; t++) {
		b->rules.retention_s[t] =
			chance(20) ? RULES_FOREVER : (int64_t)rnd(1000) * H;
		b->rules.keep_newest[t] = chance(50) ? 0 : (uint32_t)rnd(300);
	}
	b->rules.min_age_s = (int64_t)rnd(100) * H;
	b->rules.age_from = (enum age_from)rnd(3);
	b->rules.is_config_allowed = chance(50);
	b->goal.reason = (enum goal_reason)rnd(GOAL_MANUAL + 1);
	b->goal.free_bytes = chance(20) ? 0 : some(N_FILES * 40 * K);
	b->goal.dev = chance(60) ? 0 : 10 + rnd(2);
	b->goal.max_files = 1 + some(chance(50) ? 300 : N_FILES);
	b->goal.max_bytes = 1 + some(N_FILES * 40 * K);
}

static int64_t past(int64_t age_s)
{
	return MAX_OF(age_s, 0);
}

static int64_t birth_age(const struct file *f)
{
	return f->born > 0 ? MIN_OF(f->age, f->born) : f->age;
}

static int64_t use_age(const struct file *f)
{
	return f->read ? MIN_OF(f->read, f->age) : f->age;
}

static enum reason reference_judge(const struct bed *b, const struct fact *f)
{
	const struct file *file = &f->file;
	int64_t youngest = MIN_OF(birth_age(file), use_age(file));

	if (file->is_other)
		return REASON_SPECIAL;
	if (file->flags == INDEX_PROTECTED)
		return REASON_PROTECTED;
	if (file->flags == INDEX_FOREIGN)
		return REASON_OWNER;
	if (file->is_linked)
		return REASON_LINKED;
	if (b->goal.dev == (file->is_second_root ? 10 : 11))
		return REASON_MOUNT;
	if (file->type == STYPE_CONFIG && (b->goal.reason != GOAL_EMERGENCY ||
						  !b->rules.is_config_allowed))
		return REASON_CONFIG;
	if (past(youngest) < b->rules.min_age_s)
		return REASON_YOUNG;
	return REASON_DELETED;
}

/* The age that the rules count; past() would make the future all one. */
static int64_t raw_age(const struct rules *rules, const struct file *f)
{
	switch (rules->age_from) {
	case AGE_MODIFIED:
		return f->age;
	case AGE_ACCESSED:
		return use_age(f);
	case AGE_BORN:
		break;
	}
	return birth_age(f);
}

static const struct rules *sorted_by;

static int by_age(const void *a, const void *b)
{
	const struct fact *x = *(struct fact *const *)a;
	const struct fact *y = *(struct fact *const *)b;
	int64_t ages[] = {
		raw_age(sorted_by, &x->file), raw_age(sorted_by, &y->file)};

	if (ages[0] != ages[1])
		return ages[0] < ages[1] ? -1 : 1;
	return x->entry < y->entry ? -1 : 1;
}

static bool is_stay(enum reason r)
{
	return r == REASON_SPECIAL || r == REASON_PROTECTED ||
	       r == REASON_OWNER || r == REASON_LINKED;
}

static void reference_newest(const struct bed *b)
{
	uint32_t n[N_STYPES] = {0};

	for (size_t i = 0; i < N_FILES; i++)
		sorted[i] = &facts[i];
	sorted_by = &b->rules;
	qsort(sorted, N_FILES, sizeof(sorted[0]), by_age);
	for (size_t i = 0; i < N_FILES; i++) {
		struct fact *f = sorted[i];

		if (is_stay(f->reason) ||
			n[f->file.type]++ >= b->rules.keep_newest[f->file.type])
			continue;
		if (f->reason == REASON_DELETED)
			f->reason = REASON_NEWEST;
	}
}

static bool is_due(const struct bed *b, const struct fact *f)
{
	int64_t retention_s = b->rules.retention_s[f->file.type];

	return retention_s != RULES_FOREVER && f->age_s >= retention_s;
}

enum { TIME, SIZE, LRU, PRIORITY, ADAPTIVE };

/* Which step of the adaptive strategy takes it. */
static uint8_t reference_step(const struct bed *b, const struct fact *f)
{
	if (is_due(b, f))
		return 1;
	if (f->file.type == STYPE_TEMP || f->file.type == STYPE_CACHE)
		return 3;
	return f->file.type == STYPE_LOGS ? 4 : 5;
}

/* By what order a file stands, and in which part of the sequence. */
static int order_of(const struct fact *f)
{
	static const int of_step[] = {0, TIME, 0, LRU, SIZE, PRIORITY};

	return strategy_number == ADAPTIVE ? of_step[f->step] : strategy_number;
}

static enum reason reference_leave(const struct bed *b, const struct fact *f)
{
	bool is_by_age = strategy_number == TIME ||
			 (strategy_number == ADAPTIVE && f->step == 1);

	if (f->file.type == STYPE_CONFIG &&
		(strategy_number == SIZE || strategy_number == LRU))
		return REASON_CONFIG;
	if ((is_by_age || b->goal.free_bytes == 0) && !is_due(b, f))
		return REASON_RETAINED;
	if (!is_by_age && b->goal.free_bytes && f->file.used == 0)
		return REASON_FUTILE;
	if (f->file.used > b->goal.max_bytes)
		return REASON_LIMIT_BYTES;
	return REASON_DELETED;
}

static int more(int64_t a, int64_t b)
{
	return a > b ? -1 : a < b;
}

static int in_order(const void *a, const void *b)
{
	const struct fact *x = *(struct fact *const *)a;
	const struct fact *y = *(struct fact *const *)b;
	int c = more(y->step, x->step);

	if (!c && order_of(x) == SIZE)
		c = more((int64_t)x->file.used, (int64_t)y->file.used);
	if (!c && order_of(x) == LRU)
		c = more(past(use_age(&x->file)), past(use_age(&y->file)));
	if (!c && order_of(x) == PRIORITY)
		c = more(y->file.type, x->file.type);
	if (!c)
		c = more(x->age_s, y->age_s);
	if (!c)
		c = more((int64_t)x->file.used, (int64_t)y->file.used);
	return c ? c : more(y->entry, x->entry);
}

static void leave(enum reason reason, uint64_t bytes)
{
	expected.skipped.files[reason]++;
	expected.skipped.bytes[reason] += bytes;
}

static void reference_walk(const struct bed *b, size_t n)
{
	const struct goal *g = &b->goal;
	enum reason end = REASON_DELETED;

	for (size_t i = 0; i < n; i++) {
		const struct fact *f = sorted[i];
		bool is_wanted = strategy_number == TIME ||
				 g->free_bytes == 0 || f->step == 1 ||
				 expected.bytes < g->free_bytes;

		if (end == REASON_DELETED)
			end = !is_wanted ? REASON_REACHED
			      : expected.n_picks >= g->max_files
				      ? REASON_LIMIT_FILES
			      : expected.bytes + f->file.used > g->max_bytes
				      ? REASON_LIMIT_BYTES
				      : REASON_DELETED;
		if (end == REASON_DELETED) {
			expected.picks[expected.n_picks++] = f;
			expected.bytes += f->file.used;
		} else {
			leave(end, f->file.used);
		}
	}
	expected.is_cut =
		end == REASON_LIMIT_FILES ||
		(expected.skipped.files[REASON_LIMIT_BYTES] &&
			(end == REASON_LIMIT_BYTES || g->free_bytes == 0 ||
				expected.bytes < g->free_bytes));
}

static void reference_select(struct bed *b)
{
	size_t n = 0;

	memset(&expected, 0, sizeof(expected));
	for (size_t i = 0; i < N_FILES; i++) {
		struct fact *f = &facts[i];
		enum reason reason = f->reason;

		f->step =
			strategy_number == ADAPTIVE ? reference_step(b, f) : 0;
		if (reason == REASON_DELETED)
			reason = reference_leave(b, f);
		if (reason == REASON_DELETED)
			sorted[n++] = f;
		else
			leave(reason, f->file.used);
	}
	/* Without a target every strategy goes by age. */
	if (b->goal.free_bytes == 0 && strategy_number != ADAPTIVE) {
		int saved = strategy_number;

		strategy_number = TIME;
		qsort(sorted, n, sizeof(sorted[0]), in_order);
		strategy_number = saved;
	} else {
		qsort(sorted, n, sizeof(sorted[0]), in_order);
	}
	reference_walk(b, n);
}

/* What differs, or NULL. */
static const char *difference(const struct bed *b)
{
	const struct skipped *left = &b->got.skipped;

	if (b->got.n_picks != expected.n_picks)
		return "number of picks";
	for (size_t i = 0; i < expected.n_picks; i++) {
		const struct fact *f = expected.picks[i];
		const struct pick *p = &b->got.picks[i];

		if (p->entry != f->entry)
			return "order";
		if (p->used_bytes != f->file.used || p->age_s != f->age_s ||
			p->step != f->step)
			return "what is said of a pick";
	}
	if (b->got.estimated_bytes != expected.bytes)
		return "bytes";
	if (memcmp(left, &expected.skipped, sizeof(*left)) != 0)
		return "what is left, and why";
	if (b->got.is_cut != expected.is_cut)
		return "whether it is cut";
	return bed_count(b) != N_FILES ? "account of files" : NULL;
}

static void compare(struct bed *b)
{
	const struct strategy *s = strategies[strategy_number];
	const char *what;

	selection_fini(&b->got);
	assert_int_equal(s->select(&b->order, &b->got), 0);
	what = difference(b);
	if (what)
		fail_msg("seed %" PRIu64 ", %s: %s", running, s->name, what);
}

/* What why says of some of them is what became of them. */
static void compare_judgements(struct bed *b)
{
	for (int i = 0; i < 30; i++) {
		const struct fact *f = &facts[rnd(N_FILES)];
		enum reason wanted = f->reason == REASON_DELETED
					     ? reference_leave(b, f)
					     : f->reason;
		struct index_item item;
		int64_t age_s;
		enum reason got;

		assert_true(index_get(b->ix, f->entry, &item));
		got = strategy_judge_by(
			strategies[strategy_number], &b->order, &item, &age_s);
		assert_int_equal(age_s, f->age_s);
		if (got != wanted)
			fail_msg("seed %" PRIu64 ", %s: why says %s, not %s",
				running, strategies[strategy_number]->name,
				reason_word(got), reason_word(wanted));
	}
}

static void one_world(uint64_t number)
{
	struct bed *b;
	void *state;

	seed = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
	assert_int_equal(bed_setup(&state), 0);
	b = state;
	invent_files(b);
	for (int orders = 0; orders < 2; orders++) {
		invent_order(b);
		for (size_t i = 0; i < N_FILES; i++) {
			facts[i].age_s =
				past(raw_age(&b->rules, &facts[i].file));
			facts[i].reason = reference_judge(b, &facts[i]);
		}
		reference_newest(b);
		for (strategy_number = TIME; strategy_number <= ADAPTIVE;
			strategy_number++) {
			reference_select(b);
			compare(b);
			compare_judgements(b);
		}
	}
	bed_teardown(&state);
}

static void equals_the_reference(void **state mem_unused)
{
	const char *only = getenv("REFERENCE_SEED");

	if (only) {
		running = strtoull(only, NULL, 10);
		one_world(running);
		return;
	}
	for (uint64_t i = 0; i < N_SEEDS; i++) {
		running = i;
		one_world(i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
