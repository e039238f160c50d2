/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_domain_host.c - any text as a host and as an address range: what inet_aton takes never
 * passes for a name, libc reads the same IPv6, canonical text is its own canonical text. */
#include "fuzz/domain.h"
#include "runtime/domain/ip.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

static void check_host(Str text, const struct json_doc *doc, struct arena *mem)
{
    struct json_doc again;
    struct in_addr theirs;
    Str name = json_member_string(doc, 0, STR("name")), ip = json_member_string(doc, 0, STR("ip"));
    Str plain = arena_copy(mem, text);
    ENSURE(plain.p && (ip.p || !inet_aton(plain.p, &theirs)));
    ENSURE(!!ip.p == !!json_member_string(doc, 0, STR("range")).p);
    ENSURE(domain_check(DOMAIN_HOST, name, mem, &again));
    ENSURE(str_eq(json_member_string(&again, 0, STR("name")), name));
    for (size_t i = 0; i < name.n; i++)
        ENSURE(name.p[i] == char_lower(name.p[i]));
}

static void check_address(Str text, struct arena *mem)
{
    unsigned char theirs[16];
    Address ours, again;
    Str plain = arena_copy(mem, text);
    ENSURE(plain.p);
    bool is_text = !text.n || !memchr(text.p, 0, text.n);
    bool is_theirs = is_text && inet_pton(AF_INET6, plain.p, theirs) == 1;
    ENSURE(ip6_read(text, &ours) == is_theirs);
    if (!is_theirs)
        return;
    Str canonical = ip_text(ours, mem);
    ENSURE(memcmp(ours.bytes, theirs, sizeof theirs) == 0 && canonical.p);
    ENSURE(ip_parse(canonical, &again) && canonical.n <= text.n + 1);
    ENSURE(memcmp(ours.bytes, again.bytes, sizeof theirs) == 0 && ours.is_v4 == again.is_v4);
}

static void check_prefix(Str text)
{
    struct cidr cidr;
    if (!ip_parse_cidr(text, &cidr))
        return;
    Address first = { .is_v4 = false };
    memcpy(first.bytes, cidr.bytes, sizeof first.bytes);
    ENSURE(ip_in_cidr(first, &cidr));
    for (unsigned bit = 0; bit < IP_BITS; bit++) {
        Address other = first;
        other.bytes[bit / 8] ^= (unsigned char)(0x80 >> bit % 8);
        ENSURE(ip_in_cidr(other, &cidr) == (bit >= cidr.bits));
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
    if (domain_check(DOMAIN_HOST, text, &mem, &doc))
        check_host(text, &doc, &mem);
    ENSURE(utf8_is_valid(text) || !domain_read(DOMAIN_HOST, text, &mem, &doc));
    check_address(text, &mem);
    check_prefix(text);
    arena_reset(&mem);
    free(block);
    return 0;
}
