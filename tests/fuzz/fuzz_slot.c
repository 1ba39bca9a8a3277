// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names in the quarantine and in the trash. Where a file came from is written
 * in its name: so any place below a root comes back from the name that was
 * made for it, and a name, or a path in a link, that somebody made up leads
 * nowhere but to a file's place below it. In the trash its number says when it
 * came, and by which rule: so whatever the clock says, it comes back, and so
 * do the ages' order and the rule.
 */
#include "fuzz.h"

#include "act/slot.h"
#include "base/clock.h"
#include "model/trash.h"

static void must_come_back(
	const char *slot, const char *rel_dir, const char *name)
{
	buf_auto struct buf path = {0};
	const char *dir, *file;

	must(strlen(slot) <= NAME_MAX && !strchr(slot, '/'));
	must(slot_read(slot, &path) == 0);
	must(slot_split(&path, &dir, &file));
	must(strcmp(dir, rel_dir) == 0 && strcmp(file, name) == 0);
}

static bool is_place(const char *rel_dir, const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && *rel_dir != '/';
}

static void around_place(uint64_t n, const char *rel_dir, const char *name)
{
	struct quarantine_slot slot;
	uint64_t back = ~n;
	char text[SLOT_SHORT];

	if (!is_place(rel_dir, name))
		return;
	if (slot_name(n, rel_dir, name, &slot)) {
		must(slot_kind(slot.name, &back) == SLOT_FILE && back == n);
		must_come_back(slot.name, rel_dir, name);
	} else {
		/* What did not fit is longer than a name may be. */
		must(strlen(rel_dir) + strlen(name) > 100);
	}
	slot_name_long(n, text);
	must(slot_kind(text, &back) == SLOT_LONG_FILE && back == n);
	slot_name_link(n, (uint32_t)n, text);
	must(slot_kind(text, &back) == SLOT_LINK && back == n);
}

static void made_up(const char *slot)
{
	buf_auto struct buf path = {0};
	const char *dir, *name;
	uint64_t n;

	if (slot_kind(slot, &n) != SLOT_FILE || slot_read(slot, &path) < 0 ||
		!slot_split(&path, &dir, &name))
		return;
	must(is_place(dir, name));
}

static void linked(const char *target)
{
	buf_auto struct buf path = {0};
	const char *dir, *name;

	must(buf_puts(&path, target) == 0);
	if (slot_split(&path, &dir, &name))
		must(is_place(dir, name));
}

static void around_number(uint64_t n)
{
	int64_t at_ns = (int64_t)n, at_s = at_ns / CLOCK_NS_PER_S;
	enum plan_rule rule = (enum plan_rule)(n % N_PLAN_RULES);
	uint64_t made = trash_number(at_ns, rule);

	must(trash_number_at(n) >= 0 && trash_number_rule(n) < N_PLAN_RULES);
	must(made != 0 && trash_number_rule(made) == rule);
	must(trash_number_at(made) == MAX_OF(at_s, 1));
	must(trash_number_next(made) > made);
	if (at_ns >= CLOCK_NS_PER_S && at_ns <= INT64_MAX - 16)
		must(trash_number_next(made) <= trash_number(at_ns + 16, rule));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | input_byte(&in);
	around_number(n);
	{
		mem_autofree char *dir = input_string(&in, 4096);
		mem_autofree char *name = input_string(&in, NAME_MAX);
		mem_autofree char *slot = input_string(&in, NAME_MAX);

		around_place(n, dir, name);
		made_up(slot);
		linked(dir);
		linked(slot);
	}
	return 0;
}
