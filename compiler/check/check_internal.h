/* SPDX-License-Identifier: Apache-2.0 */
/* check_internal.h - what the parts of the checker share. Private to check*.c.
 *
 * check.c goes over the declarations, check_tools.c finds the tools that a rule speaks of and what
 * they say of an argument, check_kind.c is for messages of other kinds, check_expr.c types
 * values, check_condition.c conditions, check_constant.c lets and patterns, check_set.c types what
 * rules set, check_test.c reads the tests' JSON, check_lint.c warns. Each reports where it finds; a
 * node once reported has TYPE_ERROR and is not mentioned again.
 */
#ifndef COMPILER_CHECK_CHECK_INTERNAL_H
#define COMPILER_CHECK_CHECK_INTERNAL_H

#include "compiler/check/check.h"
#include "compiler/pattern/automaton.h"

enum {
    POLICY_NAME_BYTES_MAX = 128,
    ALIAS_BYTES_MAX = 64,
    TEXT_BYTES_MAX = 1024,   /* of a reason, a tool's name, a test's name */
    LET_WEIGHT_MAX = 4096,   /* constants joined for one let: a bound on work, not on style */
    LOCAL_WEIGHT_MAX = 1024, /* nodes that the name of a rule stands for, written out */
    COPIES_MAX = 256,        /* of a condition, for the elements of sets that quantifiers go over */
};

/* A sorted list of names, to find one and to see doubles. */
struct symbol {
    Str name;
    Span span;
    void *item;
};

struct symbols {
    struct symbol *items;
    uint32_t count;
};

/* The tools that the rule being checked can be about. */
struct scope {
    const struct pinned_tool **tools;
    uint32_t count;
    bool is_closed; /* no other tool can be meant: every server is pinned, none is open */
};

/* A field that was warned about, or that `has` asks for, in the rule being checked. */
struct field_note {
    const struct expr *field;
    struct field_note *next;
};

struct checker {
    struct policy *policy;
    struct sources *sources;
    uint32_t source;
    struct arena *mem;
    struct diags *diags;
    struct symbols lets, servers;
    const struct rule *rule; /* being checked; NULL in a let */
    struct scope scope;
    struct field_note *guards, *warned;
    const struct expr *defaulted; /* the field below the left of a `??` */
    uint32_t let_depth;
    const struct schema *function_schemas[FN_COUNT]; /* read when first used */
    struct expr *variables[8];                       /* quantifiers around, innermost last */
    uint32_t variable_count, loop_depth;
    uint32_t copies; /* of what is being checked, for the elements of sets around; 0: one */
    const struct params *params; /* given for this compilation; NULL: none */
    bool had_errors; /* the parser reported some: what seems missing may have been lost */
    bool is_out_of_memory;
};

/* check.c */
void *check_memory(struct checker *c, void *memory); /* notes NULL, hands it on */
/* Sorts, reports all but the first of each name, and keeps the first. */
void symbols_settle(struct checker *c, struct symbols *symbols, enum diag_id twice);
const struct symbol *symbol_find(const struct symbols *symbols, Str name);
/* The nearest of the names to one that is none of them; empty when none is near. */
Str symbol_nearest(const struct symbols *symbols, Str name);
/* The better of two candidates for a suggestion; distance starts at SIZE_MAX. */
void suggest(Str candidate, Str name, Str *best, size_t *distance);
/* Adds help "did you mean ..." unless best is empty. */
void help_nearest(struct checker *c, Str best);
/* `in ...` for messages: a server by its alias, or all of them. */
Str servers_text(struct checker *c, const struct rule *rule);

/* check_tools.c */
/* Fills c->scope for the rule and reports tool names and patterns that can't be meant. */
void check_rule_tools(struct checker *c, const struct rule *rule);
bool rule_takes_class(const struct rule *rule, const struct tool_class *class);
/* The type of args.path in the scope; reports what no tool has. */
Type check_argument(struct checker *c, struct expr *field, bool is_guarded);
Type type_of_schema(const struct schema *schema);
/* A pinned tool of the scope whose arguments surely have no such field; NULL: there is none. */
const struct pinned_tool *tool_without(const struct checker *c, const struct expr *field);
/* Reports text at span when the field is an enum without that value in every tool of the scope. */
void check_enum_value(struct checker *c, const struct expr *field, Str text, Span span);
/* True when a covered server could have tools that the checker can't see. */
bool rule_covers(const struct rule *rule, Str alias);
/* "args.a.b" as written. */
Str field_text(struct checker *c, const struct expr *field);

