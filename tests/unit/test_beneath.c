// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <cmocka.h>

#include "base/beneath.h"
#include "base/fd.h"
#include "unit/scratch.h"

static int set_up(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	scratch_init(s);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	scratch_fini(*state);
	free(*state);
	return 0;
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void assert_opens_dir(int root_fd, const char *rel, uint64_t ino)
{
	int fd = -1;

	assert_int_equal(beneath_open_dir(root_fd, rel, &fd), 0);
	assert_int_equal(inode_of(fd), ino);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	/* For listing: O_PATH would not do. */
	assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, 0);
	close(fd);
}

static void assert_refuses_dir(int root_fd, const char *rel, int error)
{
	int fd = -77;

	assert_int_equal(beneath_open_dir(root_fd, rel, &fd), -error);
	assert_int_equal(fd, -77);
}

static void assert_refuses_root(const char *path, int error)
{
	int fd = -77;

	assert_int_equal(beneath_open_root(path, false, &fd), -error);
	assert_int_equal(beneath_open_root(path, true, &fd), -error);
	assert_int_equal(fd, -77);
}

static void assert_refuses_path(int dir_fd, const char *name, int error)
{
	int fd = -77;

	assert_int_equal(beneath_open_path(dir_fd, name, 0, &fd), -error);
	assert_int_equal(fd, -77);
}

