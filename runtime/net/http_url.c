/* SPDX-License-Identifier: Apache-2.0 */
/* http_url.c - a URL into the parts a request needs.
 *
 * libcurl's parser decides, since libcurl connects: with two parsers, what was checked and what is
 * reached could differ. Before it, bytes outside visible ASCII, backslashes and fragments are
 * refused; behind it, hosts with unusual bytes. Only http and https, no userinfo, no zone id.
 */
#include "runtime/base/arena.h"
#include "runtime/net/http_link.h"

#include <stdlib.h>

static bool is_plain(Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= ' ' || c > '~' || c == '#' || c == '\\')
            return false;
    }
    return true;
}

static bool has_scheme(Str text)
{
    static const Str schemes[] = { STR_INIT("http://"), STR_INIT("https://") };
    for (size_t i = 0; i < COUNT(schemes); i++) {
        size_t n = schemes[i].n;
        /* Exactly two slashes: libcurl would take one to three. */
        if (text.n > n && str_eq_nocase(str_sub(text, 0, n), schemes[i]) && text.p[n] != '/')
            return true;
    }
    return false;
}

/* A copy of the part in mem; {NULL, 0} when absent or without memory. */
static Str get_part(CURLU *parsed, CURLUPart part, unsigned flags, struct arena *mem)
{
    char *text = NULL;
    if (curl_url_get(parsed, part, &text, flags) != CURLUE_OK)
        return (Str){ NULL, 0 };
    Str copy = arena_copy(mem, str_of(text));
    curl_free(text);
    return copy;
}

/* In lower case, so that an origin has one name. */
static Str lower(struct arena *mem, Str s)
{
    char *copy = ARENA_NEW(mem, char, s.n + 1);
    if (!copy)
        return (Str){ NULL, 0 };
    for (size_t i = 0; i < s.n; i++)
        copy[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + ('a' - 'A') : s.p[i]);
    return (Str){ .p = copy, .n = s.n };
}

static bool is_host(Str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool is_name =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
        if (!is_name && c != ':' && c != '[' && c != ']')
            return false;
    }
    return host.n > 0;
}

static bool is_loopback(Str host)
{
    bool is_numeric = true;
    for (size_t i = 0; i < host.n; i++)
        is_numeric &= host.p[i] == '.' || (host.p[i] >= '0' && host.p[i] <= '9');
    return str_eq(host, STR("localhost")) || str_ends(host, STR(".localhost")) ||
           (is_numeric && str_starts(host, STR("127."))) || str_eq(host, STR("[::1]"));
}

struct parts {
    Str scheme, host, port, path, query;
};

static bool get_parts(CURLU *parsed, struct arena *mem, struct parts *parts)
{
    *parts = (struct parts){
        .scheme = lower(mem, get_part(parsed, CURLUPART_SCHEME, 0, mem)),
        .host = lower(mem, get_part(parsed, CURLUPART_HOST, 0, mem)),
        .port = get_part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, mem),
        .path = get_part(parsed, CURLUPART_PATH, 0, mem),
        .query = get_part(parsed, CURLUPART_QUERY, 0, mem),
    };
    return is_host(parts->host) && parts->port.n && str_starts(parts->path, STR("/")) &&
           is_plain(parts->path) && is_plain(parts->query) &&
           !get_part(parsed, CURLUPART_ZONEID, 0, mem).p;
}

static enum status take_apart(CURLU *parsed, struct arena *mem, struct http_url *url)
{
    struct parts p;
    if (!get_parts(parsed, mem, &p))
        return ST_INVALID;
    Str usual = str_eq(p.scheme, STR("https")) ? STR("443") : STR("80");
    Str with_port = arena_printf(mem, "%.*s:%.*s", STR_ARG(p.host), STR_ARG(p.port));
    url->base = arena_printf(mem, "%.*s://%.*s", STR_ARG(p.scheme), STR_ARG(with_port));
    url->authority = str_eq(p.port, usual) ? p.host : with_port;
    url->target = p.path;
    if (p.query.p)
        url->target = arena_printf(mem, "%.*s?%.*s", STR_ARG(p.path), STR_ARG(p.query));
    url->is_loopback = is_loopback(p.host);
    return with_port.p && url->base.p && url->target.p ? ST_OK : ST_LIMIT;
}

enum status http_url_parse(Str text, struct arena *mem, struct http_url *url)
{
    if (text.n > CLIENT_URL_MAX)
        return ST_LIMIT;
    if (!has_scheme(text) || !is_plain(text))
        return ST_INVALID;
    Str copy = arena_copy(mem, text);
    CURLU *parsed = copy.p ? curl_url() : NULL;
    if (!parsed)
        return ST_NO_MEMORY;
    unsigned flags = CURLU_PATH_AS_IS | CURLU_DISALLOW_USER;
    enum status status = ST_INVALID;
    if (curl_url_set(parsed, CURLUPART_URL, copy.p, flags) == CURLUE_OK)
        status = take_apart(parsed, mem, url);
    curl_url_cleanup(parsed);
    return status;
}
