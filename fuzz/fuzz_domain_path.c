/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_domain_path.c - any text as a path: the canonical path is its own canonical path, none of
 * its parts is empty or dots, and they are as many as the text's own dots leave. */
#include "fuzz/domain.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

static size_t depth_of(Str text)
{
    size_t depth = 0;
    while (text.n) {
        Str part = str_cut(&text, '/');
        bool is_up = str_eq(part, STR(".."));
        ENSURE(!is_up || depth > 0);
        depth -= is_up;
        depth += part.n && !is_up && !str_eq(part, STR("."));
    }
    return depth;
}

static void check(Str text, const struct json_doc *doc, struct arena *mem)
{
    struct json_doc again;
    Str path = json_member_string(doc, 0, STR("path"));
    uint32_t parts = json_member(doc, 0, STR("parts"));
    ENSURE(depth_of(text) == json_at(doc, parts)->count);
    ENSURE((text.p[0] == '/') == (path.p[0] == '/'));
    for (uint32_t i = json_first(doc, parts); i != JSON_NONE; i = json_after(doc, parts, i)) {
        Str part = json_text(json_at(doc, i));
        ENSURE(part.n && !str_eq(part, STR(".")) && !str_eq(part, STR("..")));
        ENSURE(!memchr(part.p, '/', part.n) && !memchr(part.p, '\\', part.n));
    }
    ENSURE(domain_check(DOMAIN_PATH, path, mem, &again));
    ENSURE(again.count == doc->count);
    for (uint32_t i = 0; i < doc->count; i++)
        ENSURE(str_eq(json_text(json_at(doc, i)), json_text(json_at(&again, i))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem;
    struct json_doc doc;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    Str text = { .p = block, .n = size };
    arena_init(&mem, ARENA_BYTES);
    if (domain_check(DOMAIN_PATH, text, &mem, &doc))
        check(text, &doc, &mem);
    ENSURE(utf8_is_valid(text) || !domain_read(DOMAIN_PATH, text, &mem, &doc));
    arena_reset(&mem);
    free(block);
    return 0;
}
