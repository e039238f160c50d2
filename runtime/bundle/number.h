/* SPDX-License-Identifier: Apache-2.0 */
/* number.h - numbers as exact decimals, never as doubles.
 *
 * A number is what RFC 8259 writes: digits, fraction, exponent. Canonical form: an integer
 * mantissa without trailing zeros and a power of ten, "0" for every zero; two literals denote the
 * same number exactly if their canonical forms are the same bytes. Comparison works on the text,
 * in time linear in its length, whatever the exponent; exponents beyond +-1,000,000 are refused.
 */
#ifndef RUNTIME_BUNDLE_NUMBER_H
#define RUNTIME_BUNDLE_NUMBER_H

#include "runtime/base/str.h"

enum { NUMBER_EXPONENT_MAX = 1000000 };

/* A parsed view on a literal: value = sign * digits * 10^exponent, where digits is text[lo, hi)
 * with a '.' possibly inside, without leading and trailing zeros. is_zero: nothing else counts. */
struct number {
    Str digits;       /* significant digits, may hold one '.' */
    uint32_t count;   /* how many digits, the point not counted; 0 for zero */
    int32_t top;      /* power of ten just above the first digit: 10^(top-1) <= |value| < 10^top */
    bool is_negative; /* never for zero */
};

/* False when the text is no RFC 8259 number or its exponent is too large. */
MUST_USE bool number_parse(Str text, struct number *out);

/* <0, 0, >0. Exact. */
int number_cmp(const struct number *a, const struct number *b);

/* Writes the canonical form ("-125e-2", "0", "7e3") and returns its length; room must be at least
 * the literal's length + 24. */
size_t number_canonical(const struct number *number, char *out, size_t room);

#endif
