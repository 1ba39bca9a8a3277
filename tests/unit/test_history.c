// SPDX-License-Identifier: GPL-2.0-or-later
/* What is kept of the past, bounded: history.c and deletions.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deletions.h"
#include "history.h"

#define NOW INT64_C(1800000000)
#define G   (UINT64_C(1) << 30)

static int set_up(void **state)
{
	struct history *h = test_calloc(1, sizeof(*h));

	assert_int_equal(history_init(h), 0);
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	history_fini(*state);
	test_free(*state);
	return 0;
}

static void sample(
	struct history *h, const char *name, int64_t ago_s, uint64_t used)
{
	struct sample s = {.at_real_s = NOW - ago_s, .used_bytes = used};

	snprintf(s.component, sizeof(s.component), "%s", name);
	history_add_sample(h, &s);
}

static void test_cleanups_bounded(void **state)
{
	struct history *h = *state;

	for (uint64_t i = 0; i < HISTORY_CLEANUPS + 7; i++)
		history_add_cleanup(h, &(struct cleanup_result){.id = i});
	assert_int_equal(h->n_cleanups, HISTORY_CLEANUPS);
	for (size_t i = 0; i < HISTORY_CLEANUPS; i++)
		assert_int_equal(h->cleanups[i].id, i + 7);
}

/* Each a deep copy; the sanitizer sees to it that the oldest are freed. */
static void test_alerts_bounded(void **state)
{
	struct history *h = *state;
	char scope[32], message[32];
	struct alert a = {.scope = scope, .message = message};

	for (uint64_t i = 0; i < HISTORY_ALERTS + 7; i++) {
		a.id = i;
		snprintf(scope, sizeof(scope), "component/c%d", (int)i);
		snprintf(message, sizeof(message), "message %d", (int)i);
		history_add_alert(h, &a);
	}
	assert_int_equal(h->n_alerts, HISTORY_ALERTS);
	assert_int_equal(h->alerts[0].id, 7);
	assert_string_equal(h->alerts[0].scope, "component/c7");
	assert_string_equal(h->alerts[0].message, "message 7");
	assert_int_equal(h->alerts[HISTORY_ALERTS - 1].id, HISTORY_ALERTS + 6);
}

static void test_samples_bounded(void **state)
{
	struct history *h = *state;

	for (uint64_t i = 0; i < HISTORY_SAMPLES + 3; i++)
		sample(h, "web", 0, i);
	assert_int_equal(h->n_samples, HISTORY_SAMPLES);
	assert_int_equal(h->samples[0].used_bytes, 3);
	assert_int_equal(h->samples[HISTORY_SAMPLES - 1].used_bytes,
		HISTORY_SAMPLES + 2);
}

static void test_growth(void **state)
{
	struct history *h = *state;

	assert_int_equal(history_growth(h, "web", NOW), 0);
	/* Older than a day: not counted. */
	sample(h, "web", 86401, 0);
	sample(h, "web", 7200, 10 * G);
	assert_int_equal(history_growth(h, "web", NOW), 0);
	/* Another component's: not counted. */
	sample(h, "db", 7200, 50 * G);
	sample(h, "web", 0, 14 * G);
	sample(h, "db", 0, 20 * G);
	assert_int_equal(history_growth(h, "web", NOW), 2 * G);
	assert_int_equal(history_growth(h, "db", NOW), 0);
	assert_int_equal(history_growth(h, "we", NOW), 0);
}

static void test_growth_span(void **state)
{
	struct history *h = *state;

	sample(h, "web", HISTORY_SAMPLE_S - 1, 0);
	sample(h, "web", 0, 300);
	assert_int_equal(history_growth(h, "web", NOW), 0);
	/* The wall clock was set back between the two. */
	sample(h, "db", 0, 0);
	sample(h, "db", 3600, G);
	assert_int_equal(history_growth(h, "db", NOW), 0);
	sample(h, "big", HISTORY_SAMPLE_S, 0);
	sample(h, "big", 0, UINT64_MAX / 2);
	assert_true(history_growth(h, "big", NOW) >= UINT64_MAX / 2);
}

static void test_deletions(void **state)
{
	struct deletions *d = test_malloc(sizeof(*d));
	const struct deletion *found;
	char path[32];

	(void)state;
	deletions_init(d);
	assert_null(deletions_find(d, "/a"));
	assert_null(deletions_find(d, ""));
	for (int i = 0; i < DELETIONS_KEPT + 10; i++) {
		snprintf(path, sizeof(path), "/srv/%d", i);
		deletions_add(
			d, path, &(struct deletion){.at_real_s = i, .rule = 3});
	}
	for (int i = 0; i < DELETIONS_KEPT + 10; i++) {
		snprintf(path, sizeof(path), "/srv/%d", i);
		found = deletions_find(d, path);
		if (i < 10) {
			assert_null(found);
			continue;
		}
		assert_non_null(found);
		assert_int_equal(found->at_real_s, i);
		assert_int_equal(found->rule, 3);
	}
	/* Made again and deleted again: the later one counts. */
	deletions_add(d, "/srv/50", &(struct deletion){.at_real_s = 99999});
	assert_int_equal(deletions_find(d, "/srv/50")->at_real_s, 99999);
	test_free(d);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_cleanups_bounded),
		CASE(test_alerts_bounded),
		CASE(test_samples_bounded),
		CASE(test_growth),
		CASE(test_growth_span),
		cmocka_unit_test(test_deletions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
