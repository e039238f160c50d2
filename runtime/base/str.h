/* SPDX-License-Identifier: Apache-2.0 */
/* str.h - borrowed bytes with a length.
 *
 * A Str never owns: whoever made the bytes (arena, buf, literal) outlives it. It is not
 * NUL-terminated and may contain NUL. p is NULL only if n == 0.
 */
#ifndef RUNTIME_BASE_STR_H
#define RUNTIME_BASE_STR_H

#include "runtime/base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const char *p;
    size_t n;
} Str;

// clang-format off
#define STR_INIT(lit) { .p = ("" lit), .n = sizeof(lit) - 1 } /* in static tables */
// clang-format on
#define STR(lit) ((Str)STR_INIT(lit))

/* For printf: "%.*s", STR_ARG(s). Cuts at INT_MAX. */
#define STR_ARG(s) ((s).n > 0x7fffffff ? 0x7fffffff : (int)(s).n), ((s).p ? (s).p : "")

/* Eight and four bytes as they lie in memory. */
static inline uint64_t load_u64(const char *p)
{
    uint64_t out;
    memcpy(&out, p, sizeof out);
    return out;
}

static inline uint32_t load_u32(const char *p)
{
    uint32_t out;
    memcpy(&out, p, sizeof out);
    return out;
}

/* Two blocks of n bytes. Most keys and names are short: two loads that overlap cost less than a
 * call of memcmp. */
static inline bool bytes_eq(const char *a, const char *b, size_t n)
{
    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8)
        return load_u64(a) == load_u64(b) && load_u64(a + n - 8) == load_u64(b + n - 8);
    if (n >= 4)
        return load_u32(a) == load_u32(b) && load_u32(a + n - 4) == load_u32(b + n - 4);
    return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

static inline bool str_eq(Str a, Str b)
{
    return a.n == b.n && bytes_eq(a.p, b.p, a.n);
}

static inline bool str_starts(Str s, Str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(Str s, Str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

/* The bytes [from, to) of s; the range must lie in s. */
static inline Str str_sub(Str s, size_t from, size_t to)
{
    ENSURE(from <= to && to <= s.n);
    return (Str){ .p = s.n ? s.p + from : NULL, .n = to - from };
}

/* Of a NUL-terminated string, without the NUL. Borrows. */
static inline Str str_of(const char *c)
{
    return (Str){ .p = c, .n = c ? strlen(c) : 0 };
}

/* Bytewise order, shorter first on a tie: <0, 0, >0. */
/* ASCII only: what is no capital letter stays as it is. */
static inline char char_lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

/* The byte at i, and NUL behind the end: for looking ahead in text where a NUL is nothing special.
 */
static inline char str_byte(Str s, size_t i)
{
    if (i < s.n)
        return s.p[i];
    return '\0';
}

int str_cmp(Str a, Str b);

bool str_contains(Str s, Str needle);

/* ASCII letters compare equal in either case; other bytes must be identical. */
bool str_eq_nocase(Str a, Str b);

/* Splits s at the first sep: returns what precedes it and leaves the rest in *s. */
Str str_cut(Str *s, char sep);

/* Without spaces and tabs at both ends (the OWS of RFC 9110). */
Str str_trim(Str s);

/* Digits only, no sign, no leading zeros but "0"; false on anything else or past max. */
MUST_USE bool str_to_u64(Str s, uint64_t max, uint64_t *out);

/* True when s is well-formed UTF-8: no overlong form, no surrogate, nothing past U+10FFFF. */
bool utf8_is_valid(Str s);

/* Code points in s, which must be valid UTF-8. */
size_t utf8_length(Str s);

/* Edit distance (insert, delete, replace, swap) capped at max: for "did you mean". */
size_t str_distance(Str a, Str b, size_t max);

#endif
