// SPDX-License-Identifier: GPL-2.0-or-later
/* Layers of configuration files, and who may write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "policy/bundle.h"

/* A directory with ullage.json, and etc, run, share for policies. */
struct world {
	char dir[64], main[80], etc[80], run[80], share[80];
	const char *dirs[4];
	struct bundle bundle;
	struct buf errors;
};

static void put(const struct world *w, const char *name, const char *text)
{
	char path[128];
	fd_auto int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, 0644), 0);
}

static void change_mode(const struct world *w, const char *name, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	assert_int_equal(chmod(path, mode), 0);
}

static void point(const struct world *w, const char *name, const char *target)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	strcpy(w->dir, "/tmp/ullage-bundle.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->main, sizeof(w->main), "%s/ullage.json", w->dir);
	snprintf(w->etc, sizeof(w->etc), "%s/etc", w->dir);
	snprintf(w->run, sizeof(w->run), "%s/run", w->dir);
	snprintf(w->share, sizeof(w->share), "%s/share", w->dir);
	assert_int_equal(mkdir(w->etc, 0755), 0);
	assert_int_equal(mkdir(w->share, 0755), 0);
	assert_int_equal(chmod(w->etc, 0755), 0);
	assert_int_equal(chmod(w->share, 0755), 0);
	w->dirs[0] = w->etc;
	w->dirs[1] = w->run; /* is not there, like most of the time */
	w->dirs[2] = w->share;
	put(w, "ullage.json", "{\"main\": 1}");
	assert_int_equal(buf_puts(&w->errors, ""), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", w->dir);
	assert_int_equal(system(command), 0);
	bundle_fini(&w->bundle);
	buf_fini(&w->errors);
	free(w);
	return 0;
}

static int read_all(struct world *w)
{
	bundle_fini(&w->bundle);
	buf_reset(&w->errors);
	return bundle_read(&w->bundle, w->main, false, w->dirs, &w->errors);
}

/* The files read, as "name=text " without the directory in front. */
static void assert_read(struct world *w, const char *expected)
{
	buf_auto struct buf got = {0};
	int e = read_all(w);

	if (e)
		fail_msg("%d: %s", e, w->errors.data);
	assert_string_equal(w->errors.data, "");
	for (size_t i = 0; i < w->bundle.n_files; i++) {
		const struct bundle_file *f = &w->bundle.files[i];

		assert_int_equal(f->len, strlen(f->text));
		assert_int_equal(
			buf_printf(&got, "%s%s=%s ", f->is_main ? "*" : "",
				f->path + strlen(w->dir) + 1, f->text),
			0);
	}
	assert_string_equal(got.data, expected);
}

static void assert_refused(struct world *w, const char *name, const char *what)
{
	buf_auto struct buf line = {0};

	assert_int_equal(
		buf_printf(&line, "%s/%s: %s\n", w->dir, name, what), 0);
	assert_int_equal(read_all(w), -EINVAL);
	assert_string_equal(w->errors.data, line.data);
	assert_int_equal(w->bundle.n_files, 0);
}

static void layers(void **state)
{
	struct world *w = *state;

	put(w, "share/b.json", "SB");
	put(w, "share/a.json", "SA");
	put(w, "share/c.json", "SC");
	put(w, "etc/b.json", "EB");
	put(w, "etc/z.json", "EZ");
	assert_read(w, "*ullage.json={\"main\": 1} etc/b.json=EB etc/z.json=EZ "
		       "share/a.json=SA share/c.json=SC ");
	/* run lies between the two */
	assert_int_equal(mkdir(w->run, 0755), 0);
	put(w, "run/b.json", "RB");
	put(w, "run/c.json", "RC");
	assert_read(w, "*ullage.json={\"main\": 1} etc/b.json=EB etc/z.json=EZ "
		       "run/c.json=RC share/a.json=SA ");
}

static void masks(void **state)
{
	struct world *w = *state;

	put(w, "share/a.json", "SA");
	put(w, "share/b.json", "SB");
	put(w, "share/c.json", "SC");
	put(w, "etc/a.json", "");
	point(w, "etc/b.json", "/dev/null");
	assert_read(w, "*ullage.json={\"main\": 1} share/c.json=SC ");
	/* a blank is no mask: it is a file that says nothing */
	put(w, "etc/c.json", " ");
	assert_read(w, "*ullage.json={\"main\": 1} etc/c.json=  ");
}

static void other_names_are_passed_over(void **state)
{
	struct world *w = *state;

	put(w, "etc/a.json~", "x");
	put(w, "etc/a.json.dpkg-old", "x");
	put(w, "etc/.a.json", "x");
	put(w, "etc/.json", "x");
	put(w, "etc/README", "x");
	assert_read(w, "*ullage.json={\"main\": 1} ");
}

static void main_file(void **state)
{
	struct world *w = *state;
	char missing[] = "/nonexistent/ullage.json";

	put(w, "ullage.json", "");
	assert_read(w, "*ullage.json={} ");
	assert_int_equal(unlink(w->main), 0);
	assert_refused(
		w, "ullage.json", "cannot be read: No such file or directory");
	buf_reset(&w->errors);
	assert_int_equal(
		bundle_read(&w->bundle, missing, true, w->dirs, &w->errors), 0);
	assert_int_equal(w->bundle.n_files, 1);
	assert_true(w->bundle.files[0].is_main);
	assert_string_equal(w->bundle.files[0].text, "{}");
	assert_string_equal(w->bundle.files[0].path, missing);
}

static void links(void **state)
{
	struct world *w = *state;
	char target[128];

	/* followed to a file that is as safe */
	put(w, "elsewhere", "E");
	snprintf(target, sizeof(target), "%s/elsewhere", w->dir);
	point(w, "etc/a.json", target);
	assert_read(w, "*ullage.json={\"main\": 1} etc/a.json=E ");
	change_mode(w, "elsewhere", 0646);
	assert_refused(w, "etc/a.json",
		"others may write to it (mode 0646): chmod go-w it");
	/* to nothing */
	assert_int_equal(unlink(target), 0);
	assert_refused(
		w, "etc/a.json", "cannot be read: No such file or directory");
}

static void what_is_no_file(void **state)
{
	struct world *w = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/a.json", w->etc);
	assert_int_equal(mkfifo(path, 0600), 0); /* must not block */
	assert_refused(w, "etc/a.json", "is no regular file: remove it");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(w, "etc/a.json", "is no regular file: remove it");
	assert_int_equal(rmdir(path), 0);
	point(w, "etc/a.json", "/dev/zero");
	assert_refused(w, "etc/a.json", "is no regular file: remove it");
}

static void huge(void **state)
{
	struct world *w = *state;
	char path[128];

	put(w, "etc/a.json", "x");
	snprintf(path, sizeof(path), "%s/a.json", w->etc);
	assert_int_equal(truncate(path, BUNDLE_MAX_FILE), 0);
	assert_int_equal(read_all(w), 0);
	assert_int_equal(w->bundle.files[1].len, BUNDLE_MAX_FILE);
	assert_int_equal(truncate(path, BUNDLE_MAX_FILE + 1), 0);
	assert_refused(w, "etc/a.json", "is over 1 MiB: no configuration is");
	/* many that are allowed each */
	for (int i = 0; i < 17; i++) {
		char name[32];

		snprintf(name, sizeof(name), "etc/%c.json", 'a' + i);
		put(w, name, "x");
		snprintf(path, sizeof(path), "%s/%s", w->dir, name);
		assert_int_equal(truncate(path, BUNDLE_MAX_FILE), 0);
	}
	assert_int_equal(read_all(w), -EINVAL);
	assert_non_null(strstr(w->errors.data, "over 16 MiB of configuration"));
}

static void writable_by_others(void **state)
{
	struct world *w = *state;

	put(w, "etc/a.json", "A");
	change_mode(w, "etc/a.json", 0646);
	assert_refused(w, "etc/a.json",
		"others may write to it (mode 0646): chmod go-w it");
	change_mode(w, "etc/a.json", 0644);
	change_mode(w, "etc", 01777);
	assert_refused(
		w, "etc", "others may write to it (mode 1777): chmod go-w it");
	change_mode(w, "etc", 0755);
	change_mode(w, "ullage.json", 0602);
	assert_refused(w, "ullage.json",
		"others may write to it (mode 0602): chmod go-w it");
	/* every one of them is told */
	change_mode(w, "etc/a.json", 0646);
	assert_int_equal(read_all(w), -EINVAL);
	assert_non_null(strstr(w->errors.data, "ullage.json: others"));
	assert_non_null(strstr(w->errors.data, "a.json: others"));
}

static void a_group_and_a_stranger(void **state)
{
	struct world *w = *state;
	char path[128];

	put(w, "etc/a.json", "A");
	snprintf(path, sizeof(path), "%s/a.json", w->etc);
	change_mode(w, "etc/a.json", 0664);
	if (geteuid() != 0) {
		/* a user's own group is his alone */
		assert_int_equal(read_all(w), 0);
		print_message("partly skipped: giving files away needs root\n");
		return;
	}
	assert_refused(w, "etc/a.json",
		"others may write to it (mode 0664): chmod go-w it");
	change_mode(w, "etc/a.json", 0644);
	assert_int_equal(chown(path, 1, 0), 0);
	assert_refused(w, "etc/a.json",
		"belongs to uid 1, who could change what is deleted: chown "
		"root it");
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chown(w->etc, 1, 0), 0);
	assert_refused(w, "etc",
		"belongs to uid 1, who could change what is deleted: chown "
		"root it");
	/* a link that a stranger's file hides behind */
	assert_int_equal(chown(w->etc, 0, 0), 0);
	put(w, "elsewhere", "E");
	snprintf(path, sizeof(path), "%s/elsewhere", w->dir);
	point(w, "etc/b.json", path);
	assert_int_equal(chown(path, 1, 0), 0);
	assert_refused(w, "etc/b.json",
		"belongs to uid 1, who could change what is deleted: chown "
		"root it");
}

