/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - is there a call for which these rules act and those do not?
 *
 * A variable is a field (or fields that one condition reads together) with the values that space.h
 * made, told apart by the truths of the conditions. Searching narrows the values of one variable by
 * one condition at a time, and drops what can't lead to a call any more. There are two ways to
 * look: by witnesses, where every value is real; and by possibilities, where a condition that
 * values can't be found for is free to be anything. What the second one can't find, is not there.
 */
#ifndef COMPILER_PROVE_SEARCH_H
#define COMPILER_PROVE_SEARCH_H

#include "compiler/prove/space.h"

enum {
    SEARCH_STEPS_MAX = 200000, /* for one direction of one tool */
    SEARCH_REFINE_MAX = 4000,  /* of them, to find a shorter call than the first */
    SEARCH_DEPTH_MAX = 600,    /* values narrowed one after the other */
};

struct goal { /* a rule of the model, and whether it must act */
    uint32_t rule;
    bool acts;
};

struct variable {
    struct field **fields;
    uint32_t field_count;
    struct atom_row atoms; /* told apart by it */
    uint32_t count, words; /* values; words of a bit row */
    Str *values;           /* field_count each */
    uint32_t *costs;       /* bytes that the value takes in the call */
    uint8_t *refused;      /* a bit per side: the pinned shape refuses the value */
    uint64_t *bits;        /* of atom i, truth 1 << t: row i * 3 + t */
    uint64_t *alive;
    bool is_complete;
    bool is_term; /* of a computed value, for what is possible: no fields */
};

struct search {
    struct space *space;
    struct variable *variables;
    uint32_t variable_count;
    uint32_t *variable_of, *local_of; /* by index of a condition; B_NONE: it is free */
    uint8_t *masks;                   /* of free conditions: enum b_truth that are left */
    uint8_t *fixed; /* of conditions that read no field: their truth; else B_MAYBE */
    const struct goal *goals;
    uint32_t goal_count;
    uint32_t steps, limit;
    bool is_cut;      /* the limit ended it: nothing is proved */
    bool finds_first; /* any solution will do */
    uint64_t best;    /* cost of the best call so far; UINT64_MAX: none */
    uint32_t *chosen; /* its value of each variable */
    uint64_t *pool;   /* SEARCH_DEPTH_MAX rows */
    uint32_t pool_words;
    uint32_t blamed; /* a free condition that a possibility rests on, or B_NONE */
};

/* Makes the variables. False: memory ended. */
MUST_USE bool search_open(struct space *space, bool by_witness, struct search *out);
/* Adds variables for the terms that conditions test; false: memory ended. Private to search_open.
 */
MUST_USE bool search_add_terms(struct search *search);
bool search_is_complete(const struct search *search);
/* Makes all values possible again that the side's pinned shape takes. */
void search_reset(struct search *search, uint32_t side);
/* Looks for a solution that is better than search->best. */
void search_run(struct search *search, const struct goal *goals, uint32_t count);

#endif
