// SPDX-License-Identifier: GPL-2.0-or-later
/* What a confined process can still do, and what it cannot: each attempt in a
 * process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fiemap.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/confine.h"
#include "base/fd.h"
#include "hostile/world.h"

static struct world w;
static int top_fd; /* above the root */

static int set_up(void **state)
{
	(void)state;
	if (!world_init(&w, "dir", 0))
		return -1;
	top_fd = open(w.top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(mkdirat(top_fd, "outside", 0755) == 0);
	fd_close(openat(top_fd, "outside/file", O_CREAT | O_WRONLY, 0644));
	world_write(&w, "file", 10);
	world_mkdir(&w, "dir");
	return top_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(top_fd);
	world_fini(&w);
	return 0;
}

/* The errno of what it tries (0: it could), or -signal that ended it. */
static int try_confined(int (*what)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		const char *why = "";

		if (confine_reaper(&w.fd, 1, &why) < 0) {
			fprintf(stderr, "confine: %s: %m\n", why);
			_exit(250);
		}
		errno = 0;
		_exit(what() < 0 ? errno : 0);
	}
	must(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- the protocol ---- */

static int can_list(void)
{
	return openat(w.fd, "dir", O_RDONLY | O_DIRECTORY);
}
static int can_move(void)
{
	return renameat2(w.fd, "file", w.fd, "dir/file", RENAME_NOREPLACE);
}
static int can_unlink(void)
{
	return unlinkat(w.fd, "dir/file", 0);
}
static int can_mkdir(void)
{
	return mkdirat(w.fd, "made", 0700);
}
static int can_symlink(void)
{
	return symlinkat("nowhere", w.fd, "link");
}

static void test_can(void **state)
{
	(void)state;
	assert_int_equal(try_confined(can_list), 0);
	assert_int_equal(try_confined(can_move), 0);
	assert_int_equal(try_confined(can_unlink), 0);
	assert_int_equal(try_confined(can_mkdir), 0);
	assert_int_equal(try_confined(can_symlink), 0);
	assert_false(world_has(&w, "file"));
	assert_false(world_has(&w, "dir/file"));
}

/* ---- outside, and contents ---- */

static int unlink_outside(void)
{
	return unlinkat(top_fd, "outside/file", 0);
}
static int unlink_by_path(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/outside/file", w.top);
	return unlinkat(AT_FDCWD, path, 0);
}
static int move_out(void)
{
	return renameat2(w.fd, "file", top_fd, "outside/new", RENAME_NOREPLACE);
}
static int move_in(void)
{
	return renameat2(top_fd, "outside/file", w.fd, "new", RENAME_NOREPLACE);
}
static int read_outside(void)
{
	return openat(AT_FDCWD, "/etc/passwd", O_RDONLY);
}
static int write_inside(void)
{
	return openat(w.fd, "file", O_WRONLY);
}
static int create_inside(void)
{
	return openat(w.fd, "new", O_WRONLY | O_CREAT, 0600);
}
static int truncate_inside(void)
{
	return openat(w.fd, "file", O_RDONLY | O_TRUNC);
}
static int move_directory(void)
{
	return renameat2(w.fd, "dir", w.fd, "moved", RENAME_NOREPLACE);
}
static int remove_directory(void)
{
	return unlinkat(w.fd, "dir", AT_REMOVEDIR);
}
static int change_mode(void)
{
	return fchmodat(w.fd, "file", 0777, 0);
}
static int change_owner(void)
{
	return fchownat(w.fd, "file", 1234, 1234, 0);
}
static int make_link(void)
{
	return linkat(w.fd, "file", w.fd, "hard", 0);
}

static void test_cannot_reach(void **state)
{
	(void)state;
	assert_int_equal(try_confined(unlink_outside), EACCES);
	assert_int_equal(try_confined(unlink_by_path), EACCES);
	assert_int_not_equal(try_confined(move_out), 0);
	assert_int_not_equal(try_confined(move_in), 0);
	assert_int_equal(try_confined(read_outside), EACCES);
	assert_true(world_has(&w, "file"));
	assert_int_equal(faccessat(top_fd, "outside/file", F_OK, 0), 0);
}

static void test_cannot_change(void **state)
{
	(void)state;
	assert_int_equal(try_confined(write_inside), EACCES);
	assert_int_equal(try_confined(create_inside), EACCES);
	assert_int_equal(try_confined(truncate_inside), EACCES);
	assert_int_equal(try_confined(move_directory), EACCES);
	assert_int_equal(try_confined(remove_directory), EACCES);
	assert_int_equal(try_confined(change_mode), EPERM);
	assert_int_equal(try_confined(change_owner), EPERM);
	assert_int_equal(try_confined(make_link), EPERM);
}

/* ---- other programs and processes ---- */

static int execute(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}
static int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}
static int mount_something(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}
static int trace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}
static int leave(void)
{
	return unshare(CLONE_NEWUSER);
}
static int make_ring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}
static int split(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0UL);
}
static int kill_parent(void)
{
	return kill(getppid(), 0);
}
static int kill_parent_thread(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}
static int signal_self(void)
{
	return (int)syscall(SYS_tgkill, getpid(), getpid(), 0);
}
/* The other table of system calls of the same machine. */
static int use_x32(void)
{
	return (int)syscall(0x40000000 | SYS_getpid);
}

