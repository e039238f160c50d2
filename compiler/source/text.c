/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - UTF-8 by hand, strict: no overlong form, no surrogate, nothing past U+10FFFF. Names in
 * messages come from sources and snapshots that a stranger may have written, so whatever could
 * steer a terminal is spelled out before it is shown. */
#include "compiler/source/text.h"

#include <stdio.h>

enum { SPELLED_MAX = 12 }; /* "\u{10ffff}" and a NUL */

static size_t sequence_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead < 0xE0)
        return 2;
    if (lead >= 0xE0 && lead < 0xF0)
        return 3;
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

uint32_t text_decode(Str s, size_t at, size_t *length)
{
    ENSURE(at < s.n);
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char lead = (unsigned char)s.p[at];
    size_t n = sequence_length(lead);
    *length = 1;
    if (n == 1)
        return lead;
    if (n == 0 || n > s.n - at)
        return TEXT_INVALID;
    uint32_t code = lead & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        unsigned char byte = (unsigned char)s.p[at + i];
        if ((byte & 0xC0) != 0x80)
            return TEXT_INVALID;
        code = code << 6 | (byte & 0x3F);
    }
    if (code < smallest[n] || code > TEXT_CODE_POINT_MAX || (code >= 0xD800 && code < 0xE000))
        return TEXT_INVALID;
    *length = n;
    return code;
}

size_t text_encode(uint32_t code, char out[TEXT_UTF8_BYTES_MAX])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)((0xF00u >> n & 0xFFu) | code);
    return n;
}

bool text_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

bool text_is_direction(uint32_t code)
{
    return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

size_t text_visible(Str in, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t at = 0, length = 0; at < in.n; at += length) {
        uint32_t code = text_decode(in, at, &length);
        char spelled[SPELLED_MAX];
        Str piece = str_sub(in, at, at + length);
        if (code == TEXT_INVALID) {
            int k = snprintf(spelled, sizeof spelled, "\\x{%02x}", (unsigned char)in.p[at]);
            piece = (Str){ .p = spelled, .n = (size_t)k };
        } else if (text_is_control(code) || text_is_direction(code)) {
            int k = snprintf(spelled, sizeof spelled, "\\u{%x}", code);
            piece = (Str){ .p = spelled, .n = (size_t)k };
        }
        if (piece.n > cap - n)
            break;
        memcpy(out + n, piece.p, piece.n);
        n += piece.n;
    }
    return n;
}

bool text_is_number(Str raw)
{
    size_t i = raw.n && raw.p[0] == '-', start = i, dots = 0;
    if (raw.n - i > 1 && raw.p[i] == '0' && raw.p[i + 1] != '.')
        return false;
    for (; i < raw.n; i++) {
        bool is_digit = raw.p[i] >= '0' && raw.p[i] <= '9';
        bool is_between = i > start && i + 1 < raw.n && raw.p[i - 1] >= '0' &&
                          raw.p[i - 1] <= '9' && raw.p[i + 1] >= '0' && raw.p[i + 1] <= '9';
        if (raw.p[i] == '.')
            dots++;
        if (!is_digit && !(is_between && (raw.p[i] == '_' || raw.p[i] == '.')))
            return false;
    }
    return dots <= 1;
}

bool text_is_exact(Str text)
{
    Str digits = text.n && text.p[0] == '-' ? str_sub(text, 1, text.n) : text;
    if (!memchr(digits.p, '.', digits.n)) {
        Str max = STR(TEXT_LARGEST_INTEGER);
        return digits.n < max.n || (digits.n == max.n && str_cmp(digits, max) <= 0);
    }
    size_t first = 0, count = 0;
    while (first < digits.n && (digits.p[first] == '0' || digits.p[first] == '.'))
        first++;
    for (size_t i = first; i < digits.n; i++)
        count += digits.p[i] != '.';
    return count <= TEXT_SAFE_DIGITS && digits.n <= (size_t)2 * TEXT_SAFE_DIGITS;
}
