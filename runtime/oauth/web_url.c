/* SPDX-License-Identifier: Apache-2.0 */
/* web_url.c - one reading of a URL for all of OAuth.
 *
 * Only the origin is brought to one form. A path that some reader would resolve or unescape to
 * another one is refused, since then "the same issuer" and "below this resource" would have two
 * answers.
 */
#include "runtime/oauth/web_url.h"

#include "runtime/domain/domain.h"

static bool is_plain(Str text)
{
    static const Str repaired = STR_INIT("\\\"<>`{}|^#");
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= 0x20 || c >= 0x7F || memchr(repaired.p, c, repaired.n))
            return false;
    }
    return text.n > 0 && text.n <= WEB_URL_MAX;
}

static bool is_hex(char c)
{
    c = char_lower(c);
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A part of a path that no reader takes for another: no dots, no escape of a dot, a slash or a
 * backslash, no broken escape. */
static bool is_segment(Str part)
{
    static const Str hidden[] = { STR_INIT("%2e"), STR_INIT("%2f"), STR_INIT("%5c"),
                                  STR_INIT("%00") };
    if (str_eq(part, STR(".")) || str_eq(part, STR("..")))
        return false;
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] != '%')
            continue;
        if (!is_hex(str_byte(part, i + 1)) || !is_hex(str_byte(part, i + 2)))
            return false;
        for (size_t j = 0; j < COUNT(hidden); j++)
            if (str_eq_nocase(str_sub(part, i, i + 3), hidden[j]))
                return false;
    }
    return true;
}

static bool is_path(Str path)
{
    while (path.n) {
        if (!is_segment(str_cut(&path, '/')))
            return false;
    }
    return true;
}

/* The authority as runtime/domain reads it. */
static bool read_origin(Str scheme, Str authority, struct arena *mem, struct web_url *url)
{
    struct json_doc doc;
    Str probe = arena_printf(mem, "%.*s://%.*s/", STR_ARG(scheme), STR_ARG(authority));
    if (!probe.p || !domain_read(DOMAIN_URL, probe, mem, &doc))
        return false;
    uint32_t userinfo = json_member(&doc, 0, STR("userinfo"));
    if (json_at(&doc, userinfo)->type != JSON_FALSE)
        return false;
    Str host = json_member_string(&doc, 0, STR("host"));
    Str port = json_text(json_at(&doc, json_member(&doc, 0, STR("port"))));
    bool is_usual = str_eq(port, url->is_https ? STR("443") : STR("80"));
    bool is_v6 = memchr(host.p, ':', host.n) != NULL;
    url->host = host;
    url->origin =
        arena_printf(mem, "%.*s://%s%.*s%s%s%.*s", STR_ARG(scheme), is_v6 ? "[" : "", STR_ARG(host),
                     is_v6 ? "]" : "", is_usual ? "" : ":", STR_ARG(is_usual ? STR("") : port));
    url->is_loopback = str_eq(host, STR("localhost")) || str_ends(host, STR(".localhost")) ||
                       str_eq(json_member_string(&doc, 0, STR("range")), STR("loopback"));
    return url->origin.p != NULL;
}

bool web_url_read(Str text, struct arena *mem, struct web_url *out)
{
    static const Str https = STR_INIT("https://"), http = STR_INIT("http://");
    struct web_url url = { .text = text };
    if (!is_plain(text))
        return false;
    url.is_https = text.n > https.n && str_eq_nocase(str_sub(text, 0, https.n), https);
    Str prefix = url.is_https ? https : http;
    if (text.n <= prefix.n || !str_eq_nocase(str_sub(text, 0, prefix.n), prefix))
        return false;
    Str rest = str_sub(text, prefix.n, text.n);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    Str behind = str_sub(rest, end, rest.n);
    bool has_query = behind.n && memchr(behind.p, '?', behind.n);
    url.path = str_cut(&behind, '?');
    if (has_query)
        url.query = (Str){ .p = behind.p ? behind.p : "", .n = behind.n };
    if (!is_path(url.path) ||
        !read_origin(url.is_https ? STR("https") : STR("http"), str_sub(rest, 0, end), mem, &url))
        return false;
    *out = url;
    return true;
}

bool web_url_is_fit(const struct web_url *url, bool is_development)
{
    return url->is_https || (is_development && url->is_loopback);
}

/* Without the slash that stands for "no path". */
static Str path_of(const struct web_url *url)
{
    return str_eq(url->path, STR("/")) ? STR("") : url->path;
}

static Str join(const struct web_url *url, Str between, Str path, Str query, struct arena *mem)
{
    return arena_printf(mem, "%.*s%.*s%.*s%s%.*s", STR_ARG(url->origin), STR_ARG(between),
                        STR_ARG(path), query.p ? "?" : "", STR_ARG(query));
}

bool resource_uri(const struct web_url *server, struct arena *mem, Str *out)
{
    Str uri = join(server, STR(""), path_of(server), server->query, mem);
    if (!uri.p)
        return false;
    *out = uri;
    return true;
}

bool resource_covers(const struct web_url *resource, const struct web_url *server)
{
    Str outer = path_of(resource), inner = path_of(server);
    if (!str_eq(resource->origin, server->origin) || !str_starts(inner, outer))
        return false;
    if (resource->query.p && (!server->query.p || !str_eq(resource->query, server->query)))
        return false;
    bool is_whole = inner.n == outer.n || str_ends(outer, STR("/")) || outer.n == 0;
    return is_whole || inner.p[outer.n] == '/';
}

static bool add(struct well_known *list, Str url)
{
    list->urls[list->count++] = url;
    return url.p != NULL;
}

bool well_known_resource(const struct web_url *server, struct arena *mem, struct well_known *out)
{
    static const Str place = STR_INIT("/.well-known/oauth-protected-resource");
    Str path = path_of(server), none = { NULL, 0 };
    struct well_known list = { .count = 0 };
    bool has_own = path.n || server->query.p;
    if (has_own && !add(&list, join(server, place, path, server->query, mem)))
        return false;
    if (!add(&list, join(server, place, STR(""), none, mem)))
        return false;
    *out = list;
    return true;
}

bool well_known_issuer(const struct web_url *issuer, struct arena *mem, struct well_known *out)
{
    static const Str oauth = STR_INIT("/.well-known/oauth-authorization-server");
    static const Str openid = STR_INIT("/.well-known/openid-configuration");
    struct well_known list = { .count = 0 };
    Str path = issuer->path, none = { NULL, 0 };
    if (issuer->query.p) /* an issuer has none (RFC 8414, section 2) */
        return false;
    if (str_ends(path, STR("/")))
        path = str_sub(path, 0, path.n - 1);
    bool is_ok = add(&list, join(issuer, oauth, path, none, mem)) &&
                 add(&list, join(issuer, openid, path, none, mem)) &&
                 (path.n == 0 || add(&list, join(issuer, path, openid, none, mem)));
    if (is_ok)
        *out = list;
    return is_ok;
}
