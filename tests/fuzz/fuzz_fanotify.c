// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes where fanotify's records are read. Whatever is taken from a record
 * lies inside it, the name ends there, and reading comes to an end.
 */
#include "fuzz.h"

#include <errno.h>

#include "watch/fanotify_record.h"

/* Whether the run from p on, of len bytes, lies between start and end. */
static bool lies_in(
	const void *p, size_t len, const uint8_t *start, const uint8_t *end)
{
	const uint8_t *at = p;

	return at >= start && at <= end && len <= (size_t)(end - at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fanotify_record record;
	size_t at = 0, before = 0;
	int r;

	while ((r = fanotify_record_next(data, size, &at, &record)) == 1) {
		const uint8_t *start = data + before, *end = data + at;

		must(at > before && at <= size);
		must(strlen(record.name) == record.name_len);
		if (record.handle) {
			must(lies_in(
				record.handle, record.handle_len, start, end));
			must(lies_in(
				record.name, record.name_len + 1, start, end));
		} else {
			must(record.name_len == 0);
		}
		before = at;
	}
	must(r == 0 || r == -EBADMSG);
	must(at == before && (r < 0 || at == size));
	return 0;
}
