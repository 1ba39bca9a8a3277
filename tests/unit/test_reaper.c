// SPDX-License-Identifier: GPL-2.0-or-later
/* A whole reaper in its own process, confined, on real filesystems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "base/fd.h"
#include "hostile/world.h"

static const char *const kinds[] = {"tmpfs", "ext4", "xfs", "btrfs", "dir"};

static void test_deletes(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		mem_autofree struct outcome *o = NULL;
		struct world w;
		size_t n;

		/* xfs takes no less */
		if (!world_init(&w, kinds[k], 320))
			continue;
		world_mkdir(&w, "a");
		world_mkdir(&w, "a/b");
		world_write(&w, "one", 100000);
		world_write(&w, "a/b/two", 5000);
		world_write(&w, "a/kept", 1);
		world_plan(&w, "one", PLAN_RULE_LARGEST);
		world_plan(&w, "a/b/two", PLAN_RULE_LARGEST);
		assert_int_equal(world_run(&w, &o, &n), 0);
		assert_int_equal(n, 3);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(o[i].item, i);
			assert_string_equal(
				reason_word(o[i].reason), "deleted");
			assert_false(o[i].is_end);
		}
		assert_true(o[2].is_end);
		assert_int_equal(o[2].item, 2);
		assert_int_equal(
			o[2].freed_bytes, o[0].freed_bytes + o[1].freed_bytes);
		assert_true(o[0].freed_bytes >= 100000 ||
			    strcmp(kinds[k], "btrfs") == 0 ||
			    strcmp(kinds[k], "xfs") == 0);
		assert_false(world_has(&w, "one"));
		assert_false(world_has(&w, "a/b/two"));
		assert_true(world_has(&w, "a/kept"));
		assert_true(world_has(&w, "a/b"));
		assert_int_equal(world_audited(&w, "\"event\":\"intent\""), 2);
		assert_int_equal(
			world_audited(&w, "\"path\":\"a/b/two\",\"dev\":"), 2);
		assert_int_equal(
			world_audited(&w, "\"reason\":\"deleted\""), 2);
		world_fini(&w);
	}
}

static void run_counted(struct world *w, unsigned int ret[N_REASONS])
{
	mem_autofree struct outcome *o = NULL;
	size_t n, n_items = w->plan.n_items;

	memset(ret, 0, N_REASONS * sizeof(ret[0]));
	assert_int_equal(world_run(w, &o, &n), 0);
	assert_int_equal(n, n_items + 1);
	for (size_t i = 0; i < n_items; i++)
		if (!ret[o[i].reason]++ && o[i].error)
			print_message(
				"%s: %s\n", w->kind, strerror(o[i].error));
}

static void show_counts(const struct world *w, const unsigned int n[N_REASONS])
{
	for (int i = 0; i < N_REASONS; i++)
		if (n[i])
			print_message(
				"%s: %s: %u\n", w->kind, reason_word(i), n[i]);
}

