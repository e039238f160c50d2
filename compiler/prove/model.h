/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - two programs under one numbering: what both say in the same way is one thing.
 *
 * A condition (atom) or a rule is known by what it means: its code with every operand written out,
 * so that a constant's index does not matter. What has the same meaning in both programs cannot
 * make them differ, which is what keeps a comparison as large as the difference.
 */
#ifndef COMPILER_PROVE_MODEL_H
#define COMPILER_PROVE_MODEL_H

#include "compiler/emit/intern.h"
#include "runtime/vm/vm.h"

enum { SIDES = 2 };

struct model_atom {
    uint32_t side, index; /* where it stands first */
};

struct model_rule {
    uint32_t side, index;
    uint32_t effect; /* enum b_effect */
};

struct model {
    struct arena *mem;
    struct program *programs[SIDES];
    struct vm *vms[SIDES];
    struct model_atom *atoms;
    uint32_t atom_count;
    struct model_rule *rules;
    uint32_t rule_count;
    uint32_t *atom_of[SIDES]; /* by index in the program */
    uint32_t *rule_of[SIDES];
};

/* Borrows the programs; what it makes lies in mem, but for the VMs, which model_close frees.
 * ST_NO_MEMORY. */
MUST_USE enum status model_open(struct program *old, struct program *new, struct arena *mem,
                                struct model *out);
void model_close(struct model *model);

static inline const struct program *atom_program(const struct model *m, uint32_t atom)
{
    return m->programs[m->atoms[atom].side];
}

static inline const struct b_atom *model_atom_at(const struct model *m, uint32_t atom)
{
    return &atom_program(m, atom)->atoms[m->atoms[atom].index];
}

/* The elements of a set, in the order of its table. NULL: no memory. */
const struct b_const **set_elements(const struct program *p, uint32_t set, struct arena *mem);

#endif
