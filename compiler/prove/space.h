/* SPDX-License-Identifier: Apache-2.0 */
/* space.h - what the conditions about one tool read, and the values worth trying there.
 *
 * lift.c reads the conditions' code: each field of a call becomes a tree of nodes (members,
 * elements of lists), and each test is noted at the node whose value it looks at. values.c makes
 * for each node values that cover every way in which its tests can turn out; where that can't be
 * promised (two values compared, a domain function, arithmetic) the node is partial: its values are
 * samples. The truths of conditions are never computed here: the VM judges every value that is
 * tried.
 */
#ifndef COMPILER_PROVE_SPACE_H
#define COMPILER_PROVE_SPACE_H

#include "compiler/prove/model.h"
#include "compiler/prove/text.h"
#include "runtime/bundle/decimal.h"

enum {
    FIELDS_MAX = 128,        /* fields that the conditions about one tool read */
    FIELD_VALUES_MAX = 4096, /* values tried of one field, or of fields that are compared */
    NODE_SAMPLES_MAX = 256,  /* values of one node that may tell something */
    TERM_NODES_MAX = 8,      /* nodes that one computed value comes from */
    TERM_PIECES_MAX = 16,    /* of a string put together */
    LIST_LENGTH_MAX = 2048,  /* elements of a list that is tried */
};

/* A growing row of pointers or numbers of one size, in an arena. */
struct vec {
    void *items;
    uint32_t count, room;
};

/* The root of a field that is one group by itself. */
enum { GROUP_ROOT = B_SLOT_ROOT_COUNT };

enum clock_part { CLOCK_TIME, CLOCK_HOUR, CLOCK_DATE, CLOCK_WEEKDAY, CLOCK_PARTS };

struct node {
    struct node *parent, *children, *next;
    struct field *field;
    Str key;      /* in the parent; empty of elements */
    bool is_each; /* any element of the parent */
    bool is_list; /* a list is looked into: quantifiers, membership */
    bool has_bool, has_nets;
    bool is_partial;               /* its tests can turn out in ways that no value here shows */
    struct vec literals;           /* Str: strings that it is compared with */
    struct vec lowered;            /* Str: the same, of the string with A-Z as a-z */
    struct vec tests;              /* struct text_test: others of the string */
    struct vec numbers;            /* Decimal: bounds of a number */
    struct vec lengths;            /* uint32_t: bounds of a length */
    struct vec nets;               /* struct b_net */
    struct vec samples;            /* Str: JSON values to try as well */
    struct vec clock[CLOCK_PARTS]; /* Decimal: bounds, of `now` */
    uint32_t zone;                 /* of clock tests: index in programs[zone_side]; B_NONE: none */
    uint32_t zone_side;
};

enum field_kind {
    FIELD_ARGUMENT,  /* args.key: JSON */
    FIELD_ATTRIBUTE, /* principal.attributes.key: JSON */
    FIELD_TEXT,      /* a string of the call that is no argument */
    FIELD_GROUPS,    /* a JSON list of strings */
    FIELD_GROUP,     /* one group by itself: its name, or nothing */
    FIELD_NOW,       /* seconds since 1970 */
    FIELD_FIXED,     /* known when the tool is known */
};

struct field {
    enum field_kind kind;
    uint32_t root; /* enum b_slot_root */
    Str key;
    struct node *node;
    uint32_t component; /* fields that one condition reads together have one */
    Str *values;        /* as JSON, or as text of TEXT, GROUP and NOW; p NULL: absent */
    uint32_t value_count;
    bool is_partial; /* there may be other values that tell something */
};

/* A value that is computed from fields in a way that values can't be found for by reasoning. */
struct term {
    Str key; /* what is computed, written out */
    struct node *nodes[TERM_NODES_MAX];
    uint32_t node_count;
    uint32_t domains; /* a bit per domain function on the way */
    bool is_joined;   /* a string put together from pieces */
    struct piece {
        struct node *node; /* NULL: text */
        Str text;
    } pieces[TERM_PIECES_MAX];
    uint32_t piece_count;
    struct vec tests; /* struct term_test */
    struct vec texts; /* Str: constants near it */
    struct term *next;
};

