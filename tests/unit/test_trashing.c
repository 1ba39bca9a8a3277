// SPDX-License-Identifier: GPL-2.0-or-later
/* When a trash is emptied, by how much, and when it is looked at again: two
 * components of an agent that has no reapers and a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/slot.h"
#include "core.h"
#include "errand.h"
#include "feed_impl.h"
#include "notice.h"
#include "trashing.h"

#define S	CLOCK_NS_PER_S
#define MB	(UINT64_C(1) << 20)
#define START_S INT64_C(1800000000)
#define BOOT_S	INT64_C(5000)
#define SRV	7 /* devices */
#define HOME	8

enum { LOW, HIGH, N };

struct errand {
	struct errand_order order;
	struct errand_result result;
	struct errand_handlers handlers;
	bool is_done;
};

static struct {
	struct clock clock;
	struct config config;
	struct agent agent;
	struct filesystem filesystems[2];
	struct component components[N];
	struct policy policies[N];
	struct feed feeds[N];
	struct feed_root roots[N][2]; /* on SRV and on HOME */
	struct errand errand; /* the last one that was started */
	struct component *whose;
	unsigned int n_started, n_records;
	int error; /* of starting one of the low one's */
	const char *obstacle;
} w;

/* ---- what is asked of others ---- */

const char *__wrap_core_obstacle(
	const struct agent *a, const struct component *c);
void __wrap_notice_emptied(
	struct component *c, const struct cleanup_result *record);
int __wrap_errand_start(const struct cleanup_parts *parts,
	const struct errand_order *order,
	const struct errand_handlers *handlers, struct errand **ret);
struct errand *__wrap_errand_free(struct errand *e);
bool __wrap_errand_is_done(const struct errand *e);
const struct errand_order *__wrap_errand_order(const struct errand *e);
const struct errand_result *__wrap_errand_result(const struct errand *e);

/* Of the low one alone. */
const char *__wrap_core_obstacle(
	const struct agent *a, const struct component *c)
{
	(void)a;
	return c == &w.components[LOW] ? w.obstacle : NULL;
}

void __wrap_notice_emptied(
	struct component *c, const struct cleanup_result *record)
{
	(void)c;
	assert_string_equal(record->strategy, "trash");
	w.n_records++;
}

int __wrap_errand_start(const struct cleanup_parts *parts,
	const struct errand_order *order,
	const struct errand_handlers *handlers, struct errand **ret)
{
	free(order->picks);
	if (w.error && handlers->ctx == &w.components[LOW])
		return w.error;
	assert_int_equal(order->action, TRASH_EMPTY);
	w.whose = handlers->ctx;
	assert_int_equal(parts->number, w.whose->number);
	w.errand = (struct errand){.order = *order, .handlers = *handlers};
	w.n_started++;
	*ret = &w.errand;
	return 0;
}

struct errand *__wrap_errand_free(struct errand *e)
{
	(void)e;
	return NULL;
}

bool __wrap_errand_is_done(const struct errand *e)
{
	return e->is_done;
}

const struct errand_order *__wrap_errand_order(const struct errand *e)
{
	return &e->order;
}

const struct errand_result *__wrap_errand_result(const struct errand *e)
{
	return &e->result;
}

/* ---- the agent ---- */

static uint32_t add(int i, uint32_t dir, const char *name, enum obs_kind kind,
	uint64_t bytes)
{
	static uint64_t ino;
	struct index_change change;
	const struct observation o = {.dir = dir,
		.name = name,
		.name_len = (uint16_t)strlen(name),
		.kind = (uint8_t)kind,
		.st = {.id = {.dev = SRV, .ino = ++ino},
			.used_bytes = bytes,
			.nlink = 1}};

	assert_int_equal(index_apply(w.feeds[i].index, &o, 0, &change), 0);
	return change.node;
}

/* A file in use, or in the trash of the first or second root. */
static void put(int i, const char *name, uint64_t bytes)
{
	add(i, w.roots[i][0].node, name, OBS_FILE, bytes);
}

static void lay(int i, int root, const char *name, uint64_t bytes)
{
	uint32_t dir = feed_trash(&w.feeds[i], (size_t)root);

	if (dir == INDEX_NONE) {
		dir = add(i, w.roots[i][root].node, TRASH_NAME, OBS_DIR, 0);
		feed_note_owner(&w.feeds[i], dir,
			&(struct beneath_stat){.mode = S_IFDIR | 0700});
	}
	add(i, dir, name, OBS_FILE, bytes);
}

