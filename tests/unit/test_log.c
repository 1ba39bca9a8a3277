// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/log.h"
#include "unit/scratch.h"

static struct scratch scratch;
static int saved_stderr;

static int set_up(void **state)
{
	(void)state;
	scratch_init(&scratch);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	/* A log that blocks must not hang the tests. */
	alarm(20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	alarm(0);
	log_close();
	log_set_callback(NULL, NULL);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	unsetenv("JOURNAL_STREAM");
	scratch_fini(&scratch);
	return 0;
}

/* A socket where journald's would be. */
static int new_journal(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.90s/journal",
		scratch.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(log_set_journal(addr.sun_path), 0);
	return fd;
}

struct datagram {
	char data[128 * 1024];
	size_t len;
};

static void receive(int fd, struct datagram *ret)
{
	ssize_t n = recv(fd, ret->data, sizeof(ret->data) - 1, 0);

	assert_true(n > 0);
	ret->len = (size_t)n;
	ret->data[n] = '\0';
}

/* Reads the field at *at as journald does. Returns false at the end. */
static bool next_field(const struct datagram *d, size_t *at, char *ret_name,
	const char **ret_value, size_t *ret_len)
{
	const char *start = d->data + *at, *end, *equals;
	uint64_t size;

	if (*at == d->len)
		return false;
	end = memchr(start, '\n', d->len - *at);
	assert_non_null(end);
	equals = memchr(start, '=', (size_t)(end - start));
	memcpy(ret_name, start, (size_t)((equals ? equals : end) - start));
	ret_name[(equals ? equals : end) - start] = '\0';
	if (equals) {
		*ret_value = equals + 1;
		*ret_len = (size_t)(end - equals - 1);
	} else {
		memcpy(&size, end + 1, sizeof(size));
		*ret_value = end + 1 + sizeof(size);
		*ret_len = le64toh(size);
	}
	assert_true(*ret_value + *ret_len < d->data + d->len);
	assert_int_equal((*ret_value)[*ret_len], '\n');
	*at = (size_t)(*ret_value + *ret_len + 1 - d->data);
	return true;
}

/* The value of a field that is there n times; the last of them. */
static const char *field(const struct datagram *d, const char *name, int n)
{
	static char found[128 * 1024];
	char at_name[1024];
	const char *value;
	size_t at = 0, len;

	while (next_field(d, &at, at_name, &value, &len))
		if (strcmp(at_name, name) == 0) {
			memcpy(found, value, len);
			found[len] = '\0';
			n--;
		}
	assert_int_equal(n, 0);
	return found;
}

static void the_journal_gets_fields(void **state)
{
	static struct datagram d;
	int fd = new_journal();

	(void)state;
	log_open("ullaged", LOG_TARGET_JOURNAL, LOG_INFO);
	log_event(MSG_CLEANUP_DONE,
		LOG_FIELDS({"ULLAGE_COMPONENT", "feeds"},
			{"ULLAGE_PATH", "a\nMESSAGE=forged\n"},
			{"ULLAGE_E", ""}),
		"freed %d B of %s", 7, "feeds\nMESSAGE=forged");
	receive(fd, &d);
	assert_string_equal(field(&d, "MESSAGE", 1),
		"freed 7 B of feeds\\x0aMESSAGE=forged");
	assert_string_equal(field(&d, "PRIORITY", 1), "5");
	assert_string_equal(field(&d, "SYSLOG_IDENTIFIER", 1), "ullaged");
	assert_string_equal(field(&d, "MESSAGE_ID", 1),
		message_infos[MSG_CLEANUP_DONE].uuid);
	assert_string_equal(field(&d, "ULLAGE_COMPONENT", 1), "feeds");
	assert_string_equal(field(&d, "ULLAGE_PATH", 1), "a\nMESSAGE=forged\n");
	assert_string_equal(field(&d, "ULLAGE_E", 1), "");
	log_note(LOG_ERR, "plain");
	receive(fd, &d);
	assert_string_equal(field(&d, "MESSAGE", 1), "plain");
	assert_string_equal(field(&d, "PRIORITY", 1), "3");
	field(&d, "MESSAGE_ID", 0);
	close(fd);
}

static void field_names_forge_nothing(void **state)
{
	static struct datagram d;
	int fd = new_journal();

	(void)state;
	log_open("ullaged", LOG_TARGET_JOURNAL, LOG_INFO);
	log_event(MSG_STARTED,
		LOG_FIELDS({"_UID", "0"}, {"A=B\nMESSAGE", "x"}, {"lower", "x"},
			{"", "x"}, {"ULLAGE_NONE", NULL}, {"GOOD_1", "x"}),
		"text");
	receive(fd, &d);
	field(&d, "MESSAGE", 1);
	field(&d, "_UID", 0);
	field(&d, "A", 0);
	field(&d, "lower", 0);
	field(&d, "", 0);
	field(&d, "ULLAGE_NONE", 0);
	assert_string_equal(field(&d, "GOOD_1", 1), "x");
	close(fd);
}

static void long_messages_are_cut(void **state)
{
	static struct datagram d;
	static char text[100000];
	int fd = new_journal();

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	log_open("ullaged", LOG_TARGET_JOURNAL, LOG_INFO);
	log_event(MSG_STARTED,
		LOG_FIELDS({"A", text}, {"B", text}, {"C", text}, {"D", text},
			{"E", text}, {"LAST", "short"}),
		"%s", text);
	receive(fd, &d);
	assert_true(d.len <= 48 * 1024);
	assert_true(strlen(field(&d, "MESSAGE", 1)) > 10000);
	assert_true(strlen(field(&d, "A", 1)) > 5000);
	assert_string_equal(field(&d, "LAST", 1), "short");
	assert_string_equal(
		field(&d, "MESSAGE_ID", 1), message_infos[MSG_STARTED].uuid);
	close(fd);
}

static void a_stopped_journal_costs_lines_not_time(void **state)
{
	uint64_t before = log_dropped();
	int fd = new_journal();

	(void)state;
	log_open("ullaged", LOG_TARGET_JOURNAL, LOG_INFO);
	for (int i = 0; i < 5000; i++)
		log_note(LOG_INFO, "line %d", i);
	assert_true(log_dropped() > before);
	before = log_dropped();
	close(fd);
	log_note(LOG_INFO, "nobody listens");
	assert_true(log_dropped() == before + 1);
	/* Whoever listens there next is heard again. */
	unlinkat(scratch.fd, "journal", 0);
	fd = new_journal();
	log_note(LOG_INFO, "back");
	assert_true(log_dropped() == before + 1);
	close(fd);
}

static void new_stderr(int pipefd[2])
{
	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	assert_int_equal(dup2(pipefd[1], STDERR_FILENO), STDERR_FILENO);
	close(pipefd[1]);
}

static void assert_stderr(int fd, const char *expected)
{
	char text[8192];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static void stderr_gets_lines_with_priorities(void **state)
{
	int pipefd[2];

	(void)state;
	new_stderr(pipefd);
	log_open("ullaged", LOG_TARGET_AUTO, LOG_NOTICE);
	log_event(MSG_STARTED, NULL, "one\ntwo \x1b[31m %s", "\\x0a");
	assert_stderr(pipefd[0], "<5>one\\x0atwo \\x1b[31m \\x0a\n");
	log_note(LOG_ERR, "three");
	log_note(LOG_INFO, "too quiet for this level");
	log_note(LOG_NOTICE, "four");
	assert_stderr(pipefd[0], "<3>three\n<5>four\n");
	close(pipefd[0]);
}

static void a_terminal_gets_plain_lines(void **state)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), tty;

	(void)state;
	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0) {
		print_message("SKIP: no pseudo-terminals\n");
		skip();
	}
	tty = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(tty >= 0);
	assert_int_equal(dup2(tty, STDERR_FILENO), STDERR_FILENO);
	close(tty);
	log_open("ullaged", LOG_TARGET_AUTO, LOG_INFO);
	log_note(LOG_ERR, "text");
	assert_stderr(fd, "ullaged: text\r\n");
	close(fd);
}

