// SPDX-License-Identifier: GPL-2.0-or-later
#include "figures.h"

#include "feed.h"

void figures_take(struct figures *to, const struct feed *f, int64_t now_real_s)
{
	if (!f || !feed_is_trusted(f))
		return;
	to->at_real_s = now_real_s;
	to->whole = index_totals(feed_index(f), INDEX_NODE_COMPONENT);
	for (int t = 0; t < N_STYPES; t++)
		to->types[t] = index_totals(
			feed_index(f), INDEX_NODE_TYPE((enum stype)t));
}
