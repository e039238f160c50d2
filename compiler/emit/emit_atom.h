/* SPDX-License-Identifier: Apache-2.0 */
/* emit_atom.h - the code of one atom while it grows. Private to emit_atom.c and emit_value.c. */
#ifndef COMPILER_EMIT_EMIT_ATOM_H
#define COMPILER_EMIT_EMIT_ATOM_H

#include "compiler/emit/emit_internal.h"

/* A register that holds a quantifier's variable, the element of a `[]` that a loop is at, or what
 * was computed before a loop because no element changes it. */
struct bound {
    const struct expr *what; /* the quantifier, the EXPR_EACH, or the expression itself */
    uint32_t reg;
};

struct atom_code {
    struct b_insn insns[BUNDLE_ATOM_INSNS_MAX];
    uint32_t count;
    struct bound bound[BUNDLE_REGISTERS + 2 * BUNDLE_LOOP_DEPTH_MAX];
    uint32_t bound_count;
    bool varies; /* reads what a list filter does not know */
    bool is_too_large;
};

void code_add(struct atom_code *code, struct b_insn insn);
void code_op(struct atom_code *code, enum op op, uint32_t to, uint32_t first, uint32_t second,
             uint32_t operand);
bool code_bind(struct atom_code *code, const struct expr *what, uint32_t reg);
/* The register of what is bound; B_NONE: it is not. */
uint32_t code_bound(const struct atom_code *code, const struct expr *expr);

/* Each gives the register that holds the result: reg, or that of a variable. */
uint32_t gen_value(struct emitter *e, const struct expr *expr, uint32_t reg,
                   struct atom_code *code);
/* Two values, then op of both, into reg. */
uint32_t gen_pair(struct emitter *e, const struct expr *first, const struct expr *second,
                  enum op op, uint32_t reg, struct atom_code *code);
/* The truth of a condition into reg. */
void gen_truth(struct emitter *e, const struct expr *expr, uint32_t reg, struct atom_code *code);
void gen_quantifier(struct emitter *e, const struct expr *expr, uint32_t reg,
                    struct atom_code *code);

/* The index of a scalar constant in CONSTS; false when the expression reads the call. */
bool constant_index(struct emitter *e, const struct expr *expr, uint32_t *index);
/* The index of a set of constants; elements that read the call are left out. */
uint32_t constant_set(struct emitter *e, const struct expr *list);

#endif
