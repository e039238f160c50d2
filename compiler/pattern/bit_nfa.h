/* SPDX-License-Identifier: Apache-2.0 */
/* bit_nfa.h - patterns as sets of positions (Glushkov, 1961), as the bundle holds them.
 *
 * A position is a way to consume one byte: a step of the nfa and the state that it leads to. The
 * nfa is made loose (nfa.h), so whoever walks the masks must see first that a text is UTF-8.
 */
#ifndef COMPILER_PATTERN_BIT_NFA_H
#define COMPILER_PATTERN_BIT_NFA_H

#include "compiler/pattern/automaton.h"
#include "runtime/bundle/format.h"

struct bit_nfa {
    struct b_nfa head; /* classes and masks are the emitter's to fill in */
    uint8_t classes[256];
    uint64_t *masks; /* in the order of the file format */
    size_t mask_words;
};

/* One of the patterns must match. ST_INVALID: a pattern can't be read (*error). ST_LIMIT: it has
 * *positions positions, more than B_NFA_POSITIONS_MAX (or UINT32_MAX: past counting), or mem is
 * spent. */
MUST_USE enum status bit_nfa_build(const Str *patterns, uint32_t count,
                                   enum automaton_syntax syntax, struct arena *mem,
                                   struct bit_nfa *out, uint32_t *positions);

#endif
