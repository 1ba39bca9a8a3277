// SPDX-License-Identifier: GPL-2.0-or-later
/* GetHeld: who holds files that were deleted. */
#include <string.h>

#include "core.h"
#include "json.h"
#include "ledger.h"
#include "methods.h"

typedef struct json_object json;

#define FRESH_NS (CLOCK_NS_PER_S / 5) /* whoever asks without end */

static json *row_of(const struct agent *a, const struct deleted_row *row)
{
	const struct filesystem *f =
		filesystems_find_const(&a->filesystems, row->dev);
	json *o = json_object_new_object();

	json_put_text(o, "by", row->by[0] ? row->by : NULL);
	json_put_text(o, "component",
		row->component < a->n_components
			? a->components[row->component].policy->component
			: NULL);
	json_put_text(o, "filesystem", f ? f->path : NULL);
	json_put_u64(o, "files", row->files);
	json_put_u64(o, "heldBytes", row->bytes);
	return o;
}

static json *reply_of(const struct agent *a)
{
	const struct deleted_report *r = ledger_report(a->ledger);
	json *o = json_object_new_object(), *list = json_object_new_array();

	for (uint32_t i = 0; i < r->n_rows; i++)
		json_object_array_add(list, row_of(a, &r->rows[i]));
	json_object_object_add(o, "held", list);
	json_put_u64(
		o, "heldBytes", ledger_bytes(a->ledger, 0, DELETED_NOWHERE));
	json_put_u64(o, "hiddenProcesses", r->n_hidden);
	json_put_stamp(o, "at", ledger_at_real_s(a->ledger));
	return o;
}

void methods_held(void *ctx, struct control_call *call, json *parameters)
{
	struct agent *a = ctx;

	(void)parameters;
	ledger_look(a, FRESH_NS);
	ledger_await(a->ledger, call);
}

void methods_held_turn(struct agent *a)
{
	struct control_call *call;

	while ((call = ledger_take_call(a->ledger)))
		if (ledger_report(a->ledger))
			control_reply(call, reply_of(a));
		else
			control_fail(call, "Failed",
				"the processes could not be looked at");
}
