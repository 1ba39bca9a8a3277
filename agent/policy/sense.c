// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/sense.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "model/alert.h"
#include "policy/scan_text.h"
#include "policy/suggest.h"

/* Two levels that must stand in order; what stands in the file is blamed. */
struct pair {
	const char *low, *high; /* pointers */
	uint64_t low_value, high_value;
};

static void check_pair(
	struct problems *p, struct source *src, const struct pair *pair)
{
	const struct scan_node *node = scan_json_find(&src->scan, pair->low);

	if (pair->low_value < pair->high_value)
		return;
	if (!node)
		node = scan_json_find(&src->scan, pair->high);
	problem_add(p, src, node, "%s must be less than %s",
		strrchr(pair->low, '/') + 1, strrchr(pair->high, '/') + 1);
}

static void check_quiet(struct problems *p, struct source *src)
{
	const struct scan_node *quiet =
		scan_json_find(&src->scan, "/quietHours");

	if (!quiet)
		return;
	if (!scan_json_member(&src->scan, quiet, "from") ||
		!scan_json_member(&src->scan, quiet, "to"))
		problem_add(p, src, quiet,
			"expected both \"from\" and \"to\", such as "
			"{\"from\": \"22:00\", \"to\": \"06:00\"}");
}

/* KIND or KIND:GLOB, of a kind that exists or of any. */
static void check_silence(struct problems *p, struct source *src,
	const char *silence, const struct scan_node *node)
{
	const char *words[N_ALERT_KINDS + 1] = {NULL};
	size_t n = strcspn(silence, ":");
	const char *near;
	char kind[32];
	bool is_known = n == 1 && silence[0] == '*';

	for (int i = 0; i < N_ALERT_KINDS; i++) {
		words[i] = alert_kind_word((enum alert_kind)i);
		if (strlen(words[i]) == n && memcmp(words[i], silence, n) == 0)
			is_known = true;
	}
	if (is_known && silence[n] == ':' && !silence[n + 1])
		problem_add(p, src, node,
			"nothing follows \":\": expected a pattern for "
			"components and filesystems, such as "
			"\"usage:cache_*\"");
	if (is_known)
		return;
	if (n >= sizeof(kind))
		n = sizeof(kind) - 1;
	memcpy(kind, silence, n);
	kind[n] = '\0';
	near = suggest_nearest(kind, words);
	problem_add(p, src, node,
		"expected KIND or KIND:GLOB with the kind of an alert, such as "
		"\"usage\" or \"usage:cache_*\"%s%s%s",
		near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
}

void sense_check_main(
	struct problems *p, struct source *src, const struct config *c)
{
#define FS   "/thresholds/filesystem/"
#define COMP "/thresholds/component/"
	const struct pair pairs[] = {
		{FS "warning", FS "emergency", c->fs_warning.ppm,
			c->fs_emergency.ppm},
		{FS "emergency", FS "critical", c->fs_emergency.ppm,
			c->fs_critical.ppm},
		{FS "target", FS "warning", c->fs_target.ppm,
			c->fs_warning.ppm},
		/* else it would never be made */
		{"/ballast", FS "target",
			c->ballast.is_share ? c->ballast.ppm : 0,
			c->fs_target.ppm},
		{COMP "warning", COMP "critical", c->warning.ppm,
			c->critical.ppm},
		{COMP "target", COMP "warning", c->target.ppm, c->warning.ppm},
	};
	const struct scan_node *silences =
		scan_json_find(&src->scan, "/alerts/silences");

	check_quiet(p, src);
	/* where a value was refused, a default or nothing stands in its
	 * place */
	if (src->n_problems)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		check_pair(p, src, &pairs[i]);
	for (size_t i = 0; silences && i < c->n_silences; i++)
		check_silence(p, src, c->silences[i],
			scan_json_item(&src->scan, silences, (uint32_t)i));
}

/* An amount as a number that can be compared with others of the policy: in
 * bytes, or, if the allocation is a share of a filesystem, in ppm of it. */
static uint64_t measure(const struct policy *policy, const struct amount *a)
{
	if (policy->allocation.is_share)
		return a->ppm;
	return amount_bytes(a, policy->allocation.bytes);
}

static const struct scan_node *key_of(
	const struct source *src, const char *pointer)
{
	const struct scan_node *node = scan_json_find(&src->scan, pointer);

	return node ? node : scan_json_find(&src->scan, "/allocation");
}

static void check_levels(
	struct problems *p, struct source *src, const struct policy *policy)
{
	const struct {
		const char *pointer;
		const struct amount *amount;
	} levels[] = {
		{"/warning", &policy->warning},
		{"/critical", &policy->critical},
		{"/target", &policy->target},
	};
	bool is_share = policy->allocation.is_share;

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		const struct amount *a = levels[i].amount;

		if (is_share && !a->is_share) {
			problem_add(p, src, key_of(src, levels[i].pointer),
				"expected a share such as \"80%%\": the "
				"allocation is a share of the filesystem");
			return;
		}
		if (!is_share && !a->is_share &&
			a->bytes > policy->allocation.bytes)
			problem_add(p, src, key_of(src, levels[i].pointer),
				"expected no more than the allocation");
	}
	check_pair(p, src,
		&(struct pair){"/warning", "/critical",
			measure(policy, &policy->warning),
			measure(policy, &policy->critical)});
	check_pair(p, src,
		&(struct pair){"/target", "/warning",
			measure(policy, &policy->target),
			measure(policy, &policy->warning)});
}

