// SPDX-License-Identifier: GPL-2.0-or-later
/* Who uses files, and what makes a component grow: actors.c, growth.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/process.h"
#include "growth.h"

#define MINUTE_NS (60 * CLOCK_NS_PER_S)
#define HOUR_NS	  (60 * MINUTE_NS)
#define START_NS  (1000 * HOUR_NS + MINUTE_NS)

/* ---- processes ---- */

static void unit_of_a_control_group(void **state)
{
	static const struct {
		const char *text, *unit;
	} rows[] = {
		{"0::/system.slice/nginx.service\n", "nginx.service"},
		{"9:pids:/a.service\n0::/user.slice/user-0.slice/"
		 "session-3.scope\n",
			"session-3.scope"},
		{"0::/user.slice/user@7.service/app.slice/run-u1.service/x\n",
			"run-u1.service"},
		{"0::/system.slice\n", NULL},
		{"0::/\n", NULL},
		{"", NULL},
		{"1:name=systemd:/a.service\n", NULL},
		{"0::/a.service\n1::/b.service", "a.service"},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *unit;

		snprintf(text, sizeof(text), "%s", rows[i].text);
		unit = process_unit_in(text);
		assert_int_equal(!unit, !rows[i].unit);
		if (unit)
			assert_string_equal(unit, rows[i].unit);
	}
}

/* A process of that name. */
static pid_t stand_by(const char *name)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The name stands at the end, whatever we run in ourselves. */
static bool is_called(
	const struct actors *a, struct actor actor, const char *name)
{
	return strstr(actors_name(a, actor.number), name) != NULL;
}

static void actors_have_names(void **state)
{
	char *ignored[] = {(char *)"update*", (char *)"nothing.service"};
	struct actors *a = actors_new();
	pid_t first = stand_by("updatedb"), other = stand_by("cat");
	struct actor actor;

	(void)state;
	assert_non_null(a);
	actors_ignore(a, ignored, ARRAY_SIZE(ignored));
	actor = actors_of(a, first, START_NS);
	assert_true(actor.is_ignored && actor.number > ACTOR_OURS);
	actor = actors_of(a, other, START_NS);
	assert_false(actor.is_ignored);
	assert_int_equal(actors_of(a, 0, START_NS).number, ACTOR_UNKNOWN);
	assert_int_equal(actors_of(a, -1, START_NS).number, ACTOR_UNKNOWN);
	assert_string_equal(actors_name(a, ACTOR_UNKNOWN), "");
	assert_string_equal(actors_name(a, ACTOR_OTHERS), "others");
	assert_string_equal(actors_name(a, ACTOR_OURS), "ullage");
	assert_string_equal(actors_name(a, ACTORS_MAX), "");
	actors_ignore(a, NULL, 0);
	assert_false(actors_of(a, first, START_NS).is_ignored);
	end(first);
	end(other);
	actors_free(a);
}

/* What it was is believed for a minute after it has gone. */
static void who_has_gone(void **state)
{
	struct actors *a = actors_new();
	pid_t pid = stand_by("brief");
	struct actor actor;

	(void)state;
	assert_non_null(a);
	actor = actors_of(a, pid, START_NS);
	end(pid);
	assert_int_equal(
		actors_of(a, pid, START_NS + 30 * CLOCK_NS_PER_S).number,
		actor.number);
	assert_int_equal(actors_of(a, pid, START_NS + 2 * MINUTE_NS).number,
		ACTOR_UNKNOWN);
	actors_free(a);
}

/* Names without end make no list without end. */
static void names_without_end(void **state)
{
	struct actors *a = actors_new();
	char name[16];
	pid_t self = getpid();
	struct actor actor;

	(void)state;
	assert_non_null(a);
	prctl(PR_GET_NAME, name);
	for (int i = 0; i < 2 * ACTORS_MAX; i++) {
		char other[16];

		snprintf(other, sizeof(other), "n%d", i);
		prctl(PR_SET_NAME, other);
		actor = actors_of(a, self, START_NS + i * CLOCK_NS_PER_S);
	}
	/* In a service all of them are one. */
	if (!is_called(a, actor, ".service"))
		assert_int_equal(actor.number, ACTOR_OTHERS);
	prctl(PR_SET_NAME, "n5");
	actor = actors_of(a, self, START_NS + HOUR_NS);
	assert_true(actor.number > ACTOR_OURS);
	prctl(PR_SET_NAME, name);
	actors_free(a);
}

