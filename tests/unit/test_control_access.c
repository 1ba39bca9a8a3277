// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may do what at the control socket, and whose its name is. */
#include "control_world.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define GOES_ON 0
#define HUNG_UP 9

/* One answer; empty if there is none. */
static size_t take_answer(int fd, char *ret, size_t size)
{
	size_t len = 0;

	while (len < size && recv(fd, ret + len, 1, 0) == 1)
		if (ret[len++] == '\0')
			return len;
	return 0;
}

/* As another user: a call, its answer into a pipe; and does the server go
 * on with the next? */
static _Noreturn void other_user(
	const char *path, uid_t uid, gid_t group, const char *frame, int out)
{
	char answer[4096];
	size_t len;
	int fd;

	if (setgroups(1, &group) < 0 || setgid(60000) < 0 || setuid(uid) < 0)
		_exit(1);
	fd = world_dial(path);
	if (fd < 0 || send(fd, frame, strlen(frame) + 1, 0) < 0)
		_exit(2);
	len = take_answer(fd, answer, sizeof(answer));
	if (write(out, answer, len) != (ssize_t)len)
		_exit(3);
	send(fd, ECHO(1), sizeof(ECHO(1)), MSG_NOSIGNAL);
	_exit(take_answer(fd, answer, sizeof(answer)) ? GOES_ON : HUNG_UP);
}

static int ask_as(struct world *w, uid_t uid, gid_t group, const char *frame,
	char ret[4096])
{
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		other_user(w->path, uid, group, frame, pipes[1]);
	while (waitpid(pid, &status, WNOHANG) == 0)
		world_run(w, 5);
	close(pipes[1]);
	assert_true(WIFEXITED(status));
	n = read(pipes[0], ret, 4095);
	assert_true(n > 0);
	ret[n] = '\0';
	close(pipes[0]);
	return WEXITSTATUS(status);
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("SKIP: changing the user id needs root\n");
		skip();
	}
}

static void strangers_are_refused(void **state)
{
	struct world *w = *state;
	char answer[4096];

	need_root();
	assert_int_equal(
		ask_as(w, NOBODY_UID, 60001, ECHO(1), answer), HUNG_UP);
	assert_non_null(strstr(answer, "io.ullage.Agent.PermissionDenied"));
	assert_int_equal(ask_as(w, NOBODY_UID, 60001, METHOD("Change"), answer),
		HUNG_UP);
	assert_non_null(strstr(answer, "io.ullage.Agent.PermissionDenied"));
	assert_int_equal(
		ask_as(w, NOBODY_UID, 60001,
			"{\"method\":\"org.varlink.service.GetInfo\"}", answer),
		HUNG_UP);
	assert_non_null(strstr(answer, "org.varlink.service.PermissionDenied"));
	assert_int_equal(w->n_changes, 0);
	world_run(w, 20);
	assert_int_equal(control_count_clients(w->control), 0);
}

static void readers_only_read(void **state)
{
	struct world *w = *state;
	char answer[4096];

	need_root();
	assert_int_equal(
		ask_as(w, READER_UID, READERS_GID, ECHO(1), answer), GOES_ON);
	assert_string_equal(answer, ANSWER(1));
	assert_int_equal(
		ask_as(w, READER_UID, READERS_GID, METHOD("Change"), answer),
		GOES_ON);
	assert_non_null(strstr(answer, "io.ullage.Agent.PermissionDenied"));
	assert_int_equal(w->n_changes, 0);
}

static void admins_may_change(void **state)
{
	struct world *w = *state;
	struct control_access access = world_access();
	char answer[4096];

	need_root();
	assert_int_equal(
		ask_as(w, ADMIN_UID, 60001, METHOD("Change"), answer), GOES_ON);
	assert_string_equal(answer, "{\"parameters\":{}}");
	assert_int_equal(w->n_changes, 1);
	/* Until the configuration says otherwise. */
	access.n_admins = 0;
	assert_int_equal(control_set_access(w->control, &access), 0);
	assert_int_equal(
		ask_as(w, ADMIN_UID, 60001, METHOD("Change"), answer), HUNG_UP);
	assert_non_null(strstr(answer, "PermissionDenied"));
	assert_int_equal(w->n_changes, 1);
}

