// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/trusted.h"
#include "unit/scratch.h"

static void sums_and_products_saturate(void **state)
{
	(void)state;
	assert_true(mem_add_sat(1, 2) == 3);
	assert_true(mem_add_sat(UINT64_MAX - 1, 1) == UINT64_MAX);
	assert_true(mem_add_sat(UINT64_MAX, 1) == UINT64_MAX);
	assert_true(mem_add_sat(UINT64_MAX, UINT64_MAX) == UINT64_MAX);
	assert_true(mem_sub_sat(5, 3) == 2);
	assert_true(mem_sub_sat(3, 5) == 0);
	assert_true(
		mem_mul_div(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
	assert_true(mem_mul_div(UINT64_MAX, 2, 1) == UINT64_MAX);
	assert_true(mem_mul_div(UINT64_MAX, 950000, 1000000) ==
		    UINT64_C(17524406870024074034));
	assert_true(mem_mul_div(10, 1, 3) == 3);
}

static void arrays_grow(void **state)
{
	uint32_t *array = NULL;
	size_t cap = 0, before;

	(void)state;
	for (size_t n = 1; n <= 1000; n++) {
		assert_int_equal(
			mem_grow((void **)&array, &cap, n, sizeof(*array)), 0);
		assert_true(cap >= n && cap <= 2 * n + 16);
		array[n - 1] = (uint32_t)n;
	}
	for (size_t n = 1; n <= 1000; n++)
		assert_int_equal(array[n - 1], n);
	before = cap;
	assert_int_equal(
		mem_grow((void **)&array, &cap, SIZE_MAX / 4, 16), -ENOMEM);
	assert_int_equal(mem_grow((void **)&array, &cap, SIZE_MAX, 1), -ENOMEM);
	assert_int_equal(cap, before);
	assert_int_equal(array[999], 1000);
	free(array);
}

static void pointers_are_handed_over(void **state)
{
	char *p = strdup("x"), *q = mem_take(p);

	(void)state;
	assert_null(p);
	assert_string_equal(q, "x");
	mem_freep(&q);
}

static void buffers_hold_strings(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_put(&b, NULL, 0), 0);
	assert_string_equal(b.data, "");
	assert_int_equal(buf_puts(&b, "ab"), 0);
	assert_int_equal(buf_put(&b, "\0c", 2), 0);
	assert_int_equal(buf_printf(&b, "%d-%s", 7, "xyz"), 0);
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.data, "ab\0c7-xyz", 10);
	assert_int_equal(buf_put(&b, "x", SIZE_MAX), -ENOMEM);
	assert_int_equal(b.len, 9);
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buf_printf(&b, "%05d", i), 0);
	assert_int_equal(b.len, 25000);
	assert_string_equal(b.data + 24995, "04999");
	buf_fini(&b);
	assert_null(b.data);
	buf_reset(&b);
	buf_fini(&b);
}

static void buffers_read_up_to_a_limit(void **state)
{
	char text[10000];
	struct buf b = {0};
	int fd;

	(void)state;
	memset(text, 't', sizeof(text));
	assert_int_equal(fd_memfile("test", text, sizeof(text), &fd), 0);
	assert_int_equal(buf_puts(&b, "before"), 0);
	assert_int_equal(buf_read_fd(&b, fd, sizeof(text) - 1), -EFBIG);
	assert_string_equal(b.data, "before");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(buf_read_fd(&b, fd, sizeof(text)), 0);
	assert_int_equal(b.len, 6 + sizeof(text));
	assert_memory_equal(b.data + 6, text, sizeof(text));
	assert_int_equal(b.data[b.len], 0);
	close(fd);
	assert_int_equal(buf_read_fd(&b, -1, 10), -EBADF);
	assert_int_equal(b.len, 6 + sizeof(text));
	buf_fini(&b);
}

