/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - slices and UTF-8. Nothing here allocates or looks past a slice's end. */
#include "runtime/base/str.h"

int str_cmp(Str a, Str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool str_contains(Str s, Str needle)
{
    if (needle.n == 0)
        return true;
    return s.n >= needle.n && memmem(s.p, s.n, needle.p, needle.n) != NULL;
}

bool str_eq_nocase(Str a, Str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (char_lower(a.p[i]) != char_lower(b.p[i]))
            return false;
    }
    return true;
}

Str str_cut(Str *s, char sep)
{
    const char *hit = s->n ? memchr(s->p, sep, s->n) : NULL;
    size_t len = hit ? (size_t)(hit - s->p) : s->n;
    size_t used = hit ? len + 1 : len;
    Str head = { .p = s->p, .n = len };
    *s = (Str){ .p = s->n ? s->p + used : NULL, .n = s->n - used };
    return head;
}

Str str_trim(Str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_sub(s, 1, s.n);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s = str_sub(s, 0, s.n - 1);
    return s;
}

bool str_to_u64(Str s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < '0' || c > '9')
            return false;
        uint64_t digit = (uint64_t)(c - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

/* Length of the UTF-8 sequence at s[i], 0 if it is malformed (RFC 3629, section 4). */
static size_t utf8_sequence(Str s, size_t i)
{
    const unsigned char *p = (const unsigned char *)s.p + i;
    size_t left = s.n - i;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xC2 && p[0] <= 0xDF   ? 2
                 : p[0] >= 0xE0 && p[0] <= 0xEF ? 3
                 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
                                                : 0;
    if (len == 0 || left < len)
        return 0;
    for (size_t k = 1; k < len; k++) {
        if ((p[k] & 0xC0) != 0x80)
            return 0;
    }
    bool is_overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    bool is_surrogate = p[0] == 0xED && p[1] > 0x9F;
    bool is_too_large = p[0] == 0xF4 && p[1] > 0x8F;
    return is_overlong || is_surrogate || is_too_large ? 0 : len;
}

bool utf8_is_valid(Str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t len = utf8_sequence(s, i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

size_t utf8_length(Str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.n; i++)
        count += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return count;
}

enum { DISTANCE_MAX_LEN = 64 };

size_t str_distance(Str a, Str b, size_t max)
{
    size_t rows[3][DISTANCE_MAX_LEN + 1];
    if (a.n > DISTANCE_MAX_LEN || b.n > DISTANCE_MAX_LEN)
        return max + 1;
    size_t *before = rows[0], *prev = rows[1], *cur = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        before[j] = prev[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        cur[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t best = prev[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            best = prev[j] + 1 < best ? prev[j] + 1 : best;
            best = cur[j - 1] + 1 < best ? cur[j - 1] + 1 : best;
            bool is_swap = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (is_swap && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            cur[j] = best;
        }
        size_t *spare = before;
        before = prev;
        prev = cur;
        cur = spare;
    }
    return prev[b.n] > max ? max + 1 : prev[b.n];
}
