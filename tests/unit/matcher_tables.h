/* SPDX-License-Identifier: Apache-2.0 */
/* matcher_tables.h - a program of nothing but one matcher's tables, so that tests walk them as the
 * runtime does: through the verifier, by the code that judges calls. */
#ifndef TESTS_UNIT_MATCHER_TABLES_H
#define TESTS_UNIT_MATCHER_TABLES_H

#include "compiler/pattern/matcher.h"
#include "runtime/bundle/program.h"
#include "runtime/bundle/verify.h"

/* The program points into this and into the matcher: neither is moved while it is used. */
struct tables {
    struct program program;
    struct b_nfa nfa;
    struct b_trie trie;
    struct bundle_error error;
};

/* Both are false, with error.text filled, when the verifier refuses the tables. */
static inline bool tables_of_nfa(struct tables *tables, const struct bit_nfa *nfa)
{
    *tables = (struct tables){ .nfa = nfa->head };
    struct program *p = &tables->program;
    p->nfas = &tables->nfa;
    p->nfa_classes = nfa->classes;
    p->nfa_masks = nfa->masks;
    p->counts[SECTION_NFAS] = 1;
    p->counts[SECTION_NFA_CLASSES] = COUNT(nfa->classes);
    p->counts[SECTION_NFA_MASKS] = (uint32_t)nfa->mask_words;
    return verify_matchers(p, &tables->error);
}

static inline bool tables_of_trie(struct tables *tables, const struct trie *trie,
                                  uint32_t forbidden)
{
    *tables = (struct tables){ .trie = { .nodes = trie->node_count, .forbidden = forbidden } };
    struct program *p = &tables->program;
    p->tries = &tables->trie;
    p->trie_nodes = trie->nodes;
    p->trie_roots = trie->roots;
    p->counts[SECTION_TRIES] = 1;
    p->counts[SECTION_TRIE_NODES] = trie->node_count;
    p->counts[SECTION_TRIE_ROOTS] = COUNT(trie->roots);
    return verify_matchers(p, &tables->error);
}

static inline bool tables_match_one(const struct matcher *matcher, Str text)
{
    struct tables tables;
    switch (matcher->kind) {
    case MATCHER_EQUAL: return str_eq(text, matcher->texts[0]);
    case MATCHER_STARTS: return str_starts(text, matcher->texts[0]);
    case MATCHER_ENDS: return str_ends(text, matcher->texts[0]);
    case MATCHER_CONTAINS: return str_contains(text, matcher->texts[0]);
    case MATCHER_SET:
        for (uint32_t i = 0; i < matcher->text_count; i++) {
            if (str_eq(text, matcher->texts[i]))
                return true;
        }
        return false;
    case MATCHER_WORDS:
        ENSURE(tables_of_trie(&tables, &matcher->trie, matcher->forbidden));
        return program_match_words(&tables.program, 0, text);
    case MATCHER_NFA:
        ENSURE(tables_of_nfa(&tables, &matcher->nfa));
        return program_match_nfa(&tables.program, 0, text);
    case MATCHER_DFA: break;
    }
    return automaton_run(&matcher->dfa, text) != 0;
}

/* Plain comparisons rely on being given UTF-8. */
static inline bool tables_match_any(const struct matchers *matchers, Str text)
{
    for (uint32_t i = 0; i < matchers->count; i++) {
        if (tables_match_one(&matchers->items[i], text))
            return true;
    }
    return false;
}

#endif
