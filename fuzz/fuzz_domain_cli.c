/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_domain_cli.c - any text as a command line. Whatever is accepted, argv is all there is: every
 * word and every flag's value stands in it. */
#include "fuzz/domain.h"
#include "runtime/domain/cli.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

static bool has_string(const struct json_doc *doc, uint32_t list, Str text)
{
    for (uint32_t i = json_first(doc, list); i != JSON_NONE; i = json_after(doc, list, i))
        if (str_contains(json_text(json_at(doc, i)), text))
            return true;
    return false;
}

static void check(const struct json_doc *doc)
{
    uint32_t argv = json_member(doc, 0, STR("argv")), flags = json_member(doc, 0, STR("flags"));
    uint32_t words = json_member(doc, 0, STR("words"));
    ENSURE(argv != JSON_NONE && flags != JSON_NONE && words != JSON_NONE);
    ENSURE(json_at(doc, argv)->count >=
           1 + json_at(doc, words)->count + json_at(doc, flags)->count);
    for (uint32_t i = json_first(doc, words); i != JSON_NONE; i = json_after(doc, words, i))
        ENSURE(has_string(doc, argv, json_text(json_at(doc, i))));
    for (uint32_t i = json_first(doc, flags); i != JSON_NONE; i = json_after(doc, flags, i))
        ENSURE(json_at(doc, i)->type == JSON_TRUE ||
               has_string(doc, argv, json_text(json_at(doc, i))));
    (void)domain_result_bytes(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const Str takes[] = { STR_INIT("--region"), STR_INIT("-m") };
    struct arena mem;
    struct json_doc doc;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    Str text = { .p = block, .n = size };
    arena_init(&mem, ARENA_BYTES);
    if (utf8_is_valid(text) && cli_read(text, takes, COUNT(takes), &mem, &doc))
        check(&doc);
    arena_reset(&mem);
    free(block);
    return 0;
}