/* Not a byte is left, not even for root. */
static void fill_up(struct world *w)
{
	static const char some[4096];
	int fd = openat(w->fd, "fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	while (write(fd, some, sizeof(some)) > 0 || write(fd, some, 1) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	fsync(fd);
	while (write(fd, some, 1) > 0)
		;
	close(fd);
}

static void test_full_disk(void **state)
{
	char rel[300], fill[200];
	unsigned int n[N_REASONS];

	(void)state;
	memset(fill, 'n', sizeof(fill));
	fill[sizeof(fill) - 1] = '\0';
	for (size_t k = 0; k < 4; k++) {
		struct world w;

		if (!world_init(&w, kinds[k], 320))
			continue;
		assert_int_equal(quarantine_prepare(w.fd), 0);
		world_mkdir(&w, "dir");
		for (int i = 0; i < 200; i++) {
			snprintf(rel, sizeof(rel), "dir/%d-%s", i, fill);
			world_write(&w, rel, 8192);
			world_plan(&w, rel, PLAN_RULE_LARGEST);
		}
		fill_up(&w);
		run_counted(&w, n);
		if (n[REASON_DELETED] != 200)
			show_counts(&w, n);
		assert_int_equal(n[REASON_DELETED], 200);
		world_fini(&w);
	}
}

/* A lower file may be mapped unseen. */
static void test_overlay(void **state)
{
	struct world w;
	char command[1024];

	(void)state;
	if (!world_init(&w, "tmpfs", 16)) {
		skip();
		return;
	}
	snprintf(command, sizeof(command),
		"cd %s && mkdir up work low && mount -t overlay overlay "
		"-o lowerdir=low,upperdir=up,workdir=work root",
		w.top);
	if (world_command("sh", "-c", command) != 0) {
		print_message("SKIPPED: no overlayfs\n");
		world_fini(&w);
		skip();
		return;
	}
	close(w.fd);
	w.fd = open(w.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(admit_root(w.path, NULL, &w.known, NULL), 0);
	world_write(&w, "file", 1);
	assert_string_equal(reason_word(world_reap(&w, "file")), "unsupported");
	assert_true(world_has(&w, "file"));
	snprintf(command, sizeof(command), "umount -l %s", w.path);
	assert_int_equal(world_command("sh", "-c", command), 0);
	world_fini(&w);
}

/* A kernel that lacks one system call. */
static void lack(unsigned int nr)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {ARRAY_SIZE(steps), steps};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
}

static void lack_ioctl(void)
{
	lack(SYS_ioctl);
}

/* Copies that share their blocks, where the kernel does not tell: each counts
 * in full and frees nothing. */
static void test_futile(void **state)
{
	unsigned int n[N_REASONS];

	(void)state;
	for (size_t k = 2; k < 4; k++) {
		struct world w;
		char command[1024];

		if (!world_init(&w, kinds[k], 320))
			continue;
		world_write(&w, "original", 100000);
		snprintf(command, sizeof(command),
			"cd %s && for i in $(seq 1 600); do "
			"cp --reflink=always original copy-$i || exit 1; done; "
			"sync",
			w.path);
		if (world_command("sh", "-c", command) != 0) {
			print_message("SKIPPED on %s: no reflinks\n", w.kind);
			world_fini(&w);
			continue;
		}
		for (int i = 1; i <= 600; i++) {
			char rel[64];

			snprintf(rel, sizeof(rel), "copy-%d", i);
			world_plan(&w, rel, PLAN_RULE_LARGEST);
		}
		w.before = lack_ioctl;
		run_counted(&w, n);
		assert_int_equal(n[REASON_DELETED], 192);
		assert_int_equal(n[REASON_FUTILE], 408);
		world_fini(&w);
	}
}

static pid_t start_writer(struct world *w)
{
	pid_t pid = fork();
	char rel[64];

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	for (unsigned int i = 0; i < 300; i++) {
		snprintf(rel, sizeof(rel), "new-%u", i);
		world_write(w, rel, 1 << 20);
		usleep(100);
	}
	_exit(0);
}

static void check_not_futile(const char *kind, bool is_written)
{
	unsigned int n[N_REASONS];
	struct world w;
	char rel[64];
	pid_t writer = -1;

	if (!world_init(&w, kind, 600))
		return;
	for (int i = 0; i < 2000; i++) {
		snprintf(rel, sizeof(rel), "file-%d", i);
		world_write(&w, rel, 65536);
		world_plan(&w, rel, PLAN_RULE_LARGEST);
	}
	sync();
	if (is_written)
		writer = start_writer(&w);
	run_counted(&w, n);
	if (is_written) {
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
	}
	if (n[REASON_DELETED] != 2000)
		show_counts(&w, n);
	assert_int_equal(n[REASON_DELETED], 2000);
	world_fini(&w);
}

/* xfs and btrfs tell late what they freed. */
static void test_late_freed(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++)
		check_not_futile(kinds[k], false);
}

