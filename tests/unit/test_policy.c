// SPDX-License-Identifier: GPL-2.0-or-later
/* What a configuration means: every key, every default, the shipped set. */
#include "policy_help.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>

#include "base/fd.h"
#include "policy/params.h"
#include "strategies/strategies.h"

#define MIB (UINT64_C(1) << 20)
#define DAY (INT64_C(86400))

static void assert_parses(struct help *h)
{
	int e = help_parse(h);

	if (e)
		fail_msg("%d: %s", e, h->errors.data);
	assert_string_equal(h->errors.data, "");
}

static void assert_share(const struct amount *a, uint32_t ppm)
{
	assert_true(a->is_share);
	assert_int_equal(a->ppm, ppm);
}

static void assert_size(const struct amount *a, uint64_t bytes)
{
	assert_false(a->is_share);
	assert_int_equal(a->bytes, bytes);
}

static void main_defaults(void **state)
{
	struct help h = {0};
	const struct config *c;

	(void)state;
	help_add(&h, "ullage.json", "{}", true);
	assert_parses(&h);
	assert_string_equal(h.notes.data, "");
	c = h.config;
	assert_string_equal(c->root, "/srv/ullage");
	assert_share(&c->fs_warning, 850000);
	assert_share(&c->fs_emergency, 900000);
	assert_share(&c->fs_critical, 950000);
	assert_share(&c->fs_target, 800000);
	assert_int_equal(c->hysteresis_ppm, 20000);
	assert_share(&c->warning, 800000);
	assert_share(&c->critical, 950000);
	assert_share(&c->target, 700000);
	assert_int_equal(c->cooldown_s, 600);
	assert_int_equal(c->hook_deadline_s, 30);
	assert_string_equal(c->hooks_dir, ULLAGE_SYSCONFDIR "/hooks.d");
	assert_string_equal(c->hook_user, "nobody");
	assert_int_equal(c->n_silences, 0);
	assert_int_equal(c->quiet.from_min, c->quiet.to_min);
	assert_int_equal(c->reconcile_s, 6 * 3600);
	assert_int_equal(c->watch, WATCH_WITH_AUTO);
	assert_int_equal(c->limits.files, 10000);
	assert_int_equal(c->limits.share_ppm, 200000);
	assert_int_equal(c->limits.bytes_ppm, 500000);
	assert_int_equal(c->limits.filesystem_ppm, 100000);
	assert_int_equal(c->limits.errors, 10);
	assert_int_equal(c->limits.errors_ppm, 50000);
	assert_int_equal(amount_bytes(&c->ballast, UINT64_MAX), 0);
	assert_int_equal(c->n_ignore_readers, 0);
	assert_string_equal(c->state_file, ULLAGE_STATEDIR "/state.json");
	assert_string_equal(c->socket_path, "/run/ullage/io.ullage.Agent");
	assert_string_equal(c->user, "ullage");
	assert_string_equal(c->group, "ullage");
	assert_int_equal(c->n_admins, 0);
	assert_null(c->web_listen);
	assert_int_equal(c->n_policies, 0);
	help_fini(&h);
}

static const char every_main_key[] =
	"{\"$schema\": \"x\", \"root\": \"/srv/r\",\n"
	"\"thresholds\": {\"filesystem\": {\"warning\": \"70%\",\n"
	" \"emergency\": \"75.5%\", \"critical\": \"80%\", \"target\": \"60%\"},\n"
	" \"component\": {\"warning\": \"50%\", \"critical\": \"60%\",\n"
	" \"target\": \"40%\"}, \"hysteresis\": \"1%\"},\n"
	"\"alerts\": {\"cooldown\": \"1h\", \"hooks\": \"/srv/h\",\n"
	" \"hookDeadline\": \"5s\", \"hookUser\": \"root\",\n"
	" \"silences\": [\"usage:cache_*\", \"forecast\"]},\n"
	"\"quietHours\": {\"from\": \"22:30\", \"to\": \"06:00\"},\n"
	"\"reconcile\": \"0s\", \"watch\": \"inotify\", \"ballast\": \"1.5GB\",\n"
	"\"limits\": {\"files\": 5, \"share\": \"1%\", \"bytes\": \"2%\",\n"
	" \"filesystem\": \"3%\", \"errors\": 4, \"errorShare\": \"5%\"},\n"
	"\"ignoreReaders\": [\"backup.service\"],\n"
	"\"state\": \"/srv/s/state.json\", \"socket\": \"/srv/s/socket\",\n"
	"\"user\": \"root\", \"group\": 0, \"admins\": [\"root\", 12],\n"
	"\"web\": {\"listen\": \"127.0.0.1:8080\"}}";