static void roots_open_without_links(void **state)
{
	struct scratch *s = *state;
	int fd;

	scratch_mkdir(s, "real");
	scratch_mkdir(s, "real/root");
	scratch_write(s, "file", "x");
	assert_int_equal(symlinkat("real", s->fd, "link"), 0);
	assert_int_equal(symlinkat("root", s->fd, "real/leaf"), 0);

	assert_int_equal(
		beneath_open_root(scratch_path(s, "real/root"), false, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, 0);
	close(fd);
	assert_int_equal(
		beneath_open_root(scratch_path(s, "real/root"), true, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	close(fd);

	assert_refuses_root(scratch_path(s, "link/root"), ELOOP);
	assert_refuses_root(scratch_path(s, "real/leaf"), ELOOP);
	assert_refuses_root(scratch_path(s, "real/leaf/"), ELOOP);
	assert_refuses_root(scratch_path(s, "real/../real/root"), EINVAL);
	assert_refuses_root(scratch_path(s, "file"), ENOTDIR);
	assert_refuses_root(scratch_path(s, "none"), ENOENT);
	assert_refuses_root("tmp", EINVAL);
	assert_refuses_root("", EINVAL);
	assert_refuses_root("/proc/self/fd/0/", ELOOP);
	assert_refuses_root("/proc/self/cwd", ELOOP);
}

static void directories_open_beneath_the_root(void **state)
{
	struct scratch *s = *state;
	uint64_t root = inode_of(s->fd), deep;
	struct stat st;

	scratch_mkdir(s, "a");
	scratch_mkdir(s, "a/..b");
	scratch_mkdir(s, "a/..b/...");
	assert_int_equal(fstatat(s->fd, "a/..b/...", &st, 0), 0);
	deep = st.st_ino;
	assert_opens_dir(s->fd, "", root);
	assert_opens_dir(s->fd, ".", root);
	assert_opens_dir(s->fd, "a/..b/...", deep);
	assert_opens_dir(s->fd, "a//..b/.../", deep);
}

static void nothing_leads_out_of_the_root(void **state)
{
	struct scratch *s = *state;

	scratch_mkdir(s, "a");
	scratch_mkdir(s, "a/b");
	scratch_write(s, "a/file", "x");
	assert_int_equal(symlinkat("b", s->fd, "a/inside"), 0);
	assert_int_equal(symlinkat("/", s->fd, "a/outside"), 0);
	assert_int_equal(symlinkat("/proc/self/fd", s->fd, "a/magic"), 0);

	assert_refuses_dir(s->fd, "/", EINVAL);
	assert_refuses_dir(s->fd, "/etc", EINVAL);
	assert_refuses_dir(s->fd, s->path, EINVAL);
	assert_refuses_dir(s->fd, "..", EINVAL);
	assert_refuses_dir(s->fd, "a/..", EINVAL);
	assert_refuses_dir(s->fd, "a/../a", EINVAL);
	assert_refuses_dir(s->fd, "a/b/../../..", EINVAL);
	assert_refuses_dir(s->fd, "a/inside", ELOOP);
	assert_refuses_dir(s->fd, "a/inside/", ELOOP);
	assert_refuses_dir(s->fd, "a/outside/etc", ELOOP);
	assert_refuses_dir(s->fd, "a/magic/0", ELOOP);
	assert_refuses_dir(s->fd, "a/file", ENOTDIR);
	assert_refuses_dir(s->fd, "a/file/b", ENOTDIR);
	assert_refuses_dir(s->fd, "a/none", ENOENT);
}

static void single_names_open_whatever_they_are(void **state)
{
	struct scratch *s = *state;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static const char *const names[] = {
		"file", "fifo", "link", "sock", "-rf", "...", " "};

	scratch_write(s, "file", "x");
	scratch_write(s, "-rf", "x");
	scratch_write(s, "...", "x");
	scratch_write(s, " ", "x");
	assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("/etc/passwd", s->fd, "link"), 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.90s/sock", s->path);
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct stat st;
		int fd = -1;

		assert_int_equal(
			fstatat(s->fd, names[i], &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(beneath_open_path(s->fd, names[i], 0, &fd), 0);
		assert_int_equal(inode_of(fd), st.st_ino);
		assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		close(fd);
		assert_int_equal(
			beneath_open_path(s->fd, names[i], O_DIRECTORY, &fd),
			-ENOTDIR);
	}
	close(sock);
}

static void names_are_single(void **state)
{
	static const char *const names[] = {
		"", ".", "..", "a/b", "/", "a/", "/etc", "../a"};
	struct scratch *s = *state;
	struct beneath_stat st;
	int fd;

	scratch_mkdir(s, "a");
	scratch_mkdir(s, "a/b");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_refuses_path(s->fd, names[i], EINVAL);
		if (*names[i])
			assert_int_equal(
				beneath_stat(s->fd, names[i], &st), -EINVAL);
	}
	/* No flag may turn the look into an opening. */
	assert_int_equal(beneath_open_path(s->fd, "a", O_CREAT, &fd), -EINVAL);
	assert_int_equal(beneath_open_path(s->fd, "a", O_RDWR, &fd), -EINVAL);
}

static void names_may_have_every_byte(void **state)
{
	struct scratch *s = *state;

	for (int c = 1; c < 256; c++) {
		char name[] = {'n', (char)c, '\0'};
		struct beneath_stat st;
		int fd = -1;

		if (c == '/')
			continue;
		scratch_write(s, name, "x");
		assert_int_equal(beneath_stat(s->fd, name, &st), 0);
		assert_int_equal(beneath_open_path(s->fd, name, 0, &fd), 0);
		assert_int_equal(inode_of(fd), st.id.ino);
		close(fd);
	}
}

static void long_names_open(void **state)
{
	struct scratch *s = *state;
	char name[NAME_MAX + 2];
	struct beneath_stat st;

	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	scratch_mkdir(s, name);
	assert_int_equal(beneath_stat(s->fd, name, &st), 0);
	assert_opens_dir(s->fd, name, st.id.ino);
	name[NAME_MAX] = 'n';
	name[NAME_MAX + 1] = '\0';
	assert_int_equal(beneath_stat(s->fd, name, &st), -ENAMETOOLONG);
	assert_refuses_path(s->fd, name, ENAMETOOLONG);
	assert_refuses_dir(s->fd, name, ENAMETOOLONG);
}

/* Makes a chain of n directories. Returns the inode of the last. */
static uint64_t make_chain(int root_fd, const char *name, int n, char *ret_rel)
{
	int at = dup(root_fd);
	uint64_t ino;

	for (int i = 0; i < n; i++) {
		int next;

		assert_int_equal(mkdirat(at, name, 0700), 0);
		next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
		ret_rel = stpcpy(ret_rel, i ? "/" : "");
		ret_rel = stpcpy(ret_rel, name);
	}
	ino = inode_of(at);
	close(at);
	return ino;
}

static void paths_may_be_longer_than_the_kernel_takes(void **state)
{
	/* Lengths that put the cut at every place of a component. */
	static const char *const names[] = {"d", "dd", "ddd", "dddddddd",
		"0123456789012345678901234567890123456789"};
	struct scratch *s = *state;
	char *rel = malloc(100000);
	int n_fds = scratch_count_fds();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int n = 3 * PATH_MAX / ((int)strlen(names[i]) + 1);
		uint64_t ino = make_chain(s->fd, names[i], n, rel);

		assert_true(strlen(rel) > 2 * PATH_MAX);
		assert_opens_dir(s->fd, rel, ino);
		strcat(rel, "/none");
		assert_refuses_dir(s->fd, rel, ENOENT);
		strcpy(strrchr(rel, '/'), "/..");
		assert_refuses_dir(s->fd, rel, EINVAL);
	}
	memset(rel, 'x', 2 * PATH_MAX);
	rel[2 * PATH_MAX] = '\0';
	assert_refuses_dir(s->fd, rel, ENAMETOOLONG);
	assert_int_equal(scratch_count_fds(), n_fds);
	free(rel);
}

static void deep_trees_open(void **state)
{
	struct scratch *s = *state;
	char *rel = malloc(100000);
	uint64_t ino = make_chain(s->fd, "d", 20000, rel);

	assert_opens_dir(s->fd, rel, ino);
	free(rel);
}

/* A link behind the place where a long path is cut. */
static void long_paths_have_no_links_either(void **state)
{
	struct scratch *s = *state;
	char *rel = malloc(100000);
	int fd;

	make_chain(s->fd, "d", 3000, rel);
	assert_int_equal(beneath_open_dir(s->fd, rel, &fd), 0);
	assert_int_equal(symlinkat("/", fd, "link"), 0);
	close(fd);
	strcat(rel, "/link/etc");
	assert_refuses_dir(s->fd, rel, ELOOP);
	free(rel);
}

struct exchange {
	int fd;
	atomic_bool is_over;
};

static void *exchange_names(void *arg)
{
	struct exchange *x = arg;

	while (!atomic_load(&x->is_over))
		renameat2(x->fd, "dir", x->fd, "link", RENAME_EXCHANGE);
	return NULL;
}

/* Somebody exchanges a directory for a link to another all the time. */
static void exchanged_directories_do_not_lead_out(void **state)
{
	struct scratch *s = *state;
	struct exchange x = {0};
	struct stat outside;
	int n_inside = 0, n_refused = 0, fd;
	pthread_t thread;

	scratch_mkdir(s, "outside");
	scratch_mkdir(s, "outside/sub");
	scratch_mkdir(s, "root");
	scratch_mkdir(s, "root/dir");
	scratch_mkdir(s, "root/dir/sub");
	assert_int_equal(symlinkat("../outside", s->fd, "root/link"), 0);
	assert_int_equal(fstatat(s->fd, "outside/sub", &outside, 0), 0);
	x.fd = openat(s->fd, "root", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pthread_create(&thread, NULL, exchange_names, &x), 0);
	for (int i = 0; i < 2000000 && (n_inside < 2000 || n_refused < 2000);
		i++) {
		int r = beneath_open_dir(x.fd, "dir/sub", &fd);

		if (r == 0) {
			assert_int_not_equal(inode_of(fd), outside.st_ino);
			close(fd);
			n_inside++;
		} else {
			assert_true(r == -ELOOP || r == -ENOENT);
			n_refused++;
		}
	}
	atomic_store(&x.is_over, true);
	pthread_join(thread, NULL);
	close(x.fd);
	assert_true(n_inside > 0 && n_refused > 0);
}

/* Runs fn in a child with mounts of its own. Returns its exit status. */
static int in_child(int (*fn)(struct scratch *s), struct scratch *s)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(s));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define CANNOT 77

#define EXPECT(condition)                                                  \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			return 1;                                          \
		}                                                          \
	} while (0)