static void take_away(int i, int root, const char *name)
{
	add(i, feed_trash(&w.feeds[i], (size_t)root), name, OBS_GONE, 0);
}

static void make_component(int i)
{
	struct component *c = &w.components[i];

	w.policies[i] = (struct policy){.component = (char *)"c",
		.mode = MODE_ENFORCE,
		.priority = i == LOW ? PRIORITY_LOW : PRIORITY_HIGH,
		.trash_s = 7 * 86400,
		.limits = {.files = 100, .filesystem_ppm = 100000},
		.n_roots = 2};
	w.feeds[i] = (struct feed){.policy = &w.policies[i],
		.index = index_new(),
		.roots = w.roots[i],
		.n_roots = 2};
	assert_non_null(w.feeds[i].index);
	for (uint16_t r = 0; r < 2; r++) {
		w.roots[i][r] = (struct feed_root){
			.state = ROOT_HERE, .id = {.dev = r ? HOME : SRV}};
		assert_int_equal(index_add_root(w.feeds[i].index, STYPE_DATA,
					 r ? "/home/x" : "/srv/x", r,
					 &w.roots[i][r].node),
			0);
	}
	*c = (struct component){.agent = &w.agent,
		.number = (uint32_t)i,
		.policy = &w.policies[i],
		.feed = &w.feeds[i],
		.allocation_bytes = 1000 * MB,
		.limits = {.warning_bytes = 800 * MB,
			.critical_bytes = 950 * MB,
			.target_bytes = 700 * MB}};
}

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.clock = (struct clock){.is_fake = true,
		.fake_real_ns = START_S * S,
		.fake_boot_ns = BOOT_S * S};
	w.filesystems[0] = (struct filesystem){.dev = SRV,
		.is_known = true,
		.facts = {.total_bytes = 10000 * MB}};
	w.filesystems[1] = (struct filesystem){.dev = HOME};
	w.agent = (struct agent){.config = &w.config,
		.clock = &w.clock,
		.components = w.components,
		.n_components = N,
		.filesystems = {.items = w.filesystems, .n_items = 2}};
	make_component(LOW);
	make_component(HIGH);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++) {
		index_free(w.feeds[i].index);
		free(w.feeds[i].fast.dirs);
		free(w.feeds[i].dirs);
	}
	return 0;
}

static void advance(int64_t s)
{
	clock_advance(&w.clock, s * S);
}

static struct component *low(void)
{
	return &w.components[LOW];
}

/* A turn; whether an errand of this reason was started. */
static bool starts(enum goal_reason reason)
{
	unsigned int before = w.n_started;

	trashing_keep(&w.agent, low());
	if (w.n_started == before)
		return false;
	assert_int_equal(w.errand.order.reason, reason);
	return true;
}

static bool is_quiet(void)
{
	unsigned int before = w.n_started;

	trashing_keep(&w.agent, low());
	return w.n_started == before;
}

/* The errand ends so. */
static void end(struct errand_result r)
{
	w.errand.result = r;
	w.errand.is_done = true;
	w.errand.handlers.done(w.errand.handlers.ctx, &w.errand);
}

/* In so many seconds there is something to do. */
static int64_t due_s(void)
{
	int64_t due = trashing_due(&w.agent, low());

	return due == INT64_MAX ? -1
				: (due - clock_boot_ns(&w.clock) + S - 1) / S;
}

/* ---- by age ---- */

static void test_expiry(void **state)
{
	(void)state;
	/* nothing lies there: looked at each hour, without a reaper */
	assert_true(is_quiet());
	assert_int_equal(due_s(), -1);
	assert_int_equal(low()->trash_due_boot_ns, (BOOT_S + 3600) * S);
	lay(LOW, 0, "f", 100 * MB);
	assert_int_equal(due_s(), 3600);
	advance(3599);
	assert_true(is_quiet());
	advance(1);
	assert_true(starts(GOAL_SCHEDULED));
	assert_int_equal(w.errand.order.free_bytes, 0);
	/* under way: nothing else, and no timer */
	assert_true(is_quiet());
	assert_int_equal(due_s(), -1);
	/* the oldest has been there for a week but 100 s */
	end((struct errand_result){
		.oldest_real_s = clock_real_s(&w.clock) - 7 * 86400 + 100});
	assert_int_equal(due_s(), 0); /* to be freed */
	assert_true(is_quiet());
	assert_int_equal(due_s(), 100);
	advance(100);
	assert_true(starts(GOAL_SCHEDULED));
	/* further away than an hour, which is asked again by then */
	end((struct errand_result){.files = 1,
		.bytes = 100 * MB,
		.oldest_real_s = clock_real_s(&w.clock) - 86400});
	assert_true(is_quiet());
	assert_int_equal(due_s(), 3600);
	assert_int_equal(w.n_records, 1);
	assert_int_equal(low()->freed_bytes, 100 * MB);
	advance(3600);
	assert_true(starts(GOAL_SCHEDULED));
	/* expired, and left all the same: not at once again */
	end((struct errand_result){.oldest_real_s = START_S - 10 * 86400});
	assert_true(is_quiet());
	assert_int_equal(due_s(), 1);
}

