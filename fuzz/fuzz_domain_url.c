/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_domain_url.c - any text as a URL: what is accepted is ASCII without a backslash, libcurl
 * reads it to the same parts, and its path never climbs. */
#include "fuzz/domain.h"
#include "tests/unit/curl_agree.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

static void check(Str text, const struct json_doc *doc, struct arena *mem)
{
    struct json_doc host;
    uint32_t parts = json_member(doc, 0, STR("parts"));
    for (size_t i = 0; i < text.n; i++)
        ENSURE(text.p[i] > ' ' && text.p[i] < 0x7F && text.p[i] != '\\');
    for (uint32_t i = json_first(doc, parts); i != JSON_NONE; i = json_after(doc, parts, i)) {
        Str part = json_text(json_at(doc, i));
        ENSURE(part.n && part.p[part.n - 1] != '.' && !memchr(part.p, '/', part.n));
        ENSURE(!memchr(part.p, '%', part.n) && !memchr(part.p, ';', part.n));
    }
    ENSURE(curl_agrees(text, doc, mem));
    Str name = json_member_string(doc, 0, STR("host"));
    ENSURE(domain_check(DOMAIN_HOST, name, mem, &host));
    ENSURE(str_eq(json_member_string(&host, 0, STR("name")), name));
    ENSURE(str_eq(json_member_string(&host, 0, STR("range")),
                  json_member_string(doc, 0, STR("range"))));
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
    if (domain_check(DOMAIN_URL, text, &mem, &doc))
        check(text, &doc, &mem);
    ENSURE(utf8_is_valid(text) || !domain_read(DOMAIN_URL, text, &mem, &doc));
    arena_reset(&mem);
    free(block);
    return 0;
}