static int cross_mounts(struct scratch *s)
{
	struct beneath_stat st;
	int fd;

	if (unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		chdir(s->path) < 0 ||
		mount("none", "fs", "tmpfs", 0, NULL) < 0 ||
		mount("plain", "bind", NULL, MS_BIND, NULL) < 0)
		return CANNOT;
	/* The descriptor of before belongs to the mounts of before. */
	s->fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	EXPECT(mkdirat(s->fd, "fs/sub", 0700) == 0);
	EXPECT(beneath_open_dir(s->fd, "fs", &fd) == -EXDEV);
	EXPECT(beneath_open_dir(s->fd, "fs/sub", &fd) == -EXDEV);
	EXPECT(beneath_open_path(s->fd, "fs", 0, &fd) == -EXDEV);
	EXPECT(beneath_open_path(s->fd, "fs", O_DIRECTORY, &fd) == -EXDEV);
	/* A bind mount has the same device and yet leads elsewhere. */
	EXPECT(beneath_open_dir(s->fd, "bind", &fd) == -EXDEV);
	EXPECT(beneath_open_path(s->fd, "bind", 0, &fd) == -EXDEV);
	EXPECT(beneath_open_dir(s->fd, "plain", &fd) == 0);
	EXPECT(beneath_stat(s->fd, "fs", &st) == 0 && st.is_mount_root);
	/* tmpfs knows birth times, and tells them when asked. */
	EXPECT(st.id.btime_s > 0 && st.id.btime_s <= time(NULL));
	EXPECT(beneath_stat(s->fd, "bind", &st) == 0 && st.is_mount_root);
	EXPECT(beneath_stat(s->fd, "plain", &st) == 0 && !st.is_mount_root);
	/* The root itself may be a mount point: that is the usual case. */
	EXPECT(beneath_open_root(scratch_path(s, "fs"), false, &fd) == 0);
	EXPECT(beneath_stat(fd, "", &st) == 0 && st.is_mount_root);
	return 0;
}

