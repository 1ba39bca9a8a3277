// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running one hook. Hands over to descend.c whatever the hook leaves behind.
 * No shell anywhere: names and payloads are chosen by others.
 */
#include "act/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/descend.h"
#include "base/account.h"
#include "base/clock.h"
#include "base/fd.h"

#define OUTPUT_MAX 4096
/* Between SIGTERM at the deadline and SIGKILL: whatever has not gone then is
 * to be gone one second after the deadline. */
#define GRACE_NS (500 * CLOCK_NS_PER_MS)
#define KILL_NS	 (5 * CLOCK_NS_PER_S)
/* Of a user of its own: a fork bomb meets a wall before the host does. */
#define MAX_PROCESSES 512
#define MAX_FILES     1024
#define MAX_GROUPS    64

/* What the child needs, all of it found before the fork. */
struct launch {
	const struct hook_order *order;
	char *path; /* of the hook */
	const char **env;
	bool has_user;
	bool has_capabilities; /* we do: it must not inherit them as root */
	uid_t uid;
	gid_t gid;
	gid_t groups[MAX_GROUPS];
	int n_groups;
	pid_t parent;
	int output_fd; /* the child's ends */
	int error_fd; /* tells the errno of a failed start; closed by exec */
};

static void launch_fini(struct launch *l)
{
	free(l->path);
	free(l->env);
	fd_closep(&l->output_fd);
	fd_closep(&l->error_fd);
}
#define launch_auto mem_cleanup(launch_fini)

static int launch_user(struct launch *l, const char *name)
{
	struct account user;
	int r = name ? account_find_user(name, &user) : 0;

	if (r < 0 || !name)
		return r;
	l->uid = user.uid;
	l->gid = user.gid;
	l->n_groups = user.name[0] ? MAX_GROUPS : 0;
	/* In more groups than a hook could need: then in its own alone. */
	if (l->n_groups &&
		getgrouplist(user.name, user.gid, l->groups, &l->n_groups) < 0)
		l->n_groups = 0;
	l->has_user = l->uid != geteuid();
	return 0;
}

static int launch_env(struct launch *l)
{
	static const char *const fixed[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/",
		"LANG=C.UTF-8",
	};
	char *const *given = l->order->env;
	size_t n = 0, at = ARRAY_SIZE(fixed);

	while (given && given[n])
		n++;
	l->env = calloc(at + n + 1, sizeof(char *));
	if (!l->env)
		return -ENOMEM;
	memcpy(l->env, fixed, sizeof(fixed));
	for (size_t i = 0; i < n; i++)
		if (strncmp(given[i], "ULLAGE_", strlen("ULLAGE_")) == 0)
			l->env[at++] = given[i];
	return 0;
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	return syscall(SYS_capget, &head, data) < 0 || data[0].permitted ||
	       data[1].permitted;
}

static int launch_init(struct launch *l, const struct hook_order *order)
{
	int r;

	*l = (struct launch){.order = order,
		.has_capabilities = has_capabilities(),
		.parent = getpid(),
		.output_fd = -1,
		.error_fd = -1};
	if (asprintf(&l->path, "%s/%s", order->dir, order->name) < 0) {
		l->path = NULL;
		return -ENOMEM;
	}
	r = launch_user(l, order->user);
	return r < 0 ? r : launch_env(l);
}

/* The rest runs in the child, which does nothing but system calls. */

/* Nothing it starts can bring back a capability. Without CAP_SETPCAP the
 * kernel refuses; no_new_privs does the same then. */
static void drop_bounding(void)
{
	for (unsigned long cap = 0; cap < 64; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0L, 0L, 0L);
}

static int become(const struct launch *l)
{
	drop_bounding();
	if (l->has_user) {
		if (setgroups((size_t)l->n_groups, l->groups) < 0 ||
			setresgid(l->gid, l->gid, l->gid) < 0 ||
			setresuid(l->uid, l->uid, l->uid) < 0)
			return -errno;
	} else if (geteuid() == 0 && l->has_capabilities &&
		   prctl(PR_SET_SECUREBITS,
			   (long)(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED), 0L, 0L,
			   0L) < 0) {
		/* Root by number alone: exec gives it no capability. (To who
		 * has none, no_new_privs gives none.) */
		return -errno;
	}
	if (prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L) <
		0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	/* Changing the user has reset this one: it comes last. */
	if (prctl(PR_SET_PDEATHSIG, (long)SIGKILL, 0L, 0L, 0L) < 0)
		return -errno;
	return getppid() == l->parent ? 0 : -ECANCELED;
}

static void set_limit(__rlimit_resource_t which, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(which, &limit) < 0)
		return;
	limit.rlim_cur = MIN_OF(limit.rlim_cur, most);
	limit.rlim_max = MIN_OF(limit.rlim_max, most);
	setrlimit(which, &limit);
}

