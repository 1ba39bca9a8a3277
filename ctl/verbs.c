// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/verbs.h"

#include "base/mem.h"

/* What several verbs take. */
#define WORD(n, k, must)                                 \
	{                                                \
		.name = n, .key = k, .is_required = must \
	}
#define OPTION(n, v, k, text)                                    \
	{                                                        \
		.name = n, .value = v, .key = k, .summary = text \
	}
#define COMPONENT	WORD("COMPONENT", "component", true)
#define MAYBE_COMPONENT WORD("COMPONENT", "component", false)
#define STRATEGY	OPTION("strategy", "S", "strategy", strategy_text)
#define TARGET		OPTION("target", "T", "target", target_text)

static const char strategy_text[] =
	"time, size, lru, priority or adaptive, instead of the policy's";
static const char target_text[] =
	"stop there: a share of the allocation (60%) or a size (2GB)";
static const char limit_text[] = "how many to list";

const struct verb verbs[] = {
	{
		.name = "status",
		.summary =
			"usage against the limits, by component, type and filesystem",
		.words = {MAYBE_COMPONENT},
		.method = "GetStatus",
		.show = verbs_show_status,
	},
	{
		.name = "metrics",
		.summary = "totals, growth, what cleanups freed, counters",
		.method = "GetMetrics",
		.show = verbs_show_metrics,
	},
	{
		.name = "dashboard",
		.summary = "everything on one screen",
		.method = "GetDashboard",
		.show = verbs_show_dashboard,
	},
	{
		.name = "check",
		.summary = "what is over a limit; exit status 3 if anything is",
		.words = {MAYBE_COMPONENT},
		.method = "GetStatus",
		.show = verbs_show_check,
		.judge = verbs_judge_check,
	},
	{
		.name = "cleanup",
		.summary = "clean a component now",
		.words = {COMPONENT},
		.options =
			{
				{.name = "force",
					.key = "force",
					.kind = VALUE_FLAG,
					.summary =
						"go beyond the limits of one run"},
				{.name = "dry-run",
					.key = "dryRun",
					.kind = VALUE_FLAG,
					.summary =
						"everything but the deletion"},
				STRATEGY,
				TARGET,
			},
		.method = "Cleanup",
		.is_slow = true,
		.has_progress = true,
		.show = verbs_show_cleanup,
		.judge = verbs_judge_cleanup,
	},
	{
		.name = "plan",
		.summary = "the exact files a cleanup would take now, in order",
		.words = {COMPONENT},
		.options = {STRATEGY, TARGET},
		.method = "Plan",
		.is_slow = true,
		.show = verbs_show_plan,
	},
	{
		.name = "why",
		.summary = "why a file is kept, or when it goes",
		.words = {{.name = "PATH",
			.key = "path",
			.kind = VALUE_PATH,
			.is_required = true}},
		.method = "Why",
		.show = verbs_show_why,
	},
	{
		.name = "du",
		.summary =
			"size of a managed directory and those in it, from memory",
		.words = {{.name = "PATH", .key = "path", .kind = VALUE_PATH}},
		.method = "Du",
		.show = verbs_show_du,
	},
	{
		.name = "largest",
		.summary = "the largest files",
		.words = {MAYBE_COMPONENT},
		.options = {{.name = "limit",
			.value = "N",
			.key = "limit",
			.kind = VALUE_COUNT,
			.summary = limit_text}},
		.method = "Largest",
		.show = verbs_show_files,
	},
	{
		.name = "oldest",
		.summary = "the files not used for the longest time",
		.words = {MAYBE_COMPONENT},
		.options = {{.name = "limit",
			.value = "N",
			.key = "limit",
			.kind = VALUE_COUNT,
			.summary = limit_text}},
		.method = "Oldest",
		.show = verbs_show_files,
	},
	{
		.name = "growth",
		.summary = "how fast components grow, by whom and where",
		.words = {MAYBE_COMPONENT},
		.method = "GetGrowth",
		.show = verbs_show_growth,
	},
	{
		.name = "held",
		.summary = "who holds files that were deleted",
		.method = "GetHeld",
		.is_slow = true,
		.show = verbs_show_held,
	},
	{
		.name = "events",
		.summary = "what happens, as it happens, until interrupted",
		.method = "Subscribe",
		.is_stream = true,
		.is_slow = true,
		.show = verbs_show_event,
	},
	{
		.name = "alerts",
		.summary = "the open alerts",
		.method = "GetAlerts",
		.show = verbs_show_alerts,
	},
	{
		.name = "history",
		.summary = "past cleanups and alerts, the newest first",
		.words = {MAYBE_COMPONENT},
		.options = {{.name = "limit",
			.value = "N",
			.key = "limit",
			.kind = VALUE_COUNT,
			.summary = limit_text}},
		.method = "GetHistory",
		.show = verbs_show_history,
	},
	{
		.name = "trash list",
		.summary = "what cleanups moved to the trash, the newest first",
		.words = {MAYBE_COMPONENT},
		.options = {{.name = "limit",
			.value = "N",
			.key = "limit",
			.kind = VALUE_COUNT,
			.summary = limit_text}},
		.method = "ListTrash",
		.is_slow = true,
		.show = verbs_show_trash,
	},
	{
		.name = "trash restore",
		.summary =
			"put a file, or all below a directory, back where it was",
		.words = {{.name = "PATH",
			.key = "target",
			.kind = VALUE_PATH_OR_ID,
			.is_required = true}},
		.method = "RestoreTrash",
		.is_slow = true,
		.show = verbs_show_trash_restore,
		.judge = verbs_judge_trash_restore,
	},
	{
		.name = "trash empty",
		.summary = "delete what lies in the trash for good",
		.words = {MAYBE_COMPONENT},
		.options =
			{
				{.name = "force",
					.key = "force",
					.kind = VALUE_FLAG,
					.summary =
						"go beyond the limits of one run"},
				{.name = "dry-run",
					.key = "dryRun",
					.kind = VALUE_FLAG,
					.summary =
						"everything but the deletion"},
			},
		.method = "EmptyTrash",
		.is_slow = true,
		.show = verbs_show_trash_empty,
	},
	{
		.name = "config check",
		.summary = "what a reload would say of the files on disk",
		.method = "CheckConfig",
		.is_slow = true,
		.show = verbs_show_check_config,
		.judge = verbs_judge_check_config,
	},
	{
		.name = "config show",
		.summary = "the configuration in force, defaults filled in",
		.words = {MAYBE_COMPONENT},
		.method = "ShowConfig",
		.show = verbs_show_config,
	},
	{
		.name = "config schema",
		.summary =
			"the JSON Schema of ullage.json (config) or a policy file (policy)",
		.words = {{.name = "KIND", .key = "kind", .is_required = true}},
		.method = "GetSchema",
		.show = verbs_show_schema,
	},
	{
		.name = "reload",
		.summary = "put the files on disk in force, all or none",
		.method = "Reload",
		.is_slow = true,
		.show = verbs_show_reload,
	},
	{
		.name = "reconcile",
		.summary = "compare index and disk now, and say what was wrong",
		.words = {MAYBE_COMPONENT},
		.method = "Reconcile",
		.is_slow = true,
		.show = verbs_show_reconcile,
	},
	{
		.name = "panic",
		.summary = "stop every deletion until released",
		.options = {{.name = "release",
			.key = "on",
			.kind = VALUE_NOT,
			.summary = "make deletions possible again"}},
		.method = "SetPanic",
		.fixed_key = "on",
		.fixed_flag = true,
		.show = verbs_show_panic,
	},
	{
		.name = "index check",
		.summary = "check the index against itself",
		.words = {MAYBE_COMPONENT},
		.method = "CheckIndex",
		.is_slow = true,
		.show = verbs_show_index,
		.judge = verbs_judge_index,
	},
};

const size_t n_verbs = ARRAY_SIZE(verbs);
