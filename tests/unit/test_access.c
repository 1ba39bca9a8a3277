// SPDX-License-Identifier: GPL-2.0-or-later
/* What is saved of files' use: there and back, and every kind of damage. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "access.h"
#include "base/clock.h"
#include "index/index.h"
#include "scratch.h"

#define SEEN INT64_C(1800000000)

static const struct hash_key key = {1, 2};

static struct access_item item_of(uint32_t dir, const char *name)
{
	uint64_t hash =
		hash_name(key, dir, name, strlen(name)) & INDEX_HASH_MASK;

	return (struct access_item){
		.hash_lo = (uint32_t)hash,
		.hash_hi = (uint16_t)(hash >> 32),
		.flags = ACCESS_OBSERVED,
		.atime = 1700000000 + dir,
		.ino_tag = (uint32_t)strlen(name),
	};
}

static void add_dir(
	struct access_draft *d, const char *rel, uint32_t dir, int n)
{
	uint32_t number;

	assert_int_equal(access_draft_dir(d,
				 &(struct access_dir){.key = key,
					 .seen_real_s = SEEN,
					 .dir = dir,
					 .component = "web",
					 .root = "/srv/web",
					 .rel = rel},
				 &number),
		0);
	for (int i = 0; i < n; i++) {
		char name[16];
		struct access_item item;

		snprintf(name, sizeof(name), "f%d", i);
		item = item_of(dir, name);
		assert_int_equal(access_draft_add(d, number, &item), 0);
	}
}

static void make(struct buf *ret)
{
	struct access_draft *d;

	assert_int_equal(access_draft_new(&d), 0);
	add_dir(d, "logs/b", 9, 5);
	add_dir(d, "", 7, 3);
	add_dir(d, "logs/a", 8, 1);
	add_dir(d, "logs/a", 12, 2);
	assert_int_equal(access_encode(d, ret), 0);
	access_draft_free(d);
}

static int decode(const void *data, size_t len, struct access_book *ret)
{
	struct buf copy = {0};

	assert_int_equal(buf_put(&copy, data, len), 0);
	return access_decode(&copy, ret);
}

static void test_round(void **state)
{
	buf_auto struct buf bytes = {0};
	struct access_book book;
	struct access_dir *dir;
	const struct access_item *item;
	size_t n;

	(void)state;
	make(&bytes);
	assert_int_equal(decode(bytes.data, bytes.len, &book), 0);
	assert_int_equal(book.n_dirs, 4);
	dir = access_find(&book, "web", "/srv/web", "logs/b", &n);
	assert_int_equal(n, 1);
	assert_int_equal(dir->n_items, 5);
	assert_int_equal(dir->seen_real_s, SEEN);
	item = access_item(dir, "f3", 2);
	assert_non_null(item);
	assert_int_equal(item->atime, 1700000009);
	assert_int_equal(item->flags, ACCESS_OBSERVED);
	assert_int_equal(item->ino_tag, 2);
	assert_null(access_item(dir, "f5", 2));
	/* Another index may have begun where one had not ended. */
	access_find(&book, "web", "/srv/web", "logs/a", &n);
	assert_int_equal(n, 2);
	access_find(&book, "web", "/srv/web", "", &n);
	assert_int_equal(n, 1);
	access_find(&book, "web", "/srv/web", "logs", &n);
	assert_int_equal(n, 0);
	access_find(&book, "web", "/srv", "", &n);
	assert_int_equal(n, 0);
	access_find(&book, "zzz", "/srv/web", "", &n);
	assert_int_equal(n, 0);
	access_fini(&book);
}

static void test_empty(void **state)
{
	buf_auto struct buf bytes = {0};
	struct access_book book;
	struct access_draft *d;
	size_t n;

	(void)state;
	assert_int_equal(access_draft_new(&d), 0);
	assert_int_equal(access_encode(d, &bytes), 0);
	access_draft_free(d);
	assert_int_equal(decode(bytes.data, bytes.len, &book), 0);
	access_find(&book, "web", "/srv/web", "", &n);
	assert_int_equal(n, 0);
	access_fini(&book);
}

