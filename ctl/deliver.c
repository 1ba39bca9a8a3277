// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/deliver.h"

#include <json-c/json.h>

#include "base/units.h"
#include "ctl/args.h"
#include "ctl/field.h"
#include "ctl/verbs.h"

static void wipe_progress(struct delivery *d)
{
	if (d->has_progress)
		fputs("\r\033[K", stderr);
	d->has_progress = false;
}

void deliver_progress(struct delivery *d, struct json_object *reply)
{
	struct json_object *o = field_get(reply, "progress");
	char judged[PRINT_COUNT_SIZE], gone[PRINT_COUNT_SIZE];
	char freed[UNITS_SIZE];

	if (!o)
		return;
	wipe_progress(d);
	fprintf(stderr, "%s files judged, %s gone, %s freed",
		print_count(field_u64(o, "judged"), judged),
		print_count(field_u64(o, "files"), gone),
		units_size(field_u64(o, "freedBytes"), freed));
	fflush(stderr);
	d->has_progress = true;
}

int deliver_reply(struct delivery *d, struct json_object *reply)
{
	const struct verb *v = d->args->verb;

	wipe_progress(d);
	if (d->args->is_json)
		print_json(&d->print, reply, v->is_stream);
	else
		v->show(&d->print, reply, d->args->parameters);
	/* A stream's reader wants each line when it comes. */
	if (v->is_stream)
		fflush(d->print.out);
	return v->judge ? v->judge(reply) : EXIT_DONE;
}
