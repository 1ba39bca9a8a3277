// SPDX-License-Identifier: GPL-2.0-or-later
#include "loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

struct world {
	struct loop *loop;
	struct loop_source *a, *b, *timer;
	int pipe_a[2], pipe_b[2];
	int n_a, n_b, n_timer, n_turns, n_signals;
	int stop_after; /* turns */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(loop_new(&w->loop), 0);
	assert_int_equal(pipe(w->pipe_a), 0);
	assert_int_equal(pipe(w->pipe_b), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	loop_remove(w->a);
	loop_remove(w->b);
	loop_remove(w->timer);
	assert_null(loop_free(w->loop));
	for (int i = 0; i < 2; i++) {
		close(w->pipe_a[i]);
		close(w->pipe_b[i]);
	}
	free(w);
	return 0;
}

static void drain(int fd)
{
	char c;

	assert_int_equal(read(fd, &c, 1), 1);
}

static void on_a(void *ctx)
{
	struct world *w = ctx;

	drain(w->pipe_a[0]);
	w->n_a++;
}

static void on_b(void *ctx)
{
	struct world *w = ctx;

	drain(w->pipe_b[0]);
	w->n_b++;
}

static void on_timer(void *ctx)
{
	struct world *w = ctx;

	w->n_timer++;
	loop_stop(w->loop);
}

static void on_signal(void *ctx)
{
	struct world *w = ctx;

	w->n_signals++;
	loop_stop(w->loop);
}

static void count_turn(void *ctx)
{
	struct world *w = ctx;

	if (++w->n_turns == w->stop_after)
		loop_stop(w->loop);
}

static void put(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}

/* Two descriptors ready at once are one turn: the walk runs once for both. */
static void one_walk_a_turn(void **state)
{
	struct world *w = *state;

	assert_int_equal(loop_add_fd(w->loop, w->pipe_a[0], on_a, w, &w->a), 0);
	assert_int_equal(loop_add_fd(w->loop, w->pipe_b[0], on_b, w, &w->b), 0);
	put(w->pipe_a[1]);
	put(w->pipe_b[1]);
	w->stop_after = 1;
	assert_int_equal(loop_run(w->loop, count_turn, w), 0);
	assert_int_equal(w->n_a, 1);
	assert_int_equal(w->n_b, 1);
	assert_int_equal(w->n_turns, 1);
}

/* Nothing happens for a while: no turn, no wake-up, and not before time. */
static void idle_sleeps(void **state)
{
	struct world *w = *state;
	struct rusage before, after;
	int64_t start = clock_boot_ns(NULL);

	assert_int_equal(loop_add_fd(w->loop, w->pipe_a[0], on_a, w, &w->a), 0);
	assert_int_equal(loop_add_timer(w->loop, on_timer, w, &w->timer), 0);
	assert_false(loop_is_armed(w->timer));
	loop_arm(w->timer, 300);
	assert_true(loop_is_armed(w->timer));
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(loop_run(w->loop, count_turn, w), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(w->n_timer, 1);
	assert_int_equal(w->n_turns, 1);
	assert_false(loop_is_armed(w->timer));
	assert_true(clock_boot_ns(NULL) - start >= 290 * CLOCK_NS_PER_MS);
	assert_true(after.ru_nvcsw - before.ru_nvcsw <= 3);
}

static void arming_again_moves_the_timer(void **state)
{
	struct world *w = *state;
	int64_t start = clock_boot_ns(NULL);

	assert_int_equal(loop_add_timer(w->loop, on_timer, w, &w->timer), 0);
	loop_arm(w->timer, 60000);
	loop_arm(w->timer, 20);
	assert_int_equal(loop_run(w->loop, NULL, NULL), 0);
	assert_true(clock_boot_ns(NULL) - start < 10 * CLOCK_NS_PER_S);
	loop_arm(w->timer, 5);
	loop_arm(w->timer, -1);
	assert_false(loop_is_armed(w->timer));
}

static void paused_descriptor_is_silent(void **state)
{
	struct world *w = *state;

	assert_int_equal(loop_add_fd(w->loop, w->pipe_a[0], on_a, w, &w->a), 0);
	assert_int_equal(loop_add_timer(w->loop, on_timer, w, &w->timer), 0);
	put(w->pipe_a[1]);
	loop_pause(w->a, true);
	loop_arm(w->timer, 30);
	assert_int_equal(loop_run(w->loop, count_turn, w), 0);
	assert_int_equal(w->n_a, 0);
	assert_int_equal(w->n_turns, 1);
	loop_pause(w->a, false);
	w->stop_after = 2;
	assert_int_equal(loop_run(w->loop, count_turn, w), 0);
	assert_int_equal(w->n_a, 1);
}

/* Removing a source whose callback is due in the same turn cancels it. */
static void on_a_removes_b(void *ctx)
{
	struct world *w = ctx;

	on_a(w);
	w->b = loop_remove(w->b);
	w->a = loop_remove(w->a);
}

static void removal_inside_a_callback(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		loop_add_fd(w->loop, w->pipe_a[0], on_a_removes_b, w, &w->a),
		0);
	assert_int_equal(loop_add_fd(w->loop, w->pipe_b[0], on_b, w, &w->b), 0);
	assert_int_equal(loop_add_timer(w->loop, on_timer, w, &w->timer), 0);
	put(w->pipe_a[1]);
	put(w->pipe_b[1]);
	loop_arm(w->timer, 50);
	assert_int_equal(loop_run(w->loop, count_turn, w), 0);
	assert_int_equal(w->n_a, 1);
	assert_true(w->n_b <= 1);
	assert_int_equal(w->n_timer, 1);
}

static void signals_arrive(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		loop_add_signal(w->loop, SIGUSR1, on_signal, w, &w->a), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(loop_run(w->loop, count_turn, w), 0);
	assert_int_equal(w->n_signals, 1);
}

static void bad_descriptors_are_refused(void **state)
{
	struct world *w = *state;
	struct loop_source *s = (void *)w;

	assert_true(loop_add_fd(w->loop, -1, on_a, w, &s) < 0);
	assert_true(loop_add_fd(w->loop, 1000000, on_a, w, &s) < 0);
	assert_ptr_equal(s, w);
}

/* A stop asked for by the walk counts, too. */
static void stop_from_the_walk(void **state)
{
	struct world *w = *state;

	assert_int_equal(loop_add_fd(w->loop, w->pipe_a[0], on_a, w, &w->a), 0);
	put(w->pipe_a[1]);
	put(w->pipe_a[1]);
	put(w->pipe_a[1]);
	w->stop_after = 2;
	assert_int_equal(loop_run(w->loop, count_turn, w), 0);
	assert_int_equal(w->n_a, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(one_walk_a_turn),
		T(idle_sleeps),
		T(arming_again_moves_the_timer),
		T(paused_descriptor_is_silent),
		T(removal_inside_a_callback),
		T(signals_arrive),
		T(bad_descriptors_are_refused),
		T(stop_from_the_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
