// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as an encoded bundle, with the right hash behind them: what is
 * decoded encodes to the same bytes. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "policy/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = {0x62756e646c65, 1};
	buf_auto struct buf code = {0}, again = {0};
	struct bundle bundle = {0};
	uint64_t hash = hash_bytes(key, data, size);
	int e;

	if (buf_put(&code, data, size) < 0 ||
		buf_put(&code, &hash, sizeof(hash)) < 0)
		return 0;
	e = bundle_decode(code.data, code.len, &bundle);
	if (e == -EBADMSG)
		return 0;
	if (e != 0 || bundle_encode(&bundle, &again) != 0 ||
		again.len != code.len ||
		memcmp(again.data, code.data, code.len) != 0)
		abort();
	bundle_fini(&bundle);
	return 0;
}
