// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An agent that has been taken over, seen from the warden: messages of any
 * bytes and lengths, with any descriptors. Nothing is started but what was
 * asked for properly, once for each component; nothing is left open; the
 * service manager gets one line.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "channel.h"
#include "model/goal.h"
#include "warden_child.h"
#include "warden_impl.h"

#define DIGEST UINT64_C(0x1122334455667788)

static struct policy policies[] = {
	{.component = (char *)"alpha"},
	{.component = (char *)"beta"},
};
static struct config config = {
	.policies = policies,
	.n_policies = ARRAY_SIZE(policies),
	.digest = DIGEST,
	.hooks_dir = (char *)"/nowhere",
};
static struct admitted known[ARRAY_SIZE(policies)];
static pid_t last_pid;

/* Nothing is started, read or killed here. */
int __wrap_warden_child_start(
	const struct warden_child_order *order, pid_t *ret_pid);
int __wrap_warden_config_read(
	struct warden_source *s, struct warden_config *ret, struct buf *errors);
int __wrap_warden_files_audit(struct warden_files *f, int *ret_fd);
int __wrap_kill(pid_t pid, int signo);

int __wrap_warden_child_start(
	const struct warden_child_order *order, pid_t *ret_pid)
{
	for (size_t i = 0; i < order->n_keep; i++)
		must(order->keep[i] == -1 ||
			fcntl(order->keep[i], F_GETFD) >= 0);
	*ret_pid = ++last_pid;
	return 0;
}

int __wrap_warden_config_read(
	struct warden_source *s, struct warden_config *ret, struct buf *errors)
{
	(void)s;
	(void)ret;
	must(buf_puts(errors, "f:1:1: /: no") == 0);
	return -EINVAL;
}

int __wrap_warden_files_audit(struct warden_files *f, int *ret_fd)
{
	(void)f;
	*ret_fd = -1;
	return 0;
}

int __wrap_kill(pid_t pid, int signo)
{
	(void)signo;
	must(pid > 0 && pid <= last_pid);
	return 0;
}

struct scene {
	struct warden w;
	int agent; /* its end of the channel */
	int manager; /* the service manager's socket */
	int sealed, plain; /* what there is to send */
};

static int memfile(const char *text)
{
	int fd = memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static void begin(struct scene *s, struct input *in)
{
	mem_autofree char *status = input_string(in, 600);
	int channel[2], notify[2];

	*s = (struct scene){
		.w = {.current = {.config = &config},
			.survey = {.fd = -1, .config = &config, .known = known},
			.files = WARDEN_FILES_NONE,
			.reload = {.survey = SURVEY_NONE}}};
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, channel) ==
		0);
	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, notify) == 0);
	s->w.channel_fd = channel[0];
	s->agent = channel[1];
	s->w.notify.fd = notify[0];
	s->manager = notify[1];
	must(fd_memfile("sealed", status, strlen(status), &s->sealed) == 0);
	s->plain = memfile(status);
}

static void end(struct scene *s)
{
	while (s->w.n_jobs)
		warden_serve_ended(&s->w, s->w.jobs[0].pid, 0);
	warden_serve_forget(&s->w);
	fd_close(s->w.channel_fd);
	fd_close(s->w.notify.fd);
	fd_close(s->agent);
	fd_close(s->manager);
	fd_close(s->sealed);
	fd_close(s->plain);
}

/* One line each, and never more than one assignment but what we say. */
static void hear_manager(struct scene *s)
{
	char text[2048];
	ssize_t n = recv(s->manager, text, sizeof(text) - 1, 0);

	if (n < 0)
		return;
	text[n] = '\0';
	if (strncmp(text, "STATUS=", 7) != 0)
		must(!strcmp(text, "READY=1") || !strcmp(text, "WATCHDOG=1"));
	for (ssize_t i = 0; i < n; i++)
		must((unsigned char)text[i] >= 0x20);
}

/* Every answer is a DONE, of the serial that was asked. */
static void hear_agent(struct scene *s, uint32_t serial)
{
	struct channel_message m;
	int fds[FD_MAX_PASSED];

	for (;;) {
		ssize_t n = fd_recv(s->agent, &m, sizeof(m), fds);

		if (n < 0)
			return;
		must(n == sizeof(m) && m.kind == CHANNEL_DONE);
		must(m.serial == serial);
		for (size_t i = 0; i < FD_MAX_PASSED; i++)
			fd_close(fds[i]);
	}
}

static void must_be_proper(const struct warden *w)
{
	size_t n_hooks = 0;

	must(w->n_jobs <= WARDEN_MAX_JOBS);
	for (size_t i = 0; i < w->n_jobs; i++) {
		const struct job *job = &w->jobs[i];

		n_hooks += job->kind == JOB_HOOKS;
		for (size_t k = 0; job->component && k < i; k++)
			must(!w->jobs[k].component ||
				strcmp(w->jobs[k].component, job->component));
	}
	must(n_hooks <= WARDEN_MAX_HOOKS);
}

/* What no child of this kind is started without. */
static size_t n_fds_of(uint32_t kind)
{
	switch (kind) {
	case CHANNEL_REAP:
	case CHANNEL_TRASH:
	case CHANNEL_HOOKS:
		return 2;
	case CHANNEL_HOLDERS:
		return 1;
	default:
		return 0;
	}
}

static void send_message(struct scene *s, struct input *in)
{
	/* Up to seven bytes more than a message has. */
	struct {
		struct channel_message m;
		char more[8];
	} sent = {0};
	struct channel_message *m = &sent.m;
	uint8_t what = input_byte(in), which = input_byte(in);
	size_t len,
		room = what & 1 ? input_byte(in) % sizeof(sent) : sizeof(*m);
	const void *bytes = input_run(in, room, &len);
	size_t n_jobs = s->w.n_jobs, n_fds = which % (FD_MAX_PASSED + 1);
	int fds[FD_MAX_PASSED], r;

	if (len)
		memcpy(&sent, bytes, len);
	if (what & 2)
		m->digest = DIGEST;
	s->w.is_stopping = what & 4;
	for (size_t i = 0; i < n_fds; i++)
		fds[i] = which >> (3 + i) & 1 ? s->sealed : s->plain;
	if (fd_send(s->agent, &sent, room, fds, n_fds) < 0)
		return;
	r = warden_serve_message(&s->w);
	must(r == 0 || r == -EPIPE || r == -EBADMSG);
	if (s->w.n_jobs > n_jobs)
		must(n_fds >= n_fds_of(m->kind) && !s->w.is_stopping && r == 0);
	must_be_proper(&s->w);
	hear_agent(s, m->serial);
	hear_manager(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct scene s;
	int before = dup(0), after;

	close(before);
	last_pid = 0;
	begin(&s, &in);
	while (in.left) {
		uint8_t what = input_byte(&in);

		if (what < 0xc0 || !s.w.n_jobs) {
			send_message(&s, &in);
			continue;
		}
		what %= s.w.n_jobs;
		{
			const struct job job = s.w.jobs[what];

			warden_serve_ended(&s.w, job.pid, input_byte(&in) << 8);
			hear_agent(&s, job.serial);
		}
	}
	end(&s);
	after = dup(0);
	close(after);
	must(before == after);
	return 0;
}
