// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Lists of jobs on their way, each in the result that will end it, and of
 * results on their way back. The lists own what is in them. */

#include "watch/measure.h"

struct job_queue {
	struct result *head;
	struct result **tail;
};

void job_queue_init(struct job_queue *q);
void job_queue_put(struct job_queue *q, struct result *r);
/* Takes out the one that *at, a link of the list, points to. */
struct result *job_queue_cut(struct job_queue *q, struct result **at);
void job_queue_free(struct job_queue *q);
