// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/fanotify_record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fanotify.h>

/* Of a struct file_handle, in front of its bytes: their number. */
#define LENGTH_BYTES sizeof(unsigned int)
#define TYPE_BYTES   sizeof(int)

/* The handle and the name of one information record of len bytes. */
static int take_name(const char *info, size_t len, struct fanotify_record *ret)
{
	size_t at = sizeof(struct fanotify_event_info_fid);
	unsigned int n_bytes;
	size_t handle_len;

	if (len < at + LENGTH_BYTES + TYPE_BYTES)
		return -EBADMSG;
	memcpy(&n_bytes, info + at, sizeof(n_bytes));
	at += LENGTH_BYTES;
	if (n_bytes > len - at - TYPE_BYTES)
		return -EBADMSG;
	handle_len = TYPE_BYTES + n_bytes;
	ret->handle = info + at;
	ret->handle_len = handle_len;
	ret->name = info + at + handle_len;
	ret->name_len = strnlen(ret->name, len - at - handle_len);
	return ret->name_len < len - at - handle_len ? 0 : -EBADMSG;
}

/* Information records that we did not ask for are passed over. */
static int take_infos(const char *info, size_t len, struct fanotify_record *ret)
{
	int r = 0;

	while (r == 0 && len) {
		struct fanotify_event_info_header head;

		if (len < sizeof(head))
			return -EBADMSG;
		memcpy(&head, info, sizeof(head));
		if (head.len < sizeof(head) || head.len > len)
			return -EBADMSG;
		if (head.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME)
			r = take_name(info, head.len, ret);
		info += head.len;
		len -= head.len;
	}
	return r;
}

int fanotify_record_next(
	const void *data, size_t len, size_t *at, struct fanotify_record *ret)
{
	struct fanotify_event_metadata meta;
	const char *event = (const char *)data + *at;
	struct fanotify_record record = {.name = ""};
	int r;

	if (*at == len)
		return 0;
	if (len - *at < sizeof(meta))
		return -EBADMSG;
	memcpy(&meta, event, sizeof(meta));
	if (meta.vers != FANOTIFY_METADATA_VERSION ||
		meta.metadata_len < sizeof(meta) ||
		meta.event_len < meta.metadata_len ||
		meta.event_len > len - *at)
		return -EBADMSG;
	record.mask = meta.mask;
	record.pid = meta.pid;
	r = take_infos(event + meta.metadata_len,
		meta.event_len - meta.metadata_len, &record);
	if (r < 0)
		return r;
	*at += meta.event_len;
	*ret = record;
	return 1;
}
