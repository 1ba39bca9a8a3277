// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_survey.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "prepare.h"
#include "warden_child.h"
#include "warden_unit.h"

#define SURVEY_TIME_NS	(10 * CLOCK_NS_PER_S)
#define SURVEY_CHILDREN 16

/* What a child found of one root. Fits PIPE_BUF: arrives whole. */
struct finding {
	uint32_t root; /* position in known */
	int32_t error;
	struct admitted admitted;
	char note[512]; /* "": nothing to say */
};

struct surveyor {
	const struct config *config;
	const struct account *agent;
	size_t first, stride; /* which policies are its own */
	int fd;
};

static size_t first_root(const struct config *c, size_t policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy; i++)
		n += c->policies[i].n_roots;
	return n;
}

/* A path that the unit's fence leaves out, or a filesystem that is read-only:
 * the note names the remedy of the former. */
static void look_at_fence(const struct root *root, struct buf *note)
{
	struct statvfs fs;

	if (!warden_unit_is_fenced() || statvfs(root->path, &fs) < 0 ||
		!(fs.f_flag & ST_RDONLY))
		return;
	buf_reset(note);
	(void)buf_printf(note,
		"%s: nothing is deleted here: this unit may not write to it; "
		"if a policy has named it lately: " WARDEN_UNIT_REMEDY,
		root->path);
}

static void look(const struct policy *p, const struct root *root,
	const struct account *owner, struct finding *f)
{
	buf_auto struct buf note = {0};

	f->error = prepare_root(root, owner->uid, owner->gid, &note);
	if (f->error == 0) {
		f->error = admit_root(root->path, NULL, &f->admitted, NULL);
		if (f->error && note.len == 0)
			(void)buf_printf(&note, "%s: %s", root->path,
				strerror(-f->error));
	}
	if (f->error == 0 && note.len == 0)
		prepare_quarantine(p, root, &note);
	look_at_fence(root, &note);
	if (note.len)
		snprintf(f->note, sizeof(f->note), "%s", note.data);
}

static void look_at_policy(const struct surveyor *s, size_t at)
{
	const struct policy *p = &s->config->policies[at];
	struct account owner = *s->agent;
	size_t first = first_root(s->config, at);

	/* An ordinary user can own for nobody else. */
	if (p->user && geteuid() == 0 && privs_find_user(p->user, &owner) < 0)
		owner = *s->agent;
	for (size_t i = 0; i < p->n_roots; i++) {
		struct finding f = {.root = (uint32_t)(first + i)};

		look(p, &p->roots[i], &owner, &f);
		(void)fd_write_full(s->fd, &f, sizeof(f));
	}
}

static int run_surveyor(void *ctx)
{
	const struct surveyor *s = ctx;

	for (size_t i = s->first; i < s->config->n_policies; i += s->stride)
		look_at_policy(s, i);
	return EXIT_SUCCESS;
}

static int start_children(
	const struct config *config, const struct account *agent, int fd)
{
	struct surveyor s = {.config = config,
		.agent = agent,
		.stride = MIN_OF(config->n_policies, SURVEY_CHILDREN),
		.fd = fd};
	const struct warden_child_order order = {.title = "survey",
		.death_signal = SIGKILL,
		.keep = &fd,
		.n_keep = 1,
		.run = run_surveyor,
		.ctx = &s};

	for (s.first = 0; s.first < s.stride; s.first++) {
		pid_t pid;
		int r = warden_child_start(&order, &pid);

		if (r < 0)
			return r;
	}
	return 0;
}

int warden_survey_start(const struct config *config,
	const struct account *agent, struct survey *ret)
{
	struct survey s = SURVEY_NONE;
	fd_auto int out = -1;
	int ends[2];
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	s.fd = ends[0];
	out = ends[1];
	s.config = config;
	s.end_boot_ns = clock_boot_ns(NULL) + SURVEY_TIME_NS;
	s.n_roots = first_root(config, config->n_policies);
	s.known = calloc(s.n_roots + 1, sizeof(*s.known));
	s.is_answered = calloc(s.n_roots + 1, sizeof(*s.is_answered));
	r = s.known && s.is_answered ? 0 : -ENOMEM;
	if (r == 0 && fcntl(s.fd, F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r == 0)
		r = start_children(config, agent, out);
	if (r < 0) {
		warden_survey_fini(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void warden_survey_fini(struct survey *s)
{
	fd_closep(&s->fd);
	free(s->known);
	free(s->is_answered);
	buf_fini(&s->notes);
	*s = SURVEY_NONE;
}

static const struct policy *policy_of_root(const struct config *c, size_t root)
{
	size_t i = 0;

	while (root >= c->policies[i].n_roots)
		root -= c->policies[i++].n_roots;
	return &c->policies[i];
}

static void take(struct survey *s, const struct finding *f)
{
	if (f->root >= s->n_roots)
		return;
	s->is_answered[f->root] = true;
	if (f->error == 0)
		s->known[f->root] = f->admitted;
	if (f->note[0])
		(void)buf_printf(&s->notes, "%s: %.*s\n",
			policy_of_root(s->config, f->root)->component,
			(int)sizeof(f->note), f->note);
}

static const char *path_of_root(const struct config *c, size_t root)
{
	const struct policy *p = policy_of_root(c, root);

	return p->roots[root - first_root(c, (size_t)(p - c->policies))].path;
}

/* One directory by two paths (a bind mount) would be judged by two policies:
 * the later one does not know it. */
static void forget_doubles(struct survey *s)
{
	for (size_t i = 1; i < s->n_roots; i++)
		for (size_t k = 0; k < i && s->known[i].id.ino; k++)
			if (identity_equal(&s->known[i].id, &s->known[k].id)) {
				(void)buf_printf(&s->notes,
					"%s: %s is the same directory as %s; "
					"nothing is deleted by this path\n",
					policy_of_root(s->config, i)->component,
					path_of_root(s->config, i),
					path_of_root(s->config, k));
				s->known[i] = (struct admitted){0};
			}
}

/* Names the roots that have not answered. */
static void conclude(struct survey *s)
{
	size_t at = 0;

	s->fd = fd_close(s->fd);
	forget_doubles(s);
	for (size_t i = 0; i < s->config->n_policies; i++) {
		const struct policy *p = &s->config->policies[i];

		for (size_t j = 0; j < p->n_roots; j++, at++)
			if (!s->is_answered[at])
				(void)buf_printf(&s->notes,
					"%s: %s: does not answer; nothing is "
					"deleted there until a reload\n",
					p->component, p->roots[j].path);
	}
}

bool warden_survey_step(struct survey *s)
{
	while (s->fd >= 0) {
		struct finding f;
		ssize_t n = read(s->fd, &f, sizeof(f));

		if (n == (ssize_t)sizeof(f)) {
			take(s, &f);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN &&
			clock_boot_ns(NULL) < s->end_boot_ns)
			return false;
		conclude(s);
	}
	return true;
}

void warden_survey_wait(struct survey *s)
{
	while (!warden_survey_step(s)) {
		struct pollfd fd = {.fd = s->fd, .events = POLLIN};
		int64_t left_ns = s->end_boot_ns - clock_boot_ns(NULL);

		(void)poll(&fd, 1, (int)(left_ns / CLOCK_NS_PER_MS) + 1);
	}
}

const struct admitted *warden_survey_known(
	const struct survey *s, size_t policy)
{
	return s->known + first_root(s->config, policy);
}
