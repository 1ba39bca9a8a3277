// SPDX-License-Identifier: GPL-2.0-or-later
/* The index against a model: a small imagined filesystem is changed at
 * random, some of the changes are announced, late, doubled and in any order;
 * after the last look the totals are what a count of the model says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "index/index.h"

#define N_INODES 400
#define N_NAMES	 600
#define N_DIRS	 40

struct inode {
	uint64_t ino, size, used;
	uint32_t nlink;
};
struct dirent_ {
	int dir; /* -1: unused */
	int inode;
	char name[24];
};
struct dir {
	bool is_used;
	int parent; /* -1: root */
	uint64_t ino;
	char name[24];
};
struct world {
	struct inode inodes[N_INODES];
	struct dirent_ names[N_NAMES];
	struct dir dirs[N_DIRS];
	uint64_t next_ino;
	uint64_t rng;
	struct index *ix;
	uint32_t root;
};

static uint64_t rnd(struct world *w, uint64_t n)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return w->rng % n;
}

static struct observation dir_obs(const struct world *w, uint32_t node, int d)
{
	return (struct observation){
		.dir = node,
		.kind = OBS_DIR,
		.name = w->dirs[d].name,
		.name_len = (uint16_t)strlen(w->dirs[d].name),
		.st = {.id = {.dev = 1, .ino = w->dirs[d].ino, .btime_s = 5},
			.used_bytes = 4096},
	};
}

static struct observation file_obs(const struct world *w, uint32_t node, int i)
{
	const struct inode *in = &w->inodes[w->names[i].inode];

	return (struct observation){
		.dir = node,
		.kind = in->ino % 7 ? OBS_FILE : OBS_OTHER,
		.name = w->names[i].name,
		.name_len = (uint16_t)strlen(w->names[i].name),
		.st = {.id = {.dev = 1, .ino = in->ino, .btime_s = 7},
			.nlink = in->nlink,
			.size_bytes = in->size,
			.used_bytes = in->used},
	};
}

/* The node of a directory of the world as the index knows it by path. */
static uint32_t node_of(const struct world *w, int d)
{
	uint32_t parent;

	if (d == 0)
		return w->root;
	parent = node_of(w, w->dirs[d].parent);
	return parent == INDEX_NONE
		       ? INDEX_NONE
		       : index_child(w->ix, parent, w->dirs[d].name,
				 strlen(w->dirs[d].name));
}

static void apply(struct world *w, const struct observation *o)
{
	struct index_change change;

	assert_int_equal(index_apply(w->ix, o, 0, &change), 0);
}

static void look_at_name(struct world *w, int dir, const char *name)
{
	uint32_t node = node_of(w, dir);
	struct observation o = {.dir = node,
		.kind = OBS_GONE,
		.name = name,
		.name_len = (uint16_t)strlen(name)};

	if (node == INDEX_NONE)
		return;
	for (int i = 0; i < N_NAMES; i++)
		if (w->names[i].dir == dir && !strcmp(w->names[i].name, name))
			o = file_obs(w, node, i);
	for (int d = 1; d < N_DIRS; d++)
		if (w->dirs[d].is_used && w->dirs[d].parent == dir &&
			!strcmp(w->dirs[d].name, name))
			o = dir_obs(w, node, d);
	apply(w, &o);
}

static void list(struct world *w, int dir)
{
	uint32_t node = node_of(w, dir);
	uint64_t removed;

	if (node == INDEX_NONE)
		return;
	index_list_begin(w->ix, node);
	for (int i = 0; i < N_NAMES; i++)
		if (w->names[i].dir == dir) {
			struct observation o = file_obs(w, node, i);

			apply(w, &o);
		}
	for (int d = 1; d < N_DIRS; d++)
		if (w->dirs[d].is_used && w->dirs[d].parent == dir) {
			struct observation o = dir_obs(w, node, d);

			apply(w, &o);
		}
	index_list_end(w->ix, node, &removed);
}

static bool is_inside(const struct world *w, int d, int top)
{
	for (; d >= 0; d = w->dirs[d].parent)
		if (d == top)
			return true;
	return false;
}