static void a_full_pipe_does_not_block(void **state)
{
	uint64_t before = log_dropped();
	static char text[20000];
	int pipefd[2];

	(void)state;
	new_stderr(pipefd);
	log_open("ullaged", LOG_TARGET_STDERR, LOG_INFO);
	for (int i = 0; i < 2000; i++)
		log_note(LOG_INFO, "a line that nobody reads, number %d", i);
	assert_true(log_dropped() > before);
	memset(text, 'x', sizeof(text) - 1);
	log_note(LOG_INFO, "%s", text);
	before = log_dropped();
	close(pipefd[0]);
	/* And no SIGPIPE when nobody is left to read. */
	log_note(LOG_INFO, "x");
	assert_true(log_dropped() == before + 1);
}

static void long_lines_are_cut_whole(void **state)
{
	static char text[20000];
	int pipefd[2];
	ssize_t n;

	(void)state;
	new_stderr(pipefd);
	log_open("ullaged", LOG_TARGET_STDERR, LOG_INFO);
	memset(text, 'x', sizeof(text) - 1);
	log_note(LOG_INFO, "%s", text);
	n = read(pipefd[0], text, sizeof(text));
	assert_true(n == PIPE_BUF);
	assert_memory_equal(text, "<6>xxx", 6);
	assert_int_equal(text[n - 1], '\n');
	close(pipefd[0]);
}

