/* SPDX-License-Identifier: Apache-2.0 */
/* domain.h - what holds for the result of every domain function: texts are UTF-8, nodes are nested
 * as the reader's are, and there are no more bytes than the verifier counts with. */
#ifndef FUZZ_DOMAIN_H
#define FUZZ_DOMAIN_H

#include "fuzz/target.h"
#include "runtime/domain/domain.h"

static inline size_t domain_result_bytes(const struct json_doc *doc)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < doc->count; i++) {
        const struct json_node *node = json_at(doc, i);
        bool is_container = node->type == JSON_OBJECT || node->type == JSON_ARRAY;
        ENSURE(node->next > i && node->next <= doc->count);
        ENSURE(utf8_is_valid(json_text(node)));
        bytes += is_container ? 0 : node->text_n;
    }
    return bytes;
}

/* Reads the text and checks the result; *doc is filled when it is certain. */
static inline bool domain_check(enum domain domain, Str text, struct arena *mem,
                                struct json_doc *doc)
{
    if (!utf8_is_valid(text) || !domain_read(domain, text, mem, doc))
        return false;
    ENSURE(domain_result_bytes(doc) <= text.n * domain_table[domain].growth + DOMAIN_RESULT_FIXED);
    return true;
}

#endif
