/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_domain_yaml.c - the YAML reader on any bytes, and what must hold of what it accepts.
 *
 * The tape is well formed, within its limits and without a key that occurs twice; a text that the
 * strict JSON reader takes, and that this takes too, has the same nodes in both. */
#include "fuzz/target.h"
#include "runtime/domain/domain.h"
#include "runtime/json/json_build.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20, WRAPPERS = 2 };

static void check_object(const struct json_doc *doc, uint32_t object)
{
    if (json_at(doc, object)->count > 64)
        return; /* pairwise is slow */
    for (uint32_t i = json_first(doc, object); i != JSON_NONE; i = json_after(doc, object, i))
        ENSURE(json_member(doc, object, json_key(json_at(doc, i))) == i);
}

static size_t check_tape(const struct json_doc *doc, size_t limit)
{
    uint32_t ends[JSON_BUILD_DEPTH_MAX + 1], depth = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < doc->count; i++) {
        const struct json_node *node = json_at(doc, i);
        bool is_container = node->type == JSON_OBJECT || node->type == JSON_ARRAY;
        while (depth && ends[depth - 1] <= i)
            depth--;
        ENSURE(node->next > i && node->next <= (depth ? ends[depth - 1] : doc->count));
        ENSURE(utf8_is_valid(json_text(node)) && utf8_is_valid(json_key(node)));
        bytes += node->text_n + node->key_n;
        ENSURE(is_container || (node->next == i + 1 && node->count == 0));
        if (node->type == JSON_OBJECT)
            check_object(doc, i);
        if (is_container) {
            ENSURE(depth < JSON_BUILD_DEPTH_MAX);
            ends[depth++] = node->next;
        }
    }
    ENSURE(bytes <= limit);
    return bytes;
}

/* JSON that is accepted here says the same as JSON. */
static void compare_json(Str text, const struct json_doc *yaml, struct arena *mem)
{
    struct json_doc json;
    if (json_parse(text, &json_limits_default, mem, &json, NULL) != JSON_ERR_NONE)
        return;
    ENSURE(yaml->count == json.count + WRAPPERS);
    for (uint32_t i = 0; i < json.count; i++) {
        const struct json_node *a = json_at(&json, i), *b = json_at(yaml, i + WRAPPERS);
        bool is_container = a->type == JSON_OBJECT || a->type == JSON_ARRAY;
        ENSURE(a->type == b->type && a->count == b->count && a->flags == b->flags);
        ENSURE(is_container || str_eq(json_text(a), json_text(b)));
        ENSURE(str_eq(json_key(a), json_key(b)));
    }
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
    if (domain_read(DOMAIN_YAML, text, &mem, &doc)) {
        check_tape(&doc, size * domain_table[DOMAIN_YAML].growth + DOMAIN_RESULT_FIXED);
        compare_json(text, &doc, &mem);
    }
    arena_reset(&mem);
    free(block);
    return 0;
}
