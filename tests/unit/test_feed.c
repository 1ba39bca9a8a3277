// SPDX-License-Identifier: GPL-2.0-or-later
/* feed*.c on a real tree, with real events and a real pool of workers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "feed_impl.h"
#include "measure_place.h"
#include "watch/fanotify.h"

/* The root is the directory "r" of the place. */
struct bench {
	struct place *place;
	char path[80];
	struct root root;
	struct policy policy;
	struct feed *feed;
	struct fanotify_hub *hub; /* or NULL: inotify */
	size_t n_named, n_ends; /* what feed_names told */
	char named[64];
};

static void start(struct bench *b)
{
	assert_int_equal(
		feed_new(&b->policy, 7, b->place->m, NULL, &b->feed), 0);
}

static bool is_fanotify; /* the second round */

/* The whole filesystem of the place, with what strangers do on it. */
static void mark_filesystem(struct bench *b)
{
	int fd = fanotify_init(FANOTIFY_FLAGS, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				 FANOTIFY_MASK, b->place->fd, "."),
		0);
	assert_int_equal(fanotify_hub_new(fd, false, &b->hub), 0);
}

static int set_up(void **state)
{
	struct bench *b = test_calloc(1, sizeof(*b));

	assert_int_equal(place_set_up((void **)&b->place), 0);
	snprintf(b->path, sizeof(b->path), "%s/r", b->place->path);
	assert_int_equal(mkdirat(b->place->fd, "r", 0700), 0);
	b->root = (struct root){.path = b->path, .type = STYPE_LOGS};
	b->policy = (struct policy){.roots = &b->root, .n_roots = 1};
	if (is_fanotify)
		mark_filesystem(b);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	void *place = b->place;

	/* As the agent does: the workers hold what is the watch's. */
	feed_free(b->feed);
	fanotify_hub_free(b->hub);
	place_tear_down(&place);
	test_free(b);
	return 0;
}

static void make_file(struct bench *b, const char *name)
{
	place_file(b->place, name, 1);
}

static void make_dir(struct bench *b, const char *name)
{
	assert_int_equal(mkdirat(b->place->fd, name, 0700), 0);
}

static void move(struct bench *b, const char *from, const char *to)
{
	assert_int_equal(renameat(b->place->fd, from, b->place->fd, to), 0);
}

/* Gives the feed all results that have come. */
static void take_results(struct bench *b)
{
	struct result *r = measure_take(b->place->m);

	while (r) {
		struct result *next = r->next;

		assert_int_equal(r->job->component, 7);
		assert_int_equal(feed_result(b->feed, r), 0);
		result_free(r);
		r = next;
	}
}

static bool is_idle(struct bench *b)
{
	return !feed_is_scanning(b->feed) && !b->feed->dirty.n_items &&
	       !b->feed->n_looking && !feed_backlog(b->feed) &&
	       !b->feed->n_slow && !feed_waiting(&b->feed->slow) &&
	       index_is_tidy(b->feed->index) && !b->feed->askers &&
	       !feed_is_beginning(b->feed);
}

/* Turns until nothing is left to do. */
static void begin_roots(struct bench *b)
{
	for (size_t i = 0; i < b->policy.n_roots; i++)
		if (feed_root(b->feed, i)->is_waiting)
			assert_int_equal(feed_begin(b->feed, i,
						 b->hub ? FEED_NEWS_FANOTIFY
							: FEED_NEWS_INOTIFY,
						 b->hub),
				0);
}

static void settle(struct bench *b)
{
	int64_t end = clock_boot_ns(NULL) + 20 * CLOCK_NS_PER_S;

	do {
		struct pollfd fd = {measure_fd(b->place->m), POLLIN, 0};

		assert_true(clock_boot_ns(NULL) < end);
		feed_read(b->feed, 1800000000);
		take_results(b);
		begin_roots(b);
		if (!feed_dispatch(b->feed) && !is_idle(b))
			poll(&fd, 1, 100);
	} while (!is_idle(b));
}

static uint32_t find_dir(struct bench *b, const char *rel)
{
	return index_find_dir(b->feed->index, feed_root(b->feed, 0)->node, rel);
}