/* What is no file, and was put there by hand, is looked at too. */
static void test_no_file(void **state)
{
	(void)state;
	lay(LOW, 0, "f", MB);
	take_away(LOW, 0, "f");
	assert_true(is_quiet());
	add(LOW, feed_trash(&w.feeds[LOW], 0), "link", OBS_OTHER, 4096);
	advance(3600);
	assert_true(starts(GOAL_SCHEDULED));
}

/* Of a policy that has none any more: a day, not each second. */
static void test_left_behind(void **state)
{
	(void)state;
	w.policies[LOW].trash_s = 0;
	lay(LOW, 0, "f", MB);
	assert_true(starts(GOAL_SCHEDULED));
	end((struct errand_result){.oldest_real_s = START_S - 86400 + 60});
	assert_true(is_quiet());
	assert_int_equal(due_s(), 60);
}

static void test_expiry_fails(void **state)
{
	(void)state;
	lay(LOW, 0, "f", MB);
	assert_true(starts(GOAL_SCHEDULED));
	end((struct errand_result){.error = -EIO});
	assert_true(is_quiet());
	assert_int_equal(due_s(), 60);
	assert_int_equal(w.n_records, 1);
	/* a guard rail: until the next interval */
	w.policies[LOW].interval_s = 7200;
	advance(60);
	assert_true(starts(GOAL_SCHEDULED));
	end((struct errand_result){.files = 100, .stop = REASON_LIMIT_FILES});
	assert_true(is_quiet());
	assert_int_equal(due_s(), 7200);
	/* no reaper is to be had */
	advance(7200);
	w.error = -EAGAIN;
	assert_true(is_quiet());
	assert_int_equal(due_s(), 60);
}

static void test_after_a_cleanup(void **state)
{
	struct cleanup_result r = {.is_reached = true, .trashed_files = 1};

	(void)state;
	w.policies[LOW].trash_s = 600;
	low()->trash_due_boot_ns = INT64_MAX;
	trashing_note_cleanup(low(), &r);
	assert_int_equal(low()->trash_due_boot_ns, (BOOT_S + 600) * S);
	advance(100);
	trashing_note_cleanup(low(), &r);
	assert_int_equal(low()->trash_due_boot_ns, (BOOT_S + 600) * S);
}

/* ---- when not ---- */

static void test_obstacles(void **state)
{
	struct cleanup *some = (struct cleanup *)&w;

	(void)state;
	lay(LOW, 0, "f", MB);
	low()->cleanup = some;
	assert_true(is_quiet());
	assert_int_equal(due_s(), -1);
	low()->cleanup = NULL;
	w.agent.is_panic = true;
	assert_true(is_quiet());
	w.agent.is_panic = false;
	w.policies[LOW].mode = MODE_OBSERVE;
	assert_true(is_quiet());
	w.policies[LOW].mode = MODE_ENFORCE;
	w.obstacle = "not exact";
	assert_true(is_quiet());
	w.obstacle = NULL;
	low()->allocation_bytes = 0;
	assert_true(is_quiet());
	low()->allocation_bytes = 1000 * MB;
	assert_true(starts(GOAL_SCHEDULED));
}

/* What was not seen yet does not put the date off. */
static void test_not_seen_yet(void **state)
{
	(void)state;
	w.obstacle = "not exact";
	assert_true(is_quiet());
	assert_int_equal(low()->trash_due_boot_ns, 0);
	w.obstacle = NULL;
	low()->cleanup = (struct cleanup *)&w;
	assert_true(is_quiet());
	assert_int_equal(low()->trash_due_boot_ns, 0);
}

