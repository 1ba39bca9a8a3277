// SPDX-License-Identifier: GPL-2.0-or-later
#include "access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC	    UINT64_C(0x0a737365636341ff)
#define FORMAT	    1u
#define HASH_MASK   UINT64_C(0xffffffffffff)
#define TEXT_MAX    (1u << 16) /* component, root and path of a directory */
#define ALIGN_UP(n) (((n) + 15) & ~(size_t)15)

struct head {
	uint64_t magic;
	uint32_t version;
	uint32_t n_dirs;
	uint64_t n_items;
	uint64_t zero;
};

/* Then its text, three strings each with its NUL, with zeros up to a multiple
 * of 16, then its items. */
struct dir_head {
	struct hash_key key;
	int64_t seen_real_s;
	uint32_t dir;
	uint32_t n_items;
	uint32_t n_text;
	uint32_t zero[3];
};
_Static_assert(sizeof(struct head) == 32 && sizeof(struct dir_head) == 48,
	"items lie at multiples of 16");

/* Against damage, not against somebody: who can write the file can sign it. */
static uint64_t sum_of(const void *data, size_t len)
{
	return hash_bytes((struct hash_key){MAGIC, FORMAT}, data, len);
}

static int compare_dirs(const struct access_dir *a, const struct access_dir *b)
{
	int r = strcmp(a->component, b->component);

	r = r ? r : strcmp(a->root, b->root);
	return r ? r : strcmp(a->rel, b->rel);
}

/* Reading. */

struct reader {
	const char *at;
	size_t left;
};

static const void *take(struct reader *in, size_t len)
{
	const void *at = in->at;

	if (len > in->left)
		return NULL;
	in->at += len;
	in->left -= len;
	return at;
}

/* Exactly three strings. */
static bool read_text(const char *text, size_t len, struct access_dir *ret)
{
	const char **const to[] = {&ret->component, &ret->root, &ret->rel};

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		const char *nul = memchr(text, '\0', len);

		if (!nul)
			return false;
		*to[i] = text;
		len -= (size_t)(nul + 1 - text);
		text = nul + 1;
	}
	return len == 0;
}

static bool are_items_sound(const struct access_dir *dir)
{
	for (size_t i = 0; i < dir->n_items; i++) {
		const struct access_item *item = &dir->items[i];

		if (!item->flags ||
			item->flags & ~(ACCESS_OBSERVED | ACCESS_DISOWNED) ||
			(i && access_hash(item) <= access_hash(item - 1)))
			return false;
	}
	return true;
}

static bool read_dir(struct reader *in, struct access_dir *ret)
{
	const struct dir_head *head = take(in, sizeof(*head));
	const char *text;

	if (!head || head->n_text > TEXT_MAX ||
		head->n_items > ACCESS_MAX_ITEMS)
		return false;
	*ret = (struct access_dir){
		.key = head->key,
		.seen_real_s = head->seen_real_s,
		.dir = head->dir,
		.n_items = head->n_items,
	};
	text = take(in, ALIGN_UP(head->n_text));
	ret->items = take(in, ret->n_items * sizeof(*ret->items));
	return text && ret->items && read_text(text, head->n_text, ret) &&
	       are_items_sound(ret);
}

static int read_all(struct reader *in, struct access_book *ret)
{
	const struct head *head = take(in, sizeof(*head));

	/* Each directory has a head: so many fit. */
	if (!head || head->magic != MAGIC || head->version != FORMAT ||
		head->n_dirs > in->left / sizeof(struct dir_head))
		return -EBADMSG;
	ret->dirs = calloc(head->n_dirs + (size_t)1, sizeof(*ret->dirs));
	if (!ret->dirs)
		return -ENOMEM;
	for (; ret->n_dirs < head->n_dirs; ret->n_dirs++) {
		struct access_dir *dir = &ret->dirs[ret->n_dirs];

		if (!read_dir(in, dir) ||
			(ret->n_dirs && compare_dirs(dir - 1, dir) > 0))
			return -EBADMSG;
	}
	return in->left ? -EBADMSG : 0;
}

int access_decode(struct buf *bytes, struct access_book *ret)
{
	struct access_book book = {.bytes = *bytes};
	size_t len = MAX_OF(bytes->len, sizeof(uint64_t)) - sizeof(uint64_t);
	struct reader in = {bytes->data, len};
	uint64_t sum;
	int r = -EBADMSG;

	*bytes = (struct buf){0};
	if (len) {
		memcpy(&sum, book.bytes.data + len, sizeof(sum));
		if (sum == sum_of(book.bytes.data, len))
			r = read_all(&in, &book);
	}
	if (r < 0)
		access_fini(&book);
	else
		*ret = book;
	return r;
}

void access_fini(struct access_book *book)
{
	free(book->dirs);
	buf_fini(&book->bytes);
	*book = (struct access_book){0};
}

struct access_dir *access_find(const struct access_book *book,
	const char *component, const char *root, const char *rel, size_t *ret_n)
{
	const struct access_dir key = {
		.component = component, .root = root, .rel = rel};
	size_t from = 0, to = book->n_dirs, n = 0;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (compare_dirs(&book->dirs[mid], &key) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	while (from + n < book->n_dirs &&
		compare_dirs(&book->dirs[from + n], &key) == 0)
		n++;
	*ret_n = n;
	return book->dirs + from;
}

const struct access_item *access_item(
	const struct access_dir *dir, const char *name, size_t len)
{
	uint64_t hash = hash_name(dir->key, dir->dir, name, len) & HASH_MASK;
	size_t from = 0, to = dir->n_items;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (access_hash(&dir->items[mid]) < hash)
			from = mid + 1;
		else
			to = mid;
	}
	return from < dir->n_items && access_hash(&dir->items[from]) == hash
		       ? &dir->items[from]
		       : NULL;
}

