// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/params.h"

#include <inttypes.h>
#include <string.h>

#include "policy/policy.h"

/* For those who write policies; the strategies' own table decides, and a test
 * compares the two. */
static const char *const strategy_words[] = {
	"time", "size", "lru", "priority", "adaptive", NULL};

/* clang-format off */
#define IN_CONFIG(field) .is_stored = true, .at = offsetof(struct config, field)
#define IN_POLICY(field) .is_stored = true, .at = offsetof(struct policy, field)
#define N_CONFIG(field)  .at_n = offsetof(struct config, field)
#define N_POLICY(field)  .at_n = offsetof(struct policy, field)
#define SHARES(from, to) .min = (from) * 10000, .max = (to) * 10000
/* None at all would be no rail to one reader and a wall to another. */
#define RAIL             .min = 1000, .max = 1000000
#define YEARS            (UINT64_C(365) * 86400)
#define FOREVER_YEARS    (1000 * YEARS)

static const struct param main_params[] = {
	{ "/$schema", PARAM_TEXT,
	  .sentence = "Where an editor finds the schema of this file." },
	{ "/root", PARAM_PATH, IN_CONFIG(root), .max = 3800,
	  .fallback = "\"/srv/ullage\"",
	  .sentence = "Base directories are ROOT/TYPE/COMPONENT." },
	{ "/thresholds", PARAM_OBJECT,
	  .sentence = "When usage is too high." },
	{ "/thresholds/filesystem", PARAM_OBJECT,
	  .sentence = "Levels of each filesystem that holds a component, as "
		      "shares of what its users may fill." },
	{ "/thresholds/filesystem/warning", PARAM_LEVEL, SHARES(1, 100),
	  IN_CONFIG(fs_warning), .fallback = "\"85%\"",
	  .sentence = "An alert is raised." },
	{ "/thresholds/filesystem/emergency", PARAM_LEVEL, SHARES(1, 100),
	  IN_CONFIG(fs_emergency), .fallback = "\"90%\"",
	  .sentence = "Its components are cleaned, low priority first." },
	{ "/thresholds/filesystem/critical", PARAM_LEVEL, SHARES(1, 100),
	  IN_CONFIG(fs_critical), .fallback = "\"95%\"",
	  .sentence = "The alert escalates." },
	{ "/thresholds/filesystem/target", PARAM_LEVEL, SHARES(1, 100),
	  IN_CONFIG(fs_target), .fallback = "\"80%\"",
	  .sentence = "An emergency cleanup stops here." },
	{ "/thresholds/component", PARAM_OBJECT,
	  .sentence = "Levels of policies that name none, as shares of their "
		      "allocation." },
	{ "/thresholds/component/warning", PARAM_LEVEL, SHARES(1, 100),
	  IN_CONFIG(warning), .fallback = "\"80%\"",
	  .sentence = "An alert is raised and a cleanup starts." },
	{ "/thresholds/component/critical", PARAM_LEVEL, SHARES(1, 100),
	  IN_CONFIG(critical), .fallback = "\"95%\"",
	  .sentence = "The alert escalates, and the cleanup may go beyond its "
		      "limits to reach the target." },
	{ "/thresholds/component/target", PARAM_LEVEL, SHARES(1, 100),
	  IN_CONFIG(target), .fallback = "\"70%\"",
	  .sentence = "A cleanup stops here." },
	{ "/thresholds/hysteresis", PARAM_SHARE, SHARES(0, 20),
	  IN_CONFIG(hysteresis_ppm), .fallback = "\"2%\"",
	  .sentence = "A level ends this share of the whole below its limit." },
	{ "/alerts", PARAM_OBJECT, .sentence = "Who hears of it." },
	{ "/alerts/cooldown", PARAM_DURATION, IN_CONFIG(cooldown_s),
	  .min = 1, .max = YEARS, .fallback = "\"10min\"",
	  .sentence = "The same alert is not repeated sooner; an escalation "
		      "and a resolution are never held back." },
	{ "/alerts/hooks", PARAM_PATH, IN_CONFIG(hooks_dir), .max = 3800,
	  .fallback = "\"" ULLAGE_SYSCONFDIR "/hooks.d\"",
	  .sentence = "Each executable in this directory gets each alert." },
	{ "/alerts/hookDeadline", PARAM_DURATION, IN_CONFIG(hook_deadline_s),
	  .min = 1, .max = 3600, .fallback = "\"30s\"",
	  .sentence = "A hook that runs longer is killed with all its "
		      "descendants." },
	{ "/alerts/hookUser", PARAM_USER, IN_CONFIG(hook_user),
	  .fallback = "\"nobody\"",
	  .sentence = "Hooks run as this user." },
	{ "/alerts/silences", PARAM_TEXTS, IN_CONFIG(silences),
	  N_CONFIG(n_silences), .fallback = "[]",
	  .sentence = "Alerts that hooks do not get: KIND or KIND:GLOB of the "
		      "component or filesystem, such as \"usage:cache_*\"; "
		      "KIND * is any." },
	{ "/quietHours", PARAM_OBJECT, .is_inactive = true,
	  .sentence = "No scheduled cleanup in these hours." },
	{ "/quietHours/from", PARAM_CLOCK, IN_CONFIG(quiet.from_min),
	  .sentence = "They begin, in local time." },
	{ "/quietHours/to", PARAM_CLOCK, IN_CONFIG(quiet.to_min),
	  .sentence = "They end, in local time." },
	{ "/reconcile", PARAM_DURATION, IN_CONFIG(reconcile_s),
	  .max = YEARS, .fallback = "\"6h\"",
	  .sentence = "How often everything is looked at again, slowly, to "
		      "correct what no event told; \"0s\": never." },
	{ "/watch", PARAM_CHOICE, IN_CONFIG(watch), .choices = watch_names,
	  .fallback = "\"auto\"",
	  .sentence = "Where news of changes come from: marks on whole "
		      "filesystems (fanotify), a watch a directory "
		      "(inotify), or none: listed every minute (scan). "
		      "\"auto\": the first of them that can be had." },
	{ "/limits", PARAM_OBJECT,
	  .sentence = "Guard rails of one cleanup, of policies that set "
		      "none." },
	{ "/limits/files", PARAM_COUNT, IN_CONFIG(limits.files),
	  .min = 1, .max = UINT64_C(1000000000), .fallback = "10000",
	  .sentence = "At most this many files." },
	{ "/limits/share", PARAM_SHARE, RAIL,
	  IN_CONFIG(limits.share_ppm), .fallback = "\"20%\"",
	  .sentence = "At most this share of the component's files." },
	{ "/limits/bytes", PARAM_SHARE, RAIL,
	  IN_CONFIG(limits.bytes_ppm), .fallback = "\"50%\"",
	  .sentence = "At most this share of the component's bytes." },
	{ "/limits/filesystem", PARAM_SHARE, RAIL,
	  IN_CONFIG(limits.filesystem_ppm), .fallback = "\"10%\"",
	  .sentence = "At most this share of the filesystem." },
	{ "/limits/errors", PARAM_COUNT32, IN_CONFIG(limits.errors),
	  .min = 1, .max = 1000000, .fallback = "10",
	  .sentence = "Stop at this many errors, if they are over "
		      "errorShare." },
	{ "/limits/errorShare", PARAM_SHARE, SHARES(0, 100),
	  IN_CONFIG(limits.errors_ppm), .fallback = "\"5%\"",
	  .sentence = "Errors over this share of the actions stop a "
		      "cleanup." },
	{ "/ballast", PARAM_AMOUNT, IN_CONFIG(ballast), .max = INT64_MAX,
	  .fallback = "\"0B\"",
	  .sentence = "Room kept on each filesystem that holds a component, "
		      "and given up first in an emergency: a size, or a share "
		      "of the filesystem; 0: none." },
	{ "/ignoreReaders", PARAM_TEXTS, IN_CONFIG(ignore_readers),
	  N_CONFIG(n_ignore_readers), .fallback = "[]",
	  .sentence = "Units and commands whose reading is no use of a file: "
		      "backup, indexer; patterns, and only where fanotify "
		      "tells who reads." },
	{ "/state", PARAM_PATH, IN_CONFIG(state_file), .max = 3800,
	  .fallback = "\"" ULLAGE_STATEDIR "/state.json\"",
	  .sentence = "Where history and metrics are kept." },
	{ "/socket", PARAM_PATH, IN_CONFIG(socket_path), .max = 107,
	  .fallback = "\"" ULLAGE_RUNDIR "/io.ullage.Agent\"",
	  .sentence = "The control socket." },
	{ "/user", PARAM_USER, IN_CONFIG(user), .fallback = "\"ullage\"",
	  .sentence = "The agent runs as this user when it is started by "
		      "root." },
	{ "/group", PARAM_GROUP, IN_CONFIG(group), .fallback = "\"ullage\"",
	  .sentence = "Members may read over the control socket." },
	{ "/admins", PARAM_USERS, IN_CONFIG(admins), N_CONFIG(n_admins),
	  .fallback = "[]",
	  .sentence = "Users who, beside root, may change things over the "
		      "control socket." },
	{ "/web", PARAM_OBJECT, .is_inactive = true,
	  .sentence = "The dashboard." },
	{ "/web/listen", PARAM_TEXT, IN_CONFIG(web_listen),
	  .sentence = "Address and port, or the path of a Unix socket." },
};

