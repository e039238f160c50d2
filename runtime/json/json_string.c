/* SPDX-License-Identifier: Apache-2.0 */
/* json_string.c - escapes, both ways. Decoding relies on the scanner: it comes here only with
 * strings whose escapes are known, complete and paired. */
#include "runtime/json/json_internal.h"

static uint32_t hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    return (uint32_t)((c | 0x20) - 'a') + 10;
}

static uint32_t hex_unit(const char *p)
{
    return hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 | hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    uint32_t lead = n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0;
    out[0] = (char)(lead | c);
    return n;
}

static char short_escape(char c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c; /* the quote, the backslash, the slash */
    }
}

/* Decodes the escape that s begins with. Sets *used to its length; returns the bytes put out,
 * never more than that length. */
static size_t decode_escape(Str s, char *out, size_t *used)
{
    ENSURE(s.n >= 2);
    if (s.p[1] != 'u') {
        *used = 2;
        out[0] = short_escape(s.p[1]);
        return 1;
    }
    ENSURE(s.n >= 6);
    uint32_t c = hex_unit(s.p + 2);
    *used = 6;
    if (c >= 0xd800 && c <= 0xdbff) {
        ENSURE(s.n >= 12);
        c = 0x10000 + ((c - 0xd800) << 10) + (hex_unit(s.p + 8) - 0xdc00);
        *used = 12;
    }
    return put_utf8(out, c);
}

Str json_unescape(struct arena *arena, Str inside)
{
    char *out = arena_alloc_raw(arena, 1, 1, inside.n);
    size_t n = 0;
    if (!out)
        return (Str){ .p = NULL, .n = 0 };
    while (inside.n) {
        const char *slash = memchr(inside.p, '\\', inside.n);
        size_t run = slash ? (size_t)(slash - inside.p) : inside.n, used = 0;
        memcpy(out + n, inside.p, run);
        n += run;
        inside = str_sub(inside, run, inside.n);
        if (slash)
            n += decode_escape(inside, out + n, &used);
        inside = str_sub(inside, used, inside.n);
    }
    return (Str){ .p = out, .n = n };
}

/* Length of what must be escaped at s[i]: 1, 3 (U+2028 and U+2029, which end a line in
 * JavaScript and in some logs), or 0. */
static size_t escape_length(Str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
        return 1;
    if (c != 0xe2)
        return 0;
    Str rest = str_sub(s, i, s.n);
    return str_starts(rest, STR("\xe2\x80\xa8")) || str_starts(rest, STR("\xe2\x80\xa9")) ? 3 : 0;
}

static void write_escape(struct buf *out, Str s)
{
    unsigned char c = (unsigned char)s.p[s.n - 1];
    char mark = '\0';
    switch (c) {
    case '\b': mark = 'b'; break;
    case '\f': mark = 'f'; break;
    case '\n': mark = 'n'; break;
    case '\r': mark = 'r'; break;
    case '\t': mark = 't'; break;
    case '"':
    case '\\': mark = (char)c; break;
    default: break;
    }
    if (mark) {
        buf_add(out, (Str){ .p = (const char[]){ '\\', mark }, .n = 2 });
    } else if (s.n == 3) {
        buf_add(out, c == 0xa8 ? STR("\\u2028") : STR("\\u2029"));
    } else {
        buf_add(out, STR("\\u00"));
        buf_add_char(out, "01234567"[c >> 4]);
        buf_add_char(out, "0123456789abcdef"[c & 15]);
    }
}

void json_write_string(struct buf *out, Str s)
{
    size_t from = 0;
    buf_add_char(out, '"');
    for (size_t i = 0; i < s.n;) {
        size_t n = escape_length(s, i);
        if (n == 0) {
            i++;
            continue;
        }
        buf_add(out, str_sub(s, from, i));
        write_escape(out, str_sub(s, i, i + n));
        i += n;
        from = i;
    }
    buf_add(out, str_sub(s, from, s.n));
    buf_add_char(out, '"');
}
