// SPDX-License-Identifier: GPL-2.0-or-later
/* Each allocation of a selection and of the alert engine fails once: what was
 * before still is, and the next try does all of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "alerts.h"
#include "base/clock.h"
#include "tests/unit/bed.h"

/* How many allocations succeed before one fails; -1: all. */
static int n_left = -1;

static bool is_over(void)
{
	return n_left >= 0 && n_left-- == 0;
}

void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return is_over() ? NULL : __real_reallocarray(old, n, size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_over() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *text)
{
	return is_over() ? NULL : __real_strdup(text);
}

#define MANY 20000 /* files: the shortlist grows and is cut */

static void selections_are_whole_or_not_at_all(void **state)
{
	static char names[MANY][16];
	struct bed *b = *state;
	struct selection got = {0};
	int failed = 0, r;

	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "%d", i);
		FILL(b, {names[i], STYPE_BACKUP, K, (i * 7919) % MANY + D});
	}
	b->rules.keep_newest[STYPE_BACKUP] = 100;
	b->goal.max_files = 6000;
	do {
		n_left = failed;
		r = strategy_lru.select(&b->order, &got);
		n_left = -1;
		if (r < 0) {
			assert_int_equal(r, -ENOMEM);
			assert_null(got.picks);
			assert_int_equal(got.n_picks, 0);
			failed++;
		}
	} while (r < 0);
	assert_true(failed >= 8);
	assert_int_equal(got.n_picks, 6000);
	assert_int_equal(got.skipped.files[REASON_NEWEST], 100);
	selection_fini(&got);
}

static const struct alerts_now now = {1000 * CLOCK_NS_PER_S, 1800000000};

static int report(struct alerts *e, enum level level)
{
	return alerts_report(e,
		&(struct alert_condition){
			.kind = ALERT_KIND_USAGE,
			.level = level,
			.scope = "component/a",
			.component = "a",
			.message = "so it is",
			.details = "{}",
		},
		now);
}

static int n_queued(struct alerts *e, enum alert_event event)
{
	struct alert a;
	bool is_silenced;
	int n = 0;

	while (alerts_take(e, &a, &is_silenced)) {
		n += a.event == event;
		alert_fini(&a);
	}
	return n;
}

/* Reports one level more with each allocation failing in turn. */
static int report_until_done(struct alerts *e, enum level level)
{
	size_t n_open = alerts_n_open(e);
	int failed = 0, r;

	do {
		n_left = failed;
		r = report(e, level);
		n_left = -1;
		if (r < 0) {
			assert_int_equal(r, -ENOMEM);
			assert_int_equal(alerts_n_open(e), n_open);
			assert_int_equal(n_queued(e, ALERT_RAISED), 0);
			failed++;
		}
	} while (r < 0);
	return failed;
}

static void reports_are_whole_or_not_at_all(void **state mem_unused)
{
	struct alerts *e = alerts_new(600);

	assert_non_null(e);
	assert_true(report_until_done(e, LEVEL_WARNING) >= 8);
	assert_int_equal(n_queued(e, ALERT_RAISED), 1);
	assert_true(report_until_done(e, LEVEL_CRITICAL) >= 8);
	assert_int_equal(n_queued(e, ALERT_ESCALATED), 1);
	assert_true(report_until_done(e, LEVEL_OK) >= 8);
	assert_int_equal(n_queued(e, ALERT_RESOLVED), 1);
	alerts_free(e);
}

static void reminders_are_sent_later(void **state mem_unused)
{
	struct alerts *e = alerts_new(600);
	struct alerts_now later = {
		now.boot_ns + 600 * CLOCK_NS_PER_S, now.real_s + 600};
	int64_t next_ns = -1;

	assert_int_equal(report(e, LEVEL_WARNING), 0);
	assert_int_equal(n_queued(e, ALERT_RAISED), 1);
	n_left = 0;
	assert_int_equal(alerts_tick(e, later, &next_ns), -ENOMEM);
	n_left = -1;
	assert_int_equal(next_ns, -1);
	assert_int_equal(n_queued(e, ALERT_REPEATED), 0);
	assert_int_equal(alerts_tick(e, later, &next_ns), 0);
	assert_int_equal(n_queued(e, ALERT_REPEATED), 1);
	alerts_free(e);
}

static void silences_stay_as_they_were(void **state mem_unused)
{
	char text[] = "usage:component/*";
	char *const texts[] = {text, text};
	struct alerts *e = alerts_new(600);

	assert_int_equal(alerts_set_silences(e, texts, 1), 0);
	for (int i = 0; i < 3; i++) {
		n_left = i;
		assert_int_equal(alerts_set_silences(e, texts, 2), -ENOMEM);
		n_left = -1;
	}
	assert_int_equal(alerts_set_silences(e, texts, 2), 0);
	alerts_free(e);
	n_left = 0;
	assert_null(alerts_new(600));
	n_left = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(selections_are_whole_or_not_at_all),
		cmocka_unit_test(reports_are_whole_or_not_at_all),
		cmocka_unit_test(reminders_are_sent_later),
		cmocka_unit_test(silences_stay_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
