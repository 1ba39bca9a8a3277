// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Directories that a worker is listing and the loop does not know yet: news of
 * them that come meanwhile must not be taken for a stranger's. The one thing
 * here that both threads touch.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct early_item {
	uint64_t hash;
	bool has_news;
};

struct early {
	pthread_mutex_t lock;
	atomic_size_t n; /* for a look without the lock */
	struct early_item *items;
	size_t cap;
};

void early_init(struct early *e);
void early_fini(struct early *e);
/* Any thread, before it lists: news of hash matter. 0 or -ENOMEM. */
int early_add(struct early *e, uint64_t hash);
/* Loop thread: there are some of hash. */
void early_note(struct early *e, uint64_t hash);
/* Loop thread: one add of hash is over. True if news came meanwhile. */
bool early_take(struct early *e, uint64_t hash);
