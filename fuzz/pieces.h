/* SPDX-License-Identifier: Apache-2.0 */
/* pieces.h - ways to cut a stream of bytes, for fuzz targets and tests of incremental readers. */
#ifndef FUZZ_PIECES_H
#define FUZZ_PIECES_H

#include "runtime/base/str.h"

#include <stdlib.h>

enum { PIECES_WHOLE = 0, PIECES_OF_ONE = 1 }; /* any other seed: pieces of random length */

struct pieces {
    uint64_t seed;  /* PIECES_WHOLE, PIECES_OF_ONE or what to draw lengths from */
    uint64_t state; /* of the xorshift generator, 0 before the first draw */
};

/* Length of the next piece, of left bytes that are left: 1..left. left is not 0. */
static inline size_t pieces_next(struct pieces *pieces, size_t left)
{
    if (pieces->seed == PIECES_WHOLE)
        return left;
    if (pieces->seed == PIECES_OF_ONE)
        return 1;
    uint64_t x = pieces->state ? pieces->state : pieces->seed * 0x9E3779B97F4A7C15u;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    pieces->state = x;
    size_t n = 1 + (size_t)(x >> 33) % (1 + (size_t)pieces->seed % 61);
    return n < left ? n : left;
}

/* A copy of s in a heap block of exactly s.n bytes, so that a read past its end is seen by ASan.
 * The caller frees it. */
static inline char *pieces_copy(Str s)
{
    char *p = malloc(s.n ? s.n : 1);
    ENSURE(p);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

#endif