static void descriptors_close_once(void **state)
{
	int fd = dup(0), other;

	(void)state;
	other = fd;
	errno = EXFULL;
	fd = fd_close(fd);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, EXFULL);
	assert_int_equal(fcntl(other, F_GETFD), -1);
	errno = EXFULL;
	assert_int_equal(fd_close(-1), -1);
	assert_int_equal(errno, EXFULL);
	fd = dup(0);
	{
		fd_auto int owned = fd;

		assert_int_equal(fd_take(&owned), fd);
		assert_int_equal(owned, -1);
	}
	assert_true(fcntl(fd, F_GETFD) >= 0);
	{
		fd_auto int owned mem_unused = fd;
	}
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void reads_are_full_or_fail(void **state)
{
	char text[8];
	int pipefd[2];

	(void)state;
	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	assert_int_equal(fd_write_full(pipefd[1], "12345678", 8), 0);
	assert_int_equal(fd_read_full(pipefd[0], text, 5), 0);
	assert_memory_equal(text, "12345", 5);
	close(pipefd[1]);
	assert_int_equal(fd_read_full(pipefd[0], text, 4), -ENODATA);
	assert_int_equal(fd_read_full(pipefd[0], text, 0), 0);
	assert_int_equal(fd_read_full(-1, text, 1), -EBADF);
	assert_int_equal(fd_write_full(pipefd[0], "x", 1), -EBADF);
	close(pipefd[0]);
	pipefd[0] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (pipefd[0] >= 0)
		assert_int_equal(fd_write_full(pipefd[0], "x", 1), -ENOSPC);
	fd_close(pipefd[0]);
}

static void memory_files_are_sealed(void **state)
{
	char text[5] = "";
	int fd = -1;

	(void)state;
	assert_int_equal(fd_memfile("test", "plan", 4, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fd_read_full(fd, text, 4), 0);
	assert_string_equal(text, "plan");
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 100), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	assert_ptr_equal(
		mmap(NULL, 4, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	close(fd);
}

static void new_pair(int ret[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret), 0);
}

static void descriptors_travel(void **state)
{
	int pair[2], fds[FD_MAX_PASSED], sent[2], n_fds;
	char text[8] = "";
	struct stat a, b;

	(void)state;
	new_pair(pair);
	assert_int_equal(fd_memfile("a", "A", 1, &sent[0]), 0);
	assert_int_equal(fd_memfile("b", "B", 1, &sent[1]), 0);
	n_fds = scratch_count_fds();
	assert_int_equal(fd_send(pair[0], "hello", 5, sent, 2), 0);
	assert_int_equal(fd_recv(pair[1], text, sizeof(text), fds), 5);
	assert_memory_equal(text, "hello", 5);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			fcntl(fds[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		assert_int_equal(fstat(sent[i], &a), 0);
		assert_int_equal(fstat(fds[i], &b), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		close(fds[i]);
	}
	assert_int_equal(fds[2], -1);
	assert_int_equal(fds[3], -1);
	assert_int_equal(fd_send(pair[0], "x", 1, NULL, 0), 0);
	assert_int_equal(fd_recv(pair[1], text, sizeof(text), fds), 1);
	assert_int_equal(fds[0], -1);
	close(pair[0]);
	assert_int_equal(fd_recv(pair[1], text, sizeof(text), fds), 0);
	close(pair[1]);
	assert_int_equal(fd_recv(-1, text, sizeof(text), fds), -EBADF);
	assert_int_equal(scratch_count_fds(), n_fds - 2);
	close(sent[0]);
	close(sent[1]);
}

/* More descriptors than are asked for, as only a stranger sends them. */
static void send_too_many(int sock)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * (FD_MAX_PASSED + 3))];
	} u = {0};
	struct iovec iov = {.iov_base = (void *)"x", .iov_len = 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &u,
		.msg_controllen = sizeof(u),
	};

	u.header.cmsg_level = SOL_SOCKET;
	u.header.cmsg_type = SCM_RIGHTS;
	u.header.cmsg_len = CMSG_LEN(sizeof(int) * (FD_MAX_PASSED + 3));
	for (int i = 0; i < FD_MAX_PASSED + 3; i++)
		((int *)(void *)CMSG_DATA(&u.header))[i] = sock;
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

