// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the processes and the loop. Must not own any judgement of files, nor
 * wait for anything but its own children and messages: warden_survey.c looks
 * at disks, warden_serve.c answers the agent.
 */
#include "warden_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "base/beneath.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "prepare.h"
#include "warden_child.h"
#include "warden_reap.h"
#include "warden_unit.h"

#define PAUSE_MIN_NS (1 * CLOCK_NS_PER_S)
#define PAUSE_MAX_NS (30 * CLOCK_NS_PER_S)
/* An agent that ran this long was well: its end starts the pauses anew. */
#define WELL_NS	      (60 * CLOCK_NS_PER_S)
#define LEAVE_NS      (5 * CLOCK_NS_PER_S)
#define STOP_NS	      (15 * CLOCK_NS_PER_S)
#define WATCHDOG_NS   (5 * CLOCK_NS_PER_S)
#define TAKE_PAUSE_NS 20000000
#define TAKE_TRIES    50

static int fail(const char *what, const struct buf *why, int r)
{
	fprintf(stderr, "ullaged: %s: %s\n", what,
		why && why->len ? why->data : strerror(-r));
	return r;
}

static int read_config(struct warden *w)
{
	buf_auto struct buf errors = {0};
	int r = warden_source_init(w->options, &w->source);

	if (r < 0)
		return fail("configuration", NULL, r);
	r = warden_config_read(&w->source, &w->current, &errors);
	if (r < 0)
		fputs(errors.data, stderr);
	return r;
}

/* Who the agent is: the user of the configuration if we can become that. */
static int find_agent_user(struct warden *w)
{
	const char *name = w->current.config->user;
	int r = privs_find_user(geteuid() == 0 ? name : NULL, &w->agent_user);

	if (r == -ENOENT) {
		(void)buf_printf(&w->current.notes,
			"there is no user %s: the agent runs as we do, with "
			"fewer capabilities\n",
			name);
		r = privs_find_user(NULL, &w->agent_user);
	}
	return r < 0 ? fail("user of the agent", NULL, r) : 0;
}

static int look_at_roots(struct warden *w)
{
	int r = warden_survey_start(
		w->current.config, &w->agent_user, &w->survey);

	if (r < 0)
		return fail("roots", NULL, r);
	warden_survey_wait(&w->survey);
	(void)warden_reap_probe(&w->current.notes);
	warden_unit_check(w->current.config, &w->current.notes);
	(void)buf_put(
		&w->current.notes, w->survey.notes.data, w->survey.notes.len);
	return 0;
}

/* What only one of us can have. Where we follow one that was killed, the last
 * of its processes may still be about to go: they have a moment for that. */
typedef int take_fn(struct warden *w, struct buf *why);

static int take(struct warden *w, const char *what, take_fn *fn)
{
	const struct timespec pause = {.tv_nsec = TAKE_PAUSE_NS};
	buf_auto struct buf why = {0};
	int r = fn(w, &why);

	for (int i = 0; r == -EADDRINUSE && i < TAKE_TRIES; i++) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		buf_reset(&why);
		r = fn(w, &why);
	}
	return r < 0 ? fail(what, &why, r) : 0;
}

static int take_claims(struct warden *w, struct buf *why)
{
	return warden_claims_take(
		&w->claims, &w->survey, why, &w->current.notes);
}

static int claim_roots(struct warden *w)
{
	int r = warden_claims_init(w->source.claims_dir,
		w->current.config->socket_path, &w->claims);

	return r < 0 ? fail("roots", NULL, r) : take(w, "roots", take_claims);
}

static int take_files(struct warden *w, struct buf *why)
{
	return warden_files_open(w->current.config->state_file, &w->agent_user,
		&w->files, why, &w->current.notes);
}

/* Bound here, not by the agent: its directory is out of the agent's reach, and
 * clients that come while an agent is replaced wait instead of failing. */
