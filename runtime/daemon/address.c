/* SPDX-License-Identifier: Apache-2.0 */
/* address.c - splits "host:port" once, for every place that needs it, and judges the parts. */
#include "runtime/daemon/address.h"

#include <arpa/inet.h>

enum { HOST_MAX = 253, URL_MAX = 2048, PORT_MAX = 65535 };

struct authority {
    Str host; /* without brackets */
    bool is_ipv6;
    bool has_port;
    uint16_t port;
};

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_made_of(Str s, Str others)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alnum(s.p[i]) && !memchr(others.p, s.p[i], others.n))
            return false;
    }
    return true;
}

/* The numeric address in host, read by the strict rules of inet_pton; false for a name. */
static bool read_address(const struct authority *authority, unsigned char bytes[16])
{
    char text[INET6_ADDRSTRLEN];
    if (authority->host.n >= sizeof text)
        return false;
    memcpy(text, authority->host.p, authority->host.n);
    text[authority->host.n] = '\0';
    return inet_pton(authority->is_ipv6 ? AF_INET6 : AF_INET, text, bytes) == 1;
}

static bool split_port(Str text, struct authority *out)
{
    uint64_t port = 0;
    if (text.n == 0)
        return true;
    out->has_port = true;
    if (text.p[0] != ':' || !str_to_u64(str_sub(text, 1, text.n), PORT_MAX, &port))
        return false;
    out->port = (uint16_t)port;
    return true;
}

/* host, host:port, [v6], [v6]:port. */
static bool split_authority(Str text, struct authority *out)
{
    if (!text.p || text.n == 0)
        return false;
    *out = (struct authority){ .is_ipv6 = str_starts(text, STR("[")) };
    const char *end = memchr(text.p, out->is_ipv6 ? ']' : ':', text.n);
    size_t at = end ? (size_t)(end - text.p) : text.n;
    if (out->is_ipv6) {
        if (!end)
            return false;
        unsigned char bytes[16];
        out->host = str_sub(text, 1, at);
        return read_address(out, bytes) && split_port(str_sub(text, at + 1, text.n), out);
    }
    out->host = str_sub(text, 0, at);
    return at > 0 && at <= HOST_MAX && is_made_of(out->host, STR("-.")) &&
           split_port(str_sub(text, at, text.n), out);
}

static bool is_loopback_address(const struct authority *authority)
{
    static const unsigned char ipv6_loopback[16] = { [15] = 1 };
    unsigned char bytes[16] = { 0 };
    if (!read_address(authority, bytes))
        return false;
    return authority->is_ipv6 ? memcmp(bytes, ipv6_loopback, sizeof bytes) == 0 : bytes[0] == 127;
}

static bool is_wildcard_address(const struct authority *authority)
{
    static const unsigned char zeros[16];
    unsigned char bytes[16] = { 0 };
    return read_address(authority, bytes) && memcmp(bytes, zeros, authority->is_ipv6 ? 16 : 4) == 0;
}

const char *address_listen(Str text, struct listen_address *out)
{
    struct authority authority;
    unsigned char bytes[16];
    if (!split_authority(text, &authority) || !authority.has_port ||
        !read_address(&authority, bytes))
        return "must be a numeric address and a port, as in \"127.0.0.1:8330\" or \"[::]:443\"";
    *out = (struct listen_address){
        .host = authority.host,
        .port = authority.port,
        .is_loopback = is_loopback_address(&authority),
        .is_wildcard = is_wildcard_address(&authority),
    };
    return NULL;
}

const char *address_host_problem(Str text)
{
    struct authority authority;
    if (!split_authority(text, &authority) || (authority.has_port && authority.port == 0))
        return "must be a host or host:port, as in the Host header";
    return NULL;
}

/* Cuts "scheme://" off; the scheme is empty when there is none. */
static Str cut_scheme(Str *text)
{
    const char *at = text->n ? memmem(text->p, text->n, "://", 3) : NULL;
    if (!at)
        return STR("");
    size_t n = (size_t)(at - text->p);
    Str scheme = str_sub(*text, 0, n);
    *text = str_sub(*text, n + 3, text->n);
    return scheme;
}

const char *address_origin_problem(Str text)
{
    static const char problem[] = "must be scheme://host or scheme://host:port, as in the Origin "
                                  "header";
    Str scheme = cut_scheme(&text);
    if (scheme.n == 0 || !is_made_of(scheme, STR("+-.")))
        return problem;
    return address_host_problem(text) ? problem : NULL;
}

/* The characters of RFC 3986 but for the fragment's "#". */
static bool is_url_text(Str s)
{
    return is_made_of(s, STR("-._~:/?[]@!$&'()*+,;=%"));
}

const char *address_url_problem(Str url)
{
    struct authority authority;
    if (url.n > URL_MAX)
        return "is longer than 2048 bytes";
    if (str_contains(url, STR("#")))
        return "must not have a fragment";
    if (!is_url_text(url))
        return "has a character that a URL can't have";
    Str scheme = cut_scheme(&url);
    bool is_plain = str_eq(scheme, STR("http"));
    if (!is_plain && !str_eq(scheme, STR("https")))
        return "must begin with http:// or https://";
    size_t n = 0;
    while (n < url.n && url.p[n] != '/' && url.p[n] != '?')
        n++;
    Str text = str_sub(url, 0, n);
    if (str_contains(text, STR("@")))
        return "must not have a user name";
    if (!split_authority(text, &authority) || (authority.has_port && authority.port == 0))
        return "must name a host, and a port from 1 to 65535 if any";
    bool is_local = is_loopback_address(&authority) || str_eq(authority.host, STR("localhost"));
    if (is_plain && !is_local)
        return "must begin with https:// unless the host is 127.0.0.1, [::1] or localhost";
    return NULL;
}