static bool is_taken(const struct world *w, int dir, const char *name)
{
	for (int i = 0; i < N_NAMES; i++)
		if (w->names[i].dir == dir && !strcmp(w->names[i].name, name))
			return true;
	for (int d = 1; d < N_DIRS; d++)
		if (w->dirs[d].is_used && w->dirs[d].parent == dir &&
			!strcmp(w->dirs[d].name, name))
			return true;
	return false;
}

static int pick_dir(struct world *w)
{
	int d;

	do
		d = (int)rnd(w, N_DIRS);
	while (!w->dirs[d].is_used);
	return d;
}

static void op_create(struct world *w, bool is_link)
{
	int slot = (int)rnd(w, N_NAMES), dir = pick_dir(w);
	int in = (int)rnd(w, N_INODES);
	struct dirent_ *e = &w->names[slot];
	char name[24];

	snprintf(name, sizeof(name), "n%d", (int)rnd(w, 300));
	if (e->dir >= 0 || is_taken(w, dir, name))
		return;
	if (is_link ? w->inodes[in].nlink == 0 : w->inodes[in].nlink != 0)
		return;
	if (!is_link) {
		uint64_t big = rnd(w, 20) == 0 ? UINT64_C(1) << 62 : 1;

		w->inodes[in] = (struct inode){
			.ino = w->next_ino++,
			.size = rnd(w, 100000) * big / (big > 1 ? 65536 : 1),
			.used = rnd(w, 200) * 512,
		};
	}
	w->inodes[in].nlink++;
	*e = (struct dirent_){.dir = dir, .inode = in};
	strcpy(e->name, name);
	if (rnd(w, 4))
		look_at_name(w, dir, name);
}

static void op_unlink(struct world *w)
{
	struct dirent_ *e = &w->names[rnd(w, N_NAMES)];
	struct dirent_ was = *e;

	if (e->dir < 0)
		return;
	w->inodes[e->inode].nlink--;
	e->dir = -1;
	if (rnd(w, 4))
		look_at_name(w, was.dir, was.name);
}

static void op_grow(struct world *w)
{
	struct dirent_ *e = &w->names[rnd(w, N_NAMES)];

	if (e->dir < 0)
		return;
	w->inodes[e->inode].size += rnd(w, 5000);
	w->inodes[e->inode].used += rnd(w, 10) * 512;
	if (rnd(w, 4))
		look_at_name(w, e->dir, e->name);
}

static void op_rename(struct world *w)
{
	struct dirent_ *e = &w->names[rnd(w, N_NAMES)];
	struct dirent_ was = *e;
	int to = pick_dir(w);

	if (e->dir < 0 || is_taken(w, to, e->name))
		return;
	e->dir = to;
	if (rnd(w, 2))
		look_at_name(w, was.dir, was.name);
	look_at_name(w, to, e->name);
	if (rnd(w, 2))
		look_at_name(w, was.dir, was.name);
}

static void op_mkdir(struct world *w)
{
	int d = (int)rnd(w, N_DIRS), parent = pick_dir(w);
	char name[24];

	snprintf(name, sizeof(name), "n%d", (int)rnd(w, 300));
	if (w->dirs[d].is_used || is_taken(w, parent, name))
		return;
	w->dirs[d] = (struct dir){
		.is_used = true, .parent = parent, .ino = w->next_ino++};
	strcpy(w->dirs[d].name, name);
	if (rnd(w, 4))
		look_at_name(w, parent, name);
}

static void op_move_dir(struct world *w)
{
	int d = (int)rnd(w, N_DIRS), to = pick_dir(w), from;

	if (d == 0 || !w->dirs[d].is_used || is_inside(w, to, d) ||
		is_taken(w, to, w->dirs[d].name))
		return;
	from = w->dirs[d].parent;
	w->dirs[d].parent = to;
	if (rnd(w, 2))
		look_at_name(w, to, w->dirs[d].name);
	look_at_name(w, from, w->dirs[d].name);
}