/* ---- for room ---- */

static void test_pressure(void **state)
{
	(void)state;
	low()->trash_due_boot_ns = INT64_MAX;
	put(LOW, "used", 700 * MB);
	lay(LOW, 0, "a", 249 * MB);
	assert_true(is_quiet());
	lay(LOW, 1, "b", 1 * MB);
	assert_true(due_s() <= 0);
	assert_true(starts(GOAL_CRITICAL));
	assert_int_equal(w.errand.order.free_bytes, 150 * MB);
	assert_int_equal(w.errand.order.max_files, UINT64_MAX);
	/* it gave nothing: a minute */
	end((struct errand_result){.files = 0});
	assert_true(is_quiet());
	assert_int_equal(due_s(), 60);
	advance(60);
	assert_true(starts(GOAL_CRITICAL));
	/* it gave something: at once again, if that was not enough */
	end((struct errand_result){.files = 1});
	assert_true(starts(GOAL_CRITICAL));
	end((struct errand_result){.files = 1, .stop = REASON_PANIC});
	assert_true(is_quiet());
	/* no limit is known */
	low()->limits.critical_bytes = 0;
	advance(60);
	assert_true(is_quiet());
}

/* A warning level above the critical one would ask for nothing. */
static void test_least_pressure(void **state)
{
	(void)state;
	low()->limits.warning_bytes = 2000 * MB;
	lay(LOW, 0, "a", 950 * MB);
	assert_true(starts(GOAL_CRITICAL));
	assert_int_equal(w.errand.order.free_bytes, 1);
}

static void miss(struct cleanup_result r)
{
	r.used_after = 750 * MB;
	r.target_bytes = 700 * MB;
	low()->trash_wanted_bytes = 0;
	trashing_note_cleanup(low(), &r);
}

static void test_target_missed(void **state)
{
	(void)state;
	low()->trash_due_boot_ns = INT64_MAX;
	lay(LOW, 0, "a", MB);
	miss((struct cleanup_result){.is_reached = true});
	assert_true(is_quiet());
	miss((struct cleanup_result){.is_cut = true});
	assert_true(is_quiet());
	miss((struct cleanup_result){.is_dry_run = true});
	assert_true(is_quiet());
	miss((struct cleanup_result){.error = -EIO});
	assert_true(is_quiet());
	miss((struct cleanup_result){.reason = GOAL_EMERGENCY});
	assert_true(is_quiet());
	miss((struct cleanup_result){.reason = GOAL_WARNING});
	assert_true(starts(GOAL_WARNING));
	assert_int_equal(w.errand.order.free_bytes, 50 * MB);
	assert_int_equal(w.errand.order.max_files, 100);
	assert_int_equal(w.errand.order.max_bytes, 1000 * MB);
	/* once */
	end((struct errand_result){.files = 1});
	assert_true(is_quiet());
	/* no reaper is to be had: it expires as it would */
	miss((struct cleanup_result){.reason = GOAL_WARNING});
	w.error = -EAGAIN;
	assert_true(is_quiet());
	assert_int_equal(due_s(), 60);
}

static void test_rails(void **state)
{
	struct errand_order o;

	(void)state;
	trashing_order(&w.agent, low(), GOAL_MANUAL, false, &o);
	assert_int_equal(o.max_files, 100);
	assert_int_equal(o.max_bytes, 1000 * MB);
	w.policies[LOW].limits.filesystem_ppm = 0;
	trashing_order(&w.agent, low(), GOAL_MANUAL, false, &o);
	assert_int_equal(o.max_bytes, 1); /* 0 would be no limit */
	trashing_order(&w.agent, low(), GOAL_MANUAL, true, &o);
	assert_int_equal(o.max_files, UINT64_MAX);
	assert_true(o.is_forced);
	trashing_order(&w.agent, low(), GOAL_EMERGENCY, false, &o);
	assert_int_equal(o.max_bytes, UINT64_MAX);
	/* a filesystem that nobody has looked at, or that is gone */
	w.filesystems[0].is_known = false;
	trashing_order(&w.agent, low(), GOAL_WARNING, false, &o);
	assert_int_equal(o.max_bytes, UINT64_MAX);
	w.agent.filesystems.n_items = 0;
	trashing_order(&w.agent, low(), GOAL_WARNING, false, &o);
	assert_int_equal(o.max_bytes, UINT64_MAX);
}

