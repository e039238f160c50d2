/* SPDX-License-Identifier: Apache-2.0 */
/* verify_match.c - words and positions: what match.c takes for granted.
 *
 * A trie's nodes come by depth, the children of one behind those of the one before, so a single
 * walk proves that it is a tree; a fail link leads to a node of a smaller depth, so following them
 * ends. Masks of positions have no bit past the last position, and what is said to be chained is.
 */
#include "runtime/bundle/verify.h"

enum { BYTES = 256, WORD_BITS = 64, MASK_CHAINED = 2, MASK_CLASSES = 3 };

/* How far the tables are taken: each stands behind the one before. */
struct match_tables {
    uint64_t nodes, roots, classes, masks;
};

/* The root's table says the same as the root's children. */
static bool roots_hold(const struct program *p, const struct b_trie *trie)
{
    const struct b_trie_node *nodes = p->trie_nodes + trie->node;
    const uint16_t *roots = p->trie_roots + trie->roots;
    uint32_t used = 0;
    for (uint32_t byte = 0; byte < BYTES; byte++) {
        used += roots[byte] != 0;
        if (roots[byte] > nodes[0].children || (roots[byte] && nodes[roots[byte]].byte != byte))
            return false;
    }
    return used == nodes[0].children;
}

static bool children_hold(const struct b_trie_node *nodes, const struct b_trie_node *node)
{
    for (uint32_t k = 1; k < node->children; k++) {
        if (nodes[node->child + k - 1].byte >= nodes[node->child + k].byte)
            return false;
    }
    return true;
}

static bool tree_holds(const struct b_trie_node *nodes, uint32_t count)
{
    uint64_t next = 1;
    uint32_t level = 0, level_end = 1; /* the nodes as deep as the one in hand */
    for (uint32_t i = 0; i < count; i++) {
        const struct b_trie_node *node = &nodes[i];
        if (i == level_end) {
            level = i;
            level_end = (uint32_t)next; /* the children of the whole level before */
        }
        bool fails_up = i == 0 ? node->fail == 0 && node->byte == 0 : node->fail < level;
        if (!fails_up || node->accepts > 1 ||
            !verify_next(&next, node->child, node->children, count) || !children_hold(nodes, node))
            return false;
    }
    return next == count;
}

static bool verify_trie(const struct program *p, uint32_t i, struct match_tables *tables,
                        struct bundle_error *error)
{
    const struct b_trie *trie = &p->tries[i];
    if (trie->nodes == 0 || trie->nodes > B_TRIE_NODES_MAX || trie->forbidden > B_TRIE_NO_BYTE ||
        !verify_next(&tables->nodes, trie->node, trie->nodes, p->counts[SECTION_TRIE_NODES]) ||
        !verify_next(&tables->roots, trie->roots, BYTES, p->counts[SECTION_TRIE_ROOTS]))
        return verify_fail(error, "words %u: tables out of range", i);
    if (!tree_holds(p->trie_nodes + trie->node, trie->nodes) || !roots_hold(p, trie))
        return verify_fail(error, "words %u: not a trie, or a link that does not lead up", i);
    return true;
}

/* No bit past the last position. */
static bool mask_holds(const uint64_t *mask, uint32_t positions)
{
    uint32_t last = positions % WORD_BITS;
    return last == 0 || mask[positions / WORD_BITS] >> last == 0;
}

static bool mask_has(const uint64_t *mask, uint32_t position)
{
    return (mask[position / WORD_BITS] >> position % WORD_BITS & 1) != 0;
}

/* The mask is that of the next position and no other. */
static bool is_next_only(const uint64_t *mask, uint32_t words, uint32_t position)
{
    uint32_t next = position + 1;
    for (uint32_t w = 0; w < words; w++) {
        uint64_t want = next / WORD_BITS == w ? UINT64_C(1) << next % WORD_BITS : 0;
        if (mask[w] != want)
            return false;
    }
    return next < words * WORD_BITS;
}

static bool masks_hold(const struct program *p, const struct b_nfa *nfa, uint32_t words)
{
    const uint64_t *masks = p->nfa_masks + nfa->masks,
                   *chained = masks + (size_t)MASK_CHAINED * words;
    const uint64_t *follow = masks + (size_t)(MASK_CLASSES + nfa->class_count) * words;
    uint32_t unchained = 0;
    for (uint32_t k = 0; k < MASK_CLASSES + nfa->class_count + nfa->positions; k++) {
        if (!mask_holds(masks + (size_t)k * words, nfa->positions))
            return false;
    }
    for (uint32_t k = 0; k < nfa->positions; k++) {
        if (!mask_has(chained, k))
            unchained++;
        else if (!is_next_only(follow + (size_t)k * words, words, k))
            return false;
    }
    return unchained == nfa->unchained;
}

static bool verify_nfa(const struct program *p, uint32_t i, struct match_tables *tables,
                       struct bundle_error *error)
{
    const struct b_nfa *nfa = &p->nfas[i];
    uint32_t words = (nfa->positions + WORD_BITS - 1) / WORD_BITS;
    if (nfa->positions == 0 || nfa->positions > B_NFA_POSITIONS_MAX || nfa->class_count == 0 ||
        nfa->class_count > BYTES || nfa->is_nullable > 1 ||
        !verify_next(&tables->classes, nfa->classes, BYTES, p->counts[SECTION_NFA_CLASSES]) ||
        !verify_next(&tables->masks, nfa->masks,
                     (uint64_t)(MASK_CLASSES + nfa->class_count + nfa->positions) * words,
                     p->counts[SECTION_NFA_MASKS]))
        return verify_fail(error, "nfa %u: tables out of range", i);
    for (uint32_t k = 0; k < BYTES; k++) {
        if (p->nfa_classes[nfa->classes + k] >= nfa->class_count)
            return verify_fail(error, "nfa %u: class of byte %u out of range", i, k);
    }
    return masks_hold(p, nfa, words) || verify_fail(error, "nfa %u: a mask leaves it", i);
}

bool verify_matchers(const struct program *p, struct bundle_error *error)
{
    struct match_tables tables = { .nodes = 0 };
    for (uint32_t i = 0; i < p->counts[SECTION_TRIES]; i++) {
        if (!verify_trie(p, i, &tables, error))
            return false;
    }
    for (uint32_t i = 0; i < p->counts[SECTION_NFAS]; i++) {
        if (!verify_nfa(p, i, &tables, error))
            return false;
    }
    bool is_all = tables.nodes == p->counts[SECTION_TRIE_NODES] &&
                  tables.roots == p->counts[SECTION_TRIE_ROOTS] &&
                  tables.classes == p->counts[SECTION_NFA_CLASSES] &&
                  tables.masks == p->counts[SECTION_NFA_MASKS];
    return is_all || verify_fail(error, "words or positions: loose tables");
}