/* Whatever else the kernel tells of a message is no descriptor. */
static void credentials_are_no_descriptors(void **state)
{
	int pair[2], fds[FD_MAX_PASSED], on = 1;
	char text[8];

	(void)state;
	new_pair(pair);
	assert_int_equal(
		setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)),
		0);
	assert_int_equal(fd_send(pair[0], "x", 1, NULL, 0), 0);
	assert_int_equal(fd_recv(pair[1], text, sizeof(text), fds), 1);
	for (int i = 0; i < FD_MAX_PASSED; i++)
		assert_int_equal(fds[i], -1);
	close(pair[0]);
	close(pair[1]);
}

/* Each call of the parent's waits for the child for a while. */
struct waiting {
	int in[2], out[2], sock[2];
};

static int be_slow(struct waiting *w)
{
	char some[4096];

	close(w->out[1]);
	close(w->sock[0]);
	usleep(20000);
	if (write(w->in[1], "ab", 2) != 2)
		return 1;
	usleep(20000);
	if (write(w->in[1], "cd", 2) != 2)
		return 1;
	usleep(20000);
	if (send(w->sock[1], "x", 1, 0) != 1)
		return 1;
	usleep(20000);
	while (read(w->out[0], some, sizeof(some)) > 0)
		continue;
	usleep(20000);
	while (recv(w->sock[1], some, sizeof(some), 0) > 0)
		continue;
	return 0;
}

static void on_alarm(int signo)
{
	(void)signo;
}

/* Every 2 ms one that interrupts what is called. */
static void alarm_often(bool is_on)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval often = {{0, 2000}, {0, 2000}}, never = {0};

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(
		setitimer(ITIMER_REAL, is_on ? &often : &never, NULL), 0);
}

static void fill(int sock)
{
	char some[1000] = "";

	while (send(sock, some, sizeof(some), MSG_DONTWAIT) > 0)
		continue;
	assert_int_equal(errno, EAGAIN);
}

static void signals_cut_nothing_short(void **state)
{
	static char much[200000];
	int fds[FD_MAX_PASSED], status;
	struct waiting w;
	char got[4];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(w.in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(w.out, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, w.sock), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(be_slow(&w));
	alarm_often(true);
	assert_int_equal(fd_read_full(w.in[0], got, 4), 0);
	assert_memory_equal(got, "abcd", 4);
	assert_int_equal(fd_recv(w.sock[0], got, 4, fds), 1);
	assert_int_equal(fd_write_full(w.out[1], much, sizeof(much)), 0);
	fill(w.sock[0]);
	close(w.out[1]);
	assert_int_equal(fd_send(w.sock[0], much, 1000, NULL, 0), 0);
	alarm_often(false);
	close(w.sock[0]);
	close(w.sock[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(w.in[0]);
	close(w.in[1]);
	close(w.out[0]);
}

static void cut_messages_leak_nothing(void **state)
{
	int pair[2], fds[FD_MAX_PASSED], many[FD_MAX_PASSED + 1] = {0}, n_fds;
	char text[4];

	(void)state;
	new_pair(pair);
	n_fds = scratch_count_fds();
	assert_int_equal(fd_send(pair[0], "too long", 8, pair, 2), 0);
	assert_int_equal(fd_recv(pair[1], text, sizeof(text), fds), -EMSGSIZE);
	assert_int_equal(scratch_count_fds(), n_fds);
	send_too_many(pair[0]);
	assert_int_equal(fd_recv(pair[1], text, sizeof(text), fds), -EMSGSIZE);
	assert_int_equal(scratch_count_fds(), n_fds);
	assert_int_equal(
		fd_send(pair[0], "x", 1, many, FD_MAX_PASSED + 1), -EINVAL);
	close(pair[1]);
	/* Neither a signal nor a hang when the other end is gone. */
	assert_int_equal(fd_send(pair[0], "x", 1, NULL, 0), -EPIPE);
	close(pair[0]);
}

static void a_full_socket_does_not_block(void **state)
{
	static char text[4096];
	int pair[2], r = 0;

	(void)state;
	new_pair(pair);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 100000 && r == 0; i++)
		r = fd_send(pair[0], text, sizeof(text), NULL, 0);
	assert_int_equal(r, -EAGAIN);
	close(pair[0]);
	close(pair[1]);
}

static void clocks_run_or_are_faked(void **state)
{
	struct clock c = {
		.is_fake = true, .fake_real_ns = 5, .fake_boot_ns = 7};
	int64_t real = clock_real_ns(NULL), boot = clock_boot_ns(NULL);
	struct timespec ts;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &ts);
	assert_true(llabs(clock_real_s(NULL) - ts.tv_sec) <= 1);
	assert_true(clock_real_ns(NULL) >= real);
	assert_true(clock_boot_ns(NULL) >= boot);
	clock_advance(&c, 3 * CLOCK_NS_PER_S);
	assert_true(clock_real_ns(&c) == 3 * CLOCK_NS_PER_S + 5);
	assert_true(clock_boot_ns(&c) == 3 * CLOCK_NS_PER_S + 7);
	assert_int_equal(clock_real_s(&c), 3);
	c.is_fake = false;
	assert_true(clock_real_ns(&c) >= real);
}

static void stamps_are_read_as_they_are_written(void **state)
{
	static const struct {
		int64_t real_s;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00Z"},
		{-1, "1969-12-31T23:59:59Z"},
		{1795403760, "2026-11-23T03:16:00Z"},
		{4107542399, "2100-02-28T23:59:59Z"},
		{951782400, "2000-02-29T00:00:00Z"},
		{253402300799, "9999-12-31T23:59:59Z"},
	};
	char text[CLOCK_STAMP_SIZE];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(
			clock_stamp(rows[i].real_s, text), rows[i].text);
		assert_int_equal(clock_parse_stamp(text, &back), 0);
		assert_true(back == rows[i].real_s);
	}
	/* Stamps on files may be anything; what is written stays a stamp. */
	assert_string_equal(
		clock_stamp(INT64_MAX, text), "9999-12-31T23:59:59Z");
	assert_string_equal(
		clock_stamp(253402300800, text), "9999-12-31T23:59:59Z");
	assert_string_equal(
		clock_stamp(INT64_MIN, text), "0000-01-01T00:00:00Z");
	assert_int_equal(strlen(clock_stamp(-62135596801, text)), 20);
}

