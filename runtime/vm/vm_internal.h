/* SPDX-License-Identifier: Apache-2.0 */
/* vm_internal.h - shared by vm.c (rules) and atom.c (conditions) only. */
#ifndef RUNTIME_VM_VM_INTERNAL_H
#define RUNTIME_VM_VM_INTERNAL_H

#include "runtime/vm/vm.h"

enum value_type {
    VALUE_UNKNOWN, /* cause says why */
    VALUE_MISSING,
    VALUE_NULL,
    VALUE_BOOL,   /* truth */
    VALUE_NUMBER, /* text: a JSON literal */
    VALUE_STRING, /* text */
    VALUE_LIST,   /* node: an array of the call's document */
    VALUE_OBJECT, /* node */
    VALUE_GROUPS, /* the principal's groups: a list of strings */
};

struct value {
    enum value_type type;
    enum vm_unknown cause;
    bool truth;
    bool is_unsafe;  /* NUMBER: would change as an IEEE double */
    bool is_integer; /* NUMBER: written without fraction and exponent */
    uint32_t node;
    Str text;
};

struct vm {
    struct program *program;
    /* What this call has found out so far; cleared by the lists of what was touched, so that the
     * work follows the rules that concern the call, not the policy's size. */
    uint8_t *truths;   /* per atom: 0 not evaluated, else enum b_truth bits */
    uint8_t *unknowns; /* per atom: enum vm_unknown */
    uint32_t *touched_atoms, touched_atom_count;
    struct value *fields; /* per slot */
    uint8_t *has_field;   /* per slot: fields[i] is filled */
    uint32_t *touched_slots, touched_slot_count;
    char *scratch; /* BUNDLE_CONCAT_MAX bytes for the texts that one atom makes */
    size_t scratch_used;
    const struct vm_call *call;
    bool may;             /* arguments are not known: atoms that read them may be anything */
    uint32_t unsafe_atom; /* the first atom that could not compare a number exactly, or B_NONE */
};

/* The atom's truth for this call, evaluated at most once: a mask of enum b_truth. */
uint8_t atom_truth(struct vm *vm, uint32_t atom);

#endif