static int check_roots(struct problems *p, const struct origin *origin,
	const struct policy *policy, const struct sense_taboo *taboo)
{
	for (size_t i = 0; i < policy->n_roots; i++) {
		const struct scan_node *node = origin->root_nodes[i];
		buf_auto struct buf why = {0}, path = {0};
		int e = admit_path_among(policy->roots[i].path,
			taboo->own_paths, &taboo->homes, &why);

		if (e == 0)
			continue;
		if (e != -EPERM ||
			scan_text_quote(policy->roots[i].path,
				strlen(policy->roots[i].path), &path) < 0)
			return -ENOMEM;
		if (!node)
			node = key_of(origin->src, "/component");
		problem_add(p, origin->src, node,
			"\"%s\" cannot be managed: %s", path.data, why.data);
	}
	if (policy->n_roots == 0 &&
		scan_json_find(&origin->src->scan, "/paths"))
		problem_add(p, origin->src,
			scan_json_find(&origin->src->scan, "/paths"),
			"every type is switched off: name a directory of at "
			"least one");
	return 0;
}

/* Who writes "/srv/feeds/keys" means a path on the disk, and would protect
 * nothing. */
static void check_patterns(
	struct problems *p, struct source *src, const struct policy *policy)
{
	const struct scan_node *list = scan_json_find(&src->scan, "/protect");

	for (size_t i = 0; list && i < policy->rules.n_protect; i++)
		for (size_t j = 0; j < policy->n_roots; j++) {
			const char *pattern = policy->rules.protect[i];
			const char *root = policy->roots[j].path;
			size_t n = strlen(root);

			if (strncmp(pattern, root, n) != 0 ||
				(pattern[n] != '\0' && pattern[n] != '/'))
				continue;
			problem_add(p, src,
				scan_json_item(&src->scan, list, (uint32_t)i),
				"expected a pattern relative to the "
				"directories, without the directory in front");
			break;
		}
}

static void note_idle(
	struct problems *p, struct source *src, const struct policy *policy)
{
	bool has_retention = false;

	for (int i = 0; i < N_STYPES; i++)
		if (policy->rules.retention_s[i] != RULES_FOREVER)
			has_retention = true;
	if (!scan_json_find(&src->scan, "/mode"))
		problem_note(p, src, NULL,
			"no \"mode\": the policy starts in observe, and "
			"deletes nothing");
	if (!has_retention && strcmp(policy->strategy, "time") == 0)
		problem_note(p, src, scan_json_find(&src->scan, "/strategy"),
			"strategy \"time\" deletes nothing without a "
			"\"retention\"");
}

int sense_check_policy(struct problems *p, const struct origin *origin,
	const struct policy *policy, const struct sense_taboo *taboo)
{
	/* where a value was refused, a default or nothing stands in its
	 * place: nothing to be judged together with the others */
	if (origin->src->n_problems == 0) {
		check_levels(p, origin->src, policy);
		check_patterns(p, origin->src, policy);
		note_idle(p, origin->src, policy);
	}
	return check_roots(p, origin, policy, taboo);
}

