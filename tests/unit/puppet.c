// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "puppet.h"

#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/trash_run.h"
#include "agent.h"
#include "base/fd.h"
#include "warden.h"

struct puppet puppet = {.channel = -1, .notified = -1};
static int hello_fd = -1; /* where agents say hello */

/* What /proc says under this heading. */
static void read_status(const char *heading, char *ret, size_t size)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	ret[0] = '\0';
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, heading, strlen(heading)) == 0)
			strlcpy(ret, line + strlen(heading) + 2, size);
	if (f)
		fclose(f);
	ret[strcspn(ret, "\n")] = '\0';
}

static uint32_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 3; /* ".", "..", and the look itself */
}

int agent_run(const struct agent_start *start)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct hello h = {.pid = getpid(),
		.digest = start->config->digest,
		.n_policies = start->config->n_policies,
		.uid = geteuid(),
		.n_fds = count_fds()};
	int listens = 0, fd;
	socklen_t len = sizeof(listens);

	if (puppet.is_failing)
		return -EIO;
	read_status("CapEff", h.caps, sizeof(h.caps));
	snprintf(h.notes, sizeof(h.notes), "%s", start->notes);
	getsockopt(start->listen_fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len);
	h.can_listen = listens;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s/puppets", puppet.place);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		fd_send(fd, &h, sizeof(h), &start->channel_fd, 1) < 0)
		return -errno;
	close(start->channel_fd); /* the test's is the only one now */
	for (;;)
		pause();
}

int reaper_run(const struct reaper_order *order)
{
	struct told t = {.pid = getpid(),
		.free_bytes = order->free_bytes,
		.has_audit = order->audit_fd >= 0};
	char plan[16] = "";

	snprintf(t.component, sizeof(t.component), "%s",
		order->policy->component);
	snprintf(t.panic_path, sizeof(t.panic_path), "%s", order->panic_path);
	for (size_t i = 0; i < order->policy->n_roots; i++)
		if (order->policy->roots[i].type == STYPE_DATA)
			t.data_ino = order->known[i].id.ino;
	if (pread(order->plan_fd, plan, sizeof(plan) - 1, 0) < 0)
		return 9;
	if (order->audit_fd >= 0)
		dprintf(order->audit_fd, "%s\n", order->policy->component);
	if (fd_write_full(order->outcome_fd, &t, sizeof(t)) < 0)
		return 8;
	while (strcmp(plan, "hang") == 0)
		pause();
	return atoi(plan);
}

int trash_run(const struct reaper_order *order, enum trash_action action)
{
	return action == TRASH_EMPTY ? reaper_run(order) : 7;
}

const char *puppet_path(const char *rel)
{
	static char path[4][256];
	static unsigned int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", puppet.place, rel);
	return p;
}

void puppet_write(const char *rel, const char *text, mode_t mode)
{
	int fd = open(puppet_path(rel),
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

void puppet_mkdir(const char *rel, mode_t mode)
{
	assert_int_equal(mkdir(puppet_path(rel), mode), 0);
	assert_int_equal(chmod(puppet_path(rel), mode), 0);
}

void puppet_policy(const char *component, const char *more)
{
	char rel[96], text[512];

	snprintf(rel, sizeof(rel), "policies/%s.json", component);
	snprintf(text, sizeof(text),
		"{ \"component\": \"%s\", \"allocation\": \"10MB\", "
		"\"mode\": \"enforce\", "
		"\"retention\": { \"logs\": \"1d\" }%s }\n",
		component, more);
	puppet_write(rel, text, 0644);
}

static int listen_at(const char *rel, int type)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", puppet_path(rel));
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(chmod(puppet_path(rel), 0777), 0);
	if (type == SOCK_SEQPACKET)
		assert_int_equal(listen(fd, 8), 0);
	return fd;
}

int puppet_setup(void **state)
{
	(void)state;
	strcpy(puppet.place, "/tmp/test_warden.XXXXXX");
	assert_non_null(mkdtemp(puppet.place));
	assert_int_equal(chmod(puppet.place, 0755), 0);
	puppet_mkdir("policies", 0755);
	puppet_mkdir("hooks", 0755);
	puppet_mkdir("out", 0777);
	puppet_policy("alpha", "");
	puppet_policy("beta", "");
	{
		char text[512];

		snprintf(text, sizeof(text),
			"{ \"user\": \"nobody\", \"alerts\": "
			"{ \"hooks\": \"%s/hooks\" } }\n",
			puppet.place);
		puppet_write("ullage.json", text, 0644);
	}
	hello_fd = listen_at("puppets", SOCK_SEQPACKET);
	puppet.notified = listen_at("notify", SOCK_DGRAM);
	puppet.is_failing = false;
	puppet.warden = 0;
	return 0;
}

static int remove_one(
	const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(name);
}

/* What the warden said, so that a failure tells why. */
static void show_stderr(void)
{
	char text[2048];
	int fd = open(puppet_path("stderr"), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	fd_close(fd);
	if (n > 0)
		print_message("%.*s", (int)n, text);
}

int puppet_teardown(void **state)
{
	(void)state;
	show_stderr();
	if (puppet.warden > 0) {
		kill(puppet.warden, SIGKILL);
		waitpid(puppet.warden, NULL, 0);
	}
	fd_closep(&puppet.channel);
	fd_closep(&hello_fd);
	fd_closep(&puppet.notified);
	return nftw(puppet.place, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool puppet_is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, PUPPET_WAIT_MS) == 1;
}

pid_t puppet_start_at(const char *socket_path)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const char *dirs[] = {strdup(puppet_path("policies")), NULL};
		const struct warden_options options = {
			.config_file = strdup(puppet_path("ullage.json")),
			.policy_dirs = dirs,
			.root = strdup(puppet_path("srv")),
			.state_file = strdup(puppet_path("lib/state.json")),
			.socket_path = strdup(socket_path),
			.version = "1",
		};

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("NOTIFY_SOCKET", puppet_path("notify"), 1);
		dup2(open(puppet_path("stderr"),
			     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
			STDERR_FILENO);
		_exit(warden_run(&options));
	}
	return pid;
}

void puppet_meet(void)
{
	int fds[FD_MAX_PASSED];
	int fd;

	fd_closep(&puppet.channel);
	assert_true(puppet_is_readable(hello_fd));
	fd = accept4(hello_fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_recv(fd, &puppet.agent, sizeof(puppet.agent), fds),
		sizeof(puppet.agent));
	close(fd);
	puppet.channel = fds[0];
	assert_true(puppet.channel >= 0);
}

void puppet_start(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s", puppet_path("run/socket"));
	puppet.warden = puppet_start_at(path);
	puppet_meet();
}

int puppet_wait(pid_t pid)
{
	int status = 0;

	for (int ms = 0; ms < PUPPET_WAIT_MS; ms += 10) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		poll(NULL, 0, 10);
	}
	fail_msg("process %d does not end", (int)pid);
	return -1;
}

