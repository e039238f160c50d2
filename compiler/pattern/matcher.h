/* SPDX-License-Identifier: Apache-2.0 */
/* matcher.h - the cheapest way to match patterns that keeps its bounds.
 *
 *   plain texts                     a comparison, or a set of texts
 *   text**, **text, **text**        a comparison at the start, at the end, a search
 *   several with a word inside      all words at once (words.h)
 *   anything else                   one minimal automaton (automaton.h)
 *   where that is too large         positions as bits (bit_nfa.h), for all or for each by itself
 *
 * "**" stands for any run in either syntax; with runs that leave out one ASCII byte, as the "*" of
 * globs does, words are still looked for together. A pattern matches when one matcher of the list
 * does.
 */
#ifndef COMPILER_PATTERN_MATCHER_H
#define COMPILER_PATTERN_MATCHER_H

#include "compiler/pattern/bit_nfa.h"
#include "compiler/pattern/words.h"

enum matcher_kind {
    MATCHER_EQUAL,    /* texts[0] */
    MATCHER_STARTS,   /* with texts[0] */
    MATCHER_ENDS,     /* with texts[0] */
    MATCHER_CONTAINS, /* texts[0] */
    MATCHER_SET,      /* one of texts */
    MATCHER_WORDS,    /* trie, forbidden */
    MATCHER_DFA,      /* dfa */
    MATCHER_NFA,      /* nfa */
};

struct matcher {
    enum matcher_kind kind;
    const Str *texts;
    uint32_t text_count;
    uint32_t forbidden; /* a byte, or B_TRIE_NO_BYTE */
    struct trie trie;
    struct automaton dfa;
    struct bit_nfa nfa;
};

struct matchers {
    struct matcher *items;
    uint32_t count, room;
};

/* Memory comes from mem. ST_INVALID, ST_LIMIT: *error as of automaton_build; for a limit its text
 * is in mem and says the positions too, and quotes the part of the pattern that takes the most. */
MUST_USE enum status matchers_build(const Str *patterns, uint32_t count,
                                    enum automaton_syntax syntax, struct arena *mem,
                                    struct matchers *out, struct automaton_error *error);

#endif
