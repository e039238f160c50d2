/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - the verifier's face towards the loader; nobody else calls it. */
#ifndef RUNTIME_BUNDLE_VERIFY_H
#define RUNTIME_BUNDLE_VERIFY_H

#include "runtime/bundle/program.h"

/* Proves that the program, whose sections lie inside the file, is safe to run: every index in
 * range, every text UTF-8, registers written before they are read, jumps forward and inside, tables
 * that end every search, automata that never leave their states, and a stored cost that equals
 * the one recomputed here. False with *error filled otherwise. */
bool program_verify(const struct program *program, struct bundle_error *error);

/* The part about instructions (verify_code.c) and about costs (cost.c). */
bool verify_code(const struct program *program, struct bundle_error *error);
bool verify_cost(const struct program *program, struct bundle_error *error);

/* The part about words and positions (verify_match.c). */
bool verify_matchers(const struct program *program, struct bundle_error *error);

/* Fills error; returns false for the caller to return. */
bool verify_fail(struct bundle_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* [first, first + count) lies in [0, total). */
static inline bool verify_range(uint64_t first, uint64_t count, uint64_t total)
{
    return count <= total && first <= total - count;
}

/* The same for what must begin where the one before ended, and takes it. */
static inline bool verify_next(uint64_t *next, uint64_t first, uint64_t count, uint64_t total)
{
    if (first != *next || !verify_range(first, count, total))
        return false;
    *next += count;
    return true;
}

bool verify_text(const struct program *program, struct b_text text, uint32_t max);

#endif
