/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.h - exact arithmetic on short decimals: at most 18 digits, as many of them behind the
 * point as there are. What does not fit is refused, never rounded. */
#ifndef RUNTIME_BUNDLE_DECIMAL_H
#define RUNTIME_BUNDLE_DECIMAL_H

#include "runtime/bundle/number.h"

enum { DECIMAL_DIGITS_MAX = 18, DECIMAL_TEXT_BYTES = 24 };

typedef struct {
    int64_t mantissa; /* at most 18 digits */
    uint32_t scale;   /* value = mantissa / 10^scale, at most 18; 0 for zero; least possible */
} Decimal;

/* False: more than 18 digits, or a power of ten past 10^18 either way. */
MUST_USE bool decimal_of(const struct number *number, Decimal *out);
MUST_USE bool decimal_add(Decimal a, Decimal b, Decimal *out);
MUST_USE bool decimal_mul(Decimal a, Decimal b, Decimal *out);
/* <0, 0, >0. Exact. */
int decimal_cmp(Decimal a, Decimal b);
/* Writes it as a JSON number and returns the length; room is at least DECIMAL_TEXT_BYTES. */
size_t decimal_write(Decimal value, char *out, size_t room);

#endif
