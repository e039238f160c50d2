/* SPDX-License-Identifier: Apache-2.0 */
/* ip.c - addresses. Plain decimal IPv4 is the one spelling that every client reads alike; the
 * octal, hexadecimal and shortened ones that browsers and inet_aton take are known for what they
 * are, so that they never pass for names, and refused, not normalised. */
#include "runtime/domain/ip.h"

#include <stdio.h>

enum { GROUPS = 8, NO_GAP = GROUPS + 1 };

static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* --------------------------------- IPv4 --------------------------------- */

/* Would a lenient reader take it for a number: digits, or 0x and hexadecimal digits? */
static bool is_numeric(Str part)
{
    bool is_0x = part.n >= 2 && part.p[0] == '0' && char_lower(part.p[1]) == 'x';
    for (size_t i = is_0x ? 2 : 0; i < part.n; i++) {
        if (is_0x ? hex_digit(part.p[i]) < 0 : !is_digit(part.p[i]))
            return false;
    }
    return part.n > 0;
}

static bool read_octet(Str part, unsigned char *octet)
{
    uint64_t number;
    if (!str_to_u64(part, 255, &number))
        return false;
    *octet = (unsigned char)number;
    return true;
}

/* Four octets in plain decimal. */
static bool read_quad(Str text, unsigned char *octets)
{
    size_t count = 0;
    bool is_last = false;
    while (!is_last) {
        is_last = text.n == 0 || !memchr(text.p, '.', text.n);
        if (count == 4 || !read_octet(str_cut(&text, '.'), &octets[count++]))
            return false;
    }
    return count == 4;
}

enum address_kind ip4_read(Str text, Address *out)
{
    size_t last = text.n;
    while (last > 0 && text.p[last - 1] != '.')
        last--;
    *out = (Address){ .is_v4 = true };
    memcpy(out->bytes, mapped, sizeof mapped);
    if (!is_numeric(str_sub(text, last, text.n)))
        return ADDRESS_NONE;
    return read_quad(text, out->bytes + sizeof mapped) ? ADDRESS_FOUND : ADDRESS_BROKEN;
}

/* --------------------------------- IPv6 --------------------------------- */

struct groups {
    unsigned char bytes[16]; /* of the first count groups */
    size_t count, gap;       /* groups; how many stand before "::", or NO_GAP */
};

/* One to four hexadecimal digits at text[*at]. */
static bool read_group(Str text, size_t *at, struct groups *groups)
{
    unsigned value = 0;
    size_t from = *at;
    while (*at < text.n && *at - from < 4 && hex_digit(text.p[*at]) >= 0)
        value = value << 4 | (unsigned)hex_digit(text.p[(*at)++]);
    if (*at == from || groups->count == GROUPS)
        return false;
    groups->bytes[groups->count * 2] = (unsigned char)(value >> 8);
    groups->bytes[groups->count * 2 + 1] = (unsigned char)value;
    groups->count++;
    return true;
}

/* What stands between two groups at text[*at]: ":" or, once, "::". False for anything else and for
 * a single colon at the end. */
static bool read_colons(Str text, size_t *at, struct groups *groups)
{
    if (str_byte(text, *at) != ':')
        return false;
    bool is_gap = str_byte(text, *at + 1) == ':';
    if (is_gap && groups->gap != NO_GAP)
        return false;
    *at += is_gap ? 2 : 1;
    groups->gap = is_gap ? groups->count : groups->gap;
    return is_gap || *at < text.n;
}

/* The rest of the text, when it is an IPv4 address: two groups. */
static bool read_tail(Str text, size_t from, struct groups *groups)
{
    if (groups->count > GROUPS - 2 ||
        !read_quad(str_sub(text, from, text.n), groups->bytes + groups->count * 2))
        return false;
    groups->count += 2;
    return true;
}

static bool read_groups(Str text, struct groups *groups)
{
    size_t at = 0;
    if (str_byte(text, 0) == ':' && (str_byte(text, 1) != ':' || !read_colons(text, &at, groups)))
        return false;
    while (at < text.n) {
        size_t from = at;
        if (memchr(text.p + at, '.', text.n - at) && !memchr(text.p + at, ':', text.n - at))
            return read_tail(text, from, groups);
        if (!read_group(text, &at, groups) || (at < text.n && !read_colons(text, &at, groups)))
            return false;
    }
    return true;
}

bool ip6_read(Str text, Address *out)
{
    struct groups groups = { .count = 0, .gap = NO_GAP };
    if (text.n < 2 || text.n > IP_TEXT_MAX || !read_groups(text, &groups) ||
        (groups.gap == NO_GAP ? groups.count != GROUPS : groups.count == GROUPS))
        return false;
    size_t before = (groups.gap == NO_GAP ? GROUPS : groups.gap) * 2;
    size_t behind = groups.count * 2 - before;
    *out = (Address){ .is_v4 = false };
    memcpy(out->bytes, groups.bytes, before);
    memcpy(out->bytes + 16 - behind, groups.bytes + before, behind);
    out->is_v4 = memcmp(out->bytes, mapped, sizeof mapped) == 0;
    return true;
}

bool ip_parse(Str text, Address *out)
{
    if (text.n && memchr(text.p, ':', text.n))
        return ip6_read(text, out);
    return ip4_read(text, out) == ADDRESS_FOUND;
}

/* --------------------------------- text --------------------------------- */

static unsigned group_at(const Address *address, size_t i)
{
    return (unsigned)(address->bytes[i * 2] << 8 | address->bytes[i * 2 + 1]);
}

