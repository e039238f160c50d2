/* SPDX-License-Identifier: Apache-2.0 */
/* ip.h - IP addresses: their strict and their odd spellings, their canonical text, the ranges they
 * lie in. Pure: no libc resolver, no allocation but ip_text's, the same on every machine.
 *
 * Sources: RFC 4291 and 5952 (IPv6 text), the WHATWG URL standard's "ends in a number" checker
 * (which hosts are addresses at all), IANA's special-purpose registries (ranges).
 */
#ifndef RUNTIME_DOMAIN_IP_H
#define RUNTIME_DOMAIN_IP_H

#include "runtime/base/arena.h"
#include "runtime/base/str.h"

enum { IP_BITS = 128, IP4_BITS = 32, IP_TEXT_MAX = 45 /* bytes of an IPv6 text */ };

typedef struct {
    unsigned char bytes[16]; /* IPv4 as IPv4-mapped IPv6 */
    bool is_v4;              /* also when it was written as ::ffff:a.b.c.d */
} Address;

enum address_kind { ADDRESS_NONE, ADDRESS_FOUND, ADDRESS_BROKEN };

/* Does a host's text denote an IPv4 address? FOUND for four plain decimal parts. BROKEN for what
 * some reader takes for an address (a last part that is a number in any base, a wrong count of
 * parts, a part that is too large or has leading zeros): readers disagree whether 012.0.0.1 is
 * 10.0.0.1, 12.0.0.1 or a name. NONE for a name. *out means something only for FOUND. */
enum address_kind ip4_read(Str text, Address *out);

/* RFC 4291 text without brackets and without a zone, an embedded IPv4 address included. */
MUST_USE bool ip6_read(Str text, Address *out);

/* Either of them, strict. */
MUST_USE bool ip_parse(Str text, Address *out);

/* The canonical text: RFC 5952, in hexadecimal groups throughout; {NULL, 0} without memory. Never
 * more than one byte longer than a text that ip_parse takes for the same address. */
Str ip_text(Address address, struct arena *mem);

/* "public", "private", "unique_local", "loopback", "link_local", "multicast", "unspecified",
 * "carrier_nat", "documentation" or "reserved". IPv4 inside IPv6 (mapped, compatible, translated,
 * NAT64, 6to4) counts as that IPv4 address, or as reserved where that is public. IPv6 beyond
 * 2000::/3 is never public. */
Str ip_range(Address address);

struct cidr {
    unsigned char bytes[16];
    unsigned bits; /* 0 to IP_BITS; an IPv4 prefix plus 96 */
};

/* "10.0.0.0/8", "::1", "fe80::/10": an address, or one with a prefix length in decimal without
 * leading zeros. Bits behind the prefix must be zero. */
MUST_USE bool ip_parse_cidr(Str text, struct cidr *out);

/* IPv4 addresses lie in ::ffff:0:0/96 and in what contains it, as ::/0 does. */
bool ip_in_cidr(Address address, const struct cidr *cidr);

#endif
