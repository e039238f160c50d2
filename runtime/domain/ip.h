/* SPDX-License-Identifier: Apache-2.0 */
/* ip.h - IP addresses in the spellings that a URL's host may have, and the ranges they lie in.
 * Private to runtime/domain. */
#ifndef RUNTIME_DOMAIN_IP_H
#define RUNTIME_DOMAIN_IP_H

#include "runtime/base/arena.h"
#include "runtime/base/str.h"

typedef struct {
    unsigned char bytes[16]; /* IPv4 as IPv4-mapped IPv6 */
    bool is_v4;
} Address;

enum address_kind { ADDRESS_NONE, ADDRESS_FOUND, ADDRESS_BROKEN };

/* Does a host's text denote an IPv4 address? FOUND for four plain decimal parts. BROKEN for what
 * some reader takes for an address (a last part that is a number in any base, a wrong count of
 * parts, a part that is too large): nobody should have to know which. NONE for a name. */
enum address_kind ip4_read(Str text, Address *out);

/* RFC 4291 text without brackets and without a zone. */
bool ip6_read(Str text, Address *out);

/* The canonical text (RFC 5952); {NULL, 0} without memory. */
Str ip_text(Address address, struct arena *mem);

/* "public", "private", "loopback", "link_local", "multicast", "unspecified", "shared",
 * "documentation" or "reserved" (IANA's special-purpose registries). IPv4 inside IPv6 (mapped,
 * compatible, NAT64, 6to4) counts as that IPv4 address unless it is public. */
Str ip_range(Address address);

#endif