static bool has(struct bench *b, const char *dir, const char *name)
{
	uint32_t node = find_dir(b, dir);
	struct index_item item;

	return node != INDEX_NONE &&
	       index_find(b->feed->index, node, name, strlen(name), &item);
}

static void assert_files(struct bench *b, uint64_t files, uint64_t dirs)
{
	struct index_totals t =
		index_totals(b->feed->index, INDEX_NODE_COMPONENT);
	buf_auto struct buf report = {0};

	assert_int_equal(t.files, files);
	assert_int_equal(t.directories, dirs);
	assert_int_equal(index_check(b->feed->index, &report), 0);
}

static void test_first_listing(void **state)
{
	struct bench *b = *state;

	make_file(b, "r/a");
	make_dir(b, "r/d");
	make_dir(b, "r/d/e");
	make_file(b, "r/d/e/b");
	start(b);
	assert_int_equal(feed_root(b->feed, 0)->state, ROOT_UNSEEN);
	assert_true(feed_is_scanning(b->feed));
	assert_false(feed_is_trusted(b->feed));
	settle(b);
	assert_true(feed_is_trusted(b->feed));
	assert_true(feed_is_quiet(b->feed));
	assert_int_equal(feed_root(b->feed, 0)->state, ROOT_HERE);
	assert_true(feed_is_on(b->feed, feed_root(b->feed, 0)->id.dev));
	assert_false(feed_is_on(b->feed, UINT64_MAX));
	assert_true(has(b, "", "a"));
	assert_true(has(b, "d/e", "b"));
	assert_files(b, 2, 3);
	/* The marks were there before the files: some news came early. */
	assert_in_range(
		feed_counters(b->feed)->listings, 3, is_fanotify ? 6 : 3);
	assert_int_equal(feed_n_watches(b->feed), 3);
	assert_string_equal(
		feed_source(b->feed), is_fanotify ? "fanotify" : "inotify");
}

static void test_events(void **state)
{
	struct bench *b = *state;
	uint64_t listings;

	make_dir(b, "r/d");
	make_file(b, "r/old");
	start(b);
	settle(b);
	listings = feed_counters(b->feed)->listings;
	make_file(b, "r/d/new");
	assert_int_equal(unlinkat(b->place->fd, "r/old", 0), 0);
	settle(b);
	assert_true(has(b, "d", "new"));
	assert_false(has(b, "", "old"));
	assert_int_equal(feed_counters(b->feed)->listings, listings);
	assert_true(feed_counters(b->feed)->events > 0);
	assert_true(feed_counters(b->feed)->looks > 0);
	/* A whole tree at once: what came before its watch is found too. */
	make_dir(b, "out");
	make_dir(b, "out/x");
	make_file(b, "out/x/f");
	move(b, "out", "r/in");
	settle(b);
	assert_true(has(b, "in/x", "f"));
	move(b, "r/in", "out");
	settle(b);
	assert_files(b, 1, 2);
	assert_int_equal(feed_n_watches(b->feed), 2);
}

/* The directory moves while looks at names in it are on their way: they fail
 * at the old place and must be made at the new one. */
static void test_moved_under_look(void **state)
{
	struct bench *b = *state;
	uint32_t dir;

	make_dir(b, "r/d");
	make_dir(b, "r/d/s");
	start(b);
	settle(b);
	dir = find_dir(b, "d/s");
	make_file(b, "r/d/s/new");
	/* Told of the file, not of the move. */
	feed_read(b->feed, 1800000000);
	assert_true(dirty_has(&b->feed->dirty, dir, "new", 3));
	move(b, "r/d", "r/e");
	feed_dispatch(b->feed);
	/* The new place is seen before the old one is missed: the node moves,
	 * and is not listed anew. */
	feed_look(b->feed, feed_root(b->feed, 0)->node, "e");
	place_wait(b->place);
	settle(b);
	assert_int_equal(find_dir(b, "d"), INDEX_NONE);
	assert_int_equal(find_dir(b, "e/s"), dir);
	assert_true(has(b, "e/s", "new"));
	assert_files(b, 1, 3);
}

