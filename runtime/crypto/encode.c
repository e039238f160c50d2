/* SPDX-License-Identifier: Apache-2.0 */
/* encode.c - one coder for both alphabets of base64. A decoder that forgives would let two texts
 * name the same bytes, and what compares texts elsewhere would then be fooled; so it does not. */
#include "runtime/crypto/encode.h"

static const char hex_digits[] = "0123456789abcdef";
static const char alphabet_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { NO_DIGIT = 64 };

void hex_encode(Str bytes, char *out)
{
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];
        out[2 * i] = hex_digits[byte >> 4];
        out[2 * i + 1] = hex_digits[byte & 15];
    }
}

static unsigned hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : NO_DIGIT;
}

bool hex_decode(Str text, unsigned char *out, size_t count)
{
    if (text.n % 2 != 0 || text.n / 2 != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        unsigned high = hex_value(text.p[2 * i]), low = hex_value(text.p[2 * i + 1]);
        if (high == NO_DIGIT || low == NO_DIGIT)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static unsigned digit_value(const char *alphabet, char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    if (c == alphabet[62])
        return 62;
    return c == alphabet[63] ? 63 : NO_DIGIT;
}

/* Without padding; returns the characters written. */
static size_t encode(const char *alphabet, Str bytes, char *out)
{
    size_t n = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        bits = (bits << 8 | (unsigned char)bytes.p[i]) & 0xffffff;
        for (held += 8; held >= 6; held -= 6)
            out[n++] = alphabet[bits >> (held - 6) & 63];
    }
    if (held)
        out[n++] = alphabet[bits << (6 - held) & 63];
    return n;
}

/* Of text without padding. One character left over stands for no byte, and bits that are left
 * over must be zero (RFC 4648, section 3.5). */
static bool decode(const char *alphabet, Str text, unsigned char *out, size_t room, size_t *n)
{
    size_t count = text.n / 4 * 3 + text.n % 4 * 3 / 4;
    if (text.n % 4 == 1 || count > room)
        return false;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t done = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned value = digit_value(alphabet, text.p[i]);
        if (value == NO_DIGIT)
            return false;
        bits = (bits << 6 | value) & 0xffffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[done++] = (unsigned char)(bits >> held & 255);
        }
    }
    if ((bits & ((1U << held) - 1)) != 0)
        return false;
    *n = done;
    return true;
}

void base64_encode(Str bytes, char *out)
{
    size_t n = encode(alphabet_std, bytes, out);
    while (n % 4 != 0)
        out[n++] = '=';
}

bool base64_decode(Str text, unsigned char *out, size_t room, size_t *n)
{
    if (text.n % 4 != 0)
        return false;
    size_t pads = str_ends(text, STR("==")) ? 2 : str_ends(text, STR("="));
    return decode(alphabet_std, str_sub(text, 0, text.n - pads), out, room, n);
}

void base64url_encode(Str bytes, char *out)
{
    (void)encode(alphabet_url, bytes, out);
}

bool base64url_decode(Str text, unsigned char *out, size_t room, size_t *n)
{
    return decode(alphabet_url, text, out, room, n);
}