/* ---- in an emergency ---- */

static bool relieves(uint64_t bytes)
{
	return trashing_relieve(&w.agent, &w.filesystems[0], bytes);
}

static void test_emergency(void **state)
{
	(void)state;
	assert_false(relieves(MB));
	low()->trash_due_boot_ns = INT64_MAX;
	lay(LOW, 0, "a", 10 * MB);
	lay(HIGH, 0, "b", 10 * MB);
	w.filesystems[0].next_trash = 0;
	w.filesystems[0].due_boot_ns = 77;
	assert_true(relieves(15 * MB));
	assert_ptr_equal(w.whose, &w.components[LOW]);
	assert_int_equal(w.errand.order.reason, GOAL_EMERGENCY);
	assert_int_equal(w.errand.order.free_bytes, 15 * MB);
	/* roots on this filesystem alone, and a look at it */
	assert_int_equal(w.errand.order.n_picks, 1);
	assert_int_equal(w.filesystems[0].due_boot_ns, 0);
	end((struct errand_result){.files = 1, .bytes = 10 * MB});
	assert_true(w.filesystems[0].has_gained);
	assert_true(is_quiet());
	take_away(LOW, 0, "a");
	assert_true(relieves(5 * MB));
	assert_ptr_equal(w.whose, &w.components[HIGH]);
	/* each is asked once */
	assert_false(relieves(5 * MB));
	assert_int_equal(w.n_started, 2);
}

static void test_emergency_passes_over(void **state)
{
	(void)state;
	lay(LOW, 1, "elsewhere", MB);
	assert_false(relieves(MB));
	lay(LOW, 0, "a", MB);
	w.filesystems[0].next_trash = 0;
	w.policies[LOW].mode = MODE_OBSERVE;
	assert_false(relieves(MB));
	w.filesystems[0].next_trash = 0;
	w.policies[LOW].mode = MODE_ENFORCE;
	w.obstacle = "not exact";
	assert_false(relieves(MB));
	/* what is under way ends first */
	w.filesystems[0].next_trash = 0;
	w.obstacle = NULL;
	low()->cleanup = (struct cleanup *)&w;
	assert_true(relieves(MB));
	low()->cleanup = NULL;
	low()->errand = &w.errand;
	assert_true(relieves(MB));
	low()->errand = NULL;
	assert_int_equal(w.n_started, 0);
	/* no reaper is to be had: the next one is asked */
	lay(HIGH, 0, "b", MB);
	w.error = -EAGAIN;
	assert_true(relieves(MB));
	assert_ptr_equal(w.whose, &w.components[HIGH]);
	assert_int_equal(low()->trash_retry_boot_ns, (BOOT_S + 60) * S);
}

/* ---- what is told ---- */

static void note(struct errand_order o, struct errand_result r)
{
	struct errand e = {.order = o, .result = r};

	trashing_note_emptied(low(), &e);
}

static void test_records(void **state)
{
	(void)state;
	note((struct errand_order){.reason = GOAL_SCHEDULED},
		(struct errand_result){.files = 0});
	assert_int_equal(w.n_records, 0);
	note((struct errand_order){.reason = GOAL_MANUAL},
		(struct errand_result){.files = 0});
	assert_int_equal(w.n_records, 1);
	low()->trash_due_boot_ns = 77;
	low()->trash_retry_boot_ns = 78;
	note((struct errand_order){.reason = GOAL_MANUAL, .is_dry_run = true},
		(struct errand_result){.files = 5, .bytes = MB});
	assert_int_equal(w.n_records, 2);
	/* nothing has gone */
	assert_int_equal(low()->trash_due_boot_ns, 77);
	assert_int_equal(low()->trash_retry_boot_ns, 78);
	assert_int_equal(low()->freed_bytes, 0);
	note((struct errand_order){.reason = GOAL_CRITICAL},
		(struct errand_result){.error = -EIO});
	assert_int_equal(w.n_records, 3);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_expiry),
		CASE(test_no_file),
		CASE(test_left_behind),
		CASE(test_expiry_fails),
		CASE(test_after_a_cleanup),
		CASE(test_obstacles),
		CASE(test_not_seen_yet),
		CASE(test_pressure),
		CASE(test_least_pressure),
		CASE(test_target_missed),
		CASE(test_rails),
		CASE(test_emergency),
		CASE(test_emergency_passes_over),
		CASE(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
