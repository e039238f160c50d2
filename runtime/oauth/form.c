/* SPDX-License-Identifier: Apache-2.0 */
/* form.c - fields of a form, as a browser writes them. */
#include "runtime/oauth/form.h"

static bool is_kept(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '*' ||
           c == '-' || c == '.' || c == '_';
}

void form_write(struct buf *out, Str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_kept((char)c)) {
            buf_add_char(out, (char)c);
        } else if (c == ' ') {
            buf_add_char(out, '+');
        } else {
            buf_add_char(out, '%');
            buf_add_char(out, digits[c >> 4]);
            buf_add_char(out, digits[c & 15]);
        }
    }
}

void form_add(struct buf *out, Str name, Str value)
{
    if (out->n && out->p[out->n - 1] != '?' && out->p[out->n - 1] != '&')
        buf_add_char(out, '&');
    form_write(out, name);
    buf_add_char(out, '=');
    form_write(out, value);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(Str text, struct arena *mem, Str *out)
{
    char *bytes = arena_alloc_raw(mem, 1, 1, text.n + 1);
    size_t n = 0;
    if (!bytes)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int c = (unsigned char)text.p[i];
        if (c == '%') {
            int high = hex_value(str_byte(text, i + 1)), low = hex_value(str_byte(text, i + 2));
            if (high < 0 || low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c == '\0')
            return false;
        bytes[n++] = (char)c;
    }
    *out = (Str){ .p = bytes, .n = n };
    return utf8_is_valid(*out);
}

enum form_result form_next(Str *rest, struct arena *mem, struct form_field *field)
{
    Str pair = { NULL, 0 };
    while (rest->n && pair.n == 0)
        pair = str_cut(rest, '&');
    if (pair.n == 0)
        return FORM_END;
    Str name = str_cut(&pair, '=');
    bool is_decoded = decode(name, mem, &field->name) && decode(pair, mem, &field->value);
    return is_decoded ? FORM_FIELD : FORM_BAD;
}
