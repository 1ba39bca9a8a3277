// SPDX-License-Identifier: GPL-2.0-or-later
/* The processes of a warden: who runs, who is started again, who is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "puppet.h"

static void assert_notified(const char *want)
{
	char text[512];
	ssize_t n;

	assert_true(puppet_is_readable(puppet.notified));
	n = recv(puppet.notified, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void test_start_and_stop(void **state)
{
	struct stat st;

	(void)state;
	puppet_start();
	assert_int_equal(puppet.agent.n_policies, 2);
	assert_true(puppet.agent.can_listen);
	/* 0, 1, 2, the puppet.channel, the control socket, the hello */
	assert_true(puppet.agent.n_fds <= 6);
	assert_string_equal(puppet.agent.notes, "");
	assert_int_equal(stat(puppet_path("srv/logs/alpha"), &st), 0);
	if (geteuid() == 0) {
		assert_int_equal(puppet.agent.uid, PUPPET_NOBODY);
		assert_string_equal(puppet.agent.caps, "0000000000000004");
		assert_int_equal(st.st_uid, PUPPET_NOBODY);
		assert_int_equal(st.st_mode & 07777, 0750);
		assert_int_equal(stat(puppet_path("lib"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 01770);
		assert_int_equal(st.st_uid, 0);
		assert_int_equal(st.st_gid, PUPPET_NOBODY);
	}
	assert_int_equal(stat(puppet_path("run/socket"), &st), 0);
	puppet_stop();
	puppet_assert_ends(puppet.agent.pid);
	assert_int_equal(access(puppet_path("run/socket"), F_OK), -1);
}

static bool has_zombies(pid_t parent)
{
	char name[64], line[256];
	bool is_found = false;
	FILE *children;
	int pid;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/children", (int)parent,
		(int)parent);
	children = fopen(name, "re");
	while (children && fscanf(children, "%d", &pid) == 1) {
		FILE *stat;

		snprintf(name, sizeof(name), "/proc/%d/stat", pid);
		stat = fopen(name, "re");
		if (stat && fgets(line, sizeof(line), stat))
			is_found = is_found || strstr(line, ") Z ");
		if (stat)
			fclose(stat);
	}
	if (children)
		fclose(children);
	return is_found;
}

/* The survey's children end before their end could be signalled. */
static void test_no_zombies(void **state)
{
	int64_t end_ns = clock_boot_ns(NULL) + 2 * CLOCK_NS_PER_S;

	(void)state;
	puppet_start();
	while (has_zombies(puppet.warden) && clock_boot_ns(NULL) < end_ns)
		usleep(10000);
	assert_false(has_zombies(puppet.warden));
	puppet_stop();
}

static void test_service_manager(void **state)
{
	int fd = puppet_memfile("all is well\nMAINPID=1\nREADY=0");
	int on_disk;

	(void)state;
	puppet_start();
	puppet_ask((struct channel_message){.kind = CHANNEL_READY}, NULL, 0);
	assert_notified("READY=1");
	/* A disk could have to be waited for: not taken. */
	puppet_write("status", "from a disk", 0644);
	on_disk = open(puppet_path("status"), O_RDONLY | O_CLOEXEC);
	puppet_ask(
		(struct channel_message){.kind = CHANNEL_STATUS}, &on_disk, 1);
	puppet_ask((struct channel_message){.kind = CHANNEL_STATUS}, &fd, 1);
	assert_notified("STATUS=all is well");
	puppet_ask((struct channel_message){.kind = CHANNEL_ALIVE}, NULL, 0);
	assert_notified("WATCHDOG=1");
	close(fd);
	close(on_disk);
	kill(puppet.warden, SIGTERM);
	assert_notified("STOPPING=1");
	assert_int_equal(puppet_wait(puppet.warden), 0);
	puppet.warden = 0;
}

