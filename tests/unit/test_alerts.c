// SPDX-License-Identifier: GPL-2.0-or-later
/* The alert engine at each of its edges, on a clock that the test moves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "alerts.h"
#include "base/mem.h"
#include "silence.h"

#define S	 INT64_C(1000000000)
#define COOLDOWN 600
#define START	 INT64_C(1800000000)
/* A text that a field without const may point to. */
#define TEXT(s) ((char[]){s})
#define PRICES	"component/price_feeds"

struct bed {
	struct alerts *engine;
	int64_t now_s; /* since the test began */
	uint64_t id; /* of the last one taken */
};

static struct alerts_now now(const struct bed *b)
{
	/* The machine had run for a while. */
	return (struct alerts_now){(1000 + b->now_s) * S, START + b->now_s};
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->engine = alerts_new(COOLDOWN);
	assert_non_null(b->engine);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	assert_null(alerts_free(b->engine));
	free(b);
	return 0;
}

static void report_of(struct bed *b, enum alert_kind kind, const char *scope,
	enum level level)
{
	struct alert_condition c = {
		.kind = kind,
		.level = level,
		.scope = scope,
		.component = "price_feeds",
		.used_bytes = 80,
		.limit_bytes = 100,
		.message = "so it is",
	};

	assert_int_equal(alerts_report(b->engine, &c, now(b)), 0);
}

static void report(struct bed *b, int64_t at_s, enum level level)
{
	b->now_s = at_s;
	report_of(b, ALERT_KIND_USAGE, PRICES, level);
}

/* Ticks at at_s; returns when the next tick is wanted, -1: never. */
static int64_t tick(struct bed *b, int64_t at_s)
{
	int64_t next_ns;

	b->now_s = at_s;
	assert_int_equal(alerts_tick(b->engine, now(b), &next_ns), 0);
	return next_ns == ALERTS_NEVER ? -1 : next_ns / S - 1000;
}

static void expect_none(struct bed *b)
{
	struct alert a;
	bool is_silenced;

	assert_false(alerts_take(b->engine, &a, &is_silenced));
}

/* The next in the queue. */
static void expect_one(
	struct bed *b, enum alert_event event, enum level level, bool is_mute)
{
	struct alert a;
	bool is_silenced;

	assert_true(alerts_take(b->engine, &a, &is_silenced));
	assert_string_equal(alert_event_word(a.event), alert_event_word(event));
	assert_string_equal(level_word(a.level), level_word(level));
	assert_int_equal(is_silenced, is_mute);
	assert_int_equal(a.at_real_s, START + b->now_s);
	assert_string_equal(a.component, "price_feeds");
	assert_string_equal(a.message, "so it is");
	assert_int_equal(a.used_bytes, 80);
	assert_int_equal(a.limit_bytes, 100);
	assert_null(a.filesystem);
	assert_null(a.details);
	b->id = a.id;
	alert_fini(&a);
}

/* The only one in the queue. */
static void expect(struct bed *b, enum alert_event event, enum level level)
{
	expect_one(b, event, level, false);
	expect_none(b);
}