static void other_stamps_are_refused(void **state)
{
	static const char *const rows[] = {"", "2026", "2026-11-23",
		"2026-11-23T03:16:00", "2026-11-23T03:16:00Zx",
		"2026-13-23T03:16:00Z", "2026-11-23 03:16:00Z",
		"2026-11-23T25:16:00Z", "2026-02-30T00:00:00Z",
		"2026-11-23T03:16:00+01:00", " 2026-11-23T03:16:00Z",
		"2026-11-23T03:16:61Z", "2026-4-3T3:6:0Z",
		"-2026-11-23T03:16:00Z"};
	int64_t back = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (clock_parse_stamp(rows[i], &back) != -EINVAL)
			fail_msg("'%s' was read", rows[i]);
	assert_int_equal(back, 42);
}

/*
 * Key 00 01 .. 0f, message 00 01 .. (len - 1); computed from the paper's
 * description by a program that also gives the paper's own SipHash-2-4 vector
 * (a129ca6149be45e5 for 15 bytes).
 */
static void hashes_are_siphash_1_3(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} rows[] = {
		{0, 0xabac0158050fc4dc},
		{1, 0xc9f49bf37d57ca93},
		{7, 0xd3927d989bb11140},
		{8, 0x369095118d299a8e},
		{9, 0x25a48eb36c063de4},
		{15, 0xd320d86d2a519956},
		{16, 0xcc4fdd1a7d908b66},
		{63, 0x9d199062b7bbb3a8},
		{255, 0xf76214e3153c4a15},
		{256, 0x75b3e64e167de370},
	};
	struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	unsigned char data[257];

	(void)state;
	for (size_t shift = 0; shift < 2; shift++) {
		for (size_t i = 0; i < 256; i++)
			data[i + shift] = (unsigned char)i;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			assert_true(hash_bytes(key, data + shift,
					    rows[i].len) == rows[i].hash);
	}
}

