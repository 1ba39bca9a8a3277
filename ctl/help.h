// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

struct print;
struct verb;

/* The list of verbs, or what one of them takes. */
void help_show(const struct print *p, const struct verb *verb);
