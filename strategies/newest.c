// SPDX-License-Identifier: GPL-2.0-or-later
#include "strategies/newest.h"

#include "base/mem.h"
#include "strategies/judge.h"

void newest_fini(struct newest *n)
{
	for (size_t t = 0; t < N_STYPES; t++)
		free(n->types[t].files);
	*n = (struct newest){0};
}

static struct newest_file file_of(
	const struct strategy_order *order, const struct index_item *item)
{
	return (struct newest_file){
		.stamp_s = judge_stamp(order->rules, item),
		.entry = item->entry,
	};
}

static bool is_newer(const struct newest_file *a, const struct newest_file *b)
{
	return a->stamp_s != b->stamp_s ? a->stamp_s > b->stamp_s
					: a->entry < b->entry;
}

/* Moves files[0] down to where it belongs. */
static void sink(struct newest_file *files, size_t n)
{
	struct newest_file moved = files[0];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && is_newer(&files[child], &files[child + 1]))
			child++;
		if (!is_newer(&moved, &files[child]))
			break;
		files[i] = files[child];
	}
	files[i] = moved;
}

static void rise(struct newest_file *files, size_t i)
{
	struct newest_file moved = files[i];

	for (; i > 0 && is_newer(&files[(i - 1) / 2], &moved); i = (i - 1) / 2)
		files[i] = files[(i - 1) / 2];
	files[i] = moved;
}

int newest_offer(struct newest *n, const struct strategy_order *order,
	struct index_item *item)
{
	__typeof__(&n->types[0]) heap = &n->types[item->type];
	struct newest_file file = file_of(order, item);
	uint32_t oldest;
	int r;

	if (heap->n >= order->rules->keep_newest[item->type]) {
		if (heap->n == 0 || !is_newer(&file, &heap->files[0]))
			return 0;
		oldest = heap->files[0].entry;
		heap->files[0] = file;
		sink(heap->files, heap->n);
		index_get(order->index, oldest, item);
		return 0;
	}
	r = mem_grow((void **)&heap->files, &heap->cap, heap->n + 1,
		sizeof(*heap->files));
	if (r < 0)
		return r;
	heap->files[heap->n] = file;
	rise(heap->files, heap->n++);
	return NEWEST_E_KEPT;
}

bool newest_has(
	const struct strategy_order *order, const struct index_item *item)
{
	uint32_t keep = order->rules->keep_newest[item->type];
	struct newest_file file = file_of(order, item), rival;
	struct index_item other;
	uint32_t cursor = 0;
	uint32_t n_newer = 0;

	if (keep == 0)
		return false;
	while (n_newer < keep && index_next(order->index, &cursor, &other)) {
		rival = file_of(order, &other);
		n_newer += other.type == item->type &&
			   judge_kind(&other) == REASON_DELETED &&
			   is_newer(&rival, &file);
	}
	return n_newer < keep;
}