static void op_rm_tree(struct world *w)
{
	int d = (int)rnd(w, N_DIRS), parent;

	if (d == 0 || !w->dirs[d].is_used)
		return;
	for (int i = 0; i < N_NAMES; i++)
		if (w->names[i].dir >= 0 && is_inside(w, w->names[i].dir, d)) {
			w->inodes[w->names[i].inode].nlink--;
			w->names[i].dir = -1;
		}
	parent = w->dirs[d].parent;
	for (int x = 1; x < N_DIRS; x++)
		if (x != d && w->dirs[x].is_used && is_inside(w, x, d))
			w->dirs[x].is_used = false;
	w->dirs[d].is_used = false;
	if (rnd(w, 4))
		look_at_name(w, parent, w->dirs[d].name);
}

static void expect_sound(struct world *w)
{
	buf_auto struct buf report = {0};

	if (index_check(w->ix, &report) != 0)
		fail_msg("%s", report.data);
}

/* Bytes below top, each inode once. */
static void expect_totals(struct world *w, int top)
{
	static bool counted[N_INODES];
	__extension__ unsigned __int128 size = 0;
	uint64_t used = 0, files = 0, others = 0, dirs = 0;
	struct index_totals t = index_totals(w->ix, node_of(w, top));

	memset(counted, 0, sizeof(counted));
	for (int d = 0; d < N_DIRS; d++)
		if (w->dirs[d].is_used && is_inside(w, d, top)) {
			dirs++;
			used += 4096;
		}
	for (int i = 0; i < N_NAMES; i++) {
		const struct inode *in = &w->inodes[w->names[i].inode];

		if (w->names[i].dir < 0 || !is_inside(w, w->names[i].dir, top))
			continue;
		*(in->ino % 7 ? &files : &others) += 1;
		if (counted[w->names[i].inode])
			continue;
		counted[w->names[i].inode] = true;
		used += in->used;
		size += in->ino % 7 ? in->size : 0;
	}
	assert_int_equal(t.directories, dirs);
	assert_int_equal(t.files, files);
	assert_int_equal(t.others, others);
	assert_int_equal(t.used_bytes, used);
	assert_true(t.size_bytes == (size > UINT64_MAX ? UINT64_MAX : size));
}

static void list_again(void *ctx, uint32_t node)
{
	bool *wanted = ctx;

	if (node < 4096)
		wanted[node] = true;
}

static void settle(struct world *w)
{
	bool wanted[4096] = {false};

	/* Parents before children, often enough for any depth. */
	for (int round = 0; round < N_DIRS; round++)
		for (int d = 0; d < N_DIRS; d++)
			if (w->dirs[d].is_used)
				list(w, d);
	while (index_tidy(w->ix, 64))
		;
	index_seek_links(w->ix, list_again, wanted);
	for (int d = 0; d < N_DIRS; d++)
		if (w->dirs[d].is_used && wanted[node_of(w, d)])
			list(w, d);
	while (index_tidy(w->ix, 64))
		;
}

static void begin(struct world *w, uint64_t seed)
{
	struct observation self = {.kind = OBS_SELF,
		.name = "",
		.st = {.id = {.dev = 1, .ino = 2}, .used_bytes = 4096}};

	memset(w, 0, sizeof(*w));
	for (int i = 0; i < N_NAMES; i++)
		w->names[i].dir = -1;
	w->dirs[0] = (struct dir){.is_used = true, .parent = -1, .ino = 2};
	w->next_ino = 10;
	w->rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	w->ix = index_new();
	assert_non_null(w->ix);
	assert_int_equal(
		index_add_root(w->ix, STYPE_DATA, "/srv/x", 0, &w->root), 0);
	self.dir = w->root;
	apply(w, &self);
}

static void step(struct world *w)
{
	switch (rnd(w, 12)) {
	case 0 ... 2:
		op_create(w, false);
		break;
	case 3:
		op_create(w, true);
		break;
	case 4:
		op_unlink(w);
		break;
	case 5:
		op_grow(w);
		break;
	case 6:
		op_rename(w);
		break;
	case 7 ... 8:
		op_mkdir(w);
		break;
	case 9:
		op_move_dir(w);
		break;
	case 10:
		if (rnd(w, 4) == 0)
			op_rm_tree(w);
		break;
	case 11:
		list(w, pick_dir(w));
		index_tidy(w->ix, 16);
		break;
	}
}