static void every_key_of_main(void **state)
{
	struct help h = {0};
	const struct config *c;

	(void)state;
	help_add(&h, "u", every_main_key, true);
	assert_parses(&h);
	c = h.config;
	assert_string_equal(c->root, "/srv/r");
	assert_share(&c->fs_warning, 700000);
	assert_share(&c->fs_emergency, 755000);
	assert_share(&c->fs_critical, 800000);
	assert_share(&c->fs_target, 600000);
	assert_share(&c->warning, 500000);
	assert_share(&c->critical, 600000);
	assert_share(&c->target, 400000);
	assert_int_equal(c->hysteresis_ppm, 10000);
	assert_int_equal(c->cooldown_s, 3600);
	assert_string_equal(c->hooks_dir, "/srv/h");
	assert_int_equal(c->hook_deadline_s, 5);
	assert_string_equal(c->hook_user, "root");
	assert_int_equal(c->n_silences, 2);
	assert_string_equal(c->silences[0], "usage:cache_*");
	assert_string_equal(c->silences[1], "forecast");
	assert_int_equal(c->quiet.from_min, 22 * 60 + 30);
	assert_int_equal(c->quiet.to_min, 6 * 60);
	assert_int_equal(c->reconcile_s, 0);
	assert_int_equal(c->watch, WATCH_WITH_INOTIFY);
	assert_false(c->ballast.is_share);
	assert_int_equal(c->ballast.bytes, UINT64_C(3) << 29);
	assert_int_equal(c->limits.files, 5);
	assert_int_equal(c->limits.share_ppm, 10000);
	assert_int_equal(c->limits.bytes_ppm, 20000);
	assert_int_equal(c->limits.filesystem_ppm, 30000);
	assert_int_equal(c->limits.errors, 4);
	assert_int_equal(c->limits.errors_ppm, 50000);
	assert_string_equal(c->ignore_readers[0], "backup.service");
	assert_string_equal(c->state_file, "/srv/s/state.json");
	assert_string_equal(c->socket_path, "/srv/s/socket");
	assert_string_equal(c->user, "root");
	assert_string_equal(c->group, "0");
	assert_int_equal(c->n_admins, 2);
	assert_string_equal(c->admins[0], "root");
	assert_string_equal(c->admins[1], "12");
	assert_string_equal(c->web_listen, "127.0.0.1:8080");
	/* what nothing acts on yet is said, with its place */
	assert_string_equal(h.notes.data,
		"u:9:1: /quietHours: read and checked, but not active yet\n"
		"u:16:1: /web: read and checked, but not active yet\n");
	help_fini(&h);
}

