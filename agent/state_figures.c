// SPDX-License-Identifier: GPL-2.0-or-later
/* The last exact figures of the components, in the saved state. */
#include "core.h"
#include "json.h"
#include "state_impl.h"

static void put_totals(struct json_object *o, const struct index_totals *t)
{
	json_put_u64(o, "usedBytes", t->used_bytes);
	json_put_u64(o, "sizeBytes", t->size_bytes);
	json_put_u64(o, "files", t->files);
	json_put_u64(o, "directories", t->directories);
}

static struct index_totals get_totals(struct json_object *o)
{
	return (struct index_totals){
		.used_bytes = json_get_u64(o, "usedBytes"),
		.size_bytes = json_get_u64(o, "sizeBytes"),
		.files = json_get_u64(o, "files"),
		.directories = json_get_u64(o, "directories"),
	};
}

static struct json_object *figures_of(const struct component *c)
{
	const struct figures *f = &c->figures;
	struct json_object *o = json_object_new_object();

	json_put_text(o, "component", c->policy->component);
	json_put_stamp(o, "at", f->at_real_s);
	put_totals(o, &f->whole);
	for (int t = 0; t < N_STYPES; t++) {
		struct json_object *type = json_object_new_object();

		put_totals(type, &f->types[t]);
		json_object_object_add(o, stype_name((enum stype)t), type);
	}
	return o;
}

struct json_object *state_write_figures(struct agent *a)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];

		figures_take(&c->figures, c->feed, clock_real_s(a->clock));
		if (c->figures.at_real_s)
			json_object_array_add(list, figures_of(c));
	}
	return list;
}

size_t state_n_figures(const struct agent *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_components; i++)
		n += a->components[i].figures.at_real_s != 0;
	return n;
}

bool state_read_figures(
	struct json_object *o, const char **ret_component, struct figures *ret)
{
	const char *name = json_get_text(o, "component");
	int64_t at_s = json_get_stamp(o, "at");

	if (!name || at_s <= 0)
		return false;
	*ret_component = name;
	*ret = (struct figures){.at_real_s = at_s, .whole = get_totals(o)};
	for (int t = 0; t < N_STYPES; t++)
		ret->types[t] = get_totals(
			json_object_object_get(o, stype_name((enum stype)t)));
	return true;
}
