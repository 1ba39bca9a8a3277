// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Which directory an inotify watch descriptor stands for, and back. Plain
 * memory, loop thread only; knows nothing of system calls.
 *
 * The kernel hands descriptors out in rising order and uses none again
 * before 2^31 others. So a table by descriptor, in pages, stays dense, and a
 * page in which nothing lives any more is freed. A watched directory costs
 * 4 bytes by descriptor and 4 by directory.
 */

#include <stddef.h>
#include <stdint.h>

#define WDMAP_NO_DIR UINT32_MAX
#define WDMAP_NO_WD  (-1)
#define WDMAP_DOUBTS 64

struct wdmap_page;

struct wdmap {
	struct wdmap_page **pages; /* by descriptor */
	size_t n_pages;
	int *wds; /* by directory; 0: none */
	size_t n_wds;
	int newest; /* descriptor seen */
	size_t n_bound;
	int doubts[WDMAP_DOUBTS]; /* bound though known as dead, lately */
	size_t n_doubts;
};

void wdmap_fini(struct wdmap *m);

/* The directory that wd is bound to, or WDMAP_NO_DIR. */
uint32_t wdmap_dir(const struct wdmap *m, int wd);
/* The descriptor bound to dir, or WDMAP_NO_WD. */
int wdmap_wd(const struct wdmap *m, uint32_t dir);

/*
 * Binds wd to dir, whatever each was bound to. ret_old is the descriptor
 * that dir had before, if another one, else WDMAP_NO_WD; it counts as dead.
 * Returns 0; 1 if news came before or wd has died: look again; -ENOMEM.
 */
int wdmap_bind(struct wdmap *m, int wd, uint32_t dir, int *ret_old);

/* News came for wd; remembered if it is not bound yet. 0 or -ENOMEM. */
int wdmap_note(struct wdmap *m, int wd);

/* wd is gone; a later bind of it will say so. 0 or -ENOMEM. */
int wdmap_kill(struct wdmap *m, int wd);

/* Bytes held. */
size_t wdmap_memory(const struct wdmap *m);
