// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as what was saved of files' use, with a sum that is right, for the
 * fuzzer would not find one. What is read is in order, is found, and comes back
 * from bytes that are made of it.
 */
#include "fuzz.h"

#include <errno.h>

#include "access.h"

static const struct hash_key sum_key = {UINT64_C(0x0a737365636341ff), 1};

static void add(struct access_draft *d, const struct access_dir *dir)
{
	uint32_t number;

	must(access_draft_dir(d, dir, &number) == 0);
	for (size_t i = 0; i < dir->n_items; i++)
		must(access_draft_add(d, number, &dir->items[i]) == 0);
}

static void must_be_found(
	const struct access_book *book, const struct access_dir *dir)
{
	size_t n;
	struct access_dir *first =
		access_find(book, dir->component, dir->root, dir->rel, &n);

	must(first <= dir && dir < first + n);
	for (size_t i = 0; i < dir->n_items; i++)
		must(dir->items[i].flags != 0);
	(void)access_item(dir, dir->rel, strlen(dir->rel));
}

static int read_it(const uint8_t *data, size_t size, struct access_book *ret)
{
	struct buf bytes = {0};
	uint64_t sum = hash_bytes(sum_key, data, size);
	int r;

	must(buf_put(&bytes, data, size) == 0);
	must(buf_put(&bytes, &sum, sizeof(sum)) == 0);
	r = access_decode(&bytes, ret);
	must(r == 0 || r == -EBADMSG);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	buf_auto struct buf again = {0};
	struct access_book book, second;
	struct access_draft *d;

	if (read_it(data, size, &book) < 0)
		return 0;
	must(access_draft_new(&d) == 0);
	for (size_t i = 0; i < book.n_dirs; i++) {
		must_be_found(&book, &book.dirs[i]);
		add(d, &book.dirs[i]);
	}
	must(access_encode(d, &again) == 0);
	access_draft_free(d);
	must(access_decode(&again, &second) == 0);
	must(second.n_dirs == book.n_dirs);
	access_fini(&second);
	access_fini(&book);
	return 0;
}
