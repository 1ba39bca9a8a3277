// SPDX-License-Identifier: GPL-2.0-or-later
/* When a reaper is sent to put back what lies in a quarantine, and where: a
 * component with two roots of an agent without reapers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/quarantine.h"
#include "core.h"
#include "errand.h"
#include "feed_impl.h"
#include "recovering.h"

#define S CLOCK_NS_PER_S

static struct {
	struct clock clock;
	struct config config;
	struct agent agent;
	struct component component;
	struct policy policy;
	struct feed feed;
	struct feed_root roots[2];
	unsigned int n_started;
	uint32_t root; /* the one that the last was sent to */
	struct errand_handlers handlers;
	int error; /* of starting one */
	const char *obstacle;
} w;

const char *__wrap_core_obstacle(
	const struct agent *a, const struct component *c);
int __wrap_errand_start(const struct cleanup_parts *parts,
	const struct errand_order *order,
	const struct errand_handlers *handlers, struct errand **ret);

const char *__wrap_core_obstacle(
	const struct agent *a, const struct component *c)
{
	(void)a;
	(void)c;
	return w.obstacle;
}

int __wrap_errand_start(const struct cleanup_parts *parts,
	const struct errand_order *order,
	const struct errand_handlers *handlers, struct errand **ret)
{
	assert_int_equal(parts->number, w.component.number);
	assert_int_equal(order->action, TRASH_RECOVER);
	assert_int_equal(order->n_picks, 1);
	assert_int_equal(order->picks[0].number, 0); /* the whole root */
	w.root = order->picks[0].root;
	free(order->picks);
	w.n_started++;
	if (w.error)
		return w.error;
	w.handlers = *handlers;
	*ret = (struct errand *)&w;
	return 0;
}

static uint32_t add(
	uint32_t dir, const char *name, enum obs_kind kind, uint64_t bytes)
{
	static uint64_t ino;
	struct index_change change;
	const struct observation o = {.dir = dir,
		.name = name,
		.name_len = (uint16_t)strlen(name),
		.kind = (uint8_t)kind,
		.st = {.id = {.ino = ++ino}, .used_bytes = bytes, .nlink = 1}};

	assert_int_equal(index_apply(w.feed.index, &o, 0, &change), 0);
	return change.node;
}

/* Something lies in the quarantine of the second root. */
static uint32_t leave(void)
{
	uint32_t dir = add(w.roots[1].node, QUARANTINE_NAME, OBS_DIR, 0);
	uint32_t listed;

	feed_note_owner(
		&w.feed, dir, &(struct beneath_stat){.mode = S_IFDIR | 0700});
	add(dir, "7=file", OBS_FILE, 4096);
	while (feed_dequeue(&w.feed.fast, &listed))
		continue;
	return dir;
}

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.clock = (struct clock){.is_fake = true, .fake_boot_ns = 5000 * S};
	w.policy = (struct policy){.component = (char *)"c", .n_roots = 2};
	w.feed = (struct feed){.policy = &w.policy,
		.index = index_new(),
		.roots = w.roots,
		.n_roots = 2};
	assert_non_null(w.feed.index);
	for (uint16_t r = 0; r < 2; r++) {
		w.roots[r].state = ROOT_HERE;
		assert_int_equal(
			index_add_root(w.feed.index, STYPE_DATA,
				r ? "/srv/b" : "/srv/a", r, &w.roots[r].node),
			0);
	}
	w.agent = (struct agent){.config = &w.config,
		.clock = &w.clock,
		.components = &w.component,
		.n_components = 1};
	w.component = (struct component){.agent = &w.agent,
		.number = 4,
		.policy = &w.policy,
		.feed = &w.feed};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	index_free(w.feed.index);
	free(w.feed.fast.dirs);
	free(w.feed.dirs);
	return 0;
}

/* A turn; whether a reaper was sent. */
static bool sends(void)
{
	unsigned int before = w.n_started;

	recovering_keep(&w.agent, &w.component);
	return w.n_started > before;
}

/* In so many seconds there is something to do; -1: never. */
static int64_t due_s(void)
{
	int64_t due = recovering_due(&w.agent, &w.component);

	if (due == INT64_MAX)
		return -1;
	return MAX_OF((due - clock_boot_ns(&w.clock)) / S, 0);
}

static void test_sent_at_once(void **state)
{
	uint32_t dir;

	(void)state;
	assert_false(sends());
	assert_int_equal(due_s(), -1);
	dir = leave();
	assert_int_equal(due_s(), 0);
	assert_true(sends());
	assert_int_equal(w.root, 1);
	/* under way: no other, and nothing to wait for */
	assert_false(sends());
	assert_int_equal(due_s(), -1);
	w.handlers.done(w.handlers.ctx, w.component.errand);
	w.component.errand = NULL;
	add(dir, "7=file", OBS_GONE, 0);
	assert_false(sends());
	assert_int_equal(due_s(), -1);
}

/* Somebody has its name: not at each turn, but again. */
static void test_tried_again(void **state)
{
	(void)state;
	leave();
	assert_true(sends());
	w.component.errand = NULL;
	assert_false(sends());
	assert_int_equal(due_s(), 600);
	clock_advance(&w.clock, 599 * S);
	assert_false(sends());
	clock_advance(&w.clock, S);
	assert_true(sends());
	/* no reaper is to be had */
	w.component.errand = NULL;
	clock_advance(&w.clock, 600 * S);
	w.error = -EAGAIN;
	assert_true(sends());
	assert_null(w.component.errand);
	assert_int_equal(due_s(), 600);
}

static void test_not_now(void **state)
{
	(void)state;
	leave();
	w.component.cleanup = (struct cleanup *)&w;
	assert_false(sends());
	w.component.cleanup = NULL;
	w.agent.is_panic = true;
	assert_false(sends());
	w.agent.is_panic = false;
	/* What is seen there may be a reaper's that is at work. */
	w.feed.is_reaping = true;
	assert_false(sends());
	w.feed.is_reaping = false;
	w.feed.is_provisional = true;
	assert_false(sends());
	w.feed.is_provisional = false;
	w.obstacle = "a root is missing";
	assert_false(sends());
	assert_int_equal(due_s(), -1);
	w.obstacle = NULL;
	assert_true(sends());
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_sent_at_once),
		CASE(test_tried_again),
		CASE(test_not_now),
	};

	return cmocka_run_group_tests_name("recovering", tests, NULL, NULL);
}
