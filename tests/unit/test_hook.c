// SPDX-License-Identifier: GPL-2.0-or-later
/* Hooks that behave badly, run for real. After each nothing may be left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/hook.h"
#include "base/clock.h"
#include "base/fd.h"

#define SECOND CLOCK_NS_PER_S

struct place {
	char dir[64]; /* hooks */
	char out[80]; /* where hooks may write */
	char mark[96]; /* in the environment of all that they start */
	int payload_fd;
	struct buf output;
	int64_t took_ns;
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void add_hook(
	struct place *p, const char *name, const char *body, mode_t mode)
{
	char path[128], text[2048];

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
	write_file(path, text, mode);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->dir, "/tmp/test_hook.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(chmod(p->dir, 0755), 0);
	/* Not in the hooks' directory, which only we may write to. */
	snprintf(p->out, sizeof(p->out), "%s.out", p->dir);
	assert_int_equal(mkdir(p->out, 0777), 0);
	assert_int_equal(chmod(p->out, 0777), 0);
	snprintf(p->mark, sizeof(p->mark), "ULLAGE_MARK=%s", p->dir);
	assert_int_equal(
		fd_memfile("payload", "{\"id\":7}\n", 9, &p->payload_fd), 0);
	*state = p;
	return 0;
}

static int remove_one(
	const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static int teardown(void **state)
{
	struct place *p = *state;

	nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	nftw(p->out, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	close(p->payload_fd);
	buf_fini(&p->output);
	free(p);
	return 0;
}

static const char *hook_user(void)
{
	return geteuid() == 0 && getpwnam("nobody") ? "nobody" : NULL;
}

static int run_as(
	struct place *p, const char *name, const char *user, int64_t deadline_s)
{
	char out[128];
	char *env[] = {p->mark, out, (char *)"LD_PRELOAD=/nonexistent",
		(char *)"PATH=/nonexistent", NULL};
	const struct hook_order order = {.dir = p->dir,
		.name = name,
		.user = user,
		.env = env,
		.payload_fd = p->payload_fd,
		.deadline_s = deadline_s};
	int64_t from_ns = clock_boot_ns(NULL);
	int r;

	snprintf(out, sizeof(out), "ULLAGE_OUT=%s", p->out);
	buf_reset(&p->output);
	r = hook_run(&order, &p->output);
	p->took_ns = clock_boot_ns(NULL) - from_ns;
	return r;
}

static int run(struct place *p, const char *body, int64_t deadline_s)
{
	add_hook(p, "hook", body, 0755);
	return run_as(p, "hook", hook_user(), deadline_s);
}

static bool has_mark(const char *pid, const char *mark)
{
	char path[300], data[65536];
	size_t len = strlen(mark);
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, data, sizeof(data));
	close(fd);
	return n > 0 && memmem(data, (size_t)n, mark, len);
}

/* Every process of the host that a hook of this place started. */
static int n_alive(const struct place *p)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	assert_non_null(proc);
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
			has_mark(entry->d_name, p->mark))
			n++;
	closedir(proc);
	return n;
}

/* What a hook wrote to a file of its directory, as a number; 0: nothing. */
static long noted(const struct place *p, const char *name)
{
	char path[128], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", p->out, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return strtol(text, NULL, 10);
}

