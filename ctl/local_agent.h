// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

struct delivery;

/* Asks the agent of this host, by its socket. Returns the exit code. */
int local_agent_ask(struct delivery *d);