static void stderr_of_journald_means_the_journal(void **state)
{
	static struct datagram d;
	int fd = new_journal(), pipefd[2];
	char stream[64];
	struct stat st;

	(void)state;
	new_stderr(pipefd);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("ullaged", LOG_TARGET_AUTO, LOG_INFO);
	log_note(LOG_ERR, "to the journal");
	receive(fd, &d);
	field(&d, "MESSAGE", 1);
	/* Inherited by a process whose stderr goes elsewhere. */
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("ullaged", LOG_TARGET_AUTO, LOG_INFO);
	log_note(LOG_ERR, "to stderr");
	assert_stderr(pipefd[0], "<3>to stderr\n");
	close(fd);
	close(pipefd[0]);
}

struct heard {
	enum message id;
	char text[64];
	const struct log_field *fields;
};

static void hear(void *ctx, enum message id, const char *text,
	const struct log_field *fields)
{
	struct heard *h = ctx;

	errno = EXFULL;
	h->id = id;
	h->fields = fields;
	snprintf(h->text, sizeof(h->text), "%s", text);
}

static void a_callback_gets_everything(void **state)
{
	struct heard h = {0};

	(void)state;
	log_open("ullaged", LOG_TARGET_STDERR, LOG_ERR);
	log_set_callback(hear, &h);
	log_event(MSG_FILE_INTENT, LOG_FIELDS({"A", "b"}), "file %d", 1);
	assert_int_equal(h.id, MSG_FILE_INTENT);
	assert_string_equal(h.text, "file 1");
	assert_string_equal(h.fields[0].value, "b");
	assert_null(h.fields[1].name);
	errno = ENOSPC;
	log_note(LOG_DEBUG, "%m");
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(h.id, N_MESSAGES);
	assert_string_equal(h.text, strerror(ENOSPC));
	assert_null(h.fields);
}

/* The table is what journals, catalogs and manuals rely on. */
static void messages_are_well_formed(void **state)
{
	(void)state;
	for (int i = 0; i < N_MESSAGES; i++) {
		const struct message_info *m = &message_infos[i];

		assert_int_equal(strlen(m->uuid), 32);
		assert_int_equal(strspn(m->uuid, "0123456789abcdef"), 32);
		assert_true(
			m->priority >= LOG_CRIT && m->priority <= LOG_DEBUG);
		assert_true(*m->subject && *m->text);
		assert_int_equal(m->text[strlen(m->text) - 1], '.');
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(m->uuid, message_infos[j].uuid);
			assert_string_not_equal(m->name, message_infos[j].name);
		}
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_journal_gets_fields),
		TEST(field_names_forge_nothing),
		TEST(long_messages_are_cut),
		TEST(a_stopped_journal_costs_lines_not_time),
		TEST(stderr_gets_lines_with_priorities),
		TEST(a_terminal_gets_plain_lines),
		TEST(a_full_pipe_does_not_block),
		TEST(long_lines_are_cut_whole),
		TEST(stderr_of_journald_means_the_journal),
		TEST(a_callback_gets_everything),
		TEST(messages_are_well_formed),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