static int take_socket(struct warden *w, struct buf *why)
{
	const struct prepare_owner ours = {
		.uid = geteuid(), .gid = getegid(), .mode = 0755};
	const char *path = w->current.config->socket_path;
	mem_autofree char *dir = strdup(path);
	char *slash;
	int r = dir ? 0 : -ENOMEM;

	slash = dir ? strrchr(dir, '/') : NULL;
	if (slash && slash != dir) {
		*slash = '\0';
		r = prepare_dir(dir, &ours, why);
	}
	if (r == 0)
		r = control_socket_open(path, &w->socket);
	if (r == -EADDRINUSE)
		(void)buf_printf(why, "another agent listens on %s", path);
	else if (r < 0 && why->len == 0)
		(void)buf_printf(why, "%s: %s", path, strerror(-r));
	return r;
}

static int catch_signals(struct warden *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->signal_fd < 0 ? -errno : 0;
}

struct agent_order {
	struct warden *w;
	int channel_fd;
	pid_t parent;
};

static int be_agent(void *ctx)
{
	const struct agent_order *order = ctx;
	struct warden *w = order->w;
	const struct agent_start start = {
		.config = mem_take(w->current.config),
		.env = &w->source.env,
		.channel_fd = order->channel_fd,
		.listen_fd = w->socket.fd,
		.notes = w->current.notes.len ? w->current.notes.data : "",
		.version = w->options->version,
	};
	int r = privs_drop(&w->agent_user, PRIVS_AGENT);

	if (r == 0)
		r = privs_die_with(order->parent, SIGKILL);
	if (r < 0) {
		log_note(LOG_ERR, "cannot become user %s: %s",
			w->agent_user.name, strerror(-r));
		return EXIT_FAILURE;
	}
	return agent_run(&start) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int start_agent(struct warden *w)
{
	int ends[2];
	fd_auto int theirs = -1, ours = -1;
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0, ends) < 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	{
		struct agent_order order = {
			.w = w, .channel_fd = theirs, .parent = getpid()};
		const int keep[] = {theirs, w->socket.fd};
		const struct warden_child_order child = {.title = "agent",
			.death_signal = SIGKILL,
			.keep = keep,
			.n_keep = ARRAY_SIZE(keep),
			.run = be_agent,
			.ctx = &order};

		r = warden_child_start(&child, &w->agent);
	}
	if (r < 0)
		return r;
	w->channel_fd = fd_take(&ours);
	w->leave_ns = 0;
	w->agent_start_ns = clock_boot_ns(NULL);
	return 0;
}

static void plan_restart(struct warden *w)
{
	int64_t now_ns = clock_boot_ns(NULL);

	if (now_ns - w->agent_start_ns >= WELL_NS || w->pause_ns == 0)
		w->pause_ns = PAUSE_MIN_NS;
	else
		w->pause_ns = MIN_OF(2 * w->pause_ns, PAUSE_MAX_NS);
	w->next_start_ns = now_ns + w->pause_ns;
	/* A pause is no hang. */
	notify_send(&w->notify, "WATCHDOG=1");
}

static void describe_end(int status, char *ret, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(ret, size, "was killed by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(ret, size, "exited with %d", WEXITSTATUS(status));
}

static void begin_stop(struct warden *w)
{
	if (w->is_stopping)
		return;
	w->is_stopping = true;
	w->stop_ns = clock_boot_ns(NULL) + STOP_NS;
	notify_send(&w->notify, "STOPPING=1");
	warden_serve_signal_jobs(w, SIGTERM);
	if (w->agent > 0)
		kill(w->agent, SIGTERM);
}

static void agent_ended(struct warden *w, int status)
{
	char how[96];

	w->agent = 0;
	w->channel_fd = fd_close(w->channel_fd);
	warden_serve_forget(w);
	if (w->is_stopping)
		return;
	/* What stops the very first start stops every other: whoever started
	 * us has to know (the agent has said why). */
	if (!w->was_ready && WIFEXITED(status) && WEXITSTATUS(status)) {
		w->exit_status = EXIT_FAILURE;
		begin_stop(w);
		return;
	}
	plan_restart(w);
	describe_end(status, how, sizeof(how));
	log_event(MSG_CHILD_LOST, NULL,
		"the agent %s, it is started again in %d s", how,
		(int)(w->pause_ns / CLOCK_NS_PER_S));
}

static void reap_children(struct warden *w)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			return;
		if (pid == w->agent)
			agent_ended(w, status);
		else /* a job, or a child of a survey */
			warden_serve_ended(w, pid, status);
	}
}

