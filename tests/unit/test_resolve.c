// SPDX-License-Identifier: GPL-2.0-or-later
/* The order of picks before their names are found. No disk is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolve.h"

#define N_FILES 6

struct bench {
	struct measure *measure;
	struct root root;
	struct policy policy;
	struct feed *feed;
	uint32_t dirs[2];
	struct pick picks[N_FILES];
};

static struct observation see(
	uint32_t dir, enum obs_kind kind, const char *name, uint64_t ino)
{
	return (struct observation){.dir = dir,
		.kind = kind,
		.name = name,
		.name_len = (uint16_t)strlen(name),
		.st = {.id = {.dev = 1, .ino = ino}, .nlink = 1}};
}

static uint32_t apply(struct bench *b, const struct observation *o)
{
	struct index_change change;

	assert_int_equal(index_apply(feed_index(b->feed), o, 0, &change), 0);
	return change.node;
}

/* Directories d and e; the files a to f in e and d by turns. */
static int set_up(void **state)
{
	struct bench *b = test_calloc(1, sizeof(*b));
	struct observation o;
	uint32_t root;

	b->root = (struct root){.path = (char *)"/r", .type = STYPE_LOGS};
	b->policy = (struct policy){.roots = &b->root, .n_roots = 1};
	assert_int_equal(measure_new(1, &b->measure), 0);
	assert_int_equal(
		feed_new(&b->policy, 7, b->measure, NULL, &b->feed), 0);
	assert_int_equal(feed_begin(b->feed, 0, FEED_NEWS_SCAN, NULL), 0);
	root = feed_root(b->feed, 0)->node;
	o = see(root, OBS_SELF, "", 1);
	apply(b, &o);
	o = see(root, OBS_DIR, "d", 2);
	b->dirs[0] = apply(b, &o);
	o = see(root, OBS_DIR, "e", 3);
	b->dirs[1] = apply(b, &o);
	for (int i = 0; i < N_FILES; i++) {
		char name[2] = {(char)('a' + i), '\0'};
		struct index_item item;

		o = see(b->dirs[(i + 1) % 2], OBS_FILE, name, 10 + (uint64_t)i);
		apply(b, &o);
		assert_true(
			index_find(feed_index(b->feed), o.dir, name, 1, &item));
		b->picks[i] = (struct pick){.entry = item.entry,
			.tag = index_entry_tag(feed_index(b->feed), item.entry),
			.age_s = i};
	}
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	feed_free(b->feed);
	measure_free(b->measure);
	test_free(b);
	return 0;
}

static void assert_order(const struct bench *b, const char *wanted)
{
	for (int i = 0; i < N_FILES; i++)
		assert_int_equal(b->picks[i].age_s, wanted[i] - '0');
}

/* By directory, and in each as it was. */
static void test_group(void **state)
{
	struct bench *b = *state;

	assert_int_equal(resolve_group(b->feed, b->picks, 0), 0);
	assert_order(b, "012345");
	/* Only as far as was asked for. */
	assert_int_equal(resolve_group(b->feed, b->picks, 3), 0);
	assert_order(b, b->dirs[0] < b->dirs[1] ? "102345" : "021345");
	assert_int_equal(resolve_group(b->feed, b->picks, N_FILES), 0);
	assert_order(b, b->dirs[0] < b->dirs[1] ? "135024" : "024135");
}

/* What is gone comes last, for the resolution to find out. */
static void test_gone(void **state)
{
	struct bench *b = *state;
	const struct observation o = see(b->dirs[1], OBS_GONE, "a", 0);

	apply(b, &o);
	assert_int_equal(resolve_group(b->feed, b->picks, N_FILES), 0);
	assert_order(b, b->dirs[0] < b->dirs[1] ? "135240" : "241350");
}

/* An entry is used again: what was picked is not the file that has it now. */
static void test_used_again(void **state)
{
	struct bench *b = *state;
	struct observation o = see(b->dirs[1], OBS_GONE, "a", 0);
	struct index_item item;

	apply(b, &o);
	o = see(b->dirs[1], OBS_FILE, "precious", 99);
	apply(b, &o);
	assert_true(index_find(
		feed_index(b->feed), o.dir, o.name, o.name_len, &item));
	assert_int_equal(item.entry, b->picks[0].entry);
	assert_int_equal(resolve_group(b->feed, b->picks, N_FILES), 0);
	assert_order(b, b->dirs[0] < b->dirs[1] ? "135240" : "241350");
}

static void note_missing(void *ctx, struct resolved *found, int error)
{
	assert_int_equal(error, 0);
	assert_int_equal(found->plan.n_items, 0);
	*(size_t *)ctx = found->n_missing;
}

/* Nobody is asked for the name of what has gone. */
static void test_nothing_to_find(void **state)
{
	struct bench *b = *state;
	struct resolve *r = NULL;
	size_t n_missing = 0;

	b->picks[0].tag ^= 1;
	assert_int_equal(resolve_start(b->feed, b->picks, 1, note_missing,
				 &n_missing, &r),
		0);
	assert_null(r);
	assert_int_equal(n_missing, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_group),
		CASE(test_gone),
		CASE(test_used_again),
		CASE(test_nothing_to_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
