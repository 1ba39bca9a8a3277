// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The six storage types of a component, in the order in which the priority
 * strategy gives them up. */

enum stype {
	STYPE_TEMP,
	STYPE_CACHE,
	STYPE_LOGS,
	STYPE_DATA,
	STYPE_BACKUP,
	STYPE_CONFIG,
	N_STYPES,
};

/* "temp", "cache", ... as policies and JSON spell it. */
const char *stype_name(enum stype type);
/* Returns 0 or -EINVAL. */
int stype_parse(const char *name, enum stype *ret);