#define RETENTION(type, name)                                                  \
	{ "/retention/" name, PARAM_DURATION,                                  \
	  IN_POLICY(rules.retention_s[type]), .min = 1, .max = FOREVER_YEARS,  \
	  .is_forever_allowed = true, .fallback = "\"forever\"",               \
	  .sentence = "Age at which files of type " name " go." }
#define PATHS(type, name)                                                      \
	{ "/paths/" name, PARAM_PATHS, .is_stored = true, .stype = type,       \
	  .sentence = "The directories of type " name ", in place of "         \
		      "ROOT/" name "/COMPONENT; []: none." }
#define KEEP(type, name)                                                       \
	{ "/keepNewest/" name, PARAM_COUNT32,                                  \
	  IN_POLICY(rules.keep_newest[type]), .max = 1000000,                  \
	  .fallback = "0",                                                     \
	  .sentence = "So many newest files of type " name " stay." }

static const struct param policy_params[] = {
	{ "/$schema", PARAM_TEXT,
	  .sentence = "Where an editor finds the schema of this file." },
	{ "/component", PARAM_COMPONENT, IN_POLICY(component),
	  .is_required = true,
	  .sentence = "The name of the component." },
	{ "/priority", PARAM_CHOICE, IN_POLICY(priority),
	  .choices = priority_names, .fallback = "\"normal\"",
	  .sentence = "An emergency of a filesystem asks components of low "
		      "priority first." },
	{ "/allocation", PARAM_AMOUNT, IN_POLICY(allocation),
	  .is_required = true, .min = 65536, .max = INT64_MAX,
	  .min_ppm = 1000,
	  .sentence = "What the component may use: a size, or a share of the "
		      "filesystem of its first directory." },
	{ "/warning", PARAM_AMOUNT, IN_POLICY(warning), .min = 1,
	  .max = INT64_MAX, .min_ppm = 10000,
	  .inherits = "/thresholds/component/warning",
	  .sentence = "An alert is raised and a cleanup starts: a size, or a "
		      "share of the allocation." },
	{ "/critical", PARAM_AMOUNT, IN_POLICY(critical), .min = 1,
	  .max = INT64_MAX, .min_ppm = 10000,
	  .inherits = "/thresholds/component/critical",
	  .sentence = "The alert escalates, and the cleanup may go beyond its "
		      "limits to reach the target." },
	{ "/target", PARAM_AMOUNT, IN_POLICY(target), .min = 1,
	  .max = INT64_MAX, .min_ppm = 10000,
	  .inherits = "/thresholds/component/target",
	  .sentence = "A cleanup stops here." },
	{ "/retention", PARAM_OBJECT,
	  .sentence = "How old files of each type may become; a type that is "
		      "not named is not deleted by age." },
	RETENTION(STYPE_DATA, "data"),
	RETENTION(STYPE_LOGS, "logs"),
	RETENTION(STYPE_CACHE, "cache"),
	RETENTION(STYPE_TEMP, "temp"),
	RETENTION(STYPE_BACKUP, "backup"),
	{ "/age", PARAM_CHOICE, IN_POLICY(rules.age_from),
	  .choices = age_names, .fallback = "\"born\"",
	  .sentence = "Retention counts from: born (the newer of written and "
		      "created), modified, or accessed (the last use)." },
	{ "/strategy", PARAM_STRATEGY, IN_POLICY(strategy),
	  .choices = strategy_words, .fallback = "\"time\"",
	  .sentence = "How a cleanup chooses: time, size, lru, priority or "
		      "adaptive." },
	{ "/interval", PARAM_DURATION, IN_POLICY(interval_s), .max = YEARS,
	  .fallback = "\"6h\"",
	  .sentence = "How often a cleanup runs without being needed; \"0s\": "
		      "never." },
	{ "/compression", PARAM_BOOL, IN_POLICY(is_compression_asked),
	  .is_inactive = true, .fallback = "false",
	  .sentence = "Compress files that nobody uses." },
	{ "/backup", PARAM_BOOL, IN_POLICY(is_backup_asked),
	  .is_inactive = true, .fallback = "false",
	  .sentence = "Make archives of data and config." },
	{ "/trash", PARAM_DURATION, IN_POLICY(trash_s), .max = YEARS,
	  .fallback = "\"0s\"",
	  .sentence = "Ordinary cleanups move files to a trash, from which "
		      "they can be restored so long; \"0s\": they delete." },
	{ "/mode", PARAM_CHOICE, IN_POLICY(mode), .choices = mode_names,
	  .fallback = "\"observe\"",
	  .sentence = "observe (decide and tell, delete nothing), canary "
		      "(delete 10 files a run), or enforce." },
	{ "/paths", PARAM_OBJECT,
	  .sentence = "Types that lie elsewhere than in "
		      "ROOT/TYPE/COMPONENT." },
	PATHS(STYPE_DATA, "data"),
	PATHS(STYPE_LOGS, "logs"),
	PATHS(STYPE_CACHE, "cache"),
	PATHS(STYPE_CONFIG, "config"),
	PATHS(STYPE_TEMP, "temp"),
	PATHS(STYPE_BACKUP, "backup"),
	{ "/user", PARAM_USER, IN_POLICY(user),
	  .sentence = "Owns the base directories that are created for the "
		      "component; default: the agent's user." },
	{ "/owners", PARAM_OWNERS, IN_POLICY(rules),
	  .sentence = "Whose files may go; [\"*\"]: anyone's; default: those "
		      "of the owner of each directory in paths." },
	{ "/protect", PARAM_PATTERNS, IN_POLICY(rules.protect),
	  N_POLICY(rules.n_protect), .fallback = "[]",
	  .sentence = "Files and directories that never go, relative to each "
		      "directory; without a slash: a name at any depth." },
	{ "/keepNewest", PARAM_OBJECT,
	  .sentence = "How many files of each type always stay." },
	KEEP(STYPE_DATA, "data"),
	KEEP(STYPE_LOGS, "logs"),
	KEEP(STYPE_CACHE, "cache"),
	KEEP(STYPE_CONFIG, "config"),
	KEEP(STYPE_TEMP, "temp"),
	KEEP(STYPE_BACKUP, "backup"),
	{ "/minAge", PARAM_DURATION, IN_POLICY(rules.min_age_s),
	  .max = FOREVER_YEARS, .fallback = "\"10min\"",
	  .sentence = "Nothing younger goes, by any of its time stamps." },
	{ "/giveUpConfig", PARAM_BOOL, IN_POLICY(rules.is_config_allowed),
	  .fallback = "false",
	  .sentence = "Files of type config may go in an emergency." },
	{ "/limits", PARAM_OBJECT,
	  .sentence = "Guard rails of one cleanup." },
	{ "/limits/files", PARAM_COUNT, IN_POLICY(limits.files),
	  .min = 1, .max = UINT64_C(1000000000), .inherits = "/limits/files",
	  .sentence = "At most this many files." },
	{ "/limits/share", PARAM_SHARE, RAIL,
	  IN_POLICY(limits.share_ppm), .inherits = "/limits/share",
	  .sentence = "At most this share of the component's files." },
	{ "/limits/bytes", PARAM_SHARE, RAIL,
	  IN_POLICY(limits.bytes_ppm), .inherits = "/limits/bytes",
	  .sentence = "At most this share of the component's bytes." },
	{ "/limits/filesystem", PARAM_SHARE, RAIL,
	  IN_POLICY(limits.filesystem_ppm), .inherits = "/limits/filesystem",
	  .sentence = "At most this share of the filesystem." },
	{ "/limits/errors", PARAM_COUNT32, IN_POLICY(limits.errors),
	  .min = 1, .max = 1000000, .inherits = "/limits/errors",
	  .sentence = "Stop at this many errors, if they are over "
		      "errorShare." },
	{ "/limits/errorShare", PARAM_SHARE, SHARES(0, 100),
	  IN_POLICY(limits.errors_ppm), .inherits = "/limits/errorShare",
	  .sentence = "Errors over this share of the actions stop a "
		      "cleanup." },
};
/* clang-format on */

