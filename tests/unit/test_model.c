// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/alert.h"
#include "model/goal.h"
#include "model/plan.h"
#include "model/reason.h"
#include "model/stype.h"

/* Words go into JSON, commands and metrics: lower case, digits, dashes. */
static void check_word(const char *word)
{
	assert_non_null(word);
	assert_true(*word);
	assert_int_equal(
		strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
}

static const char *event_word(int i)
{
	return alert_event_word((enum alert_event)i);
}

static const char *kind_word(int i)
{
	return alert_kind_word((enum alert_kind)i);
}

static const char *a_level_word(int i)
{
	return level_word((enum level)i);
}

static const char *a_reason_word(int i)
{
	return reason_word((enum reason)i);
}

static const char *rule_word(int i)
{
	return plan_rule_word((enum plan_rule)i);
}

static const char *goal_name(int i)
{
	return goal_reason_name((enum goal_reason)i);
}

static const char *type_name(int i)
{
	return stype_name((enum stype)i);
}

static void every_value_has_a_word_of_its_own(void **state)
{
	static const struct {
		const char *(*word)(int i);
		int n;
	} tables[] = {
		{event_word, ALERT_REPEATED + 1},
		{kind_word, N_ALERT_KINDS},
		{a_level_word, LEVEL_CRITICAL + 1},
		{a_reason_word, N_REASONS},
		{rule_word, N_PLAN_RULES},
		{goal_name, GOAL_MANUAL + 1},
		{type_name, N_STYPES},
	};

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (int i = 0; i < tables[t].n; i++) {
			check_word(tables[t].word(i));
			for (int j = 0; j < i; j++)
				assert_string_not_equal(
					tables[t].word(i), tables[t].word(j));
		}
	for (int i = 0; i < N_REASONS; i++)
		assert_true(strlen(reason_sentence((enum reason)i)) > 3);
}

static void types_are_read_as_they_are_written(void **state)
{
	enum stype type = N_STYPES;

	(void)state;
	for (int i = 0; i < N_STYPES; i++) {
		assert_int_equal(
			stype_parse(stype_name((enum stype)i), &type), 0);
		assert_int_equal(type, i);
	}
	type = STYPE_LOGS;
	assert_int_equal(stype_parse("log", &type), -EINVAL);
	assert_int_equal(stype_parse("", &type), -EINVAL);
	assert_int_equal(stype_parse("Logs", &type), -EINVAL);
	assert_int_equal(type, STYPE_LOGS);
	/* The order is the one in which priority gives them up. */
	assert_true(STYPE_TEMP < STYPE_CACHE && STYPE_CACHE < STYPE_LOGS &&
		    STYPE_LOGS < STYPE_DATA && STYPE_DATA < STYPE_BACKUP &&
		    STYPE_BACKUP < STYPE_CONFIG);
}

static void levels_are_ordered(void **state)
{
	(void)state;
	assert_true(LEVEL_OK < LEVEL_WARNING &&
		    LEVEL_WARNING < LEVEL_EMERGENCY &&
		    LEVEL_EMERGENCY < LEVEL_CRITICAL);
}

static void alerts_are_copied_deeply(void **state)
{
	struct alert a = {
		.id = 7,
		.event = ALERT_ESCALATED,
		.level = LEVEL_CRITICAL,
		.kind = ALERT_KIND_FORECAST,
		.scope = strdup("component/feeds"),
		.component = strdup("feeds"),
		.message = strdup("full"),
		.used_bytes = 3,
		.limit_bytes = 2,
		.at_real_s = -1,
	};
	struct alert copy = {0};

	(void)state;
	assert_int_equal(alert_copy(&a, &copy), 0);
	assert_ptr_not_equal(copy.scope, a.scope);
	a.scope[0] = 'X';
	alert_fini(&a);
	assert_null(a.scope);
	assert_int_equal(a.id, 0);
	alert_fini(&a);
	assert_int_equal(copy.id, 7);
	assert_int_equal(copy.event, ALERT_ESCALATED);
	assert_int_equal(copy.kind, ALERT_KIND_FORECAST);
	assert_string_equal(copy.scope, "component/feeds");
	assert_string_equal(copy.component, "feeds");
	assert_string_equal(copy.message, "full");
	assert_null(copy.filesystem);
	assert_null(copy.details);
	assert_int_equal(copy.at_real_s, -1);
	alert_fini(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_word_of_its_own),
		cmocka_unit_test(types_are_read_as_they_are_written),
		cmocka_unit_test(levels_are_ordered),
		cmocka_unit_test(alerts_are_copied_deeply),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
