/* SPDX-License-Identifier: Apache-2.0 */
/* ip.c - addresses. Plain decimal IPv4 is the one spelling that every client reads alike; the
 * octal, hexadecimal and shortened ones that browsers and inet_aton take are refused, not
 * normalised. */
#include "runtime/domain/ip.h"

#include <arpa/inet.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Would a lenient reader take it for a number: digits, or 0x and hexadecimal digits? */
static bool is_numeric(Str part)
{
    bool is_0x = part.n >= 2 && part.p[0] == '0' && (part.p[1] | 0x20) == 'x';
    for (size_t i = is_0x ? 2 : 0; i < part.n; i++) {
        if (is_0x ? !is_hex(part.p[i]) : !is_digit(part.p[i]))
            return false;
    }
    return part.n > 0;
}

static bool read_octet(Str part, unsigned char *octet)
{
    unsigned value = 0;
    if (part.n == 0 || part.n > 3 || (part.n > 1 && part.p[0] == '0'))
        return false;
    for (size_t i = 0; i < part.n; i++) {
        if (!is_digit(part.p[i]))
            return false;
        value = value * 10 + (unsigned)(part.p[i] - '0');
    }
    *octet = (unsigned char)value;
    return value <= 255;
}

enum address_kind ip4_read(Str text, Address *out)
{
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
    size_t parts = 0, from = 0;
    bool is_plain = true;
    Str last;
    memcpy(out->bytes, mapped, sizeof mapped);
    out->is_v4 = true;
    for (;;) {
        const char *dot = from < text.n ? memchr(text.p + from, '.', text.n - from) : NULL;
        size_t to = dot ? (size_t)(dot - text.p) : text.n;
        last = str_sub(text, from, to);
        is_plain &= parts < 4 && read_octet(last, &out->bytes[12 + (parts & 3)]);
        parts++;
        if (!dot)
            break;
        from = to + 1;
    }
    if (!is_numeric(last))
        return ADDRESS_NONE;
    return is_plain && parts == 4 ? ADDRESS_FOUND : ADDRESS_BROKEN;
}

bool ip6_read(Str text, Address *out)
{
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
    char plain[INET6_ADDRSTRLEN];
    if (text.n == 0 || text.n >= sizeof plain || memchr(text.p, 0, text.n))
        return false;
    memcpy(plain, text.p, text.n);
    plain[text.n] = '\0';
    out->is_v4 = false;
    if (inet_pton(AF_INET6, plain, out->bytes) != 1)
        return false;
    out->is_v4 = memcmp(out->bytes, mapped, sizeof mapped) == 0;
    return true;
}

Str ip_text(Address address, struct arena *mem)
{
    char plain[INET6_ADDRSTRLEN];
    const void *bytes = address.is_v4 ? address.bytes + 12 : address.bytes;
    if (!inet_ntop(address.is_v4 ? AF_INET : AF_INET6, bytes, plain, sizeof plain))
        return (Str){ .p = NULL, .n = 0 };
    return arena_copy(mem, str_of(plain));
}

struct range {
    unsigned char prefix[16];
    unsigned bits;
    const char *word;
};

static const struct range v4_ranges[] = {
    // clang-format off
    { { 0 }, 8, "unspecified" }, { { 10 }, 8, "private" }, { { 100, 64 }, 10, "shared" },
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
    { { 0x01 }, 64, "reserved" }, { { 0x20, 0x01, 0x0d, 0xb8 }, 32, "documentation" },
    { { 0x3f, 0xff }, 20, "documentation" }, { { 0x20, 0x01 }, 23, "reserved" },
    { { 0x5f, 0x00 }, 16, "reserved" }, { { 0xfc }, 7, "private" },
    { { 0xfe, 0x80 }, 10, "link_local" }, { { 0xfe, 0xc0 }, 10, "private" },
    { { 0xff }, 8, "multicast" },
    // clang-format on
};

static bool has_prefix(const unsigned char *bytes, const struct range *range)
{
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(bytes, range->prefix, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ range->prefix[whole]) >> (8 - rest) == 0;
}

static const char *find_range(const unsigned char *bytes, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_prefix(bytes, &ranges[i]))
            return ranges[i].word;
    }
    return NULL;
}

/* Where the IPv4 address lies in IPv6 addresses that carry one; 0 when none does. */
static size_t embedded_v4(const unsigned char *bytes)
{
    static const unsigned char zeros[12], nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    bool is_compatible =
        memcmp(bytes, zeros, 12) == 0 && (bytes[12] || bytes[13] || bytes[14] || bytes[15] > 1);
    if (is_compatible || memcmp(bytes, nat64, 12) == 0)
        return 12;
    return bytes[0] == 0x20 && bytes[1] == 0x02 ? 2 : 0;
}

Str ip_range(Address address)
{
    const unsigned char *bytes = address.bytes;
    const char *word = NULL;
    if (address.is_v4)
        word = find_range(bytes + 12, v4_ranges, COUNT(v4_ranges));
    else
        word = find_range(bytes, v6_ranges, COUNT(v6_ranges));
    if (!word && !address.is_v4 && embedded_v4(bytes)) {
        word = find_range(bytes + embedded_v4(bytes), v4_ranges, COUNT(v4_ranges));
        word = word ? word : "reserved";
    }
    return str_of(word ? word : "public");
}
