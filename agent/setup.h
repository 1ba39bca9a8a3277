// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Parts that depend on the configuration: made at the start, and made again
 * at a reload, where what stays the same goes on undisturbed. */

struct agent;
struct config;

/*
 * Puts a configuration in force. Components that keep their roots keep their
 * index. config is taken on success; on failure nothing has changed.
 * Returns 0 or -errno.
 */
int setup_config(struct agent *a, struct config *config);
/* Frees every component. */
void setup_clear(struct agent *a);
/* Who may call over the control socket, by the configuration in force. */
void setup_access(struct agent *a);
/* Remarks of a configuration, one a line, to the log. */
void setup_log_notes(const char *notes);