/* ---- growth ---- */

static struct growth g;

static int tear_down(void **state)
{
	(void)state;
	growth_fini(&g);
	return 0;
}

static void windows(void **state)
{
	struct growth_row rows[GROWTH_SLOTS];

	(void)state;
	assert_int_equal(growth_list(&g.dirs, START_NS, rows), 0);
	growth_note(&g.dirs, 7, 100, START_NS);
	growth_note(&g.dirs, 7, 20, START_NS + 10 * MINUTE_NS);
	growth_note(&g.dirs, 8, 70, START_NS + 10 * MINUTE_NS);
	growth_note(&g.dirs, 9, -5, START_NS + 10 * MINUTE_NS);
	assert_int_equal(
		growth_list(&g.dirs, START_NS + 30 * MINUTE_NS, rows), 3);
	assert_int_equal(rows[0].key, 7);
	assert_int_equal(rows[0].hour_bytes, 120);
	assert_int_equal(rows[0].day_bytes, 120);
	assert_int_equal(rows[1].key, 8);
	assert_int_equal(rows[2].key, 9);
	assert_int_equal(rows[2].hour_bytes, -5);
	/* An hour later the first is past, to five minutes. */
	assert_int_equal(
		growth_list(&g.dirs, START_NS + 66 * MINUTE_NS, rows), 3);
	assert_int_equal(rows[0].key, 8);
	assert_int_equal(rows[1].key, 7);
	assert_int_equal(rows[1].hour_bytes, 20);
	assert_int_equal(rows[1].day_bytes, 120);
	/* And a day later all of it. */
	assert_int_equal(
		growth_list(&g.dirs, START_NS + 25 * HOUR_NS, rows), 0);
	growth_note(&g.dirs, 8, 1, START_NS + 25 * HOUR_NS);
	assert_int_equal(
		growth_list(&g.dirs, START_NS + 25 * HOUR_NS, rows), 1);
	assert_int_equal(rows[0].day_bytes, 1);
}

static void sums_do_not_overflow(void **state)
{
	struct growth_row rows[GROWTH_SLOTS];

	(void)state;
	for (int i = 0; i < 3; i++) {
		growth_note(&g.dirs, 1, INT64_MAX, START_NS);
		growth_note(&g.dirs, 2, INT64_MIN, START_NS);
	}
	assert_int_equal(growth_list(&g.dirs, START_NS, rows), 2);
	assert_int_equal(rows[0].day_bytes, INT64_MAX);
	assert_int_equal(rows[1].day_bytes, INT64_MIN);
}

/* Whoever goes on growing is found among ten thousand who do not, and what is
 * said of him is never more than he grew. */
static void who_goes_on_growing_stays(void **state)
{
	struct growth_row rows[GROWTH_SLOTS];
	int64_t grown = 0;

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		growth_note(&g.dirs, 1000 + i, 4096, START_NS);
		growth_note(&g.dirs, 1000 + i * 7, -100, START_NS);
		if (i % 20)
			continue;
		growth_note(&g.dirs, 1, 4096, START_NS);
		grown += 4096;
	}
	assert_int_equal(g.dirs.n, GROWTH_SLOTS);
	growth_list(&g.dirs, START_NS, rows);
	assert_int_equal(rows[0].key, 1);
	assert_true(rows[0].hour_bytes <= grown);
	assert_true(rows[0].hour_bytes >= grown / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unit_of_a_control_group),
		cmocka_unit_test(actors_have_names),
		cmocka_unit_test(who_has_gone),
		cmocka_unit_test(names_without_end),
		cmocka_unit_test_teardown(windows, tear_down),
		cmocka_unit_test_teardown(sums_do_not_overflow, tear_down),
		cmocka_unit_test_teardown(who_goes_on_growing_stays, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
