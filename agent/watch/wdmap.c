// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/wdmap.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAGE_SLOTS 1022 /* with the count just under 4 KiB */

/* What a slot says, beside a directory plus FIRST_DIR. */
enum { UNKNOWN, EARLY, DEAD, FIRST_DIR };

struct wdmap_page {
	uint32_t n_used; /* slots early or bound */
	uint32_t slots[PAGE_SLOTS];
};

/* Stands where a page was in which nothing lives any more. */
static struct wdmap_page dead_page;

static bool is_real(const struct wdmap_page *page)
{
	return page && page != &dead_page;
}

void wdmap_fini(struct wdmap *m)
{
	for (size_t i = 0; i < m->n_pages; i++)
		if (is_real(m->pages[i]))
			free(m->pages[i]);
	free(m->pages);
	free(m->wds);
	*m = (struct wdmap){0};
}

static uint32_t get(const struct wdmap *m, int wd)
{
	size_t p = (size_t)wd / PAGE_SLOTS;

	if (p >= m->n_pages || !m->pages[p])
		return UNKNOWN;
	if (m->pages[p] == &dead_page)
		return DEAD;
	return m->pages[p]->slots[wd % PAGE_SLOTS];
}

/* A page to write to. One that was dead comes back with its dead. */
static struct wdmap_page *need_page(struct wdmap *m, size_t p)
{
	struct wdmap_page *page;

	if (mem_grow_zeroed((void **)&m->pages, &m->n_pages, p + 1,
		    sizeof(*m->pages)) < 0)
		return NULL;
	if (is_real(m->pages[p]))
		return m->pages[p];
	page = calloc(1, sizeof(*page));
	if (!page)
		return NULL;
	for (size_t i = 0; m->pages[p] && i < PAGE_SLOTS; i++)
		page->slots[i] = DEAD;
	return m->pages[p] = page;
}

/* Descriptors to come have numbers above the newest: their page stays. */
static void drop_if_dead(struct wdmap *m, size_t p)
{
	struct wdmap_page *page = p < m->n_pages ? m->pages[p] : NULL;

	if (!is_real(page) || page->n_used ||
		p == (size_t)m->newest / PAGE_SLOTS)
		return;
	free(page);
	m->pages[p] = &dead_page;
}

static bool is_used(uint32_t value)
{
	return value == EARLY || value >= FIRST_DIR;
}

static int set(struct wdmap *m, int wd, uint32_t value)
{
	size_t p = (size_t)wd / PAGE_SLOTS;
	struct wdmap_page *page = need_page(m, p);
	uint32_t *slot;

	if (!page)
		return -ENOMEM;
	slot = &page->slots[wd % PAGE_SLOTS];
	page->n_used += is_used(value);
	page->n_used -= is_used(*slot);
	*slot = value;
	drop_if_dead(m, p);
	return 0;
}

/* Takes note of a new descriptor, also of the first ones of a new round. */
static void advance(struct wdmap *m, int wd)
{
	size_t p = (size_t)m->newest / PAGE_SLOTS;

	if (wd <= m->newest && m->newest - wd <= INT_MAX / 2)
		return;
	m->newest = wd;
	drop_if_dead(m, p);
}

uint32_t wdmap_dir(const struct wdmap *m, int wd)
{
	uint32_t value = get(m, wd);

	return value >= FIRST_DIR ? value - FIRST_DIR : WDMAP_NO_DIR;
}

int wdmap_wd(const struct wdmap *m, uint32_t dir)
{
	return dir < m->n_wds && m->wds[dir] ? m->wds[dir] : WDMAP_NO_WD;
}

/*
 * A dead descriptor comes to be bound when its directory went, or was given
 * up, between the worker's look and now. The caller looks again; if that
 * brings the same descriptor, it lives: its page was given up too early, or
 * the kernel has begun a new round.
 */
static bool is_doubted_again(struct wdmap *m, int wd)
{
	for (size_t i = 0; i < WDMAP_DOUBTS; i++) {
		if (m->doubts[i] != wd)
			continue;
		m->doubts[i] = 0;
		return true;
	}
	m->doubts[m->n_doubts++ % WDMAP_DOUBTS] = wd;
	return false;
}

/* Takes wd from the directory that has it. */
static void unbind(struct wdmap *m, int wd)
{
	uint32_t dir = wdmap_dir(m, wd);

	if (dir == WDMAP_NO_DIR)
		return;
	m->wds[dir] = 0;
	m->n_bound--;
}

static int bind_fresh(struct wdmap *m, int wd, uint32_t dir, int *ret_old)
{
	int old = wdmap_wd(m, dir), r;

	r = mem_grow_zeroed(
		(void **)&m->wds, &m->n_wds, (size_t)dir + 1, sizeof(*m->wds));
	if (r < 0)
		return r;
	if (!need_page(m, (size_t)wd / PAGE_SLOTS))
		return -ENOMEM;
	/* From here on every page is there: nothing can fail. */
	if (old != WDMAP_NO_WD)
		wdmap_kill(m, old);
	unbind(m, wd);
	set(m, wd, dir + FIRST_DIR);
	m->wds[dir] = wd;
	m->n_bound++;
	*ret_old = old;
	return 0;
}

int wdmap_bind(struct wdmap *m, int wd, uint32_t dir, int *ret_old)
{
	uint32_t before;
	int r;

	if (wd <= 0 || dir >= WDMAP_NO_DIR - FIRST_DIR)
		return -EINVAL;
	advance(m, wd);
	before = get(m, wd);
	if (before == dir + FIRST_DIR ||
		(before == DEAD && !is_doubted_again(m, wd))) {
		*ret_old = WDMAP_NO_WD;
		return before == DEAD;
	}
	r = bind_fresh(m, wd, dir, ret_old);
	return r < 0 ? r : before == EARLY || before == DEAD;
}

int wdmap_note(struct wdmap *m, int wd)
{
	advance(m, wd);
	return get(m, wd) == UNKNOWN ? set(m, wd, EARLY) : 0;
}

int wdmap_kill(struct wdmap *m, int wd)
{
	advance(m, wd);
	if (get(m, wd) == DEAD)
		return 0;
	unbind(m, wd);
	return set(m, wd, DEAD);
}

size_t wdmap_memory(const struct wdmap *m)
{
	size_t n = m->n_pages * sizeof(*m->pages) + m->n_wds * sizeof(*m->wds);

	for (size_t i = 0; i < m->n_pages; i++)
		n += is_real(m->pages[i]) ? sizeof(*m->pages[i]) : 0;
	return n;
}
