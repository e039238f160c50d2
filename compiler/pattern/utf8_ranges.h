/* SPDX-License-Identifier: Apache-2.0 */
/* utf8_ranges.h - ranges of code points as sequences of byte ranges (RFC 3629, section 4).
 *
 * A range of code points is the union of a few sequences of one to four byte ranges: one for each
 * place where the length, or a byte ahead of a partial range, changes. Surrogates have no encoding
 * and are left out. Sequences come in ascending order and are disjoint; at each depth two of them
 * (of one range, or of disjoint ranges) have the same byte range or ranges without common bytes.
 */
#ifndef COMPILER_PATTERN_UTF8_RANGES_H
#define COMPILER_PATTERN_UTF8_RANGES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    UTF8_BYTES_MAX = 4,
    CODE_POINT_MAX = 0x10FFFF,
    SURROGATE_LO = 0xD800,
    SURROGATE_HI = 0xDFFF
};

struct utf8_sequence {
    uint8_t count; /* bytes, 1..UTF8_BYTES_MAX */
    uint8_t lo[UTF8_BYTES_MAX], hi[UTF8_BYTES_MAX];
};

struct utf8_ranges {
    uint32_t lo, hi; /* what has not been given yet; lo > hi at the end */
};

/* All code points from lo to hi, both included; hi is at most CODE_POINT_MAX. */
void utf8_ranges_init(struct utf8_ranges *ranges, uint32_t lo, uint32_t hi);

/* The next sequence; false, leaving *out alone, when there is none. */
bool utf8_ranges_next(struct utf8_ranges *ranges, struct utf8_sequence *out);

#endif