static void assert_gone(const struct place *p, const char *name)
{
	long pid = noted(p, name);

	assert_true(pid > 1);
	assert_int_equal(kill((pid_t)pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void assert_killed_in_time(
	const struct place *p, int r, int64_t deadline_s)
{
	assert_int_equal(r, -ETIME);
	assert_true(p->took_ns >= deadline_s * SECOND);
	assert_true(p->took_ns < (deadline_s + 1) * SECOND);
	assert_int_equal(n_alive(p), 0);
}

static void test_payload_and_environment(void **state)
{
	struct place *p = *state;
	char want[512];

	snprintf(want, sizeof(want),
		"{\"id\":7}\n"
		"HOME=/\nLANG=C.UTF-8\n"
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
		"PWD=/\n%s\nULLAGE_OUT=%s\n",
		p->mark, p->out);
	for (int i = 0; i < 2; i++) { /* the payload is whole each time */
		assert_int_equal(run(p, "cat; env | LC_ALL=C sort", 10), 0);
		assert_string_equal(p->output.data, want);
	}
}

static void test_exit_status(void **state)
{
	struct place *p = *state;
	int r = run(p, "echo no >&2; exit 22", 10);

	assert_true(WIFEXITED(r));
	assert_int_equal(WEXITSTATUS(r), 22);
	assert_string_equal(p->output.data, "no\n");
	r = run(p, "kill -SEGV $$", 10);
	assert_true(WIFSIGNALED(r));
	assert_int_equal(WTERMSIG(r), SIGSEGV);
}

static void test_no_privileges(void **state)
{
	struct place *p = *state;
	const char *body =
		"grep -E '^(Uid|Groups|CapPrm|CapEff|CapAmb|NoNewPrivs):'"
		" /proc/self/status; ls /proc/self/fd | wc -l";

	if (geteuid() != 0)
		skip();
	assert_int_equal(setgroups(1, (const gid_t[]){12345}), 0);
	assert_int_equal(run(p, body, 10), 0);
	assert_int_equal(setgroups(0, NULL), 0);
	assert_null(strstr(p->output.data, "12345"));
	assert_non_null(strstr(p->output.data, "Uid:\t65534\t65534\t65534"));
	assert_non_null(strstr(p->output.data, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(p->output.data, "NoNewPrivs:\t1"));
	assert_null(strstr(p->output.data, "Groups:\t0"));
	/* 0, 1, 2, and ls's own look at the directory */
	assert_non_null(strstr(p->output.data, "\n4\n"));

	assert_int_equal(run_as(p, "hook", NULL, 10), 0);
	assert_non_null(strstr(p->output.data, "Uid:\t0\t0\t0"));
	assert_non_null(strstr(p->output.data, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(p->output.data, "CapEff:\t0000000000000000"));
}

/* An agent of an ordinary user's runs its hooks as that user. */
static void test_ordinary_user(void **state)
{
	struct place *p = *state;
	int status = -1;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	add_hook(p, "hook", "id -u", 0755);
	assert_int_equal(chown(p->dir, 65534, 65534), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(65534) < 0 ||
			setuid(65534) < 0)
			_exit(2);
		_exit(run_as(p, "hook", NULL, 10) != 0 ||
			strcmp(p->output.data, "65534\n") != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A number that is nobody's, and one that is somebody's. */
static void test_user_by_number(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip();
	add_hook(p, "hook", "#!/bin/sh\nid -u; id -g; id -G\n", 0755);
	assert_int_equal(run_as(p, "hook", "3000017", 10), 0);
	assert_string_equal(p->output.data, "3000017\n3000017\n3000017\n");
	assert_int_equal(run_as(p, "hook", "0", 10), 0);
	assert_memory_equal(p->output.data, "0\n0\n", 4);
}

static void test_descriptors_do_not_leak(void **state)
{
	struct place *p = *state;
	fd_auto int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd > 2);
	assert_int_equal(run(p, "ls /proc/self/fd | wc -l", 10), 0);
	assert_string_equal(p->output.data, "4\n");
}

static void test_deadline(void **state)
{
	struct place *p = *state;

	assert_killed_in_time(p, run(p, "echo on; exec sleep 600", 1), 1);
	assert_string_equal(p->output.data, "on\n");
}

static void test_deadline_is_told_by_term(void **state)
{
	struct place *p = *state;
	int r = run(p,
		"trap 'echo bye; exit 0' TERM\n"
		"sleep 600 & wait",
		1);

	assert_killed_in_time(p, r, 1);
	assert_string_equal(p->output.data, "bye\n");
}

static void test_ignores_term(void **state)
{
	struct place *p = *state;
	int r = run(p,
		"trap '' TERM INT HUP\n"
		"while :; do sleep 600; done",
		1);

	assert_killed_in_time(p, r, 1);
}

static void test_stops_itself(void **state)
{
	struct place *p = *state;
	int r = run(p, "(echo x; kill -STOP 0) & kill -STOP $$", 1);

	assert_killed_in_time(p, r, 1);
}

static const char daemon_body[] =
	"(setsid sh -c 'trap \"\" TERM; (setsid sh -c \"echo \\$\\$ "
	">$ULLAGE_OUT/pid; while :; do sleep 600; done\" "
	"</dev/null >/dev/null 2>&1 &)' &)\n"
	"while ! [ -s $ULLAGE_OUT/pid ]; do sleep 0.02; done\n";

static void test_daemon_after_normal_end(void **state)
{
	struct place *p = *state;

	assert_int_equal(run(p, daemon_body, 20), 0);
	assert_gone(p, "pid");
	assert_int_equal(n_alive(p), 0);
	assert_true(p->took_ns < 10 * SECOND);
}

static void test_daemon_at_deadline(void **state)
{
	struct place *p = *state;
	char body[1024];

	snprintf(body, sizeof(body), "%ssleep 600", daemon_body);
	assert_killed_in_time(p, run(p, body, 2), 2);
	assert_gone(p, "pid");
}

static void test_background_child_holds_output(void **state)
{
	struct place *p = *state;

	/* It keeps our pipe open: we must not wait for its end. */
	assert_int_equal(run(p,
				 "sleep 600 & echo $! >$ULLAGE_OUT/pid;"
				 "echo done",
				 20),
		0);
	assert_true(p->took_ns < 10 * SECOND);
	assert_string_equal(p->output.data, "done\n");
	assert_gone(p, "pid");
}

static void test_flood(void **state)
{
	struct place *p = *state;

	assert_killed_in_time(p, run(p, "exec cat /dev/zero", 1), 1);
	assert_int_equal(p->output.len, 4096);
	/* A flood with an end is no reason to fail. */
	assert_int_equal(run(p, "head -c 30000000 /dev/zero", 20), 0);
	assert_int_equal(p->output.len, 4096);
}

static void test_closes_everything(void **state)
{
	struct place *p = *state;

	assert_int_equal(run(p, "exec <&- >&- 2>&-; exit 0", 10), 0);
	assert_killed_in_time(
		p, run(p, "exec <&- >&- 2>&-; while :; do :; done", 1), 1);
}

static void test_payload_is_not_read(void **state)
{
	struct place *p = *state;
	fd_auto int fd = -1, keep = p->payload_fd;
	char *big = calloc(1, 1 << 20);

	assert_non_null(big);
	assert_int_equal(fd_memfile("big", big, 1 << 20, &fd), 0);
	free(big);
	p->payload_fd = fd;
	assert_int_equal(run(p, "exit 0", 10), 0);
	p->payload_fd = fd_take(&keep);
}

static void test_fork_bomb(void **state)
{
	struct place *p = *state;
	int r;

	if (!hook_user()) /* the wall is that of another user */
		skip();
	r = run(p,
		"trap '' TERM\n"
		"b() { while :; do (b) 2>/dev/null & done; }\n"
		"b 2>/dev/null & exec sleep 600",
		1);
	/* Hundreds of processes: a slow machine may need longer. */
	assert_int_equal(r, -ETIME);
	assert_true(p->took_ns < 6 * SECOND);
	assert_int_equal(n_alive(p), 0);
}

static void test_stopped_by_term(void **state)
{
	struct place *p = *state;
	char body[1024];
	pid_t pid;
	int status;

	snprintf(body, sizeof(body), "%s: >$ULLAGE_OUT/ready; sleep 600",
		daemon_body);
	add_hook(p, "hook", body, 0755);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(run_as(p, "hook", hook_user(), 60) == -ECANCELED ? 0 : 1);
	while (noted(p, "pid") == 0)
		sched_yield();
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_gone(p, "pid");
	assert_int_equal(n_alive(p), 0);
}

static void test_refused_at_the_start(void **state)
{
	struct place *p = *state;
	char path[128];

	add_hook(p, "hook", "exit 0", 0775);
	assert_int_equal(run_as(p, "hook", NULL, 10), -EACCES);
	add_hook(p, "hook", "exit 0", 0644);
	assert_int_equal(run_as(p, "hook", NULL, 10), -EACCES);
	add_hook(p, "hook", "exit 0", 0755);
	assert_int_equal(run_as(p, "hook", NULL, 10), 0);
	assert_int_equal(run_as(p, "no-such", NULL, 10), -ENOENT);
	assert_int_equal(run_as(p, "../etc/hook", NULL, 10), -EINVAL);
	assert_int_equal(run_as(p, "hook", "no such user", 10), -ENOENT);
	assert_int_equal(chmod(p->dir, 0777), 0);
	assert_int_equal(run_as(p, "hook", NULL, 10), -EPERM);
	assert_int_equal(chmod(p->dir, 0755), 0);

	snprintf(path, sizeof(path), "%s/hook", p->dir);
	write_file(path, "#!/no/such/interpreter\n", 0755);
	assert_int_equal(run_as(p, "hook", NULL, 10), -ENOENT);
	write_file(path, "no program at all\n", 0755);
	assert_int_equal(run_as(p, "hook", NULL, 10), -ENOEXEC);
	assert_int_equal(n_alive(p), 0);
}

static void test_list(void **state)
{
	struct place *p = *state;
	buf_auto struct buf names = {0}, refused = {0};
	char path[128];

	add_hook(p, "20-b", "", 0755);
	add_hook(p, "10-a", "", 0700);
	add_hook(p, "30-group", "", 0775);
	add_hook(p, "31-others", "", 0757);
	add_hook(p, "32-plain", "", 0644);
	add_hook(p, "33-a\nb", "", 0644);
	add_hook(p, "40-edited~", "", 0755);
	add_hook(p, "40.dpkg-old", "", 0755);
	add_hook(p, ".hidden", "", 0755);
	add_hook(p, "webhook.url", "", 0644);
	add_hook(p, "notify.sh", "", 0755);
	snprintf(path, sizeof(path), "%s/50-link", p->dir);
	assert_int_equal(symlink("10-a", path), 0);
	snprintf(path, sizeof(path), "%s/51-fifo", p->dir);
	assert_int_equal(mkfifo(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/52-dir", p->dir);
	assert_int_equal(mkdir(path, 0755), 0);

	assert_int_equal(hook_list(p->dir, &names, &refused), 3);
	assert_int_equal(names.len, sizeof("10-a\0"
					   "20-b\0"
					   "notify.sh"));
	assert_memory_equal(names.data,
		"10-a\0"
		"20-b\0"
		"notify.sh",
		names.len);
	for (const char *const *want = (const char *const
			     []){"30-group\tmay be written to by others\n",
		     "31-others\tmay be written to by others\n",
		     "32-plain\tis not executable\n",
		     "33-a\\x0ab\tis not executable\n",
		     "50-link\tis a symbolic link (copy the script instead)\n",
		     "51-fifo\tis no regular file\n",
		     "52-dir\tis no regular file\n", NULL};
		*want; want++)
		assert_non_null(strstr(refused.data, *want));
	assert_null(strstr(refused.data, "40"));
	assert_null(strstr(refused.data, "hidden"));
	assert_null(strstr(refused.data, "url"));
}

static void test_list_of_a_bad_directory(void **state)
{
	struct place *p = *state;
	buf_auto struct buf names = {0}, refused = {0};
	char path[128];

	assert_int_equal(
		hook_list("/no/such/place", &names, &refused), -ENOENT);
	assert_int_equal(refused.len, 0);
	add_hook(p, "hook", "", 0755);
	assert_int_equal(chmod(p->dir, 0775), 0);
	assert_int_equal(hook_list(p->dir, &names, &refused), -EPERM);
	assert_non_null(strstr(refused.data, "may be written to by others"));
	assert_int_equal(chmod(p->dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/link", p->out);
	assert_int_equal(symlink(p->dir, path), 0);
	assert_true(hook_list(path, &names, &refused) < 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(p->dir, 65534, 65534), 0);
		assert_int_equal(hook_list(p->dir, &names, &refused), -EPERM);
		assert_non_null(strstr(refused.data, "somebody else"));
	}
	assert_int_equal(names.len, 0);
}

#define HOOK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOOK_TEST(test_payload_and_environment),
		HOOK_TEST(test_exit_status),
		HOOK_TEST(test_no_privileges),
		HOOK_TEST(test_ordinary_user),
		HOOK_TEST(test_user_by_number),
		HOOK_TEST(test_descriptors_do_not_leak),
		HOOK_TEST(test_deadline),
		HOOK_TEST(test_deadline_is_told_by_term),
		HOOK_TEST(test_ignores_term),
		HOOK_TEST(test_stops_itself),
		HOOK_TEST(test_daemon_after_normal_end),
		HOOK_TEST(test_daemon_at_deadline),
		HOOK_TEST(test_background_child_holds_output),
		HOOK_TEST(test_flood),
		HOOK_TEST(test_closes_everything),
		HOOK_TEST(test_payload_is_not_read),
		HOOK_TEST(test_fork_bomb),
		HOOK_TEST(test_stopped_by_term),
		HOOK_TEST(test_refused_at_the_start),
		HOOK_TEST(test_list),
		HOOK_TEST(test_list_of_a_bad_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