/* The same under a listing. */
static void test_moved_under_listing(void **state)
{
	struct bench *b = *state;
	uint32_t dir;

	make_dir(b, "r/d");
	make_dir(b, "r/d/s");
	start(b);
	settle(b);
	dir = find_dir(b, "d/s");
	make_file(b, "r/d/s/new");
	feed_read(b->feed, 1800000000);
	dirty_reset(&b->feed->dirty);
	feed_list(b->feed, dir);
	move(b, "r/d", "r/e");
	feed_dispatch(b->feed);
	/* The new place is seen before the old one is missed: the node moves,
	 * and is not listed anew. */
	feed_look(b->feed, feed_root(b->feed, 0)->node, "e");
	place_wait(b->place);
	settle(b);
	assert_true(has(b, "e/s", "new"));
	assert_files(b, 1, 3);
}

static void test_overflow(void **state)
{
	struct bench *b = *state;

	make_dir(b, "r/d");
	start(b);
	settle(b);
	make_file(b, "r/d/lost");
	make_file(b, "r/lost");
	feed_read(b->feed, 1800000000);
	assert_int_equal(b->feed->dirty.n_items, 2);
	feed_overflow(b->feed);
	assert_int_equal(b->feed->dirty.n_items, 0);
	assert_int_equal(feed_counters(b->feed)->overflows, 1);
	assert_true(feed_is_scanning(b->feed));
	assert_false(feed_is_trusted(b->feed));
	assert_false(feed_is_quiet(b->feed));
	settle(b);
	assert_true(feed_is_trusted(b->feed));
	assert_true(has(b, "d", "lost"));
	assert_true(has(b, "", "lost"));
}

static void test_root_replaced(void **state)
{
	struct bench *b = *state;

	make_file(b, "r/mine");
	start(b);
	settle(b);
	move(b, "r", "away");
	make_dir(b, "r");
	make_file(b, "r/foreign");
	feed_list(b->feed, feed_root(b->feed, 0)->node);
	settle(b);
	assert_int_equal(feed_root(b->feed, 0)->state, ROOT_CHANGED);
	assert_int_equal(feed_root(b->feed, 0)->node, INDEX_NONE);
	assert_false(feed_is_trusted(b->feed));
	assert_files(b, 0, 0);
	/* It does not mend itself: somebody has to say so. */
	feed_retry_roots(b->feed);
	settle(b);
	assert_int_equal(feed_root(b->feed, 0)->state, ROOT_CHANGED);
	feed_set_policy(b->feed, &b->policy);
	settle(b);
	assert_int_equal(feed_root(b->feed, 0)->state, ROOT_HERE);
	assert_true(feed_is_trusted(b->feed));
	assert_true(has(b, "", "foreign"));
	assert_false(has(b, "", "mine"));
}

static void test_root_missing(void **state)
{
	struct bench *b = *state;

	assert_int_equal(unlinkat(b->place->fd, "r", AT_REMOVEDIR), 0);
	start(b);
	settle(b);
	assert_int_equal(feed_root(b->feed, 0)->state, ROOT_MISSING);
	assert_int_equal(feed_root(b->feed, 0)->error, ENOENT);
	assert_true(feed_has_lost_roots(b->feed));
	assert_false(feed_is_trusted(b->feed));
	feed_retry_roots(b->feed);
	settle(b);
	assert_int_equal(feed_root(b->feed, 0)->state, ROOT_MISSING);
	make_dir(b, "r");
	make_file(b, "r/a");
	feed_retry_roots(b->feed);
	settle(b);
	assert_int_equal(feed_root(b->feed, 0)->state, ROOT_HERE);
	assert_int_equal(feed_root(b->feed, 0)->error, 0);
	assert_false(feed_has_lost_roots(b->feed));
	assert_true(feed_is_trusted(b->feed));
	assert_true(has(b, "", "a"));
}

