// SPDX-License-Identifier: GPL-2.0-or-later
#include "actors.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/process.h"

#define CACHE_SIZE 256u /* processes */
#define FRESH_NS   CLOCK_NS_PER_S /* not asked again */
#define STALE_NS   (60 * CLOCK_NS_PER_S) /* and believed if it is gone */
#define NAME_SIZE  (PROCESS_UNIT + PROCESS_COMMAND + 4)

struct known {
	pid_t pid; /* 0: none */
	struct actor actor;
	int64_t asked_boot_ns;
};

struct actors {
	char *names[ACTORS_MAX]; /* from ACTOR_OURS on */
	size_t n_names;
	char own[PROCESS_COMMAND]; /* command, as a reaper has it too */
	char *const *ignored;
	size_t n_ignored;
	struct known cache[CACHE_SIZE];
};

struct actors *actors_new(void)
{
	struct actors *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->n_names = ACTOR_OURS + 1;
	process_command(getpid(), a->own);
	return a;
}

struct actors *actors_free(struct actors *a)
{
	for (size_t i = 0; a && i < a->n_names; i++)
		free(a->names[i]);
	free(a);
	return NULL;
}

void actors_ignore(struct actors *a, char *const *ignored, size_t n)
{
	a->ignored = ignored;
	a->n_ignored = n;
	memset(a->cache, 0, sizeof(a->cache));
}

static uint16_t number_of(struct actors *a, const char *name)
{
	char *copy;

	for (size_t i = ACTOR_OURS + 1; i < a->n_names; i++)
		if (strcmp(a->names[i], name) == 0)
			return (uint16_t)i;
	copy = a->n_names < ACTORS_MAX ? strdup(name) : NULL;
	if (!copy)
		return ACTOR_OTHERS;
	a->names[a->n_names] = copy;
	return (uint16_t)a->n_names++;
}

static bool matches(const char *pattern, const char *unit, const char *command)
{
	char service[PROCESS_UNIT];
	size_t len = strlen(unit);

	snprintf(service, sizeof(service), "%s", unit);
	if (len > 8 && strcmp(unit + len - 8, ".service") == 0)
		service[len - 8] = '\0';
	return (unit[0] && (fnmatch(pattern, unit, 0) == 0 ||
				   fnmatch(pattern, service, 0) == 0)) ||
	       (command[0] && fnmatch(pattern, command, 0) == 0);
}

static bool is_ignored(
	const struct actors *a, const char *unit, const char *command)
{
	for (size_t i = 0; i < a->n_ignored; i++)
		if (matches(a->ignored[i], unit, command))
			return true;
	return false;
}

/* A service by its unit; in a session or a container that says little. */
static struct actor ask(struct actors *a, pid_t pid)
{
	char unit[PROCESS_UNIT], command[PROCESS_COMMAND], name[NAME_SIZE];
	const char *dot;

	process_unit(pid, unit);
	process_command(pid, command);
	if (!unit[0] && !command[0])
		return (struct actor){.number = ACTOR_UNKNOWN};
	dot = strrchr(unit, '.');
	if (!unit[0])
		snprintf(name, sizeof(name), "%s", command);
	else if (strcmp(dot, ".scope") == 0 && command[0])
		snprintf(name, sizeof(name), "%s (%s)", unit, command);
	else
		snprintf(name, sizeof(name), "%s", unit);
	/* Its events may come before its word. */
	if (strcmp(command, a->own) == 0)
		return (struct actor){.number = ACTOR_OURS};
	return (struct actor){.number = number_of(a, name),
		.is_ignored = is_ignored(a, unit, command)};
}

struct actor actors_of(struct actors *a, pid_t pid, int64_t now_boot_ns)
{
	struct known *known = &a->cache[(uint32_t)pid % CACHE_SIZE];
	int64_t age_ns = now_boot_ns - known->asked_boot_ns;
	struct actor actor;

	if (pid <= 0)
		return (struct actor){.number = ACTOR_UNKNOWN};
	if (known->pid == pid && age_ns < FRESH_NS)
		return known->actor;
	actor = ask(a, pid);
	if (actor.number == ACTOR_UNKNOWN && known->pid == pid &&
		age_ns < STALE_NS)
		return known->actor;
	*known = (struct known){pid, actor, now_boot_ns};
	return actor;
}

const char *actors_name(const struct actors *a, uint16_t number)
{
	switch (number) {
	case ACTOR_UNKNOWN:
		return "";
	case ACTOR_OTHERS:
		return "others";
	case ACTOR_OURS:
		return "ullage";
	default:
		return number < a->n_names ? a->names[number] : "";
	}
}
