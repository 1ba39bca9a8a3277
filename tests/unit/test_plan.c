// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/plan.h"

/* The layout, once more and by hand: a change of it must be seen here. */
#define HEADER_SIZE 24
#define RECORD_SIZE 72
#define AT_VERSION  8
#define AT_COUNT    12
#define AT_LEN	    16
#define AT_BTIME_NS (HEADER_SIZE + 56)
#define AT_DIR_LEN  (HEADER_SIZE + 60)
#define AT_NAME_LEN (HEADER_SIZE + 66)
#define AT_TYPE	    (HEADER_SIZE + 68)
#define AT_RULE	    (HEADER_SIZE + 69)
#define AT_RESERVED (HEADER_SIZE + 70)
#define AT_DIR	    (HEADER_SIZE + RECORD_SIZE)

static struct candidate sample(const char *rel_dir, const char *name)
{
	return (struct candidate){
		.root = 3,
		.type = STYPE_LOGS,
		.rule = PLAN_RULE_LARGEST,
		.rel_dir = rel_dir,
		.name = name,
		.id = {UINT64_MAX - 1, 12345, -7, 999999999},
		.used_bytes = UINT64_MAX,
		.size_bytes = 0,
		.age_s = INT64_MIN,
		.used_real_s = INT64_MAX,
	};
}

static void add(struct plan *p, const char *rel_dir, const char *name)
{
	struct candidate c = sample(rel_dir, name);

	assert_int_equal(plan_add(p, &c), 0);
}

static void assert_same(const struct candidate *a, const struct candidate *b)
{
	assert_int_equal(a->root, b->root);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->rule, b->rule);
	assert_string_equal(a->rel_dir, b->rel_dir);
	assert_string_equal(a->name, b->name);
	assert_true(identity_equal(&a->id, &b->id));
	assert_true(a->used_bytes == b->used_bytes);
	assert_true(a->size_bytes == b->size_bytes);
	assert_true(a->age_s == b->age_s);
	assert_true(a->used_real_s == b->used_real_s);
}

/* A copy of exactly this size lets ASan see one byte too many. */
static int decode(const void *data, size_t len, struct plan *ret)
{
	void *copy = malloc(len ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, data, len);
	r = plan_decode(copy, len, ret);
	free(copy);
	return r;
}

static void a_plan_survives_the_way(void **state)
{
	char name[256];
	struct plan p = {0}, back = {0};
	struct buf b = {0};

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	add(&p, "", "a");
	add(&p, "", "..a");
	add(&p, "d/e", "b\n\xff\x1b[1m");
	add(&p, "d/e", name);
	add(&p, "...", ".hidden");
	add(&p, "", "-rf *");
	assert_int_equal(plan_encode(&p, 0, p.n_items, &b), 0);
	assert_int_equal(decode(b.data, b.len, &back), 0);
	assert_int_equal(back.n_items, p.n_items);
	for (size_t i = 0; i < p.n_items; i++)
		assert_same(&p.items[i], &back.items[i]);
	plan_fini(&p);
	plan_fini(&back);
	buf_fini(&b);
}

static void slices_of_a_plan_are_plans(void **state)
{
	struct plan p = {0}, back = {0};
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		add(&p, "same/dir", name);
	}
	assert_int_equal(plan_encode(&p, 40, 42, &b), 0);
	assert_int_equal(decode(b.data, b.len, &back), 0);
	assert_int_equal(back.n_items, 2);
	assert_string_equal(back.items[0].name, "f40");
	assert_string_equal(back.items[1].rel_dir, "same/dir");
	plan_fini(&back);
	buf_reset(&b);
	assert_int_equal(plan_encode(&p, 100, 100, &b), 0);
	assert_int_equal(decode(b.data, b.len, &back), 0);
	assert_int_equal(back.n_items, 0);
	assert_int_equal(plan_encode(&p, 2, 1, &b), -EOVERFLOW);
	assert_int_equal(plan_encode(&p, 0, 101, &b), -EOVERFLOW);
	plan_fini(&back);
	plan_fini(&p);
	buf_fini(&b);
}

/* Strings move when the text grows; every item must follow. */
static void strings_follow_a_growing_plan(void **state)
{
	struct plan p = {0};

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char dir[32], name[32];

		snprintf(dir, sizeof(dir), "dir/%d", i / 3);
		snprintf(name, sizeof(name), "name-%d", i);
		add(&p, dir, name);
	}
	for (int i = 0; i < 20000; i++) {
		char dir[32], name[32];

		snprintf(dir, sizeof(dir), "dir/%d", i / 3);
		snprintf(name, sizeof(name), "name-%d", i);
		assert_string_equal(p.items[i].rel_dir, dir);
		assert_string_equal(p.items[i].name, name);
	}
	plan_fini(&p);
	assert_null(p.items);
	assert_int_equal(p.n_items, 0);
}