/* check_kind.c */
/* The names of a rule of another kind than tools; its scope knows nothing. */
void check_rule_kind(struct checker *c, const struct rule *rule);
void check_call_kind(struct checker *c, const struct test_call *call);

/* check_type.c */
Str type_plural(enum type_kind kind);
Str operator_word(enum binary_op op);
Type type_of(enum type_kind kind); /* with elements of any type */
bool type_is_known(Type type);
bool type_may_be(Type type, enum type_kind kind); /* is that, or known only at run time */
bool type_is_scalar(Type type);

/* check_expr.c and check_condition.c */
void check_condition(struct checker *c, struct expr *expr, const char *what);
/* An argument, an attribute: what a call may come without. */
Type check_field(struct checker *c, struct expr *expr, bool is_guarded);
void check_has(struct checker *c, struct expr *expr);
Type check_value(struct checker *c, struct expr *expr);
/* The type of what a name stands for, which may be no value (a set). */
Type check_name(struct checker *c, struct expr *expr);
/* A set or a list with its elements. */
Type check_group(struct checker *c, struct expr *expr);
/* and, or, not, has, a comparison: true, false or unknown, and no value. */
bool expr_is_condition(const struct expr *expr);

/* check_call.c */
Type check_root(struct checker *c, struct expr *expr);
Type check_member_of(struct checker *c, struct expr *expr);
Type check_index(struct checker *c, struct expr *expr);
Type check_call_of(struct checker *c, struct expr *expr);
Type check_quantifier(struct checker *c, struct expr *expr);
/* The quantifier whose variable has that name here; NULL: none. */
struct expr *variable_find(const struct checker *c, Str name);

/* check_param.c */
/* Gives a param without a default its value; reports when there is none. */
void give_param(struct checker *c, struct let_decl *let);
/* Reports a value that is not of the type that the param declares. */
void check_param_type(struct checker *c, const struct let_decl *let);
/* Replaces defaults by what was given; reports what is given for no param. */
void check_params(struct checker *c);

/* check_constant.c */
/* Types a let's value, and those of the lets it names first. */
void check_let(struct checker *c, struct let_decl *let);
/* Reports a pattern that can't be read; one that is too large is the emitter's to find. */
void check_pattern(struct checker *c, Str text, enum automaton_syntax syntax, Span span);
Type check_pattern_literal(struct checker *c, struct expr *expr);
/* The expression behind names. */
const struct expr *expr_behind(const struct expr *expr);
bool expr_is_constant(const struct expr *expr);
/* A string that is known now, put together from pieces if need be; false otherwise. */
bool expr_text(struct checker *c, const struct expr *expr, Str *text);

/* check_local.c */
/* Types the names that the rule being checked gives to values and conditions. */
void check_locals(struct checker *c, const struct rule *rule);
/* The rule's name, if it is known where the checker is now; NULL: it is none. */
struct let_decl *local_find(const struct checker *c, Str name);

/* check_set.c */
/* Types what the rule being checked sets. */
void check_sets(struct checker *c, const struct rule *rule);

/* check_test.c */
void check_tests(struct checker *c);

/* check_lint.c */
void lint_rule(struct checker *c, const struct rule *rule);
void lint_policy(struct checker *c);

/* check_lint_rules.c */
/* Rules that other rules make idle: of the whole policy. */
void lint_rules(struct checker *c);
/* A rule that can't act, a role without classes, a URL compared as text: of the rule being checked.
 */
void lint_never(struct checker *c, const struct rule *rule);
/* An error: the claim being checked is about no call. */
void check_what_is_claimed(struct checker *c, const struct rule *claim);
void lint_roles(struct checker *c, const struct expr *quantifier);
void lint_url(struct checker *c, const struct expr *expr, bool lets_through);
/* What looks like a key or a token anywhere in the source. */
void lint_secrets(struct checker *c);

#endif