static void test_agent_is_started_again(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	fd_auto int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t from_ns;
	pid_t first;
	struct told t;
	int outcome;

	(void)state;
	puppet_start();
	first = puppet.agent.pid;
	puppet_ask_reaper(1, 0, "hang", &outcome);
	t = puppet_hear(outcome);
	from_ns = clock_boot_ns(NULL);
	kill(puppet.agent.pid, SIGKILL);
	/* Its reaper ends with it: nobody listens to it any more. */
	puppet_assert_ends(t.pid);
	close(outcome);
	/* A client that comes meanwhile waits instead of failing. */
	snprintf(a.sun_path, sizeof(a.sun_path), "%s",
		puppet_path("run/socket"));
	assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
	puppet_meet();
	assert_true(clock_boot_ns(NULL) - from_ns >= CLOCK_NS_PER_S);
	assert_int_not_equal(puppet.agent.pid, first);
	assert_int_equal(puppet_reap(0, "0", &t), 0);

	from_ns = clock_boot_ns(NULL);
	kill(puppet.agent.pid, SIGSEGV);
	puppet_meet();
	assert_true(clock_boot_ns(NULL) - from_ns >= 2 * CLOCK_NS_PER_S);
	puppet_stop();
}

static void test_agent_that_cannot_start(void **state)
{
	(void)state;
	puppet.is_failing = true;
	puppet.warden = puppet_start_at(puppet_path("run/socket"));
	assert_int_equal(
		puppet_wait(puppet.warden), W_EXITCODE(EXIT_FAILURE, 0));
	puppet.warden = 0;
}

static void test_agent_that_takes_no_answers(void **state)
{
	pid_t first;

	(void)state;
	puppet_start();
	first = puppet.agent.pid;
	assert_int_equal(fcntl(puppet.channel, F_SETFL, O_NONBLOCK), 0);
	for (uint32_t i = 0; i < 100000 && puppet_is_alive(first); i++) {
		const struct channel_message m = {
			.kind = CHANNEL_REAP, .serial = i};

		if (fd_send(puppet.channel, &m, sizeof(m), NULL, 0) < 0)
			poll(NULL, 0, 1);
	}
	puppet_meet();
	assert_int_not_equal(puppet.agent.pid, first);
	puppet_stop();
}

static void test_agent_that_talks_nonsense(void **state)
{
	pid_t first;

	(void)state;
	puppet_start();
	puppet_ask((struct channel_message){.kind = 99, .serial = 3}, NULL, 0);
	assert_int_equal(puppet_answer(3, NULL), -EOPNOTSUPP);
	first = puppet.agent.pid;
	assert_int_equal(fd_send(puppet.channel, "x", 1, NULL, 0), 0);
	puppet_meet();
	assert_int_not_equal(puppet.agent.pid, first);
	puppet_stop();
}

static void test_agent_that_leaves_slowly(void **state)
{
	pid_t first;
	int64_t from_ns;

	(void)state;
	puppet_start();
	first = puppet.agent.pid;
	from_ns = clock_boot_ns(NULL);
	puppet.channel = fd_close(puppet.channel);
	/* It may have its state to save; but not for ever. */
	puppet_meet();
	assert_true(clock_boot_ns(NULL) - from_ns >= 5 * CLOCK_NS_PER_S);
	assert_int_not_equal(puppet.agent.pid, first);
	assert_false(puppet_is_alive(first));
	puppet_stop();
}

static long noted_pid(const char *rel)
{
	for (int ms = 0; ms < PUPPET_WAIT_MS; ms += 10) {
		char text[32] = "";
		int fd = open(puppet_path(rel), O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
			strchr(text, '\n')) {
			close(fd);
			return strtol(text, NULL, 10);
		}
		fd_close(fd);
		poll(NULL, 0, 10);
	}
	fail_msg("%s was not written", rel);
	return 0;
}

static const char daemon_hook[] =
	"#!/bin/sh\n"
	"echo $$ >$ULLAGE_OUT/hook\n"
	"setsid sh -c 'trap \"\" TERM; echo $$ >$ULLAGE_OUT/daemon;"
	" while :; do sleep 600; done' >/dev/null 2>&1 &\n"
	"exec sleep 600\n";

