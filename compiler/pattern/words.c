/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - a trie of words, numbered by depth, with links to the longest suffix that is in it.
 *
 * First a tree of siblings in the order of bytes, which words are put into one by one; then one
 * walk by depth, which gives the numbers of the file and finds the links: that of a child is
 * found from that of its parent, which is less deep and so known.
 */
#include "compiler/pattern/words.h"

/* A node of the tree before it has its number. Indexes; 0, the root, stands for none. */
struct draft {
    uint32_t first, sibling, number;
    uint8_t byte;
    bool accepts;
};

struct drafts {
    struct draft *items;
    uint32_t count, room;
};

/* The child of a node for a byte, made if need be. 0: the trie is full. */
static uint32_t child_of(struct drafts *drafts, uint32_t node, uint8_t byte)
{
    uint32_t *link = &drafts->items[node].first;
    while (*link && drafts->items[*link].byte < byte)
        link = &drafts->items[*link].sibling;
    uint32_t next = *link;
    if (next && drafts->items[next].byte == byte)
        return next;
    if (drafts->count == drafts->room)
        return 0;
    uint32_t made = drafts->count++;
    drafts->items[made] = (struct draft){ .sibling = next, .byte = byte };
    *link = made;
    return made;
}

static bool add_word(struct drafts *drafts, Str word)
{
    uint32_t at = 0;
    for (size_t i = 0; i < word.n; i++) {
        at = child_of(drafts, at, (uint8_t)word.p[i]);
        if (!at)
            return false;
    }
    drafts->items[at].accepts = true;
    return true;
}

static uint32_t find_child(const struct trie *trie, uint32_t node, uint8_t byte)
{
    const struct b_trie_node *n = &trie->nodes[node];
    for (uint32_t k = n->child; k < n->child + n->children; k++) {
        if (trie->nodes[k].byte == byte)
            return k;
    }
    return 0;
}

/* Where the longest proper suffix of a child's word is, its parent's link being known. */
static uint32_t link_of(const struct trie *trie, uint32_t parent, uint8_t byte)
{
    if (parent == 0)
        return 0;
    for (uint32_t at = trie->nodes[parent].fail;; at = trie->nodes[at].fail) {
        uint32_t child = find_child(trie, at, byte);
        if (child || at == 0)
            return child;
    }
}

/* order[i] is the draft with number i. */
static void number(struct drafts *drafts, uint32_t *order, struct trie *trie)
{
    uint32_t next = 1;
    order[0] = 0;
    for (uint32_t i = 0; i < drafts->count; i++) {
        const struct draft *draft = &drafts->items[order[i]];
        struct b_trie_node *node = &trie->nodes[i];
        node->byte = draft->byte;
        node->accepts = draft->accepts;
        node->child = next;
        for (uint32_t at = draft->first; at; at = drafts->items[at].sibling) {
            order[next++] = at;
            node->children++;
        }
    }
}

/* A node whose suffix is a word accepts too. Links lead to smaller numbers, so one pass does. */
static void link_nodes(struct trie *trie)
{
    for (uint32_t i = 0; i < trie->node_count; i++) {
        const struct b_trie_node *parent = &trie->nodes[i];
        for (uint32_t k = parent->child; k < parent->child + parent->children; k++) {
            struct b_trie_node *child = &trie->nodes[k];
            child->fail = link_of(trie, i, child->byte);
            child->accepts |= trie->nodes[child->fail].accepts;
            if (i == 0)
                trie->roots[child->byte] = (uint16_t)k;
        }
    }
}

enum status trie_build(const Str *words, uint32_t count, struct arena *mem, struct trie *out)
{
    size_t bytes = 1;
    *out = (struct trie){ .nodes = NULL };
    for (uint32_t i = 0; i < count && bytes <= B_TRIE_NODES_MAX; i++)
        bytes += words[i].n;
    uint32_t room = bytes < B_TRIE_NODES_MAX ? (uint32_t)bytes : B_TRIE_NODES_MAX;
    struct drafts drafts = { .items = ARENA_NEW(mem, struct draft, room),
                             .count = 1,
                             .room = room };
    if (!drafts.items)
        return ST_LIMIT;
    for (uint32_t i = 0; i < count; i++) {
        if (!add_word(&drafts, words[i]))
            return ST_LIMIT;
    }
    uint32_t *order = ARENA_NEW(mem, uint32_t, drafts.count);
    out->nodes = ARENA_NEW(mem, struct b_trie_node, drafts.count);
    out->node_count = drafts.count;
    if (!order || !out->nodes)
        return ST_LIMIT;
    number(&drafts, order, out);
    link_nodes(out);
    return ST_OK;
}
