// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns nothing but the moment. A descendant that was sent SIGSTOP forks no
 * more (the kernel refuses the fork of a process with a signal pending), and
 * reaps none of its children; so whoever is found below a stopped parent is
 * still that process when its own signal comes.
 */
#include "act/descend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

/* Threads with several forkers may slip one child past a pass; a pass that
 * finds nobody new ends the search long before this. */
#define FREEZE_PASSES 16
#define CHILDREN_MAX  (4u << 20) /* bytes of one list: half a million pids */
#define WAIT_STEP_NS  (20 * CLOCK_NS_PER_MS)

struct pids {
	pid_t *pids;
	size_t n;
	size_t cap;
};

static void pids_fini(struct pids *p)
{
	free(p->pids);
}
#define pids_auto mem_cleanup(pids_fini)

static int pids_add(struct pids *p, pid_t pid)
{
	int r = mem_grow((void **)&p->pids, &p->cap, p->n + 1, sizeof(pid_t));

	if (r == 0)
		p->pids[p->n++] = pid;
	return r;
}

int descend_watch(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children",
		(int)gettid());
	if (access(path, R_OK) < 0)
		return -EOPNOTSUPP;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	return 0;
}

/* Adds the children that one thread started; a thread that is gone has none. */
static int add_children_of_thread(struct pids *p, int task_fd, const char *tid)
{
	buf_auto struct buf text = {0};
	fd_auto int fd = -1;
	char path[NAME_MAX + sizeof("/children")], *at, *end;
	int r;

	snprintf(path, sizeof(path), "%s/children", tid);
	fd = openat(task_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	r = buf_read_fd(&text, fd, CHILDREN_MAX);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	for (at = text.data; r == 0; at = end) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			break;
		r = pids_add(p, (pid_t)pid);
	}
	return r;
}

static int add_children(struct pids *p, pid_t parent)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)parent);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = add_children_of_thread(
				p, dirfd(dir), entry->d_name);
	closedir(dir);
	return r;
}

/* Every descendant, parents first, each sent signo before its own children
 * are looked up. */
static int walk(struct pids *p, int signo)
{
	int r = add_children(p, getpid());

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		kill(p->pids[i], signo);
		r = add_children(p, p->pids[i]);
	}
	return r;
}

int descend_signal(int signo)
{
	pids_auto struct pids p = {0};
	int r = walk(&p, signo);

	return r < 0 ? r : (int)p.n;
}

bool descend_reap(pid_t child, int *ret_status)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			return pid == 0;
		if (pid == child)
			*ret_status = status;
	}
}

static int freeze_and_kill(void)
{
	size_t n_before = SIZE_MAX;

	for (int pass = 0; pass < FREEZE_PASSES; pass++) {
		pids_auto struct pids p = {0};
		int r = walk(&p, SIGSTOP);

		if (r < 0)
			return r;
		if (p.n == n_before || pass == FREEZE_PASSES - 1) {
			for (size_t i = 0; i < p.n; i++)
				kill(p.pids[i], SIGKILL);
			return 0;
		}
		n_before = p.n;
	}
	return 0;
}

static void wait_a_step(void)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_NS};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigtimedwait(&set, NULL, &step);
}

int descend_kill(int64_t limit_ns, pid_t child, int *ret_status)
{
	int64_t end_ns = clock_boot_ns(NULL) + limit_ns;

	/* Short of memory or descriptors the next try may do better; to leave
	 * them alive is no answer. */
	while (descend_reap(child, ret_status)) {
		int r = freeze_and_kill();

		if (clock_boot_ns(NULL) > end_ns)
			return r < 0 ? r : -ETIME;
		wait_a_step();
	}
	return 0;
}
