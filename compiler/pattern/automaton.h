/* SPDX-License-Identifier: Apache-2.0 */
/* automaton.h - patterns to deterministic automata, at compile time.
 *
 * A pattern always matches the whole string; only well-formed UTF-8 ever matches. What a dialect
 * might read in another way is an error that names the feature, never another meaning.
 *
 * Regular expressions: "." is any code point but LF; classes [a-z] [^a-z]; \d \w \s and \D \W \S
 * (ASCII; \s is HT, LF, VT, FF, CR, space); groups (...) and (?:...); "|"; "* + ? {m} {m,} {m,n}"
 * up to 1,000; escapes \n \t \r \f \xHH (a code point, not a byte) \u{...} and quoted
 * punctuation; (?i) at the very start folds ASCII letters. No captures, anchors, back-references,
 * look-around, lazy or possessive repeats.
 * Globs: "*" any run without "/", "**" any run (no more: "a/" "**" "/b" does not match "a/b"), "?"
 * one code point but "/", classes [a-z] [!a-z] that never match "/", "{a,b}" alternatives, "\"
 * quotes punctuation. A leading dot is like any other character.
 * Tool globs have no "/" rule: "*" is any run (AUTOMATON_TOOL).
 */
#ifndef COMPILER_PATTERN_AUTOMATON_H
#define COMPILER_PATTERN_AUTOMATON_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/base/str.h"

enum {
    AUTOMATON_STATES_MAX = 4096,    /* of one deterministic automaton, after minimisation */
    AUTOMATON_POSITIONS_MAX = 4096, /* of the expression with repeats expanded */
    AUTOMATON_NESTING_MAX = 64,
    AUTOMATON_REPEAT_MAX = 1000,
    AUTOMATON_TABLE_BYTES_MAX = 256 * 1024,
};

enum automaton_syntax { AUTOMATON_REGEX, AUTOMATON_GLOB, AUTOMATON_TOOL };

struct automaton_error {
    const char *text; /* what is wrong, without a full stop */
    size_t lo, hi;    /* the bytes of the pattern it is about */
    uint32_t pattern; /* which pattern of several */
};

/* Complete: every state has a transition for every class. Canonical: states are numbered in the
 * order of a breadth-first walk over classes in order, classes in the order of the smallest byte
 * in them, so that equal languages give equal tables. State 0 is the start. */
struct automaton {
    uint16_t state_count, class_count;
    uint8_t classes[256];
    const uint16_t *next;   /* state * class_count + class */
    const uint16_t *accept; /* per state: 0 no match, else index into accept_sets, from 1 */
    uint16_t accept_count;  /* the largest accept id; ids are in the order of the states */
    /* Which of the patterns match, as bits, in words of 64, accept_words a set, accept_count + 1
     * sets by accept id; accept_sets[0 .. accept_words) is the empty set. */
    const uint64_t *accept_sets;
    uint32_t accept_words;
};

/* One automaton for count patterns at once. Memory comes from mem; scratch is freed inside.
 * ST_INVALID (syntax) or ST_LIMIT (too large): *error says where; for an automaton that is too
 * large, which pattern, and which counted repeat of it, take the most. Time and memory are bounded
 * while it is built (dfa.h, nfa.h), by counting and not by a clock. */
MUST_USE enum status automaton_build(const Str *patterns, uint32_t count,
                                     enum automaton_syntax syntax, struct arena *mem,
                                     struct automaton *out, struct automaton_error *error);

/* The same when it does not matter which of the patterns matches: accept id 1 stands for all. */
MUST_USE enum status automaton_build_union(const Str *patterns, uint32_t count,
                                           enum automaton_syntax syntax, struct arena *mem,
                                           struct automaton *out, struct automaton_error *error);

/* The accept id for text, 0 for no match. For tests and the compiler itself. */
uint16_t automaton_run(const struct automaton *automaton, Str text);

/* True when a tool pattern has a glob character, so is more than a name. */
bool pattern_is_glob(Str pattern);

#endif
