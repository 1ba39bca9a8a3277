// SPDX-License-Identifier: GPL-2.0-or-later
/* Which directories may be managed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "policy/admit.h"

static const char *const own[] = {
	"/srv/agent/state.json", "/opt/ullage/run/socket", NULL};

static void assert_refused(const char *path, const char *reason)
{
	buf_auto struct buf why = {0};

	if (admit_path(path, own, &why) != -EPERM)
		fail_msg("%s was admitted", path);
	if (reason)
		assert_string_equal(why.data, reason);
	else
		assert_true(why.len > 0);
}

static void assert_admitted(const char *path)
{
	buf_auto struct buf why = {0};

	if (admit_path(path, own, &why) != 0)
		fail_msg("%s was refused: %s", path, why.data);
	assert_int_equal(why.len, 0);
}

static void text(void **state)
{
	(void)state;
	assert_refused("", "it is not absolute: begin with \"/\"");
	assert_refused("srv/x", "it is not absolute: begin with \"/\"");
	assert_refused("/srv//x", "\"//\" is not allowed: write one slash");
	assert_refused("/srv/x/", "a slash at the end is not allowed");
	assert_refused("/srv/../etc", "\"..\" is not allowed");
	assert_refused("/srv/x/..", "\"..\" is not allowed");
	assert_refused("/srv/./x", "\".\" is not allowed");
	assert_refused("/srv/x/.", "\".\" is not allowed");
	assert_refused("/srv/a\nb", "it contains a control character");
	assert_refused("/srv/a\x7f", "it contains a control character");
	assert_admitted("/srv/..x");
	assert_admitted("/srv/x..");
	assert_admitted("/srv/.x");
	assert_admitted("/srv/...");
	assert_admitted("/srv/\xff\xfe");
}

static void depth(void **state)
{
	static const char near[] =
		"it is too near to \"/\": at least two levels";

	(void)state;
	assert_refused("/", near);
	assert_refused("/srv", near);
	assert_refused("/data", near);
	assert_admitted("/srv/x");
	assert_admitted("/data/x");
}

static void system_directories(void **state)
{
	static const char *const refused[] = {"/usr/share", "/usr/local/x",
		"/etc/ullage", "/etc/x/y", "/proc/1", "/sys/fs/x",
		"/dev/mapper/x", "/boot/efi", "/bin/x", "/sbin/x", "/lib/x",
		"/lib64/x", "/lost+found/x", "/var/lib", "/var/log",
		"/var/cache", "/var/tmp", "/var/lib/dpkg", "/var/lib/dpkg/info",
		"/var/lib/rpm", "/var/lib/apt/lists", "/var/lib/systemd",
		"/var/lib/ullage", "/var/lib/ullage/x", "/var/log/journal",
		"/run/systemd/x", "/run/user/1000", "/dev/shm",
		"/var/lib/docker", "/media/disk"};
	static const char *const admitted[] = {"/var/lib/postgresql",
		"/var/lib/dpkg2", "/var/log/nginx", "/var/cache/nginx",
		"/run/feeds/x", "/run/user/1000/x", "/dev/shm/x",
		"/media/disk/x", "/tmp/x", "/usrx/y", "/etcetera/x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_refused(refused[i], NULL);
	for (size_t i = 0; i < ARRAY_SIZE(admitted); i++)
		assert_admitted(admitted[i]);
	assert_refused("/usr/share", "/usr belongs to the system: nothing at, "
				     "above or below it is managed");
}

static void homes(void **state)
{
	(void)state;
	assert_refused("/home/somebody", NULL);
	assert_refused("/root", NULL);
	assert_admitted("/home/somebody/cache");
	assert_admitted("/root/x/y");
}

static void own_files(void **state)
{
	(void)state;
	assert_refused("/srv/agent",
		"it is above /srv/agent/state.json, a file of ours");
	assert_refused("/srv/agent/state.json",
		"it is above /srv/agent/state.json, a file of ours");
	assert_refused("/opt/ullage",
		"it is above /opt/ullage/run/socket, a file of ours");
	assert_admitted("/srv/agent2");
	assert_admitted("/srv/agent/state.jsonx");
	assert_admitted("/opt/ullage/data");
}

static void overlaps(void **state)
{
	(void)state;
	assert_true(admit_overlaps("/a/b", "/a/b"));
	assert_true(admit_overlaps("/a/b", "/a/b/c"));
	assert_true(admit_overlaps("/a/b/c", "/a/b"));
	assert_true(admit_overlaps("/", "/a"));
	assert_false(admit_overlaps("/a/b", "/a/bc"));
	assert_false(admit_overlaps("/a/bc", "/a/b"));
	assert_false(admit_overlaps("/a/b", "/a/c"));
}

static void root_and_its_changes(void **state)
{
	char dir[] = "/tmp/ullage-admit.XXXXXX", path[64], other[64], link[64];
	struct admitted first, now;
	fd_auto int fd = -1;
	int e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/root", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(mkdir(path, 0750), 0);
	assert_int_equal(mkdir(other, 0750), 0);
	assert_int_equal(symlink(path, link), 0);

	e = admit_root(path, NULL, &first, &fd);
	if (e == -ENOSYS) {
		print_message("skipped: no openat2 here\n");
		skip();
	}
	assert_int_equal(e, 0);
	assert_true(fd >= 0);
	assert_int_equal(first.uid, geteuid());
	assert_int_equal(first.mode & 07777, 0750);
	assert_int_equal(admit_root(path, &first, &now, NULL), 0);

	/* a symlink, a missing one, a file */
	assert_int_equal(admit_root(link, NULL, &now, NULL), -ELOOP);
	assert_int_equal(admit_root("/tmp/no/such", NULL, &now, NULL), -ENOENT);
	assert_int_equal(admit_root("/dev/null", NULL, &now, NULL), -ENOTDIR);

	/* another directory in its place */
	fd = fd_close(fd);
	assert_int_equal(
		renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE), 0);
	assert_int_equal(
		admit_root(path, &first, &now, &fd), X_E_ADMIT_CHANGED);
	assert_int_equal(fd, -1);
	assert_int_not_equal(now.id.ino, first.id.ino);
	assert_int_equal(admit_root(other, &first, &now, NULL), 0);

	/* another owner */
	now = first;
	now.uid++;
	assert_int_equal(
		admit_root(other, &now, &now, NULL), X_E_ADMIT_CHANGED);
	unlink(link);
	rmdir(path);
	rmdir(other);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(depth),
		cmocka_unit_test(system_directories),
		cmocka_unit_test(homes),
		cmocka_unit_test(own_files),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(root_and_its_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
