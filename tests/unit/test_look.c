// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "measure_place.h"
#include "watch/watch.h"

static void test_list(void **state)
{
	struct place *p = *state;
	const struct observation *o;
	struct result *r;
	struct stat st;

	place_file(p, "file", 5000);
	mkdirat(p->fd, "dir", 0700);
	mkdirat(p->fd, ".ullage-quarantine", 0700);
	assert_int_equal(symlinkat("/etc", p->fd, "link"), 0);
	assert_int_equal(mkfifoat(p->fd, "fifo", 0600), 0);
	r = place_run(p, place_job(p, JOB_LIST, ""));
	assert_int_equal(r->error, 0);
	assert_true(r->watch_key == WATCH_NO_KEY);
	assert_int_equal(r->n_skipped, 0);
	assert_int_equal(place_count(p), 6);
	assert_int_equal(r->obs[0].kind, OBS_SELF);
	assert_int_equal(r->obs[0].name_len, 0);
	assert_string_equal(r->obs[0].name, "");
	o = place_find(p, "file");
	assert_non_null(o);
	fstatat(p->fd, "file", &st, 0);
	assert_int_equal(o->kind, OBS_FILE);
	assert_int_equal(o->dir, 42);
	assert_int_equal(o->name_len, 4);
	assert_int_equal(o->st.size_bytes, 5000);
	assert_int_equal(o->st.used_bytes, st.st_blocks * 512);
	assert_int_equal(o->st.id.ino, st.st_ino);
	assert_int_equal(place_find(p, "dir")->kind, OBS_DIR);
	assert_int_equal(place_find(p, ".ullage-quarantine")->kind, OBS_DIR);
	assert_int_equal(place_find(p, "link")->kind, OBS_OTHER);
	assert_int_equal(place_find(p, "fifo")->kind, OBS_OTHER);
	assert_int_equal(measure_pending(p->m), 0);
}

static void test_look(void **state)
{
	struct place *p = *state;
	struct job *job = place_job(p, JOB_LOOK, "sub");
	struct result *r;

	mkdirat(p->fd, "sub", 0700);
	place_file(p, "sub/here", 3);
	place_file(p, "sub/other", 3);
	place_add_name(job, "here");
	place_add_name(job, "gone");
	r = place_run(p, job);
	assert_int_equal(r->error, 0);
	assert_int_equal(r->n_obs, 3);
	assert_int_equal(r->obs[0].kind, OBS_SELF);
	assert_int_equal(place_find(p, "here")->kind, OBS_FILE);
	assert_int_equal(place_find(p, "here")->st.size_bytes, 3);
	assert_int_equal(place_find(p, "gone")->kind, OBS_GONE);
	assert_int_equal(place_find(p, "gone")->st.size_bytes, 0);
	/* Nothing but the directory itself. */
	r = place_run(p, place_job(p, JOB_LOOK, "sub"));
	assert_int_equal(r->n_obs, 1);
}

static void test_many_names(void **state)
{
	struct place *p = *state;
	struct job *job = place_job(p, JOB_LOOK, "");
	size_t n_pieces = 0, n_self = 0;
	char name[32];

	for (int i = 0; i < 3 * MEASURE_PIECE; i++) {
		snprintf(name, sizeof(name), "name-%d", i);
		place_add_name(job, name);
	}
	/* No single name: cannot be looked at, and is not told as gone. */
	place_add_name(job, "a/b");
	assert_int_equal(place_run(p, job)->error, 0);
	assert_int_equal(place_count(p), 3 * MEASURE_PIECE + 1);
	for (struct result *r = p->results; r; r = r->next, n_pieces++) {
		assert_in_range(r->n_obs, 1, MEASURE_PIECE);
		assert_int_equal(r->is_last, !r->next);
		assert_int_equal(r->n_skipped, !r->next);
		for (size_t i = 0; i < r->n_obs; i++)
			n_self += r->obs[i].kind == OBS_SELF;
	}
	assert_int_equal(n_self, 1);
	assert_int_equal(n_pieces, 4);
}

static uint64_t hash_of(const struct job *job, const char *name)
{
	struct {
		uint32_t dir;
		char name[256];
	} text = {htole32(job->dir), ""};

	strcpy(text.name, name);
	return hash_bytes(job->key, &text, 4 + strlen(name)) & job->hash_mask;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void test_hashes(void **state)
{
	struct place *p = *state;
	struct job *job = place_job(p, JOB_NAMES, "");
	char name[32];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		place_file(p, name, 0);
	}
	job->key = hash_key_random();
	job->hash_mask = (UINT64_C(1) << 48) - 1;
	job->hashes = malloc(3 * sizeof(uint64_t));
	job->n_hashes = 3;
	job->hashes[0] = hash_of(job, "file-7");
	job->hashes[1] = hash_of(job, "file-33");
	job->hashes[2] = hash_of(job, "gone");
	qsort(job->hashes, 3, sizeof(uint64_t), by_value);
	assert_int_equal(place_run(p, job)->error, 0);
	assert_int_equal(place_count(p), 2);
	assert_int_equal(place_find(p, "file-7")->kind, OBS_FILE);
	assert_non_null(place_find(p, "file-33"));
	/* None wanted, none found. */
	assert_int_equal(place_run(p, place_job(p, JOB_NAMES, ""))->n_obs, 0);
}