bool puppet_is_alive(pid_t pid)
{
	char path[64], text[512] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return text[0] && !strstr(text, ") Z ");
}

void puppet_assert_ends(pid_t pid)
{
	for (int ms = 0; ms < 1500; ms += 10) {
		if (!puppet_is_alive(pid))
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("process %d is still alive", (int)pid);
}

void puppet_ask(struct channel_message m, const int *fds, size_t n_fds)
{
	assert_int_equal(fd_send(puppet.channel, &m, sizeof(m), fds, n_fds), 0);
}

/* The answer to this serial; its descriptors go to ret_fds. */
int puppet_answer(uint32_t serial, int ret_fds[FD_MAX_PASSED])
{
	int fds[FD_MAX_PASSED];
	struct channel_message m;

	assert_true(puppet_is_readable(puppet.channel));
	assert_int_equal(
		fd_recv(puppet.channel, &m, sizeof(m), fds), sizeof(m));
	assert_int_equal(m.kind, CHANNEL_DONE);
	assert_int_equal(m.serial, serial);
	for (int i = 0; i < FD_MAX_PASSED; i++) {
		if (ret_fds)
			ret_fds[i] = fds[i];
		else
			fd_close(fds[i]);
	}
	return m.status;
}

void puppet_read(int fd, struct buf *ret)
{
	assert_true(fd >= 0);
	assert_int_equal(buf_read_fd(ret, fd, 1 << 20), 0);
	assert_int_equal(buf_puts(ret, ""), 0);
	close(fd);
}

int puppet_memfile(const char *text)
{
	int fd = -1;

	assert_int_equal(fd_memfile("test", text, strlen(text), &fd), 0);
	return fd;
}

/* Asks for a reaper; ret_outcome: our end. */
void puppet_ask_reaper(
	uint32_t serial, uint32_t number, const char *plan, int *ret_outcome)
{
	const struct channel_message m = {.kind = CHANNEL_REAP,
		.serial = serial,
		.number = number,
		.digest = puppet.agent.digest,
		.free_bytes = 4711};
	int ends[2], fds[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fds[0] = puppet_memfile(plan);
	fds[1] = ends[1];
	puppet_ask(m, fds, 2);
	close(fds[0]);
	close(ends[1]);
	*ret_outcome = ends[0];
}

struct told puppet_hear(int outcome)
{
	struct told t;

	assert_int_equal(fd_read_full(outcome, &t, sizeof(t)), 0);
	return t;
}

int puppet_reap(uint32_t number, const char *plan, struct told *ret)
{
	int outcome;

	puppet_ask_reaper(77, number, plan, &outcome);
	*ret = (struct told){0};
	(void)fd_read_full(outcome, ret, sizeof(*ret));
	close(outcome);
	return puppet_answer(77, NULL);
}

void puppet_stop(void)
{
	kill(puppet.warden, SIGTERM);
	assert_int_equal(puppet_wait(puppet.warden), 0);
	puppet.warden = 0;
}

void puppet_ask_hooks(uint32_t serial, const char *more)
{
	char env[512];
	int fds[2] = {puppet_memfile("{}\n"), -1};

	snprintf(env, sizeof(env), "ULLAGE_OUT=%s/out\n%s", puppet.place, more);
	fds[1] = puppet_memfile(env);
	puppet_ask((struct channel_message){.kind = CHANNEL_HOOKS,
			   .serial = serial},
		fds, 2);
	close(fds[0]);
	close(fds[1]);
}
