// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/bundle.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"

/*
 * magic, number of files, then of each file: flags, length of path, length
 * of text (32 bits each, this machine's order), path, text; last a hash of
 * all before it. The hash finds damage, not malice: the bytes come from the
 * parent over a sealed memory file, and are judged like any other all the
 * same.
 */
#define MAGIC	  UINT32_C(0x31424c55) /* "ULB1" */
#define FLAG_MAIN 1u

static const struct hash_key check_key = {0x62756e646c65, 1};

static int put_word(struct buf *b, uint32_t word)
{
	return buf_put(b, &word, sizeof(word));
}

static int put_file(struct buf *b, const struct bundle_file *file)
{
	size_t path_len = strlen(file->path);
	int e = put_word(b, file->is_main ? FLAG_MAIN : 0);

	if (e == 0)
		e = put_word(b, (uint32_t)path_len);
	if (e == 0)
		e = put_word(b, (uint32_t)file->len);
	if (e == 0)
		e = buf_put(b, file->path, path_len);
	return e < 0 ? e : buf_put(b, file->text, file->len);
}

int bundle_encode(const struct bundle *b, struct buf *ret)
{
	buf_auto struct buf out = {0};
	uint64_t check;
	int e = put_word(&out, MAGIC);

	if (e == 0)
		e = put_word(&out, (uint32_t)b->n_files);
	for (size_t i = 0; i < b->n_files && e == 0; i++)
		e = put_file(&out, &b->files[i]);
	if (e < 0)
		return e;
	check = hash_bytes(check_key, out.data, out.len);
	e = buf_put(&out, &check, sizeof(check));
	return e < 0 ? e : buf_put(ret, out.data, out.len);
}

/* What is left of the bytes. */
struct rest {
	const char *at;
	size_t len;
};

static int take_word(struct rest *rest, uint32_t *ret)
{
	if (rest->len < sizeof(*ret))
		return -EBADMSG;
	memcpy(ret, rest->at, sizeof(*ret));
	rest->at += sizeof(*ret);
	rest->len -= sizeof(*ret);
	return 0;
}

/* A copy of the next len bytes as a string. */
static int take_text(struct rest *rest, size_t len, char **ret)
{
	char *text;

	if (rest->len < len)
		return -EBADMSG;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, rest->at, len);
	text[len] = '\0';
	rest->at += len;
	rest->len -= len;
	*ret = text;
	return 0;
}

static int take_file(struct rest *rest, struct bundle_file *ret)
{
	uint32_t flags, path_len, len;

	if (take_word(rest, &flags) < 0 || take_word(rest, &path_len) < 0 ||
		take_word(rest, &len) < 0)
		return -EBADMSG;
	if (flags & ~FLAG_MAIN || path_len == 0 || path_len > 4096 ||
		len > BUNDLE_MAX_FILE || rest->len < path_len ||
		memchr(rest->at, '\0', path_len))
		return -EBADMSG;
	ret->is_main = flags & FLAG_MAIN;
	ret->len = len;
	if (take_text(rest, path_len, &ret->path) < 0)
		return -ENOMEM;
	return take_text(rest, len, &ret->text);
}

static int take_files(struct rest *rest, struct bundle *b)
{
	uint32_t magic, n;
	int n_main = 0;

	if (take_word(rest, &magic) < 0 || magic != MAGIC ||
		take_word(rest, &n) < 0 || n > BUNDLE_MAX_FILES)
		return -EBADMSG;
	b->files = calloc(n ? n : 1, sizeof(*b->files));
	if (!b->files)
		return -ENOMEM;
	b->cap = n;
	for (uint32_t i = 0; i < n; i++) {
		int e = take_file(rest, &b->files[b->n_files++]);

		if (e < 0)
			return e;
		n_main += b->files[i].is_main;
	}
	return rest->len == 0 && n_main <= 1 ? 0 : -EBADMSG;
}

int bundle_decode(const void *data, size_t len, struct bundle *ret)
{
	struct bundle b = {0};
	struct rest rest = {data, len};
	uint64_t check;
	int e;

	if (len < sizeof(check))
		return -EBADMSG;
	rest.len -= sizeof(check);
	memcpy(&check, rest.at + rest.len, sizeof(check));
	if (check != hash_bytes(check_key, data, rest.len))
		return -EBADMSG;
	e = take_files(&rest, &b);
	if (e == 0) {
		*ret = b;
		return 0;
	}
	bundle_fini(&b);
	return e;
}
