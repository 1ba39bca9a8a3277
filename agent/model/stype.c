// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/stype.h"

#include <errno.h>
#include <string.h>

static const char *const names[N_STYPES] = {
	[STYPE_TEMP] = "temp",
	[STYPE_CACHE] = "cache",
	[STYPE_LOGS] = "logs",
	[STYPE_DATA] = "data",
	[STYPE_BACKUP] = "backup",
	[STYPE_CONFIG] = "config",
};

const char *stype_name(enum stype type)
{
	return names[type];
}

int stype_parse(const char *name, enum stype *ret)
{
	for (int i = 0; i < N_STYPES; i++)
		if (strcmp(names[i], name) == 0) {
			*ret = (enum stype)i;
			return 0;
		}
	return -EINVAL;
}