/* As the comment says, whatever the length. */
static void names_are_hashed_with_their_directory(void **state)
{
	struct hash_key key = hash_key_random();
	char text[4 + 64] = "\x04\x03\x02\x01";

	(void)state;
	for (size_t i = 0; i < 64; i++)
		text[4 + i] = (char)('a' + i);
	for (size_t len = 0; len <= 64; len++)
		assert_true(hash_name(key, 0x01020304, text + 4, len) ==
			    hash_bytes(key, text, 4 + len));
}

static void keys_differ(void **state)
{
	struct hash_key a = hash_key_random(), b = hash_key_random();

	(void)state;
	assert_true(a.k0 != b.k0 && a.k1 != b.k1);
	assert_true(hash_bytes(a, "name", 4) != hash_bytes(b, "name", 4));
}

/* Inode numbers count up: their low bits must still spread over a table. */
static void words_are_mixed(void **state)
{
	unsigned n[256] = {0};

	(void)state;
	for (uint64_t i = 0; i < 25600; i++)
		n[hash_word(i << 8) & 255]++;
	for (int i = 0; i < 256; i++)
		assert_true(n[i] > 40 && n[i] < 200);
}

/* ---- who can change what a path names ---- */

static int is_trusted(const struct scratch *s, const char *rel)
{
	char path[PATH_MAX + 64];
	struct buf why = {0};
	int r;

	snprintf(path, sizeof(path), "%s/%s", s->path, rel);
	r = trusted_path(path, &why);
	if (r == -EPERM)
		assert_non_null(strstr(why.data, "on the way"));
	else
		assert_int_equal(why.len, 0);
	buf_fini(&why);
	return r;
}

static void a_way_is_as_safe_as_each_step(void **state)
{
	struct scratch s;

	(void)state;
	scratch_init(&s);
	scratch_mkdir(&s, "a");
	scratch_mkdir(&s, "a/b");
	scratch_write(&s, "a/b/file", "");
	assert_int_equal(is_trusted(&s, "a/b/file"), 0);
	assert_int_equal(is_trusted(&s, "a//./b/../b/file"), 0);
	assert_int_equal(is_trusted(&s, "a/none/file"), 0);
	assert_int_equal(is_trusted(&s, "a/b/file/x"), -ENOTDIR);
	/* The last step is for whoever opens it to judge. */
	assert_int_equal(fchmodat(s.fd, "a/b", 0777, 0), 0);
	assert_int_equal(is_trusted(&s, "a/b"), 0);
	assert_int_equal(is_trusted(&s, "a/b/file"), -EPERM);
	assert_int_equal(fchmodat(s.fd, "a/b", 01777, 0), 0);
	assert_int_equal(is_trusted(&s, "a/b/file"), 0);
	assert_int_equal(is_trusted(&s, "a/b/none"), -EPERM);
	assert_int_equal(fchmodat(s.fd, "a/b", 0700, 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(s.fd, "a", 7, 7, 0), 0);
		assert_int_equal(is_trusted(&s, "a/b/file"), -EPERM);
		assert_int_equal(is_trusted(&s, "a"), 0);
		assert_int_equal(fchownat(s.fd, "a", 0, 0, 0), 0);
		/* sticky is no help against whose the next step is */
		assert_int_equal(fchmodat(s.fd, "a", 01777, 0), 0);
		assert_int_equal(fchownat(s.fd, "a/b", 7, 7, 0), 0);
		assert_int_equal(is_trusted(&s, "a/b"), -EPERM);
	}
	scratch_fini(&s);
}

/* Somebody's own group is he himself; any other is not. */
static int tell_own_group(const struct scratch *s)
{
	if (setgroups(0, NULL) < 0 || setgid(4321) < 0 || setuid(4321) < 0)
		return 2;
	return is_trusted(s, "own/x") != 0 ||
	       is_trusted(s, "other/x") != -EPERM ||
	       is_trusted(s, "all/x") != -EPERM;
}

