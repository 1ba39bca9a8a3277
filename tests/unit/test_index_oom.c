// SPDX-License-Identifier: GPL-2.0-or-later
/* Each allocation of an index fails once while a tree is put into it: what was
 * refused and is given again comes to the same. */
#include "tests/unit/failing.h"

#include "index/index.h"

#define N_DIRS	60
#define N_FILES 40

static struct observation of(
	uint32_t dir, const char *name, enum obs_kind kind, uint64_t ino)
{
	return (struct observation){
		.dir = dir,
		.name = name,
		.name_len = (uint16_t)strlen(name),
		.kind = (uint8_t)kind,
		.st = {.id = {.dev = 1, .ino = ino, .btime_s = 7},
			.size_bytes = 100,
			.used_bytes = 4096,
			.mtime_s = 1700000000,
			.nlink = 1},
	};
}

/* As the agent does: what failed for want of memory is tried again. */
static void apply(struct index *ix, const struct observation *o,
	struct index_change *ret, int *n_refused)
{
	int r = index_apply(ix, o, 0, ret);

	if (r == 0)
		return;
	assert_int_equal(r, -ENOMEM);
	++*n_refused;
	assert_int_equal(index_apply(ix, o, 0, ret), 0);
}

static void fill_dir(
	struct index *ix, uint32_t dir, uint64_t ino, int *n_refused)
{
	struct index_change change;
	char name[32];

	for (int i = 0; i < N_FILES; i++) {
		struct observation o;

		snprintf(name, sizeof(name), "file%d", i);
		o = of(dir, name, OBS_FILE, ino + (uint64_t)i);
		/* Two names in neighbouring directories share an inode, and
		 * one size fits no entry. */
		if (i == 0) {
			o.st.id.ino = 500000 + ino / 2000;
			o.st.nlink = 2;
		}
		if (i == 1)
			o.st.size_bytes = INT64_MAX;
		apply(ix, &o, &change, n_refused);
	}
}

static int build(void *ctx)
{
	struct index *ix = index_new();
	buf_auto struct buf report = {0}, path = {0};
	struct index_change change = {0};
	struct index_totals totals;
	struct observation o;
	uint32_t root, dir;
	char name[32];
	int n_refused = 0, r;

	(void)ctx;
	if (!ix)
		return -ENOMEM;
	r = index_add_root(ix, STYPE_DATA, "/srv/data", 0, &root);
	if (r < 0) {
		assert_int_equal(r, -ENOMEM);
		n_refused++;
		assert_int_equal(
			index_add_root(ix, STYPE_DATA, "/srv/data", 0, &root),
			0);
	}
	o = of(root, "", OBS_SELF, 1);
	apply(ix, &o, &change, &n_refused);
	index_list_begin(ix, root);
	dir = root;
	for (int i = 0; i < N_DIRS; i++) {
		snprintf(name, sizeof(name), "directory%d", i);
		/* Half of them below each other. */
		o = of(i % 2 ? root : dir, name, OBS_DIR,
			1000 + (uint64_t)i * 1000);
		apply(ix, &o, &change, &n_refused);
		assert_int_equal(change.what, INDEX_DIR_ADDED);
		dir = change.node;
		fill_dir(ix, dir, 1001 + (uint64_t)i * 1000, &n_refused);
	}
	r = index_rel_path(ix, dir, &path);
	assert_true(r == 0 || (r == -ENOMEM && path.len == 0));
	index_list_end(ix, root, NULL);
	while (index_tidy(ix, 1000))
		;
	r = index_check(ix, &report);
	if (r == -ENOMEM)
		r = index_check(ix, &report);
	if (r > 0)
		print_message("%s", report.data);
	assert_int_equal(r, 0);
	totals = index_totals(ix, INDEX_NODE_COMPONENT);
	assert_int_equal(totals.files, N_DIRS * N_FILES);
	assert_int_equal(totals.directories, N_DIRS + 1);
	index_free(ix);
	return 0;
}

static void an_index_is_exact_whatever_was_refused(void **state)
{
	(void)state;
	assert_true(fail_everywhere(build, NULL) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_is_exact_whatever_was_refused),
	};

	return cmocka_run_group_tests_name("index_oom", tests, NULL, NULL);
}
