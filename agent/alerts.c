// SPDX-License-Identifier: GPL-2.0-or-later
/* Owns the conditions that hold and the queue of what is to be said of them.
 * Does not compose, deliver or record: those who report and take do. */
#include "alerts.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "silence.h"

/* Far from any overflow when added to a time since boot. */
#define COOLDOWN_MAX_S (INT64_MAX / CLOCK_NS_PER_S / 4)

enum state {
	ANNOUNCED,
	HELD, /* back within the cooldown: to be raised when that is over */
	PAST, /* over, remembered for the rest of the cooldown */
};

struct condition {
	struct alert alert; /* as last reported */
	enum state state;
	enum level announced; /* the highest since the cooldown began */
	int64_t heard_boot_ns; /* the cooldown began */
	int64_t heard_real_s, raised_real_s;
};

struct queued {
	struct alert alert;
	bool is_silenced;
};

struct alerts {
	int64_t cooldown_ns;
	uint64_t last_id;
	struct condition *conditions;
	size_t n_conditions, cap_conditions;
	struct queued *queue;
	size_t head, n_queue, cap_queue;
	struct silences silences;
};

struct alerts *alerts_new(int64_t cooldown_s)
{
	struct alerts *e = calloc(1, sizeof(*e));

	if (e)
		alerts_set_cooldown(e, cooldown_s);
	return e;
}

struct alerts *alerts_free(struct alerts *e)
{
	if (!e)
		return NULL;
	for (size_t i = 0; i < e->n_conditions; i++)
		alert_fini(&e->conditions[i].alert);
	for (size_t i = e->head; i < e->n_queue; i++)
		alert_fini(&e->queue[i].alert);
	silence_fini(&e->silences);
	free(e->conditions);
	free(e->queue);
	free(e);
	return NULL;
}

void alerts_set_cooldown(struct alerts *e, int64_t cooldown_s)
{
	int64_t s = MIN_OF(MAX_OF(cooldown_s, 0), COOLDOWN_MAX_S);

	e->cooldown_ns = s * CLOCK_NS_PER_S;
}

int alerts_set_silences(struct alerts *e, char *const *silences, size_t n)
{
	return silence_parse_all(silences, n, &e->silences);
}

static struct condition *find(
	struct alerts *e, enum alert_kind kind, const char *scope)
{
	for (size_t i = 0; i < e->n_conditions; i++) {
		struct condition *c = &e->conditions[i];

		if (c->alert.kind == kind && strcmp(c->alert.scope, scope) == 0)
			return c;
	}
	return NULL;
}

/* Forgets what is over and whose cooldown is. */
static void purge(struct alerts *e, int64_t boot_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->n_conditions; i++) {
		struct condition *c = &e->conditions[i];

		if (c->state == PAST &&
			c->heard_boot_ns + e->cooldown_ns <= boot_ns)
			alert_fini(&c->alert);
		else
			e->conditions[kept++] = *c;
	}
	e->n_conditions = kept;
}

static int enqueue(struct alerts *e, const struct alert *a)
{
	struct queued q = {.is_silenced = silence_has(&e->silences, a)};
	int r = mem_grow((void **)&e->queue, &e->cap_queue, e->n_queue + 1,
		sizeof(*e->queue));

	if (r == 0)
		r = alert_copy(a, &q.alert);
	if (r == 0)
		e->queue[e->n_queue++] = q;
	return r;
}

static struct alert compose(
	const struct alert_condition *c, uint64_t id, int64_t real_s)
{
	return (struct alert){
		.id = id,
		.level = c->level,
		.kind = c->kind,
		.scope = (char *)c->scope,
		.component = (char *)c->component,
		.filesystem = (char *)c->filesystem,
		.used_bytes = c->used_bytes,
		.limit_bytes = c->limit_bytes,
		.message = (char *)c->message,
		.details = (char *)c->details,
		.at_real_s = real_s,
	};
}

/* Is there something to say of a condition that was so (NULL: unknown) and
 * has this level now? */
static bool has_news(const struct condition *was, enum level level,
	enum alert_event *ret_event)
{
	if (!was || was->state == PAST) {
		*ret_event = ALERT_RAISED;
		return !was || level > was->announced;
	}
	if (was->state == HELD) {
		*ret_event = ALERT_RAISED;
		return level > was->announced;
	}
	*ret_event = level == LEVEL_OK		? ALERT_RESOLVED
		     : level > was->alert.level ? ALERT_ESCALATED
						: was->alert.event;
	return level == LEVEL_OK || level > was->alert.level;
}

static void hear(struct condition *c, struct alerts_now now)
{
	c->state = ANNOUNCED;
	c->announced = c->alert.level;
	c->heard_boot_ns = now.boot_ns;
	c->heard_real_s = now.real_s;
}

static uint64_t next_id(const struct alerts *e, struct alerts_now now)
{
	return MAX_OF(e->last_id + 1, (uint64_t)MAX_OF(now.real_s, 0) * 1000);
}

/* What was (zero: nothing) as it is from now on; its alert is in the queue
 * if there is something to say. */
