/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.h - reading JSON in tests: from a heap block of the text's exact size, so that a
 * sanitizer sees a byte read too many, into one arena that each read rewinds. */
#ifndef TESTS_UNIT_JSON_READ_H
#define TESTS_UNIT_JSON_READ_H

#include "runtime/json/json.h"

#include <stdlib.h>

enum { READ_ARENA_BYTES = 32 << 20 };

static struct arena read_arena = { .limit = READ_ARENA_BYTES };
static char *read_block; /* the text of the last read */

static inline enum json_error read_with(Str text, const struct json_limits *limits,
                                        struct json_doc *doc, uint32_t *at)
{
    free(read_block);
    read_block = malloc(text.n ? text.n : 1);
    ENSURE(read_block);
    if (text.n)
        memcpy(read_block, text.p, text.n);
    arena_rewind(&read_arena);
    Str copy = { .p = text.n ? read_block : NULL, .n = text.n };
    return json_parse(copy, limits, &read_arena, doc, at);
}

static inline enum json_error read_text(Str text, struct json_doc *doc)
{
    return read_with(text, &json_limits_default, doc, NULL);
}

static inline void read_end(void)
{
    arena_reset(&read_arena);
    free(read_block);
    read_block = NULL;
}

#endif
