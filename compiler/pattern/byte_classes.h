/* SPDX-License-Identifier: Apache-2.0 */
/* byte_classes.h - bytes that no class of the patterns tells apart, and the steps by them. */
#ifndef COMPILER_PATTERN_BYTE_CLASSES_H
#define COMPILER_PATTERN_BYTE_CLASSES_H

#include "compiler/pattern/nfa.h"

enum { BYTE_STEP_NONE = 0, BYTE_STEP_END = NFA_ARC_END + 1 };

struct byte_classes {
    uint32_t count;        /* classes, 1..256 */
    uint8_t class_of[256]; /* numbered in the order of the smallest byte in them */
    const uint32_t *steps; /* node * stride + column[class]: BYTE_STEP_..., or 1 + arc.to */
    uint8_t column[256];   /* of a class */
    uint32_t stride;
};

/* False when mem is spent. */
MUST_USE bool byte_classes_build(const struct nfa *nfa, struct arena *mem,
                                 struct byte_classes *out);

#endif
