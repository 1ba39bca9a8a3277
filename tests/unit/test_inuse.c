// SPDX-License-Identifier: GPL-2.0-or-later
/* The lease itself: what it sees, what it does to others, how it ends. What a
 * whole reaper makes of it is in test_reap.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/inuse.h"
#include "base/beneath.h"
#include "base/clock.h"
#include "base/fd.h"
#include "hostile/world.h"

static struct world w;
static int own_fd = -1;

static int set_up(void **state)
{
	(void)state;
	signal(SIGIO, SIG_IGN);
	return world_init(&w, "dir", 0) && inuse_open_own(&own_fd) == 0 ? 0
									: -1;
}

static int tear_down(void **state)
{
	(void)state;
	own_fd = fd_close(own_fd);
	world_fini(&w);
	return 0;
}

static int open_path(const char *name)
{
	int fd;

	must(beneath_open_path(w.fd, name, 0, &fd) == 0);
	return fd;
}

static void test_lease(void **state)
{
	int path_fd, other, lease_fd = -1;

	(void)state;
	world_write(&w, "file", 1);
	path_fd = open_path("file");
	other = openat(w.fd, "file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(
		inuse_lease(own_fd, path_fd, &lease_fd), X_E_INUSE_BUSY);
	assert_int_equal(lease_fd, -1);
	close(other);
	/* an O_PATH descriptor is no use of a file, nor is our own */
	other = open_path("file");
	assert_int_equal(inuse_lease(own_fd, path_fd, &lease_fd), 0);
	assert_int_equal(inuse_check(lease_fd), 0);
	close(other);
	/* two leases: the first is an open file */
	assert_int_equal(inuse_lease(own_fd, path_fd, &other), X_E_INUSE_BUSY);
	assert_int_equal(inuse_check(lease_fd), X_E_INUSE_BUSY);
	close(lease_fd);
	/* without /proc nothing is leased */
	assert_int_equal(inuse_lease(-1, path_fd, &other), -EOPNOTSUPP);
	/* and nothing of it is left */
	other = openat(w.fd, "file", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(other >= 0);
	close(other);
	close(path_fd);
}

/* Whatever the name means by now, it is the inode that is leased. */
static void test_inode(void **state)
{
	struct beneath_stat before, leased;
	int path_fd, lease_fd;

	(void)state;
	world_write(&w, "file", 1);
	path_fd = open_path("file");
	assert_int_equal(beneath_stat(path_fd, "", &before), 0);
	assert_int_equal(renameat(w.fd, "file", w.fd, "moved"), 0);
	world_write(&w, "file", 1);
	assert_int_equal(inuse_lease(own_fd, path_fd, &lease_fd), 0);
	assert_int_equal(beneath_stat(lease_fd, "", &leased), 0);
	assert_true(identity_equal(&before.id, &leased.id));
	/* looking is no use */
	assert_int_equal(before.atime_s, leased.atime_s);
	close(lease_fd);
	close(path_fd);
}

/* An opener waits no longer than the lease lasts, and is seen. */
static void test_opener(void **state)
{
	int path_fd, lease_fd, status;
	pid_t pid;

	(void)state;
	world_write(&w, "file", 1);
	path_fd = open_path("file");
	assert_int_equal(inuse_lease(own_fd, path_fd, &lease_fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* the child would keep the lease */
		close(lease_fd);
		_exit(openat(w.fd, "file", O_RDONLY) < 0);
	}
	for (int i = 0; i < 1000 && inuse_check(lease_fd) == 0; i++)
		usleep(1000);
	assert_int_equal(inuse_check(lease_fd), X_E_INUSE_BUSY);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	close(lease_fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(path_fd);
}

static void test_directory(void **state)
{
	int mine, other;

	(void)state;
	mine = openat(w.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	other = openat(w.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(inuse_dir_locked(mine, false), 0);
	/* a look leaves no lock behind */
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(inuse_dir_locked(mine, false), X_E_INUSE_BUSY);
	assert_int_equal(inuse_dir_lock(mine, false), X_E_INUSE_BUSY);
	/* urgently: only where not everybody could have done it */
	must(fchmod(mine, 0750) == 0);
	assert_int_equal(inuse_dir_lock(mine, true), X_E_INUSE_BUSY);
	must(fchmod(mine, 0755) == 0);
	assert_int_equal(inuse_dir_lock(mine, true), 0);
	assert_int_equal(inuse_dir_locked(mine, false), X_E_INUSE_BUSY);
	assert_int_equal(flock(other, LOCK_UN), 0);
	assert_int_equal(inuse_dir_lock(mine, false), 0);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), -1);
	close(mine);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), 0);
	close(other);
}

static void test_supported(void **state)
{
	int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(inuse_is_supported(w.fd), 0);
	assert_int_equal(inuse_is_supported(fd), -EOPNOTSUPP);
	assert_int_equal(inuse_is_supported(-1), -EBADF);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lease, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_opener, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_supported, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