static void test_damage(void **state)
{
	buf_auto struct buf bytes = {0};
	struct access_book book;

	(void)state;
	make(&bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes.data[i] ^= (char)(1 << bit);
			assert_int_equal(
				decode(bytes.data, bytes.len, &book), -EBADMSG);
			bytes.data[i] ^= (char)(1 << bit);
		}
		assert_int_equal(decode(bytes.data, i, &book), -EBADMSG);
	}
	assert_int_equal(buf_put(&bytes, "", 1), 0);
	assert_int_equal(decode(bytes.data, bytes.len, &book), -EBADMSG);
}

/* With a sum that is right: nothing else is believed for that. */
static void test_forged(void **state)
{
	buf_auto struct buf bytes = {0};
	struct access_book book;
	const struct hash_key sum_key = {UINT64_C(0x0a737365636341ff), 1};

	(void)state;
	make(&bytes);
	for (size_t i = 0; i + 8 + 4 <= bytes.len; i += 4) {
		static const uint32_t odd[] = {UINT32_MAX, INT32_MAX, 1u << 24,
			(1u << 24) + 1, 0, 1, 1u << 16};
		uint32_t was;

		memcpy(&was, bytes.data + i, 4);
		for (size_t k = 0; k < ARRAY_SIZE(odd); k++) {
			uint64_t sum;
			int r;

			memcpy(bytes.data + i, &odd[k], 4);
			sum = hash_bytes(sum_key, bytes.data, bytes.len - 8);
			memcpy(bytes.data + bytes.len - 8, &sum, 8);
			r = decode(bytes.data, bytes.len, &book);
			assert_true(r == 0 || r == -EBADMSG);
			if (r == 0)
				access_fini(&book);
		}
		memcpy(bytes.data + i, &was, 4);
	}
}

/* In the index: what is put back, and what is not. */
static struct index *index_with_file(uint32_t *ret_dir, int64_t atime_s)
{
	struct index *ix = index_new();
	struct index_change change;
	struct observation o = {.kind = OBS_FILE,
		.name = "f",
		.name_len = 1,
		.st = {.id = {.dev = 1, .ino = 77},
			.nlink = 1,
			.mtime_s = 1000,
			.atime_s = atime_s}};

	assert_non_null(ix);
	assert_int_equal(index_add_root(ix, STYPE_DATA, "/r", 0, ret_dir), 0);
	o.dir = *ret_dir;
	assert_int_equal(index_apply(ix, &o, 0, &change), 0);
	return ix;
}

static void assert_recalled(int64_t on_disk_s, struct index_access a,
	int64_t wanted_s, bool is_observed, bool is_disowned)
{
	uint32_t dir, cursor = 0;
	struct index *ix = index_with_file(&dir, on_disk_s);
	struct index_access found;
	struct index_item item;
	bool is_more;
	size_t n;

	index_recall(ix, dir, "f", 1, &a, 2000);
	index_recall(ix, dir, "g", 1, &a, 2000);
	assert_true(index_find(ix, dir, "f", 1, &item));
	assert_int_equal(item.atime_s, wanted_s);
	assert_int_equal(item.is_access_observed, is_observed);
	n = index_read_accesses(ix, &cursor, 10, &found, &is_more);
	assert_false(is_more);
	assert_int_equal(n, is_observed || is_disowned);
	if (n) {
		assert_int_equal(found.is_observed, is_observed);
		assert_int_equal(found.is_disowned, is_disowned);
		assert_int_equal(found.atime_s, wanted_s);
		assert_int_equal(found.hash, index_hash(ix, dir, "f", 1));
		assert_int_equal(found.ino_tag, 77);
	}
	index_free(ix);
}

static void test_recall(void **state)
{
	struct index_access a = {.ino_tag = 77, .atime_s = 1500};

	(void)state;
	a.is_observed = true;
	assert_recalled(1200, a, 1500, true, false);
	assert_recalled(1600, a, 1600, false, false);
	a.is_disowned = true;
	assert_recalled(1600, a, 1500, true, true);
	/* Somebody read it while nobody watched. */
	assert_recalled(2001, a, 2001, false, false);
	a.is_observed = false;
	assert_recalled(2000, a, 1500, false, true);
	/* Another file of that name. */
	a.ino_tag = 78;
	assert_recalled(1200, a, 1200, false, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_recall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