static void test_identity(void **state)
{
	struct place *p = *state;
	struct identity root, sub;
	struct result *r;
	struct job *job;

	mkdirat(p->fd, "sub", 0700);
	root = place_run(p, place_job(p, JOB_LIST, ""))->obs[0].st.id;
	sub = place_find(p, "sub")->st.id;
	job = place_job(p, JOB_LIST, "sub");
	job->root_id = root;
	job->dir_id = sub;
	assert_int_equal(place_run(p, job)->error, 0);
	/* Replaced: ext4 is likely to use the very same inode again. */
	unlinkat(p->fd, "sub", AT_REMOVEDIR);
	mkdirat(p->fd, "sub", 0700);
	job = place_job(p, JOB_LOOK, "sub");
	job->dir_id = sub;
	r = place_run(p, job);
	assert_int_equal(r->error, -ESTALE);
	assert_false(r->is_root_error);
	assert_int_equal(r->n_obs, 0);
	job = place_job(p, JOB_LIST, "sub");
	job->root_id = sub;
	r = place_run(p, job);
	assert_int_equal(r->error, -ESTALE);
	assert_true(r->is_root_error);
}

/* Takes a worker longer than us to ask for. */
static struct job *heavy_job(struct place *p)
{
	struct job *job = place_job(p, JOB_LOOK, "");

	for (int i = 0; i < 1000; i++)
		place_add_name(job, "x");
	job->dir = (uint32_t)random();
	return job;
}

/* Keeps so many jobs queued that the worker never rests, until one fails.
 * Returns its error, or 0 if none did in five seconds. */
static int flood(struct place *p, const struct identity *root_id)
{
	int64_t end = clock_boot_ns(NULL) + 5 * CLOCK_NS_PER_S;
	int error = 0;

	while (!error && clock_boot_ns(NULL) < end) {
		while (measure_pending(p->m) < 200) {
			struct job *job = heavy_job(p);

			job->root_id = *root_id;
			measure_submit(p->m, job);
		}
		place_forget(p);
		p->results = measure_take(p->m);
		for (struct result *r = p->results; r && !error; r = r->next)
			error = r->is_root_error ? r->error : 0;
	}
	return error;
}

/* The root goes and another one comes while there is no end of work. */
static void test_root_replaced(void **state)
{
	struct place *p = *state;
	struct identity id;
	char aside[80];

	measure_free(p->m);
	assert_int_equal(measure_new(1, &p->m), 0);
	id = place_run(p, place_job(p, JOB_LIST, ""))->obs[0].st.id;
	snprintf(aside, sizeof(aside), "%s.aside", p->path);
	/* The worker has the root open when it goes. */
	for (int i = 0; i < 200; i++)
		measure_submit(p->m, heavy_job(p));
	place_wait(p);
	assert_int_equal(rename(p->path, aside), 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(flood(p, &id), -ESTALE);
	assert_int_equal(rmdir(aside), 0);
}

static void test_errors(void **state)
{
	struct place *p = *state;
	struct job *job;

	place_file(p, "file", 1);
	mkdirat(p->fd, "real", 0700);
	assert_int_equal(symlinkat("real", p->fd, "link"), 0);
	assert_int_equal(
		place_run(p, place_job(p, JOB_LIST, "none"))->error, -ENOENT);
	assert_int_equal(
		place_run(p, place_job(p, JOB_LIST, "file"))->error, -ENOTDIR);
	assert_int_equal(
		place_run(p, place_job(p, JOB_LIST, "link"))->error, -ELOOP);
	assert_int_equal(
		place_run(p, place_job(p, JOB_LOOK, "link"))->error, -ELOOP);
	assert_int_equal(
		place_run(p, place_job(p, JOB_LOOK, ".."))->error, -EINVAL);
	assert_false(p->results->is_root_error);
	job = place_job(p, JOB_LOOK, "");
	strcpy(job->root_path, "/none");
	assert_int_equal(place_run(p, job)->error, -ENOENT);
	assert_true(p->results->is_root_error);
	job = place_job(p, JOB_LOOK, "");
	free(job->root_path);
	job->root_path = NULL;
	assert_int_equal(measure_submit(p->m, job), -EINVAL);
	assert_int_equal(measure_pending(p->m), 0);
}

static void test_statfs(void **state)
{
	struct place *p = *state;
	struct statvfs v;
	struct result *r = place_run(p, place_job(p, JOB_STATFS, ""));

	assert_int_equal(r->error, 0);
	assert_int_equal(fstatvfs(p->fd, &v), 0);
	assert_int_equal(r->fs.total_bytes, v.f_blocks * v.f_frsize);
	/* Others write meanwhile. */
	assert_in_range(r->fs.available_bytes, v.f_bavail * v.f_frsize / 2,
		v.f_bavail * v.f_frsize * 2);
	assert_int_equal(r->fs.total_inodes, v.f_files);
	assert_false(r->fs.is_read_only);
	assert_true(strlen(r->fs.type) > 1);
}

static void test_share(void **state)
{
	struct mounts_fs fs = {
		.total_bytes = 1000,
		.used_bytes = 900,
		.available_bytes = 50, /* and 50 for root alone */
		.total_inodes = 8,
		.free_inodes = 2,
	};

	(void)state;
	assert_int_equal(mounts_used_ppm(&fs), 947368);
	assert_int_equal(mounts_inodes_ppm(&fs), 750000);
	fs = (struct mounts_fs){0};
	assert_int_equal(mounts_used_ppm(&fs), 0);
	assert_int_equal(mounts_inodes_ppm(&fs), 0);
}

/* A mount namespace of our own, so that nothing is left behind. */
static void need_mounts(void)
{
	static int r = 1;

	if (r > 0)
		r = unshare(CLONE_NEWNS) < 0 ||
				    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE,
					    NULL) < 0
			    ? -errno
			    : 0;
	if (r < 0) {
		print_message("needs the right to mount: %s\n", strerror(-r));
		skip();
	}
}