static void raises_once_and_resolves_once(void **state)
{
	struct bed *b = *state;
	uint64_t id;

	report(b, 0, LEVEL_OK); /* nothing was ever wrong */
	expect_none(b);
	assert_int_equal(alerts_n_open(b->engine), 0);
	report(b, 1, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	id = b->id;
	assert_true(id > 0);
	report(b, 2, LEVEL_WARNING);
	expect_none(b);
	assert_int_equal(alerts_n_open(b->engine), 1);
	report(b, 3, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	assert_int_equal(b->id, id);
	assert_int_equal(alerts_n_open(b->engine), 0);
	report(b, 4, LEVEL_OK);
	expect_none(b);
	assert_int_equal(tick(b, 5), -1);
}

static void escalates_at_once(void **state)
{
	struct bed *b = *state;
	uint64_t id;

	report(b, 0, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	id = b->id;
	report(b, 0, LEVEL_EMERGENCY);
	expect(b, ALERT_ESCALATED, LEVEL_EMERGENCY);
	report(b, 1, LEVEL_CRITICAL);
	expect(b, ALERT_ESCALATED, LEVEL_CRITICAL);
	assert_int_equal(b->id, id);
	report(b, 2, LEVEL_WARNING); /* quietly */
	expect_none(b);
	assert_int_equal(
		alerts_get_open(b->engine, 0).alert->level, LEVEL_WARNING);
	report(b, 3, LEVEL_CRITICAL); /* and up again: never held back */
	expect(b, ALERT_ESCALATED, LEVEL_CRITICAL);
	report(b, 4, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	assert_int_equal(b->id, id);
}

static void repeats_while_it_lasts(void **state)
{
	struct bed *b = *state;
	uint64_t id;

	report(b, 0, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	id = b->id;
	assert_int_equal(tick(b, 0), COOLDOWN);
	assert_int_equal(tick(b, COOLDOWN - 1), COOLDOWN);
	expect_none(b);
	assert_int_equal(tick(b, COOLDOWN), 2 * COOLDOWN);
	expect(b, ALERT_REPEATED, LEVEL_WARNING);
	assert_int_equal(b->id, id);
	/* Heard of again by the escalation: the cooldown begins anew. */
	report(b, COOLDOWN + 100, LEVEL_CRITICAL);
	expect(b, ALERT_ESCALATED, LEVEL_CRITICAL);
	assert_int_equal(tick(b, 2 * COOLDOWN), 2 * COOLDOWN + 100);
	expect_none(b);
	/* Late by hours: once, not for every cooldown that went by. */
	assert_int_equal(tick(b, 20 * COOLDOWN), 21 * COOLDOWN);
	expect(b, ALERT_REPEATED, LEVEL_CRITICAL);
	report(b, 20 * COOLDOWN + 1, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	assert_int_equal(tick(b, 40 * COOLDOWN), -1);
	expect_none(b);
}

static void holds_what_comes_back_too_soon(void **state)
{
	struct bed *b = *state;
	uint64_t id;

	report(b, 0, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	id = b->id;
	report(b, 10, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	report(b, 20, LEVEL_WARNING);
	expect_none(b);
	assert_int_equal(alerts_n_open(b->engine), 1);
	assert_true(alerts_get_open(b->engine, 0).is_held);
	/* Gone and back: nobody hears of it. */
	report(b, 30, LEVEL_OK);
	expect_none(b);
	report(b, 40, LEVEL_WARNING);
	expect_none(b);
	assert_int_equal(tick(b, COOLDOWN - 1), COOLDOWN);
	expect_none(b);
	assert_int_equal(tick(b, COOLDOWN), 2 * COOLDOWN);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	assert_true(b->id > id);
	assert_false(alerts_get_open(b->engine, 0).is_held);
	assert_int_equal(
		alerts_get_open(b->engine, 0).raised_real_s, START + 40);
	report(b, COOLDOWN + 1, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
}

static void a_held_one_that_ends_is_never_heard(void **state)
{
	struct bed *b = *state;

	report(b, 0, LEVEL_CRITICAL);
	expect(b, ALERT_RAISED, LEVEL_CRITICAL);
	report(b, 1, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	report(b, 2, LEVEL_CRITICAL);
	report(b, 3, LEVEL_OK);
	assert_int_equal(tick(b, COOLDOWN), -1);
	expect_none(b);
}

static void a_higher_level_is_not_held(void **state)
{
	struct bed *b = *state;

	report(b, 0, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	report(b, 1, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	report(b, 2, LEVEL_EMERGENCY); /* higher than what was announced */
	expect(b, ALERT_RAISED, LEVEL_EMERGENCY);
	report(b, 3, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	report(b, 4, LEVEL_WARNING);
	expect_none(b);
	report(b, 5, LEVEL_EMERGENCY); /* that one was announced */
	expect_none(b);
	report(b, 6, LEVEL_CRITICAL);
	expect(b, ALERT_RAISED, LEVEL_CRITICAL);
}

/* By way of a lower level it is none that was not heard of yet. */
static void a_level_that_comes_back_by_steps_is_held(void **state)
{
	struct bed *b = *state;

	report(b, 0, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	report(b, 1, LEVEL_CRITICAL);
	expect(b, ALERT_ESCALATED, LEVEL_CRITICAL);
	for (int at = 2; at < 60; at += 3) {
		report(b, at, LEVEL_OK);
		if (at == 2)
			expect(b, ALERT_RESOLVED, LEVEL_OK);
		expect_none(b);
		report(b, at + 1, LEVEL_WARNING);
		report(b, at + 2, LEVEL_CRITICAL);
		expect_none(b);
	}
	tick(b, COOLDOWN + 61);
	expect(b, ALERT_RAISED, LEVEL_CRITICAL);
}

static void after_the_cooldown_it_is_new(void **state)
{
	struct bed *b = *state;

	report(b, 0, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	report(b, 1, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	report(b, COOLDOWN, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
}

static void conditions_are_apart(void **state)
{
	struct bed *b = *state;
	uint64_t first;

	report_of(b, ALERT_KIND_USAGE, "component/a", LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	first = b->id;
	report_of(b, ALERT_KIND_USAGE, "component/b", LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	assert_true(b->id > first); /* in the same second */
	report_of(b, ALERT_KIND_TARGET_MISSED, "component/a", LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	report_of(b, ALERT_KIND_USAGE, "component/a", LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	assert_int_equal(b->id, first);
	assert_int_equal(alerts_n_open(b->engine), 2);
	assert_string_equal(
		alerts_get_open(b->engine, 0).alert->scope, "component/b");
	assert_int_equal(alerts_get_open(b->engine, 1).alert->kind,
		ALERT_KIND_TARGET_MISSED);
}

static void no_cooldown_is_no_reminder(void **state)
{
	struct bed *b = *state;

	alerts_set_cooldown(b->engine, 0);
	for (int i = 0; i < 3; i++) {
		report(b, i, LEVEL_WARNING);
		expect(b, ALERT_RAISED, LEVEL_WARNING);
		assert_int_equal(tick(b, i), -1);
		expect_none(b);
		report(b, i, LEVEL_OK);
		expect(b, ALERT_RESOLVED, LEVEL_OK);
	}
}

static void a_shorter_cooldown_frees_the_held(void **state)
{
	struct bed *b = *state;

	report(b, 0, LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	report(b, 1, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	report(b, 2, LEVEL_WARNING);
	expect_none(b);
	alerts_set_cooldown(b->engine, 0);
	assert_int_equal(tick(b, 3), -1);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	alerts_set_cooldown(b->engine, INT64_MAX); /* no overflow */
	assert_true(tick(b, 4) > 1000000000);
	expect_none(b);
}

static void silences_mute_and_record(void **state)
{
	char *some[] = {TEXT("target-missed"), TEXT("usage:component/price*")};
	char *all[] = {TEXT("*:component/*")};
	char *bad[] = {TEXT("usage"), TEXT("usages")},
	     *open_end[] = {TEXT("usage:")};
	struct bed *b = *state;

	assert_int_equal(alerts_set_silences(b->engine, some, 2), 0);
	report(b, 0, LEVEL_WARNING);
	expect_one(b, ALERT_RAISED, LEVEL_WARNING, true);
	report_of(b, ALERT_KIND_USAGE, "component/other", LEVEL_WARNING);
	expect_one(b, ALERT_RAISED, LEVEL_WARNING, false);
	report_of(b, ALERT_KIND_TARGET_MISSED, "any", LEVEL_WARNING);
	expect_one(b, ALERT_RAISED, LEVEL_WARNING, true);
	assert_int_equal(alerts_set_silences(b->engine, bad, 2), -EINVAL);
	assert_int_equal(alerts_set_silences(b->engine, open_end, 1), -EINVAL);
	report(b, 1, LEVEL_CRITICAL); /* those in force stayed */
	expect_one(b, ALERT_ESCALATED, LEVEL_CRITICAL, true);
	assert_int_equal(alerts_set_silences(b->engine, all, 1), 0);
	report_of(b, ALERT_KIND_USAGE, "component/other", LEVEL_OK);
	expect_one(b, ALERT_RESOLVED, LEVEL_OK, true);
	report_of(b, ALERT_KIND_AGENT, "agent", LEVEL_WARNING);
	expect_one(b, ALERT_RAISED, LEVEL_WARNING, false);
	/* The end of a silence is heard of at the next reminder. */
	assert_int_equal(alerts_set_silences(b->engine, NULL, 0), 0);
	tick(b, 1 + COOLDOWN);
	expect_one(b, ALERT_REPEATED, LEVEL_CRITICAL, false);
}

/* As one would write it: by the name alone. */
static void silences_go_by_name(void **state)
{
	struct {
		char *silence;
		bool is_mute;
	} cases[] = {
		{TEXT("usage:price_*"), true},
		{TEXT("usage:price"), false},
		{TEXT("usage:/srv*"), true},
		{TEXT("usage:/srv"), false},
		{TEXT("usage:component/price_*"), true},
		{TEXT("usage:filesystem/*"), false},
		{TEXT("*:price_feeds"), true},
		{TEXT("inodes:price_feeds"), false},
	};
	struct alert a = {
		.kind = ALERT_KIND_USAGE,
		.scope = TEXT(PRICES),
		.component = TEXT("price_feeds"),
		.filesystem = TEXT("/srv/feeds"),
	};
	struct silences s = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			silence_parse_all(&cases[i].silence, 1, &s), 0);
		assert_int_equal(silence_has(&s, &a), cases[i].is_mute);
	}
	a.component = a.filesystem = NULL;
	assert_int_equal(silence_parse_all(&cases[6].silence, 1, &s), 0);
	assert_false(silence_has(&s, &a));
	silence_fini(&s);
}

static void a_restart_changes_nothing(void **state)
{
	struct bed *b = *state;
	struct alerts *next = alerts_new(COOLDOWN);
	struct alerts_open open;
	uint64_t id;

	assert_non_null(next);
	report(b, 0, LEVEL_CRITICAL);
	expect(b, ALERT_RAISED, LEVEL_CRITICAL);
	id = b->id;
	open = alerts_get_open(b->engine, 0);
	assert_int_equal(open.raised_real_s, START);
	assert_int_equal(open.heard_real_s, START);
	b->now_s = 100;
	assert_int_equal(alerts_restore(next, &open, now(b)), 0);
	assert_int_equal(alerts_restore(next, &open, now(b)), -EEXIST);
	alerts_free(b->engine);
	b->engine = next;
	report(b, 101, LEVEL_CRITICAL);
	expect_none(b);
	assert_int_equal(tick(b, 102), COOLDOWN);
	tick(b, COOLDOWN);
	expect(b, ALERT_REPEATED, LEVEL_CRITICAL);
	assert_int_equal(b->id, id);
	report_of(b, ALERT_KIND_AGENT, "agent", LEVEL_WARNING);
	expect(b, ALERT_RAISED, LEVEL_WARNING);
	assert_true(b->id > id);
	report(b, COOLDOWN + 1, LEVEL_OK);
	expect(b, ALERT_RESOLVED, LEVEL_OK);
	assert_int_equal(b->id, id);
}

static void hostile_state_is_refused_or_clamped(void **state)
{
	struct bed *b = *state;
	struct alert a = {.id = 7,
		.level = LEVEL_WARNING,
		.kind = ALERT_KIND_USAGE,
		.scope = TEXT(PRICES),
		.component = TEXT("price_feeds"),
		.message = TEXT("so it is"),
		.used_bytes = 80,
		.limit_bytes = 100};
	struct alert ended = a, nameless = a, unknown = a;
	struct alerts_open open = {.alert = &ended};

	ended.level = LEVEL_OK;
	assert_int_equal(alerts_restore(b->engine, &open, now(b)), -EINVAL);
	nameless.scope = NULL;
	open.alert = &nameless;
	assert_int_equal(alerts_restore(b->engine, &open, now(b)), -EINVAL);
	unknown.id = 0;
	open.alert = &unknown;
	assert_int_equal(alerts_restore(b->engine, &open, now(b)), -EINVAL);
	unknown.id = UINT64_MAX; /* the next one would be none */
	assert_int_equal(alerts_restore(b->engine, &open, now(b)), -EINVAL);
	/* Heard of in the far future, or never: within one cooldown. */
	open = (struct alerts_open){.alert = &a, .heard_real_s = INT64_MAX};
	assert_int_equal(alerts_restore(b->engine, &open, now(b)), 0);
	assert_int_equal(tick(b, 0), COOLDOWN);
	a.scope = TEXT("component/b");
	open.heard_real_s = INT64_MIN;
	assert_int_equal(alerts_restore(b->engine, &open, now(b)), 0);
	assert_int_equal(tick(b, 0), COOLDOWN);
	expect(b, ALERT_REPEATED, LEVEL_WARNING);
	assert_int_equal(b->id, 7);
}

/* What is queued and not taken belongs to the engine. */
static void leaves_nothing_behind(void **state)
{
	struct bed *b = *state;

	alerts_set_cooldown(b->engine, 0);
	for (int i = 0; i < 40; i++)
		report(b, 0, i % 2 ? LEVEL_OK : LEVEL_WARNING);
	expect_one(b, ALERT_RAISED, LEVEL_WARNING, false);
	expect_one(b, ALERT_RESOLVED, LEVEL_OK, false);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(raises_once_and_resolves_once),
		T(escalates_at_once),
		T(repeats_while_it_lasts),
		T(holds_what_comes_back_too_soon),
		T(a_held_one_that_ends_is_never_heard),
		T(a_higher_level_is_not_held),
		T(a_level_that_comes_back_by_steps_is_held),
		T(after_the_cooldown_it_is_new),
		T(conditions_are_apart),
		T(no_cooldown_is_no_reminder),
		T(a_shorter_cooldown_frees_the_held),
		T(silences_mute_and_record),
		T(silences_go_by_name),
		T(a_restart_changes_nothing),
		T(hostile_state_is_refused_or_clamped),
		T(leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