/* One question is allowed, and no other. */
static int ask_extents(void)
{
	struct fiemap map = {.fm_length = 1};

	/* its name is in a header that sys/mount.h does not bear */
	return ioctl(STDIN_FILENO, _IOWR('f', 11, struct fiemap), &map);
}

static int ask_else(void)
{
	int n;

	return ioctl(STDIN_FILENO, FIONREAD, &n);
}

static void test_cannot_become(void **state)
{
	(void)state;
	assert_int_equal(try_confined(execute), -SIGSYS);
	assert_int_equal(try_confined(make_socket), -SIGSYS);
	assert_int_equal(try_confined(mount_something), -SIGSYS);
	assert_int_equal(try_confined(trace), -SIGSYS);
	assert_int_equal(try_confined(leave), -SIGSYS);
	assert_int_equal(try_confined(make_ring), -SIGSYS);
#ifdef __x86_64__
	assert_int_equal(try_confined(use_x32), -SIGSYS);
#endif
	assert_int_not_equal(try_confined(ask_extents), EPERM);
	assert_int_equal(try_confined(ask_else), EPERM);
	assert_int_equal(try_confined(split), EPERM);
	assert_int_equal(try_confined(kill_parent), EPERM);
	assert_int_equal(try_confined(kill_parent_thread), EPERM);
	assert_int_equal(try_confined(signal_self), 0);
}

/* ---- what it gave up ---- */

static int status_fd;

static unsigned long long read_status(const char *key)
{
	/* opened before, read after */
	static char text[8192];
	const char *at;

	must(lseek(status_fd, 0, SEEK_SET) == 0);
	must(read(status_fd, text, sizeof(text) - 1) > 0);
	at = strstr(text, key);
	must(at);
	return strtoull(at + strlen(key), NULL, 16);
}

static int check_status(void)
{
	const unsigned long long kept = 1ull << CAP_DAC_OVERRIDE |
					1ull << CAP_FOWNER | 1ull << CAP_LEASE;

	must(!(read_status("CapEff:\t") & ~kept));
	must(!(read_status("CapPrm:\t") & ~kept));
	must(!read_status("CapInh:\t"));
	must(!read_status("CapAmb:\t"));
	if (geteuid() == 0)
		must(!(read_status("CapBnd:\t") & ~kept));
	must(read_status("NoNewPrivs:\t") == 1);
	must(read_status("Seccomp:\t") == 2);
	return 0;
}

static int check_in_child(void)
{
	int status;
	pid_t pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		const char *why;

		status_fd = open("/proc/self/status", O_RDONLY);
		must(status_fd >= 0);
		must(confine_reaper(&w.fd, 1, &why) == 0);
		_exit(check_status());
	}
	must(waitpid(pid, &status, 0) == pid);
	return status;
}

static void test_gives_up(void **state)
{
	(void)state;
	assert_int_equal(check_in_child(), 0);
}

/* ---- and without anything to give up ---- */

static void test_as_a_user(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	must(fchownat(top_fd, "root", 1234, 1234, 0) == 0);
	must(fchownat(w.fd, "file", 1234, 1234, 0) == 0);
	must(fchownat(w.fd, "dir", 1234, 1234, 0) == 0);
	must(chmod(w.base, 0755) == 0);
	w.known.uid = 1234;
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		must(setgid(1234) == 0 && setuid(1234) == 0);
		must(world_reap(&w, "file") == REASON_DELETED);
		must(!world_has(&w, "file"));
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_can, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_cannot_reach, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_cannot_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_cannot_become, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_gives_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_as_a_user, set_up, tear_down),
	};

	if (confine_landlock_abi() < 2) {
		printf("SKIPPED: no Landlock ABI 2 in this kernel\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
