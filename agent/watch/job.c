// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/job.h"

#include <stdlib.h>

#include "watch/watch.h"

struct job *job_new(enum job_kind kind)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->kind = kind;
	job->hash_mask = UINT64_MAX;
	return job;
}

struct job *job_free(struct job *job)
{
	if (!job)
		return NULL;
	if (job->has_watch_ref)
		job->ops->unref(job->watch);
	free(job->root_path);
	free(job->rel);
	buf_fini(&job->names);
	free(job->notes);
	free(job->hashes);
	free(job);
	return NULL;
}

struct result *result_free(struct result *r)
{
	if (!r)
		return NULL;
	if (r->is_last)
		job_free(r->job);
	free(r->obs);
	buf_fini(&r->text);
	free(r);
	return NULL;
}

void job_queue_init(struct job_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

void job_queue_put(struct job_queue *q, struct result *r)
{
	r->next = NULL;
	*q->tail = r;
	q->tail = &r->next;
}

struct result *job_queue_cut(struct job_queue *q, struct result **at)
{
	struct result *r = *at;

	*at = r->next;
	if (!*at)
		q->tail = at;
	r->next = NULL;
	return r;
}

void job_queue_free(struct job_queue *q)
{
	while (q->head)
		result_free(job_queue_cut(q, &q->head));
}