/* Others fill the disk faster than we empty it. */
static void test_others_write(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++)
		check_not_futile(kinds[k], true);
}

/* The disk is full for the audit too: it must be emptied all the same. */
static void test_audit_full(void **state)
{
	unsigned int n[N_REASONS];
	struct world w;
	char rel[64];

	(void)state;
	assert_true(world_init(&w, "dir", 0));
	close(w.audit_fd);
	w.audit_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	for (int i = 0; i < 10; i++) {
		snprintf(rel, sizeof(rel), "file-%d", i);
		world_write(&w, rel, 1);
		world_plan(&w, rel, PLAN_RULE_LARGEST);
	}
	run_counted(&w, n);
	assert_int_equal(n[REASON_DELETED], 10);
	close(w.audit_fd);
	w.audit_fd = -1;
	world_write(&w, "file", 1);
	assert_string_equal(reason_word(world_reap(&w, "file")), "deleted");
	world_fini(&w);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *recorded;
	} names[] = {
		{"new\nline", "\"path\":\"new\\\\x0aline\""},
		{"\x1b[2J", "\"path\":\"\\\\x1b[2J\""},
		{"bad\xff", "\"path\":\"bad\\\\xff\""},
		{"-rf", "\"path\":\"-rf\""},
		{"`id`;$(id)", "\"path\":\"`id`;$(id)\""},
		{"say \"no\"", "\"path\":\"say \\\"no\\\"\""},
		{"back\\slash", "\"path\":\"back\\\\\\\\slash\""},
		{"\xe2\x80\xae"
		 "gpj",
			"\"path\":\"\\\\xe2\\\\x80\\\\xaegpj\""},
	};
	struct world w;

	(void)state;
	assert_true(world_init(&w, "dir", 0));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		world_write(&w, names[i].name, 1);
		assert_string_equal(
			reason_word(world_reap(&w, names[i].name)), "deleted");
		assert_int_equal(world_audited(&w, names[i].recorded), 2);
	}
	/* one record, one line */
	assert_int_equal(world_audited(&w, ""), 2 * ARRAY_SIZE(names));
	world_fini(&w);
}

