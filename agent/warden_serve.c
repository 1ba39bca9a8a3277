// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's requests. What comes over the channel is not trusted: numbers
 * are checked, descriptors are only handed on, and each request costs at most
 * one process.
 */
#include "warden_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "channel.h"
#include "warden_ballast.h"
#include "warden_holders.h"
#include "warden_hooks.h"
#include "warden_mark.h"
#include "warden_reap.h"

#define STATUS_MAX	   512
#define REAPER_PATIENCE_NS (5 * CLOCK_NS_PER_S)

struct request {
	struct channel_message m;
	int fds[FD_MAX_PASSED];
};

static void request_fini(struct request *q)
{
	for (size_t i = 0; i < FD_MAX_PASSED; i++)
		fd_closep(&q->fds[i]);
}
#define request_auto mem_cleanup(request_fini)

static void send_message(struct warden *w, const struct channel_message *m,
	const int *fds, size_t n_fds)
{
	int r;

	if (w->channel_fd < 0)
		return;
	r = fd_send(w->channel_fd, m, sizeof(*m), fds, n_fds);
	if (r < 0 && w->agent > 0) {
		/* It has let hundreds of answers lie: it does not run any
		 * more, whatever it does. */
		log_note(LOG_ERR, "the agent takes no answers (%s): killed",
			strerror(-r));
		kill(w->agent, SIGKILL);
	}
}

static void answer(struct warden *w, uint32_t serial, int status,
	const int *fds, size_t n_fds)
{
	const struct channel_message done = {
		.kind = CHANNEL_DONE, .serial = serial, .status = status};

	send_message(w, &done, fds, n_fds);
}

/* An answer that brings a text, and the bundle if there is one. */
static void answer_text(struct warden *w, uint32_t serial, int status,
	const struct buf *text, const struct bundle *bundle)
{
	buf_auto struct buf encoded = {0};
	fd_auto int text_fd = -1, bundle_fd = -1;
	int r = fd_memfile("text", text->data, text->len, &text_fd);

	if (r == 0 && bundle)
		r = bundle_encode(bundle, &encoded);
	if (r == 0 && bundle)
		r = fd_memfile("bundle", encoded.data, encoded.len, &bundle_fd);
	if (r < 0)
		answer(w, serial, r, NULL, 0);
	else
		answer(w, serial, status, (const int[]){text_fd, bundle_fd},
			bundle ? 2 : 1);
}

/* Only memory can be sealed against writing: reading cannot hold us up. (A file
 * on tmpfs has seals too, but that one.) */
static bool is_sealed(int fd)
{
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_WRITE);
}

static size_t n_jobs_of(const struct warden *w, enum job_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_jobs; i++)
		n += w->jobs[i].kind == kind;
	return n;
}

static bool is_being_reaped(const struct warden *w, const char *component)
{
	for (size_t i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].component &&
			strcmp(w->jobs[i].component, component) == 0)
			return true;
	return false;
}

static int start_reaper(struct warden *w, const struct request *q)
{
	const struct config *c = w->current.config;
	struct warden_reap_order order = {.config = c,
		.request = &q->m,
		.plan_fd = q->fds[0],
		.outcome_fd = q->fds[1],
		.audit_fd = -1,
		.panic_path = w->files.panic_path};
	mem_autofree char *component = NULL;
	struct job job = {.kind = JOB_REAPER,
		.is_answered_to = true,
		.serial = q->m.serial,
		.report_fd = -1};
	int r = warden_reap_check(&order);

	if (r < 0)
		return r;
	if (w->n_jobs == WARDEN_MAX_JOBS)
		return -EAGAIN;
	/* Others are about to come into force. */
	if (w->reload.patience_boot_ns)
		return -ESTALE;
	if (is_being_reaped(w, c->policies[q->m.number].component))
		return -EBUSY;
	component = strdup(c->policies[q->m.number].component);
	if (!component)
		return -ENOMEM;
	order.known = warden_survey_known(&w->survey, q->m.number);
	r = warden_files_audit(&w->files, &order.audit_fd);
	if (r == 0)
		r = warden_reap_start(&order, &job.pid);
	if (r < 0)
		return r;
	job.component = mem_take(component);
	w->jobs[w->n_jobs++] = job;
	return 0;
}

