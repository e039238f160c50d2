/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.c - 128-bit intermediates hold every sum and product of two 18-digit numbers at one
 * scale, so a result is either exact or refused. */
#include "runtime/bundle/decimal.h"

#include <stdio.h>

__extension__ typedef __int128 Wide;

static const int64_t powers[] = {
    // clang-format off
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
    100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
    10000000000000000, 100000000000000000, 1000000000000000000,
    // clang-format on
};

/* Drops zeros at the end of the fraction; false when it still has too many digits. */
static bool settle(Wide mantissa, uint32_t scale, Decimal *out)
{
    while (scale > 0 && mantissa % 10 == 0) {
        mantissa /= 10;
        scale--;
    }
    Wide limit = powers[DECIMAL_DIGITS_MAX];
    if (mantissa >= limit || mantissa <= -limit || scale > DECIMAL_DIGITS_MAX)
        return false;
    *out = (Decimal){ .mantissa = (int64_t)mantissa, .scale = scale };
    return true;
}

bool decimal_of(const struct number *number, Decimal *out)
{
    int32_t exponent = number->top - (int32_t)number->count; /* of the last digit */
    int64_t mantissa = 0;
    if (number->count > DECIMAL_DIGITS_MAX || number->top > DECIMAL_DIGITS_MAX ||
        exponent < -DECIMAL_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < number->digits.n; i++) {
        if (number->digits.p[i] != '.')
            mantissa = mantissa * 10 + (number->digits.p[i] - '0');
    }
    if (exponent > 0)
        mantissa *= powers[exponent];
    return settle(number->is_negative ? -mantissa : mantissa,
                  exponent < 0 ? (uint32_t)-exponent : 0, out);
}

bool decimal_add(Decimal a, Decimal b, Decimal *out)
{
    uint32_t scale = a.scale > b.scale ? a.scale : b.scale;
    Wide x = (Wide)a.mantissa * powers[scale - a.scale];
    Wide y = (Wide)b.mantissa * powers[scale - b.scale];
    return settle(x + y, scale, out);
}

bool decimal_mul(Decimal a, Decimal b, Decimal *out)
{
    return settle((Wide)a.mantissa * b.mantissa, a.scale + b.scale, out);
}

int decimal_cmp(Decimal a, Decimal b)
{
    uint32_t scale = a.scale > b.scale ? a.scale : b.scale;
    Wide x = (Wide)a.mantissa * powers[scale - a.scale];
    Wide y = (Wide)b.mantissa * powers[scale - b.scale];
    return (x > y) - (x < y);
}

size_t decimal_write(Decimal value, char *out, size_t room)
{
    ENSURE(room >= DECIMAL_TEXT_BYTES);
    int64_t whole = value.mantissa / powers[value.scale];
    int64_t rest = value.mantissa % powers[value.scale];
    const char *sign = value.mantissa < 0 ? "-" : "";
    int n = value.scale == 0 ? snprintf(out, room, "%lld", (long long)whole)
                             : snprintf(out, room, "%s%lld.%0*lld", sign,
                                        (long long)(whole < 0 ? -whole : whole), (int)value.scale,
                                        (long long)(rest < 0 ? -rest : rest));
    return (size_t)n;
}
