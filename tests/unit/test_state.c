// SPDX-License-Identifier: GPL-2.0-or-later
/* The state file, written and read back; and what no reader may choke on. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <sys/mount.h>

#include "base/log.h"
#include "core.h"
#include "scratch.h"
#include "notice.h"
#include "state.h"
#include "state_saver.h"

#define NOW INT64_C(1800000000)

/* A disk that takes its time: as long as the test likes. */
static sem_t *slow_disk;

int __real_state_file_replace(const char *path, const char *text);
int __wrap_state_file_replace(const char *path, const char *text);

int __wrap_state_file_replace(const char *path, const char *text)
{
	if (slow_disk)
		while (sem_wait(slow_disk) < 0)
			continue;
	return __real_state_file_replace(path, text);
}

struct desk {
	struct scratch dir;
	struct clock clock;
	struct config config;
	struct policy policy;
	struct component component;
	struct agent agent;
	bool is_mounted;
};

static void begin(struct desk *d)
{
	d->component.figures = (struct figures){0};
	d->agent = (struct agent){
		.config = &d->config,
		.clock = &d->clock,
		.host = "host",
		.components = &d->component,
		.n_components = 1,
		.alerts = alerts_new(3600),
	};
	assert_non_null(d->agent.alerts);
	assert_int_equal(state_saver_new(&d->agent.saver), 0);
	assert_int_equal(history_init(&d->agent.history), 0);
}

static void end(struct desk *d)
{
	history_fini(&d->agent.history);
	alerts_free(d->agent.alerts);
	state_saver_free(d->agent.saver);
}

static int set_up(void **state)
{
	struct desk *d = test_calloc(1, sizeof(*d));

	scratch_init(&d->dir);
	d->clock = (struct clock){
		.is_fake = true,
		.fake_real_ns = NOW * CLOCK_NS_PER_S,
		.fake_boot_ns = 5000 * CLOCK_NS_PER_S,
	};
	d->config.state_file = strdup(scratch_path(&d->dir, "state"));
	d->policy =
		(struct policy){.component = (char *)"web", .interval_s = 3600};
	d->component.policy = &d->policy;
	begin(d);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *d = *state;

	end(d);
	free(d->config.state_file);
	if (d->is_mounted)
		assert_int_equal(umount2(d->dir.path, MNT_DETACH), 0);
	scratch_fini(&d->dir);
	test_free(d);
	return 0;
}

static size_t count_aside(struct desk *d)
{
	DIR *dir = opendir(d->dir.path);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += strncmp(e->d_name, "state.damaged-", 14) == 0;
	closedir(dir);
	return n;
}

