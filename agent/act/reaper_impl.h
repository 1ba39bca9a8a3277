// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What a reaper does first, whatever it is sent for: shared by reaper.c (a
 * plan) and trash_run.c (the trash); nobody else includes it. */

#include "act/reaper.h"

struct audit;
struct sites;

/* Closes what is not ours, blocks signals that are seen where they matter. */
void reaper_settle(const struct reaper_order *order);
/* Before anything is opened: is there what the protocol rests on? Without it a
 * root could not even be told from another. 0 or -EOPNOTSUPP. */
int reaper_probe(struct audit *audit);
/* P2, to the opened roots. Returns 0 or -errno; the audit knows why. */
int reaper_confine(const struct sites *sites, struct audit *audit);
/* Only decides, and moves nothing: the operator asked for that, or the policy
 * is not trusted with more yet. */
bool reaper_is_looking_only(const struct reaper_order *order);
