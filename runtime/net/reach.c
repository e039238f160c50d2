/* SPDX-License-Identifier: Apache-2.0 */
/* reach.c - a socket address into a range, and the range into a yes or no. */
#include "runtime/net/reach.h"

#include "runtime/domain/ip.h"

#include <netinet/in.h>

/* IPv4 as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2). */
static Address of_v4(const struct in_addr *address)
{
    static const unsigned char prefix[12] = { [10] = 0xFF, [11] = 0xFF };
    Address out = { .is_v4 = true };
    memcpy(out.bytes, prefix, sizeof prefix);
    memcpy(out.bytes + sizeof prefix, address, sizeof *address);
    return out;
}

static bool read_address(const struct sockaddr *address, socklen_t size, Address *out)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET && size >= sizeof v4) {
        memcpy(&v4, address, sizeof v4);
        *out = of_v4(&v4.sin_addr);
        return true;
    }
    if (address->sa_family != AF_INET6 || size < sizeof v6)
        return false;
    memcpy(&v6, address, sizeof v6);
    *out = (Address){ .is_v4 = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) };
    memcpy(out->bytes, &v6.sin6_addr, sizeof out->bytes);
    return true;
}

bool reach_allows(enum http_reach reach, const struct sockaddr *address, socklen_t size)
{
    Address read;
    if (reach == REACH_ANY)
        return true;
    if (!read_address(address, size, &read))
        return false;
    Str range = ip_range(read);
    return str_eq(range, STR("public")) ||
           (reach == REACH_PUBLIC_OR_LOOPBACK && str_eq(range, STR("loopback")));
}
