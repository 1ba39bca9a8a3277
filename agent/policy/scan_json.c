// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/scan_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/scan_text.h"

/* The grammar, by recursive descent; SCAN_MAX_DEPTH bounds the stack. */
struct run {
	struct scan *s;
	size_t at;
	unsigned depth;
	size_t keys_len;
	size_t cap; /* of s->nodes */
	scan_fault_fn *on_fault;
	void *ctx;
	unsigned n_faults;
};

/* Duplicate keys told of one text: each costs a look for its line. */
#define MAX_FAULTS 32

static int compare(const struct scan_node *a, const struct scan_node *b)
{
	if (a->parent != b->parent)
		return (uintptr_t)a->parent < (uintptr_t)b->parent ? -1 : 1;
	if (a->key && b->key)
		return strcmp(a->key, b->key);
	return a->index < b->index ? -1 : a->index > b->index;
}

RB_GENERATE_INTERNAL(scan_tree, scan_node, by_name, compare, mem_unused static)

static int mem_printf(4, 5) fault(struct run *r, size_t at,
	const struct scan_node *node, const char *fmt, ...)
{
	buf_auto struct buf what = {0};
	va_list ap;
	int e;

	va_start(ap, fmt);
	e = buf_vprintf(&what, fmt, ap);
	va_end(ap);
	if (e < 0)
		return e;
	r->n_faults++;
	r->on_fault(r->ctx, at, node, what.data);
	return -EBADMSG;
}

/* "expected X, found Y" at the current place. */
static int fault_expected(
	struct run *r, const struct scan_node *node, const char *expected)
{
	buf_auto struct buf found = {0};
	int e = scan_text_describe(r->s->text, r->s->len, r->at, &found);

	if (e < 0)
		return e;
	return fault(
		r, r->at, node, "expected %s, found %s", expected, found.data);
}

static char peek(const struct run *r)
{
	return r->at < r->s->len ? r->s->text[r->at] : '\0';
}

/* Skips blanks, and turns comments into blanks. */
static int skip(struct run *r, const struct scan_node *node)
{
	size_t bad = r->at;

	if (scan_text_skip(r->s->text, r->s->len, &r->at, &bad) == 0)
		return 0;
	return fault(
		r, bad, node, "the comment is not closed: \"*/\" is missing");
}

static int node_new(struct run *r, const struct scan_node *parent,
	uint32_t index, struct scan_node **ret)
{
	struct scan_node *node;

	if (r->s->n_nodes == r->cap)
		return fault(r, r->at, parent,
			"over %u values: a file may hold that many",
			SCAN_MAX_VALUES);
	node = &r->s->nodes[r->s->n_nodes++];
	*node = (struct scan_node){
		.parent = parent, .index = index, .key_at = r->at, .at = r->at};
	*ret = node;
	return 0;
}

static int scan_string(struct run *r, const struct scan_node *node, char **out)
{
	size_t bad = r->at;
	const char *why =
		scan_text_string(r->s->text, r->s->len, &r->at, &bad, out);

	return why ? fault(r, bad, node, "%s", why) : 0;
}

static int scan_number(struct run *r, const struct scan_node *node)
{
	size_t bad = r->at;
	const char *why = scan_text_number(r->s->text, r->s->len, &r->at, &bad);

	return why ? fault(r, bad, node, "%s", why) : 0;
}

static int scan_word(struct run *r, const struct scan_node *node)
{
	const char *word = r->s->text + r->at;
	size_t n = scan_text_word(r->s->text, r->s->len, r->at);
	buf_auto struct buf quoted = {0};

	if ((n == 4 && memcmp(word, "true", 4) == 0) ||
		(n == 5 && memcmp(word, "false", 5) == 0) ||
		(n == 4 && memcmp(word, "null", 4) == 0)) {
		r->at += n;
		return 0;
	}
	if (*word == '\'')
		return fault(
			r, r->at, node, "strings are written in double quotes");
	if (n == 0)
		return fault_expected(r, node, "a value");
	if (scan_text_quote(word, n, &quoted) < 0)
		return -ENOMEM;
	return fault(r, r->at, node,
		"\"%s\" is no value: allowed are strings in double quotes, "
		"numbers, true, false, objects and arrays",
		quoted.data);
}