static bool exists(struct desk *d, const char *name)
{
	return faccessat(d->dir.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void fill(struct desk *d)
{
	struct agent *a = &d->agent;
	struct alert alert = {
		.id = 42,
		.event = ALERT_RAISED,
		.kind = ALERT_KIND_USAGE,
		.level = LEVEL_CRITICAL,
		.scope = (char *)"component/web",
		.component = (char *)"web",
		.message = (char *)"\"quoted\"\n\\",
		.used_bytes = UINT64_C(1) << 62,
		.at_real_s = NOW - 60,
	};
	struct cleanup_result run = {
		.component = "web",
		.strategy = "size",
		.mode = "canary",
		.stop = REASON_CANARY,
		.reason = GOAL_CRITICAL,
		.is_reached = true,
		.started_real_s = NOW - 50,
		.ended_real_s = NOW - 40,
		.files = 12,
		.freed_bytes = 4096,
	};
	struct sample s = {
		.at_real_s = NOW - 300, .used_bytes = 77, .component = "web"};

	history_add_alert(&a->history, &alert);
	alert.id = 43;
	history_add_alert(&a->history, &alert);
	history_add_cleanup(&a->history, &run);
	history_add_sample(&a->history, &s);
	assert_int_equal(alerts_restore(a->alerts,
				 &(struct alerts_open){.alert = &alert,
					 .raised_real_s = NOW - 60,
					 .heard_real_s = NOW - 60},
				 core_now(a)),
		0);
	d->component.scheduled_boot_ns = 5600 * CLOCK_NS_PER_S;
	d->component.figures = (struct figures){
		.at_real_s = NOW - 10,
		.whole = {.used_bytes = 9000,
			.size_bytes = 8000,
			.files = 7,
			.directories = 3},
		.types[STYPE_LOGS] = {.used_bytes = 4096, .files = 2},
	};
}

static void assert_filled(struct desk *d)
{
	const struct history *h = &d->agent.history;

	assert_int_equal(h->n_alerts, 2);
	assert_int_equal(h->alerts[0].id, 42);
	assert_int_equal(h->alerts[1].id, 43);
	assert_int_equal(h->alerts[0].used_bytes, UINT64_C(1) << 62);
	assert_int_equal(h->alerts[0].at_real_s, NOW - 60);
	assert_string_equal(h->alerts[0].message, "\"quoted\"\n\\");
	assert_int_equal(h->n_cleanups, 1);
	assert_string_equal(h->cleanups[0].component, "web");
	assert_string_equal(h->cleanups[0].strategy, "size");
	assert_string_equal(h->cleanups[0].mode, "canary");
	assert_int_equal(h->cleanups[0].stop, REASON_CANARY);
	assert_int_equal(h->cleanups[0].reason, GOAL_CRITICAL);
	assert_int_equal(h->cleanups[0].files, 12);
	assert_int_equal(h->cleanups[0].ended_real_s, NOW - 40);
	assert_int_equal(h->n_samples, 1);
	assert_int_equal(h->samples[0].used_bytes, 77);
	assert_int_equal(alerts_n_open(d->agent.alerts), 1);
	assert_int_equal(alerts_get_open(d->agent.alerts, 0).alert->id, 43);
	assert_int_equal(d->component.figures.at_real_s, NOW - 10);
	assert_int_equal(d->component.figures.whole.used_bytes, 9000);
	assert_int_equal(d->component.figures.whole.size_bytes, 8000);
	assert_int_equal(d->component.figures.whole.files, 7);
	assert_int_equal(d->component.figures.whole.directories, 3);
	assert_int_equal(
		d->component.figures.types[STYPE_LOGS].used_bytes, 4096);
	assert_int_equal(d->component.figures.types[STYPE_LOGS].files, 2);
	assert_int_equal(d->component.figures.types[STYPE_DATA].files, 0);
}

static void test_round(void **state)
{
	struct desk *d = *state;

	assert_int_equal(state_load(&d->agent), 0);
	fill(d);
	assert_int_equal(state_save(&d->agent), 0);
	assert_false(exists(d, "state.new"));
	end(d);
	begin(d);
	/* Started again, a minute later and after a reboot. */
	d->clock.fake_boot_ns = 10 * CLOCK_NS_PER_S;
	d->clock.fake_real_ns += 60 * CLOCK_NS_PER_S;
	assert_int_equal(state_load(&d->agent), 0);
	assert_filled(d);
	assert_int_equal(d->component.scheduled_boot_ns,
		(10 + 600 - 60) * CLOCK_NS_PER_S);
	assert_int_equal(count_aside(d), 0);
}

/* Set aside under another name, with an alert, and never taken for true. */
static void assert_damaged(struct desk *d)
{
	assert_int_equal(state_load(&d->agent), 0);
	assert_false(exists(d, "state"));
	assert_int_equal(count_aside(d), 1);
	assert_int_equal(d->agent.history.n_alerts, 0);
	assert_int_equal(alerts_n_open(d->agent.alerts), 1);
	assert_string_equal(alerts_get_open(d->agent.alerts, 0).alert->scope,
		"agent/state");
	/* And the next start is a clean one. */
	assert_int_equal(state_save(&d->agent), 0);
	end(d);
	begin(d);
	assert_int_equal(state_load(&d->agent), 0);
	assert_int_equal(count_aside(d), 1);
	assert_true(exists(d, "state"));
}

static void test_damaged(void **state)
{
	struct desk *d = *state;
	static const char *const texts[] = {"", "{", "[]", "null", "42",
		"{\"version\":2}", "{\"version\":\"1\"}", "{\"version\":-1}",
		"{}", "{\"version\":1,\"alerts\":[", "\xff\xfe",
		"{\"version\":1,\"x\":\"\xff\"}",
		"{\"version\":1,\"x\":\"\xc1\xa9\"}",
		"{\"version\":1,\"x\":\"\xed\xa0\x80\"}"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		scratch_write(&d->dir, "state", texts[i]);
		assert_damaged(d);
		d->clock.fake_real_ns += CLOCK_NS_PER_S;
		scratch_fini(&d->dir);
		scratch_init(&d->dir);
		free(d->config.state_file);
		d->config.state_file = strdup(scratch_path(&d->dir, "state"));
		end(d);
		begin(d);
	}
}

/* A message of which a character was cut off, and a name that is too long. */
static void test_cut_characters(void **state)
{
	struct desk *d = *state;
	static const char text[] =
		"{\"version\":1,\"cleanups\":[{\"component\":\"web\","
		"\"strategy\":\"size\",\"reason\":\"critical\","
		"\"mode\":\"enforce\",\"blockers\":[{\"cause\":\"busy\","
		"\"files\":1,\"bytes\":1,\"by\":\"xxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"\xc3\xa9\"}]}]}";

	scratch_write(&d->dir, "state", text);
	assert_int_equal(state_load(&d->agent), 0);
	assert_int_equal(count_aside(d), 0);
	notice_condition(&d->agent,
		&(struct alert_condition){.kind = ALERT_KIND_AGENT,
			.level = LEVEL_WARNING,
			.scope = "agent",
			.message = "filesystem /srv/caf\xc3 is full"});
	assert_int_equal(state_save(&d->agent), 0);
	assert_string_equal(alerts_get_open(d->agent.alerts, 0).alert->message,
		"filesystem /srv/caf\\xc3 is full");
}

/* Every place at which a write may have been cut. */
static void test_truncated(void **state)
{
	struct desk *d = *state;
	struct stat st;

	fill(d);
	assert_int_equal(state_save(&d->agent), 0);
	assert_int_equal(fstatat(d->dir.fd, "state", &st, 0), 0);
	for (off_t size = st.st_size - 1; size >= 0; size -= 37) {
		end(d);
		begin(d);
		fill(d);
		assert_int_equal(state_save(&d->agent), 0);
		end(d);
		begin(d);
		assert_int_equal(truncate(d->config.state_file, size), 0);
		assert_int_equal(state_load(&d->agent), 0);
		assert_false(exists(d, "state"));
		assert_int_equal(d->agent.history.n_alerts, 0);
	}
}

static void test_huge(void **state)
{
	struct desk *d = *state;

	scratch_write(&d->dir, "state", "{\"version\":1}");
	assert_int_equal(truncate(d->config.state_file, INT64_C(8) << 30), 0);
	assert_damaged(d);
}

static void test_deep(void **state)
{
	struct desk *d = *state;
	enum { N = 200000 };
	char *text = test_malloc(N + 1);

	memset(text, '[', N);
	memcpy(text, "{\"version\":1,\"alerts\":", 22);
	text[N] = '\0';
	scratch_write(&d->dir, "state", text);
	test_free(text);
	assert_damaged(d);
}

static void test_symlink(void **state)
{
	struct desk *d = *state;

	scratch_write(&d->dir, "target", "{\"version\":1}");
	assert_int_equal(symlinkat("target", d->dir.fd, "state"), 0);
	assert_damaged(d);
	assert_true(exists(d, "target"));
}

static void test_fifo(void **state)
{
	struct desk *d = *state;

	assert_int_equal(mkfifoat(d->dir.fd, "state", 0600), 0);
	assert_damaged(d);
}

/* What makes no sense is left out, and the rest is taken. */
static void test_wrong_types(void **state)
{
	struct desk *d = *state;

	scratch_write(&d->dir, "state",
		"{\"version\":1,\"cleanups\":{},\"schedules\":[1],"
		"\"alerts\":[1,null,[],{},{\"event\":1,\"kind\":[],"
		"\"level\":{}},{\"event\":\"raised\",\"kind\":\"usage\","
		"\"level\":\"warning\",\"scope\":\"agent\",\"id\":\"x\","
		"\"time\":7,\"message\":[]}],"
		"\"samples\":[{\"component\":5},{\"component\":\"web\","
		"\"usedBytes\":-5,\"time\":\"never\"}],"
		"\"openAlerts\":\"many\"}");
	assert_int_equal(state_load(&d->agent), 0);
	assert_int_equal(count_aside(d), 0);
	assert_int_equal(d->agent.history.n_alerts, 1);
	assert_string_equal(d->agent.history.alerts[0].message, "");
	assert_int_equal(d->agent.history.n_cleanups, 0);
	assert_int_equal(alerts_n_open(d->agent.alerts), 0);
	assert_true(d->agent.history.n_samples <= 1);
}

/* A turn that may begin to save, and the one at its end. */
static void keep(struct desk *d)
{
	state_keep(&d->agent);
	assert_int_equal(state_saver_wait(d->agent.saver), 0);
	state_keep(&d->agent);
}

/* A full filesystem: the old file stays whole, and no rest is left. */
static void test_full(void **state)
{
	struct desk *d = *state;
	char page[4096] = {1};
	struct stat before, after;
	int fd;

	if (geteuid() != 0 ||
		mount("none", d->dir.path, "tmpfs", 0, "size=64k,mode=700") < 0)
		skip();
	d->is_mounted = true;
	close(d->dir.fd);
	d->dir.fd = open(d->dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fill(d);
	assert_int_equal(state_save(&d->agent), 0);
	fd = openat(d->dir.fd, "ballast", O_WRONLY | O_CREAT, 0600);
	while (write(fd, page, sizeof(page)) > 0)
		;
	close(fd);
	assert_int_equal(fstatat(d->dir.fd, "state", &before, 0), 0);
	assert_int_equal(state_save(&d->agent), -ENOSPC);
	assert_int_equal(fstatat(d->dir.fd, "state", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_false(exists(d, "state.new"));
	/* Tried again, not at once, and not told as saved. */
	d->agent.is_dirty = true;
	keep(d);
	assert_true(d->agent.is_dirty);
	assert_int_equal(state_due(&d->agent),
		clock_boot_ns(&d->clock) + 10 * CLOCK_NS_PER_S);
	unlinkat(d->dir.fd, "ballast", 0);
	keep(d);
	assert_true(d->agent.is_dirty);
	clock_advance(&d->clock, 10 * CLOCK_NS_PER_S);
	keep(d);
	assert_false(d->agent.is_dirty);
	assert_int_equal(state_due(&d->agent), INT64_MAX);
	end(d);
	begin(d);
	assert_int_equal(state_load(&d->agent), 0);
	assert_filled(d);
	close(d->dir.fd);
	d->dir.fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void count_failed(void *ctx, enum message id, const char *text,
	const struct log_field *fields)
{
	(void)text;
	(void)fields;
	*(unsigned int *)ctx += id == MSG_STATE_FAILED;
}

/* Told once, and the loop does not wait for it. */
static void test_slow_disk(void **state)
{
	struct desk *d = *state;
	struct agent *a = &d->agent;
	unsigned int n_told = 0;
	sem_t disk;

	assert_int_equal(sem_init(&disk, 0, 0), 0);
	slow_disk = &disk;
	log_set_callback(count_failed, &n_told);
	a->is_dirty = true;
	state_keep(a);
	assert_false(a->is_dirty);
	assert_int_equal(
		state_due(a), clock_boot_ns(&d->clock) + 30 * CLOCK_NS_PER_S);
	/* What comes meanwhile waits for the next one. */
	a->is_dirty = true;
	clock_advance(&d->clock, 29 * CLOCK_NS_PER_S);
	state_keep(a);
	assert_false(a->is_save_slow);
	clock_advance(&d->clock, CLOCK_NS_PER_S);
	state_keep(a);
	assert_true(a->is_save_slow);
	state_keep(a);
	assert_int_equal(n_told, 1);
	assert_int_equal(state_due(a), INT64_MAX);
	sem_post(&disk);
	sem_post(&disk);
	keep(d);
	assert_false(a->is_save_slow);
	keep(d);
	assert_false(a->is_dirty);
	log_set_callback(NULL, NULL);
	slow_disk = NULL;
	sem_destroy(&disk);
}

/* What stands in the way of the new file is not followed. */
static void test_in_the_way(void **state)
{
	struct desk *d = *state;
	struct stat st;

	scratch_write(&d->dir, "precious", "x");
	assert_int_equal(symlinkat("precious", d->dir.fd, "state.new"), 0);
	assert_int_equal(state_save(&d->agent), 0);
	assert_int_equal(fstatat(d->dir.fd, "precious", &st, 0), 0);
	assert_int_equal(st.st_size, 1);
	scratch_mkdir(&d->dir, "state.new");
	assert_true(state_save(&d->agent) < 0);
	assert_int_equal(state_load(&d->agent), 0);
	assert_int_equal(count_aside(d), 0);
}

/* Of a component that is no more, or of a time that is none, nothing is
 * taken; and what is not exact now keeps what was saved. */
static void test_figures(void **state)
{
	struct desk *d = *state;
	const struct figures *f = &d->component.figures;

	scratch_write(&d->dir, "state",
		"{\"version\":1,\"figures\":[7,{\"component\":\"gone\","
		"\"at\":\"2026-11-01T00:00:00Z\",\"usedBytes\":1},"
		"{\"component\":\"web\","
		"\"at\":\"2026-11-01T00:00:00Z\",\"usedBytes\":4096,"
		"\"files\":-5,\"sizeBytes\":\"x\",\"logs\":[1]},"
		"{\"component\":\"web\",\"at\":\"never\",\"files\":5}]}");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(state_load(&d->agent), 0);
		assert_int_equal(f->at_real_s, 1793491200);
		assert_int_equal(f->whole.used_bytes, 4096);
		assert_int_equal(f->whole.files, 0);
		assert_int_equal(f->whole.size_bytes, 0);
		assert_int_equal(f->types[STYPE_LOGS].files, 0);
		assert_int_equal(state_save(&d->agent), 0);
		end(d);
		begin(d);
	}
}

/* The last time that was seen outlives a restart, and so does its being later
 * than now. */
static void test_clock(void **state)
{
	struct desk *d = *state;
	struct wallclock *w = &d->agent.wallclock;

	wallclock_look(w, &d->clock);
	assert_int_equal(state_save(&d->agent), 0);
	for (int i = 0; i < 2; i++) {
		end(d);
		begin(d);
		d->clock.fake_real_ns = (NOW - 86400) * CLOCK_NS_PER_S;
		assert_int_equal(state_load(&d->agent), 0);
		wallclock_look(w, &d->clock);
		assert_int_equal(wallclock_behind_s(w), 86400 - 5);
		assert_false(wallclock_is_trusted(w));
		assert_int_equal(state_save(&d->agent), 0);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_round),
		CASE(test_damaged),
		CASE(test_cut_characters),
		CASE(test_truncated),
		CASE(test_huge),
		CASE(test_deep),
		CASE(test_symlink),
		CASE(test_fifo),
		CASE(test_wrong_types),
		CASE(test_full),
		CASE(test_slow_disk),
		CASE(test_in_the_way),
		CASE(test_clock),
		CASE(test_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
