/* SPDX-License-Identifier: Apache-2.0 */
/* literal.h - patterns that are a plain text, perhaps with any run before or behind it. */
#ifndef COMPILER_PATTERN_LITERAL_H
#define COMPILER_PATTERN_LITERAL_H

#include "compiler/pattern/pattern.h"

enum { LITERAL_NO_BYTE = 256 };

struct literal {
    Str text;                    /* in the arena given */
    bool is_open_lo, is_open_hi; /* any run may stand before it, behind it */
    uint32_t forbidden;          /* the one byte that those runs leave out, or LITERAL_NO_BYTE */
};

/* False: the tree is more than that, or mem is spent. A text that has the forbidden byte itself
 * is more than that too. */
MUST_USE bool literal_of(const struct pattern_node *tree, struct arena *mem, struct literal *out);

#endif
