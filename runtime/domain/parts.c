/* SPDX-License-Identifier: Apache-2.0 */
/* parts.c - dot segments are resolved here, for files and URLs alike: never above the start. */
#include "runtime/domain/parts.h"

bool parts_add(struct parts *parts, Str part)
{
    if (part.n == 0 || str_eq(part, STR(".")))
        return true;
    if (str_eq(part, STR(".."))) {
        if (parts->count == 0)
            return false;
        parts->count--;
        return true;
    }
    if (parts->count == PARTS_MAX)
        return false;
    parts->items[parts->count++] = part;
    return true;
}

static char *append(char *at, Str text)
{
    if (text.n)
        memcpy(at, text.p, text.n);
    return at + text.n;
}

Str parts_join(const struct parts *parts, Str before, Str behind, struct arena *mem)
{
    size_t n = before.n + behind.n + 1;
    for (size_t i = 0; i < parts->count; i++)
        n += parts->items[i].n + 1;
    char *from = arena_alloc_raw(mem, 1, 1, n), *at = from;
    if (!from)
        return (Str){ .p = NULL, .n = 0 };
    at = append(at, before);
    for (size_t i = 0; i < parts->count; i++) {
        at = append(at, i ? STR("/") : STR(""));
        at = append(at, parts->items[i]);
    }
    at = append(at, behind);
    return (Str){ .p = from, .n = (size_t)(at - from) };
}

void parts_build(const struct parts *parts, struct json_build *build)
{
    json_build_key(build, STR("parts"));
    json_build_begin(build, JSON_ARRAY);
    for (size_t i = 0; i < parts->count; i++)
        json_build_string(build, parts->items[i]);
    json_build_end(build);
}
