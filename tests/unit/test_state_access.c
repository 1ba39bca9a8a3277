// SPDX-License-Identifier: GPL-2.0-or-later
/* When the file of files' use is written, and what is in it. */
#include <errno.h>
#include <stdio.h>

#include "access.h"
#include "core.h"
#include "feed_impl.h"
#include "scratch.h"
#include "state_access.h"
#include "state_file.h"

#define NOW   INT64_C(1800000000)
#define HOUR  (3600 * CLOCK_NS_PER_S)
#define FILES 40000 /* more than one step */

struct desk {
	struct scratch dir;
	struct clock clock;
	struct config config;
	struct root root;
	struct policy policy;
	struct component component;
	struct measure *measure;
	struct agent agent;
	uint32_t node; /* of the root */
};

/* A feed whose root nobody lists, and files in its index. */
static void begin(struct desk *d)
{
	const struct policy bare = {.component = d->policy.component};
	struct component *c = &d->component;

	assert_int_equal(measure_new(1, &d->measure), 0);
	assert_int_equal(feed_new(&bare, 1, d->measure, NULL, &c->feed), 0);
	c->policy = c->feed->policy = &d->policy;
	assert_int_equal(index_add_root(feed_index(c->feed), STYPE_DATA,
				 d->root.path, 0, &d->node),
		0);
	d->agent = (struct agent){.config = &d->config,
		.clock = &d->clock,
		.measure = d->measure,
		.components = c,
		.n_components = 1};
	assert_int_equal(state_access_load(&d->agent), 0);
}

static void end(struct desk *d)
{
	d->component.feed = feed_free(d->component.feed);
	measure_free(d->measure);
	state_access_free(&d->agent);
}

static int set_up(void **state)
{
	struct desk *d = test_calloc(1, sizeof(*d));

	scratch_init(&d->dir);
	d->clock = (struct clock){.is_fake = true,
		.fake_real_ns = NOW * CLOCK_NS_PER_S,
		.fake_boot_ns = HOUR};
	d->config.state_file = strdup(scratch_path(&d->dir, "state"));
	d->root = (struct root){.path = (char *)"/srv/web", .type = STYPE_DATA};
	d->policy = (struct policy){
		.component = (char *)"web", .roots = &d->root, .n_roots = 1};
	begin(d);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *d = *state;

	end(d);
	free(d->config.state_file);
	scratch_fini(&d->dir);
	test_free(d);
	return 0;
}

static void add_files(struct desk *d)
{
	struct index_change change;

	for (unsigned int i = 0; i < FILES; i++) {
		char name[16];
		struct observation o = {.dir = d->node,
			.kind = OBS_FILE,
			.name = name,
			.st = {.id = {.dev = 1, .ino = i + 1}, .nlink = 1}};

		o.name_len = (uint16_t)snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(index_apply(feed_index(d->component.feed), &o,
					 0, &change),
			0);
		index_touch(feed_index(d->component.feed), d->node, name,
			o.name_len, NOW - 7);
	}
}

static bool exists(struct desk *d, struct stat *ret)
{
	return fstatat(d->dir.fd, "state.access", ret, 0) == 0;
}

/* Turns until nothing is to be done; how many there were. */
static int keep(struct desk *d)
{
	int n = 1;

	while (state_access_keep(&d->agent))
		n++;
	return n;
}

static void wait_for_file(struct desk *d, struct stat *ret)
{
	for (int i = 0; i < 1000 && !exists(d, ret); i++)
		usleep(10000);
	assert_true(exists(d, ret));
}

static void read_back(struct desk *d, struct access_book *ret)
{
	struct buf bytes = {0};

	assert_int_equal(state_file_read(scratch_path(&d->dir, "state.access"),
				 ACCESS_FILE_MAX, &bytes),
		0);
	assert_int_equal(access_decode(&bytes, ret), 0);
}