static void test_model(void **state)
{
	static struct world w;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		begin(&w, seed);
		for (int i = 0; i < 4000; i++) {
			step(&w);
			if (i % 500 == 0)
				expect_sound(&w);
		}
		settle(&w);
		expect_sound(&w);
		for (int d = 0; d < N_DIRS; d++)
			if (w.dirs[d].is_used)
				expect_totals(&w, d);
		index_free(w.ix);
	}
}

static void test_touch(void **state)
{
	static struct world w;
	struct observation o;
	struct index_item item;
	struct index_change change;

	(void)state;
	begin(&w, 1);
	o = (struct observation){.dir = w.root,
		.kind = OBS_FILE,
		.name = "f",
		.name_len = 1,
		.st = {.id = {.ino = 77}, .nlink = 1, .atime_s = 100}};
	apply(&w, &o);
	index_touch(w.ix, w.root, "f", 1, 200);
	index_touch(w.ix, w.root, "unknown", 7, 200);
	assert_true(index_find(w.ix, w.root, "f", 1, &item));
	assert_int_equal(item.atime_s, 200);
	assert_true(item.is_access_observed);
	/* A later look with the old time on disk forgets nothing. */
	assert_int_equal(index_apply(w.ix, &o, INDEX_PROTECTED, &change), 0);
	index_find(w.ix, w.root, "f", 1, &item);
	assert_int_equal(item.atime_s, 200);
	assert_true(item.is_protected);
	/* Somebody read it who does not count: what the disk says of that
	 * moves nothing, and a use by others does. */
	index_disown(w.ix, w.root, "f", 1);
	index_disown(w.ix, w.root, "unknown", 7);
	o.st.atime_s = 300;
	apply(&w, &o);
	index_find(w.ix, w.root, "f", 1, &item);
	assert_int_equal(item.atime_s, 200);
	assert_true(item.is_access_observed);
	index_touch(w.ix, w.root, "f", 1, 250);
	apply(&w, &o);
	index_find(w.ix, w.root, "f", 1, &item);
	assert_int_equal(item.atime_s, 250);
	index_own(w.ix);
	apply(&w, &o);
	index_find(w.ix, w.root, "f", 1, &item);
	assert_int_equal(item.atime_s, 300);
	assert_false(item.is_access_observed);
	index_disown(w.ix, w.root, "f", 1);
	o.st.atime_s = 100;
	/* Another file under that name starts anew. */
	o.st.id.ino = 78;
	apply(&w, &o);
	index_find(w.ix, w.root, "f", 1, &item);
	assert_int_equal(item.atime_s, 100);
	assert_false(item.is_access_observed);
	index_free(w.ix);
}

static void test_paths(void **state)
{
	static struct world w;
	buf_auto struct buf path = {0};
	struct observation o;
	uint32_t a, b;

	(void)state;
	begin(&w, 1);
	strcpy(w.dirs[1].name, "a");
	strcpy(w.dirs[2].name, "bb");
	w.dirs[1].ino = 11;
	w.dirs[2].ino = 12;
	o = dir_obs(&w, w.root, 1);
	apply(&w, &o);
	a = index_find_dir(w.ix, w.root, "a");
	o = dir_obs(&w, a, 2);
	apply(&w, &o);
	b = index_find_dir(w.ix, w.root, "a/bb");
	assert_int_not_equal(b, INDEX_NONE);
	assert_int_equal(index_rel_path(w.ix, b, &path), 0);
	assert_string_equal(path.data, "a/bb");
	buf_reset(&path);
	assert_int_equal(index_rel_path(w.ix, w.root, &path), 0);
	assert_string_equal(path.data, "");
	assert_int_equal(index_find_dir(w.ix, w.root, "a/none"), INDEX_NONE);
	assert_int_equal(index_type(w.ix, b), STYPE_DATA);
	index_free(w.ix);
}

