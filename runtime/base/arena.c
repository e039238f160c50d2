/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - a chain of blocks, bumped. Blocks double in size up to a ceiling so that small
 * requests stay small and large ones do not call malloc often. */
#include "runtime/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_FIRST = 4096, BLOCK_CEILING = 256 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* bytes of the whole block, header included */
};

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){ .limit = limit };
}

void arena_reset(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
    arena_init(arena, arena->limit);
}

void arena_rewind(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;
    /* A block past the ceiling held one huge object: it would be pinned for nothing. */
    if (!kept || kept->size > BLOCK_CEILING) {
        arena_reset(arena);
        return;
    }
    arena->blocks = kept->older;
    kept->older = NULL;
    arena_reset(arena);
    arena->blocks = kept;
    arena->used = kept->size;
    arena->lo = (unsigned char *)(kept + 1);
    arena->hi = (unsigned char *)kept + kept->size;
}

static bool arena_grow(struct arena *arena, size_t need)
{
    size_t size = arena->blocks ? arena->blocks->size * 2 : BLOCK_FIRST;
    size_t floor = sizeof(struct arena_block) + need;
    if (size > BLOCK_CEILING)
        size = BLOCK_CEILING;
    if (size < floor)
        size = floor;
    size_t left = arena->limit - arena->used;
    if (size > left)
        size = left;
    if (size < floor)
        return false;
    struct arena_block *block = malloc(size);
    if (!block)
        return false;
    *block = (struct arena_block){ .older = arena->blocks, .size = size };
    arena->blocks = block;
    arena->used += size;
    arena->lo = (unsigned char *)(block + 1);
    arena->hi = (unsigned char *)block + size;
    return true;
}

void *arena_alloc_raw(struct arena *arena, size_t size, size_t align, size_t count)
{
    ENSURE(size > 0 && align > 0 && (align & (align - 1)) == 0 && align <= 64);
    if (count > (SIZE_MAX / 2 - align - sizeof(struct arena_block)) / size)
        return NULL;
    size_t bytes = size * count;
    size_t pad = (size_t)(-(uintptr_t)arena->lo & (align - 1));
    if (!arena->lo || bytes + pad > (size_t)(arena->hi - arena->lo)) {
        if (!arena_grow(arena, bytes + align))
            return NULL;
        pad = (size_t)(-(uintptr_t)arena->lo & (align - 1));
    }
    void *object = arena->lo + pad;
    arena->lo += pad + bytes;
    return object;
}

void *arena_alloc(struct arena *arena, size_t size, size_t align, size_t count)
{
    void *object = arena_alloc_raw(arena, size, align, count);
    return object ? memset(object, 0, size * count) : NULL;
}

Str arena_copy(struct arena *arena, Str s)
{
    char *copy = s.n < SIZE_MAX ? ARENA_NEW(arena, char, s.n + 1) : NULL;
    if (!copy)
        return (Str){ .p = NULL, .n = 0 };
    if (s.n)
        memcpy(copy, s.p, s.n);
    return (Str){ .p = copy, .n = s.n };
}

Str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n >= 0 ? ARENA_NEW(arena, char, (size_t)n + 1) : NULL;
    if (text)
        (void)vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return (Str){ .p = text, .n = text ? (size_t)n : 0 };
}
