// SPDX-License-Identifier: GPL-2.0-or-later
#include "hostile/inject.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "hostile/world.h"

#if defined(__x86_64__)

bool inject_is_possible(void)
{
	return true;
}

static bool is_write(long call)
{
	return call == SYS_write || call == SYS_pwrite64 || call == SYS_sendto;
}

/* Not what cannot fail, nor what ends a process or a handler. */
static bool is_counted(const struct inject *i, long call)
{
	if (i->how == INJECT_SHORT)
		return is_write(call);
	return call != SYS_exit && call != SYS_exit_group &&
	       call != SYS_rt_sigreturn && call >= 0;
}

/* Tracer and traced take turns: faster on one processor than on two. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	(void)sched_setaffinity(0, sizeof(here), &here);
}

static pid_t start(int (*fn)(void *ctx), void *ctx)
{
	static bool is_pinned;
	pid_t pid;

	if (!is_pinned)
		stay_here();
	is_pinned = true;

	fflush(NULL);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		must(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		_exit(fn(ctx));
	}
	return pid;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		must(errno == EINTR);
	return status;
}

static int result_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Entering the call that is to fail. A close is made whatever it says. getpid
 * is harmless, and every sandbox here allows it; no call at all would be judged
 * by seccomp as call -1. */
static void spoil_entry(struct inject *i, pid_t pid, long call)
{
	struct user_regs_struct regs;

	i->call = call;
	must(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0);
	if (i->how == INJECT_KILL)
		must(kill(pid, SIGKILL) == 0);
	else if (i->how == INJECT_INSTEAD && call != SYS_close)
		regs.orig_rax = SYS_getpid;
	else if (i->how == INJECT_SHORT && regs.rdx > 1)
		regs.rdx = 1;
	if (i->how != INJECT_KILL)
		must(ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0);
}

static void spoil_exit(const struct inject *i, pid_t pid)
{
	struct user_regs_struct regs;

	if (i->how == INJECT_SHORT)
		return;
	/* What has read is not interrupted. */
	if (i->call == SYS_read && i->error == EINTR)
		return;
	must(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0);
	/* brk knows no errors: it tells a break that is not the wanted one. */
	regs.rax = i->call == SYS_brk
			   ? 0
			   : (unsigned long long)(long long)-i->error;
	must(ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0);
}

/* A stop at the entry or the exit of a call; *io_is_spoilt: between them. */
static void take_stop(struct inject *i, pid_t pid, bool *io_is_spoilt)
{
	struct __ptrace_syscall_info info;

	must(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		if (!is_counted(i, (long)info.entry.nr) ||
			++i->n_calls != i->at)
			return;
		spoil_entry(i, pid, (long)info.entry.nr);
		*io_is_spoilt = true;
	} else if (*io_is_spoilt) {
		spoil_exit(i, pid);
		*io_is_spoilt = false;
	}
}

int inject_run(struct inject *i, int (*fn)(void *ctx), void *ctx)
{
	pid_t pid = start(fn, ctx);
	int status = wait_for(pid), signal = 0;
	bool is_spoilt = false;

	i->n_calls = 0;
	i->call = -1;
	must(WIFSTOPPED(status));
	must(ptrace(PTRACE_SETOPTIONS, pid, NULL,
		     PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	/* Counting ends with the call that was meant: the rest runs freely. */
	for (;;) {
		bool is_over = i->n_calls >= i->at && !is_spoilt;

		if (ptrace(is_over ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL,
			    signal) < 0)
			must(errno == ESRCH);
		status = wait_for(pid);
		if (!WIFSTOPPED(status))
			return result_of(status);
		signal = WSTOPSIG(status);
		if (signal == (SIGTRAP | 0x80)) {
			signal = 0;
			take_stop(i, pid, &is_spoilt);
		}
	}
}

#else

bool inject_is_possible(void)
{
	return false;
}

int inject_run(struct inject *i, int (*fn)(void *ctx), void *ctx)
{
	(void)i;
	return fn(ctx);
}

#endif

const char *inject_call_name(long call)
{
#define NAME(x)       \
	case SYS_##x: \
		return #x;
	switch (call) {
		NAME(openat)
		NAME(openat2)
		NAME(close)
		NAME(close_range)
		NAME(read)
		NAME(write)
		NAME(sendto)
		NAME(fsync)
		NAME(fdatasync)
		NAME(renameat)
		NAME(renameat2)
		NAME(unlinkat)
		NAME(mkdirat)
		NAME(symlinkat)
		NAME(readlinkat)
		NAME(getdents64)
		NAME(statx)
		NAME(newfstatat)
		NAME(fstatfs)
		NAME(fcntl)
		NAME(flock)
		NAME(prctl)
		NAME(capset)
		NAME(capget)
		NAME(prlimit64)
		NAME(mmap)
		NAME(munmap)
		NAME(brk)
		NAME(lseek)
		NAME(landlock_create_ruleset)
		NAME(landlock_add_rule)
		NAME(landlock_restrict_self)
#ifdef SYS_rename
		NAME(rename)
		NAME(unlink)
#endif
	default:
		return "another call";
	}
#undef NAME
}
