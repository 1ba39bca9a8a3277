// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

struct buf;
struct delivery;

/* Lets ullagectl on another host ask its agent, over ssh, and shows the
 * answer here. Returns the exit code. */
int remote_ask(struct delivery *d);

/* Appends word so that the other host's shell, which ssh puts in between,
 * takes it as it is. Returns 0 or -ENOMEM. */
int remote_quote(struct buf *b, const char *word);