static void expect_dir(void *ctx, uint32_t node)
{
	uint32_t *found = ctx;

	*found = node;
}

/* A second name of an inode turns up: the first one, which was taken for the
 * only one, has to be looked for. */
static void test_seek_links(void **state)
{
	static struct world w;
	struct index_change change;
	struct index_item item;
	uint32_t found = INDEX_NONE, a;
	struct observation o;

	(void)state;
	begin(&w, 1);
	strcpy(w.dirs[1].name, "a");
	w.dirs[1].ino = 11;
	o = dir_obs(&w, w.root, 1);
	apply(&w, &o);
	a = index_find_dir(w.ix, w.root, "a");
	o = (struct observation){.dir = a,
		.kind = OBS_FILE,
		.name = "first",
		.name_len = 5,
		.st = {.id = {.dev = 1, .ino = 77},
			.nlink = 1,
			.used_bytes = 4096}};
	apply(&w, &o);
	assert_int_equal(index_seek_links(w.ix, expect_dir, &found), 0);
	o.dir = w.root;
	o.name = "second";
	o.name_len = 6;
	o.st.nlink = 2;
	assert_int_equal(index_apply(w.ix, &o, 0, &change), 0);
	assert_int_equal(index_seek_links(w.ix, expect_dir, &found), 1);
	assert_int_equal(found, a);
	o.dir = a;
	o.name = "first";
	o.name_len = 5;
	assert_int_equal(index_apply(w.ix, &o, 0, &change), 0);
	assert_int_equal(index_seek_links(w.ix, expect_dir, &found), 0);
	/* Written to by one name it is younger by the other, too. */
	o.st.mtime_s = 1234;
	apply(&w, &o);
	assert_true(index_find(w.ix, w.root, "second", 6, &item));
	assert_int_equal(item.mtime_s, 1234);
	/* Also if that is a new name, by which it was written to at once. */
	o.name = "third";
	o.st.nlink = 3;
	o.st.mtime_s = 5678;
	apply(&w, &o);
	assert_true(index_find(w.ix, w.root, "second", 6, &item));
	assert_int_equal(item.mtime_s, 5678);
	o.kind = OBS_GONE;
	apply(&w, &o);
	o.kind = OBS_FILE;
	o.name = "first";
	o.st.nlink = 2;
	apply(&w, &o);
	index_seek_links(w.ix, expect_dir, &found);
	/* The second name goes; what was written through it was told of it
	 * alone, so the first is looked at again. */
	found = INDEX_NONE;
	o.dir = w.root;
	o.kind = OBS_GONE;
	o.name = "second";
	o.name_len = 6;
	assert_int_equal(index_apply(w.ix, &o, 0, &change), 0);
	assert_int_equal(index_seek_links(w.ix, expect_dir, &found), 1);
	assert_int_equal(found, a);
	o.kind = OBS_FILE;
	assert_int_equal(index_apply(w.ix, &o, 0, &change), 0);
	/* Two directories of 4096, and the inode once. */
	assert_int_equal(index_totals(w.ix, 0).used_bytes, 3 * 4096);
	assert_int_equal(index_totals(w.ix, a).used_bytes, 2 * 4096);
	expect_sound(&w);
	index_free(w.ix);
}

static struct observation linked_obs(uint32_t dir, const char *name)
{
	return (struct observation){.dir = dir,
		.kind = OBS_FILE,
		.name = name,
		.name_len = (uint16_t)strlen(name),
		.st = {.id = {.dev = 1, .ino = 77},
			.nlink = 2,
			.used_bytes = 4096}};
}

/* A world with directory "a", and in it one of two names of an inode. */
static uint32_t begin_linked(struct world *w)
{
	struct observation o;
	uint32_t a;

	begin(w, 1);
	strcpy(w->dirs[1].name, "a");
	w->dirs[1].ino = 11;
	o = dir_obs(w, w->root, 1);
	apply(w, &o);
	a = index_find_dir(w->ix, w->root, "a");
	o = linked_obs(a, "first");
	apply(w, &o);
	return a;
}

