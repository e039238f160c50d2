/* SPDX-License-Identifier: Apache-2.0 */
/* match.c - texts against patterns: automata, words, positions.
 *
 * Nothing is checked here: the verifier proved that no index leaves its table. The work is linear
 * in the text for each of them; cost.c says by which factor.
 */
#include "runtime/bundle/program.h"

/* Bytes that leave the state as it is have a loop of their own: there, no step waits for the table
 * look-up of the one before, and most of a long text is such bytes. */
uint16_t program_match(const struct program *program, uint32_t dfa, Str text)
{
    const struct b_dfa *a = &program->dfas[dfa];
    const uint8_t *classes = program->dfa_classes + a->classes;
    const uint16_t *next = program->dfa_next + a->next;
    uint32_t state = 0;
    for (size_t i = 0; i < text.n;) {
        const uint16_t *row = next + (size_t)state * a->class_count;
        uint32_t before = state;
        do
            state = row[classes[(unsigned char)text.p[i++]]];
        while (state == before && i < text.n);
    }
    return program->dfa_accept[a->accept + state];
}

/* ------------------------------- words ---------------------------------- */

/* The child of a node for a byte, 0 when there is none. */
static uint32_t find_child(const struct b_trie_node *nodes, const struct b_trie_node *node,
                           uint8_t byte)
{
    uint32_t from = node->child, to = node->child + node->children;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (nodes[middle].byte < byte)
            from = middle + 1;
        else
            to = middle;
    }
    return from < node->child + node->children && nodes[from].byte == byte ? from : 0;
}

/* Each search that fails leads to a node less deep, and a byte leads one deeper at most: so there
 * are at most twice as many searches as bytes. */
bool program_match_words(const struct program *program, uint32_t trie, Str text)
{
    const struct b_trie *t = &program->tries[trie];
    const struct b_trie_node *nodes = program->trie_nodes + t->node;
    const uint16_t *roots = program->trie_roots + t->roots;
    uint32_t at = 0;
    if (t->forbidden != B_TRIE_NO_BYTE && text.n && memchr(text.p, (int)t->forbidden, text.n))
        return false;
    if (!utf8_is_valid(text))
        return false;
    bool is_found = nodes[0].accepts != 0;
    for (size_t i = 0; i < text.n && !is_found; i++) {
        uint8_t byte = (uint8_t)text.p[i];
        uint32_t child = 0;
        while (at && !(child = find_child(nodes, &nodes[at], byte)))
            at = nodes[at].fail;
        at = child ? child : roots[byte];
        is_found = nodes[at].accepts != 0;
    }
    return is_found;
}

/* ------------------------------ positions ------------------------------- */

enum { MASK_FIRST, MASK_LAST, MASK_CHAINED, MASK_CLASSES, WORD_BITS = 64 };

/* One word for all positions, as most patterns have. */
static bool match_word(const struct b_nfa *a, const uint8_t *classes, const uint64_t *masks,
                       Str text)
{
    const uint64_t *by_class = masks + MASK_CLASSES, *follow = by_class + a->class_count;
    uint64_t chained = masks[MASK_CHAINED], next = masks[MASK_FIRST], active = 0;
    for (size_t i = 0; i < text.n; i++) {
        active = next & by_class[classes[(unsigned char)text.p[i]]];
        if (!active)
            return false;
        next = (active & chained) << 1;
        for (uint64_t rest = active & ~chained; rest; rest &= rest - 1)
            next |= follow[__builtin_ctzll(rest)];
    }
    return (active & masks[MASK_LAST]) != 0;
}

/* What may come after the active positions. */
static void advance(const uint64_t *active, const uint64_t *chained, const uint64_t *follow,
                    uint32_t words, uint64_t *next)
{
    uint64_t carry = 0;
    for (uint32_t w = 0; w < words; w++) {
        uint64_t shifted = active[w] & chained[w];
        next[w] = shifted << 1 | carry;
        carry = shifted >> (WORD_BITS - 1);
    }
    for (uint32_t w = 0; w < words; w++) {
        for (uint64_t rest = active[w] & ~chained[w]; rest; rest &= rest - 1) {
            size_t position = (size_t)w * WORD_BITS + (size_t)__builtin_ctzll(rest);
            for (uint32_t k = 0; k < words; k++)
                next[k] |= follow[position * words + k];
        }
    }
}

static bool match_words(const struct b_nfa *a, const uint8_t *classes, const uint64_t *masks,
                        Str text)
{
    uint32_t words = (a->positions + WORD_BITS - 1) / WORD_BITS;
    const uint64_t *by_class = masks + (size_t)MASK_CLASSES * words;
    const uint64_t *follow = by_class + (size_t)a->class_count * words;
    uint64_t next[B_NFA_WORDS_MAX], active[B_NFA_WORDS_MAX] = { 0 }, any = 0;
    memcpy(next, masks + (size_t)MASK_FIRST * words, words * sizeof *next);
    for (size_t i = 0; i < text.n; i++) {
        const uint64_t *may = by_class + (size_t)classes[(unsigned char)text.p[i]] * words;
        any = 0;
        for (uint32_t w = 0; w < words; w++)
            any |= active[w] = next[w] & may[w];
        if (!any)
            return false;
        advance(active, masks + (size_t)MASK_CHAINED * words, follow, words, next);
    }
    any = 0;
    for (uint32_t w = 0; w < words; w++)
        any |= active[w] & masks[(size_t)MASK_LAST * words + w];
    return any != 0;
}

bool program_match_nfa(const struct program *program, uint32_t nfa, Str text)
{
    const struct b_nfa *a = &program->nfas[nfa];
    const uint8_t *classes = program->nfa_classes + a->classes;
    const uint64_t *masks = program->nfa_masks + a->masks;
    if (text.n == 0)
        return a->is_nullable != 0;
    if (!utf8_is_valid(text))
        return false;
    return a->positions <= WORD_BITS ? match_word(a, classes, masks, text)
                                     : match_words(a, classes, masks, text);
}