static int start_hooks(struct warden *w, const struct request *q)
{
	const struct warden_hooks_order order = {.config = w->current.config,
		.payload_fd = q->fds[0],
		.env_fd = q->fds[1]};
	struct job job = {.kind = JOB_HOOKS,
		.is_answered_to = true,
		.serial = q->m.serial,
		.report_fd = -1};
	int r;

	if (q->fds[0] < 0 || q->fds[1] < 0)
		return -EINVAL;
	if (w->n_jobs == WARDEN_MAX_JOBS ||
		n_jobs_of(w, JOB_HOOKS) >= WARDEN_MAX_HOOKS)
		return -EAGAIN;
	r = warden_hooks_start(&order, &job.pid, &job.report_fd);
	if (r == 0)
		w->jobs[w->n_jobs++] = job;
	return r;
}

/* The report of this one is the group. */
static int start_mark(struct warden *w, const struct request *q)
{
	struct job job = {.kind = JOB_MARK,
		.is_answered_to = true,
		.serial = q->m.serial,
		.report_fd = -1};
	int r;

	if (q->m.digest != w->current.config->digest)
		return -ESTALE;
	if (w->n_jobs == WARDEN_MAX_JOBS)
		return -EAGAIN;
	r = warden_mark_start(w->current.config, q->m.number, q->m.root,
		&job.pid, &job.report_fd);
	if (r == 0)
		w->jobs[w->n_jobs++] = job;
	return r;
}

static bool is_ballast_busy(const struct warden *w, uint64_t dev)
{
	for (size_t i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].kind == JOB_BALLAST && w->jobs[i].dev == dev)
			return true;
	return false;
}

static int start_ballast(struct warden *w, const struct request *q)
{
	fd_auto int report_fd = -1;
	struct warden_ballast_order order = {.config = w->current.config,
		.survey = &w->survey,
		.request = &q->m};
	struct job job = {.kind = JOB_BALLAST,
		.is_answered_to = true,
		.serial = q->m.serial};
	int r = warden_ballast_check(&order, &job.dev);

	if (r < 0)
		return r;
	if (w->n_jobs == WARDEN_MAX_JOBS)
		return -EAGAIN;
	if (is_ballast_busy(w, job.dev))
		return -EBUSY;
	report_fd = memfd_create("ballast", MFD_CLOEXEC);
	if (report_fd < 0)
		return -errno;
	order.report_fd = report_fd;
	r = warden_ballast_start(&order, job.dev, &job.pid);
	if (r < 0)
		return r;
	job.report_fd = fd_take(&report_fd);
	w->jobs[w->n_jobs++] = job;
	return 0;
}

static int start_holders(struct warden *w, const struct request *q)
{
	const struct config *c = w->current.config;
	fd_auto int report_fd = -1;
	struct job job = {.kind = JOB_HOLDERS,
		.is_answered_to = true,
		.serial = q->m.serial};
	int r;

	if (!is_sealed(q->fds[0]) || q->m.number >= c->n_policies)
		return -EINVAL;
	if (q->m.digest != c->digest)
		return -ESTALE;
	if (w->n_jobs == WARDEN_MAX_JOBS || n_jobs_of(w, JOB_HOLDERS))
		return -EAGAIN;
	report_fd = memfd_create("holders", MFD_CLOEXEC);
	if (report_fd < 0)
		return -errno;
	r = warden_holders_start(
		&c->policies[q->m.number], q->fds[0], report_fd, &job.pid);
	if (r < 0)
		return r;
	job.report_fd = fd_take(&report_fd);
	w->jobs[w->n_jobs++] = job;
	return 0;
}