static void test_once_an_hour(void **state)
{
	struct desk *d = *state;
	struct access_book book;
	const struct access_item *item;
	struct stat st;

	clock_advance(&d->clock, 2 * HOUR);
	assert_int_equal(state_access_due(&d->agent), INT64_MAX);
	assert_int_equal(keep(d), 1);
	add_files(d);
	assert_true(state_access_due(&d->agent) <= d->clock.fake_boot_ns);
	/* In steps. */
	assert_true(keep(d) > 2);
	wait_for_file(d, &st);
	assert_int_equal(st.st_mode & 0777, 0600);
	read_back(d, &book);
	assert_int_equal(book.n_dirs, 1);
	assert_int_equal(book.dirs[0].n_items, FILES);
	assert_int_equal(book.dirs[0].seen_real_s, NOW + 7200);
	item = access_item(&book.dirs[0], "f17", 3);
	assert_non_null(item);
	assert_int_equal(item->atime, NOW - 7);
	assert_int_equal(item->ino_tag, 18);
	access_fini(&book);
	/* Not again without a change, nor within the hour. */
	assert_int_equal(unlinkat(d->dir.fd, "state.access", 0), 0);
	clock_advance(&d->clock, 2 * HOUR);
	assert_int_equal(keep(d), 1);
	index_touch(feed_index(d->component.feed), d->node, "f1", 2, NOW);
	assert_true(keep(d) > 1);
	wait_for_file(d, &st);
	keep(d);
	index_touch(feed_index(d->component.feed), d->node, "f1", 2, NOW + 1);
	clock_advance(&d->clock, HOUR - 1);
	assert_int_equal(keep(d), 1);
	assert_int_equal(
		state_access_due(&d->agent), d->clock.fake_boot_ns + 1);
}

/* What no listing has used is saved again, as old as it is. */
static void test_kept_until_used(void **state)
{
	struct desk *d = *state;
	struct access_book book;

	add_files(d);
	assert_int_equal(state_access_save(&d->agent), 0);
	for (int i = 0; i < 2; i++) {
		end(d);
		clock_advance(&d->clock, HOUR);
		begin(d);
		assert_int_equal(keep(d), 1);
		assert_int_equal(state_access_save(&d->agent), 0);
		read_back(d, &book);
		assert_int_equal(book.n_dirs, 1);
		assert_int_equal(book.dirs[0].n_items, FILES);
		assert_int_equal(book.dirs[0].seen_real_s, NOW);
		access_fini(&book);
	}
}

/* Nobody else's word is taken, and a link is not followed. */
static void test_not_ours(void **state)
{
	struct desk *d = *state;

	add_files(d);
	assert_int_equal(state_access_save(&d->agent), 0);
	assert_int_equal(fchmodat(d->dir.fd, "state.access", 0666, 0), 0);
	end(d);
	begin(d);
	assert_null(d->component.feed->accesses);
	assert_int_equal(state_access_save(&d->agent), 0);
	end(d);
	begin(d);
	assert_non_null(d->component.feed->accesses);
	assert_int_equal(
		renameat(d->dir.fd, "state.access", d->dir.fd, "other"), 0);
	assert_int_equal(symlinkat("other", d->dir.fd, "state.access"), 0);
	end(d);
	begin(d);
	assert_null(d->component.feed->accesses);
}

/* Other components come in the middle of it. */
static void test_reload(void **state)
{
	struct desk *d = *state;
	struct stat st;

	add_files(d);
	clock_advance(&d->clock, HOUR);
	assert_true(state_access_keep(&d->agent));
	state_access_forget(&d->agent);
	assert_int_equal(keep(d), 1);
	assert_false(exists(d, &st));
	clock_advance(&d->clock, HOUR);
	assert_true(keep(d) > 1);
	wait_for_file(d, &st);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_once_an_hour),
		CASE(test_kept_until_used),
		CASE(test_not_ours),
		CASE(test_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
