/* SPDX-License-Identifier: Apache-2.0 */
/* vm_internal.h - shared by vm.c (rules), route.c (which of them), rewrite.c (what they set),
 * explain.c (the same, watched), atom.c (instructions), value.c (what they compute), truth.c (what
 * they compare) and derive.c (what is read out of strings) only. */
#ifndef RUNTIME_VM_VM_INTERNAL_H
#define RUNTIME_VM_VM_INTERNAL_H

#include "runtime/domain/domain.h"
#include "runtime/json/json_build.h"
#include "runtime/vm/vm.h"

enum value_type {
    VALUE_UNKNOWN, /* cause says why */
    VALUE_MISSING,
    VALUE_NULL,
    VALUE_BOOL,   /* truth */
    VALUE_NUMBER, /* text: a JSON literal */
    VALUE_STRING, /* text */
    VALUE_LIST,   /* node: an array of doc */
    VALUE_OBJECT, /* node of doc */
    VALUE_GROUPS, /* the principal's groups: a list of strings */
};

/* Values are copied about, and a decision is little else. Flags are bytes: as bits they made it
 * eight bytes smaller, and decisions by group 15 % slower. */
struct value {
    uint8_t type;  /* enum value_type */
    uint8_t cause; /* enum vm_unknown */
    bool truth;
    bool is_unsafe;  /* NUMBER: would change as an IEEE double */
    bool is_integer; /* NUMBER: written without fraction and exponent */
    uint32_t node;
    Str text;
    const struct json_doc *doc;
};

enum {
    VM_DECODED_MAX = 16, /* results of domain functions kept within a call */
    VM_ARENA_BYTES_MAX =
        64 * 1024 * 1024,   /* for those results; a call that needs more is unknown */
    NUMBER_TEXT_BYTES = 40, /* of a number that an instruction makes */
};

/* A string read by a domain function. */
struct decoded {
    uint32_t domain, set; /* set: of CLI, else 0 */
    Str text;
    struct json_doc doc;
    bool is_certain;
};

/* A place that an acting rule sets, and the value as JSON text without white space. */
struct vm_set {
    uint32_t slot, rule;
    Str json;
};

/* What all acting rules of one judgement set, no two of them about one place. */
struct vm_sets {
    struct vm_set items[BUNDLE_REWRITES_MAX];
    uint32_t count;
};

/* What becomes of a call whose rules set something; kept until the next decision. */
struct vm_rewrite {
    struct arena mem;    /* texts and the document made of them */
    struct buf text;     /* of a value, later of the arguments */
    struct vm_sets sets; /* of the judgement that is running */
    uint32_t places[BUNDLE_REWRITES_MAX];
    struct json_doc doc;
};

struct vm {
    uint32_t users; /* who holds it */
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
    uint32_t iterations; /* of the atom's loops so far */
    uint64_t steps;      /* instructions of rules and atoms since vm_begin */
    struct arena arena;  /* documents read out of strings; lives as long as the call */
    struct decoded *decoded[VM_DECODED_MAX];
    uint32_t decoded_count;
    const struct vm_call *call;
    struct vm_trace *trace;     /* NULL: nobody looks on */
    struct vm_rewrite *rewrite; /* NULL: no rule of the program sets anything */
    bool may;                   /* arguments are not known: atoms that read them may be anything */
    uint32_t unsafe_atom; /* the first atom that could not compare a number exactly, or B_NONE */
};

/* --------------------------------- vm.c --------------------------------- */

/* A call's evaluations lie between the two; vm_end forgets them. */
void vm_begin(struct vm *vm, const struct vm_call *call, bool may);
void vm_end(struct vm *vm);

/* Runs a rule's code. True: it acts. *unknown becomes the first atom tested that was unknown. */
bool rule_fires(struct vm *vm, const struct b_rule *rule, uint32_t *unknown);

/* Where a name's rules are: its list, and the shape its arguments must have. */
struct route {
    uint32_t list, shape;
};
enum vm_cause route_call(struct vm *vm, const struct vm_call *call, struct route *route);

/* The rules to look at: those of several lists, each in order, as one list in order. Denies come
 * first in a list, so the first rule that acts is the verdict. */
struct candidates {
    struct cursor {
        const uint32_t *at, *end;
    } lists[BUNDLE_INDEX_VALUES_MAX + 1];
    uint32_t count;
};
void find_candidates(struct vm *vm, uint32_t list, struct candidates *c);
/* The next rule, taken off every list that has it; B_NONE at the end. */
uint32_t next_rule(const struct program *p, struct candidates *c);

