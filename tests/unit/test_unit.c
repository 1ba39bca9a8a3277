// SPDX-License-Identifier: GPL-2.0-or-later
/* What the unit's fence is made of, from policies and mount tables. */
#include "policy_help.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "warden_unit.h"

static char tables[2][64];

static void write_table(int which, const char *text)
{
	int fd;

	strcpy(tables[which], "/tmp/test_unit.XXXXXX");
	fd = mkstemp(tables[which]);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	close(fd);
}

static void parse(struct help *h, const char *main, const char *policy)
{
	help_add(h, "ullage.json", main, true);
	help_add(h, "x.json", policy, false);
	if (help_parse(h))
		fail_msg("%s", h->errors.data);
}

/* The paths with a newline after each. */
static void assert_paths(struct help *h, const char *mounted,
	const char *configured, const char *want)
{
	buf_auto struct buf got = {0};

	write_table(0, mounted);
	write_table(1, configured);
	assert_int_equal(
		warden_unit_paths(h->config,
			(const char *const[]){tables[0], tables[1]}, &got),
		0);
	unlink(tables[0]);
	unlink(tables[1]);
	for (size_t i = 0; i < got.len; i++)
		if (got.data[i] == '\0')
			got.data[i] = '\n';
	assert_int_equal(buf_puts(&got, ""), 0);
	assert_string_equal(got.data, want);
	help_fini(h);
}

#define MAIN                                                       \
	"{\"state\": \"/var/lib/ullage/state.json\", \"socket\": " \
	"\"/run/ullage/agent\"}"
#define OURS "/var/lib/ullage\n/run/ullage\n"
#define ALL(path)                                                             \
	"{\"component\": \"x\", \"allocation\": \"1GB\", \"paths\": {"        \
	"\"temp\": [\"" path "/t\"], \"cache\": [\"" path "/c\"], \"logs\": " \
	"[\"" path "/l\"], \"data\": [\"" path "/d\"], \"backup\": [\"" path  \
	"/b\"], \"config\": [\"" path "/o\"]}}"
#define ROOT_ONLY "/dev/vda / ext4 rw 0 0\nproc /proc proc rw 0 0\n"

static void on_the_root_filesystem_each_path(void **state)
{
	struct help h = {0};

	(void)state;
	parse(&h, MAIN, ALL("/srv/x"));
	assert_paths(&h, ROOT_ONLY, "",
		OURS "/srv/x/t\n/srv/x/c\n/srv/x/l\n/srv/x/d\n/srv/x/b\n"
		     "/srv/x/o\n");
	/* Of the system's own filesystems too. */
	parse(&h, MAIN, ALL("/var/spool/x"));
	assert_paths(&h,
		ROOT_ONLY "/dev/vdb /var ext4 rw 0 0\n"
			  "/dev/vdc /var/spool ext4 rw 0 0\n",
		"",
		OURS "/var/spool/x/t\n/var/spool/x/c\n/var/spool/x/l\n"
		     "/var/spool/x/d\n/var/spool/x/b\n/var/spool/x/o\n");
}

static void on_others_the_mount_point(void **state)
{
	struct help h = {0};

	(void)state;
	parse(&h, MAIN, ALL("/srv/x/deep"));
	assert_paths(&h, ROOT_ONLY "/dev/vdb /srv/x ext4 rw 0 0\n", "",
		OURS "/srv/x\n");
	/* Not mounted yet, at boot; names with a space. */
	parse(&h, MAIN, ALL("/srv/a b/deep"));
	assert_paths(&h, ROOT_ONLY, "UUID=1 /srv/a\\040b xfs defaults 0 2\n",
		OURS "/srv/a b\n");
	/* A name that only begins alike is another one. */
	parse(&h, MAIN, ALL("/srv/xy"));
	assert_paths(&h, ROOT_ONLY "/dev/vdb /srv/x ext4 rw 0 0\n", "",
		OURS "/srv/xy/t\n/srv/xy/c\n/srv/xy/l\n/srv/xy/d\n/srv/xy/b\n"
		     "/srv/xy/o\n");
}

static void base_directories_are_made_in_one(void **state)
{
	struct help h = {0};

	(void)state;
	parse(&h, MAIN,
		"{\"component\": \"x\", \"allocation\": \"1GB\", \"paths\": "
		"{\"data\": [\"/srv/disk/x\"]}}");
	assert_paths(&h, ROOT_ONLY "/dev/vdb /srv/disk ext4 rw 0 0\n", "",
		OURS "/srv/disk\n/srv/ullage\n");
	/* A filesystem below the base is below the path of the base. */
	parse(&h, MAIN, "{\"component\": \"x\", \"allocation\": \"1GB\"}");
	assert_paths(&h, ROOT_ONLY "/dev/vdb /srv/ullage/data ext4 rw 0 0\n",
		"", OURS "/srv/ullage\n");
	/* The base on a filesystem, and all of it. */
	parse(&h, MAIN, "{\"component\": \"x\", \"allocation\": \"1GB\"}");
	assert_paths(
		&h, ROOT_ONLY "/dev/vdb /srv ext4 rw 0 0\n", "", OURS "/srv\n");
}

static void assert_dropin(const char *main, const char *policy,
	const char *unit, const char *want)
{
	struct help h = {0};
	buf_auto struct buf got = {0};

	parse(&h, main, policy);
	assert_int_equal(warden_unit_dropin(h.config, unit, &got), 0);
	assert_int_equal(buf_puts(&got, ""), 0);
	if (!*want)
		assert_string_equal(got.data, "");
	else if (!strstr(got.data, want))
		fail_msg("no %s in:\n%s", want, got.data);
	help_fini(&h);
}

static void what_systemd_reads_is_escaped(void **state)
{
	(void)state;
	assert_dropin(MAIN, ALL("/nowhere/a b%n\\\"c\\\\d"), "ullaged.service",
		"\n[Service]\nReadWritePaths=\"-/var/lib/ullage\"\n"
		"ReadWritePaths=\"-/run/ullage\"\n"
		"ReadWritePaths=\"-/nowhere/a b%%n\\\"c\\\\d/t\"\n");
}

static void homes_and_tmp_are_opened_if_need_be(void **state)
{
	(void)state;
	assert_dropin(MAIN, ALL("/home/x/cache"), "ullaged.service",
		"\nProtectHome=read-only\n");
	assert_dropin(MAIN, ALL("/var/tmp/x"), "ullaged.service",
		"\nPrivateTmp=no\n");
}

static void hooks_run_as_their_user(void **state)
{
	struct help h = {0};
	buf_auto struct buf got = {0};

	(void)state;
	assert_dropin(MAIN, ALL("/srv/x"), "ullage-hooks@.service", "");
	assert_dropin("{\"alerts\": {\"hookUser\": \"daemon\"}}", ALL("/srv/x"),
		"ullage-hooks@.service", "\n[Service]\nUser=daemon\n");
	parse(&h, MAIN, ALL("/srv/x"));
	assert_int_equal(
		warden_unit_dropin(h.config, "other.service", &got), -ENOENT);
	help_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_root_filesystem_each_path),
		cmocka_unit_test(on_others_the_mount_point),
		cmocka_unit_test(base_directories_are_made_in_one),
		cmocka_unit_test(what_systemd_reads_is_escaped),
		cmocka_unit_test(homes_and_tmp_are_opened_if_need_be),
		cmocka_unit_test(hooks_run_as_their_user),
	};

	return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
