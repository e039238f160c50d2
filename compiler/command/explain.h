/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - why a call has its verdict, and what would change it.
 *
 * Works on a bundle alone. What it proposes has been tried: the rules are run again with the
 * conditions changed as it says, and a proposal that does not change the verdict is not made. It
 * speaks of conditions, and does not ask whether a call exists that has them so.
 */
#ifndef COMPILER_COMMAND_EXPLAIN_H
#define COMPILER_COMMAND_EXPLAIN_H

#include "runtime/vm/vm.h"

enum {
    EXPLAIN_RULES_MAX = 200, /* rules shown in full; more: those that the second key leaves */
    EXPLAIN_WAYS_MAX = 5,    /* proposals */
};

/* A condition that would have to be otherwise. */
struct flip {
    uint32_t atom;
    enum b_truth wanted; /* B_TRUE or B_FALSE */
    uint32_t rule;       /* for whose sake */
};

/* One way to the other verdict: the rule that would act (B_NONE: none may), and what it takes. */
struct way {
    uint32_t rule;
    struct flip *flips;
    uint32_t count;
};

struct explained_rule {
    uint32_t rule;
    bool acts;
};

struct explanation {
    const struct program *program;
    struct decision decision;
    struct vm_explanation shape;
    struct explained_rule *rules;
    uint32_t rule_count, rule_room;
    uint8_t *truths;   /* per atom that a shown rule has: enum b_truth */
    uint8_t *unknowns; /* per atom: enum vm_unknown */
    struct way ways[EXPLAIN_WAYS_MAX];
    uint32_t way_count;
    struct arena *mem;
    bool is_spent;
    bool is_rewritten; /* of the arguments as rewritten: what was sent was allowed */
};

/* Judges the call. Everything lies in mem. False without memory. */
MUST_USE bool explain_call(struct vm *vm, const struct vm_call *call, struct arena *mem,
                           struct explanation *out);

/* Rules and ways, for people and for machines (without the braces of the object). */
void explain_print(const struct explanation *explanation, struct buf *out);
void explain_json(const struct explanation *explanation, struct buf *out);
/* Which list of rules the call leads to. */
void explain_plan(const struct explanation *explanation, const struct vm_call *call,
                  struct buf *out);

#endif
