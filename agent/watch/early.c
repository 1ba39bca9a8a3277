// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/early.h"

#include <stdlib.h>

#include "base/mem.h"

void early_init(struct early *e)
{
	*e = (struct early){0};
	pthread_mutex_init(&e->lock, NULL);
}

void early_fini(struct early *e)
{
	pthread_mutex_destroy(&e->lock);
	free(e->items);
}

int early_add(struct early *e, uint64_t hash)
{
	int r;

	pthread_mutex_lock(&e->lock);
	r = mem_grow((void **)&e->items, &e->cap, e->n + 1, sizeof(*e->items));
	if (r == 0)
		e->items[e->n++] = (struct early_item){.hash = hash};
	pthread_mutex_unlock(&e->lock);
	return r;
}

void early_note(struct early *e, uint64_t hash)
{
	/* Whatever is added after this look lists after it, too: what the
	 * news are about has happened before. */
	if (!e->n)
		return;
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n; i++)
		if (e->items[i].hash == hash)
			e->items[i].has_news = true;
	pthread_mutex_unlock(&e->lock);
}

bool early_take(struct early *e, uint64_t hash)
{
	bool has_news = false;
	size_t i = 0;

	pthread_mutex_lock(&e->lock);
	while (i < e->n && e->items[i].hash != hash)
		i++;
	if (i < e->n) {
		has_news = e->items[i].has_news;
		e->items[i] = e->items[--e->n];
	}
	pthread_mutex_unlock(&e->lock);
	return has_news;
}
