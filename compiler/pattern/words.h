/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - many words to look for at once (Aho and Corasick, 1975), as the bundle holds them.
 *
 * A word is sticky: whoever walks the trie stops at the first one, so words need no product of
 * automata and the size is that of the words.
 */
#ifndef COMPILER_PATTERN_WORDS_H
#define COMPILER_PATTERN_WORDS_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/base/str.h"
#include "runtime/bundle/format.h"

struct trie {
    struct b_trie_node *nodes; /* by depth */
    uint32_t node_count;
    uint16_t roots[256];
};

/* ST_LIMIT: more than B_TRIE_NODES_MAX nodes, or mem is spent. */
MUST_USE enum status trie_build(const Str *words, uint32_t count, struct arena *mem,
                                struct trie *out);

#endif
