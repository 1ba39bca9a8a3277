// SPDX-License-Identifier: GPL-2.0-or-later
#include "measure_place.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

int place_set_up(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));

	strcpy(p->path, "/tmp/ullage-test.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
	assert_int_equal(measure_new(2, &p->m), 0);
	*state = p;
	return 0;
}

void place_forget(struct place *p)
{
	while (p->results) {
		struct result *next = p->results->next;

		result_free(p->results);
		p->results = next;
	}
}

int place_tear_down(void **state)
{
	struct place *p = *state;
	char command[128];

	fd_close(p->fd);
	place_forget(p);
	assert_null(measure_free(p->m));
	snprintf(command, sizeof(command), "rm -rf %s", p->path);
	assert_int_equal(system(command), 0);
	test_free(p);
	return 0;
}

void place_file(struct place *p, const char *name, size_t size)
{
	int fd = openat(p->fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	char byte = 'x';

	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(write(fd, &byte, 1), 1);
	close(fd);
}

struct job *place_job(struct place *p, enum job_kind kind, const char *rel)
{
	struct job *job = job_new(kind);

	assert_non_null(job);
	job->root_path = strdup(p->path);
	job->rel = strdup(rel);
	job->dir = 42;
	return job;
}

void place_add_name(struct job *job, const char *name)
{
	buf_put(&job->names, name, strlen(name) + 1);
	job->n_names++;
}

void place_wait(struct place *p)
{
	struct pollfd poll_fd = {measure_fd(p->m), POLLIN, 0};

	assert_int_equal(poll(&poll_fd, 1, 30000), 1);
}

struct result *place_run(struct place *p, struct job *job)
{
	struct result **tail = &p->results;

	place_forget(p);
	assert_int_equal(measure_submit(p->m, job), 0);
	for (;;) {
		place_wait(p);
		*tail = measure_take(p->m);
		for (; *tail; tail = &(*tail)->next)
			if ((*tail)->is_last)
				return *tail;
	}
}

const struct observation *place_find(struct place *p, const char *name)
{
	for (struct result *r = p->results; r; r = r->next)
		for (size_t i = 0; i < r->n_obs; i++)
			if (!strcmp(r->obs[i].name, name))
				return &r->obs[i];
	return NULL;
}

size_t place_count(struct place *p)
{
	size_t n = 0;

	for (struct result *r = p->results; r; r = r->next)
		n += r->n_obs;
	return n;
}

void place_links(struct place *p, const char *dir, int n)
{
	char name[64];

	place_file(p, "one", 1);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/link-%010d", dir, i);
		assert_int_equal(linkat(p->fd, "one", p->fd, name, 0), 0);
	}
}

void place_unlink(struct place *p, const char *dir, int n)
{
	char name[64];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/link-%010d", dir, i);
		assert_int_equal(unlinkat(p->fd, name, 0), 0);
	}
}