/* The top itself is on the way. */
static int tell_top(const struct scratch *s)
{
	buf_auto struct buf why = {0};

	if (chroot(s->path) < 0)
		return 2;
	return trusted_path("/x", &why) != -EPERM || !why.len ||
	       strncmp(why.data, "/, on the way there", 19) != 0;
}

static int in_child(int (*fn)(const struct scratch *s), const struct scratch *s)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(s));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void groups_and_the_top_count(void **state)
{
	static const struct {
		const char *name;
		gid_t gid;
		mode_t mode;
	} rows[] = {
		{"own", 4321, 0770}, {"other", 7, 0770}, {"all", 4321, 0777}};
	char name[NAME_MAX + 10];
	struct scratch s;

	(void)state;
	scratch_init(&s);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(is_trusted(&s, name), -ENAMETOOLONG);
	if (geteuid() == 0) {
		assert_int_equal(fchown(s.fd, 4321, 4321), 0);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			const char *at = rows[i].name;

			scratch_mkdir(&s, at);
			assert_int_equal(
				fchownat(s.fd, at, 4321, rows[i].gid, 0), 0);
			assert_int_equal(
				fchmodat(s.fd, at, rows[i].mode, 0), 0);
		}
		assert_int_equal(in_child(tell_own_group, &s), 0);
		assert_int_equal(fchown(s.fd, 0, 0), 0);
		assert_int_equal(fchmod(s.fd, 0777), 0);
		assert_int_equal(in_child(tell_top, &s), 0);
	}
	scratch_fini(&s);
}

static void links_are_part_of_the_way(void **state)
{
	struct scratch s;
	char target[PATH_MAX + 8];

	(void)state;
	scratch_init(&s);
	scratch_mkdir(&s, "good");
	scratch_mkdir(&s, "bad");
	scratch_mkdir(&s, "bad/own");
	assert_int_equal(fchmodat(s.fd, "bad", 0777, 0), 0);
	assert_int_equal(symlinkat("../bad/own", s.fd, "good/to-bad"), 0);
	assert_int_equal(symlinkat("../good", s.fd, "bad/to-good"), 0);
	snprintf(target, sizeof(target), "%s/good", s.path);
	assert_int_equal(symlinkat(target, s.fd, "absolute"), 0);
	assert_int_equal(symlinkat("loop", s.fd, "loop"), 0);
	assert_int_equal(symlinkat("none", s.fd, "dangling"), 0);
	assert_int_equal(is_trusted(&s, "good/to-bad/x"), -EPERM);
	assert_int_equal(is_trusted(&s, "bad/to-good/x"), -EPERM);
	assert_int_equal(is_trusted(&s, "absolute/x"), 0);
	assert_int_equal(is_trusted(&s, "absolute/to-bad"), -EPERM);
	assert_int_equal(is_trusted(&s, "loop"), -ELOOP);
	assert_int_equal(is_trusted(&s, "dangling/x"), 0);
	scratch_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_way_is_as_safe_as_each_step),
		cmocka_unit_test(groups_and_the_top_count),
		cmocka_unit_test(links_are_part_of_the_way),
		cmocka_unit_test(sums_and_products_saturate),
		cmocka_unit_test(arrays_grow),
		cmocka_unit_test(pointers_are_handed_over),
		cmocka_unit_test(buffers_hold_strings),
		cmocka_unit_test(buffers_read_up_to_a_limit),
		cmocka_unit_test(descriptors_close_once),
		cmocka_unit_test(reads_are_full_or_fail),
		cmocka_unit_test(memory_files_are_sealed),
		cmocka_unit_test(descriptors_travel),
		cmocka_unit_test(credentials_are_no_descriptors),
		cmocka_unit_test(signals_cut_nothing_short),
		cmocka_unit_test(cut_messages_leak_nothing),
		cmocka_unit_test(a_full_socket_does_not_block),
		cmocka_unit_test(clocks_run_or_are_faked),
		cmocka_unit_test(stamps_are_read_as_they_are_written),
		cmocka_unit_test(other_stamps_are_refused),
		cmocka_unit_test(hashes_are_siphash_1_3),
		cmocka_unit_test(names_are_hashed_with_their_directory),
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(words_are_mixed),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