static int follow(struct alerts *e, const struct condition *was,
	const struct alert_condition *c, struct alerts_now now,
	struct condition *ret)
{
	bool is_known = was->alert.scope;
	bool is_new = !is_known || was->state == PAST;
	struct alert a = compose(
		c, is_new ? next_id(e, now) : was->alert.id, now.real_s);
	bool is_news = has_news(is_known ? was : NULL, c->level, &a.event);
	struct condition next = *was;
	int r = alert_copy(&a, &next.alert);

	if (r < 0)
		return r;
	r = is_news ? enqueue(e, &a) : 0;
	if (r < 0) {
		alert_fini(&next.alert);
		return r;
	}
	if (is_new) {
		e->last_id = a.id;
		next.raised_real_s = now.real_s;
		next.state = HELD;
	}
	if (c->level == LEVEL_OK)
		next.state = PAST;
	else if (is_news)
		hear(&next, now);
	*ret = next;
	return 0;
}

int alerts_report(struct alerts *e, const struct alert_condition *c,
	struct alerts_now now)
{
	struct condition *known, next, none = {0};
	int r;

	purge(e, now.boot_ns);
	r = mem_grow((void **)&e->conditions, &e->cap_conditions,
		e->n_conditions + 1, sizeof(*e->conditions));
	if (r < 0)
		return r;
	known = find(e, c->kind, c->scope);
	if (c->level == LEVEL_OK && (!known || known->state == PAST))
		return 0;
	r = follow(e, known ? known : &none, c, now, &next);
	if (r < 0)
		return r;
	if (known)
		alert_fini(&known->alert);
	else
		known = &e->conditions[e->n_conditions++];
	*known = next;
	return 0;
}

/* A condition lasts, and its cooldown is over. */
static int remind(struct alerts *e, struct condition *c, struct alerts_now now)
{
	struct alert a = c->alert;
	int r;

	a.event = c->state == HELD ? ALERT_RAISED : ALERT_REPEATED;
	a.at_real_s = now.real_s;
	r = enqueue(e, &a);
	if (r < 0)
		return r;
	c->alert = a;
	hear(c, now);
	return 0;
}

int alerts_tick(struct alerts *e, struct alerts_now now, int64_t *ret_next_ns)
{
	int64_t next_ns = ALERTS_NEVER;

	purge(e, now.boot_ns);
	for (size_t i = 0; i < e->n_conditions; i++) {
		struct condition *c = &e->conditions[i];

		if (c->state == PAST ||
			(c->state == ANNOUNCED && e->cooldown_ns == 0))
			continue;
		if (c->heard_boot_ns + e->cooldown_ns <= now.boot_ns) {
			int r = remind(e, c, now);

			if (r < 0)
				return r;
		}
		if (e->cooldown_ns > 0)
			next_ns = MIN_OF(
				next_ns, c->heard_boot_ns + e->cooldown_ns);
	}
	*ret_next_ns = next_ns;
	return 0;
}

bool alerts_take(struct alerts *e, struct alert *ret, bool *ret_is_silenced)
{
	if (e->head == e->n_queue)
		return false;
	*ret = e->queue[e->head].alert;
	*ret_is_silenced = e->queue[e->head].is_silenced;
	if (++e->head == e->n_queue)
		e->head = e->n_queue = 0;
	return true;
}

size_t alerts_n_open(const struct alerts *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_conditions; i++)
		n += e->conditions[i].state != PAST;
	return n;
}

struct alerts_open alerts_get_open(const struct alerts *e, size_t i)
{
	const struct condition *c = e->conditions;

	while (c->state == PAST || i-- > 0)
		c++;
	return (struct alerts_open){
		.alert = &c->alert,
		.raised_real_s = c->raised_real_s,
		.heard_real_s = c->heard_real_s,
		.is_held = c->state == HELD,
	};
}

int alerts_restore(
	struct alerts *e, const struct alerts_open *open, struct alerts_now now)
{
	/* Read from a file: never later than now, nor long ago. */
	int64_t cooldown_s = e->cooldown_ns / CLOCK_NS_PER_S;
	int64_t heard_s =
		MIN_OF(MAX_OF(open->heard_real_s, now.real_s - cooldown_s),
			now.real_s);
	int64_t ago_s = now.real_s - heard_s;
	struct condition c = {
		.state = open->is_held ? HELD : ANNOUNCED,
		.announced = open->alert->level,
		.heard_boot_ns = now.boot_ns - ago_s * CLOCK_NS_PER_S,
		.heard_real_s = open->heard_real_s,
		.raised_real_s = open->raised_real_s,
	};
	int r;

	if (!open->alert->id || open->alert->id > INT64_MAX ||
		!open->alert->scope || open->alert->level == LEVEL_OK)
		return -EINVAL;
	if (find(e, open->alert->kind, open->alert->scope))
		return -EEXIST;
	r = mem_grow((void **)&e->conditions, &e->cap_conditions,
		e->n_conditions + 1, sizeof(*e->conditions));
	if (r == 0)
		r = alert_copy(open->alert, &c.alert);
	if (r < 0)
		return r;
	e->conditions[e->n_conditions++] = c;
	e->last_id = MAX_OF(e->last_id, c.alert.id);
	return 0;
}
