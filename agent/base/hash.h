// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"):
 * names are chosen by others, so the hash is keyed with a secret. */

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0;
	uint64_t k1;
};

/* A random key from the kernel (through libbsd's arc4random). */
struct hash_key hash_key_random(void);
uint64_t hash_bytes(struct hash_key key, const void *data, size_t len);
/* Of a name in a directory: of dir as 4 bytes, little-endian, and the name. */
uint64_t hash_name(
	struct hash_key key, uint32_t dir, const char *name, size_t len);
/* A good mix of one word, for tables keyed by numbers that nobody chooses. */
static inline uint64_t hash_word(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	return x;
}