/* The longest run of two zero groups or more, the first of equals; its length is 0 without one. */
static size_t longest_zeros(const Address *address, size_t *length)
{
    size_t best = 0;
    *length = 0;
    for (size_t i = 0; i < GROUPS; i++) {
        size_t n = 0;
        while (i + n < GROUPS && group_at(address, i + n) == 0)
            n++;
        if (n > 1 && n > *length) {
            best = i;
            *length = n;
        }
    }
    return best;
}

static Str ip6_text(const Address *address, struct arena *mem)
{
    char plain[IP_TEXT_MAX + 1];
    size_t zeros, gap = longest_zeros(address, &zeros), n = 0;
    for (size_t i = 0; i < GROUPS; i++) {
        if (zeros && i == gap) {
            plain[n++] = ':';
            i += zeros - 1;
            if (i == GROUPS - 1)
                plain[n++] = ':';
            continue;
        }
        n += (size_t)snprintf(plain + n, sizeof plain - n, "%s%x", i ? ":" : "",
                              group_at(address, i));
    }
    return arena_copy(mem, (Str){ .p = plain, .n = n });
}

Str ip_text(Address address, struct arena *mem)
{
    const unsigned char *v4 = address.bytes + sizeof mapped;
    if (address.is_v4)
        return arena_printf(mem, "%u.%u.%u.%u", v4[0], v4[1], v4[2], v4[3]);
    return ip6_text(&address, mem);
}

/* -------------------------------- ranges -------------------------------- */

static bool has_prefix(const unsigned char *bytes, const unsigned char *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(bytes, prefix, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

struct range {
    unsigned char prefix[16];
    unsigned bits;
    const char *word;
};

static const struct range v4_ranges[] = {
    // clang-format off
    { { 0 }, 8, "unspecified" }, { { 10 }, 8, "private" }, { { 100, 64 }, 10, "carrier_nat" },
    { { 127 }, 8, "loopback" }, { { 169, 254 }, 16, "link_local" }, { { 172, 16 }, 12, "private" },
    { { 192, 0, 0 }, 24, "reserved" }, { { 192, 0, 2 }, 24, "documentation" },
    { { 192, 88, 99 }, 24, "reserved" }, { { 192, 168 }, 16, "private" },
    { { 198, 18 }, 15, "reserved" }, { { 198, 51, 100 }, 24, "documentation" },
    { { 203, 0, 113 }, 24, "documentation" }, { { 224 }, 4, "multicast" },
    { { 240 }, 4, "reserved" },
    // clang-format on
};

static const struct range v6_ranges[] = {
    // clang-format off
    { { [15] = 0 }, 128, "unspecified" }, { { [15] = 1 }, 128, "loopback" },
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, "documentation" },
    { { 0x3f, 0xff }, 20, "documentation" }, { { 0x20, 0x01 }, 23, "reserved" },
    { { 0xfc }, 7, "unique_local" }, { { 0xfe, 0x80 }, 10, "link_local" },
    { { 0xfe, 0xc0 }, 10, "private" }, { { 0xff }, 8, "multicast" },
    // clang-format on
};

/* Where IPv6 carries an IPv4 address: behind these prefixes. */
static const struct {
    unsigned char prefix[16];
    unsigned bits;
    size_t at;
} carriers[] = {
    { { 0 }, 96, 12 },                      /* IPv4-compatible */
    { { [8] = 0xff, [9] = 0xff }, 96, 12 }, /* translated, RFC 2765 */
    { { 0x00, 0x64, 0xff, 0x9b }, 96, 12 }, /* NAT64 */
    { { 0x20, 0x02 }, 16, 2 },              /* 6to4 */
};

static const char *find_range(const unsigned char *bytes, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_prefix(bytes, ranges[i].prefix, ranges[i].bits))
            return ranges[i].word;
    }
    return NULL;
}

static const char *v6_range(const unsigned char *bytes)
{
    const char *word = find_range(bytes, v6_ranges, COUNT(v6_ranges));
    for (size_t i = 0; i < COUNT(carriers) && !word; i++) {
        if (!has_prefix(bytes, carriers[i].prefix, carriers[i].bits))
            continue;
        word = find_range(bytes + carriers[i].at, v4_ranges, COUNT(v4_ranges));
        return word ? word : "reserved";
    }
    bool is_unicast = bytes[0] >> 5 == 1; /* 2000::/3, all that IANA has given out */
    return word || is_unicast ? word : "reserved";
}

Str ip_range(Address address)
{
    const char *word = address.is_v4
                           ? find_range(address.bytes + sizeof mapped, v4_ranges, COUNT(v4_ranges))
                           : v6_range(address.bytes);
    return str_of(word ? word : "public");
}

/* ------------------------------- prefixes ------------------------------- */

bool ip_parse_cidr(Str text, struct cidr *out)
{
    Address address;
    uint64_t bits = IP_BITS;
    bool has_bits = text.n && memchr(text.p, '/', text.n);
    Str plain = str_cut(&text, '/');
    bool is_v6_text = plain.n && memchr(plain.p, ':', plain.n);
    if (!ip_parse(plain, &address))
        return false;
    if (has_bits && !str_to_u64(text, is_v6_text ? IP_BITS : IP4_BITS, &bits))
        return false;
    if (has_bits && !is_v6_text)
        bits += IP_BITS - IP4_BITS;
    for (uint64_t bit = bits; bit < IP_BITS; bit++) {
        if (address.bytes[bit / 8] >> (7 - bit % 8) & 1)
            return false;
    }
    out->bits = (unsigned)bits;
    memcpy(out->bytes, address.bytes, sizeof out->bytes);
    return true;
}

bool ip_in_cidr(Address address, const struct cidr *cidr)
{
    ENSURE(cidr->bits <= IP_BITS);
    return has_prefix(address.bytes, cidr->bytes, cidr->bits);
}
