// SPDX-License-Identifier: GPL-2.0-or-later
/* events, alerts, history. */
#include <json-c/json.h>

#include "ctl/field.h"
#include "ctl/show.h"
#include "ctl/verbs.h"

void verbs_show_event(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	struct json_object *e = field_get(reply, "event");
	const char *level = field_text(field_get(e, "alert"), "level", "-");
	const char *where =
		field_text(e, "component", field_text(e, "filesystem", "-"));

	(void)asked;
	if (!e)
		return;
	print_text(p, print_level_color(level), "%s %s %s: %s\n",
		field_text(e, "time", "-"), field_text(e, "kind", "-"), where,
		field_text(e, "message", ""));
}

void verbs_show_alerts(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	if (field_count(field_get(reply, "alerts")))
		show_alerts(p, reply);
	else
		print_text(p, COLOR_GOOD, "no open alerts\n");
}

void verbs_show_history(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	bool has_cleanups = field_count(field_get(reply, "cleanups"));
	bool has_alerts = field_count(field_get(reply, "alerts"));

	(void)asked;
	if (has_cleanups)
		show_cleanups(p, reply);
	if (has_cleanups && has_alerts)
		fputc('\n', p->out);
	if (has_alerts)
		show_alerts(p, reply);
	if (!has_cleanups && !has_alerts)
		print_text(p, COLOR_NONE, "no cleanups and no alerts so far\n");
}
