/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - memory for one unit of work (a compilation, a request), freed all at once.
 *
 * The limit is given at creation and counts the bytes of all blocks. When it is spent,
 * arena_alloc returns NULL: in mcpc that is a diagnostic, in mcpd ST_LIMIT, which the
 * decision path turns into a deny. Nothing is freed one by one, so freeing never recurses.
 */
#ifndef RUNTIME_BASE_ARENA_H
#define RUNTIME_BASE_ARENA_H

#include "runtime/base/str.h"

#include <stddef.h>

struct arena_block;

struct arena {
    unsigned char *lo, *hi;     /* free bytes of the newest block; lo <= hi */
    struct arena_block *blocks; /* newest first */
    size_t used, limit;         /* bytes of all blocks; used <= limit */
};

/* Makes an empty arena; no block is taken before the first allocation. */
void arena_init(struct arena *arena, size_t limit);

/* Frees all; the arena may be used again with the same limit. */
void arena_reset(struct arena *arena);

/* Empties the arena and keeps its newest block (unless that is oversized), so that units of
 * work of like size that follow each other need no malloc. What was allocated is gone. */
void arena_rewind(struct arena *arena);

/* Zeroed memory for count objects, or NULL when the limit (or the machine) is spent.
 * count == 0 gives a valid pointer to no objects. */
MUST_USE void *arena_alloc(struct arena *arena, size_t size, size_t align, size_t count);

/* The same, but the bytes hold whatever was there: for what is written before it is read. */
MUST_USE void *arena_alloc_raw(struct arena *arena, size_t size, size_t align, size_t count);

#define ARENA_NEW(arena, T, count) ((T *)arena_alloc((arena), sizeof(T), _Alignof(T), (count)))

/* A copy of s in the arena with a NUL behind it (not counted in n); {NULL, 0} when spent. */
MUST_USE Str arena_copy(struct arena *arena, Str s);

/* Formatted text with a NUL behind it (not counted); {NULL, 0} when spent. */
MUST_USE Str arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
