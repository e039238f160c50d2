/* SPDX-License-Identifier: Apache-2.0 */
/* uri.c - canonical or not; nothing is repaired. Written so that whatever two readers of a URI
 * disagree about (RFC 3986, the WHATWG URL standard, file systems, servers that undo escapes twice
 * or split at ';') is refused, and what is left has one spelling. */
#include "runtime/domain/uri.h"

#include "runtime/domain/certain.h"
#include "runtime/domain/hostname.h"

enum { PORT_MAX = 65535 };

/* Schemes with an authority of their own kind. */
static const struct web_scheme {
    Str word;
    uint32_t port; /* not written */
} web_schemes[] = {
    // clang-format off
    { STR_INIT("http"), 80 }, { STR_INIT("https"), 443 },
    { STR_INIT("ws"), 80 }, { STR_INIT("wss"), 443 }, { STR_INIT("ftp"), 21 },
    // clang-format on
};

static bool is_in(char c, char first, char last)
{
    return c >= first && c <= last;
}

static bool is_letter(char c)
{
    return is_in(c, 'a', 'z') || is_in(c, 'A', 'Z');
}

static bool is_unreserved(char c)
{
    return is_letter(c) || is_in(c, '0', '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool has_any(Str text, Str any)
{
    for (size_t i = 0; i < text.n; i++)
        if (memchr(any.p, text.p[i], any.n))
            return true;
    return false;
}

/* Where the ':' behind the scheme stands; 0: there is none. */
static size_t scheme_end(Str text)
{
    size_t i = 0;
    if (!is_letter(str_byte(text, 0)))
        return 0;
    while (is_letter(str_byte(text, i)) || is_in(str_byte(text, i), '0', '9') ||
           str_byte(text, i) == '+' || str_byte(text, i) == '-' || str_byte(text, i) == '.')
        i++;
    return str_byte(text, i) == ':' ? i : 0;
}

bool uri_has_scheme(Str text)
{
    return scheme_end(text) > 0;
}

static bool is_lower(Str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (is_in(text.p[i], 'A', 'Z'))
            return false;
    return true;
}

/* ------------------------------- escapes -------------------------------- */

/* Capital hex digits, as the normal form has them. */
static int hex_value(char c)
{
    return is_in(c, '0', '9') ? c - '0' : is_in(c, 'A', 'F') ? c - 'A' + 10 : -1;
}

enum part { PART_PATH, PART_QUERY };

/* What stands as it is: RFC 3986's characters of that part. In a query '+' is one, but a blank to
 * whoever reads forms, so only its escape says what is meant. */
static bool stands_plain(char c, enum part part)
{
    if (is_unreserved(c) || memchr("!$&'()*,;=:@", c, 12))
        return true;
    return part == PART_QUERY ? c == '/' || c == '?' : c == '+';
}

/* An escape that has a reason: it stands for no mark and is not undone to another one. What may
 * stand plain is not escaped, or it had two spellings; but in a query '&' and '=' part a form, and
 * their escapes are text. */
static bool stands_escaped(char c, enum part part)
{
    if (memchr("/\\%;", c, 4))
        return false;
    return !stands_plain(c, part) || (part == PART_QUERY && (c == '&' || c == '='));
}

/* The byte at text[*at], an escape undone, behind which *at moves; -1 for one that is not spelled
 * as it should be. */
static int next_byte(Str text, size_t *at, enum part part)
{
    char c = text.p[(*at)++];
    if (c != '%')
        return stands_plain(c, part) ? (unsigned char)c : -1;
    int high = hex_value(str_byte(text, *at)), low = hex_value(str_byte(text, *at + 1));
    if (high < 0 || low < 0)
        return -1;
    *at += 2;
    int byte = high * 16 + low;
    return stands_escaped((char)byte, part) ? byte : -1;
}

/* The text without escapes, in certain characters: {NULL, 0} when there is no such. */
static Str undo(Str text, enum part part, struct arena *mem)
{
    const Str none = { NULL, 0 };
    char *out = arena_alloc_raw(mem, 1, 1, text.n + 1);
    size_t n = 0;
    for (size_t at = 0; at < text.n && out;) {
        int byte = next_byte(text, &at, part);
        if (byte < 0)
            return none;
        out[n++] = (char)byte;
    }
    Str whole = { .p = out, .n = n };
    return out && text_is_certain(whole) ? whole : none;
}

/* ------------------------------- authority ------------------------------ */

static const struct web_scheme *web_scheme_of(Str scheme)
{
    for (size_t i = 0; i < COUNT(web_schemes); i++)
        if (str_eq(web_schemes[i].word, scheme))
            return &web_schemes[i];
    return NULL;
}

static bool port_holds(Str port, const struct web_scheme *web)
{
    uint64_t number;
    return str_to_u64(port, PORT_MAX, &number) && number > 0 && (!web || number != web->port);
}

/* A name that a browser reads as it stands, or an address in its one spelling. */
static bool web_host_holds(Str host, struct arena *mem)
{
    struct hostname name;
    bool is_v6 = str_starts(host, STR("[")) && str_ends(host, STR("]"));
    Str plain = is_v6 ? str_sub(host, 1, host.n - 1) : host;
    return hostname_read(host, true, mem, &name) && str_eq(name.name, plain);
}

/* What other schemes put there: small letters, no escapes, labels between single dots. */
static bool name_holds(Str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (!is_unreserved(host.p[i]) || is_in(host.p[i], 'A', 'Z') ||
            (host.p[i] == '.' && (i == 0 || i + 1 == host.n || host.p[i - 1] == '.')))
            return false;
    return true;
}

static bool authority_holds(Str text, Str scheme, struct arena *mem)
{
    const struct web_scheme *web = web_scheme_of(scheme);
    size_t closed = text.n;
    while (closed > 0 && text.p[closed - 1] != ']')
        closed--;
    size_t end = closed;
    while (end < text.n && text.p[end] != ':')
        end++;
    Str host = str_sub(text, 0, end);
    if (str_eq(scheme, STR("file")))
        return text.n == 0; /* another machine, or "localhost", which is this one */
    if (has_any(text, STR("@")) ||
        (end < text.n && (!host.n || !port_holds(str_sub(text, end + 1, text.n), web))))
        return false;
    return web ? web_host_holds(host, mem) : name_holds(host);
}

/* --------------------------------- path --------------------------------- */

/* Neither a step (with parameters or without) nor what a file system cuts off. */
static bool part_holds(Str part, struct arena *mem)
{
    Str rest = part, before = str_cut(&rest, ';');
    if (str_eq(before, STR(".")) || str_eq(before, STR("..")))
        return false;
    Str whole = undo(part, PART_PATH, mem);
    return whole.n > 0 && name_ends_certain(whole);
}

/* text is "" or begins with '/'; a '/' may stand at its end. */
static bool parts_hold(Str text, struct arena *mem)
{
    (void)str_cut(&text, '/');
    while (text.n)
        if (!part_holds(str_cut(&text, '/'), mem))
            return false;
    return true;
}

static size_t find_any(Str text, size_t from, Str any)
{
    while (from < text.n && !memchr(any.p, text.p[from], any.n))
        from++;
    return from;
}

/* text is "" or begins with '?'. An empty query is what some readers drop. */
static bool query_holds(Str text, struct arena *mem)
{
    return text.n == 0 || undo(str_sub(text, 1, text.n), PART_QUERY, mem).n > 0;
}

/* Behind "scheme://": authority, path, query. */
static bool hierarchy_holds(Str text, Str scheme, struct arena *mem)
{
    size_t path = find_any(text, 0, STR("/?"));
    size_t query = find_any(text, path, STR("?"));
    bool is_file = str_eq(scheme, STR("file"));
    bool needs_path = is_file || path == 0 || web_scheme_of(scheme);
    if (!authority_holds(str_sub(text, 0, path), scheme, mem) || (needs_path && path == query))
        return false;
    if (is_file && (query < text.n || (query > path + 1 && text.p[query - 1] == '/')))
        return false; /* many readers drop a file's query, and a slash at its end */
    return query_holds(str_sub(text, query, text.n), mem) &&
           parts_hold(str_sub(text, path, query), mem);
}

/* Behind "scheme:", without an authority: parts that begin without a '/', which would be a path to
 * one reader and an authority to another. */
static bool opaque_holds(Str text, Str scheme, struct arena *mem)
{
    size_t query = find_any(text, 0, STR("?"));
    Str path = str_sub(text, 0, query);
    if (path.n == 0 || path.p[0] == '/' || str_eq(scheme, STR("file")) || web_scheme_of(scheme))
        return false;
    while (path.n)
        if (!part_holds(str_cut(&path, '/'), mem))
            return false;
    return query_holds(str_sub(text, query, text.n), mem);
}

bool uri_is_canonical(Str uri, struct arena *mem)
{
    size_t end = scheme_end(uri);
    if (uri.n > URI_BYTES_MAX || end == 0)
        return false;
    Str scheme = str_sub(uri, 0, end), rest = str_sub(uri, end + 1, uri.n);
    if (!is_lower(scheme))
        return false;
    return str_starts(rest, STR("//")) ? hierarchy_holds(str_sub(rest, 2, rest.n), scheme, mem)
                                       : opaque_holds(rest, scheme, mem);
}

/* ------------------------------- templates ------------------------------ */

bool uri_template_is_canonical(Str text, struct arena *mem)
{
    char *out = text.n <= URI_BYTES_MAX ? arena_alloc_raw(mem, 1, 1, text.n + 1) : NULL;
    size_t n = 0;
    if (!out)
        return false;
    for (size_t at = 0; at < text.n; at++) {
        if (text.p[at] != '{') {
            out[n++] = text.p[at]; /* a '}' is no character of a URI */
            continue;
        }
        size_t close = find_any(text, at + 1, STR("{}"));
        if (str_byte(text, close) != '}' || close == at + 1)
            return false;
        out[n++] = 'x';
        at = close;
    }
    return uri_is_canonical((Str){ .p = out, .n = n }, mem);
}
