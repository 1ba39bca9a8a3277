// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const priority_names[] = {
	[PRIORITY_LOW] = "low",
	[PRIORITY_NORMAL] = "normal",
	[PRIORITY_HIGH] = "high",
	[PRIORITY_CRITICAL] = "critical",
	NULL,
};
const char *const mode_names[] = {
	[MODE_OBSERVE] = "observe",
	[MODE_CANARY] = "canary",
	[MODE_ENFORCE] = "enforce",
	NULL,
};
const char *const watch_names[] = {
	[WATCH_WITH_AUTO] = "auto",
	[WATCH_WITH_FANOTIFY] = "fanotify",
	[WATCH_WITH_INOTIFY] = "inotify",
	[WATCH_WITH_SCAN] = "scan",
	NULL,
};
const char *const age_names[] = {
	[AGE_BORN] = "born",
	[AGE_MODIFIED] = "modified",
	[AGE_ACCESSED] = "accessed",
	NULL,
};

const char *priority_name(enum priority priority)
{
	return priority_names[priority];
}

const char *mode_name(enum mode mode)
{
	return mode_names[mode];
}

uint64_t amount_bytes(const struct amount *a, uint64_t whole_bytes)
{
	if (!a->is_share)
		return a->bytes;
	return mem_mul_div(whole_bytes, a->ppm, 1000000);
}

static void strings_free(char **strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

void policy_fini(struct policy *p)
{
	for (size_t i = 0; i < p->n_roots; i++)
		free(p->roots[i].path);
	free(p->roots);
	free(p->component);
	free(p->file);
	free(p->strategy);
	free(p->user);
	rules_fini(&p->rules);
	*p = (struct policy){0};
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_policies; i++)
		policy_fini(&c->policies[i]);
	free(c->policies);
	strings_free(c->silences, c->n_silences);
	strings_free(c->ignore_readers, c->n_ignore_readers);
	strings_free(c->admins, c->n_admins);
	free(c->root);
	free(c->hooks_dir);
	free(c->hook_user);
	free(c->web_listen);
	free(c->state_file);
	free(c->socket_path);
	free(c->user);
	free(c->group);
	free(c);
}

const struct policy *config_find(const struct config *c, const char *component)
{
	size_t from = 0, to = c->n_policies;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(component, c->policies[middle].component);

		if (order == 0)
			return &c->policies[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}