static void policy_defaults(void **state)
{
	struct help h = {0};
	const struct policy *p;

	(void)state;
	help_add(&h, "u",
		"{\"root\": \"/srv/r\", \"limits\": {\"files\": 7},"
		"\"thresholds\": {\"component\": {\"warning\": \"75%\"}}}",
		true);
	help_add(&h, "p", "{\"component\": \"c\", \"allocation\": \"1G\"}",
		false);
	assert_parses(&h);
	p = config_find(h.config, "c");
	assert_non_null(p);
	assert_null(config_find(h.config, "b"));
	assert_null(config_find(h.config, "d"));
	assert_string_equal(p->file, "p");
	assert_int_equal(p->priority, PRIORITY_NORMAL);
	assert_size(&p->allocation, 1024 * MIB);
	assert_share(&p->warning, 750000); /* from ullage.json */
	assert_share(&p->critical, 950000);
	assert_share(&p->target, 700000);
	assert_string_equal(p->strategy, "time");
	assert_int_equal(p->interval_s, 6 * 3600);
	assert_false(p->is_compression_asked);
	assert_false(p->is_backup_asked);
	assert_int_equal(p->mode, MODE_OBSERVE);
	assert_null(p->user);
	assert_int_equal(p->limits.files, 7); /* from ullage.json */
	assert_int_equal(p->limits.errors, 10);
	assert_int_equal(p->rules.min_age_s, 600);
	assert_int_equal(p->rules.age_from, AGE_BORN);
	assert_false(p->rules.is_config_allowed);
	assert_false(p->rules.is_any_owner);
	assert_int_equal(p->rules.n_owners, 0);
	assert_int_equal(p->rules.n_protect, 0);
	assert_int_equal(p->n_roots, N_STYPES);
	for (int i = 0; i < N_STYPES; i++) {
		char path[64];

		assert_int_equal(p->rules.retention_s[i], RULES_FOREVER);
		assert_int_equal(p->rules.keep_newest[i], 0);
		snprintf(path, sizeof(path), "/srv/r/%s/c",
			stype_name((enum stype)i));
		assert_string_equal(p->roots[i].path, path);
		assert_int_equal(p->roots[i].type, i);
		assert_true(p->roots[i].is_base);
	}
	assert_string_equal(h.notes.data,
		"p:1:1: /: no \"mode\": the policy starts in observe, and "
		"deletes nothing\n"
		"p:1:1: /: strategy \"time\" deletes nothing without a "
		"\"retention\"\n");
	help_fini(&h);
}

static const char every_policy_key[] =
	"{\"$schema\": \"x\", \"component\": \"c.9_-x\",\n"
	"\"priority\": \"critical\", \"allocation\": \"20%\",\n"
	"\"warning\": \"60.5%\", \"critical\": \"70%\", \"target\": \"50%\",\n"
	"\"retention\": {\"data\": \"90d\", \"logs\": \"2w\",\n"
	" \"cache\": \"72h\", \"temp\": \"90min\", \"backup\": \"forever\"},\n"
	"\"age\": \"accessed\", \"strategy\": \"lru\", \"interval\": \"1d12h\",\n"
	"\"compression\": true, \"backup\": true, \"mode\": \"canary\", \"trash\": \"36h\",\n"
	"\"paths\": {\"data\": [\"/srv/d1\", \"/srv/d2\"], \"logs\": [],\n"
	" \"config\": [\"/srv/cfg\"]},\n"
	"\"user\": \"root\", \"owners\": [\"root\", \"33\", 44],\n"
	"\"protect\": [\"*.lock\", \"keys/**\", \"a[]x]b\", \"\\\\[\"],\n"
	"\"keepNewest\": {\"data\": 1, \"logs\": 2, \"cache\": 3,\n"
	" \"config\": 4, \"temp\": 5, \"backup\": 6},\n"
	"\"minAge\": \"0s\", \"giveUpConfig\": true,\n"
	"\"limits\": {\"files\": 1, \"share\": \"100%\", \"bytes\": \"0.1%\",\n"
	" \"filesystem\": \"0.5%\", \"errors\": 1, \"errorShare\": \"0%\"}}";