/* A name went: whatever comes before the other is looked at, that is done. */
static void test_doubt_stays(void **state)
{
	static struct world w;
	uint32_t a = begin_linked(&w), found = INDEX_NONE;
	struct observation o = linked_obs(w.root, "second");

	(void)state;
	apply(&w, &o);
	index_seek_links(w.ix, expect_dir, &found);
	o.kind = OBS_GONE;
	apply(&w, &o);
	/* A look that was begun before. */
	o = linked_obs(a, "first");
	apply(&w, &o);
	/* A move, with all that the inode has left. */
	strcpy(w.dirs[1].name, "b");
	o = dir_obs(&w, w.root, 1);
	apply(&w, &o);
	found = INDEX_NONE;
	assert_true(index_seek_links(w.ix, expect_dir, &found) > 0);
	assert_int_equal(found, a);
	index_free(w.ix);
}

/* A name that is not found may be written to and go before it is known: the
 * one that is known is looked at once more, and no more than that. */
static void test_open_links(void **state)
{
	static struct world w;
	uint32_t a = begin_linked(&w), found = INDEX_NONE;
	struct observation o;

	(void)state;
	assert_false(index_has_open_links(w.ix));
	assert_int_equal(index_seek_links(w.ix, expect_dir, &found), 1);
	assert_true(index_has_open_links(w.ix));
	/* A move is no news of it. */
	strcpy(w.dirs[1].name, "b");
	o = dir_obs(&w, w.root, 1);
	apply(&w, &o);
	found = INDEX_NONE;
	assert_int_equal(index_close_links(w.ix, 0, expect_dir, &found), 1);
	assert_int_equal(found, INDEX_NONE);
	o = linked_obs(a, "first");
	o.st.nlink = 3;
	apply(&w, &o);
	assert_int_equal(index_seek_links(w.ix, expect_dir, &found), 1);
	assert_int_equal(index_close_links(w.ix, 9, expect_dir, &found), 1);
	assert_int_equal(found, a);
	assert_false(index_has_open_links(w.ix));
	apply(&w, &o);
	assert_int_equal(index_seek_links(w.ix, expect_dir, &found), 0);
	assert_false(index_has_open_links(w.ix));
	index_free(w.ix);
}

/* A directory that moves says where it was. */
static void test_move(void **state)
{
	static struct world w;
	struct index_change change;
	struct observation o;

	(void)state;
	begin(&w, 1);
	strcpy(w.dirs[1].name, "a");
	strcpy(w.dirs[2].name, "b");
	w.dirs[1].ino = 11;
	w.dirs[2].ino = 12;
	o = dir_obs(&w, w.root, 1);
	apply(&w, &o);
	o = dir_obs(&w, w.root, 2);
	apply(&w, &o);
	o.dir = index_find_dir(w.ix, w.root, "a");
	o.name = "c";
	assert_int_equal(index_apply(w.ix, &o, 0, &change), 0);
	assert_int_equal(change.what, INDEX_DIR_MOVED);
	assert_int_equal(change.old_parent, w.root);
	assert_string_equal(change.old_name, "b");
	assert_int_equal(index_find_dir(w.ix, w.root, "b"), INDEX_NONE);
	assert_int_equal(index_find_dir(w.ix, w.root, "a/c"), change.node);
	index_free(w.ix);
}

#define N_MANY 12000u /* names in one directory, too many for one step */

static void apply_many(struct world *w, uint32_t dir, uint32_t from)
{
	char name[24];

	for (uint32_t i = from; i < N_MANY; i++) {
		struct observation o = {.dir = dir,
			.kind = OBS_FILE,
			.name = name,
			.st = {.id = {.dev = 1, .ino = 1000 + i},
				.nlink = i % 1000 ? 1 : 2,
				.size_bytes = i,
				.used_bytes = 512}};

		o.name_len = (uint16_t)snprintf(name, sizeof(name), "n%u", i);
		apply(w, &o);
	}
}

