/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - an absolute URL of a web scheme, read only where the WHATWG URL standard and RFC 3986
 * agree, so that every client goes where the policy was told it goes. Refused: anything that one of
 * them repairs (tabs and line ends inside, blanks around, backslashes, missing or extra slashes, an
 * empty host, odd spellings of IPv4), percent signs in the host, escapes in the path that hide a
 * slash, a dot, a percent sign or a control character. */
#include "runtime/domain/hostname.h"
#include "runtime/domain/readers.h"

enum { URL_BYTES_MAX = 8192, URL_PARTS_MAX = 256 };

static const struct {
    Str word;
    uint32_t port;
} schemes[] = {
    // clang-format off
    { STR_INIT("http"), 80 }, { STR_INIT("https"), 443 },
    { STR_INIT("ws"), 80 }, { STR_INIT("wss"), 443 }, { STR_INIT("ftp"), 21 },
    // clang-format on
};

struct url {
    Str scheme, path, query, fragment; /* query and fragment: p is NULL when there is none */
    struct hostname host;
    uint32_t port;
    bool has_userinfo;
    Str parts[URL_PARTS_MAX];
    size_t part_count;
};

/* Printable ASCII that no reader strips, turns or splits. */
static bool is_plain(Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= 0x20 || c >= 0x7F || c == '\\' || c == '"' || c == '<' || c == '>' || c == '`' ||
            c == '{' || c == '}' || c == '|' || c == '^')
            return false;
    }
    return text.n > 0 && text.n <= URL_BYTES_MAX;
}

static bool read_scheme(Str text, struct url *url, size_t *at)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        size_t n = schemes[i].word.n;
        if (text.n < n + 3 || !str_eq_nocase(str_sub(text, 0, n), schemes[i].word) ||
            !str_eq(str_sub(text, n, n + 3), STR("://")))
            continue;
        url->scheme = schemes[i].word;
        url->port = schemes[i].port;
        *at = n + 3;
        return true;
    }
    return false;
}

static bool read_port(Str text, uint32_t *port)
{
    uint64_t number;
    bool has_zeros = text.n > 1 && text.p[0] == '0';
    if (has_zeros || !str_to_u64(text, 65535, &number))
        return false;
    *port = (uint32_t)number;
    return true;
}

