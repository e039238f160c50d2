/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - an absolute URL of a web scheme, read only where the WHATWG URL standard and RFC 3986
 * agree, so that every client goes where the policy was told it goes. Refused: anything that one of
 * them repairs (tabs and line ends inside, blanks around, backslashes, missing or extra slashes, an
 * empty host, odd spellings of IPv4), percent signs in the host, and in the path what servers read
 * differently: empty parts, parameters behind `;`, escapes that hide a mark, names that end in a
 * dot or a blank. */
#include "runtime/domain/certain.h"
#include "runtime/domain/hostname.h"
#include "runtime/domain/parts.h"
#include "runtime/domain/readers.h"

enum { URL_BYTES_MAX = 8192, PORT_MAX = 65535 };

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
    struct parts parts;
};

static bool is_one_of(char c, Str any)
{
    return memchr(any.p, c, any.n) != NULL;
}

/* Printable ASCII that no reader strips, turns or splits. */
static bool is_plain(Str text)
{
    static const Str repaired = STR_INIT("\\\"<>`{}|^");
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= 0x20 || c >= 0x7F || is_one_of((char)c, repaired))
            return false;
    }
    return text.n > 0;
}

/* Where the first of the characters stands in text[from..], or its end. */
static size_t find_any(Str text, size_t from, Str any)
{
    while (from < text.n && !is_one_of(text.p[from], any))
        from++;
    return from;
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

/* ------------------------------- authority ------------------------------ */

static bool read_port(Str text, uint32_t *port)
{
    uint64_t number;
    if (!str_to_u64(text, PORT_MAX, &number) || number == 0)
        return false;
    *port = (uint32_t)number;
    return true;
}

/* What stands before '@', which is only told, not judged. Of two '@' one reader takes the first
 * and another the last. */
static bool cut_userinfo(Str *text, struct url *url)
{
    if (!text->n || !memchr(text->p, '@', text->n))
        return true;
    Str userinfo = str_cut(text, '@');
    url->has_userinfo = true;
    return find_any(userinfo, 0, STR("[]")) == userinfo.n &&
           find_any(*text, 0, STR("@")) == text->n;
}

/* [userinfo@]host[:port] */
static bool read_authority(Str text, struct arena *mem, struct url *url)
{
    if (!cut_userinfo(&text, url))
        return false;
    size_t closed = str_byte(text, 0) == '[' ? find_any(text, 0, STR("]")) : 0;
    size_t end = find_any(text, closed, STR(":"));
    if (end < text.n && !read_port(str_sub(text, end + 1, text.n), &url->port))
        return false;
    return hostname_read(str_sub(text, 0, end), true, mem, &url->host);
}

/* --------------------------------- path --------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape at text[at] stands for; -1 when it is none, or one that means something
 * else when it is undone. */
static int unescape(Str text, size_t at)
{
    int high = hex_value(str_byte(text, at + 1)), low = hex_value(str_byte(text, at + 2));
    if (high < 0 || low < 0)
        return -1;
    int byte = high * 16 + low;
    return is_one_of((char)byte, STR("/\\%.;?#")) ? -1 : byte;
}

/* One part of the path, its escapes undone once. */
static bool decode_part(Str part, struct arena *mem, Str *out)
{
    char *at = arena_alloc_raw(mem, 1, 1, part.n + 1);
    size_t n = 0;
    if (!at)
        return false;
    for (size_t i = 0; i < part.n; i++) {
        int byte = (unsigned char)part.p[i];
        if (byte == '%') {
            byte = unescape(part, i);
            if (byte < 0)
                return false;
            i += 2;
        }
        at[n++] = (char)byte;
    }
    *out = (Str){ .p = at, .n = n };
    return text_is_certain(*out) && name_ends_certain(*out);
}

/* `.` and `..` are resolved as every client does before it sends; above the root is refused, and
 * so is an empty part, which some servers fold and some do not. text is "" or begins with '/'. */
static bool read_path_parts(Str text, struct arena *mem, struct url *url)
{
    bool is_folder = true;
    (void)str_cut(&text, '/');
    while (text.n) {
        is_folder = memchr(text.p, '/', text.n) != NULL;
        Str part = str_cut(&text, '/');
        bool is_dots = str_eq(part, STR(".")) || str_eq(part, STR(".."));
        is_folder |= is_dots;
        if (part.n == 0 || (!is_dots && !decode_part(part, mem, &part)) ||
            !parts_add(&url->parts, part))
            return false;
    }
    Str behind = is_folder && url->parts.count ? STR("/") : STR("");
    url->path = parts_join(&url->parts, STR("/"), behind, mem);
    return url->path.p != NULL;
}

/* Path, query and fragment. An '@' behind a host without a path made old clients take what is
 * before it for userinfo. */
static bool read_rest(Str text, struct arena *mem, struct url *url)
{
    size_t query = find_any(text, 0, STR("?#"));
    size_t fragment = find_any(text, query, STR("#"));
    Str path = str_sub(text, 0, query);
    if (find_any(path, 0, STR(";")) < path.n ||
        (path.n == 0 && find_any(text, 0, STR("@")) < text.n))
        return false;
    if (query < fragment)
        url->query = str_sub(text, query + 1, fragment);
    if (fragment < text.n)
        url->fragment = str_sub(text, fragment + 1, text.n);
    return read_path_parts(path, mem, url);
}

/* -------------------------------- result -------------------------------- */

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
    parts_build(&url->parts, &build);
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
    if (text.n > URL_BYTES_MAX || !is_plain(text) || !read_scheme(text, &url, &at))
        return false;
    size_t end = find_any(text, at, STR("/?#"));
    return read_authority(str_sub(text, at, end), mem, &url) &&
           read_rest(str_sub(text, end, text.n), mem, &url) && build_url(&url, mem, out);
}
