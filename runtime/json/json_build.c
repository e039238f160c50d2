/* SPDX-License-Identifier: Apache-2.0 */
/* json_build.c - appends nodes; a container's `next` is set when it ends. */
#include "runtime/json/json_build.h"

#include "runtime/json/json_internal.h"

#include <stdio.h>
#include <string.h>

enum { NODES_FIRST = 16, NUMBER_BYTES = 24 };

void json_build_init(struct json_build *b, struct arena *mem)
{
    *b = (struct json_build){ .mem = mem };
}

static bool grow(struct json_build *b)
{
    uint32_t room = b->room ? b->room * 2 : NODES_FIRST;
    struct json_node *nodes =
        room > b->room ? arena_alloc_raw(b->mem, sizeof *nodes, _Alignof(struct json_node), room)
                       : NULL;
    if (!nodes)
        return false;
    if (b->count)
        memcpy(nodes, b->nodes, b->count * sizeof *nodes);
    b->nodes = nodes;
    b->room = room;
    return true;
}

static void append(struct json_build *b, enum json_type type, Str text, uint8_t flags)
{
    bool is_second_root = b->depth == 0 && b->count > 0;
    if (b->is_failed || is_second_root || text.n > UINT32_MAX || b->key.n > UINT32_MAX ||
        (b->count == b->room && !grow(b))) {
        b->is_failed = true;
        return;
    }
    if (b->depth)
        b->nodes[b->open[b->depth - 1]].count++;
    b->nodes[b->count] = (struct json_node){ .text = text.p,
                                             .text_n = (uint32_t)text.n,
                                             .key = b->key.p,
                                             .key_n = (uint32_t)b->key.n,
                                             .next = b->count + 1,
                                             .type = (uint8_t)type,
                                             .flags = flags };
    b->count++;
    b->key = (Str){ .p = NULL, .n = 0 };
}

void json_build_begin(struct json_build *b, enum json_type container)
{
    if (b->depth == JSON_BUILD_DEPTH_MAX)
        b->is_failed = true;
    append(b, container, STR(""), 0);
    if (!b->is_failed)
        b->open[b->depth++] = b->count - 1;
}

void json_build_end(struct json_build *b)
{
    if (b->is_failed)
        return;
    ENSURE(b->depth > 0);
    b->nodes[b->open[--b->depth]].next = b->count;
}

void json_build_key(struct json_build *b, Str key)
{
    b->key = key;
}

void json_build_string(struct json_build *b, Str text)
{
    append(b, JSON_STRING, text, 0);
}

void json_build_number(struct json_build *b, uint64_t number)
{
    char *at = arena_alloc_raw(b->mem, 1, 1, NUMBER_BYTES);
    if (!at) {
        b->is_failed = true;
        return;
    }
    int n = snprintf(at, NUMBER_BYTES, "%llu", (unsigned long long)number);
    append(b, JSON_NUMBER, (Str){ .p = at, .n = (size_t)n }, JSON_INTEGER);
}

void json_build_number_text(struct json_build *b, Str literal)
{
    uint8_t flags;
    if (json_number_flags(literal, &flags) != JSON_ERR_NONE)
        b->is_failed = true;
    else
        append(b, JSON_NUMBER, literal, flags);
}

void json_build_literal(struct json_build *b, enum json_type type, Str text, uint8_t flags)
{
    append(b, type, text, flags);
}

void json_build_bool(struct json_build *b, bool truth)
{
    append(b, truth ? JSON_TRUE : JSON_FALSE, truth ? STR("true") : STR("false"), 0);
}

void json_build_null(struct json_build *b)
{
    append(b, JSON_NULL, STR("null"), 0);
}

void json_build_copy(struct json_build *b, const struct json_doc *doc, uint32_t index)
{
    uint32_t count = json_at(doc, index)->next - index, base = b->count;
    if (b->is_failed)
        return;
    while (b->room - b->count < count) {
        if (!grow(b)) {
            b->is_failed = true;
            return;
        }
    }
    ENSURE(b->depth > 0);
    memcpy(&b->nodes[base], &doc->nodes[index], count * sizeof *b->nodes);
    for (uint32_t i = 0; i < count; i++)
        b->nodes[base + i].next = b->nodes[base + i].next - index + base;
    b->nodes[base].key = b->key.p;
    b->nodes[base].key_n = (uint32_t)b->key.n;
    b->key = (Str){ .p = NULL, .n = 0 };
    b->nodes[b->open[b->depth - 1]].count++;
    b->count += count;
}

bool json_build_keys_differ(struct json_build *b)
{
    struct json_scan scan = { .nodes = b->nodes, .count = b->count, .arena = b->mem };
    uint32_t twice;
    for (uint32_t i = 0; i < b->count && !b->is_failed; i++) {
        bool is_object = b->nodes[i].type == JSON_OBJECT && b->nodes[i].count > 1;
        if (is_object && json_keys_check(&scan, i, &twice) != JSON_ERR_NONE)
            return false;
    }
    return !b->is_failed;
}

bool json_build_finish(struct json_build *b, struct json_doc *out)
{
    if (b->is_failed || b->depth || !b->count)
        return false;
    *out = (struct json_doc){ .text = { .p = NULL, .n = 0 }, .nodes = b->nodes, .count = b->count };
    return true;
}
