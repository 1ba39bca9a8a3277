// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/audit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"

void audit_fini(struct audit *a)
{
	buf_fini(&a->line);
}

/* The bytes that went out; fewer than len if the rest does not fit. */
static size_t write_some(int fd, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

void audit_flush(struct audit *a)
{
	size_t done;

	if (!a->n_pending)
		return;
	/* A record after a torn one begins on a line of its own. */
	if (a->is_torn && write_some(a->fd, "\n", 1) == 1)
		a->is_torn = false;
	done = a->is_torn ? 0 : write_some(a->fd, a->line.data, a->line.len);
	if (done < a->line.len) {
		uint64_t n_whole = 0;

		for (size_t i = 0; i < done; i++)
			n_whole += a->line.data[i] == '\n';
		a->n_lost += a->n_pending - n_whole;
		if (done && a->line.data[done - 1] != '\n')
			a->is_torn = true;
	}
	buf_reset(&a->line);
	a->n_pending = 0;
}

static const char *stamp(struct audit_stamp *s, int64_t real_s)
{
	if (!s->text[0] || s->real_s != real_s)
		clock_stamp(real_s, s->text);
	s->real_s = real_s;
	return s->text;
}

static int put_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	return buf_put(b, digits + at, sizeof(digits) - at);
}

/* Printable ASCII but for these two: needs no escape of either kind. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	return true;
}

/* An escaped name holds nothing that JSON would not but these two. */
static int put_string(struct buf *b, const char *text)
{
	buf_auto struct buf escaped = {0};
	const char *at;
	int r;

	if (is_plain(text))
		return buf_puts(b, text);
	r = escape_name(&escaped, text, strlen(text));
	if (r < 0 || !escaped.len)
		return r;
	for (at = escaped.data; r == 0 && *at;) {
		size_t n = strcspn(at, "\"\\");

		r = buf_put(b, at, n);
		at += n;
		if (r == 0 && *at) {
			char pair[2] = {'\\', *at++};

			r = buf_put(b, pair, 2);
		}
	}
	return r;
}

static int put_dir(struct buf *b, const char *dir)
{
	int r = *dir ? put_string(b, dir) : 0;

	return r == 0 && *dir ? buf_puts(b, "/") : r;
}

/* The front of the path, and the end of it with the name. */
static int put_cut(struct buf *b, const char *dir, size_t len)
{
	enum { PART = AUDIT_PATH_MAX / 2 };
	char front[PART + 1];
	int r;

	memcpy(front, dir, PART);
	front[PART] = '\0';
	r = put_string(b, front);
	if (r == 0)
		r = buf_puts(b, " ... ");
	return r < 0 ? r : put_dir(b, dir + len - PART);
}

/* Ends the text that begin() began. */
static int put_path(struct buf *b, const char *dir, const char *name)
{
	size_t len = strlen(dir);
	bool is_cut = len > AUDIT_PATH_MAX;
	int r = is_cut ? put_cut(b, dir, len) : put_dir(b, dir);

	if (r == 0)
		r = put_string(b, name);
	if (r == 0 && is_cut)
		r = buf_printf(b, "\",\"pathBytes\":%zu,\"dev\":",
			len + 1 + strlen(name));
	else if (r == 0)
		r = buf_puts(b, "\",\"dev\":");
	return r;
}

/* Each of them in turn, until one fails. */
static int put_all(struct buf *b, const char *const *texts, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_puts(b, texts[i]);
	return r;
}

static int begin(struct audit *a, const char *event)
{
	const char *const head[] = {"{\"at\":\"",
		stamp(&a->at, clock_real_s(NULL)), "\",\"event\":\"", event,
		"\",\"component\":\""};
	int r = put_all(&a->line, head, ARRAY_SIZE(head));

	if (r == 0)
		r = put_string(&a->line, a->component);
	if (r == 0)
		r = buf_puts(&a->line, "\",\"root\":\"");
	if (r == 0)
		r = put_string(&a->line, a->root);
	return r < 0 ? r : buf_puts(&a->line, "\",\"path\":\"");
}

/* Keeps the record, or drops it whole. */
static void end(struct audit *a, size_t start, int r)
{
	if (r == 0)
		r = buf_puts(&a->line, "}\n");
	if (r == 0) {
		a->n_pending++;
		return;
	}
	a->n_lost++;
	a->line.len = start;
	if (a->line.data)
		a->line.data[start] = '\0';
}

static int put_number(struct buf *b, const char *before, uint64_t value)
{
	int r = buf_puts(b, before);

	return r < 0 ? r : put_u64(b, value);
}

static int put_file(struct audit *a, const char *event,
	const struct candidate *c, const struct beneath_stat *st)
{
	const char *const btime[] = {
		",\"btime\":\"", stamp(&a->btime, st->id.btime_s), "\""};
	const char *const rule[] = {
		",\"rule\":\"", plan_rule_word(c->rule), "\""};
	int r = begin(a, event);

	if (r == 0)
		r = put_path(&a->line, c->rel_dir, c->name);
	if (r == 0)
		r = put_u64(&a->line, st->id.dev);
	if (r == 0)
		r = put_number(&a->line, ",\"ino\":", st->id.ino);
	if (r == 0)
		r = put_all(&a->line, btime, ARRAY_SIZE(btime));
	if (r == 0)
		r = put_number(&a->line, ",\"usedBytes\":", st->used_bytes);
	if (r == 0)
		r = put_all(&a->line, rule, ARRAY_SIZE(rule));
	if (r == 0 && a->is_trash)
		r = buf_puts(&a->line, ",\"trash\":true");
	return r;
}

void audit_intent(struct audit *a, const struct candidate *c,
	const struct beneath_stat *st)
{
	size_t start = a->line.len;

	if (a->fd < 0)
		return;
	end(a, start, put_file(a, "intent", c, st));
	audit_flush(a);
}

void audit_result(struct audit *a, const struct candidate *c,
	const struct beneath_stat *st, const struct outcome *o)
{
	const char *const reason[] = {
		",\"reason\":\"", reason_word(o->reason), "\""};
	size_t start = a->line.len;
	int r;

	if (a->fd < 0)
		return;
	r = put_file(a, "result", c, st);
	if (r == 0)
		r = put_all(&a->line, reason, ARRAY_SIZE(reason));
	if (r == 0)
		r = put_number(&a->line, ",\"error\":", (uint64_t)o->error);
	end(a, start, r);
}

void audit_found(struct audit *a, const char *path, bool is_restored)
{
	size_t start = a->line.len;
	int r;

	if (a->fd < 0)
		return;
	r = begin(a, is_restored ? "restored" : "orphan");
	if (r == 0)
		r = put_string(&a->line, path);
	end(a, start, r < 0 ? r : buf_puts(&a->line, "\""));
}

void audit_refused(struct audit *a, const char *why, int error)
{
	size_t start = a->line.len;
	int r;

	if (a->fd < 0)
		return;
	r = begin(a, "refused");
	if (r == 0)
		r = buf_printf(&a->line, "\",\"reason\":\"%s\",\"error\":%d",
			why, error);
	end(a, start, r);
}
