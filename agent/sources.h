// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Where news of each root come from, chosen by its filesystem: a mark on the
 * whole of it where the warden may set one, or on each directory where the
 * filesystem takes no other, inotify elsewhere. Where other hosts write too the
 * feed polls besides. Owns the marked groups.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent;
struct component;
struct loop_source;
struct fanotify_hub;

struct marked { /* a filesystem */
	struct agent *agent;
	uint64_t dev;
	struct fanotify_hub *hub; /* NULL: asked for, or refused */
	struct loop_source *source;
	int error; /* why it was refused, or 0; with a hub: as a whole */
	struct marked *next;
};

/* Once a turn: begins the roots that wait, and asks for marks. */
void sources_turn(struct agent *a);
void sources_free(struct agent *a);
/* Takes in what the kernel has queued of any component; returns how many events
 * there were, those of strangers on a marked filesystem included. */
size_t sources_read(struct agent *a);
/* While it is held its news wait in the kernel, which merges them. */
void sources_hold(struct agent *a, bool is_held);
/* Why the news of a component come from where they do; NULL: from a mark on
 * the whole. */
const char *sources_reason(const struct agent *a, const struct component *c);
