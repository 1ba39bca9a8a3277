// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent asks the warden for: reapers, reloads, hooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bsd/unistd.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "act/ballast.h"
#include "base/clock.h"
#include "policy/bundle.h"
#include "policy/policy_json.h"
#include "model/trash.h"
#include "puppet.h"
#include "strategies/strategies.h"
#include "warden_files.h"
#include "warden_hooks.h"
#include "warden_survey.h"

static int reload(struct buf *ret_text, uint64_t *ret_digest)
{
	const struct config_env env = {.strategies = strategy_names,
		.root_override = puppet_path("srv"),
		.state_override = puppet_path("lib/state.json"),
		.socket_override = puppet_path("run/socket"),
		.is_lenient_user = geteuid() != 0};
	buf_auto struct buf data = {0}, errors = {0}, notes = {0};
	struct bundle b = {0};
	struct config *c = NULL;
	int fds[FD_MAX_PASSED], status;

	puppet_ask(
		(struct channel_message){.kind = CHANNEL_RELOAD, .serial = 5},
		NULL, 0);
	status = puppet_answer(5, fds);
	puppet_read(fds[0], ret_text);
	if (status < 0) {
		assert_int_equal(fds[1], -1);
		return status;
	}
	puppet_read(fds[1], &data);
	assert_int_equal(bundle_decode(data.data, data.len, &b), 0);
	assert_int_equal(config_parse(&b, &env, &c, &errors, &notes), 0);
	*ret_digest = c->digest;
	config_free(c);
	bundle_fini(&b);
	return status;
}

