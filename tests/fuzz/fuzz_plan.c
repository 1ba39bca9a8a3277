// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the plan that a reaper is sent, as they are and with a right
 * header before them. What is read holds nothing but places below a root, and
 * is the same bytes when it is written: a stream has one form.
 */
#include "fuzz.h"

#include <errno.h>
#include <limits.h>

#include "model/plan.h"

/* What plan.c writes first. */
struct header {
	uint64_t magic;
	uint32_t version;
	uint32_t n_items;
	uint64_t len;
};

static void must_be_name(const char *name, size_t len)
{
	must(len > 0 && len <= NAME_MAX && !memchr(name, '/', len));
	must(len > 2 || memcmp(name, "..", len) != 0);
}

static void must_be_place(const struct candidate *c)
{
	const char *at = c->rel_dir;

	must_be_name(c->name, strlen(c->name));
	while (*at) {
		size_t len = strcspn(at, "/");

		must_be_name(at, len);
		at += len;
		must(!*at || at[1]);
		at += *at == '/';
	}
	must(c->type < N_STYPES && c->rule < N_PLAN_RULES);
}

static void decode(const void *data, size_t len)
{
	buf_auto struct buf again = {0};
	struct plan plan = {.n_items = 77};
	int r = plan_decode(data, len, &plan);

	if (r < 0) {
		must(r == -EBADMSG && plan.n_items == 77);
		return;
	}
	for (size_t i = 0; i < plan.n_items; i++)
		must_be_place(&plan.items[i]);
	must(plan_encode(&plan, 0, plan.n_items, &again) == 0);
	must(again.len == len && memcmp(again.data, data, len) == 0);
	plan_fini(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	buf_auto struct buf framed = {0};
	struct header head = {
		.magic = UINT64_C(0x4e414c5045474c55),
		.version = 1,
		.n_items = input_byte(&in),
		.len = sizeof(head) + in.left,
	};

	decode(data, size);
	must(buf_put(&framed, &head, sizeof(head)) == 0);
	must(buf_put(&framed, in.at, in.left) == 0);
	decode(framed.data, framed.len);
	return 0;
}
