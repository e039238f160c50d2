/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_domain_email.c - any text as an address and as a list: one '@', no blank and no control
 * character in what is found, canonical text is its own canonical text, and an address alone is a
 * list of itself. */
#include "fuzz/domain.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

static void check_one(const struct json_doc *doc, uint32_t at, struct arena *mem)
{
    struct json_doc again;
    Str address = json_member_string(doc, at, STR("address"));
    Str local = json_member_string(doc, at, STR("local"));
    Str domain = json_member_string(doc, at, STR("domain"));
    ENSURE(address.n == local.n + 1 + domain.n && address.p[local.n] == '@');
    ENSURE(str_starts(address, local) && str_ends(address, domain));
    for (size_t i = 0; i < address.n; i++) {
        ENSURE(address.p[i] > ' ' && address.p[i] < 0x7F);
        ENSURE(i == local.n || !strchr("@,;:<>()[]\"\\%!|", address.p[i]));
    }
    ENSURE(domain_check(DOMAIN_EMAIL, address, mem, &again));
    ENSURE(str_eq(json_member_string(&again, 0, STR("address")), address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem;
    struct json_doc one, many;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    Str text = { .p = block, .n = size };
    arena_init(&mem, ARENA_BYTES);
    bool is_list = domain_check(DOMAIN_EMAILS, text, &mem, &many);
    uint32_t list = is_list ? json_member(&many, 0, STR("addresses")) : 0;
    for (uint32_t i = is_list ? json_first(&many, list) : 0; i; i = json_after(&many, list, i))
        check_one(&many, i, &mem);
    if (domain_check(DOMAIN_EMAIL, text, &mem, &one)) {
        check_one(&one, 0, &mem);
        ENSURE(is_list && json_at(&many, list)->count == 1);
    }
    ENSURE(utf8_is_valid(text) || !domain_read(DOMAIN_EMAILS, text, &mem, &many));
    arena_reset(&mem);
    free(block);
    return 0;
}
