/* SPDX-License-Identifier: Apache-2.0 */
/* email.c - one address, or a list of them as a header has it. A local part is RFC 5321's
 * dot-string: quoted ones, comments, routes and groups have more readings than one and are refused,
 * and so is what some mail server still takes for a route, a command or an encoded word. Case of
 * the domain is folded, that of the local part is the receiver's business and kept. */
#include "runtime/domain/certain.h"
#include "runtime/domain/hostname.h"
#include "runtime/domain/readers.h"

enum { LOCAL_BYTES_MAX = 64, ADDRESS_BYTES_MAX = 254, ADDRESSES_MAX = 1000 };

struct address {
    Str whole, local;
    struct hostname domain;
};

/* RFC 5322 atext without '!' and '%', which route ("a%b@c", "b!a@c"), and '|', which pipes. */
static bool is_local_char(char c)
{
    static const Str others = STR_INIT("#$&'*+-/=?^_`{}~");
    char lower = char_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           memchr(others.p, c, others.n) != NULL;
}

/* Atoms with single dots between; no option ("-oQ"), no encoded word ("=?utf-8?q?...?="). */
static bool is_local(Str local)
{
    bool was_dot = true;
    if (local.n == 0 || local.n > LOCAL_BYTES_MAX || local.p[0] == '-' ||
        str_contains(local, STR("=?")))
        return false;
    for (size_t i = 0; i < local.n; i++) {
        bool is_dot = local.p[i] == '.';
        if ((is_dot && was_dot) || (!is_dot && !is_local_char(local.p[i])))
            return false;
        was_dot = is_dot;
    }
    return !was_dot;
}

/* A DNS name of two labels or more, none with an underscore. */
static bool is_mail_domain(Str text, struct arena *mem, struct hostname *out)
{
    if (text.n == 0 || text.p[text.n - 1] == '.' || !memchr(text.p, '.', text.n) ||
        memchr(text.p, '_', text.n))
        return false;
    return hostname_read(text, true, mem, out) && !out->is_address;
}

static bool read_address(Str text, struct arena *mem, struct address *out)
{
    if (text.n == 0 || text.n > ADDRESS_BYTES_MAX || !memchr(text.p, '@', text.n))
        return false;
    Str domain = text;
    out->local = str_cut(&domain, '@');
    if (!is_local(out->local) || !is_mail_domain(domain, mem, &out->domain))
        return false;
    out->whole = arena_printf(mem, "%.*s@%.*s", STR_ARG(out->local), STR_ARG(out->domain.name));
    return out->whole.p != NULL;
}

static void build_address(const struct address *address, struct json_build *build)
{
    json_build_begin(build, JSON_OBJECT);
    json_build_key(build, STR("address"));
    json_build_string(build, address->whole);
    json_build_key(build, STR("local"));
    json_build_string(build, address->local);
    json_build_key(build, STR("domain"));
    json_build_string(build, address->domain.name);
    json_build_end(build);
}

bool read_email(Str text, struct arena *mem, struct json_doc *out)
{
    struct address address;
    struct json_build build;
    if (!read_address(text, mem, &address))
        return false;
    json_build_init(&build, mem);
    build_address(&address, &build);
    return json_build_finish(&build, out);
}

/* --------------------------------- lists -------------------------------- */

static Str trimmed(Str text)
{
    size_t from = 0, to = text.n;
    while (from < to && text.p[from] == ' ')
        from++;
    while (to > from && text.p[to - 1] == ' ')
        to--;
    return str_sub(text, from, to);
}

/* A display name is atoms and blanks, or one quoted string without escapes: nothing in it can look
 * like an address or a separator, and no encoded word can hide one. */
static bool is_display_name(Str name)
{
    bool is_quoted = name.n >= 2 && name.p[0] == '"' && name.p[name.n - 1] == '"';
    Str inside = is_quoted ? str_sub(name, 1, name.n - 1) : name;
    for (size_t i = 0; i < inside.n; i++) {
        char c = inside.p[i];
        bool is_word = is_local_char(c) || c == ' ' || c == '!' || (c & 0x80);
        if (!is_word && !(is_quoted && (c == '.' || c == '(' || c == ')')))
            return false;
    }
    return text_is_certain(inside) && !str_contains(inside, STR("=?"));
}

/* "a@b.c", or "Name <a@b.c>". */
static bool read_mailbox(Str text, struct arena *mem, struct address *out)
{
    if (!text.n || !memchr(text.p, '<', text.n))
        return read_address(text, mem, out);
    Str rest = text, name = str_cut(&rest, '<');
    return rest.n && rest.p[rest.n - 1] == '>' && is_display_name(trimmed(name)) &&
           read_address(str_sub(rest, 0, rest.n - 1), mem, out);
}

bool read_emails(Str text, struct arena *mem, struct json_doc *out)
{
    struct json_build build;
    size_t count = 0;
    bool is_last = false;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("addresses"));
    json_build_begin(&build, JSON_ARRAY);
    while (!is_last) {
        struct address address;
        is_last = !text.n || !memchr(text.p, ',', text.n);
        if (++count > ADDRESSES_MAX || !read_mailbox(trimmed(str_cut(&text, ',')), mem, &address))
            return false;
        build_address(&address, &build);
    }
    json_build_end(&build);
    json_build_end(&build);
    return json_build_finish(&build, out);
}