static void other_mounts_stay_closed(void **state)
{
	struct scratch *s = *state;
	int status;

	scratch_mkdir(s, "fs");
	scratch_mkdir(s, "plain");
	scratch_mkdir(s, "bind");
	status = in_child(cross_mounts, s);
	if (status == CANNOT) {
		print_message("SKIP: mounting needs root\n");
		skip();
	}
	assert_int_equal(status, 0);
}

/* Each call of it says this. */
static bool forbid_openat2(unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(code), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int without_openat2(struct scratch *s)
{
	int fd;

	EXPECT(beneath_is_supported());
	if (!forbid_openat2(ENOSYS))
		return CANNOT;
	EXPECT(!beneath_is_supported());
	EXPECT(beneath_open_root(s->path, false, &fd) == -ENOSYS);
	EXPECT(beneath_open_dir(s->fd, "", &fd) == -ENOSYS);
	EXPECT(beneath_open_path(s->fd, "x", 0, &fd) == -ENOSYS);
	return 0;
}

static void an_old_kernel_is_no_way_around(void **state)
{
	int status = in_child(without_openat2, *state);

	if (status == CANNOT)
		skip();
	assert_int_equal(status, 0);
}

/* The kernel says so while somebody renames: not for ever. */
static int asked_to_try_again(struct scratch *s)
{
	int fd;

	if (!forbid_openat2(EAGAIN))
		return CANNOT;
	EXPECT(beneath_open_dir(s->fd, "", &fd) == -EAGAIN);
	beneath_allow_stepwise(true);
	EXPECT(beneath_open_dir(s->fd, "", &fd) == -EAGAIN);
	return 0;
}

static int interrupted(struct scratch *s)
{
	int fd;

	if (!forbid_openat2(EINTR))
		return CANNOT;
	EXPECT(beneath_open_dir(s->fd, "", &fd) == -EAGAIN);
	return 0;
}

/* A filter that forbids it, as containers have. */
static int refused_openat2(struct scratch *s)
{
	int fd;

	if (geteuid() != 0 || !forbid_openat2(EPERM))
		return CANNOT;
	EXPECT(beneath_open_dir(s->fd, "closed", &fd) == -EPERM);
	beneath_allow_stepwise(true);
	EXPECT(beneath_open_dir(s->fd, "closed", &fd) == 0);
	EXPECT(beneath_open_dir(-1, "closed", &fd) == -EBADF);
	EXPECT(setgid(65534) == 0 && setuid(65534) == 0);
	EXPECT(beneath_open_dir_path(s->fd, "closed", &fd) == 0);
	EXPECT(beneath_open_dir(s->fd, "closed", &fd) == -EACCES);
	return 0;
}

/* Steps are for where it is missing, not for where it fails. */
static int allowed_openat2(struct scratch *s)
{
	int fd;

	beneath_allow_stepwise(true);
	EXPECT(beneath_open_dir(s->fd, "closed", &fd) == 0);
	EXPECT(beneath_open_dir(s->fd, "none", &fd) == -ENOENT);
	return 0;
}

static void what_openat2_says_decides(void **state)
{
	static int (*const cases[])(struct scratch *) = {asked_to_try_again,
		interrupted, refused_openat2, allowed_openat2};
	struct scratch *s = *state;

	assert_int_equal(fchmod(s->fd, 0711), 0);
	scratch_mkdir(s, "closed");
	assert_int_equal(fchmodat(s->fd, "closed", 0311, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = in_child(cases[i], s);

		if (status != CANNOT)
			assert_int_equal(status, 0);
	}
}

static void stat_tells_what_the_kernel_tells(void **state)
{
	struct timespec times[2] = {{1000000000, 5}, {-86400, 0}};
	struct scratch *s = *state;
	struct beneath_stat st;
	struct stat expected;

	scratch_write(s, "file", "12345");
	assert_int_equal(linkat(s->fd, "file", s->fd, "other", 0), 0);
	assert_int_equal(utimensat(s->fd, "file", times, 0), 0);
	assert_int_equal(fchmodat(s->fd, "file", 0641, 0), 0);
	assert_int_equal(fstatat(s->fd, "file", &expected, 0), 0);
	assert_int_equal(beneath_stat(s->fd, "file", &st), 0);
	assert_true(st.id.dev == expected.st_dev);
	assert_int_equal(st.id.ino, expected.st_ino);
	assert_int_equal(st.size_bytes, 5);
	assert_int_equal(st.used_bytes, expected.st_blocks * 512);
	assert_int_equal(st.atime_s, 1000000000);
	assert_true(st.mtime_s == -86400);
	assert_int_equal(st.ctime_s, expected.st_ctim.tv_sec);
	assert_int_equal(st.nlink, 2);
	assert_int_equal(st.uid, getuid());
	assert_int_equal(st.gid, expected.st_gid);
	assert_int_equal(st.mode, S_IFREG | 0641);
	assert_false(st.is_immutable);
	assert_false(st.is_mount_root);
}

static void stat_follows_nothing(void **state)
{
	struct scratch *s = *state;
	struct beneath_stat st, self;
	int fd;

	assert_int_equal(symlinkat("/etc/passwd", s->fd, "link"), 0);
	assert_int_equal(beneath_stat(s->fd, "link", &st), 0);
	assert_true(S_ISLNK(st.mode));
	assert_int_equal(beneath_open_path(s->fd, "link", 0, &fd), 0);
	assert_int_equal(beneath_stat(fd, "", &self), 0);
	assert_true(S_ISLNK(self.mode));
	assert_true(identity_equal(&st.id, &self.id));
	close(fd);
	memset(&st, 0x5a, sizeof(st));
	assert_int_equal(beneath_stat(s->fd, "none", &st), -ENOENT);
	assert_int_equal(st.nlink, 0x5a5a5a5a);
	assert_int_equal(beneath_stat(-1, "", &st), -EBADF);
}

static void sparse_files_use_what_they_use(void **state)
{
	struct scratch *s = *state;
	struct beneath_stat st;
	int fd = openat(s->fd, "sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	/* The largest file that ext4, xfs and tmpfs all take. */
	off_t size = (off_t)1 << 43;

	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	assert_int_equal(beneath_stat(s->fd, "sparse", &st), 0);
	assert_int_equal(st.size_bytes, size);
	assert_true(st.used_bytes < 1 << 20);
}

/* Where the filesystem knows birth times, a new file of the same name and,
 * as on ext4, the same inode number is another one. */
static void identities_tell_files_apart(void **state)
{
	struct scratch *s = *state;
	struct beneath_stat a, b;

	scratch_write(s, "file", "1");
	assert_int_equal(beneath_stat(s->fd, "file", &a), 0);
	assert_int_equal(beneath_stat(s->fd, "file", &b), 0);
	assert_true(identity_equal(&a.id, &b.id));
	assert_int_equal(unlinkat(s->fd, "file", 0), 0);
	usleep(20000);
	scratch_write(s, "file", "2");
	assert_int_equal(beneath_stat(s->fd, "file", &b), 0);
	if (!a.id.btime_s && a.id.ino == b.id.ino) {
		print_message("SKIP: no birth times on this filesystem\n");
		skip();
	}
	assert_false(identity_equal(&a.id, &b.id));
}

static void attributes_are_seen(void **state)
{
	static const int kinds[] = {FS_IMMUTABLE_FL, FS_APPEND_FL};
	struct scratch *s = *state;
	struct beneath_stat st;

	scratch_write(s, "file", "1");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd_auto int fd = openat(s->fd, "file", O_RDONLY | O_CLOEXEC);
		int flags = kinds[i], r;

		if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0) {
			print_message("SKIP: no file attributes here\n");
			skip();
		}
		r = beneath_stat(s->fd, "file", &st);
		flags = 0;
		assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
		assert_int_equal(r, 0);
		assert_true(st.is_immutable);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

/* The same in steps, as the agent walks where openat2 is missing. */
static int run_stepwise(void)
{
	const struct CMUnitTest tests[] = {
		TEST(roots_open_without_links),
		TEST(directories_open_beneath_the_root),
		TEST(nothing_leads_out_of_the_root),
		TEST(single_names_open_whatever_they_are),
		TEST(names_are_single),
		TEST(names_may_have_every_byte),
		TEST(long_names_open),
		TEST(exchanged_directories_do_not_lead_out),
		TEST(other_mounts_stay_closed),
	};

	if (!forbid_openat2(ENOSYS)) {
		print_message("SKIP: no filter can be set\n");
		return 0;
	}
	beneath_allow_stepwise(true);
	assert_false(beneath_is_supported());
	return cmocka_run_group_tests_name("stepwise", tests, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(roots_open_without_links),
		TEST(directories_open_beneath_the_root),
		TEST(nothing_leads_out_of_the_root),
		TEST(single_names_open_whatever_they_are),
		TEST(names_are_single),
		TEST(names_may_have_every_byte),
		TEST(long_names_open),
		TEST(paths_may_be_longer_than_the_kernel_takes),
		TEST(deep_trees_open),
		TEST(long_paths_have_no_links_either),
		TEST(exchanged_directories_do_not_lead_out),
		TEST(other_mounts_stay_closed),
		TEST(an_old_kernel_is_no_way_around),
		TEST(what_openat2_says_decides),
		TEST(stat_tells_what_the_kernel_tells),
		TEST(stat_follows_nothing),
		TEST(sparse_files_use_what_they_use),
		TEST(identities_tell_files_apart),
		TEST(attributes_are_seen),
	};

	int failed = cmocka_run_group_tests_name("beneath", tests, NULL, NULL);

	return failed + run_stepwise();
}
