/* SPDX-License-Identifier: Apache-2.0 */
/* email.c - one address, or a list of them as a header has it. A local part is RFC 5321's
 * dot-string: quoted ones, comments, routes and groups have more readings than one and are refused.
 * Case of the domain is folded, that of the local part is the receiver's business and kept. */
#include "runtime/domain/hostname.h"
#include "runtime/domain/readers.h"

enum { LOCAL_BYTES_MAX = 64, ADDRESSES_MAX = 1000 };

struct address {
    Str whole, local;
    struct hostname domain;
};

static bool is_atom_char(char c)
{
    static const char others[] = "!#$%&'*+-/=?^_`{|}~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           memchr(others, c, sizeof others - 1) != NULL;
}

/* Atoms with single dots between. */
static bool is_local(Str local)
{
    bool was_dot = true;
    for (size_t i = 0; i < local.n; i++) {
        bool is_dot = local.p[i] == '.';
        if ((is_dot && was_dot) || (!is_dot && !is_atom_char(local.p[i])))
            return false;
        was_dot = is_dot;
    }
    return local.n > 0 && local.n <= LOCAL_BYTES_MAX && !was_dot;
}

static bool read_address(Str text, struct arena *mem, struct address *out)
{
    const char *at = text.n ? memchr(text.p, '@', text.n) : NULL;
    if (!at)
        return false;
    size_t split = (size_t)(at - text.p);
    Str domain = str_sub(text, split + 1, text.n);
    out->local = str_sub(text, 0, split);
    bool has_dot = domain.n && memchr(domain.p, '.', domain.n);
    if (!is_local(out->local) || !has_dot || !hostname_read(domain, false, mem, &out->domain) ||
        out->domain.is_address || domain.p[domain.n - 1] == '.')
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

static Str trimmed(Str text)
{
    while (text.n && text.p[0] == ' ') {
        text.p++;
        text.n--;
    }
    while (text.n && text.p[text.n - 1] == ' ')
        text.n--;
    return text;
}

/* A display name is atoms and blanks, or one quoted string without escapes: nothing in it can look
 * like an address or a separator. */
static bool is_display_name(Str name)
{
    bool is_quoted = name.n >= 2 && name.p[0] == '"' && name.p[name.n - 1] == '"';
    Str inside = is_quoted ? str_sub(name, 1, name.n - 1) : name;
    for (size_t i = 0; i < inside.n; i++) {
        unsigned char c = (unsigned char)inside.p[i];
        bool is_word = is_atom_char((char)c) || c == ' ' || c >= 0x80;
        if (!is_word && !(is_quoted && (c == '.' || c == '(' || c == ')')))
            return false;
    }
    return true;
}

/* "a@b.c", or "Name <a@b.c>". */
static bool read_mailbox(Str text, struct arena *mem, struct address *out)
{
    const char *open = text.n ? memchr(text.p, '<', text.n) : NULL;
    if (!open)
        return read_address(text, mem, out);
    size_t at = (size_t)(open - text.p);
    return text.p[text.n - 1] == '>' && is_display_name(trimmed(str_sub(text, 0, at))) &&
           read_address(str_sub(text, at + 1, text.n - 1), mem, out);
}

bool read_emails(Str text, struct arena *mem, struct json_doc *out)
{
    struct json_build build;
    size_t count = 0;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("addresses"));
    json_build_begin(&build, JSON_ARRAY);
    for (size_t from = 0; from <= text.n;) {
        const char *comma = from < text.n ? memchr(text.p + from, ',', text.n - from) : NULL;
        size_t to = comma ? (size_t)(comma - text.p) : text.n;
        struct address address;
        if (++count > ADDRESSES_MAX ||
            !read_mailbox(trimmed(str_sub(text, from, to)), mem, &address))
            return false;
        build_address(&address, &build);
        from = to + 1;
    }
    json_build_end(&build);
    json_build_end(&build);
    return json_build_finish(&build, out);
}