static void test_reap(void **state)
{
	struct told t, other;
	struct stat st;
	char panic[128];
	int outcome, second;

	(void)state;
	puppet_start();
	assert_int_equal(puppet_reap(1, "3", &t), 3);
	assert_string_equal(t.component, "beta");
	assert_int_equal(t.free_bytes, 4711);
	assert_true(t.has_audit);
	snprintf(panic, sizeof(panic), "%s", puppet_path("lib/panic"));
	assert_string_equal(t.panic_path, panic);

	assert_int_equal(puppet_reap(2, "0", &t), -EINVAL);
	puppet_ask((struct channel_message){.kind = CHANNEL_REAP,
			   .serial = 9,
			   .digest = puppet.agent.digest},
		NULL, 0);
	assert_int_equal(puppet_answer(9, NULL), -EINVAL);

	/* The trash's reaper, and what there is none for. */
	puppet_ask((struct channel_message){.kind = CHANNEL_REAP,
			   .serial = 10,
			   .digest = puppet.agent.digest,
			   .action = N_TRASH_ACTIONS},
		(int[]){STDIN_FILENO, STDERR_FILENO}, 2);
	assert_int_equal(puppet_answer(10, NULL), -EINVAL);
	puppet_ask((struct channel_message){.kind = CHANNEL_TRASH,
			   .serial = 11,
			   .digest = puppet.agent.digest,
			   .action = TRASH_LIST},
		(int[]){STDIN_FILENO, STDERR_FILENO}, 2);
	assert_int_equal(puppet_answer(11, NULL), 7);

	/* One at a time in a component, several at once in all. */
	puppet_ask_reaper(1, 0, "hang", &outcome);
	t = puppet_hear(outcome);
	assert_int_equal(puppet_reap(0, "0", &other), -EBUSY);
	puppet_ask_reaper(2, 1, "hang", &second);
	other = puppet_hear(second);
	kill(t.pid, SIGKILL);
	assert_int_equal(puppet_answer(1, NULL), -ECHILD);
	assert_int_equal(puppet_reap(0, "0", &t), 0);
	kill(other.pid, SIGKILL);
	assert_int_equal(puppet_answer(2, NULL), -ECHILD);
	close(outcome);
	close(second);

	assert_int_equal(stat(puppet_path("lib/audit.log"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, geteuid());
	puppet_stop();
}

/* The agent names one of its roots; which filesystem that is and what belongs
 * there, the warden knows itself. */
static int ask_ballast(
	uint32_t serial, struct channel_message m, struct ballast_report *ret)
{
	int fds[FD_MAX_PASSED], status;

	m.kind = CHANNEL_BALLAST;
	m.serial = serial;
	puppet_ask(m, NULL, 0);
	status = puppet_answer(serial, fds);
	if (fds[0] >= 0 && ret)
		assert_int_equal(
			pread(fds[0], ret, sizeof(*ret), 0), sizeof(*ret));
	fd_close(fds[0]);
	return status;
}

static void test_ballast(void **state)
{
	struct channel_message m = {.op = BALLAST_MAKE};
	struct ballast_report report = {.bytes = 1};

	(void)state;
	puppet_start();
	m.digest = puppet.agent.digest;
	/* none is wanted, so none is made, whatever the agent asks for */
	assert_int_equal(ask_ballast(1, m, &report), 0);
	assert_int_equal(report.bytes, 0);
	m.op = BALLAST_RELEASE + 1;
	assert_int_equal(ask_ballast(2, m, NULL), -EINVAL);
	m.op = BALLAST_NONE;
	assert_int_equal(ask_ballast(3, m, NULL), -EINVAL);
	m.op = BALLAST_LOOK;
	m.number = 2;
	assert_int_equal(ask_ballast(4, m, NULL), -EINVAL);
	m.number = 1;
	m.root = 1000;
	assert_int_equal(ask_ballast(5, m, NULL), -EINVAL);
	m.root = 0;
	m.digest++;
	assert_int_equal(ask_ballast(6, m, NULL), -ESTALE);
	puppet_stop();
}

static void test_reload(void **state)
{
	buf_auto struct buf text = {0};
	uint64_t digest = 0, before;
	struct told t;

	(void)state;
	puppet_start();
	before = puppet.agent.digest;
	puppet_policy("alpha", ", \"strategie\": \"time\"");
	assert_int_equal(reload(&text, &digest), -EINVAL);
	assert_non_null(strstr(text.data, "policies/alpha.json:1:"));
	assert_non_null(strstr(text.data, "strategie"));
	/* What was in force still is. */
	assert_int_equal(puppet_reap(1, "0", &t), 0);

	puppet_policy("alpha", ", \"strategy\": \"time\"");
	puppet_policy("aaa", "");
	buf_reset(&text);
	assert_int_equal(reload(&text, &digest), 0);
	assert_int_not_equal(digest, before);
	assert_int_equal(access(puppet_path("srv/cache/aaa"), F_OK), 0);
	/* A plan of the old one means other components by its numbers. */
	assert_int_equal(puppet_reap(1, "0", &t), -ESTALE);
	puppet.agent.digest = digest;
	assert_int_equal(puppet_reap(1, "0", &t), 0);
	assert_string_equal(t.component, "alpha");

	/* And a new agent starts with it. */
	kill(puppet.agent.pid, SIGKILL);
	puppet_meet();
	assert_int_equal(puppet.agent.digest, digest);
	assert_int_equal(puppet.agent.n_policies, 3);
	puppet_stop();
}

static void test_known_roots(void **state)
{
	buf_auto struct buf text = {0};
	uint64_t digest = 0;
	struct told t;
	struct stat was, is;
	char policy[256];

	(void)state;
	puppet_mkdir("data", 0755);
	snprintf(policy, sizeof(policy),
		", \"paths\": { \"data\": [ \"%s/data/alpha\" ] }",
		puppet.place);
	puppet_policy("alpha", policy);
	puppet_start();
	/* Not there: said, unknown, and not made. */
	assert_non_null(
		strstr(puppet.agent.notes, "data/alpha does not exist"));
	assert_int_equal(access(puppet_path("data/alpha"), F_OK), -1);

	puppet_mkdir("data/alpha", 0755);
	assert_int_equal(stat(puppet_path("data/alpha"), &was), 0);
	assert_int_equal(reload(&text, &digest), 0);
	puppet.agent.digest = digest;
	assert_int_equal(puppet_reap(0, "0", &t), 0);
	assert_int_equal(t.data_ino, was.st_ino);
	assert_int_equal(
		rename(puppet_path("data/alpha"), puppet_path("data/old")), 0);
	puppet_mkdir("data/alpha", 0755);
	assert_int_equal(stat(puppet_path("data/alpha"), &is), 0);
	assert_int_equal(puppet_reap(0, "0", &t), 0);
	assert_int_equal(t.data_ino, was.st_ino);
	buf_reset(&text);
	assert_int_equal(reload(&text, &digest), 0);
	assert_int_equal(puppet_reap(0, "0", &t), 0);
	assert_int_equal(t.data_ino, is.st_ino);
	puppet_stop();
}

/* A disk that does not answer. */
int __real_admit_root(const char *path, const struct admitted *known,
	struct admitted *ret, int *ret_fd);
int __wrap_admit_root(const char *path, const struct admitted *known,
	struct admitted *ret, int *ret_fd);
int __wrap_admit_root(const char *path, const struct admitted *known,
	struct admitted *ret, int *ret_fd)
{
	while (strstr(path, "hangs"))
		pause();
	return __real_admit_root(path, known, ret, ret_fd);
}

static void test_dead_disk_at_reload(void **state)
{
	struct told t;

	(void)state;
	puppet_start();
	puppet_policy("hangs", "");
	puppet_ask(
		(struct channel_message){.kind = CHANNEL_RELOAD, .serial = 5},
		NULL, 0);
	/* While it hangs, all else goes on under the old configuration. */
	assert_int_equal(puppet_reap(0, "0", &t), 0);
	puppet_ask(
		(struct channel_message){.kind = CHANNEL_RELOAD, .serial = 6},
		NULL, 0);
	assert_int_equal(puppet_answer(6, NULL), -EBUSY);
	puppet_stop();
}

static struct root dead_roots[] = {
	{.path = (char *)"/tmp", .type = STYPE_DATA},
	{.path = (char *)"/nonexistent/hangs", .type = STYPE_LOGS},
	{.path = (char *)"/tmp", .type = STYPE_TEMP},
};

static struct root good_roots[] = {
	{.path = (char *)"/usr"},
	{.path = (char *)"/tmp"},
};

static void test_survey_ends_without_a_dead_disk(void **state)
{
	char path[128];
	struct policy policies[] = {
		{.component = (char *)"dead",
			.roots = dead_roots,
			.n_roots = 3},
		{.component = (char *)"good",
			.roots = good_roots,
			.n_roots = 2},
	};
	const struct config config = {.policies = policies, .n_policies = 2};
	struct account user;
	struct survey s;
	struct stat st, good;

	(void)state;
	puppet_mkdir("hangs", 0755);
	snprintf(path, sizeof(path), "%s", puppet_path("hangs"));
	dead_roots[1].path = path;
	assert_int_equal(stat("/tmp", &st), 0);
	assert_int_equal(stat("/usr", &good), 0);
	assert_int_equal(privs_find_user(NULL, &user), 0);
	assert_int_equal(warden_survey_start(&config, &user, &s), 0);
	s.end_boot_ns = clock_boot_ns(NULL) + CLOCK_NS_PER_S;
	warden_survey_wait(&s);
	assert_int_equal(s.fd, -1);
	/* What answered before it, and beside it, is known. */
	assert_int_equal(warden_survey_known(&s, 0)[0].id.ino, st.st_ino);
	assert_int_equal(warden_survey_known(&s, 0)[1].id.ino, 0);
	assert_int_equal(warden_survey_known(&s, 0)[2].id.ino, 0);
	assert_int_equal(warden_survey_known(&s, 1)[0].id.ino, good.st_ino);
	/* One that is another's already is nobody's a second time. */
	assert_int_equal(warden_survey_known(&s, 1)[1].id.ino, 0);
	assert_non_null(strstr(
		s.notes.data, "good: /tmp is the same directory as /tmp"));
	assert_non_null(strstr(s.notes.data, "hangs: does not answer"));
	warden_survey_fini(&s);
}

static void assert_size(const char *rel, off_t want)
{
	struct stat st;

	assert_int_equal(stat(puppet_path(rel), &st), 0);
	assert_int_equal(st.st_size, want);
}

static void test_audit(void **state)
{
	const off_t record = sizeof("alpha");
	struct told t;
	char rel[64];

	(void)state;
	puppet_start();
	assert_int_equal(puppet_reap(0, "0", &t), 0);
	assert_size("lib/audit.log", record);
	/* Only when it is long, and four of the old ones are kept. */
	for (int i = 1; i <= 6; i++) {
		assert_int_equal(truncate(puppet_path("lib/audit.log"),
					 WARDEN_AUDIT_MAX + i),
			0);
		assert_int_equal(puppet_reap(0, "0", &t), 0);
		assert_size("lib/audit.log", record);
		assert_size("lib/audit.log.1", WARDEN_AUDIT_MAX + i);
	}
	for (int i = 1; i <= WARDEN_AUDIT_KEEP; i++) {
		snprintf(rel, sizeof(rel), "lib/audit.log.%d", i);
		assert_size(rel, WARDEN_AUDIT_MAX + 7 - i);
	}
	assert_int_equal(access(puppet_path("lib/audit.log.5"), F_OK), -1);
	assert_int_equal(access(puppet_path("lib/audit.log.new"), F_OK), -1);
	/* Somebody removes it, and puts a link there. */
	assert_int_equal(unlink(puppet_path("lib/audit.log")), 0);
	assert_int_equal(puppet_reap(0, "0", &t), 0);
	assert_size("lib/audit.log", record);
	assert_int_equal(unlink(puppet_path("lib/audit.log")), 0);
	assert_int_equal(symlink("../victim", puppet_path("lib/audit.log")), 0);
	assert_int_equal(puppet_reap(0, "0", &t), -EPERM);
	assert_int_equal(access(puppet_path("victim"), F_OK), -1);
	puppet_stop();
}

static void test_hooks(void **state)
{
	buf_auto struct buf report = {0};
	int fds[FD_MAX_PASSED];

	(void)state;
	puppet_write("hooks/10-good",
		"#!/bin/sh\nread a; echo \"$a $ULLAGE_X $OTHER\"\n", 0755);
	puppet_write("hooks/20-bad", "#!/bin/sh\necho 'a\tb'; echo c; exit 3\n",
		0755);
	puppet_write("hooks/30-open", "#!/bin/sh\n", 0777);
	puppet_start();
	puppet_ask_hooks(1, "ULLAGE_X=x y\nOTHER=z\n");
	assert_int_equal(puppet_answer(1, fds), 1);
	puppet_read(fds[0], &report);
	assert_string_equal(report.data,
		"30-open\trefused\tmay be written to by others\n"
		"10-good\tok\t{} x y \n"
		"20-bad\texit 3\ta\\x09b\\x0ac\n");
	buf_reset(&report);
	puppet_ask_hooks(2, "@10-good\n");
	assert_int_equal(puppet_answer(2, fds), 0);
	puppet_read(fds[0], &report);
	assert_non_null(strstr(report.data, "10-good\tok"));
	assert_null(strstr(report.data, "20-bad"));

	puppet_ask((struct channel_message){.kind = CHANNEL_HOOKS, .serial = 3},
		NULL, 0);
	assert_int_equal(puppet_answer(3, NULL), -EINVAL);
	puppet_stop();
}

static void test_without_hooks(void **state)
{
	buf_auto struct buf report = {0};
	int fds[FD_MAX_PASSED];

	(void)state;
	assert_int_equal(rmdir(puppet_path("hooks")), 0);
	puppet_start();
	puppet_ask_hooks(1, "");
	assert_int_equal(puppet_answer(1, fds), 0);
	puppet_read(fds[0], &report);
	assert_string_equal(report.data, "");

	puppet_mkdir("hooks", 0777);
	puppet_ask_hooks(2, "");
	assert_int_equal(puppet_answer(2, fds), 1);
	puppet_read(fds[0], &report);
	assert_non_null(strstr(report.data, "may be written to by others"));
	puppet_stop();
}

/* What the unit of hooks is: an instance for each connection. */
static pid_t serve_hooks(const char *path, int (*serve)(int sock))
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t pid;

	strcpy(at.sun_path, path);
	assert_int_equal(bind(sock, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(sock, 4), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int one = accept4(sock, NULL, NULL, SOCK_CLOEXEC);

		_exit(serve(one));
	}
	close(sock);
	return pid;
}

/* One that a hook has taken over. */
static int serve_poison(int sock)
{
	static const char text[] = "x\tok\t\033[31m\001\n\0y";
	char data[8192];
	int32_t n_failed = -7;
	int fds[FD_MAX_PASSED], fd = -1;

	if (fd_recv(sock, data, sizeof(data), fds) <= 0 ||
		fd_memfile("poison", text, sizeof(text) - 1, &fd) < 0)
		return 1;
	return fd_send(sock, &n_failed, sizeof(n_failed), &fd, 1) < 0;
}

static void test_hooks_elsewhere(void **state)
{
	buf_auto struct buf report = {0};
	const char *path = puppet_path("hooks.socket");
	int fds[FD_MAX_PASSED];
	pid_t unit;

	(void)state;
	puppet_write("hooks/10-good",
		"#!/bin/sh\nread a; echo \"$a $ULLAGE_X $OTHER $PPID\"\n",
		0755);
	puppet_write("hooks/20-bad", "#!/bin/sh\nexit 3\n", 0755);
	setenv(WARDEN_HOOKS_ENV, path, 1);
	puppet_start();
	unsetenv(WARDEN_HOOKS_ENV);
	/* Nobody there: a failure like any other, to be tried again. */
	puppet_ask_hooks(1, "");
	assert_int_equal(puppet_answer(1, fds), 1);
	puppet_read(fds[0], &report);
	assert_non_null(strstr(report.data,
		"\terror\tullage-hooks.socket: No such file or directory\n"));

	unit = serve_hooks(path, warden_hooks_serve);
	puppet_ask_hooks(2, "ULLAGE_X=x y\nOTHER=z\n");
	assert_int_equal(puppet_answer(2, fds), 1);
	buf_reset(&report);
	puppet_read(fds[0], &report);
	{
		char want[128];

		snprintf(want, sizeof(want),
			"10-good\tok\t{} x y  %d\n20-bad\texit 3\t\n",
			(int)unit);
		assert_string_equal(report.data, want);
	}
	assert_int_equal(puppet_wait(unit), 0);

	assert_int_equal(unlink(path), 0);
	unit = serve_hooks(path, serve_poison);
	puppet_ask_hooks(3, "");
	assert_int_equal(puppet_answer(3, fds), 0);
	buf_reset(&report);
	puppet_read(fds[0], &report);
	assert_string_equal(report.data, "x\tok\t?[31m?\n?y");
	assert_int_equal(puppet_wait(unit), 0);
	puppet_stop();
}

/* Whoever else could reach the socket gets nothing run. */
static void test_hooks_of_nonsense(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(send(ends[0], "x", 1, 0), 1);
	assert_int_equal(warden_hooks_serve(ends[1]), EXIT_FAILURE);
	assert_int_equal(fd_send(ends[0], "y", 1, (const int[]){0, 1}, 2), 0);
	assert_int_equal(warden_hooks_serve(ends[1]), EXIT_FAILURE);
	close(ends[0]);
	assert_int_equal(warden_hooks_serve(ends[1]), EXIT_FAILURE);
	close(ends[1]);
}

#define WARDEN_TEST(name) \
	cmocka_unit_test_setup_teardown(name, puppet_setup, puppet_teardown)

int main(int argc, char **argv, char **envp)
{
	const struct CMUnitTest tests[] = {
		WARDEN_TEST(test_reap),
		WARDEN_TEST(test_ballast),
		WARDEN_TEST(test_reload),
		WARDEN_TEST(test_known_roots),
		WARDEN_TEST(test_dead_disk_at_reload),
		WARDEN_TEST(test_survey_ends_without_a_dead_disk),
		WARDEN_TEST(test_audit),
		WARDEN_TEST(test_hooks),
		WARDEN_TEST(test_without_hooks),
		WARDEN_TEST(test_hooks_elsewhere),
		WARDEN_TEST(test_hooks_of_nonsense),
	};

	setproctitle_init(argc, argv, envp);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