static void every_key_of_a_policy(void **state)
{
	static const char *const roots[] = {"/srv/d1", "/srv/d2", "/srv/cfg",
		"/srv/ullage/temp/c.9_-x", "/srv/ullage/cache/c.9_-x",
		"/srv/ullage/backup/c.9_-x"};
	struct help h = {0};
	const struct policy *p;

	(void)state;
	help_add(&h, "p", every_policy_key, false);
	assert_parses(&h);
	p = &h.config->policies[0];
	assert_string_equal(p->component, "c.9_-x");
	assert_int_equal(p->priority, PRIORITY_CRITICAL);
	assert_share(&p->allocation, 200000);
	assert_share(&p->warning, 605000);
	assert_share(&p->critical, 700000);
	assert_share(&p->target, 500000);
	assert_int_equal(p->rules.retention_s[STYPE_DATA], 90 * DAY);
	assert_int_equal(p->rules.retention_s[STYPE_LOGS], 14 * DAY);
	assert_int_equal(p->rules.retention_s[STYPE_CACHE], 3 * DAY);
	assert_int_equal(p->rules.retention_s[STYPE_TEMP], 5400);
	assert_int_equal(p->rules.retention_s[STYPE_BACKUP], RULES_FOREVER);
	assert_int_equal(p->rules.retention_s[STYPE_CONFIG], RULES_FOREVER);
	assert_int_equal(p->rules.age_from, AGE_ACCESSED);
	assert_string_equal(p->strategy, "lru");
	assert_int_equal(p->interval_s, DAY + DAY / 2);
	assert_true(p->is_compression_asked);
	assert_true(p->is_backup_asked);
	assert_int_equal(p->mode, MODE_CANARY);
	assert_int_equal(p->trash_s, DAY + DAY / 2);
	assert_int_equal(p->n_roots, ARRAY_SIZE(roots));
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		assert_string_equal(p->roots[i].path, roots[i]);
		assert_int_equal(p->roots[i].is_base, i > 2);
	}
	assert_int_equal(p->roots[1].type, STYPE_DATA);
	assert_int_equal(p->roots[2].type, STYPE_CONFIG);
	assert_string_equal(p->user, "root");
	assert_int_equal(p->rules.n_owners, 3);
	assert_int_equal(p->rules.owners[0], 0);
	assert_int_equal(p->rules.owners[1], 33);
	assert_int_equal(p->rules.owners[2], 44);
	assert_int_equal(p->rules.n_protect, 4);
	assert_string_equal(p->rules.protect[1], "keys/**");
	assert_int_equal(p->rules.keep_newest[STYPE_DATA], 1);
	assert_int_equal(p->rules.keep_newest[STYPE_LOGS], 2);
	assert_int_equal(p->rules.keep_newest[STYPE_CACHE], 3);
	assert_int_equal(p->rules.keep_newest[STYPE_CONFIG], 4);
	assert_int_equal(p->rules.keep_newest[STYPE_TEMP], 5);
	assert_int_equal(p->rules.keep_newest[STYPE_BACKUP], 6);
	assert_int_equal(p->rules.min_age_s, 0);
	assert_true(p->rules.is_config_allowed);
	assert_int_equal(p->limits.files, 1);
	assert_int_equal(p->limits.share_ppm, 1000000);
	assert_int_equal(p->limits.bytes_ppm, 1000);
	assert_int_equal(p->limits.filesystem_ppm, 5000);
	assert_int_equal(p->limits.errors, 1);
	assert_int_equal(p->limits.errors_ppm, 0);
	assert_string_equal(h.notes.data,
		"p:7:1: /compression: read and checked, but not active yet\n"
		"p:7:22: /backup: read and checked, but not active yet\n");
	help_fini(&h);
}

static void paths_of_each_type(void **state)
{
	(void)state;
	for (int i = 0; i < N_STYPES; i++) {
		enum stype type = (enum stype)i;
		struct help h = {0};
		const struct policy *p;
		char text[128];

		snprintf(text, sizeof(text),
			"{\"component\": \"c\", \"allocation\": \"1G\","
			"\"paths\": {\"%s\": [\"/srv/x\"]}}",
			stype_name(type));
		help_add(&h, "p", text, false);
		assert_parses(&h);
		p = &h.config->policies[0];
		assert_int_equal(p->n_roots, N_STYPES);
		assert_string_equal(p->roots[0].path, "/srv/x");
		assert_int_equal(p->roots[0].type, type);
		for (size_t j = 1; j < p->n_roots; j++)
			assert_int_not_equal(p->roots[j].type, type);
		help_fini(&h);
	}
}

static void anyone(void **state)
{
	struct help h = {0};

	(void)state;
	help_add(&h, "p",
		"{\"component\": \"c\", \"allocation\": \"1G\","
		"\"owners\": [\"*\"]}",
		false);
	assert_parses(&h);
	assert_true(h.config->policies[0].rules.is_any_owner);
	assert_int_equal(h.config->policies[0].rules.n_owners, 0);
	help_fini(&h);
}

