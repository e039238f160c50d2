/* SPDX-License-Identifier: Apache-2.0 */
/* emit_internal.h - shared by the emitter's files: emit.c (rules and the whole), emit_cond.c
 * (conditions to branches), emit_atom.c (values and truths), emit_route.c (which rules concern
 * which name), emit_shape.c (what pinned arguments look like). */
#ifndef COMPILER_EMIT_EMIT_INTERNAL_H
#define COMPILER_EMIT_EMIT_INTERNAL_H

#include "compiler/emit/bundle_write.h"
#include "compiler/emit/emit.h"

struct emitter {
    const struct policy *policy;
    const struct sources *sources;
    struct arena *mem;
    struct diags *diags;
    struct bundle bundle;
    struct intern patterns; /* syntax and texts of patterns to their matches */
    struct match_ops *matches;
    uint32_t match_count, match_room;
    const struct rule **rules; /* in source order: a rule's index in the bundle */
    uint32_t rule_count, rule_room;
    struct rule_keys *keys; /* private to emit_index.c */
};

/* The code of one rule while it grows; branches hold labels until the end. */
struct rule_code {
    struct buf insns;   /* struct b_insn; of branches b is a label */
    struct buf targets; /* uint32_t per label: index of the instruction it stands before */
};

/* Emits the code of a rule with that effect and condition (NULL: always). */
void emit_rule_code(struct emitter *e, enum effect effect, const struct expr *when,
                    struct rule_code *code);

/* A copy of an expression in which the variable of `from` means `to`: another quantifier's
 * variable, or an expression. */
struct renaming {
    const struct expr *from; /* NULL: no variable is renamed */
    struct expr *to;
    bool is_variable;
};

/* emit_copy.c: NULL without memory. A new node; one of two others; a copy that shares no node, in
 * which the names of rules and quantifiers over sets are written out. */
struct expr *emit_expr(struct emitter *e, struct expr node);
struct expr *emit_binary(struct emitter *e, enum binary_op op, struct expr *left,
                         struct expr *right);
struct expr *emit_copy(struct emitter *e, const struct expr *expr, const struct renaming *how);
/* The rule without names of its own and without quantifiers over sets: itself if it has none. */
const struct rule *emit_inline(struct emitter *e, const struct rule *rule);

/* Fills rules: the policy's, those over classes and roles as rules over tools. */
void emit_expand(struct emitter *e);

/* The atom for a condition that is no and, or, not, != or > (those are branches), from whose
 * truth values `mask` are wanted. */
uint32_t emit_atom(struct emitter *e, const struct expr *expr);

/* Appends the code of what a rule sets (struct b_insn) and returns how many instructions it is. */
uint32_t emit_set_value(struct emitter *e, const struct expr *value, struct buf *out);

/* A list of rules, sorted as the file format wants, with a second key if that pays. */
uint32_t emit_list(struct emitter *e, const uint32_t *rules, uint32_t count);

/* The slot of a field. */
uint32_t emit_field_slot(struct emitter *e, const struct expr *expr);

/* Fills SERVERS, ROUTES, NAMES, ACCEPTS, LISTS. */
void emit_routes(struct emitter *e);

/* The shape of a schema, 0 when it accepts anything. */
uint32_t emit_shape(struct emitter *e, const struct schema *schema, uint32_t depth);

/* What a let stands for, however many lets away. */
const struct expr *expr_resolve(const struct expr *expr);

/* A constant string or number as text; false when the expression reads the call. */
bool expr_constant_text(struct emitter *e, const struct expr *expr, Str *text);

/* How one of patterns is matched: when one of these instructions is true. */
struct match_op {
    enum op op; /* EQ, STARTS, ENDS, HAS_TEXT: with constant operand; else c is operand */
    uint32_t operand;
};
struct match_ops {
    struct match_op *items;
    uint32_t count;
};

/* The instructions for patterns; none after an error, which is reported at span. */
struct match_ops emit_pattern(struct emitter *e, enum automaton_syntax syntax, const Str *patterns,
                              uint32_t count, Span span);

/* The zone of that name; reports at span. */
uint32_t emit_zone(struct emitter *e, Str name, Span span);

/* `x in [...]` with something that reads the call among the elements. */
bool expr_is_row(struct emitter *e, const struct expr *expr);

/* The source text of a span, cut to what a bundle quotes, on one line. */
struct b_text emit_quote(struct emitter *e, Span span);
void emit_place(const struct emitter *e, Span span, uint32_t *source, uint32_t *line,
                uint32_t *column);

#endif