static int start_deleted(struct warden *w, const struct request *q)
{
	fd_auto int report_fd = -1;
	struct job job = {.kind = JOB_DELETED,
		.is_answered_to = true,
		.serial = q->m.serial};
	int r;

	if (q->m.digest != w->current.config->digest)
		return -ESTALE;
	if (w->n_jobs == WARDEN_MAX_JOBS || n_jobs_of(w, JOB_DELETED))
		return -EAGAIN;
	report_fd = memfd_create("deleted", MFD_CLOEXEC);
	if (report_fd < 0)
		return -errno;
	r = warden_deleted_start(
		w->current.config, &w->survey, report_fd, &job.pid);
	if (r < 0)
		return r;
	job.report_fd = fd_take(&report_fd);
	w->jobs[w->n_jobs++] = job;
	return 0;
}

static void reload_fini(struct reload *l)
{
	warden_survey_fini(&l->survey);
	warden_config_fini(&l->next);
}

/* What a reload would say; nothing comes of it. */
static void check_reload(struct warden *w, uint32_t serial)
{
	buf_auto struct buf errors = {0};
	struct warden_config next = {0};
	int r = warden_config_read(&w->source, &next, &errors);

	answer_text(w, serial, r, r < 0 ? &errors : &next.notes, NULL);
	warden_config_fini(&next);
}

/* The new configuration has been read: its roots are looked at beside us,
 * and it is in force when they have been. */
static void start_reload(struct warden *w, uint32_t serial)
{
	buf_auto struct buf errors = {0};
	struct reload *l = &w->reload;
	int r = -EBUSY;

	if (l->is_under_way) {
		answer(w, serial, r, NULL, 0);
		return;
	}
	r = warden_config_read(&w->source, &l->next, &errors);
	if (r == 0)
		r = warden_survey_start(
			l->next.config, &w->agent_user, &l->survey);
	if (r < 0) {
		reload_fini(l);
		answer_text(w, serial, r, &errors, NULL);
		return;
	}
	l->serial = serial;
	l->is_under_way = true;
	warden_serve_reload(w);
}

/* Roots that another agent manages: the old configuration stays. */
static bool refuse_claimed(struct warden *w, uint32_t serial)
{
	buf_auto struct buf why = {0};
	struct reload *l = &w->reload;
	int r = warden_claims_take(
		&w->claims, &l->survey, &why, &l->next.notes);

	if (r == 0)
		return false;
	(void)buf_puts(&why, "\n");
	answer_text(w, serial, r, &why, NULL);
	reload_fini(l);
	*l = (struct reload){.survey = SURVEY_NONE};
	return true;
}

static void signal_reapers(const struct warden *w, int signo)
{
	for (size_t i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].kind == JOB_REAPER)
			kill(w->jobs[i].pid, signo);
}

/* Nobody deletes by a policy that is no more: a reaper finishes the file at
 * hand, or is killed, which loses nothing either. False: one is left. */
static bool have_reapers_gone(struct warden *w)
{
	struct reload *l = &w->reload;
	int64_t now_ns = clock_boot_ns(NULL);

	if (!n_jobs_of(w, JOB_REAPER))
		return true;
	if (!l->patience_boot_ns) {
		l->patience_boot_ns = now_ns + REAPER_PATIENCE_NS;
		signal_reapers(w, SIGTERM);
	} else if (now_ns >= l->patience_boot_ns) {
		l->patience_boot_ns = now_ns + REAPER_PATIENCE_NS;
		signal_reapers(w, SIGKILL);
	}
	return false;
}

void warden_serve_reload(struct warden *w)
{
	struct reload *l = &w->reload;
	uint32_t serial = l->serial;

	if (!warden_survey_step(&l->survey))
		return;
	if (!l->patience_boot_ns && refuse_claimed(w, serial))
		return;
	if (!have_reapers_gone(w))
		return;
	(void)buf_put(
		&l->next.notes, l->survey.notes.data, l->survey.notes.len);
	warden_ballast_leave(w->current.config, &w->survey, l->next.config);
	warden_config_fini(&w->current);
	warden_survey_fini(&w->survey);
	w->current = l->next;
	w->survey = l->survey;
	*l = (struct reload){.survey = SURVEY_NONE};
	answer_text(w, serial, 0, &w->current.notes, &w->current.bundle);
}

