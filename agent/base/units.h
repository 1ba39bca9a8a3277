// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Sizes, durations and shares as people write them. No floating point. */

#include <stddef.h>
#include <stdint.h>

/* Reads "3000MB", "1.5G", "512", "10 KiB" into bytes. K, M, G, T, P, each with
 * or without B or iB, are powers of 1024 (as the policy says: MB = MiB).
 * Returns 0, -EINVAL (not a size) or -ERANGE (over 2^63-1). */
int units_parse_size(const char *text, uint64_t *ret_bytes);

/* Reads "48h", "90d", "10min", "1w2d", "0s" into seconds: s, min, h, d, w,
 * y (365 d), several in a row.
 * Returns 0, -EINVAL (no unit, unknown unit) or -ERANGE (over 1000 years). */
int units_parse_duration(const char *text, int64_t *ret_s);

/* Reads "80%" or "12.5%" into parts per million.
 * Returns 0, -EINVAL or -ERANGE (over 100 %). */
int units_parse_percent(const char *text, uint32_t *ret_ppm);

#define UNITS_SIZE 24
/* "1.9 GiB"; three significant digits, never "1024". */
const char *units_size(uint64_t bytes, char ret[UNITS_SIZE]);
/* "2d 3h", "45s"; the two largest units. */
const char *units_duration(int64_t s, char ret[UNITS_SIZE]);
/* a / b in tenths of a percent ("93.4%"); b == 0 gives "-". */
const char *units_share(uint64_t a, uint64_t b, char ret[UNITS_SIZE]);