/* Places are left for those who can mend something. */
static void strangers_do_not_fill_the_places(void **state)
{
	struct world *w = *state;
	pid_t pids[4];

	need_root();
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			if (setuid((uid_t)(50000 + i)) < 0)
				_exit(1);
			for (int n = 0; n < 100; n++)
				world_dial(w->path);
			pause();
			_exit(0);
		}
	}
	world_run(w, 300);
	assert_true(control_count_clients(w->control) <= 8);
	fd_auto int fd = world_join(w);
	world_say(fd, ECHO(1));
	assert_heard(w, fd, ANSWER(1));
	for (int i = 0; i < 4; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

/* ---- the name ---- */

static void a_live_socket_is_left_alone(void **state)
{
	struct world *w = *state;
	struct control *second = NULL;
	fd_auto int fd = -1;

	assert_int_equal(world_serve(w, w->path, -1, &second), -EADDRINUSE);
	assert_null(second);
	fd = world_join(w);
	world_say(fd, ECHO(1));
	assert_heard(w, fd, ANSWER(1));
}

static void a_stale_socket_is_replaced(void **state)
{
	struct world *w = *state;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct control *second;
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/stale", w->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	assert_int_equal(world_serve(w, a.sun_path, -1, &second), 0);
	assert_int_equal(stat(a.sun_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	fd = world_dial(a.sun_path);
	world_say(fd, ECHO(1));
	assert_heard(w, fd, ANSWER(1));
	close(fd);
	control_free(second);
	assert_int_equal(access(a.sun_path, F_OK), -1);
}

static void other_files_are_left_alone(void **state)
{
	struct world *w = *state;
	struct control *second;
	char path[200];

	snprintf(path, sizeof(path), "%s/file", w->dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(world_serve(w, path, -1, &second), -EEXIST);
	assert_int_equal(unlink(path), 0);
	/* Nor does a link lead anywhere. */
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(world_serve(w, path, -1, &second), -EEXIST);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/none/socket", w->dir);
	assert_int_equal(world_serve(w, path, -1, &second), -ENOENT);
}

/* Another agent's name is not ours to remove. */
static void a_name_taken_over_stays(void **state)
{
	struct world *w = *state;
	struct control *first, *second;
	char path[200];

	snprintf(path, sizeof(path), "%s/taken", w->dir);
	assert_int_equal(world_serve(w, path, -1, &first), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(world_serve(w, path, -1, &second), 0);
	control_free(first);
	assert_int_equal(access(path, F_OK), 0);
	control_free(second);
	assert_int_equal(access(path, F_OK), -1);
}

static void long_paths_work(void **state)
{
	struct world *w = *state;
	struct control *c;
	char dir[200], path[500], name[200];
	int n, dir_fd, fd;

	n = snprintf(dir, sizeof(dir), "%s/", w->dir);
	memset(dir + n, 'd', 120);
	dir[n + 120] = '\0';
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/socket", dir);
	assert_int_equal(world_serve(w, path, -1, &c), 0);
	dir_fd = open(dir, O_PATH);
	snprintf(name, sizeof(name), "/proc/self/fd/%d/socket", dir_fd);
	fd = world_dial(name);
	assert_true(fd >= 0);
	world_say(fd, ECHO(1));
	assert_heard(w, fd, ANSWER(1));
	close(fd);
	control_free(c);
	memset(name, 'n', 120);
	name[120] = '\0';
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(world_serve(w, path, -1, &c), -ENAMETOOLONG);
	close(dir_fd);
	assert_int_equal(rmdir(dir), 0);
}

static void a_socket_can_be_inherited(void **state)
{
	struct world *w = *state;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct control *c;
	int pair[2];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(world_serve(w, NULL, pair[0], &c), -ENOTSOCK);
	close(pair[0]);
	close(pair[1]);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/inherited", w->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(world_serve(w, NULL, fd, &c), 0);
	fd = world_dial(a.sun_path);
	world_say(fd, ECHO(1));
	assert_heard(w, fd, ANSWER(1));
	close(fd);
	control_free(c);
	/* Its name is the supervisor's. */
	assert_int_equal(unlink(a.sun_path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(strangers_are_refused),
		WORLD_TEST(readers_only_read),
		WORLD_TEST(admins_may_change),
		WORLD_TEST(strangers_do_not_fill_the_places),
		WORLD_TEST(a_live_socket_is_left_alone),
		WORLD_TEST(a_stale_socket_is_replaced),
		WORLD_TEST(other_files_are_left_alone),
		WORLD_TEST(a_name_taken_over_stays),
		WORLD_TEST(long_paths_work),
		WORLD_TEST(a_socket_can_be_inherited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