/* Every key of the tables is in the two texts above: none goes unread. */
static void no_key_is_forgotten(void **state)
{
	(void)state;
	for (int is_main = 0; is_main < 2; is_main++) {
		const struct param_table *table = param_table(is_main);
		json_object *json = json_tokener_parse(
			is_main ? every_main_key : every_policy_key);

		assert_non_null(json);
		for (size_t i = 0; i < table->n_params; i++) {
			json_object *value = NULL;

			/* see paths_of_each_type */
			if (table->params[i].kind == PARAM_PATHS)
				continue;
			if (json_pointer_get(json, table->params[i].pointer,
				    &value) != 0)
				fail_msg("%s", table->params[i].pointer);
			assert_non_null(table->params[i].sentence);
		}
		json_object_put(json);
	}
}

static void strategies_of_the_manual(void **state)
{
	const struct param *param = param_find(param_table(false), "/strategy");
	size_t i = 0;

	(void)state;
	for (; param->choices[i]; i++)
		assert_string_equal(param->choices[i], strategy_names[i]);
	assert_null(strategy_names[i]);
}

static void overrides(void **state)
{
	struct help h = {0};
	uint64_t digest;

	(void)state;
	help_add(&h, "u", "{\"root\": \"/srv/a\"}", true);
	help_add(&h, "p", "{\"component\": \"c\", \"allocation\": \"1G\"}",
		false);
	assert_parses(&h);
	digest = h.config->digest;
	h.env.root_override = "/srv/b";
	h.env.state_override = "/srv/s";
	h.env.socket_override = "/srv/k";
	assert_parses(&h);
	assert_string_equal(h.config->root, "/srv/b");
	assert_string_equal(h.config->state_file, "/srv/s");
	assert_string_equal(h.config->socket_path, "/srv/k");
	assert_string_equal(
		h.config->policies[0].roots[0].path, "/srv/b/temp/c");
	assert_true(h.config->digest != digest);
	digest = h.config->digest;
	assert_parses(&h);
	assert_int_equal(h.config->digest, digest);
	h.bundle.files[1].text[2]++; /* whatever it is now */
	help_parse(&h);
	h.bundle.files[1].text[2]--;
	assert_parses(&h);
	assert_int_equal(h.config->digest, digest);
	help_fini(&h);
}

static void sorted_by_component(void **state)
{
	struct help h = {0};

	(void)state;
	for (const char *c = "mbzay"; *c; c++) {
		char text[64];

		snprintf(text, sizeof(text),
			"{\"component\": \"%c\", \"allocation\": \"1G\"}", *c);
		help_add(&h, "p", text, false);
	}
	assert_parses(&h);
	assert_int_equal(h.config->n_policies, 5);
	for (size_t i = 0; i < 5; i++) {
		char name[] = {"abmyz"[i], '\0'};

		assert_string_equal(h.config->policies[i].component, name);
		assert_ptr_equal(
			config_find(h.config, name), &h.config->policies[i]);
	}
	help_fini(&h);
}

static void lenient_about_users(void **state)
{
	struct help h = {0};
	const struct policy *p;

	(void)state;
	h.env.is_lenient_user = true;
	help_add(&h, "p",
		"{\"component\": \"c\", \"allocation\": \"1G\",\n\"mode\": "
		"\"enforce\", \"strategy\": \"lru\",\n"
		"\"user\": \"no-such\", \"owners\": [\"no-such\"]}",
		false);
	assert_parses(&h);
	p = &h.config->policies[0];
	assert_string_equal(p->user, "no-such");
	/* someone who owns nothing, and not "whoever owns the directory" */
	assert_int_equal(p->rules.n_owners, 1);
	assert_int_equal(p->rules.owners[0], (uid_t)-1);
	assert_string_equal(h.notes.data,
		"p:3:1: /user: there is no user \"no-such\" on this system\n"
		"p:3:31: /owners/0: there is no user \"no-such\" on this "
		"system\n");
	help_fini(&h);
}

static void amounts(void **state)
{
	struct amount share = {.is_share = true, .ppm = 333333};
	struct amount size = {.bytes = 42};

	(void)state;
	assert_int_equal(amount_bytes(&size, 7), 42);
	assert_int_equal(amount_bytes(&share, 3000000), 999999);
	assert_int_equal(amount_bytes(&share, 0), 0);
	share.ppm = 1000000;
	assert_int_equal(amount_bytes(&share, UINT64_MAX), UINT64_MAX);
}

