// SPDX-License-Identifier: GPL-2.0-or-later
#include "filesystems.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "ballast.h"
#include "base/clock.h"
#include "base/escape.h"
#include "watch/mountinfo.h"

#define YOUNG_LOOK_NS  (50 * CLOCK_NS_PER_MS)
#define FAILED_LOOK_NS (10 * CLOCK_NS_PER_S)
#define HEALTH_NS      CLOCK_NS_PER_S /* it is read in sysfs, not for nothing */
/* A change is small if at that rate the next limit is so many looks away. */
#define SMALL_PART 16

/* The kernel's name of the device, or its numbers. */
static void name_device(uint64_t dev, struct mountinfo *ret)
{
	unsigned int high = major((dev_t)dev), low = minor((dev_t)dev);
	char line[256], path[64], name[128];
	FILE *file;

	snprintf(ret->source, sizeof(ret->source), "%u:%u", high, low);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", high, low);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "DEVNAME=%127s", name) == 1)
			snprintf(ret->source, sizeof(ret->source), "/dev/%s",
				name);
	if (file)
		fclose(file);
}

/* In a chroot mountinfo has no line for the mount of "/" if another directory
 * than its top is "/". */
static void find_mount(const char *path, uint64_t dev, struct mountinfo *ret)
{
	FILE *lines = fopen("/proc/self/mountinfo", "re");

	snprintf(ret->point, sizeof(ret->point), "%s", lines ? "/" : path);
	name_device(dev, ret);
	if (!lines)
		return;
	(void)mountinfo_find(lines, path, ret);
	fclose(lines);
}

/* As it may be shown: others choose what they mount, and where. */
static char *shown(const char *name)
{
	struct buf text = {0};

	if (escape_name(&text, name, strlen(name)) == 0)
		return text.data;
	buf_fini(&text);
	return NULL;
}

static void filesystem_fini(struct filesystem *f)
{
	free(f->root_path);
	free(f->path);
	free(f->device);
	ballast_free(f->ballast);
	*f = (struct filesystem){0};
}

void filesystems_fini(struct filesystems *fs)
{
	for (size_t i = 0; i < fs->n_items; i++)
		filesystem_fini(&fs->items[i]);
	free(fs->items);
	*fs = (struct filesystems){0};
}

struct filesystem *filesystems_find(struct filesystems *fs, uint64_t dev)
{
	for (size_t i = 0; i < fs->n_items; i++)
		if (fs->items[i].dev == dev)
			return &fs->items[i];
	return NULL;
}

int filesystems_add(struct filesystems *fs, uint64_t dev, const char *root_path,
	int64_t now_boot_ns)
{
	struct filesystem f = {.dev = dev, .due_boot_ns = now_boot_ns};
	struct mountinfo mount;
	int r;

	if (filesystems_find(fs, dev))
		return 0;
	find_mount(root_path, dev, &mount);
	f.root_path = strdup(root_path);
	f.path = shown(mount.point);
	f.device = shown(mount.source);
	r = !f.root_path || !f.path || !f.device
		    ? -ENOMEM
		    : mem_grow((void **)&fs->items, &fs->cap, fs->n_items + 1,
			      sizeof(*fs->items));
	if (r < 0) {
		filesystem_fini(&f);
		return r;
	}
	fs->items[fs->n_items++] = f;
	return 0;
}

void filesystems_prune(struct filesystems *fs,
	bool (*keep)(void *ctx, uint64_t dev), void *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < fs->n_items; i++) {
		if (keep(ctx, fs->items[i].dev))
			fs->items[n++] = fs->items[i];
		else
			filesystem_fini(&fs->items[i]);
	}
	fs->n_items = n;
}

uint64_t filesystem_used(const struct filesystem *f)
{
	return f->facts.used_bytes;
}

uint64_t filesystem_whole(const struct filesystem *f)
{
	return mem_add_sat(filesystem_used(f), f->facts.available_bytes);
}

void filesystem_limits(const struct filesystem *f, const struct config *config,
	struct trigger_limits *ret)
{
	uint64_t whole = filesystem_whole(f);

	*ret = (struct trigger_limits){
		.warning_bytes = amount_bytes(&config->fs_warning, whole),
		.emergency_bytes = amount_bytes(&config->fs_emergency, whole),
		.critical_bytes = amount_bytes(&config->fs_critical, whole),
		.target_bytes = amount_bytes(&config->fs_target, whole),
		.hysteresis_bytes =
			mem_mul_div(whole, config->hysteresis_ppm, 1000000),
	};
}

/* Bytes to the next limit above what is used; beyond the last, one percent:
 * there it matters how fast it falls. */
