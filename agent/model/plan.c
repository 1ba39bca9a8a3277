// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/plan.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

/*
 * The stream: a header, then per item a record, its rel_dir and its name,
 * without NULs or padding, in the machine's byte order (it never leaves the
 * machine). An item in the directory of the one before says so instead of
 * repeating it: ten thousand names deep down would else be tens of megabytes.
 */
#define PLAN_MAGIC     UINT64_C(0x4e414c5045474c55) /* "ULGEPLAN" */
#define PLAN_VERSION   1
#define PLAN_SAME_DIR  UINT32_MAX
#define PLAN_MAX_BYTES (UINT64_C(1) << 31)

struct stream_header {
	uint64_t magic;
	uint32_t version;
	uint32_t n_items;
	uint64_t len; /* of the whole stream */
};

struct stream_record {
	uint64_t dev;
	uint64_t ino;
	int64_t btime_s;
	uint64_t used_bytes;
	uint64_t size_bytes;
	int64_t age_s;
	int64_t used_real_s;
	uint32_t btime_ns;
	uint32_t dir_len; /* or PLAN_SAME_DIR */
	uint16_t root;
	uint16_t name_len;
	uint8_t type;
	uint8_t rule;
	uint16_t reserved;
};

/* No holes: a hole would carry memory of the agent to the reaper. */
static_assert(sizeof(struct stream_header) == 24, "hole in the header");
static_assert(sizeof(struct stream_record) == 72, "hole in the record");

/* A run of bytes, not NUL-terminated. */
struct piece {
	const char *data;
	size_t len;
};

void plan_fini(struct plan *p)
{
	free(p->items);
	buf_fini(&p->text);
	*p = (struct plan){0};
}

/* Makes room for more bytes of text and lets the items follow it. */
static int reserve_text(struct plan *p, size_t more)
{
	uintptr_t old = (uintptr_t)p->text.data;
	int r;

	if (more > SIZE_MAX - p->text.len - 1)
		return -ENOMEM;
	r = mem_grow((void **)&p->text.data, &p->text.cap,
		p->text.len + more + 1, 1);
	if (r < 0 || (uintptr_t)p->text.data == old)
		return r;
	for (size_t i = 0; i < p->n_items; i++) {
		struct candidate *c = &p->items[i];

		c->rel_dir = p->text.data + ((uintptr_t)c->rel_dir - old);
		c->name = p->text.data + ((uintptr_t)c->name - old);
	}
	return 0;
}

/* Needs the room to be reserved. */
static const char *put_text(struct plan *p, struct piece s)
{
	char *at = p->text.data + p->text.len;

	memcpy(at, s.data, s.len);
	at[s.len] = '\0';
	p->text.len += s.len + 1;
	return at;
}

static bool is_last_dir(const struct plan *p, struct piece dir)
{
	const char *last;

	if (!p->n_items)
		return false;
	last = p->items[p->n_items - 1].rel_dir;
	return strncmp(last, dir.data, dir.len) == 0 && !last[dir.len];
}

/* Strings in pieces; those in c itself are not looked at. */
static int add(struct plan *p, const struct candidate *c, struct piece dir,
	struct piece name)
{
	bool is_same = is_last_dir(p, dir);
	struct candidate *item;
	int r = mem_grow(
		(void **)&p->items, &p->cap, p->n_items + 1, sizeof(*p->items));

	if (r < 0)
		return r;
	r = reserve_text(p, (is_same ? 0 : dir.len + 1) + name.len + 1);
	if (r < 0)
		return r;
	item = &p->items[p->n_items];
	*item = *c;
	item->rel_dir = is_same ? item[-1].rel_dir : put_text(p, dir);
	item->name = put_text(p, name);
	p->n_items++;
	return 0;
}

int plan_add(struct plan *p, const struct candidate *c)
{
	struct piece dir = {c->rel_dir, strlen(c->rel_dir)};
	struct piece name = {c->name, strlen(c->name)};

	return add(p, c, dir, name);
}

/* One component: what a directory can hold besides "." and "..". */
static bool is_name(struct piece s)
{
	if (!s.len || s.len > NAME_MAX || s.data[0] == '\0')
		return false;
	if (s.data[0] == '.' &&
		(s.len == 1 || (s.len == 2 && s.data[1] == '.')))
		return false;
	return !memchr(s.data, '/', s.len) && !memchr(s.data, '\0', s.len);
}

/* Components with one slash between each, or nothing at all. */
static bool is_rel_dir(struct piece s)
{
	if (!s.len)
		return true;
	for (;;) {
		const char *slash = memchr(s.data, '/', s.len);
		size_t len = slash ? (size_t)(slash - s.data) : s.len;

		if (!is_name((struct piece){s.data, len}))
			return false;
		if (!slash)
			return true;
		s.data += len + 1;
		s.len -= len + 1;
	}
}

