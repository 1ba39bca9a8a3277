// SPDX-License-Identifier: GPL-2.0-or-later
/* Each allocation of base and model fails once, and the next time all of it
 * works: nothing is lost, left behind or half done. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/trusted.h"
#include "model/alert.h"
#include "model/plan.h"

/* How many allocations succeed before one fails; -1: all. */
static int n_left = -1;

static bool is_over(void)
{
	return n_left >= 0 && n_left-- == 0;
}

void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return is_over() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text)
{
	return is_over() ? NULL : __real_strdup(text);
}

/* Runs fn with one allocation more each time until it succeeds. */
static int fail_everywhere(int (*fn)(void))
{
	for (int i = 0;; i++) {
		int r;

		n_left = i;
		r = fn();
		n_left = -1;
		if (r == 0)
			return i;
		assert_int_equal(r, -ENOMEM);
		assert_true(i < 100);
	}
}

static char long_text[1000];
static char open_place[64] = "/tmp/ullage-test.XXXXXX";

static int escape_something(void)
{
	buf_auto struct buf b = {0};
	int r = buf_puts(&b, "before"), r2;

	if (r < 0)
		return r;
	r = escape_name(&b, long_text, sizeof(long_text));
	if (r < 0)
		assert_string_equal(b.data, "before");
	r2 = escape_undo(&b, "\\x41 and more text than there was room for");
	return r < 0 ? r : r2;
}

static void escapes_are_whole_or_not_at_all(void **state)
{
	(void)state;
	memset(long_text, '\n', sizeof(long_text));
	assert_true(fail_everywhere(escape_something) >= 5);
}

static int send_plan(void)
{
	struct candidate c = {.rel_dir = "some/dir", .name = "name"};
	buf_auto struct buf b = {0};
	struct plan p = {0}, back = {0};
	int r = 0;

	for (int i = 0; i < 40 && r == 0; i++) {
		c.rel_dir = i % 2 ? "a/dir" : "another/dir";
		r = plan_add(&p, &c);
		assert_int_equal(p.n_items, r == 0 ? i + 1 : i);
	}
	if (r == 0)
		r = plan_encode(&p, 0, p.n_items, &b);
	if (r < 0)
		assert_int_equal(b.len, 0);
	else
		r = plan_decode(b.data, b.len, &back);
	if (r < 0)
		assert_null(back.items);
	plan_fini(&p);
	plan_fini(&back);
	return r;
}

static void plans_are_whole_or_not_at_all(void **state)
{
	(void)state;
	assert_true(fail_everywhere(send_plan) >= 15);
}

static struct alert full = {
	.scope = (char *)"component/feeds",
	.component = (char *)"feeds",
	.filesystem = (char *)"/srv",
	.message = (char *)"full",
	.details = (char *)"{}",
};

static int copy_alert(void)
{
	struct alert copy = {.id = 42};
	int r = alert_copy(&full, &copy);

	if (r < 0) {
		assert_int_equal(copy.id, 42);
		assert_null(copy.scope);
	} else {
		assert_string_equal(copy.details, "{}");
		alert_fini(&copy);
	}
	return r;
}

static void alerts_are_whole_or_not_at_all(void **state)
{
	(void)state;
	assert_int_equal(fail_everywhere(copy_alert), 5);
}

static unsigned n_heard;

static void hear(void *ctx, enum message id, const char *text,
	const struct log_field *fields)
{
	(void)ctx;
	(void)id;
	(void)fields;
	assert_string_equal(text, "text");
	n_heard++;
}

static int log_something(void)
{
	uint64_t before = log_dropped();
	unsigned heard = n_heard;

	log_note(LOG_ERR, "%s", "text");
	assert_int_equal(
		n_heard - heard + (unsigned)(log_dropped() - before), 1);
	return n_heard > heard ? 0 : -ENOMEM;
}

static void lines_are_heard_or_counted(void **state)
{
	(void)state;
	log_set_callback(hear, NULL);
	assert_int_equal(fail_everywhere(log_something), 2);
	log_set_callback(NULL, NULL);
}

/* "/proc/self/fd" is a link on the way, and one at its end. */
static int trust_something(void)
{
	buf_auto struct buf why = {0};

	return trusted_path("/proc/self/fd/../root/proc", &why);
}

static int distrust_something(void)
{
	buf_auto struct buf why = {0};
	int r = trusted_path(open_place, &why);

	return r == -EPERM && why.len ? 0 : r;
}

static void ways_are_gone_or_not(void **state)
{
	(void)state;
	assert_true(fail_everywhere(trust_something) >= 3);
	assert_non_null(mkdtemp(open_place));
	assert_int_equal(chmod(open_place, 0777), 0);
	strcat(open_place, "/x");
	assert_true(fail_everywhere(distrust_something) >= 3);
	*strrchr(open_place, '/') = '\0';
	rmdir(open_place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_are_whole_or_not_at_all),
		cmocka_unit_test(plans_are_whole_or_not_at_all),
		cmocka_unit_test(alerts_are_whole_or_not_at_all),
		cmocka_unit_test(lines_are_heard_or_counted),
		cmocka_unit_test(ways_are_gone_or_not),
	};

	return cmocka_run_group_tests_name("oom", tests, NULL, NULL);
}