static const struct param_table tables[] = {
	{policy_params, ARRAY_SIZE(policy_params)},
	{main_params, ARRAY_SIZE(main_params)},
};

static const char *const needs[] = {
#define X(id, text) [PARAM_##id] = text,
	PARAM_KIND_TABLE(X)
#undef X
};

const struct param_table *param_table(bool is_main)
{
	return &tables[is_main];
}

const struct param *param_find(
	const struct param_table *table, const char *pointer)
{
	for (size_t i = 0; i < table->n_params; i++)
		if (strcmp(table->params[i].pointer, pointer) == 0)
			return &table->params[i];
	return NULL;
}

const char *param_key(const struct param *param)
{
	return strrchr(param->pointer, '/') + 1;
}

bool param_is_child(const struct param *param, const char *parent)
{
	size_t n = strlen(parent);

	return strncmp(param->pointer, parent, n) == 0 &&
	       param->pointer + n == param_key(param) - 1;
}

static int put_seconds(uint64_t s, struct buf *ret)
{
	static const struct {
		uint64_t s;
		const char *name;
	} spans[] = {
		{YEARS, "y"}, {86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(spans) && (s == 0 || s % spans[i].s != 0))
		i++;
	return buf_printf(ret, "%" PRIu64 "%s", s / spans[i].s, spans[i].name);
}

static int put_duration_bounds(const struct param *param, struct buf *ret)
{
	int e = buf_puts(ret, ", from ");

	if (e == 0)
		e = put_seconds(param->min, ret);
	if (e == 0)
		e = buf_puts(ret, " to ");
	if (e == 0)
		e = put_seconds(param->max, ret);
	if (e == 0 && param->is_forever_allowed)
		e = buf_puts(ret, ", or \"forever\"");
	return e;
}

static int put_choices(const struct param *param, struct buf *ret)
{
	int e = buf_puts(ret, "one of ");

	for (size_t i = 0; param->choices[i] && e == 0; i++)
		e = buf_printf(
			ret, "%s\"%s\"", i ? ", " : "", param->choices[i]);
	return e;
}

int param_put_allowed(const struct param *param, struct buf *ret)
{
	int e;

	if (param->choices)
		return put_choices(param, ret);
	e = buf_puts(ret, needs[param->kind]);
	if (e < 0)
		return e;
	switch (param->kind) {
	case PARAM_COUNT:
	case PARAM_COUNT32:
		return buf_printf(ret, " from %" PRIu64 " to %" PRIu64,
			param->min, param->max);
	case PARAM_SHARE:
	case PARAM_LEVEL:
		if (param->min % 10000)
			return buf_printf(ret,
				", from 0.%" PRIu64 "%% to %" PRIu64 "%%",
				param->min / 1000, param->max / 10000);
		return buf_printf(ret, ", from %" PRIu64 "%% to %" PRIu64 "%%",
			param->min / 10000, param->max / 10000);
	case PARAM_AMOUNT:
		if (param->min_ppm % 10000)
			return buf_printf(ret, ", from 64KB or 0.%" PRIu64 "%%",
				param->min_ppm / 1000);
		return buf_printf(ret, ", from %" PRIu64 "B or %" PRIu64 "%%",
			param->min, param->min_ppm / 10000);
	case PARAM_DURATION:
		return put_duration_bounds(param, ret);
	case PARAM_PATH:
		return buf_printf(
			ret, " of at most %" PRIu64 " bytes", param->max);
	default:
		return 0;
	}
}

size_t param_field_size(enum param_kind kind)
{
	switch (kind) {
	case PARAM_BOOL:
		return sizeof(bool);
	case PARAM_CHOICE:
		return sizeof(enum mode);
	case PARAM_COUNT:
		return sizeof(uint64_t);
	case PARAM_COUNT32:
	case PARAM_SHARE:
		return sizeof(uint32_t);
	case PARAM_DURATION:
		return sizeof(int64_t);
	case PARAM_LEVEL:
	case PARAM_AMOUNT:
		return sizeof(struct amount);
	case PARAM_CLOCK:
		return sizeof(uint16_t);
	default:
		return 0;
	}
}
