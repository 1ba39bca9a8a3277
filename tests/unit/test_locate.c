// SPDX-License-Identifier: GPL-2.0-or-later
/* From a path as a user writes it to its place, over a real feed. */
#include <errno.h>
#include <poll.h>

#include "core.h"
#include "locate.h"
#include "scratch.h"

struct map {
	struct scratch dir;
	struct measure *pool;
	char path[PATH_MAX + 8];
	struct root roots[2];
	struct policy policy;
	struct component component;
	struct agent agent;
	struct located at;
};

static void settle(struct map *m)
{
	while (feed_dispatch(m->component.feed) ||
		!feed_is_quiet(m->component.feed)) {
		struct result *r, *next;
		struct pollfd fd = {measure_fd(m->pool), POLLIN, 0};

		assert_int_equal(poll(&fd, 1, 20000), 1);
		for (r = measure_take(m->pool); r; r = next) {
			next = r->next;
			assert_int_equal(feed_result(m->component.feed, r), 0);
			result_free(r);
		}
		for (size_t i = 0; i < m->policy.n_roots; i++)
			if (feed_root(m->component.feed, i)->is_waiting)
				assert_int_equal(
					feed_begin(m->component.feed, i,
						FEED_NEWS_INOTIFY, NULL),
					0);
	}
}

static int set_up(void **state)
{
	struct map *m = test_calloc(1, sizeof(*m));

	scratch_init(&m->dir);
	assert_int_equal(measure_new(1, &m->pool), 0);
	snprintf(m->path, sizeof(m->path), "%s/r", m->dir.path);
	assert_int_equal(mkdirat(m->dir.fd, "r", 0700), 0);
	assert_int_equal(mkdirat(m->dir.fd, "r/d", 0700), 0);
	assert_int_equal(mkdirat(m->dir.fd, "r/d/a b", 0700), 0);
	m->roots[0] = (struct root){.path = (char *)"/nowhere/at/all"};
	m->roots[1] = (struct root){.path = m->path};
	m->policy = (struct policy){.roots = m->roots, .n_roots = 2};
	assert_int_equal(
		feed_new(&m->policy, 1, m->pool, NULL, &m->component.feed), 0);
	m->component.policy = &m->policy;
	m->agent.components = &m->component;
	m->agent.n_components = 1;
	settle(m);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct map *m = *state;

	locate_fini(&m->at);
	feed_free(m->component.feed);
	measure_free(m->pool);
	scratch_fini(&m->dir);
	test_free(m);
	return 0;
}

/* Finds what stands below the test's directory. */
static int find(struct map *m, const char *rel)
{
	char path[PATH_MAX + 64];

	locate_fini(&m->at);
	snprintf(path, sizeof(path), "%s%s", m->dir.path, rel);
	return locate(&m->agent, path, &m->at);
}

static uint32_t node(struct map *m, const char *rel)
{
	return index_find_dir(feed_index(m->component.feed),
		feed_root(m->component.feed, 1)->node, rel);
}

static void test_known(void **state)
{
	struct map *m = *state;

	assert_int_equal(find(m, "/r"), 0);
	assert_ptr_equal(m->at.component, &m->component);
	assert_int_equal(m->at.root, 1);
	assert_string_equal(m->at.rel.data, "");
	assert_int_equal(m->at.node, node(m, ""));
	assert_int_equal(find(m, "/r/d"), 0);
	assert_int_equal(m->at.node, node(m, "d"));
	assert_int_equal(m->at.parent, node(m, ""));
	assert_int_equal(find(m, "//r/d///f//"), 0);
	assert_string_equal(m->at.rel.data, "d/f");
	assert_string_equal(m->at.name, "f");
	assert_int_equal(m->at.node, INDEX_NONE);
	assert_int_equal(m->at.parent, node(m, "d"));
	/* As the agent writes names, and as they are. */
	assert_int_equal(find(m, "/r/d/a\\x20b/f"), 0);
	assert_int_not_equal(m->at.parent, INDEX_NONE);
	assert_int_equal(m->at.parent, node(m, "d/a b"));
	assert_int_equal(find(m, "/r/d/a b/f"), 0);
	assert_int_equal(m->at.parent, node(m, "d/a b"));
}

static void test_unknown(void **state)
{
	struct map *m = *state;
	struct located untouched = {.root = 99};

	assert_int_equal(locate(&m->agent, "r/d", &untouched), -EINVAL);
	assert_int_equal(locate(&m->agent, "", &untouched), -EINVAL);
	assert_int_equal(untouched.root, 99);
	/* A name that only begins like the root's. */
	assert_int_equal(find(m, "/rr/d"), 0);
	assert_null(m->at.component);
	assert_int_equal(find(m, ""), 0);
	assert_null(m->at.component);
	assert_int_equal(find(m, "/r/x/y"), 0);
	assert_ptr_equal(m->at.component, &m->component);
	assert_int_equal(m->at.parent, INDEX_NONE);
	assert_int_equal(m->at.node, INDEX_NONE);
	/* No step upwards is taken: it is no name that the index knows. */
	assert_int_equal(find(m, "/r/d/../d"), 0);
	assert_int_equal(m->at.node, INDEX_NONE);
	/* A root that is not there has no nodes. */
	locate_fini(&m->at);
	assert_int_equal(locate(&m->agent, "/nowhere/at/all/f", &m->at), 0);
	assert_int_equal(m->at.root, 0);
	assert_string_equal(m->at.name, "f");
	assert_int_equal(m->at.parent, INDEX_NONE);
	locate_fini(&m->at);
	assert_int_equal(locate(&m->agent, "/", &m->at), 0);
	assert_null(m->at.component);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_known),
		CASE(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
