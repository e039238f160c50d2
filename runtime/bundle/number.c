/* SPDX-License-Identifier: Apache-2.0 */
/* number.c - decimal literals compared digit by digit. No conversion to a machine number happens,
 * so there is no precision to lose and no overflow but of the exponent, which is refused. */
#include "runtime/bundle/number.h"

#include <stdio.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_from(Str text, size_t at)
{
    while (at < text.n && is_digit(text.p[at]))
        at++;
    return at;
}

/* Reads [eE][+-]digits at text[at..]; false unless that is all there is. */
static bool read_exponent(Str text, size_t at, int32_t *exponent)
{
    *exponent = 0;
    if (at == text.n)
        return true;
    if (text.p[at] != 'e' && text.p[at] != 'E')
        return false;
    at++;
    bool is_negative = at < text.n && text.p[at] == '-';
    if (at < text.n && (text.p[at] == '-' || text.p[at] == '+'))
        at++;
    if (at == text.n || digits_from(text, at) != text.n)
        return false;
    int32_t value = 0;
    for (; at < text.n; at++) {
        value = value * 10 + (text.p[at] - '0');
        if (value > NUMBER_EXPONENT_MAX)
            return false;
    }
    *exponent = is_negative ? -value : value;
    return true;
}

/* Narrows text[lo, hi), digits with at most one point, to the significant digits. */
static void trim_zeros(Str text, size_t *lo, size_t *hi)
{
    while (*lo < *hi && (text.p[*lo] == '0' || text.p[*lo] == '.'))
        (*lo)++;
    while (*hi > *lo && (text.p[*hi - 1] == '0' || text.p[*hi - 1] == '.'))
        (*hi)--;
}

bool number_parse(Str text, struct number *out)
{
    if (text.n > INT32_MAX / 2)
        return false;
    size_t start = text.n && text.p[0] == '-';
    size_t whole_end = digits_from(text, start);
    if (whole_end == start || (text.p[start] == '0' && whole_end > start + 1))
        return false;
    size_t end = whole_end;
    if (end < text.n && text.p[end] == '.') {
        end = digits_from(text, whole_end + 1);
        if (end == whole_end + 1)
            return false;
    }
    int32_t exponent;
    if (!read_exponent(text, end, &exponent))
        return false;
    size_t lo = start, hi = end;
    trim_zeros(text, &lo, &hi);
    if (lo == hi) {
        *out = (struct number){ .digits = { .p = NULL, .n = 0 } };
        return true;
    }
    bool has_point = lo < whole_end && hi > whole_end;
    /* Digits between the first significant one and the point; negative for zeros behind it. */
    int32_t before_point =
        lo < whole_end ? (int32_t)(whole_end - lo) : -(int32_t)(lo - whole_end - 1);
    *out = (struct number){ .digits = str_sub(text, lo, hi),
                            .count = (uint32_t)(hi - lo - has_point),
                            .top = before_point + exponent,
                            .is_negative = start == 1 };
    return true;
}

/* The digit at *at, which is advanced over it and over the point. */
static char next_digit(Str digits, size_t *at)
{
    if (digits.p[*at] == '.')
        (*at)++;
    return digits.p[(*at)++];
}

static int magnitude_cmp(const struct number *a, const struct number *b)
{
    if (a->top != b->top)
        return a->top < b->top ? -1 : 1;
    size_t at_a = 0, at_b = 0;
    uint32_t common = a->count < b->count ? a->count : b->count;
    for (uint32_t i = 0; i < common; i++) {
        char x = next_digit(a->digits, &at_a), y = next_digit(b->digits, &at_b);
        if (x != y)
            return x < y ? -1 : 1;
    }
    /* Trailing zeros are gone, so what is longer is greater. */
    return a->count < b->count ? -1 : a->count > b->count;
}

static int number_sign(const struct number *number)
{
    return number->count == 0 ? 0 : number->is_negative ? -1 : 1;
}

int number_cmp(const struct number *a, const struct number *b)
{
    int sign_a = number_sign(a), sign_b = number_sign(b);
    if (sign_a != sign_b)
        return sign_a < sign_b ? -1 : 1;
    if (sign_a == 0)
        return 0;
    return sign_a * magnitude_cmp(a, b);
}

size_t number_canonical(const struct number *number, char *out, size_t room)
{
    ENSURE(room >= (size_t)number->count + 24);
    size_t n = 0, at = 0;
    if (number->count == 0) {
        out[n++] = '0';
        return n;
    }
    if (number->is_negative)
        out[n++] = '-';
    for (uint32_t i = 0; i < number->count; i++)
        out[n++] = next_digit(number->digits, &at);
    int64_t exponent = (int64_t)number->top - number->count;
    if (exponent != 0)
        n += (size_t)snprintf(out + n, room - n, "e%lld", (long long)exponent);
    return n;
}
