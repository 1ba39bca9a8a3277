// SPDX-License-Identifier: GPL-2.0-or-later
/* Each allocation fails once while a configuration is read and shown: the
 * answer is -ENOMEM, nothing leaks, and nothing half done comes out. */
#include "policy_help.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* How many allocations succeed before one fails; -1: all. */
static int n_left = -1;

static bool is_over(void)
{
	return n_left >= 0 && n_left-- == 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
	return is_over() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_over() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return is_over() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text)
{
	return is_over() ? NULL : __real_strdup(text);
}

static const char good[] =
	"{\"component\": \"c\", \"allocation\": \"1GB\", \"backup\": true,\n"
	"\"paths\": {\"data\": [\"/srv/1\", \"/srv/2\"]}, \"user\": \"root\",\n"
	"\"owners\": [\"root\", 33], \"protect\": [\"*.a\", \"b/**\"]}";
static const char bad[] =
	"{\"component\": \"C\", \"allocaton\": \"1GB\", \"mode\": \"enforc\",\n"
	"\"user\": \"no-such\", \"protect\": [3, \"[\"], \"minAge\": 3}";

/* Until it succeeds, with one allocation more each time. Returns how many
 * it needs. */
static int fail_everywhere(const char *text, int expected)
{
	struct help h = {.env.strategies = help_strategies};
	int n = 0, e;

	help_add(&h, "p", text, false);
	for (;; n++) {
		buf_auto struct buf errors = {0}, notes = {0};
		struct config *config = NULL;

		n_left = n;
		e = config_parse(&h.bundle, &h.env, &config, &errors, &notes);
		n_left = -1;
		assert_true((e == 0) == (config != NULL));
		config_free(config);
		if (e != -ENOMEM)
			break;
		assert_true(n < 10000);
	}
	assert_int_equal(e, expected);
	help_fini(&h);
	return n;
}

static void reading(void **state)
{
	(void)state;
	assert_true(fail_everywhere(good, 0) > 50);
	assert_true(fail_everywhere(bad, -EINVAL) > 50);
	assert_true(fail_everywhere("{\"a\":", -EINVAL) > 5);
}

static void showing(void **state)
{
	struct help h = {0};

	(void)state;
	help_add(&h, "p", good, false);
	assert_int_equal(help_parse(&h), 0);
	for (int i = 0; i < 3; i++)
		for (int n = 0;; n++) {
			buf_auto struct buf text = {0};
			int e;

			n_left = n;
			e = i == 0   ? config_show(h.config, "c", &text)
			    : i == 1 ? config_show(h.config, NULL, &text)
				     : config_schema(false, &text);
			n_left = -1;
			if (e == 0)
				break;
			assert_int_equal(e, -ENOMEM);
			assert_int_equal(text.len, 0);
		}
	help_fini(&h);
}

static void coding(void **state)
{
	struct help h = {0};
	buf_auto struct buf code = {0};

	(void)state;
	help_add(&h, "p", good, false);
	help_add(&h, "u", "{}", true);
	for (int n = 0;; n++) {
		int e;

		n_left = n;
		e = bundle_encode(&h.bundle, &code);
		n_left = -1;
		if (e == 0)
			break;
		assert_int_equal(e, -ENOMEM);
		assert_int_equal(code.len, 0);
	}
	for (int n = 0;; n++) {
		struct bundle back = {0};
		int e;

		n_left = n;
		e = bundle_decode(code.data, code.len, &back);
		n_left = -1;
		bundle_fini(&back);
		if (e == 0)
			break;
		assert_int_equal(e, -ENOMEM);
	}
	help_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(showing),
		cmocka_unit_test(coding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