/* Gathering. */

struct draft_dir {
	struct access_dir dir; /* its strings are owned, in component */
	size_t n_text;
	char *at; /* where its next item goes */
};

struct draft_item {
	uint32_t number;
	struct access_item item;
};

struct access_draft {
	struct draft_dir *dirs;
	size_t n_dirs, cap_dirs;
	struct draft_item *items;
	size_t n_items, cap_items;
};

int access_draft_new(struct access_draft **ret)
{
	struct access_draft *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	*ret = d;
	return 0;
}

struct access_draft *access_draft_free(struct access_draft *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n_dirs; i++)
		free((char *)d->dirs[i].dir.component);
	free(d->dirs);
	free(d->items);
	free(d);
	return NULL;
}

int access_draft_dir(struct access_draft *d, const struct access_dir *dir,
	uint32_t *ret_number)
{
	buf_auto struct buf text = {0};
	struct draft_dir *to;

	if (d->n_dirs >= ACCESS_MAX_DIRS)
		return -E2BIG;
	if (mem_grow((void **)&d->dirs, &d->cap_dirs, d->n_dirs + 1,
		    sizeof(*d->dirs)) < 0 ||
		buf_put(&text, dir->component, strlen(dir->component) + 1) <
			0 ||
		buf_put(&text, dir->root, strlen(dir->root) + 1) < 0 ||
		buf_put(&text, dir->rel, strlen(dir->rel) + 1) < 0)
		return -ENOMEM;
	if (text.len > TEXT_MAX)
		return -E2BIG;
	to = &d->dirs[d->n_dirs];
	*to = (struct draft_dir){.n_text = text.len};
	to->dir.key = dir->key;
	to->dir.seen_real_s = dir->seen_real_s;
	to->dir.dir = dir->dir;
	read_text(mem_take(text.data), to->n_text, &to->dir);
	*ret_number = (uint32_t)d->n_dirs++;
	return 0;
}

int access_draft_add(
	struct access_draft *d, uint32_t number, const struct access_item *item)
{
	if (d->n_items >= ACCESS_MAX_ITEMS)
		return -E2BIG;
	if (mem_grow((void **)&d->items, &d->cap_items, d->n_items + 1,
		    sizeof(*d->items)) < 0)
		return -ENOMEM;
	d->items[d->n_items++] = (struct draft_item){number, *item};
	d->dirs[number].dir.n_items++;
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct draft_dir *const *x = a, *const *y = b;

	return compare_dirs(&(*x)->dir, &(*y)->dir);
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = access_hash(a), y = access_hash(b);

	return (x > y) - (x < y);
}

/* The head and the text of a directory; items have their room behind. */
static char *put_dir(char *to, struct draft_dir *dir)
{
	const struct dir_head head = {
		.key = dir->dir.key,
		.seen_real_s = dir->dir.seen_real_s,
		.dir = dir->dir.dir,
		.n_items = (uint32_t)dir->dir.n_items,
		.n_text = (uint32_t)dir->n_text,
	};

	memcpy(to, &head, sizeof(head));
	to += sizeof(head);
	memcpy(to, dir->dir.component, dir->n_text);
	dir->at = to + ALIGN_UP(dir->n_text);
	return dir->at + dir->dir.n_items * sizeof(struct access_item);
}

static size_t size_of(const struct access_draft *d)
{
	size_t size = sizeof(struct head) +
		      d->n_items * sizeof(struct access_item) +
		      sizeof(uint64_t);

	for (size_t i = 0; i < d->n_dirs; i++)
		size += sizeof(struct dir_head) + ALIGN_UP(d->dirs[i].n_text);
	return size;
}

static void put_items(struct access_draft *d)
{
	for (size_t i = 0; i < d->n_items; i++) {
		struct draft_dir *dir = &d->dirs[d->items[i].number];

		memcpy(dir->at, &d->items[i].item, sizeof(struct access_item));
		dir->at += sizeof(struct access_item);
	}
	for (size_t i = 0; i < d->n_dirs; i++) {
		size_t n = d->dirs[i].dir.n_items;

		qsort(d->dirs[i].at - n * sizeof(struct access_item), n,
			sizeof(struct access_item), by_hash);
	}
}

int access_encode(struct access_draft *d, struct buf *ret)
{
	size_t size = size_of(d);
	mem_autofree struct draft_dir **order =
		calloc(d->n_dirs + 1, sizeof(struct draft_dir *));
	char *data = calloc(1, size + 1), *at = data;
	const struct head head = {
		MAGIC, FORMAT, (uint32_t)d->n_dirs, d->n_items, 0};
	uint64_t sum;

	if (!order || !data) {
		free(data);
		return -ENOMEM;
	}
	for (size_t i = 0; i < d->n_dirs; i++)
		order[i] = &d->dirs[i];
	qsort(order, d->n_dirs, sizeof(struct draft_dir *), by_place);
	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	for (size_t i = 0; i < d->n_dirs; i++)
		at = put_dir(at, order[i]);
	put_items(d);
	sum = sum_of(data, size - sizeof(sum));
	memcpy(at, &sum, sizeof(sum));
	*ret = (struct buf){data, size, size + 1};
	return 0;
}
