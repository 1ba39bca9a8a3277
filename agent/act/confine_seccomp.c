// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system calls of a reaper. Three answers:
 *   - what it needs: allowed;
 *   - what only somebody who took it over would want (other programs and
 *     processes, sockets, mounts, kernel code): the process is killed;
 *   - anything else: EPERM, so that a libc that tries something new degrades
 *     instead of dying with a file in quarantine.
 */
#include "act/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#if defined(__x86_64__)
#	define ARCH	AUDIT_ARCH_X86_64
#	define X32_BIT 0x40000000u
#elif defined(__aarch64__)
#	define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#	define ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef ARCH
static const uint16_t needed[] = {
	/* the protocol, by how often */
	SYS_openat2,
	SYS_statx,
	SYS_openat,
	SYS_close,
	SYS_fcntl,
	SYS_renameat2,
	SYS_unlinkat,
	SYS_write,
	SYS_sendto,
	SYS_clock_gettime,
	SYS_newfstatat,
	SYS_fstat,
	SYS_flock,
	SYS_fstatfs,
	/* quarantine */
	SYS_mkdirat,
	SYS_symlinkat,
	SYS_readlinkat,
	SYS_getdents64,
	SYS_lseek,
	/* waiting for a filesystem to tell what it freed */
	SYS_syncfs,
	SYS_clock_nanosleep,
	/* libc */
	SYS_read,
	SYS_writev,
	SYS_mmap,
	SYS_mremap,
	SYS_munmap,
	SYS_mprotect,
	SYS_madvise,
	SYS_brk,
	SYS_futex,
	SYS_getrandom,
	SYS_getpid,
	SYS_gettid,
	SYS_geteuid,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
#	ifdef ULLAGE_SANITIZED
	SYS_sigaltstack,
	SYS_sched_yield,
#		ifdef SYS_readlink
	SYS_readlink,
#		endif
	SYS_prctl,
	SYS_sched_getaffinity,
	SYS_getrusage,
#	endif
};

/* What it takes beside that to make a file of a certain size. */
static const uint16_t ballast[] = {
	SYS_fallocate,
	SYS_fsync,
};

static const uint16_t deadly[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_socket,
	SYS_connect,
	SYS_bind,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_unshare,
	SYS_setns,
	SYS_bpf,
	SYS_init_module,
	SYS_finit_module,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_open_by_handle_at,
	SYS_keyctl,
};

/* The low half of an argument; both machines are little-endian. */
#	define ARG_LOW(i) (offsetof(struct seccomp_data, args) + (i)*8u)

#	define HEAD_MAX   6
#	define TAIL_MAX   12
#	define MAX_STEPS                                                      \
		(HEAD_MAX + 2 * ARRAY_SIZE(needed) + 2 * ARRAY_SIZE(ballast) + \
			2 * ARRAY_SIZE(deadly) + TAIL_MAX)

struct program {
	struct sock_filter steps[MAX_STEPS];
	uint16_t n;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t skip)
{
	p->steps[p->n++] = (struct sock_filter){
		.code = code,
		.jt = 0,
		.jf = skip,
		.k = k,
	};
}

/* if the loaded word is k: answer, else on */
static void put_case(struct program *p, uint32_t k, uint32_t answer)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, k, 1);
	put(p, BPF_RET | BPF_K, answer, 0);
}

static void put_head(struct program *p)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch),
		0);
	/* Another ABI has other numbers. */
	p->steps[p->n++] = (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	put(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0);
	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0);
#	ifdef X32_BIT
	put(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 1);
	put(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0);
#	endif
}

/* abort() signals this process; others are none of its business. */
static void put_own_signals(struct program *p)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 4);
	put(p, BPF_LD | BPF_W | BPF_ABS, ARG_LOW(0), 0);
	put_case(p, (uint32_t)getpid(), SECCOMP_RET_ALLOW);
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0);
}

/* One question about a file's extents (act/extent.h), and no other: ioctl is
 * a door to everything. */
static void put_one_ioctl(struct program *p)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 4);
	put(p, BPF_LD | BPF_W | BPF_ABS, ARG_LOW(1), 0);
	put_case(p, (uint32_t)FS_IOC_FIEMAP, SECCOMP_RET_ALLOW);
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0);
}

static void build(struct program *p, const uint16_t *more, size_t n_more)
{
	put_head(p);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		put_case(p, needed[i], SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < n_more; i++)
		put_case(p, more[i], SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		put_case(p, deadly[i], SECCOMP_RET_KILL_PROCESS);
	put_one_ioctl(p);
	put_own_signals(p);
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0);
}

static int install(const uint16_t *more, size_t n_more)
{
	struct program p = {.n = 0};
	struct sock_fprog prog = {.filter = p.steps};

	build(&p, more, n_more);
	prog.len = p.n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return errno == EINVAL ? -EOPNOTSUPP : -errno;
	return 0;
}

int confine_seccomp(void)
{
	return install(NULL, 0);
}

int confine_seccomp_ballast(void)
{
	return install(ballast, ARRAY_SIZE(ballast));
}
#else
/* Fails closed: numbers of another machine's calls must be checked first. */
int confine_seccomp(void)
{
	return -EOPNOTSUPP;
}

int confine_seccomp_ballast(void)
{
	return -EOPNOTSUPP;
}
#endif