static int scan_value(struct run *r, struct scan_node *node);

/* A key is a member's name: decoded, and there only once. */
static int scan_key(struct run *r, struct scan_node *node)
{
	const struct scan_node *first;
	char *key = r->s->keys + r->keys_len, *end = key;
	unsigned line, column;
	int e = scan_string(r, node->parent, &end);

	if (e < 0)
		return e;
	*end++ = '\0';
	r->keys_len = (size_t)(end - r->s->keys);
	node->key = key;
	first = RB_INSERT(scan_tree, &r->s->tree, node);
	if (first) {
		scan_json_place(r->s, first->key_at, &line, &column);
		e = fault(r, node->key_at, node,
			"this key is given twice, first on line %u: keep one",
			line);
		if (e != -EBADMSG || r->n_faults == MAX_FAULTS)
			return e;
	}
	e = skip(r, node);
	if (e < 0)
		return e;
	if (peek(r) != ':')
		return fault_expected(r, node, "\":\" after the key");
	r->at++;
	return 0;
}

static int scan_member(
	struct run *r, const struct scan_node *parent, uint32_t index)
{
	struct scan_node *node = NULL;
	int e;

	if (peek(r) == '}')
		return fault(r, r->at, parent,
			"expected another key after \",\": the last one has no "
			"comma after it");
	if (peek(r) != '"')
		return fault_expected(r, parent, "a key in double quotes");
	e = node_new(r, parent, index, &node);
	if (e == 0)
		e = scan_key(r, node);
	return e < 0 ? e : scan_value(r, node);
}

static int scan_element(
	struct run *r, const struct scan_node *parent, uint32_t index)
{
	struct scan_node *node = NULL;
	int e;

	if (peek(r) == ']')
		return fault(r, r->at, parent,
			"expected another value after \",\": the last one has "
			"no comma after it");
	e = node_new(r, parent, index, &node);
	if (e < 0)
		return e;
	RB_INSERT(scan_tree, &r->s->tree, node);
	return scan_value(r, node);
}

/* The inside of an object or array, from behind its opening bracket. */
static int scan_inside(struct run *r, const struct scan_node *node, char close)
{
	const char *expected = close == '}' ? "\",\" or \"}\" after the value"
					    : "\",\" or \"]\" after the value";
	int e = skip(r, node);

	if (e < 0)
		return e;
	if (peek(r) == close) {
		r->at++;
		return 0;
	}
	for (uint32_t i = 0;; i++) {
		e = close == '}' ? scan_member(r, node, i)
				 : scan_element(r, node, i);
		if (e == 0)
			e = skip(r, node);
		if (e < 0)
			return e;
		if (peek(r) == close) {
			r->at++;
			return 0;
		}
		if (peek(r) != ',')
			return fault_expected(r, node, expected);
		r->at++;
		e = skip(r, node);
		if (e < 0)
			return e;
	}
}

static int scan_value(struct run *r, struct scan_node *node)
{
	int e = skip(r, node);
	char c = peek(r);

	if (e < 0)
		return e;
	node->at = r->at;
	if (!node->key)
		node->key_at = r->at;
	if (c == '"')
		return scan_string(r, node, NULL);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(r, node);
	if (c != '{' && c != '[')
		return scan_word(r, node);
	if (r->depth == SCAN_MAX_DEPTH)
		return fault(r, r->at, node, "more than %u levels deep",
			SCAN_MAX_DEPTH);
	r->depth++;
	r->at++;
	e = scan_inside(r, node, c == '{' ? '}' : ']');
	r->depth--;
	return e;
}

/* Every value is the whole, the first of a container, or behind a comma: an
 * upper bound that lets the nodes stand still in one piece of memory. */
static size_t count_values(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len && n < SCAN_MAX_VALUES; i++)
		n += text[i] == ',' || text[i] == '{' || text[i] == '[';
	return n;
}