/* What is shown, read again, shows the same. */
static void assert_shows_itself(struct help *h, const char *component)
{
	buf_auto struct buf first = {0}, second = {0};
	struct help again = {0};

	assert_int_equal(config_show(h->config, component, &first), 0);
	help_add(&again, "shown", first.data, component == NULL);
	assert_parses(&again);
	assert_int_equal(config_show(again.config, component, &second), 0);
	assert_string_equal(first.data, second.data);
	help_fini(&again);
}

static void shown(void **state)
{
	struct help h = {0};
	buf_auto struct buf none = {0};

	(void)state;
	help_add(&h, "u", every_main_key, true);
	help_add(&h, "p", every_policy_key, false);
	assert_parses(&h);
	assert_shows_itself(&h, NULL);
	assert_shows_itself(&h, "c.9_-x");
	assert_int_equal(config_show(h.config, "other", &none), -ENOENT);
	assert_int_equal(none.len, 0);
	help_fini(&h);
	h.env.is_lenient_user = true;
	help_add(&h, "p",
		"{\"component\": \"c\", \"allocation\": \"70001B\","
		"\"owners\": [\"*\"], \"warning\": \"65537B\","
		"\"target\": \"1KB\", \"critical\": \"0.066MB\"}",
		false);
	assert_parses(&h);
	assert_shows_itself(&h, "c");
	help_fini(&h);
}

static void schemas(void **state)
{
	(void)state;
	for (int is_main = 0; is_main < 2; is_main++) {
		const struct param_table *table = param_table(is_main);
		buf_auto struct buf text = {0};
		json_object *json, *found = NULL;

		assert_int_equal(config_schema(is_main, &text), 0);
		json = json_tokener_parse(text.data);
		assert_non_null(json);
		assert_int_equal(
			json_pointer_get(json, "/additionalProperties", &found),
			0);
		assert_false(json_object_get_boolean(found));
		for (size_t i = 0; i < table->n_params; i++) {
			buf_auto struct buf at = {0};

			for (const char *c = table->params[i].pointer; *c; c++)
				assert_int_equal(
					*c == '/'
						? buf_puts(&at, "/properties/")
						: buf_put(&at, c, 1),
					0);
			assert_int_equal(buf_puts(&at, "/description"), 0);
			if (json_pointer_get(json, at.data, &found) != 0)
				fail_msg("%s", at.data);
		}
		json_object_put(json);
	}
}

/* product.md's table, by hand: what is shipped must be this. */
static const struct {
	const char *name, *strategy;
	enum priority priority;
	uint64_t allocation, warning, critical; /* MiB */
	int64_t data_d, logs_d, cache_h, interval_h;
	bool has_compression, has_backup;
} set[] = {
	{"arbitrage_engine", "priority", PRIORITY_CRITICAL, 2000, 1600, 1900,
		60, 14, 48, 12, true, true},
	{"bridge_monitor", "time", PRIORITY_HIGH, 1000, 800, 950, 30, 7, 24, 8,
		true, true},
	{"cross_chain_mev", "adaptive", PRIORITY_HIGH, 1500, 1200, 1425, 45, 10,
		36, 10, true, true},
	{"health_monitor", "time", PRIORITY_LOW, 200, 160, 190, 14, 3, 6, 4,
		true, false},
	{"memory_system", "adaptive", PRIORITY_NORMAL, 5000, 4000, 4750, 180,
		21, 168, 4, true, true},
	{"price_feeds", "lru", PRIORITY_HIGH, 3000, 2400, 2850, 90, 14, 72, 6,
		true, true},
	{"wallet_manager", "priority", PRIORITY_CRITICAL, 500, 400, 475, 365,
		30, 12, 24, false, true},
};

static void read_shipped(const char *name, struct buf *ret)
{
	char path[4096];
	fd_auto int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", TEST_TOP, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(buf_read_fd(ret, fd, 1 << 20), 0);
}

static void load_set(struct help *h)
{
	buf_auto struct buf text = {0};

	read_shipped("policies/mayarbi/ullage.json", &text);
	help_add(h, "ullage.json", text.data, true);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
		char name[128];

		buf_reset(&text);
		snprintf(name, sizeof(name), "policies/mayarbi/%s.json",
			set[i].name);
		read_shipped(name, &text);
		help_add(h, name, text.data, false);
	}
	assert_parses(h);
}