static int put_record(
	const struct candidate *c, const char *last_dir, struct buf *b)
{
	struct piece dir = {c->rel_dir, strlen(c->rel_dir)};
	struct piece name = {c->name, strlen(c->name)};
	bool is_same = last_dir && strcmp(last_dir, c->rel_dir) == 0;
	struct stream_record rec = {
		.dev = c->id.dev,
		.ino = c->id.ino,
		.btime_s = c->id.btime_s,
		.used_bytes = c->used_bytes,
		.size_bytes = c->size_bytes,
		.age_s = c->age_s,
		.used_real_s = c->used_real_s,
		.btime_ns = c->id.btime_ns,
		.dir_len = is_same ? PLAN_SAME_DIR : (uint32_t)dir.len,
		.root = c->root,
		.name_len = (uint16_t)name.len,
		.type = c->type,
		.rule = c->rule,
	};
	int r;

	if (!is_name(name) || !is_rel_dir(dir) || c->type >= N_STYPES ||
		c->rule >= N_PLAN_RULES)
		return -EINVAL;
	if (dir.len >= PLAN_MAX_BYTES)
		return -EOVERFLOW;
	r = buf_put(b, &rec, sizeof(rec));
	if (r == 0 && !is_same)
		r = buf_put(b, dir.data, dir.len);
	return r < 0 ? r : buf_put(b, name.data, name.len);
}

int plan_encode(const struct plan *p, size_t from, size_t to, struct buf *ret)
{
	buf_auto struct buf b = {0};
	struct stream_header head = {
		.magic = PLAN_MAGIC,
		.version = PLAN_VERSION,
	};
	int r;

	if (from > to || to > p->n_items || to - from > UINT32_MAX)
		return -EOVERFLOW;
	head.n_items = (uint32_t)(to - from);
	r = buf_put(&b, &head, sizeof(head));
	for (size_t i = from; i < to && r == 0; i++) {
		r = put_record(&p->items[i],
			i > from ? p->items[i - 1].rel_dir : NULL, &b);
		if (r == 0 && b.len > PLAN_MAX_BYTES)
			r = -EOVERFLOW;
	}
	if (r < 0)
		return r;
	head.len = b.len;
	memcpy(b.data, &head, sizeof(head));
	/* The buffer of the caller may hold something already. */
	return buf_put(ret, b.data, b.len);
}

static bool take(struct piece *from, size_t len, struct piece *ret)
{
	if (from->len < len)
		return false;
	*ret = (struct piece){from->data, len};
	from->data += len;
	from->len -= len;
	return true;
}

static int read_header(struct piece *from, struct stream_header *ret)
{
	size_t len = from->len;
	struct piece s;

	if (!take(from, sizeof(*ret), &s))
		return -EBADMSG;
	memcpy(ret, s.data, sizeof(*ret));
	if (ret->magic != PLAN_MAGIC || ret->version != PLAN_VERSION ||
		ret->len != len || len > PLAN_MAX_BYTES)
		return -EBADMSG;
	/* Every item takes a record and a name: so the count cannot make us
	 * allocate more than a few times what was sent. */
	return ret->n_items > from->len / (sizeof(struct stream_record) + 1)
		       ? -EBADMSG
		       : 0;
}

/* The directory that the record names: its own, or that of the last item. */
static bool take_dir(struct piece *from, const struct stream_record *rec,
	const struct plan *p, struct piece *ret)
{
	if (rec->dir_len != PLAN_SAME_DIR)
		return take(from, rec->dir_len, ret) && is_rel_dir(*ret) &&
		       !is_last_dir(p, *ret);
	if (!p->n_items)
		return false;
	ret->data = p->items[p->n_items - 1].rel_dir;
	ret->len = strlen(ret->data);
	return true;
}

static int read_item(struct piece *from, struct plan *p)
{
	struct stream_record rec;
	struct piece s, dir, name;
	struct candidate c;

	if (!take(from, sizeof(rec), &s))
		return -EBADMSG;
	memcpy(&rec, s.data, sizeof(rec));
	if (rec.reserved || rec.type >= N_STYPES || rec.rule >= N_PLAN_RULES ||
		rec.btime_ns >= 1000000000)
		return -EBADMSG;
	if (!take_dir(from, &rec, p, &dir) ||
		!take(from, rec.name_len, &name) || !is_name(name))
		return -EBADMSG;
	c = (struct candidate){
		.root = rec.root,
		.type = rec.type,
		.rule = rec.rule,
		.id = {rec.dev, rec.ino, rec.btime_s, rec.btime_ns},
		.used_bytes = rec.used_bytes,
		.size_bytes = rec.size_bytes,
		.age_s = rec.age_s,
		.used_real_s = rec.used_real_s,
	};
	return add(p, &c, dir, name);
}

int plan_decode(const void *data, size_t len, struct plan *ret)
{
	struct piece from = {data, len};
	struct plan p = {0};
	struct stream_header head;
	int r = read_header(&from, &head);

	for (uint32_t i = 0; r == 0 && i < head.n_items; i++)
		r = read_item(&from, &p);
	if (r == 0 && from.len)
		r = -EBADMSG;
	if (r < 0) {
		plan_fini(&p);
		return r;
	}
	*ret = p;
	return 0;
}
