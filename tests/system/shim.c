// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loaded before libc into the agent and all its processes: a wall clock that a
 * test may set, and an allocation that fails. By the environment:
 *	SHIM_CLOCK=FILE		8 bytes: nanoseconds to add to the wall clock
 *	SHIM_ALLOC=FILE		8 bytes: allocations so far, of all processes;
 *				8 bytes: the one that fails; 0: none
 * A file is made by the test and shared with it. Who dies by a fault says in
 * whose code: the JSON library does not survive a failed allocation.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

struct counter {
	_Atomic uint64_t n, fails;
};

typedef int sigaction_fn(
	int signo, const struct sigaction *new, struct sigaction *old);

static sigaction_fn *real_sigaction;
static _Atomic int64_t *clock_add;
static struct counter *counter;

static void *share(const char *name, size_t size)
{
	const char *path = getenv(name);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED
			  : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				    fd, 0);

	if (fd >= 0)
		close(fd);
	return at == MAP_FAILED ? NULL : at;
}

/* The first that is neither libc nor us. */
static void die(int signo)
{
	static const char in[] = "died in ";
	void *at[32];
	int n = backtrace(at, 32);

	for (int i = 0; i < n; i++) {
		const char *name;
		Dl_info info;

		if (!dladdr(at[i], &info) || !info.dli_fname)
			continue;
		name = strrchr(info.dli_fname, '/');
		name = name ? name + 1 : info.dli_fname;
		if (!strncmp(name, "libc.", 5) || !strncmp(name, "shim", 4))
			continue;
		(void)!write(STDERR_FILENO, in, sizeof(in) - 1);
		(void)!write(STDERR_FILENO, name, strlen(name));
		(void)!write(STDERR_FILENO, "\n", 1);
		break;
	}
	signal(signo, SIG_DFL);
	raise(signo);
}

__attribute__((constructor)) static void begin(void)
{
	void *at[1];

	real_sigaction = (sigaction_fn *)dlsym(RTLD_NEXT, "sigaction");
	backtrace(at, 1); /* loads what it needs */
	signal(SIGSEGV, die);
	signal(SIGABRT, die);
	clock_add = share("SHIM_CLOCK", sizeof(*clock_add));
	counter = share("SHIM_ALLOC", sizeof(*counter));
}

/* A new process wants no handler of its parent's: ours stay. */
int sigaction(int signo, const struct sigaction *new, struct sigaction *old)
{
	if (signo == SIGSEGV || signo == SIGABRT)
		new = NULL;
	return real_sigaction(signo, new, old);
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, id, ret);

	if (r == 0 && clock_add && id == CLOCK_REALTIME) {
		int64_t ns = (int64_t)ret->tv_sec * 1000000000 + ret->tv_nsec +
			     *clock_add;

		ret->tv_sec = ns / 1000000000;
		ret->tv_nsec = ns % 1000000000;
	}
	return r;
}

static int is_to_fail(void)
{
	if (!counter || ++counter->n != counter->fails)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return is_to_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return is_to_fail() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return is_to_fail() ? NULL : __libc_realloc(old, size);
}
