// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is listed first, and how much at once: scan.c and pressure.c. */
#include <errno.h>
#include <stdio.h>

#include "core.h"
#include "feed_impl.h"
#include "scan.h"
#include "scratch.h"

#define N 3
#define S CLOCK_NS_PER_S

struct bench {
	struct scratch dir;
	char *pressure; /* what the kernel would tell */
	struct measure *measure;
	struct policy policies[N];
	struct component components[N];
	struct clock clock;
	struct agent agent;
};

static int set_up(void **state)
{
	struct bench *b = test_calloc(1, sizeof(*b));

	scratch_init(&b->dir);
	b->pressure = strdup(scratch_path(&b->dir, "io"));
	assert_int_equal(measure_new(1, &b->measure), 0);
	b->clock = (struct clock){.is_fake = true, .fake_boot_ns = 1000 * S};
	b->agent = (struct agent){
		.clock = &b->clock,
		.measure = b->measure,
		.components = b->components,
		.n_components = N,
		.pressure = {.path = b->pressure},
	};
	for (int i = 0; i < N; i++) {
		struct component *c = &b->components[i];

		c->policy = &b->policies[i];
		c->allocation_bytes = 1000;
		assert_int_equal(feed_new(c->policy, (uint32_t)i + 1,
					 b->measure, NULL, &c->feed),
			0);
	}
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < N; i++)
		feed_free(b->components[i].feed);
	measure_free(b->measure);
	free(b->pressure);
	scratch_fini(&b->dir);
	test_free(b);
	return 0;
}

static void assert_shares(struct bench *b, size_t x, size_t y, size_t z)
{
	scan_share(&b->agent);
	assert_int_equal(b->components[0].feed->max_listings, x);
	assert_int_equal(b->components[1].feed->max_listings, y);
	assert_int_equal(b->components[2].feed->max_listings, z);
}

static void test_the_fullest_first(void **state)
{
	struct bench *b = *state;
	struct component *c = b->components;

	/* Nothing is known: in the order of the policies. */
	assert_shares(b, FEED_LISTINGS, SCAN_FEW, SCAN_FEW);
	c[0].figures.whole.used_bytes = 900;
	c[1].figures.whole.used_bytes = 800;
	c[1].allocation_bytes = 850;
	c[2].figures.whole.used_bytes = 901;
	assert_shares(b, SCAN_FEW, FEED_LISTINGS, SCAN_FEW);
	/* It is through; the next one. */
	c[1].feed->is_provisional = false;
	c[1].is_scanned = true;
	assert_shares(b, SCAN_FEW, FEED_LISTINGS, FEED_LISTINGS);
	c[2].feed->is_provisional = false;
	assert_shares(b, FEED_LISTINGS, FEED_LISTINGS, FEED_LISTINGS);
	/* An allocation that is not known yet. */
	c[2].feed->is_provisional = true;
	c[2].allocation_bytes = 0;
	assert_shares(b, FEED_LISTINGS, FEED_LISTINGS, SCAN_FEW);
	/* After an overflow saved figures are old ones. */
	c[1].feed->is_provisional = true;
	c[0].figures.whole.used_bytes = 1;
	assert_shares(b, FEED_LISTINGS, SCAN_FEW, SCAN_FEW);
}

static void tell(struct bench *b, const char *text)
{
	FILE *f = fopen(b->pressure, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_load(void **state)
{
	struct bench *b = *state;

	tell(b, "some avg10=20.01 avg60=0.00 avg300=0.00 total=1\n"
		"full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
	b->components[1].feed->is_provisional = false;
	assert_shares(b, 1, FEED_LISTINGS, 1);
	/* Read once a second, and not low before it is well below. */
	tell(b, "some avg10=3.00 avg60=99.00 avg300=99.00 total=1\n");
	assert_shares(b, 1, FEED_LISTINGS, 1);
	clock_advance(&b->clock, S - 1);
	assert_shares(b, 1, FEED_LISTINGS, 1);
	clock_advance(&b->clock, 1);
	assert_shares(b, FEED_LISTINGS, FEED_LISTINGS, SCAN_FEW);
	tell(b, "some avg10=20.00 avg60=0.00 avg300=0.00 total=1\n");
	clock_advance(&b->clock, S);
	assert_shares(b, FEED_LISTINGS, FEED_LISTINGS, SCAN_FEW);
	tell(b, "some avg10=100.00 avg60=0.00 avg300=0.00 total=1\n");
	clock_advance(&b->clock, S);
	assert_shares(b, 1, FEED_LISTINGS, 1);
	tell(b, "some avg10=10.00 avg60=0.00 avg300=0.00 total=1\n");
	clock_advance(&b->clock, S);
	assert_shares(b, 1, FEED_LISTINGS, 1);
	/* A kernel that does not tell. */
	assert_int_equal(unlink(b->pressure), 0);
	clock_advance(&b->clock, S);
	assert_shares(b, FEED_LISTINGS, FEED_LISTINGS, SCAN_FEW);
}

/* While nothing is listed nobody asks. */
static void test_not_asked(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < N; i++)
		b->components[i].feed->is_provisional = false;
	tell(b, "some avg10=90.00 avg60=0.00 avg300=0.00 total=1\n");
	assert_shares(b, FEED_LISTINGS, FEED_LISTINGS, FEED_LISTINGS);
	assert_int_equal(b->agent.pressure.due_boot_ns, 0);
}

static void test_texts(void **state)
{
	static const char *const bad[] = {"", "some", "some avg10=", "full",
		"full avg10=1.00", "some avg10=x.00", "some avg10=101.00",
		"some avg10=-1.00", "some avg10=4294967297.00"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(pressure_parse(bad[i]), -EBADMSG);
	assert_int_equal(pressure_parse("some avg10=0.00 avg60=1.00"), 0);
	assert_int_equal(pressure_parse("some avg10=7.05 avg60=1.00"), 705);
	assert_int_equal(pressure_parse("some avg10=100.00"), 10000);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_the_fullest_first),
		CASE(test_load),
		CASE(test_not_asked),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