/* [userinfo@]host[:port]. Of two '@' one reader takes the first and another the last. */
static bool read_authority(Str text, struct arena *mem, struct url *url)
{
    const char *at = text.n ? memchr(text.p, '@', text.n) : NULL;
    if (at) {
        url->has_userinfo = true;
        text = str_sub(text, (size_t)(at - text.p) + 1, text.n);
        if (text.n && memchr(text.p, '@', text.n))
            return false;
    }
    size_t host_end = text.n;
    bool is_bracketed = text.n && text.p[0] == '[';
    const char *close = is_bracketed ? memchr(text.p, ']', text.n) : NULL;
    size_t from = close ? (size_t)(close - text.p) : 0;
    const char *colon = text.n > from ? memchr(text.p + from, ':', text.n - from) : NULL;
    if (colon) {
        host_end = (size_t)(colon - text.p);
        if (!read_port(str_sub(text, host_end + 1, text.n), &url->port))
            return false;
    }
    return hostname_read(str_sub(text, 0, host_end), true, mem, &url->host);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One part of the path, its escapes undone once; false for what would then mean something else. */
static bool decode_part(Str part, struct arena *mem, Str *out)
{
    char *at = arena_alloc_raw(mem, 1, 1, part.n + 1);
    size_t n = 0;
    if (!at)
        return false;
    for (size_t i = 0; i < part.n; i++) {
        char c = part.p[i];
        if (c == '%') {
            int high = part.n - i > 2 ? hex_value(part.p[i + 1]) : -1;
            int low = part.n - i > 2 ? hex_value(part.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            unsigned char byte = (unsigned char)c;
            if (byte < 0x20 || byte == 0x7F || c == '/' || c == '\\' || c == '%' || c == '.')
                return false;
            i += 2;
        }
        at[n++] = c;
    }
    *out = (Str){ .p = at, .n = n };
    return utf8_is_valid(*out);
}

/* `.` and `..` are resolved as every client does before it sends; above the root is refused. */
static bool read_path_parts(Str text, struct arena *mem, struct url *url)
{
    for (size_t from = 1; from <= text.n;) {
        const char *slash = from < text.n ? memchr(text.p + from, '/', text.n - from) : NULL;
        size_t to = slash ? (size_t)(slash - text.p) : text.n;
        Str part = str_sub(text, from, to);
        bool is_last = !slash;
        from = to + 1;
        if (str_eq(part, STR(".")))
            part.n = 0;
        if (str_eq(part, STR(".."))) {
            if (url->part_count == 0)
                return false;
            url->part_count--;
            part.n = 0;
        }
        if (part.n == 0 && !is_last) {
            if (slash && to > 0 && text.p[to - 1] == '/')
                return false; /* "//": some servers fold it, some do not */
            continue;
        }
        if (url->part_count == URL_PARTS_MAX ||
            !decode_part(part, mem, &url->parts[url->part_count]))
            return false;
        url->part_count++;
    }
    return true;
}

static bool join_path(struct arena *mem, struct url *url)
{
    size_t n = 1;
    for (size_t i = 0; i < url->part_count; i++)
        n += url->parts[i].n + 1;
    char *at = arena_alloc_raw(mem, 1, 1, n), *to = at;
    if (!at)
        return false;
    *to++ = '/';
    for (size_t i = 0; i < url->part_count; i++) {
        if (i)
            *to++ = '/';
        if (url->parts[i].n)
            memcpy(to, url->parts[i].p, url->parts[i].n);
        to += url->parts[i].n;
    }
    url->path = (Str){ .p = at, .n = (size_t)(to - at) };
    return true;
}

/* The first of the characters in text[from..], or its end. */
static size_t find_any(Str text, size_t from, const char *any)
{
    while (from < text.n && !strchr(any, text.p[from]))
        from++;
    return from;
}

static bool read_rest(Str text, size_t at, struct arena *mem, struct url *url)
{
    size_t query = find_any(text, at, "?#");
    size_t fragment = query < text.n && text.p[query] == '?' ? find_any(text, query, "#") : query;
    Str path = str_sub(text, at, query);
    if (query < fragment)
        url->query = str_sub(text, query + 1, fragment);
    if (fragment < text.n)
        url->fragment = str_sub(text, fragment + 1, text.n);
    return read_path_parts(path.n ? path : STR("/"), mem, url) && join_path(mem, url);
}

static void build_optional(struct json_build *build, Str key, Str text)
{
    json_build_key(build, key);
    if (text.p)
        json_build_string(build, text);
    else
        json_build_null(build);
}

static bool build_url(const struct url *url, struct arena *mem, struct json_doc *out)
{
    struct json_build build;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("scheme"));
    json_build_string(&build, url->scheme);
    json_build_key(&build, STR("host"));
    json_build_string(&build, url->host.name);
    hostname_build_address(&url->host, &build);
    json_build_key(&build, STR("port"));
    json_build_number(&build, url->port);
    json_build_key(&build, STR("path"));
    json_build_string(&build, url->path);
    json_build_key(&build, STR("parts"));
    json_build_begin(&build, JSON_ARRAY);
    for (size_t i = 0; i < url->part_count; i++)
        json_build_string(&build, url->parts[i]);
    json_build_end(&build);
    build_optional(&build, STR("query"), url->query);
    build_optional(&build, STR("fragment"), url->fragment);
    json_build_key(&build, STR("userinfo"));
    json_build_bool(&build, url->has_userinfo);
    json_build_end(&build);
    return json_build_finish(&build, out);
}

bool read_url(Str text, struct arena *mem, struct json_doc *out)
{
    struct url url = { .has_userinfo = false };
    size_t at;
    if (!is_plain(text) || !read_scheme(text, &url, &at))
        return false;
    size_t end = find_any(text, at, "/?#");
    return read_authority(str_sub(text, at, end), mem, &url) && read_rest(text, end, mem, &url) &&
           build_url(&url, mem, out);
}