static uint64_t relist(struct world *w, uint32_t dir, uint32_t from)
{
	uint64_t removed = 0;

	index_list_begin(w->ix, dir);
	apply_many(w, dir, from);
	index_list_end(w->ix, dir, &removed);
	return removed;
}

static size_t count_items(struct world *w)
{
	struct index_item items[7];
	uint32_t cursor = 0;
	size_t n = 0, got;

	while ((got = index_read(w->ix, &cursor, 7, items)))
		n += got;
	return n;
}

static uint64_t n_files(const struct world *w)
{
	return index_totals(w->ix, INDEX_NODE_COMPONENT).files;
}

/* What a listing of a large directory did not find goes in steps; what is
 * left of it is not seen meanwhile, and the next listing may come any time. */
static void test_sweep_in_steps(void **state)
{
	static struct world w;
	int steps = 0;

	(void)state;
	begin(&w, 1);
	assert_int_equal(relist(&w, w.root, 0), 0);
	assert_true(index_is_tidy(w.ix));
	assert_int_equal(relist(&w, w.root, N_MANY / 2), N_MANY / 2);
	assert_false(index_is_tidy(w.ix));
	assert_int_equal(count_items(&w), N_MANY / 2);
	for (; index_tidy(w.ix, 100); steps++) {
		assert_in_range(n_files(&w), N_MANY / 2, N_MANY - steps * 20);
		assert_int_equal(count_items(&w), N_MANY / 2);
		if (steps % 10 == 0)
			expect_sound(&w);
	}
	assert_in_range(steps, 30, 200);
	assert_int_equal(n_files(&w), N_MANY / 2);
	assert_int_equal(relist(&w, w.root, 0), 0);
	assert_int_equal(relist(&w, w.root, 100), 100);
	index_tidy(w.ix, 10);
	assert_int_equal(relist(&w, w.root, 0), 0);
	assert_true(index_is_tidy(w.ix));
	assert_int_equal(n_files(&w), N_MANY);
	expect_sound(&w);
	index_free(w.ix);
}

/* A removed tree counts nothing at once; its entries are given back in steps,
 * also if it was to be swept; a small one goes at once. */
static void test_remove_in_steps(void **state)
{
	static struct world w;
	struct observation o, gone;
	uint32_t a, b;
	int steps = 0;

	(void)state;
	begin(&w, 1);
	strcpy(w.dirs[1].name, "a");
	strcpy(w.dirs[2].name, "b");
	w.dirs[1].ino = 11;
	w.dirs[2].ino = 12;
	o = dir_obs(&w, w.root, 1);
	apply(&w, &o);
	a = index_find_dir(w.ix, w.root, "a");
	gone = (struct observation){
		.dir = w.root, .kind = OBS_GONE, .name = "a", .name_len = 1};
	apply(&w, &gone);
	assert_true(index_is_tidy(w.ix));
	apply(&w, &o);
	assert_int_equal(index_find_dir(w.ix, w.root, "a"), a);
	relist(&w, a, 0);
	o = dir_obs(&w, a, 2);
	apply(&w, &o);
	b = index_find_dir(w.ix, w.root, "a/b");
	relist(&w, b, 0);
	relist(&w, b, 100);
	apply(&w, &gone);
	assert_int_equal(n_files(&w), 0);
	assert_int_equal(count_items(&w), 0);
	for (; index_tidy(w.ix, 1000); steps++)
		expect_sound(&w);
	assert_in_range(steps, 20, 24);
	expect_sound(&w);
	/* Nothing is left that a fresh one would find. */
	o = dir_obs(&w, w.root, 1);
	apply(&w, &o);
	relist(&w, index_find_dir(w.ix, w.root, "a"), 5);
	assert_int_equal(n_files(&w), N_MANY - 5);
	expect_sound(&w);
	index_free(w.ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_touch),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_seek_links),
		cmocka_unit_test(test_doubt_stays),
		cmocka_unit_test(test_open_links),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_sweep_in_steps),
		cmocka_unit_test(test_remove_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
