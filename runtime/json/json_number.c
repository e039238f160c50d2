/* SPDX-License-Identifier: Apache-2.0 */
/* json_number.c - what another reader will make of a number.
 *
 * Most readers turn a number into an IEEE double, so a literal that becomes infinity or a false
 * zero is refused and one that loses digits is marked. The judgement is made on the decimal
 * digits; only the one decade around each end of the range needs a conversion, which strtod
 * does on a rewritten literal (no point, bounded length), so neither the locale nor the
 * length of the input has a say.
 */
#include "runtime/json/json_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DIGITS_EXACT = 15,      /* DBL_DIG: so many digits survive in any normal double */
    DIGITS_HEAD = 16,       /* digits of 2^53-1 */
    DIGITS_RANGE = 800,     /* more than the 752 digits of half the smallest double */
    EXPONENT_MAX = 309,     /* the largest double is 0.1797...e309 */
    EXPONENT_MIN = -323,    /* half the smallest double is 0.2470...e-323 */
    EXPONENT_NORMAL = -306, /* from 0.1e-306 on all doubles are normal */
};

static const uint64_t integer_safe_max = 9007199254740991; /* 2^53-1 */
static const int64_t exponent_cap = 10000000000;           /* past any text's length */

/* The value is 0.d1d2d3... * 10^exponent with d1 != 0, sign aside. */
struct decimal {
    int64_t exponent;
    size_t digits;   /* from d1 to the last digit that is not 0; 0 for zero */
    uint64_t head;   /* the first DIGITS_HEAD digits, filled up with 0 */
    bool is_integer; /* neither fraction nor exponent was written */
};

static bool is_exponent_mark(char c)
{
    return c == 'e' || c == 'E';
}

/* Of what follows the mark. Saturates. */
static int64_t read_exponent(Str s)
{
    bool is_negative = str_starts(s, STR("-"));
    int64_t value = 0;
    for (size_t i = is_negative || str_starts(s, STR("+")); i < s.n; i++) {
        if (value < exponent_cap)
            value = value * 10 + (s.p[i] - '0');
    }
    value = value < exponent_cap ? value : exponent_cap;
    return is_negative ? -value : value;
}

static struct decimal read_decimal(Str literal)
{
    struct decimal d = { .is_integer = true };
    size_t i = literal.p[0] == '-', n = 0, head_n = 0;
    bool is_fraction = false;
    for (; i < literal.n && !is_exponent_mark(literal.p[i]); i++) {
        char c = literal.p[i];
        if (c == '.') {
            is_fraction = true;
            continue;
        }
        if (n == 0 && c == '0') {
            d.exponent -= is_fraction;
            continue;
        }
        n++;
        d.exponent += !is_fraction;
        d.digits = c != '0' ? n : d.digits;
        if (head_n < DIGITS_HEAD) {
            d.head = d.head * 10 + (uint64_t)(c - '0');
            head_n++;
        }
    }
    for (; head_n < DIGITS_HEAD; head_n++)
        d.head *= 10;
    d.is_integer = !is_fraction && i == literal.n;
    if (i < literal.n)
        d.exponent += read_exponent(str_sub(literal, i + 1, literal.n));
    return d;
}

/* True when the nearest double is neither infinite nor zero, for a literal in the decades of the
 * range's ends. Digits that cannot be kept count as one behind the others: that keeps the
 * literal on its side of the rounding limit. */
static bool is_held_by_double(Str literal, int64_t exponent)
{
    char text[DIGITS_RANGE + 32];
    size_t n = 0;
    for (size_t i = literal.p[0] == '-'; i < literal.n && !is_exponent_mark(literal.p[i]); i++) {
        char c = literal.p[i];
        if (c == '.' || (n == 0 && c == '0'))
            continue;
        if (n < DIGITS_RANGE)
            text[n++] = c;
        else if (c != '0' && n == DIGITS_RANGE)
            text[n++] = '1';
    }
    (void)snprintf(text + n, sizeof text - n, "e%d", (int)(exponent - (int64_t)n));
    double value = strtod(text, NULL);
    return isfinite(value) && value > 0;
}

static bool is_unsafe(const struct decimal *d)
{
    if (d->exponent > DIGITS_HEAD || d->exponent < EXPONENT_NORMAL)
        return true;
    if (d->exponent == DIGITS_HEAD &&
        (d->head > integer_safe_max || (d->head == integer_safe_max && d->digits > DIGITS_HEAD)))
        return true;
    return !d->is_integer && d->digits > DIGITS_EXACT;
}

enum json_error json_number_flags(Str literal, uint8_t *flags)
{
    struct decimal d = read_decimal(literal);
    unsigned found = d.is_integer ? JSON_INTEGER : 0;
    if (d.digits > 0) {
        bool is_edge = d.exponent == EXPONENT_MAX || d.exponent == EXPONENT_MIN;
        if (d.exponent > EXPONENT_MAX || d.exponent < EXPONENT_MIN)
            return JSON_ERR_NUMBER_RANGE;
        if (is_edge && !is_held_by_double(literal, d.exponent))
            return JSON_ERR_NUMBER_RANGE;
        found |= is_unsafe(&d) ? JSON_UNSAFE_NUMBER : 0;
    }
    *flags = (uint8_t)found;
    return JSON_ERR_NONE;
}