static int prepare(struct run *r, const char *text, size_t len)
{
	struct scan *s = r->s;

	r->cap = count_values(text, len);
	s->nodes = calloc(r->cap, sizeof(*s->nodes));
	s->text = malloc(len + 1);
	/* a decoded key with its NUL is never longer than it was quoted */
	s->keys = malloc(len + 1);
	if (!s->nodes || !s->text || !s->keys)
		return -ENOMEM;
	memcpy(s->text, text, len);
	s->text[len] = '\0';
	s->len = len;
	s->n_nodes = 1;
	return 0;
}

int scan_json_run(struct scan *s, const char *text, size_t len,
	scan_fault_fn *on_fault, void *ctx)
{
	struct run r = {.s = s, .on_fault = on_fault, .ctx = ctx};
	size_t bad = 0;
	int e;

	*s = (struct scan){0};
	e = prepare(&r, text, len);
	if (e < 0)
		return e;
	if (!scan_text_is_utf8(text, len, &bad))
		return fault(&r, bad, s->nodes,
			"byte 0x%02x is no valid UTF-8: save the file as UTF-8",
			(unsigned char)text[bad]);
	scan_text_blank_bom(s->text, s->len);
	e = scan_value(&r, s->nodes);
	if (e == 0)
		e = skip(&r, s->nodes);
	if (e == 0 && r.at < len)
		e = fault_expected(&r, s->nodes, "the end of the file");
	return e < 0 ? e : r.n_faults ? -EBADMSG : 0;
}

void scan_json_fini(struct scan *s)
{
	free(s->text);
	free(s->nodes);
	free(s->keys);
	*s = (struct scan){0};
}

const struct scan_node *scan_json_member(
	const struct scan *s, const struct scan_node *parent, const char *key)
{
	struct scan_node want = {.parent = parent, .key = key};

	return RB_FIND(scan_tree, (struct scan_tree *)&s->tree, &want);
}

const struct scan_node *scan_json_item(
	const struct scan *s, const struct scan_node *parent, uint32_t index)
{
	struct scan_node want = {.parent = parent, .index = index};

	return RB_FIND(scan_tree, (struct scan_tree *)&s->tree, &want);
}

const struct scan_node *scan_json_find(
	const struct scan *s, const char *pointer)
{
	const struct scan_node *node = s->nodes;
	char key[64];

	while (node && *pointer == '/') {
		size_t n = strcspn(++pointer, "/");

		if (n >= sizeof(key))
			return NULL;
		memcpy(key, pointer, n);
		key[n] = '\0';
		node = scan_json_member(s, node, key);
		pointer += n;
	}
	return node;
}

void scan_json_place(const struct scan *s, size_t at, unsigned *ret_line,
	unsigned *ret_column)
{
	unsigned line = 1, column = 1;

	for (size_t i = 0; i < at && i < s->len; i++) {
		if (s->text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)s->text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

static int put_key(const struct scan_node *node, struct buf *ret)
{
	buf_auto struct buf key = {0};
	int e = 0;

	if (!node->key)
		return buf_printf(ret, "/%u", node->index);
	if (buf_puts(ret, "/") < 0 ||
		scan_text_quote(node->key, strlen(node->key), &key) < 0)
		return -ENOMEM;
	for (const char *c = key.data; c && *c && e == 0; c++)
		e = *c == '~'	? buf_puts(ret, "~0")
		    : *c == '/' ? buf_puts(ret, "~1")
				: buf_put(ret, c, 1);
	return e;
}

int scan_json_pointer(const struct scan_node *node, struct buf *ret)
{
	const struct scan_node *path[SCAN_MAX_DEPTH + 1];
	size_t n = 0;
	int e = 0;

	for (; node->parent && n < ARRAY_SIZE(path); node = node->parent)
		path[n++] = node;
	if (n == 0)
		return buf_puts(ret, "/");
	while (n && e == 0)
		e = put_key(path[--n], ret);
	return e;
}