/* What no event told of is found, and counted. */
static void test_reconcile(void **state)
{
	struct bench *b = *state;

	make_dir(b, "r/d");
	start(b);
	feed_reconcile(b->feed);
	assert_false(feed_is_reconciling(b->feed));
	settle(b);
	make_file(b, "r/d/a");
	make_file(b, "r/d/b");
	feed_read(b->feed, 1800000000);
	dirty_reset(&b->feed->dirty);
	feed_reconcile(b->feed);
	assert_true(feed_is_reconciling(b->feed));
	settle(b);
	feed_dispatch(b->feed);
	assert_false(feed_is_reconciling(b->feed));
	assert_int_equal(feed_counters(b->feed)->reconciliations, 1);
	assert_int_equal(feed_counters(b->feed)->drift, 2);
	assert_int_equal(feed_counters(b->feed)->drift_files, 2);
	assert_files(b, 2, 2);
}

static void write_byte(struct bench *b, const char *name)
{
	int fd = openat(
		b->place->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

/* Bytes by which a directory grew in the last hour; 0 if that is not known. */
static int64_t growth_of(struct bench *b, const char *dir)
{
	uint32_t node = find_dir(b, dir);
	struct growth_row rows[GROWTH_SLOTS];
	size_t n = growth_list(
		&feed_growth(b->feed)->dirs, clock_boot_ns(NULL), rows);

	for (size_t i = 0; i < n; i++)
		if (rows[i].key == growth_dir(node, feed_life(b->feed, node)))
			return rows[i].hour_bytes;
	return 0;
}

/* What went is taken from what came, also where no event told but a listing. */
static void test_growth(void **state)
{
	struct bench *b = *state;

	make_dir(b, "r/d");
	start(b);
	settle(b);
	write_byte(b, "r/d/f");
	settle(b);
	assert_true(growth_of(b, "d") > 0);
	assert_int_equal(unlinkat(b->place->fd, "r/d/f", 0), 0);
	feed_read(b->feed, 1800000000);
	dirty_reset(&b->feed->dirty);
	feed_list(b->feed, find_dir(b, "d"));
	settle(b);
	assert_false(has(b, "d", "f"));
	assert_int_equal(growth_of(b, "d"), 0);
}

static void on_names(void *ctx, const struct result *result)
{
	struct bench *b = ctx;

	for (size_t i = 0; i < result->n_obs; i++) {
		b->n_named++;
		snprintf(b->named, sizeof(b->named), "%s", result->obs[i].name);
	}
	b->n_ends += result->is_last;
}

static void ask(struct bench *b, const char *name)
{
	uint32_t root = feed_root(b->feed, 0)->node;
	uint64_t *hashes = malloc(sizeof(*hashes));

	assert_non_null(hashes);
	*hashes = index_hash(b->feed->index, root, name, strlen(name)) &
		  INDEX_HASH_MASK;
	assert_int_equal(feed_names(b->feed, root, hashes, 1, on_names, b), 0);
}

static void test_names(void **state)
{
	struct bench *b = *state;

	make_file(b, "r/a");
	make_file(b, "r/b");
	start(b);
	settle(b);
	ask(b, "b");
	settle(b);
	assert_int_equal(b->n_named, 1);
	assert_int_equal(b->n_ends, 1);
	assert_string_equal(b->named, "b");
	ask(b, "gone");
	settle(b);
	assert_int_equal(b->n_named, 1);
	assert_int_equal(b->n_ends, 2);
	ask(b, "a");
	feed_forget_names(b->feed, b);
	place_wait(b->place);
	settle(b);
	assert_int_equal(b->n_ends, 2);
	/* One that is never answered: freed with the feed. */
	ask(b, "a");
}

/* ---- what a reaper does ---- */

static void reap(
	struct bench *b, const char *dir, const char *name, uint32_t life)
{
	feed_gone(b->feed, find_dir(b, dir), life, name);
}

static uint32_t life_of(struct bench *b, const char *dir)
{
	return feed_life(b->feed, find_dir(b, dir));
}

/* Their events say nothing new of them: one look, at the directory, which may
 * have shrunk. */
static void test_reaped(void **state)
{
	struct bench *b = *state;
	uint64_t n_looks;

	make_file(b, "r/a");
	make_file(b, "r/b");
	make_file(b, "r/c");
	start(b);
	settle(b);
	assert_files(b, 3, 1);
	n_looks = feed_counters(b->feed)->looks;
	feed_reaping(b->feed, true);
	assert_true(feed_is_reaping(b->feed));
	assert_int_equal(unlinkat(b->place->fd, "r/a", 0), 0);
	assert_int_equal(unlinkat(b->place->fd, "r/c", 0), 0);
	reap(b, "", "a", life_of(b, ""));
	reap(b, "", "c", life_of(b, ""));
	assert_files(b, 1, 1);
	settle(b);
	feed_reaping(b->feed, false);
	settle(b);
	assert_true(feed_counters(b->feed)->looks == n_looks + 1);
	assert_files(b, 1, 1);
	/* One that the reaper has not told of is looked for. */
	assert_int_equal(unlinkat(b->place->fd, "r/b", 0), 0);
	settle(b);
	assert_true(feed_counters(b->feed)->looks == n_looks + 2);
	assert_files(b, 0, 1);
}

/* The name is somebody else's by now. */
static void test_reaped_and_made_again(void **state)
{
	struct bench *b = *state;

	make_file(b, "r/a");
	start(b);
	settle(b);
	assert_int_equal(unlinkat(b->place->fd, "r/a", 0), 0);
	reap(b, "", "a", life_of(b, ""));
	make_file(b, "r/a");
	settle(b);
	assert_true(has(b, "", "a"));
	/* Its event came before the outcome. */
	assert_int_equal(unlinkat(b->place->fd, "r/a", 0), 0);
	make_file(b, "r/a");
	feed_read(b->feed, 1800000000);
	reap(b, "", "a", life_of(b, ""));
	settle(b);
	assert_files(b, 1, 1);
}

/* A look under way has seen it. */
static void test_reaped_under_look(void **state)
{
	struct bench *b = *state;

	make_dir(b, "r/d");
	start(b);
	settle(b);
	write_byte(b, "r/d/a");
	settle(b);
	assert_true(growth_of(b, "d") > 0);
	feed_look(b->feed, find_dir(b, "d"), "a");
	feed_dispatch(b->feed);
	place_wait(b->place);
	assert_int_equal(unlinkat(b->place->fd, "r/d/a", 0), 0);
	reap(b, "d", "a", life_of(b, "d"));
	settle(b);
	assert_files(b, 0, 2);
	/* What it took is not forgotten for that. */
	assert_int_equal(growth_of(b, "d"), 0);
}

/* Outcomes of a directory whose number is another one's by now. */
static void test_reaped_elsewhere(void **state)
{
	struct bench *b = *state;
	uint32_t dir, life;

	make_dir(b, "r/d");
	make_file(b, "r/d/a");
	start(b);
	settle(b);
	dir = find_dir(b, "d");
	life = life_of(b, "d");
	assert_int_equal(unlinkat(b->place->fd, "r/d/a", 0), 0);
	assert_int_equal(unlinkat(b->place->fd, "r/d", AT_REMOVEDIR), 0);
	settle(b);
	for (int i = 0; i < 8; i++) {
		char name[32];

		snprintf(name, sizeof(name), "r/e%d", i);
		make_dir(b, name);
		snprintf(name, sizeof(name), "r/e%d/a", i);
		make_file(b, name);
	}
	settle(b);
	assert_true(index_is_dir(b->feed->index, dir));
	feed_gone(b->feed, dir, life, "a");
	assert_files(b, 8, 9);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_first_listing),
		CASE(test_events),
		CASE(test_moved_under_look),
		CASE(test_moved_under_listing),
		CASE(test_overflow),
		CASE(test_root_replaced),
		CASE(test_root_missing),
		CASE(test_reconcile),
		CASE(test_growth),
		CASE(test_names),
		CASE(test_reaped),
		CASE(test_reaped_and_made_again),
		CASE(test_reaped_under_look),
		CASE(test_reaped_elsewhere),
	};

	int failed = cmocka_run_group_tests_name("inotify", tests, NULL, NULL);

	if (geteuid() != 0) {
		printf("# SKIP marking a filesystem needs root\n");
		return failed;
	}
	is_fanotify = true;
	return failed +
	       cmocka_run_group_tests_name("fanotify", tests, NULL, NULL);
}