/* One directory of all, to be sorted. */
struct place {
	const char *path;
	size_t policy, root; /* positions */
};

/* With "/" before every other byte, what lies below a directory follows it
 * at once. */
static int compare_places(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;
	const unsigned char *x = (const void *)a->path, *y = (void *)b->path;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	if (*x == *y) /* the same: in the order of reading */
		return a->policy != b->policy
			       ? (a->policy < b->policy ? -1 : 1)
			       : (a->root < b->root ? -1 : a->root > b->root);
	if (!*x || !*y)
		return *x ? 1 : -1;
	if (*x == '/' || *y == '/')
		return *x == '/' ? -1 : 1;
	return *x < *y ? -1 : 1;
}

/* What somebody wrote is blamed before what follows from a name, and what was
 * read later before what was there. */
static bool is_blamed(const struct origin *origins, const struct place *a,
	const struct place *b)
{
	bool has_a = origins[a->policy].root_nodes[a->root] != NULL;
	bool has_b = origins[b->policy].root_nodes[b->root] != NULL;

	if (a->policy != b->policy)
		return a->policy > b->policy;
	return has_a != has_b ? has_a : a->root > b->root;
}

static int add_overlap(struct problems *p, const struct origin *origins,
	const struct policy *policies, const struct place *blamed,
	const struct place *other)
{
	const struct origin *origin = &origins[blamed->policy];
	const struct scan_node *node = origin->root_nodes[blamed->root];
	buf_auto struct buf here = {0}, there = {0};

	if (!node)
		node = key_of(origin->src, "/component");
	if (scan_text_quote(blamed->path, strlen(blamed->path), &here) < 0 ||
		scan_text_quote(other->path, strlen(other->path), &there) < 0)
		return -ENOMEM;
	problem_add(p, origin->src, node,
		"\"%s\" overlaps \"%s\" of component \"%s\": each directory "
		"belongs to one type of one component",
		here.data, there.data, policies[other->policy].component);
	return 0;
}

static int check_overlaps(struct problems *p, const struct origin *origins,
	const struct policy *policies, struct place *places, size_t n)
{
	const struct place *above = NULL, *last = NULL;

	qsort(places, n, sizeof(*places), compare_places);
	for (size_t i = 0; i < n; i++) {
		const struct place *at = &places[i], *blamed;
		int e;

		if (!above || !admit_overlaps(above->path, at->path)) {
			above = at;
			continue;
		}
		blamed = is_blamed(origins, at, above) ? at : above;
		if (blamed == last) /* one above many is told once */
			continue;
		last = blamed;
		e = add_overlap(p, origins, policies, blamed,
			blamed == at ? above : at);
		if (e < 0)
			return e;
	}
	return 0;
}

static int compare_names(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;
	int order = strcmp(a->path, b->path);

	if (order)
		return order;
	return a->policy < b->policy ? -1 : a->policy > b->policy;
}

/* Uses places for the components' names. */
static void check_components(struct problems *p, const struct origin *origins,
	struct place *places, size_t n)
{
	qsort(places, n, sizeof(*places), compare_names);
	for (size_t i = 1; i < n; i++) {
		struct source *src = origins[places[i].policy].src;

		if (strcmp(places[i - 1].path, places[i].path) != 0)
			continue;
		problem_add(p, src, scan_json_find(&src->scan, "/component"),
			"\"%s\" has a policy already, in %s: one file a "
			"component",
			places[i].path,
			origins[places[i - 1].policy].src->file);
	}
}

int sense_check_all(struct problems *p, const struct origin *origins,
	const struct policy *policies, size_t n)
{
	mem_autofree struct place *places = NULL;
	size_t n_places = 0, n_names = 0;

	for (size_t i = 0; i < n; i++)
		n_places += policies[i].n_roots;
	places = calloc(MAX_OF(n_places, n) + 1, sizeof(*places));
	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (policies[i].component)
			places[n_names++] = (struct place){
				.path = policies[i].component,
				.policy = i,
			};
	check_components(p, origins, places, n_names);
	n_places = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < policies[i].n_roots; j++)
			places[n_places++] =
				(struct place){policies[i].roots[j].path, i, j};
	return check_overlaps(p, origins, policies, places, n_places);
}
