/* SPDX-License-Identifier: Apache-2.0 */
/* nfa.h - trees of patterns to one nondeterministic automaton over bytes.
 *
 * States are of three kinds: a fork without input, the end of one pattern, and a step inside a
 * class. The bytes of a class are a small acyclic graph (its nodes, its arcs), made once and
 * shared by all positions with that class; a position is a row of states, one per node, that
 * differ from those of another position in base and out alone.
 * Everything lives in the arena given to nfa_init. Limits are met while the automaton grows.
 */
#ifndef COMPILER_PATTERN_NFA_H
#define COMPILER_PATTERN_NFA_H

#include "compiler/pattern/pattern.h"

enum {
    NFA_STATES_MAX = 256 * 1024, /* of all patterns */
    NFA_NODES_MAX = 64 * 1024,   /* of all classes */
    NFA_ARC_END = 0xFFFF,        /* an arc that completes the class */
    NFA_CLASS_BUCKETS = 256,
};

struct nfa_arc {
    uint8_t lo, hi; /* bytes, both included */
    uint16_t to;    /* a node of the same class, from 0, or NFA_ARC_END */
};

struct nfa_node {
    uint32_t first_arc, arc_count; /* arcs of a node are ascending and apart */
};

struct nfa_class {
    const struct code_set *set;
    uint32_t first_node, node_count; /* the last node is where the class begins */
    uint32_t next_in_bucket;         /* 1 + a class, 0 at the end */
};

enum nfa_kind {
    NFA_FORK, /* to out and to base, without input */
    NFA_STEP, /* an arc of node: to state base + arc.to, or to out */
    NFA_END,  /* the pattern has matched */
};

struct nfa_state {
    enum nfa_kind kind;
    uint32_t node, base, out;
    uint32_t pattern;
    struct pattern_node *repeat; /* the innermost counted repeat around it, NULL for none */
};

struct nfa {
    struct arena *mem;
    struct nfa_state *states;
    struct nfa_class *classes;
    struct nfa_node *nodes;
    struct nfa_arc *arcs;
    uint32_t state_count, class_count, node_count, arc_count;
    uint32_t state_room, class_room, node_room, arc_room;
    uint32_t buckets[NFA_CLASS_BUCKETS]; /* 1 + a class */
    uint32_t start;                      /* valid when pattern_count > 0 */
    uint32_t pattern_count;
    struct pattern_node *repeat; /* while building: the innermost counted repeat */
    bool is_union;               /* set by the caller: it does not matter which pattern matches */
    /* Set by the caller: texts will be valid UTF-8. Any number of times a class with every code
     * point past ASCII is then any number of its bytes: one state instead of fifteen. */
    bool is_loose;
};

void nfa_init(struct nfa *nfa, struct arena *mem);

/* Adds the next pattern as one more alternative. False when a limit is met: the nfa is then of no
 * more use. Recurses as deep as the tree, which AUTOMATON_NESTING_MAX bounds. */
MUST_USE bool nfa_add(struct nfa *nfa, struct pattern_node *tree);

#endif
