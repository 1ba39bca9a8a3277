// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "actors.h"
#include "ballast.h"
#include "base/account.h"
#include "base/log.h"
#include "control.h"
#include "core.h"
#include "errand.h"
#include "ledger.h"
#include "loop.h"
#include "methods.h"
#include "state_access.h"

static bool has_same_roots(const struct policy *a, const struct policy *b)
{
	if (a->n_roots != b->n_roots)
		return false;
	for (size_t i = 0; i < a->n_roots; i++)
		if (a->roots[i].type != b->roots[i].type ||
			strcmp(a->roots[i].path, b->roots[i].path) != 0)
			return false;
	return true;
}

/* The component of today that the policy's index can be taken over from. */
static struct component *heir_of(
	struct agent *a, const struct config *next, const struct policy *p)
{
	struct component *c = core_find(a, p->component);

	return c && a->config->watch == next->watch &&
			       has_same_roots(c->policy, p)
		       ? c
		       : NULL;
}

static void drop_caller(struct component *c, const char *message)
{
	if (c->caller)
		control_fail(c->caller, "Failed", message);
	c->caller = NULL;
}

static void component_fini(struct component *c)
{
	drop_caller(c, "the component is no longer configured");
	c->cleanup = cleanup_free(c->cleanup);
	c->errand = errand_free(c->errand);
	c->source = loop_remove(c->source);
	c->feed = feed_free(c->feed);
	dirty_fini(&c->busy);
}

static int make_feed(
	struct agent *a, struct component *c, const struct policy *p)
{
	return feed_new(p, ++a->last_feed_id, a->measure, a->actors, &c->feed);
}

/* A fresh component, or one that will take over what heir has. */
static int make_component(struct agent *a, const struct config *config,
	const struct policy *p, struct component *ret)
{
	*ret = (struct component){.agent = a,
		.policy = p,
		.orphans_told = UINT64_MAX /* perhaps by one before us */};
	dirty_init(&ret->busy);
	ret->scheduled_boot_ns =
		clock_boot_ns(a->clock) + p->interval_s * CLOCK_NS_PER_S;
	return heir_of(a, config, p) ? 0 : make_feed(a, ret, p);
}

/* The loop's source of the feed does not care which struct it belongs to. */
static void inherit(struct component *to, struct component *from)
{
	const struct policy *p = to->policy;
	struct dirty busy = to->busy;
	int64_t scheduled = to->scheduled_boot_ns;

	/* Whoever waits for it was told; its reaper works on, and what comes
	 * of that is seen. */
	from->errand = errand_free(from->errand);
	*to = *from;
	to->busy = from->busy;
	dirty_fini(&busy);
	to->policy = p;
	to->scheduled_boot_ns = MIN_OF(from->scheduled_boot_ns, scheduled);
	to->allocation_bytes = 0; /* limits anew */
	to->trash_due_boot_ns = 0; /* perhaps it is kept for a shorter time */
	*from = (struct component){.policy = from->policy};
	feed_set_policy(to->feed, p);
}

static void put_in_force(
	struct agent *a, struct config *config, struct component *fresh)
{
	for (size_t i = 0; i < config->n_policies; i++) {
		struct component *c = &fresh[i];

		if (!c->feed)
			inherit(c, core_find(a, c->policy->component));
		c->number = (uint32_t)i;
	}
	setup_clear(a);
	a->components = fresh;
	a->n_components = config->n_policies;
	config_free(a->config);
	a->config = config;
	ledger_forget(a->ledger);
	actors_ignore(
		a->actors, config->ignore_readers, config->n_ignore_readers);
	for (size_t i = 0; i < a->n_components; i++)
		methods_rebind(&fresh[i]);
}

static bool is_in_use(void *ctx, uint64_t dev)
{
	const struct agent *a = ctx;

	for (size_t i = 0; i < a->n_components; i++)
		if (feed_is_on(a->components[i].feed, dev))
			return true;
	return false;
}

void setup_access(struct agent *a)
{
	const struct config *config = a->config;
	mem_autofree uid_t *admins =
		calloc(config->n_admins + 1, sizeof(*admins));
	struct control_access access = {
		.agent_uid = getuid(), .read_gid = (gid_t)-1, .admins = admins};

	if (!admins || !a->control)
		return;
	if (config->group)
		(void)account_find_group(config->group, &access.read_gid);
	for (size_t i = 0; i < config->n_admins; i++) {
		struct account admin;

		if (account_find_user(config->admins[i], &admin) == 0)
			admins[access.n_admins++] = admin.uid;
	}
	control_set_access(a->control, &access);
}

/* Whoever reloads has seen what was wrong with the disks and the clock. */
static void accept_what_is(struct agent *a)
{
	wallclock_accept(&a->wallclock);
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		filesystem_accept(&a->filesystems.items[i]);
}

/* Where there may be files of ours, as warden_ballast.c sees it. */
static bool has_same_places(const struct config *a, const struct config *b)
{
	if (a->n_policies != b->n_policies)
		return false;
	for (size_t i = 0; i < a->n_policies; i++)
		if (a->policies[i].mode != b->policies[i].mode ||
			!has_same_roots(&a->policies[i], &b->policies[i]))
			return false;
	return true;
}

int setup_config(struct agent *a, struct config *config)
{
	bool has_moved;
	struct component *fresh =
		calloc(config->n_policies + 1, sizeof(*fresh));
	int r = fresh ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < config->n_policies; i++)
		r = make_component(a, config, &config->policies[i], &fresh[i]);
	if (r == 0)
		r = alerts_set_silences(
			a->alerts, config->silences, config->n_silences);
	if (r < 0) {
		for (size_t i = 0; fresh && i < config->n_policies; i++)
			component_fini(&fresh[i]);
		free(fresh);
		return r;
	}
	has_moved = !a->config || !has_same_places(a->config, config);
	methods_forget(a);
	state_access_forget(a);
	accept_what_is(a);
	alerts_set_cooldown(a->alerts, config->cooldown_s);
	put_in_force(a, config, fresh);
	setup_access(a);
	filesystems_prune(&a->filesystems, is_in_use, a);
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		ballast_forget(a->filesystems.items[i].ballast, has_moved);
	return 0;
}

void setup_clear(struct agent *a)
{
	for (size_t i = 0; i < a->n_components; i++)
		component_fini(&a->components[i]);
	free(a->components);
	a->components = NULL;
	a->n_components = 0;
}

void setup_log_notes(const char *notes)
{
	while (notes && *notes) {
		size_t len = strcspn(notes, "\n");

		if (len)
			log_event(
				MSG_CONFIG_NOTE, NULL, "%.*s", (int)len, notes);
		notes += len + (notes[len] == '\n');
	}
}
