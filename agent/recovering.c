// SPDX-License-Identifier: GPL-2.0-or-later
#include "recovering.h"

#include "core.h"
#include "errand.h"
#include "order.h"

/* What could not be put back (its name was taken) is tried again. */
#define AGAIN_NS (600 * CLOCK_NS_PER_S)

static bool is_wanted(const struct agent *a, const struct component *c)
{
	return !c->cleanup && !c->errand && !a->is_panic &&
	       !feed_is_reaping(c->feed) && feed_is_quiet(c->feed) &&
	       feed_orphans(c->feed) && core_is_trusted(a, c);
}

static void on_done(void *ctx, const struct errand *e)
{
	(void)ctx;
	(void)e;
}

void recovering_keep(struct agent *a, struct component *c)
{
	struct errand_order order = {.action = TRASH_RECOVER,
		.reason = GOAL_MANUAL,
		.max_files = UINT64_MAX,
		.max_bytes = UINT64_MAX};
	const struct errand_handlers handlers = {.done = on_done};
	int64_t now = clock_boot_ns(a->clock);
	struct cleanup_parts parts;

	if (now < c->recover_boot_ns || !is_wanted(a, c))
		return;
	c->recover_boot_ns = now + AGAIN_NS;
	order_parts(c, &parts);
	if (errand_pick_roots(&parts, 0, &order) == 0)
		(void)errand_start(&parts, &order, &handlers, &c->errand);
}

int64_t recovering_due(const struct agent *a, const struct component *c)
{
	return is_wanted(a, c) ? c->recover_boot_ns : INT64_MAX;
}