static uint64_t to_next_limit(
	const struct filesystem *f, const struct config *config)
{
	uint64_t used = mem_add_sat(filesystem_used(f), f->unseen_bytes);
	struct trigger_limits l;

	filesystem_limits(f, config, &l);
	if (used < l.warning_bytes)
		return l.warning_bytes - used;
	if (used < l.emergency_bytes)
		return l.emergency_bytes - used;
	if (used < l.critical_bytes)
		return l.critical_bytes - used;
	return filesystem_whole(f) / 100;
}

int64_t filesystem_pause_ns(
	const struct filesystem *f, const struct config *config)
{
	return trigger_poll_ms(
		       to_next_limit(f, config), f->growth_bytes_per_s) *
	       CLOCK_NS_PER_MS;
}

uint64_t filesystem_quiet_bytes(
	const struct filesystem *f, const struct config *config)
{
	if (!f->is_known || f->is_emergency || f->level != LEVEL_OK)
		return 0;
	return to_next_limit(f, config) / SMALL_PART;
}

void filesystem_grew(
	struct filesystem *f, uint64_t bytes, const struct config *config)
{
	uint64_t before;

	if (!f->is_known)
		return;
	before = to_next_limit(f, config);
	f->unseen_bytes = mem_add_sat(f->unseen_bytes, bytes);
	if (bytes >= before)
		f->due_boot_ns = 0;
}

void filesystem_refresh(struct filesystem *f, int64_t now_boot_ns)
{
	if (now_boot_ns - f->looked_boot_ns > YOUNG_LOOK_NS)
		f->due_boot_ns = 0;
}

void filesystem_take(struct filesystem *f, const struct mounts_fs *facts,
	const struct config *config, int64_t now_boot_ns)
{
	uint64_t before = filesystem_used(f), growth = 0, used;
	int64_t past_ms = (now_boot_ns - f->looked_boot_ns) / CLOCK_NS_PER_MS;

	f->is_asked = f->is_watched = false;
	f->due_boot_ns = now_boot_ns + FAILED_LOOK_NS;
	if (!facts)
		return;
	f->facts = *facts;
	if (facts->is_nonsense) {
		/* no level, no emergency, until it makes sense again */
		f->is_known = f->is_emergency = false;
		return;
	}
	used = filesystem_used(f);
	if (f->is_known && used > before)
		growth = mem_mul_div(
			used - before, 1000, (uint64_t)MAX_OF(past_ms, 1));
	/* Forgotten by an eighth a look. */
	f->growth_bytes_per_s = MAX_OF(
		growth, f->growth_bytes_per_s - f->growth_bytes_per_s / 8);
	f->is_known = f->is_fresh = true;
	f->unseen_bytes = 0;
	f->looked_boot_ns = now_boot_ns;
	f->due_boot_ns = now_boot_ns + filesystem_pause_ns(f, config);
}

/* Health. */

enum filesystem_health filesystem_health(const struct filesystem *f)
{
	if (!f->is_health_known)
		return FILESYSTEM_UNKNOWN;
	if (f->health.is_shut_down)
		return FILESYSTEM_SHUT_DOWN;
	if (f->fault || f->health.n_errors > f->accepted_errors)
		return FILESYSTEM_ERRORS;
	if (f->health.is_read_only)
		return FILESYSTEM_READ_ONLY;
	return FILESYSTEM_WELL;
}

const char *filesystem_health_word(enum filesystem_health health)
{
	static const char *const words[] = {
		[FILESYSTEM_UNKNOWN] = "unknown",
		[FILESYSTEM_WELL] = "ok",
		[FILESYSTEM_READ_ONLY] = "read-only",
		[FILESYSTEM_ERRORS] = "errors",
		[FILESYSTEM_SHUT_DOWN] = "shut-down",
	};

	return words[health];
}

void filesystem_note_fault(struct filesystem *f, int error)
{
	/* That is told by the mount table, also when it ends. */
	if (error != -EROFS && !f->fault) {
		f->fault = error;
		f->is_fresh = f->is_known;
	}
	filesystem_remounted(f);
}

void filesystem_accept(struct filesystem *f)
{
	f->fault = 0;
	f->accepted_errors = f->health.n_errors;
	f->is_fresh = f->is_known;
}

bool filesystem_wants_health(const struct filesystem *f, int64_t now_boot_ns)
{
	return !f->is_health_known ||
	       now_boot_ns - f->health_boot_ns >= HEALTH_NS;
}

void filesystem_take_health(struct filesystem *f,
	const struct mounts_health *health, int64_t now_boot_ns)
{
	/* Mounted anew: what the old mount met is past. Its own count on the
	 * disk is not. */
	if (f->is_health_known && health->mnt_id != f->health.mnt_id) {
		f->fault = 0;
		f->accepted_errors = 0;
	}
	f->health = *health;
	f->is_health_known = true;
	f->health_boot_ns = now_boot_ns;
}

void filesystem_remounted(struct filesystem *f)
{
	f->due_boot_ns = 0;
	f->health_boot_ns = INT64_MIN / 2;
}