static void take_signals(struct warden *w)
{
	struct signalfd_siginfo info;

	while (read(w->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			begin_stop(w);
		else if (info.ssi_signo == SIGHUP)
			warden_serve_hangup(w);
		else
			reap_children(w);
	}
}

/* When something has to be done though nothing happens; -1: never. */
static int64_t next_ns(const struct warden *w)
{
	if (w->is_stopping)
		return w->stop_ns + (w->is_patience_over ? CLOCK_NS_PER_S : 0);
	if (w->reload.is_under_way)
		return w->reload.patience_boot_ns
			       ? w->reload.patience_boot_ns
			       : w->reload.survey.end_boot_ns;
	if (w->agent > 0)
		return w->leave_ns ? w->leave_ns : -1;
	return w->next_start_ns;
}

static int timeout_ms(const struct warden *w)
{
	int64_t at_ns = next_ns(w), left_ns;

	if (at_ns < 0)
		return -1;
	left_ns = at_ns - clock_boot_ns(NULL);
	/* While there is no agent it is us who tell that all is under way. */
	if (w->agent == 0 && !w->is_stopping)
		left_ns = MIN_OF(left_ns, WATCHDOG_NS);
	return left_ns < 0 ? 0 : (int)(left_ns / CLOCK_NS_PER_MS) + 1;
}

static void do_due(struct warden *w)
{
	int64_t now_ns = clock_boot_ns(NULL);

	if (w->is_stopping) {
		if (now_ns < w->stop_ns || w->is_patience_over)
			return;
		w->is_patience_over = true;
		/* Whoever still sleeps on a dead disk after this goes when
		 * it answers. */
		warden_serve_signal_jobs(w, SIGKILL);
		if (w->agent > 0)
			kill(w->agent, SIGKILL);
		return;
	}
	if (w->reload.is_under_way)
		warden_serve_reload(w);
	if (w->agent > 0) {
		if (w->leave_ns && now_ns >= w->leave_ns) {
			w->leave_ns = 0;
			kill(w->agent, SIGKILL);
		}
		return;
	}
	notify_send(&w->notify, "WATCHDOG=1");
	if (now_ns >= w->next_start_ns && start_agent(w) < 0)
		plan_restart(w);
}

static bool is_over(const struct warden *w)
{
	return w->is_stopping &&
	       ((w->agent == 0 && w->n_jobs == 0) ||
		       clock_boot_ns(NULL) > w->stop_ns + CLOCK_NS_PER_S);
}

/* One that has closed its end is about to leave, and may have its state to
 * save; one that speaks another language has nothing to lose. */
static void hear_agent(struct warden *w)
{
	int r = warden_serve_message(w);

	if (r == 0)
		return;
	w->channel_fd = fd_close(w->channel_fd);
	w->leave_ns = clock_boot_ns(NULL) + LEAVE_NS;
	if (r != -EPIPE && w->agent > 0)
		kill(w->agent, SIGKILL);
}

static void turn(struct warden *w)
{
	struct pollfd fds[] = {
		{.fd = w->signal_fd, .events = POLLIN},
		{.fd = w->channel_fd, .events = POLLIN},
		{.fd = w->reload.survey.fd, .events = POLLIN},
	};

	if (poll(fds, ARRAY_SIZE(fds), timeout_ms(w)) < 0)
		return;
	/* Messages first: the last of an agent that has ended count. */
	if (fds[1].revents)
		hear_agent(w);
	if (fds[0].revents)
		take_signals(w);
	do_due(w);
}

static int open_all(struct warden *w)
{
	int r = read_config(w);

	if (r == 0)
		r = find_agent_user(w);
	if (r == 0)
		r = take(w, "state", take_files);
	if (r == 0)
		r = look_at_roots(w);
	if (r == 0)
		r = claim_roots(w);
	if (r == 0)
		r = take(w, "control socket", take_socket);
	return r;
}

/* What was given up does not come back: a reload that would have it marked
 * finds that it may not. */
static bool may_mark(const struct warden *w)
{
	enum watch_with watch = w->current.config->watch;

	return watch == WATCH_WITH_AUTO || watch == WATCH_WITH_FANOTIFY;
}

static int prepare_process(struct warden *w)
{
	int r = notify_open(&w->notify);

	if (r < 0)
		return fail("service manager", NULL, r);
	r = catch_signals(w);
	/* No signal will come of those that ended before: a survey's. */
	reap_children(w);
	if (r == 0 && geteuid() == 0)
		r = privs_drop(NULL,
			may_mark(w) ? PRIVS_MARKING_WARDEN : PRIVS_WARDEN);
	if (r == 0)
		r = start_agent(w);
	return r < 0 ? fail("start", NULL, r) : 0;
}

static void close_all(struct warden *w)
{
	warden_serve_forget(w);
	control_socket_close(&w->socket);
	warden_claims_close(&w->claims);
	warden_files_close(&w->files);
	warden_survey_fini(&w->survey);
	warden_config_fini(&w->current);
	warden_source_fini(&w->source);
	notify_close(&w->notify);
	fd_closep(&w->channel_fd);
	fd_closep(&w->signal_fd);
}

static void warden_init(struct warden *w, const struct warden_options *options)
{
	*w = (struct warden){
		.options = options,
		.survey = SURVEY_NONE,
		.reload.survey = SURVEY_NONE,
		.files = WARDEN_FILES_NONE,
		.claims = WARDEN_CLAIMS_NONE,
		.socket = CONTROL_SOCKET_NONE,
		.notify.fd = -1,
		.signal_fd = -1,
		.channel_fd = -1,
	};
}

int warden_run(const struct warden_options *options)
{
	struct warden w;
	int r;

	beneath_allow_stepwise(true);
	warden_init(&w, options);
	r = open_all(&w);
	if (r == 0)
		r = prepare_process(&w);
	while (r == 0 && !is_over(&w))
		turn(&w);
	close_all(&w);
	return r < 0 ? EXIT_FAILURE : w.exit_status;
}

int warden_prepare(const struct warden_options *options)
{
	struct warden w;
	int r;

	beneath_allow_stepwise(true);
	warden_init(&w, options);
	r = read_config(&w);
	if (r == 0)
		r = find_agent_user(&w);
	if (r == 0)
		r = warden_survey_start(
			w.current.config, &w.agent_user, &w.survey);
	if (r == 0) {
		warden_survey_wait(&w.survey);
		if (w.survey.notes.len)
			fputs(w.survey.notes.data, stderr);
	}
	close_all(&w);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Of users no more is asked than files can tell: the service manager waits for
 * us, and whoever serves other users may wait for it. */
static int read_config_early(struct warden *w)
{
	buf_auto struct buf errors = {0};
	int r;

	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
	r = warden_source_init(w->options, &w->source);
	if (r < 0)
		return fail("configuration", NULL, r);
	w->source.env.is_lenient_user = true;
	r = warden_config_read(&w->source, &w->current, &errors);
	if (r < 0)
		fputs(errors.data, stderr);
	return r;
}

int warden_unit(const struct warden_options *options, const char *unit)
{
	buf_auto struct buf text = {0};
	struct warden w;
	int r;

	warden_init(&w, options);
	r = read_config_early(&w);
	if (r == 0) {
		r = warden_unit_dropin(w.current.config, unit, &text);
		if (r == -ENOENT)
			fprintf(stderr, "ullaged: no unit of ours: %s\n", unit);
	}
	if (r == 0 && text.len)
		fputs(text.data, stdout);
	close_all(&w);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int warden_check(const struct warden_options *options)
{
	struct warden w;
	int r;

	warden_init(&w, options);
	r = read_config(&w);
	if (r == 0) {
		size_t n = w.current.config->n_policies;

		if (w.current.notes.len)
			fputs(w.current.notes.data, stdout);
		printf("%zu polic%s, no errors\n", n, n == 1 ? "y" : "ies");
	}
	close_all(&w);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
