/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_domain_json.c - a document in a string: the tape that was copied below `value` is the tape
 * that was read, and stays within the growth that the verifier counts with. */
#include "fuzz/target.h"
#include "runtime/domain/domain.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

static void check(Str text, const struct json_doc *doc, struct arena *mem)
{
    struct json_doc plain;
    size_t bytes = 0;
    ENSURE(json_parse(text, &json_limits_default, mem, &plain, NULL) == JSON_ERR_NONE);
    ENSURE(doc->count == plain.count + 1 && json_member(doc, 0, STR("value")) == 1);
    for (uint32_t i = 0; i < plain.count; i++) {
        const struct json_node *a = json_at(&plain, i), *b = json_at(doc, i + 1);
        ENSURE(a->type == b->type && a->count == b->count && a->flags == b->flags);
        ENSURE(a->next + 1 == b->next && str_eq(json_text(a), json_text(b)));
        ENSURE(i == 0 || str_eq(json_key(a), json_key(b)));
        bool is_container = a->type == JSON_OBJECT || a->type == JSON_ARRAY;
        bytes += is_container ? b->key_n : b->text_n + b->key_n;
    }
    ENSURE(bytes <= text.n * domain_table[DOMAIN_JSON].growth + DOMAIN_RESULT_FIXED);
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
    if (domain_read(DOMAIN_JSON, text, &mem, &doc))
        check(text, &doc, &mem);
    arena_reset(&mem);
    free(block);
    return 0;
}
