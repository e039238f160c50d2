/* SPDX-License-Identifier: Apache-2.0 */
/* dfa.h - deterministic automata while they are made: subset construction and minimisation.
 *
 * Both are bounded while they run, by states and by steps, never by a clock: the same patterns are
 * refused on every machine. Everything lives in the arenas given.
 */
#ifndef COMPILER_PATTERN_DFA_H
#define COMPILER_PATTERN_DFA_H

#include "compiler/pattern/nfa.h"

enum {
    DFA_SUBSETS_MAX = 16 * 1024,      /* states before minimisation */
    DFA_STEPS_MAX = 64 * 1024 * 1024, /* states of the nfa looked at, some tenths of a second */
    DFA_BYTES = 256,
};

/* The states of the nfa that a deterministic state stands for: NFA_STEP and NFA_END only. */
struct dfa_subset {
    const uint32_t *items;
    uint32_t count, hash;
};

struct dfa {
    uint32_t state_count, class_count; /* state 0 is the start; all states can be reached */
    uint8_t classes[DFA_BYTES];        /* numbered in the order of the smallest byte in them */
    uint16_t *next;                    /* state * class_count + class */
    uint32_t *accept;                  /* per state, 0 for none */
    uint64_t *accept_sets;             /* accept_words each; set 0 is empty; all differ */
    uint32_t accept_count, accept_words;
    struct dfa_subset *subsets; /* per state, for dfa_blame */
};

/* Subset construction. NULL on success, else which limit was met, as an error's text; subsets and
 * state_count are then what there was until then. */
MUST_USE const char *dfa_build(const struct nfa *nfa, struct arena *mem, struct dfa *out);

/* The pattern that takes part in most subsets, and its counted repeat that does: whom to name when
 * the automaton is too large. *repeat is NULL when no counted repeat takes part. */
uint32_t dfa_blame(const struct nfa *nfa, const struct dfa *dfa, struct arena *mem,
                   const struct pattern_node **repeat);

/* Puts states that no text can tell apart into one block: (*block_of)[state], from 0. False when
 * mem is spent. O(states * classes * log states). */
MUST_USE bool dfa_minimise(const struct dfa *dfa, struct arena *mem, uint32_t **block_of,
                           uint32_t *block_count);

#endif