/* What is no plan: nothing is done, and the last outcome says so. */
static void test_bad_plan(void **state)
{
	struct outcome o = {0};
	int plan_fd, pair[2];
	struct world w;
	pid_t pid;

	(void)state;
	assert_true(world_init(&w, "dir", 0));
	assert_int_equal(fd_memfile("plan", "nonsense", 8, &plan_fd), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = world_start(&w, plan_fd, pair[1]);
	close(pair[1]);
	close(plan_fd);
	assert_int_equal(fd_read_full(pair[0], &o, sizeof(o)), 0);
	assert_true(o.is_end);
	assert_int_equal(o.reason, REASON_ERROR);
	assert_int_equal(o.error, EBADMSG);
	assert_int_equal(fd_read_full(pair[0], &o, 1), -ENODATA);
	assert_int_equal(world_wait(pid), 1);
	close(pair[0]);
	world_fini(&w);
}

/* Nobody listens: it does not go on. */
static void test_agent_gone(void **state)
{
	buf_auto struct buf stream = {0};
	int plan_fd, pair[2], n_left = 0;
	struct world w;
	char rel[64];
	pid_t pid;

	(void)state;
	assert_true(world_init(&w, "dir", 0));
	for (int i = 0; i < 1000; i++) {
		snprintf(rel, sizeof(rel), "file-%d", i);
		world_write(&w, rel, 1);
		world_plan(&w, rel, PLAN_RULE_LARGEST);
	}
	must(plan_encode(&w.plan, 0, w.plan.n_items, &stream) == 0);
	must(fd_memfile("plan", stream.data, stream.len, &plan_fd) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	close(pair[0]);
	pid = world_start(&w, plan_fd, pair[1]);
	close(pair[1]);
	close(plan_fd);
	assert_int_equal(world_wait(pid), 1);
	for (int i = 0; i < 1000; i++) {
		snprintf(rel, sizeof(rel), "file-%d", i);
		n_left += world_has(&w, rel);
	}
	assert_in_range(n_left, 1000 - 64, 1000);
	world_fini(&w);
}

/* One root is gone: the other one is cleaned all the same. */
static void test_two_roots(void **state)
{
	mem_autofree struct outcome *o = NULL;
	struct root roots[2];
	struct admitted known[2];
	struct world w, other;
	size_t n;

	(void)state;
	assert_true(world_init(&w, "dir", 0));
	assert_true(world_init(&other, "dir", 0));
	world_write(&w, "file", 1);
	world_write(&other, "file", 1);
	roots[0] = w.root;
	roots[1] = other.root;
	roots[1].type = STYPE_CONFIG;
	known[0] = w.known;
	known[1] = other.known;
	w.policy.roots = roots;
	w.policy.n_roots = 2;
	w.order.known = known;
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	/* a config root, claimed to be a cache */
	w.plan.items[0].root = 1;
	w.plan.items[2].root = 1;
	known[1].id.ino++;
	assert_int_equal(world_run(&w, &o, &n), 0);
	assert_string_equal(reason_word(o[0].reason), "root-changed");
	assert_string_equal(reason_word(o[1].reason), "deleted");
	assert_string_equal(reason_word(o[2].reason), "root-changed");
	assert_true(world_has(&other, "file"));
	world_fini(&other);
	world_fini(&w);
}

static void lack_openat2(void)
{
	lack(SYS_openat2);
}

static void lack_landlock(void)
{
	lack(444);
}

static void lack_renameat2(void)
{
	lack(SYS_renameat2);
}

/* Fails closed, and says why. */
static void test_old_kernel(void **state)
{
	static const struct {
		void (*before)(void);
		const char *word;
	} cases[] = {
		{lack_openat2, "unsupported"},
		{lack_landlock, "unsupported"},
		{lack_renameat2, "unsupported"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		mem_autofree struct outcome *o = NULL;
		struct world w;
		size_t n;

		assert_true(world_init(&w, "dir", 0));
		world_write(&w, "file", 1);
		world_plan(&w, "file", PLAN_RULE_LARGEST);
		w.before = cases[i].before;
		assert_int_equal(world_run(&w, &o, &n), 1);
		assert_int_equal(n, 2);
		assert_string_equal(reason_word(o[0].reason), cases[i].word);
		assert_true(o[1].is_end);
		assert_string_equal(reason_word(o[1].reason), cases[i].word);
		assert_int_equal(world_audited(&w, "\"refused\""), 1);
		assert_true(world_has(&w, "file"));
		world_fini(&w);
	}
}

static const char *inherited_path;

static void inherit_file(void)
{
	must(open(inherited_path, O_RDONLY | O_CLOEXEC) >= 0);
}

/* What the parent had open is not ours: it would make the file busy. */
static void test_inherited(void **state)
{
	char path[512];
	struct world w;

	(void)state;
	assert_true(world_init(&w, "dir", 0));
	world_write(&w, "file", 1);
	snprintf(path, sizeof(path), "%s/file", w.path);
	inherited_path = path;
	w.before = inherit_file;
	assert_string_equal(reason_word(world_reap(&w, "file")), "deleted");
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deletes),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_futile),
		cmocka_unit_test(test_late_freed),
		cmocka_unit_test(test_others_write),
		cmocka_unit_test(test_audit_full),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bad_plan),
		cmocka_unit_test(test_agent_gone),
		cmocka_unit_test(test_two_roots),
		cmocka_unit_test(test_old_kernel),
		cmocka_unit_test(test_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