struct term_test {
    enum op op;
    bool is_flipped; /* constant op term */
    bool is_text;    /* text tells of strings, number of numbers */
    struct text_test text;
    Decimal number;
};

/* A condition that is made of tests of one term and nothing else. */
struct term_truth {
    enum op op;                            /* AND, OR, NOT; else the test with that index */
    uint32_t test;                         /* in term->tests */
    const struct term_truth *left, *right; /* of AND, OR; NOT has left */
    uint32_t height;
    struct term *term;
};

/* A condition as the space sees it. */
struct space_atom {
    uint32_t atom; /* in the model */
    struct field *fields[FIELDS_MAX];
    uint32_t field_count;
    bool is_exact;                  /* what it reads is covered by the values of its fields */
    const struct term_truth *truth; /* NULL: it tests other things than one term */
};

struct space {
    struct model *model;
    struct arena *mem;
    struct arena scratch; /* of one call that is judged */
    Str server, name;
    enum message_kind kind;
    struct field *fields[FIELDS_MAX];
    uint32_t field_count;
    struct space_atom **atoms;
    uint32_t atom_count;
    uint32_t *index_of; /* by atom of the model: index in atoms, or B_NONE */
    struct term *terms;
    uint32_t term_count;
    bool has_whole_groups; /* a condition looks at groups otherwise than for one by its name */
    bool is_full;          /* memory or a limit ended: nothing can be said */
};

void *vec_add(struct space *space, struct vec *vec, size_t size);
#define VEC_ADD(space, vec, T) ((T *)vec_add((space), (vec), sizeof(T)))
#define VEC_AT(vec, T, i)      (((T *)(vec)->items)[i])

/* ------------------------------- lift.c --------------------------------- */

/* Does the condition read the caller's groups otherwise than for one by its name? */
bool space_reads_groups(const struct program *p, const struct b_atom *atom);
/* Reads the condition into the space. */
void space_lift(struct space *space, struct space_atom *atom);
/* The argument of that name becomes a field, if it is none. */
void space_argument(struct space *space, Str key);
void node_sample(struct space *space, struct node *node, Str json);
void node_sample_text(struct space *space, struct node *node, Str text);

/* ------------------------------ samples.c ------------------------------- */

/* Values for the nodes that terms are computed from. */
void space_sample_terms(struct space *space);
void sample_numbers(struct space *space, struct node *node, Decimal number);

/* ------------------------------- values.c ------------------------------- */

/* The values of the field, from its node. */
void field_fill(struct space *space, struct field *field);
void clock_values(struct space *space, struct field *field, struct vec *values); /* clock.c */

/* ------------------------------- facts.c -------------------------------- */

/* What a call is made of: a value for some fields. */
struct fact {
    const struct field *field;
    Str value; /* p NULL: absent */
};

/* A call as vm_decide takes it, and what it points into. */
struct staged_call {
    struct vm_call vm;
    struct principal principal;
    struct json_doc arguments, attributes;
};

/* False: a limit of the JSON reader or memory. */
MUST_USE bool facts_stage(const struct space *space, const struct fact *facts, uint32_t count,
                          struct arena *mem, struct staged_call *out);
/* Conditions of a space, by index. */
struct atom_row {
    uint32_t *items, count;
};
/* Their truths (enum b_truth) for a call made of these facts, into out. */
MUST_USE bool facts_judge(struct space *space, const struct fact *facts, uint32_t count,
                          const struct atom_row *atoms, uint8_t *out);
/* Those that read the field. */
struct atom_row field_atoms(struct space *space, const struct field *field);
/* The call as `mcpc eval` reads it. */
void facts_write(const struct space *space, const struct fact *facts, uint32_t count,
                 struct buf *out);

#endif
