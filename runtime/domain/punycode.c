/* SPDX-License-Identifier: Apache-2.0 */
/* punycode.c - RFC 3492, section 6.2, without putting the code points into their places: their
 * values and number suffice to know that every decoder accepts the label. Each delta has exactly
 * one spelling (the last digit is below the threshold, the others are not), so nothing needs to be
 * encoded again to prove that the label is the canonical one. */
#include "runtime/domain/punycode.h"

#include "runtime/domain/certain.h"

enum {
    BASE = 36,
    T_MIN = 1,
    T_MAX = 26,
    SKEW = 38,
    DAMP = 700,
    BIAS_FIRST = 72,
    POINT_FIRST = 0x80,
    PUNYCODE_BYTES_MAX = 59, /* a label without "xn--" */
};

static int digit_value(char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    return c >= '0' && c <= '9' ? c - '0' + 26 : -1;
}

static uint32_t adapt(uint32_t delta, uint32_t points, bool is_first)
{
    uint32_t k = 0;
    delta = is_first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* One delta from text[*at]; false when it is cut short or passes 32 bits. */
static bool read_delta(Str text, size_t *at, uint32_t bias, uint32_t *delta)
{
    uint64_t value = 0, weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        int digit = *at < text.n ? digit_value(text.p[*at]) : -1;
        uint32_t threshold = k <= bias + T_MIN ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        if (digit < 0)
            return false;
        (*at)++;
        value += (uint64_t)digit * weight;
        if (value > UINT32_MAX)
            return false;
        *delta = (uint32_t)value;
        if ((uint32_t)digit < threshold)
            return true;
        weight *= BASE - threshold;
        if (weight > UINT32_MAX)
            return false;
    }
}

bool punycode_is_valid(Str text)
{
    if (text.n == 0 || text.n > PUNYCODE_BYTES_MAX)
        return false;
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != '-')
        at--;
    if (at == 1)
        return false; /* a hyphen with nothing before it parts nothing */
    uint32_t points = at > 0 ? (uint32_t)at - 1 : 0; /* the plain ones, before the last hyphen */
    uint32_t bias = BIAS_FIRST, point = POINT_FIRST, place = 0, delta = 0;
    for (bool is_first = true; at < text.n || is_first; is_first = false) {
        if (!read_delta(text, &at, bias, &delta))
            return false;
        points++;
        bias = adapt(delta, points, is_first);
        uint64_t sum = (uint64_t)place + delta, up = sum / points;
        if (up > 0x10FFFF || !code_point_is_certain(point + (uint32_t)up))
            return false;
        point += (uint32_t)up;
        place = (uint32_t)(sum % points) + 1;
    }
    return true;
}