/* Ten thousand names in a directory 3,000 bytes deep: about 1 MB, not 30. */
static void a_directory_is_sent_once(void **state)
{
	char dir[3001];
	struct plan p = {0}, back = {0};
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 3000; i++)
		dir[i] = i % 100 == 99 ? '/' : 'd';
	dir[2999] = 'd';
	dir[3000] = '\0';
	for (int i = 0; i < 10000; i++)
		add(&p, dir, "name");
	assert_int_equal(plan_encode(&p, 0, p.n_items, &b), 0);
	assert_true(b.len < 1000000);
	assert_int_equal(decode(b.data, b.len, &back), 0);
	assert_string_equal(back.items[9999].rel_dir, dir);
	assert_true(back.text.len < 100000);
	plan_fini(&p);
	plan_fini(&back);
	buf_fini(&b);
}

static void what_would_be_refused_is_not_sent(void **state)
{
	static const struct {
		const char *rel_dir, *name;
	} rows[] = {
		{"", ""},
		{"", "."},
		{"", ".."},
		{"", "a/b"},
		{"/d", "a"},
		{"d/", "a"},
		{"d//e", "a"},
		{"./d", "a"},
		{"d/../e", "a"},
		{"..", "a"},
		{"d/.", "a"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct plan p = {0};
		struct buf b = {0};

		add(&p, rows[i].rel_dir, rows[i].name);
		assert_int_equal(plan_encode(&p, 0, 1, &b), -EINVAL);
		assert_null(b.data);
		plan_fini(&p);
		buf_fini(&b);
	}
}

/* The stream of one candidate "dd/ee" "name", open to meddling. */
static void encode_sample(struct buf *b)
{
	struct plan p = {0};

	add(&p, "dd/ee", "name");
	assert_int_equal(plan_encode(&p, 0, 1, b), 0);
	assert_int_equal(b->len, HEADER_SIZE + RECORD_SIZE + 5 + 4);
	plan_fini(&p);
}

static void set_u32(struct buf *b, size_t at, uint32_t value)
{
	memcpy(b->data + at, &value, sizeof(value));
}

static void set_len(struct buf *b)
{
	uint64_t len = b->len;

	memcpy(b->data + AT_LEN, &len, sizeof(len));
}

static void assert_refused(const struct buf *b)
{
	struct plan back = {.n_items = 77};

	assert_int_equal(decode(b->data, b->len, &back), -EBADMSG);
	assert_int_equal(back.n_items, 77);
	assert_null(back.items);
}

static void bad_names_are_refused(void **state)
{
	static const struct {
		size_t at;
		const char *data;
		size_t len;
	} rows[] = {
		{AT_DIR + 5, "a/bc", 4},
		{AT_DIR + 5, "na\0e", 4},
		{AT_DIR + 5, "\0\0\0\0", 4},
		{AT_DIR, "/d/ee", 5},
		{AT_DIR, "dd/e/", 5},
		{AT_DIR, "d//ee", 5},
		{AT_DIR, "./dee", 5},
		{AT_DIR, "../ee", 5},
		{AT_DIR, "dd/..", 5},
		{AT_DIR, "d/./e", 5},
		{AT_DIR, "ddd/.", 5},
		{AT_DIR, "d\0/ee", 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf b = {0};

		encode_sample(&b);
		memcpy(b.data + rows[i].at, rows[i].data, rows[i].len);
		assert_refused(&b);
		buf_fini(&b);
	}
}

static void dots_and_nothing_are_no_names(void **state)
{
	static const char *const names[] = {"", ".", ".."};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct buf b = {0};

		encode_sample(&b);
		b.len = AT_DIR + 5 + i;
		memcpy(b.data + AT_DIR + 5, names[i], i);
		b.data[AT_NAME_LEN] = (char)i;
		set_len(&b);
		assert_refused(&b);
		buf_fini(&b);
	}
}

static void bad_fields_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {
		{0, 'X'},
		{AT_VERSION, 2},
		{AT_COUNT, 0},
		{AT_COUNT, 2},
		{AT_COUNT + 3, 0xff},
		{AT_LEN, 1},
		{AT_BTIME_NS + 3, 0xff},
		{AT_DIR_LEN, 4},
		{AT_DIR_LEN, 6},
		{AT_DIR_LEN + 3, 0x7f},
		{AT_NAME_LEN, 3},
		{AT_NAME_LEN, 5},
		{AT_NAME_LEN + 1, 0xff},
		{AT_TYPE, N_STYPES},
		{AT_TYPE, 0xff},
		{AT_RULE, N_PLAN_RULES},
		{AT_RULE, 0xff},
		{AT_RESERVED, 1},
		{AT_RESERVED + 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf b = {0};

		encode_sample(&b);
		assert_int_not_equal(
			(uint8_t)b.data[rows[i].at], rows[i].value);
		b.data[rows[i].at] = (char)rows[i].value;
		assert_refused(&b);
		buf_fini(&b);
	}
}

/* No directory before the first item can be meant. */
static void the_same_directory_needs_one_before(void **state)
{
	struct buf b = {0};

	(void)state;
	encode_sample(&b);
	memmove(b.data + AT_DIR, b.data + AT_DIR + 5, 4);
	b.len -= 5;
	set_u32(&b, AT_DIR_LEN, UINT32_MAX);
	set_len(&b);
	assert_refused(&b);
	buf_fini(&b);
}

/* Said in words what one mark says: nothing that encoding writes. */
static void a_repeated_directory_is_refused(void **state)
{
	struct buf b = {0}, record = {0};
	struct plan back = {0};

	(void)state;
	encode_sample(&b);
	assert_int_equal(
		buf_put(&record, b.data + HEADER_SIZE, b.len - HEADER_SIZE), 0);
	assert_int_equal(buf_put(&b, record.data, record.len), 0);
	b.data[AT_COUNT] = 2;
	set_len(&b);
	assert_refused(&b);
	/* Only for that: another directory would do. */
	b.data[AT_DIR] = 'x';
	assert_int_equal(decode(b.data, b.len, &back), 0);
	plan_fini(&back);
	buf_fini(&b);
	buf_fini(&record);
}

static void long_names_are_refused(void **state)
{
	static char data[300];
	struct buf b = {0};

	(void)state;
	memset(data, 'n', sizeof(data));
	encode_sample(&b);
	b.len = AT_DIR + 5;
	assert_int_equal(buf_put(&b, data, 256), 0);
	b.data[AT_NAME_LEN] = 0;
	b.data[AT_NAME_LEN + 1] = 1;
	set_len(&b);
	assert_refused(&b);
	buf_fini(&b);
}

/* Cut anywhere, with the length mended or not, it is refused. */
static void cut_streams_are_refused(void **state)
{
	struct buf b = {0};
	size_t len;

	(void)state;
	encode_sample(&b);
	len = b.len;
	for (b.len = 0; b.len < len; b.len++) {
		assert_refused(&b);
		if (b.len >= HEADER_SIZE) {
			set_len(&b);
			assert_refused(&b);
		}
	}
	b.len = len;
	set_len(&b);
	assert_int_equal(buf_put(&b, "", 1), 0);
	assert_refused(&b);
	set_len(&b);
	assert_refused(&b);
	buf_fini(&b);
}

/* Whatever is accepted after meddling is exactly what encoding gives. */
static void accepted_streams_are_canonical(void **state)
{
	unsigned n_accepted = 0;
	struct plan p = {0};
	struct buf b = {0};

	(void)state;
	add(&p, "a", "x");
	add(&p, "a", "y");
	add(&p, "a/b", "z");
	assert_int_equal(plan_encode(&p, 0, 3, &b), 0);
	for (size_t i = 0; i < b.len * 8; i++) {
		struct plan back = {0};
		struct buf again = {0};

		b.data[i / 8] ^= (char)(1 << i % 8);
		if (decode(b.data, b.len, &back) == 0) {
			n_accepted++;
			assert_int_equal(
				plan_encode(&back, 0, back.n_items, &again), 0);
			assert_int_equal(again.len, b.len);
			assert_memory_equal(again.data, b.data, b.len);
		}
		plan_fini(&back);
		buf_fini(&again);
		b.data[i / 8] ^= (char)(1 << i % 8);
	}
	assert_true(n_accepted > 100);
	plan_fini(&p);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_survives_the_way),
		cmocka_unit_test(slices_of_a_plan_are_plans),
		cmocka_unit_test(strings_follow_a_growing_plan),
		cmocka_unit_test(a_directory_is_sent_once),
		cmocka_unit_test(what_would_be_refused_is_not_sent),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(dots_and_nothing_are_no_names),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(the_same_directory_needs_one_before),
		cmocka_unit_test(a_repeated_directory_is_refused),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(cut_streams_are_refused),
		cmocka_unit_test(accepted_streams_are_canonical),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