static const char *below(struct place *p, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", p->path, name);
	return ret;
}

static void test_mounts(void **state)
{
	struct place *p = *state;
	const struct observation *o;
	char dir[128], file[128];
	struct job *job;
	int r;

	need_mounts();
	mkdirat(p->fd, "mnt", 0700);
	place_file(p, "file", 9000);
	place_file(p, "over", 9000);
	assert_int_equal(
		mount("none", below(p, "mnt", dir), "tmpfs", 0, NULL), 0);
	assert_int_equal(mount(below(p, "file", dir), below(p, "over", file),
				 NULL, MS_BIND, NULL),
		0);
	assert_int_equal(place_run(p, place_job(p, JOB_LIST, ""))->error, 0);
	o = place_find(p, "mnt");
	assert_int_equal(o->kind, OBS_OTHER);
	assert_int_equal(o->st.used_bytes, 0);
	o = place_find(p, "over");
	assert_int_equal(o->kind, OBS_OTHER);
	assert_int_equal(o->st.used_bytes, 0);
	assert_int_equal(o->st.size_bytes, 0);
	assert_int_equal(place_find(p, "file")->kind, OBS_FILE);
	assert_int_equal(
		place_run(p, place_job(p, JOB_LIST, "mnt"))->error, -EXDEV);
	assert_int_equal(
		place_run(p, place_job(p, JOB_LOOK, "mnt"))->error, -EXDEV);
	assert_int_equal(umount(below(p, "mnt", dir)), 0);
	assert_int_equal(umount(file), 0);
	/* No root is held by workers at rest. */
	assert_int_equal(
		mount("none", below(p, "mnt", dir), "tmpfs", 0, NULL), 0);
	job = place_job(p, JOB_LIST, "");
	free(job->root_path);
	job->root_path = strdup(dir);
	assert_int_equal(place_run(p, job)->error, 0);
	/* Once it has gone to sleep. */
	r = umount(dir);
	for (int i = 0; i < 1000 && r < 0; i++) {
		usleep(1000);
		r = umount(dir);
	}
	assert_int_equal(r, 0);
}

/* A FUSE mount that nobody serves: every question to it waits for ever. */
static int mount_dead(const char *path, bool is_dir)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	if (fd < 0) {
		print_message("needs /dev/fuse: %s\n", strerror(errno));
		skip();
	}
	snprintf(options, sizeof(options),
		"fd=%d,rootmode=%o,user_id=0,group_id=0", fd,
		is_dir ? S_IFDIR : S_IFREG);
	assert_int_equal(mount("dead", path, "fuse", 0, options), 0);
	return fd;
}

static void test_dead_servers(void **state)
{
	struct place *p = *state;
	char dir[128], file[128];
	int servers[2];

	need_mounts();
	mkdirat(p->fd, "dir", 0700);
	place_file(p, "file", 1);
	servers[0] = mount_dead(below(p, "dir", dir), true);
	servers[1] = mount_dead(below(p, "file", file), false);
	/* place_run gives up after a time, and so fails. */
	assert_int_equal(place_run(p, place_job(p, JOB_LIST, ""))->error, 0);
	assert_int_equal(place_find(p, "dir")->kind, OBS_OTHER);
	assert_int_equal(place_find(p, "file")->kind, OBS_OTHER);
	assert_int_equal(
		place_run(p, place_job(p, JOB_LIST, "dir"))->error, -EXDEV);
	umount2(dir, MNT_DETACH);
	umount2(file, MNT_DETACH);
	fd_close(servers[0]);
	fd_close(servers[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_CASE(test_list),
		PLACE_CASE(test_look),
		PLACE_CASE(test_many_names),
		PLACE_CASE(test_hashes),
		PLACE_CASE(test_identity),
		PLACE_CASE(test_root_replaced),
		PLACE_CASE(test_errors),
		PLACE_CASE(test_statfs),
		PLACE_CASE(test_mounts),
		PLACE_CASE(test_dead_servers),
		cmocka_unit_test(test_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