/* One judgement of the call as it stands: vm_decide but for rewriting. What is set is left in
 * vm->rewrite->sets. */
void judge_call(struct vm *vm, const struct vm_call *call, struct decision *out);

/* Records what the decision that was just made, by the rules of list, looked at. */
void trace_decision(struct vm *vm, uint32_t list);

/* ------------------------------ rewrite.c ------------------------------- */

MUST_USE enum status rewrite_open(struct vm_rewrite **out);
void rewrite_close(struct vm_rewrite *rewrite); /* NULL is fine */
void rewrite_begin(struct vm_rewrite *rewrite); /* forgets the decision before */

/* Adds what a rule that acts sets. False: the call is denied, *out says why. */
bool rewrite_collect(struct vm *vm, uint32_t rule, struct decision *out);

/* The call is allowed and something is set: judges it as rewritten, if that changes it. */
void rewrite_call(struct vm *vm, const struct vm_call *call, struct decision *out);

/* -------------------------------- atom.c -------------------------------- */

/* The value that code computes whose last instruction is one. Its text may lie in the scratch,
 * until the next atom or value. */
struct value code_value(struct vm *vm, const struct b_insn *code, uint32_t count);

/* The atom's truth for this call, evaluated at most once: a mask of enum b_truth. */
uint8_t atom_truth(struct vm *vm, uint32_t atom);

/* ------------------------------- value.c -------------------------------- */

static inline struct value unknown_value(enum vm_unknown cause)
{
    return (struct value){ .type = VALUE_UNKNOWN, .cause = (uint8_t)cause };
}

static inline struct value truth_value(bool truth)
{
    return (struct value){ .type = VALUE_BOOL, .truth = truth };
}

static inline bool is_absent(const struct value *value)
{
    return value->type == VALUE_MISSING || value->type == VALUE_NULL;
}

static inline bool is_list(const struct value *value)
{
    return value->type == VALUE_LIST || value->type == VALUE_GROUPS;
}

/* Why a value can't be used where another type is needed. */
enum vm_unknown cause_of(const struct value *value);
/* Values are made where they stay: a copy right behind the making waits for the stores. */
void node_value(const struct json_doc *doc, uint32_t index, struct value *out);
const struct value *field_value(struct vm *vm, uint32_t slot);
void const_value(const struct program *p, uint32_t index, struct value *out);
struct value value_concat(struct vm *vm, const struct value *first, const struct value *second);
struct value value_length(struct vm *vm, const struct value *of);
struct value value_count(struct vm *vm, uint64_t count);
/* Room in the scratch for a number, or NULL; and a number moved there. */
char *number_room(struct vm *vm);
void number_keep(struct value *number, char *room);
struct value value_micros(struct vm *vm, int64_t micros); /* as seconds */
struct value value_lower(struct vm *vm, const struct value *of);
struct value value_trim(const struct value *of);
struct value value_number(struct vm *vm, const struct value *of);
struct value value_empty(void); /* a list */
struct value value_member(const struct value *of, Str key);
struct value value_element(struct vm *vm, const struct value *of, uint32_t index);
/* ADD, SUB, MUL, MIN, MAX. */
struct value value_arithmetic(struct vm *vm, enum op op, const struct value *a,
                              const struct value *b);

/* The elements of a list, one after the other. */
struct list_walk {
    const struct vm *vm;
    const struct value *list;
    uint32_t node; /* the next; JSON_NONE at the end */
    size_t group;
};
struct list_walk list_begin(const struct vm *vm, const struct value *list);
bool list_next(struct list_walk *walk, struct value *element); /* false at the end */

/* ------------------------------- truth.c -------------------------------- */

/* The result of a TRUTH instruction: a BOOL, or UNKNOWN with its cause. */
struct value truth_of(struct vm *vm, const struct b_insn *in, const struct value *first,
                      const struct value *second);

/* ------------------------------- derive.c ------------------------------- */

struct value value_decode(struct vm *vm, enum domain domain, const struct value *of);
struct value value_cli(struct vm *vm, uint32_t set, const struct value *of);
struct value value_keys(struct vm *vm, const struct value *of);
struct value value_find(struct vm *vm, const struct value *of, Str key);
struct value value_instant(struct vm *vm, const struct value *of);
struct value value_clock(struct vm *vm, uint32_t zone);

#endif
