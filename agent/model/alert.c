// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/alert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void alert_fini(struct alert *a)
{
	free(a->scope);
	free(a->component);
	free(a->filesystem);
	free(a->message);
	free(a->details);
	*a = (struct alert){0};
}

static bool copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return *ret || !text;
}

int alert_copy(const struct alert *a, struct alert *ret)
{
	struct alert copy = *a;
	/* All five are tried, so that none is left pointing into a. */
	bool is_done = copy_text(a->scope, &copy.scope);

	is_done &= copy_text(a->component, &copy.component);
	is_done &= copy_text(a->filesystem, &copy.filesystem);
	is_done &= copy_text(a->message, &copy.message);
	is_done &= copy_text(a->details, &copy.details);
	if (!is_done) {
		alert_fini(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}