static void names_in_messages_are_escaped(void **state)
{
	struct world *w = *state;

	put(w, "etc/\n\x1b.json", "A");
	change_mode(w, "etc/\n\x1b.json", 0606);
	assert_refused(w, "etc/\\x0a\\x1b.json",
		"others may write to it (mode 0606): chmod go-w it");
}

static void there_and_back(void **state)
{
	struct world *w = *state;
	buf_auto struct buf code = {0};
	struct bundle back = {0};

	put(w, "etc/a.json", "A");
	put(w, "etc/b.json", "{ \"long\": 1 }");
	assert_int_equal(read_all(w), 0);
	assert_int_equal(bundle_encode(&w->bundle, &code), 0);
	assert_int_equal(bundle_decode(code.data, code.len, &back), 0);
	assert_int_equal(back.n_files, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct bundle_file *a = &w->bundle.files[i];
		const struct bundle_file *b = &back.files[i];

		assert_string_equal(a->path, b->path);
		assert_int_equal(a->len, b->len);
		assert_memory_equal(a->text, b->text, a->len + 1);
		assert_int_equal(a->is_main, b->is_main);
	}
	bundle_fini(&back);
	/* every shorter one, and every changed byte, is refused */
	for (size_t i = 0; i < code.len; i++) {
		assert_int_equal(bundle_decode(code.data, i, &back), -EBADMSG);
		code.data[i] ^= 0x10;
		assert_int_equal(
			bundle_decode(code.data, code.len, &back), -EBADMSG);
		code.data[i] ^= 0x10;
	}
	assert_int_equal(back.n_files, 0);
	assert_int_equal(bundle_decode("", 0, &back), -EBADMSG);
}