static void take_status(struct warden *w, int fd)
{
	char text[STATUS_MAX + 1];
	ssize_t n;

	if (!is_sealed(fd))
		return;
	n = pread(fd, text, STATUS_MAX, 0);
	if (n <= 0)
		return;
	text[n] = '\0';
	notify_status(&w->notify, text);
}

/* A child, which the agent is told of once it has ended. */
static int start_child(struct warden *w, const struct request *q)
{
	if (w->is_stopping)
		return -ECANCELED;
	switch (q->m.kind) {
	case CHANNEL_REAP:
	case CHANNEL_TRASH:
		return start_reaper(w, q);
	case CHANNEL_HOOKS:
		return start_hooks(w, q);
	case CHANNEL_MARK:
		return start_mark(w, q);
	case CHANNEL_HOLDERS:
		return start_holders(w, q);
	case CHANNEL_BALLAST:
		return start_ballast(w, q);
	case CHANNEL_DELETED:
		return start_deleted(w, q);
	default:
		return -EOPNOTSUPP;
	}
}

static void serve(struct warden *w, const struct request *q)
{
	int r = 0;

	switch (q->m.kind) {
	case CHANNEL_RELOAD:
		if (q->m.is_dry_run)
			check_reload(w, q->m.serial);
		else
			start_reload(w, q->m.serial);
		break;
	case CHANNEL_READY:
		w->was_ready = true;
		notify_send(&w->notify, "READY=1");
		break;
	case CHANNEL_STATUS:
		take_status(w, q->fds[0]);
		break;
	case CHANNEL_ALIVE:
		notify_send(&w->notify, "WATCHDOG=1");
		break;
	default:
		r = start_child(w, q);
	}
	if (r < 0)
		answer(w, q->m.serial, r, NULL, 0);
}

int warden_serve_message(struct warden *w)
{
	request_auto struct request q = {.fds = {-1, -1, -1, -1}};
	ssize_t n = fd_recv(w->channel_fd, &q.m, sizeof(q.m), q.fds);

	if (n == -EAGAIN)
		return 0;
	if (n != (ssize_t)sizeof(q.m))
		return n == 0 || n == -ECONNRESET ? -EPIPE : -EBADMSG;
	serve(w, &q);
	return 0;
}

void warden_serve_ended(struct warden *w, pid_t pid, int status)
{
	size_t i = 0;
	struct job job;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;

	while (i < w->n_jobs && w->jobs[i].pid != pid)
		i++;
	if (i == w->n_jobs)
		return;
	job = w->jobs[i];
	w->jobs[i] = w->jobs[--w->n_jobs];
	if (job.is_answered_to) {
		if (job.report_fd >= 0)
			(void)lseek(job.report_fd, 0, SEEK_SET);
		answer(w, job.serial, code, &job.report_fd,
			job.report_fd >= 0 ? 1 : 0);
	}
	free(job.component);
	fd_close(job.report_fd);
	if (w->reload.patience_boot_ns)
		warden_serve_reload(w);
}

void warden_serve_hangup(struct warden *w)
{
	const struct channel_message m = {.kind = CHANNEL_HANGUP};

	send_message(w, &m, NULL, 0);
}

void warden_serve_signal_jobs(struct warden *w, int signo)
{
	for (size_t i = 0; i < w->n_jobs; i++)
		kill(w->jobs[i].pid, signo);
}

void warden_serve_forget(struct warden *w)
{
	for (size_t i = 0; i < w->n_jobs; i++) {
		w->jobs[i].is_answered_to = false;
		/* An alert that is on its way may arrive. */
		if (w->jobs[i].kind == JOB_REAPER)
			kill(w->jobs[i].pid, SIGKILL);
	}
	reload_fini(&w->reload);
	w->reload = (struct reload){.survey = SURVEY_NONE};
}
