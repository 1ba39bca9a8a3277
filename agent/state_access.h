// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The file of what is known of files' use (access.h): beside the state, its
 * name with ".access" behind. Written when the agent ends, and once an hour if
 * something has changed; gathered in steps, put in order and written by a
 * thread. A damaged one is forgotten with a word, a missing one is normal.
 */

#include <stdbool.h>
#include <stdint.h>

struct agent;

/* Reads it, for the components there are. Returns 0 or -errno. */
int state_access_load(struct agent *a);
/* Once a turn. True: call again soon. */
bool state_access_keep(struct agent *a);
int64_t state_access_due(const struct agent *a);
/* Other components are about to come: what was gathered of these goes. */
void state_access_forget(struct agent *a);
/* Saves now, as long as that takes. Returns 0 or -errno. */
int state_access_save(struct agent *a);
void state_access_free(struct agent *a);