/* Bytes with a right hash and a wrong meaning. */
static void assert_hostile(const uint32_t *words, size_t n, const char *rest)
{
	static const struct hash_key key = {0x62756e646c65, 1};
	buf_auto struct buf code = {0};
	struct bundle back = {0};
	uint64_t check;

	assert_int_equal(buf_put(&code, words, n * sizeof(*words)), 0);
	assert_int_equal(buf_puts(&code, rest), 0);
	check = hash_bytes(key, code.data, code.len);
	assert_int_equal(buf_put(&code, &check, sizeof(check)), 0);
	assert_int_equal(bundle_decode(code.data, code.len, &back), -EBADMSG);
	assert_null(back.files);
}

#define HOSTILE(rest, ...)                                          \
	assert_hostile((const uint32_t[]){0x31424c55, __VA_ARGS__}, \
		sizeof((const uint32_t[]){0x31424c55, __VA_ARGS__}) / 4, rest)

static void hostile_bytes(void **state)
{
	(void)state;
	HOSTILE("", 1); /* a file that is not there */
	HOSTILE("", 0xffffffff); /* more than there can be */
	HOSTILE("", BUNDLE_MAX_FILES + 1);
	HOSTILE("x", 0); /* bytes too many */
	HOSTILE("pt", 1, 2, 1, 1); /* an unknown flag */
	HOSTILE("t", 1, 0, 0, 1); /* no path */
	HOSTILE("pt", 1, 0, 0xffffffff, 1);
	HOSTILE("pt", 1, 0, 1, 0xffffffff);
	HOSTILE("pt", 1, 0, 1, BUNDLE_MAX_FILE + 1);
	HOSTILE("pt", 1, 0, 1, 2); /* text that ends too early */
	HOSTILE("", 2, 1, 4, 0, 0x70707070, 1, 4, 0, 0x70707070); /* 2 mains */
	HOSTILE("", 1, 0, 4, 0, 0x00707070); /* NUL in a path */
}

int main(void)
{
#define BUNDLE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		BUNDLE_TEST(layers),
		BUNDLE_TEST(masks),
		BUNDLE_TEST(other_names_are_passed_over),
		BUNDLE_TEST(main_file),
		BUNDLE_TEST(links),
		BUNDLE_TEST(what_is_no_file),
		BUNDLE_TEST(huge),
		BUNDLE_TEST(writable_by_others),
		BUNDLE_TEST(a_group_and_a_stranger),
		BUNDLE_TEST(names_in_messages_are_escaped),
		BUNDLE_TEST(there_and_back),
		cmocka_unit_test(hostile_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
