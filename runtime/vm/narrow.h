/* SPDX-License-Identifier: Apache-2.0 */
/* narrow.h - what arguments need to be for a call to be allowed at all, for the schema that a
 * client is shown (docs/semantics.md, section 10).
 *
 * Only rules that say `advertise` are told, and only what every way to an allow needs: what is said
 * here may be less than the rules ask for, never more. Past VM_NARROW_STEPS_MAX nothing is said.
 */
#ifndef RUNTIME_VM_NARROW_H
#define RUNTIME_VM_NARROW_H

#include "runtime/vm/vm.h"

enum {
    VM_NARROW_FIELDS_MAX = 16,     /* arguments of one tool that are told */
    VM_NARROW_VALUES_MAX = 64,     /* values of one */
    VM_NARROW_ATOMS_MAX = 64,      /* conditions of one rule that are looked at */
    VM_NARROW_STEPS_MAX = 1 << 20, /* instructions for one tool */
};

/* A bool, a number or a string. */
struct vm_literal {
    enum b_const_type type;
    bool truth; /* BOOL */
    Str text;   /* NUMBER: canonical literal; STRING: bytes */
};

struct vm_limit {
    bool is_set, is_exclusive;
    Str number; /* canonical literal */
};

/* args.key, where it is given, is null (if takes_null) or within all of this. */
struct vm_need {
    Str key;
    bool takes_null, has_values;
    struct vm_literal values[VM_NARROW_VALUES_MAX];
    uint32_t value_count;
    struct vm_limit least, most;
};

struct vm_needs {
    struct vm_need items[VM_NARROW_FIELDS_MAX];
    uint32_t count;
};

/* What this principal's calls of that tool need. Texts are the program's. */
void vm_narrow(struct vm *vm, const struct vm_question *question, Str name, struct vm_needs *out);

#endif
