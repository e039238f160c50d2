/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lsp/uri.h"

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch = char_lower(ch);
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

bool uri_path(Str uri, struct arena *mem, Str *path)
{
    if (!str_starts(uri, STR("file://")))
        return false;
    Str rest = str_sub(uri, 7, uri.n);
    if (str_starts(rest, STR("localhost/")))
        rest = str_sub(rest, 9, rest.n);
    if (!str_starts(rest, STR("/")))
        return false;
    char *out = arena_alloc(mem, 1, 1, rest.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < rest.n; i++) {
        char ch = rest.p[i];
        if (ch == '?' || ch == '#')
            return false;
        if (ch == '%') {
            int high = hex_digit(str_byte(rest, i + 1)), low = hex_digit(str_byte(rest, i + 2));
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            ch = (char)(high * 16 + low);
            i += 2;
        }
        if (ch == '\0')
            return false;
        out[n++] = ch;
    }
    *path = (Str){ .p = out, .n = n };
    return out != NULL;
}

void uri_write(struct buf *out, Str path)
{
    buf_add(out, STR("file://"));
    for (size_t i = 0; i < path.n; i++) {
        char ch = path.p[i];
        bool is_plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                        (ch >= '0' && ch <= '9') || (ch && strchr("-._~/", ch));
        if (is_plain)
            buf_add_char(out, ch);
        else
            buf_printf(out, "%%%02X", (unsigned char)ch);
    }
}
