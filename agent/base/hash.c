// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hash.h"

#include <bsd/stdlib.h>
#include <endian.h>
#include <stdbool.h>
#include <string.h>

struct hash_key hash_key_random(void)
{
	struct hash_key key;

	arc4random_buf(&key, sizeof(key));
	return key;
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

static struct sip sip_begin(struct hash_key key)
{
	return (struct sip){
		key.k0 ^ UINT64_C(0x736f6d6570736575),
		key.k1 ^ UINT64_C(0x646f72616e646f6d),
		key.k0 ^ UINT64_C(0x6c7967656e657261),
		key.k1 ^ UINT64_C(0x7465646279746573),
	};
}

/* The rest of a message of total bytes, of which left are still to come. */
static uint64_t sip_end(
	struct sip *s, const unsigned char *at, size_t left, size_t total)
{
	uint64_t last = (uint64_t)total << 56, m;
	bool is_long = left >= 8;

	for (; left >= 8; left -= 8, at += 8) {
		memcpy(&m, at, 8);
		sip_word(s, le64toh(m));
	}
	if (is_long && left) {
		/* The last eight bytes, without those that were taken. */
		memcpy(&m, at + left - 8, 8);
		last |= le64toh(m) >> (64 - 8 * left);
		left = 0;
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)at[i] << (8 * i);
	sip_word(s, last);
	s->v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_bytes(struct hash_key key, const void *data, size_t len)
{
	struct sip s = sip_begin(key);

	return sip_end(&s, data, len, len);
}

uint64_t hash_name(
	struct hash_key key, uint32_t dir, const char *name, size_t len)
{
	struct sip s = sip_begin(key);
	unsigned char head[8];
	uint64_t m;
	size_t n = len < 4 ? len : 4;

	dir = htole32(dir);
	memcpy(head, &dir, 4);
	memcpy(head + 4, name, n);
	if (n < 4)
		return sip_end(&s, head, 4 + n, 4 + len);
	memcpy(&m, head, 8);
	sip_word(&s, le64toh(m));
	return sip_end(&s, (const unsigned char *)name + 4, len - 4, 4 + len);
}