static void reset_signals(void)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &by_default, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int wire(const struct launch *l)
{
	if (dup2(l->order->payload_fd, STDIN_FILENO) < 0 ||
		dup2(l->output_fd, STDOUT_FILENO) < 0 ||
		dup2(l->output_fd, STDERR_FILENO) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

static _Noreturn void be_hook(const struct launch *l)
{
	const char *const argv[] = {l->path, NULL};
	int r;

	setsid();
	umask(022);
	reset_signals();
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_NOFILE, MAX_FILES);
	if (l->has_user)
		set_limit(RLIMIT_NPROC, MAX_PROCESSES);
	r = wire(l);
	/* Our own are close-on-exec; what we were started with may not be. */
	if (r == 0 && close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		r = -errno;
	if (r == 0)
		r = become(l);
	if (r == 0) {
		execve(l->path, (char *const *)argv, (char *const *)l->env);
		r = -errno;
	}
	if (write(l->error_fd, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

/* One run, as seen from above. */
struct watch_over {
	pid_t pid;
	int status; /* wait status once is_over */
	bool is_over;
	int signal_fd;
	int output_fd;
	sigset_t saved_mask;
	struct buf *output;
	size_t output_start;
};

static void watch_over_fini(struct watch_over *w)
{
	fd_closep(&w->output_fd);
	if (w->signal_fd >= 0)
		sigprocmask(SIG_SETMASK, &w->saved_mask, NULL);
	fd_closep(&w->signal_fd);
}
#define watch_over_auto mem_cleanup(watch_over_fini)

static int catch_signals(struct watch_over *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &w->saved_mask);
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signal_fd < 0) {
		int r = -errno;

		sigprocmask(SIG_SETMASK, &w->saved_mask, NULL);
		return r;
	}
	return 0;
}

/* Takes what there is, once: a flood must not keep us from the deadline. */
static void drain(struct watch_over *w)
{
	char data[16384];
	ssize_t n = read(w->output_fd, data, sizeof(data));
	size_t had = w->output->len - w->output_start;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		w->output_fd = fd_close(w->output_fd);
	if (n <= 0)
		return;
	/* Output beyond the limit, or beyond our memory, is not kept. */
	if (had < OUTPUT_MAX)
		(void)buf_put(
			w->output, data, MIN_OF((size_t)n, OUTPUT_MAX - had));
}

/* Takes what was signalled. Returns true if we are told to stop. */
static bool take_signals(struct watch_over *w)
{
	struct signalfd_siginfo info;
	bool is_told = false;

	while (read(w->signal_fd, &info, sizeof(info)) == sizeof(info))
		is_told = is_told || info.ssi_signo == SIGTERM;
	return is_told;
}

static void reap(struct watch_over *w)
{
	int status = -1;

	descend_reap(w->pid, &status);
	if (status != -1) {
		w->status = status;
		w->is_over = true;
	}
}

/* Until the hook itself has ended: 0. -ETIME at end_ns, -ECANCELED on
 * SIGTERM. */
static int attend(struct watch_over *w, int64_t end_ns)
{
	while (!w->is_over) {
		struct pollfd fds[] = {
			{.fd = w->signal_fd, .events = POLLIN},
			{.fd = w->output_fd, .events = POLLIN},
		};
		int64_t left_ns = end_ns - clock_boot_ns(NULL);
		struct timespec left = {.tv_sec = left_ns / CLOCK_NS_PER_S,
			.tv_nsec = left_ns % CLOCK_NS_PER_S};

		if (left_ns <= 0)
			return -ETIME;
		if (ppoll(fds, ARRAY_SIZE(fds), &left, NULL) < 0 &&
			errno != EINTR)
			return -errno;
		if (fds[1].revents)
			drain(w);
		if (fds[0].revents && take_signals(w))
			return -ECANCELED;
		reap(w);
	}
	return 0;
}

static int start(struct launch *l, struct watch_over *w, int *ret_error_fd)
{
	int output[2], error[2];
	pid_t pid;

	if (pipe2(output, O_CLOEXEC) < 0)
		return -errno;
	l->output_fd = output[1];
	w->output_fd = output[0];
	if (fcntl(w->output_fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	if (pipe2(error, O_CLOEXEC) < 0)
		return -errno;
	l->error_fd = error[1];
	*ret_error_fd = error[0];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		be_hook(l);
	w->pid = pid;
	fd_closep(&l->output_fd);
	fd_closep(&l->error_fd);
	return 0;
}

/* Waits for the exec; a hook cannot hold this end. Returns 0 or its -errno. */
static int started(int error_fd)
{
	int r = 0;

	return fd_read_full(error_fd, &r, sizeof(r)) == 0 ? r : 0;
}

/* Ends it and all that it started, politely first if the deadline came. */
static void finish(struct watch_over *w, int r)
{
	int status = -1;

	if (r == -ETIME) {
		descend_signal(SIGTERM);
		descend_signal(SIGCONT);
		attend(w, clock_boot_ns(NULL) + GRACE_NS);
	}
	(void)descend_kill(KILL_NS, w->pid, &status);
	if (status != -1 && !w->is_over) {
		w->status = status;
		w->is_over = true;
	}
	if (w->output_fd >= 0)
		drain(w);
}

int hook_run(const struct hook_order *order, struct buf *ret_output)
{
	launch_auto struct launch l = {.output_fd = -1, .error_fd = -1};
	watch_over_auto struct watch_over w = {
		.signal_fd = -1,
		.output_fd = -1,
		.output = ret_output,
		.output_start = ret_output->len,
	};
	int64_t end_ns =
		clock_boot_ns(NULL) + order->deadline_s * CLOCK_NS_PER_S;
	fd_auto int error_fd = -1;
	int r = hook_check(order->dir, order->name);

	if (r == 0)
		r = launch_init(&l, order);
	if (r == 0)
		r = descend_watch();
	if (r == 0)
		r = catch_signals(&w);
	if (r < 0)
		return r;
	/* The payload is shared with the hooks before it; no harm if it is
	 * a pipe. */
	(void)lseek(order->payload_fd, 0, SEEK_SET);
	r = start(&l, &w, &error_fd);
	if (r < 0)
		return r;
	r = started(error_fd);
	if (r == 0)
		r = attend(&w, end_ns);
	finish(&w, r);
	return r < 0 ? r : w.status;
}