static void the_shipped_set(void **state)
{
	struct help h = {0};

	(void)state;
	load_set(&h);
	assert_string_equal(h.config->root, "/srv/mayarbi");
	assert_int_equal(h.config->cooldown_s, 600);
	assert_share(&h.config->fs_warning, 850000);
	assert_share(&h.config->fs_emergency, 900000);
	assert_share(&h.config->fs_critical, 950000);
	assert_int_equal(h.config->n_policies, ARRAY_SIZE(set));
	for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
		const struct policy *p = &h.config->policies[i];

		assert_string_equal(p->component, set[i].name);
		assert_string_equal(p->strategy, set[i].strategy);
		assert_int_equal(p->priority, set[i].priority);
		assert_size(&p->allocation, set[i].allocation * MIB);
		assert_size(&p->warning, set[i].warning * MIB);
		assert_size(&p->critical, set[i].critical * MIB);
		assert_share(&p->target, 700000);
		assert_int_equal(
			p->rules.retention_s[STYPE_DATA], set[i].data_d * DAY);
		assert_int_equal(
			p->rules.retention_s[STYPE_LOGS], set[i].logs_d * DAY);
		assert_int_equal(p->rules.retention_s[STYPE_CACHE],
			set[i].cache_h * 3600);
		assert_int_equal(p->interval_s, set[i].interval_h * 3600);
		assert_int_equal(
			p->is_compression_asked, set[i].has_compression);
		assert_int_equal(p->is_backup_asked, set[i].has_backup);
		assert_int_equal(p->mode, MODE_ENFORCE);
	}
	help_fini(&h);
}

static void wallets_are_protected(void **state)
{
	static const char *const kept[] = {"a.wallet", "x/y/a.wallet", "a.key",
		"keystore/UTC--2026", "keystore/a/b"};
	static const char *const not_kept[] = {
		"a.wallet.tmp", "keystores/a", "walletlog"};
	struct help h = {0};
	const struct rules *rules;

	(void)state;
	load_set(&h);
	rules = &config_find(h.config, "wallet_manager")->rules;
	for (size_t i = 0; i < ARRAY_SIZE(kept) + ARRAY_SIZE(not_kept); i++) {
		bool is_kept = i < ARRAY_SIZE(kept);
		const char *path =
			is_kept ? kept[i] : not_kept[i - ARRAY_SIZE(kept)];
		const char *slash = strrchr(path, '/');
		char dir[64] = "";

		if (slash)
			memcpy(dir, path, (size_t)(slash - path));
		if (!rules_protects(rules, dir, slash ? slash + 1 : path) ==
			is_kept)
			fail_msg("%s", path);
	}
	help_fini(&h);
}

/* The whole effective set as text: a change of any default shows here. To
 * make it anew: UPDATE_GOLDEN=1. */
static void golden(void **state)
{
	static const char name[] = "tests/unit/golden/mayarbi.txt";
	buf_auto struct buf got = {0}, want = {0};
	struct help h = {0};

	(void)state;
	load_set(&h);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		assert_int_equal(config_show(h.config, set[i].name, &got), 0);
	if (getenv("UPDATE_GOLDEN")) {
		FILE *f = fopen(TEST_TOP "/tests/unit/golden/mayarbi.txt", "w");

		assert_non_null(f);
		fputs(got.data, f);
		fclose(f);
	}
	read_shipped(name, &want);
	assert_string_equal(got.data, want.data);
	help_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(main_defaults),
		cmocka_unit_test(every_key_of_main),
		cmocka_unit_test(policy_defaults),
		cmocka_unit_test(every_key_of_a_policy),
		cmocka_unit_test(paths_of_each_type),
		cmocka_unit_test(anyone),
		cmocka_unit_test(no_key_is_forgotten),
		cmocka_unit_test(strategies_of_the_manual),
		cmocka_unit_test(overrides),
		cmocka_unit_test(sorted_by_component),
		cmocka_unit_test(lenient_about_users),
		cmocka_unit_test(amounts),
		cmocka_unit_test(shown),
		cmocka_unit_test(schemas),
		cmocka_unit_test(the_shipped_set),
		cmocka_unit_test(wallets_are_protected),
		cmocka_unit_test(golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