static void test_nobody_is_left(void **state)
{
	const int ends[] = {SIGKILL, SIGTERM};

	(void)state;
	puppet_write("hooks/daemon", daemon_hook, 0755);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		long hook, deep;
		struct told t;
		int outcome;

		puppet_start();
		puppet_ask_reaper(1, 0, "hang", &outcome);
		t = puppet_hear(outcome);
		puppet_ask_hooks(2, "");
		hook = noted_pid("out/hook");
		deep = noted_pid("out/daemon");
		assert_true(puppet_is_alive((pid_t)deep));
		kill(puppet.warden, ends[i]);
		puppet_wait(puppet.warden);
		puppet_assert_ends(puppet.agent.pid);
		puppet_assert_ends(t.pid);
		puppet_assert_ends((pid_t)hook);
		puppet_assert_ends((pid_t)deep);
		close(outcome);
		unlink(puppet_path("out/hook"));
		unlink(puppet_path("out/daemon"));
	}
	puppet.warden = 0;
}

static void test_hangup(void **state)
{
	struct channel_message m;

	(void)state;
	puppet_start();
	kill(puppet.warden, SIGHUP);
	assert_true(puppet_is_readable(puppet.channel));
	assert_int_equal(read(puppet.channel, &m, sizeof(m)), sizeof(m));
	assert_int_equal(m.kind, CHANNEL_HANGUP);
	puppet_stop();
}

static void assert_refused(const char *socket_rel, const char *why)
{
	buf_auto struct buf text = {0};
	char path[128];
	pid_t pid;
	int fd;

	snprintf(path, sizeof(path), "%s", puppet_path(socket_rel));
	pid = puppet_start_at(path);
	assert_int_equal(puppet_wait(pid), W_EXITCODE(EXIT_FAILURE, 0));
	fd = open(puppet_path("stderr"), O_RDONLY | O_CLOEXEC);
	puppet_read(fd, &text);
	if (!strstr(text.data, why))
		fail_msg("stderr: %s", text.data);
}

static void test_two_wardens(void **state)
{
	(void)state;
	puppet_start();
	assert_refused("run/other", "another ullaged runs");
	puppet_stop();
}

static void test_bad_starts(void **state)
{
	(void)state;
	/* All problems at once. */
	puppet_policy("alpha", ", \"strategie\": \"time\"");
	puppet_policy("beta", ", \"strategy\": \"timing\"");
	assert_refused("run/socket", "alpha.json:1:");
	assert_refused("run/socket", "beta.json:1:");
	puppet_policy("alpha", "");
	puppet_policy("beta", "");
	/* Somebody has put a link in the audit's place. */
	puppet_mkdir("lib", 0755);
	assert_int_equal(symlink("../victim", puppet_path("lib/audit.log")), 0);
	assert_refused("run/socket", "audit.log: is not ours alone");
	assert_int_equal(access(puppet_path("victim"), F_OK), -1);
	unlink(puppet_path("lib/audit.log"));
	/* or a second name of somebody's file. */
	puppet_write("victim", "", 0644);
	assert_int_equal(
		link(puppet_path("victim"), puppet_path("lib/audit.log")), 0);
	assert_refused("run/socket", "audit.log: is not ours alone");
	unlink(puppet_path("lib/audit.log"));
	unlink(puppet_path("victim"));
	unlink(puppet_path("lib/ullaged.lock"));
	assert_int_equal(
		symlink("../victim", puppet_path("lib/ullaged.lock")), 0);
	assert_refused("run/socket", "is not ours");
	assert_int_equal(access(puppet_path("victim"), F_OK), -1);
	unlink(puppet_path("lib/ullaged.lock"));
	assert_int_equal(symlink("lib", puppet_path("run")), 0);
	assert_refused("run/socket", "is a symbolic link");
}

#define WARDEN_TEST(name) \
	cmocka_unit_test_setup_teardown(name, puppet_setup, puppet_teardown)

int main(int argc, char **argv, char **envp)
{
	const struct CMUnitTest tests[] = {
		WARDEN_TEST(test_start_and_stop),
		WARDEN_TEST(test_no_zombies),
		WARDEN_TEST(test_service_manager),
		WARDEN_TEST(test_agent_is_started_again),
		WARDEN_TEST(test_agent_that_cannot_start),
		WARDEN_TEST(test_agent_that_takes_no_answers),
		WARDEN_TEST(test_agent_that_talks_nonsense),
		WARDEN_TEST(test_agent_that_leaves_slowly),
		WARDEN_TEST(test_nobody_is_left),
		WARDEN_TEST(test_hangup),
		WARDEN_TEST(test_two_wardens),
		WARDEN_TEST(test_bad_starts),
	};

	setproctitle_init(argc, argv, envp);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
