// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dirty.h"

static int set_up(void **state)
{
	struct dirty *d = test_calloc(1, sizeof(*d));

	dirty_init(d);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	dirty_fini(*state);
	test_free(*state);
	return 0;
}

static void add(struct dirty *d, uint32_t dir, const char *name)
{
	assert_int_equal(dirty_add(d, dir, name, strlen(name)), 0);
}

static bool has(const struct dirty *d, uint32_t dir, const char *name)
{
	return dirty_has(d, dir, name, strlen(name));
}

static void test_once(void **state)
{
	struct dirty *d = *state;

	assert_false(has(d, 1, "a"));
	for (int i = 0; i < 1000; i++)
		add(d, 1, "a");
	assert_int_equal(d->n_items, 1);
	assert_int_equal(d->text.len, 2);
	add(d, 2, "a");
	add(d, 1, "aa");
	add(d, 1, "");
	assert_int_equal(d->n_items, 4);
	assert_true(has(d, 1, "a") && has(d, 2, "a"));
	assert_true(has(d, 1, "aa") && has(d, 1, ""));
	assert_false(has(d, 2, "aa"));
	assert_false(has(d, 1, "aaa"));
}

/* A name ends where its length says, not where its memory does. */
static void test_length(void **state)
{
	struct dirty *d = *state;

	assert_int_equal(dirty_add(d, 7, "abcdef", 3), 0);
	assert_true(has(d, 7, "abc"));
	assert_false(has(d, 7, "abcdef"));
	assert_string_equal(dirty_name(d, &d->items[0]), "abc");
}

static void test_many(void **state)
{
	struct dirty *d = *state;
	enum { N = 5000 };
	char name[16];

	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < N; i++) {
			snprintf(name, sizeof(name), "n%u", i / 5);
			add(d, i % 5, name);
		}
	assert_int_equal(d->n_items, N);
	for (uint32_t i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "n%u", i / 5);
		assert_true(has(d, i % 5, name));
		assert_false(has(d, 5 + i % 5, name));
	}
}

static void test_sort(void **state)
{
	struct dirty *d = *state;
	static const struct {
		uint32_t dir;
		const char *name;
	} in[] = {{9, "z"}, {1, "c"}, {UINT32_MAX, "m"}, {1, "a"}, {9, "y"},
		{1, "b"}},
	  out[] = {{1, "c"}, {1, "a"}, {1, "b"}, {9, "z"}, {9, "y"},
		  {UINT32_MAX, "m"}};

	dirty_sort(d);
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		add(d, in[i].dir, in[i].name);
	dirty_sort(d);
	assert_int_equal(d->n_items, ARRAY_SIZE(out));
	for (size_t i = 0; i < ARRAY_SIZE(out); i++) {
		assert_int_equal(d->items[i].dir, out[i].dir);
		assert_string_equal(dirty_name(d, &d->items[i]), out[i].name);
	}
	dirty_reset(d);
	assert_int_equal(d->n_items, 0);
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		assert_false(has(d, in[i].dir, in[i].name));
	add(d, 9, "z");
	assert_true(has(d, 9, "z"));
}

/* What a flood took is given back, and the set works on. */
static void test_flood(void **state)
{
	struct dirty *d = *state;
	char name[16];

	for (uint32_t i = 0; i < 40000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		add(d, 3, name);
	}
	dirty_reset(d);
	assert_null(d->items);
	assert_null(d->slots);
	assert_false(has(d, 3, "17"));
	add(d, 3, "17");
	assert_true(has(d, 3, "17"));
	assert_int_equal(d->n_items, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_once),
		CASE(test_length),
		CASE(test_many),
		CASE(test_sort),
		CASE(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
