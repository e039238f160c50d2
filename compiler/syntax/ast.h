/* SPDX-License-Identifier: Apache-2.0 */
/* ast.h - a policy as written, then typed. All nodes live in the compilation's arena.
 *
 * The parser fills everything but the fields marked "checked", which check.h fills; the emitter
 * and the printer only read. Lists are linked in source order.
 */
#ifndef COMPILER_SYNTAX_AST_H
#define COMPILER_SYNTAX_AST_H

#include "compiler/schema/classes.h"
#include "compiler/schema/schema.h"
#include "compiler/source/diag.h"
#include "runtime/bundle/kind.h"

enum type_kind {
    TYPE_ERROR, /* already reported: accepted everywhere, says nothing again */
    TYPE_ANY,   /* not known at compile time: judged at run time, wrong type is unknown */
    TYPE_NULL,
    TYPE_BOOL,
    TYPE_NUMBER, /* exact decimal; integers are numbers */
    TYPE_STRING,
    TYPE_LIST,
    TYPE_OBJECT,
    TYPE_SET,      /* a constant set: { ... } */
    TYPE_PATTERN,  /* /regex/ */
    TYPE_TIME,     /* of day; a number of seconds */
    TYPE_DATE,     /* a number of days since 1970 */
    TYPE_DURATION, /* a number of seconds */
    TYPE_INSTANT,  /* seconds since 1970, UTC */
    TYPE_NETS,     /* cidr(...) */
};

typedef struct {
    enum type_kind kind;
    enum type_kind element; /* of TYPE_LIST and TYPE_SET; TYPE_ANY when unknown or empty */
} Type;

enum expr_kind {
    EXPR_NULL,
    EXPR_BOOL,          /* truth */
    EXPR_NUMBER,        /* text: JSON's number grammar, underscores between digits removed */
    EXPR_STRING,        /* text: decoded, no interpolation in it */
    EXPR_INTERPOLATION, /* items: EXPR_STRING pieces and expressions, in order */
    EXPR_PATTERN,       /* text: between the slashes, "\/" undone */
    EXPR_LIST,          /* items: [ ... ] */
    EXPR_SET,           /* items: { ... } */
    EXPR_NAME,          /* text; checked: let */
    EXPR_FIELD,         /* root, path */
    EXPR_NOT,           /* left */
    EXPR_HAS,           /* left: a field */
    EXPR_LENGTH,        /* left: length(x) */
    EXPR_BINARY,        /* op, left, right */
    EXPR_CALL,          /* function, items */
    EXPR_MEMBER,        /* left.text */
    EXPR_INDEX,         /* left[index] */
    EXPR_EACH,          /* left[]: every element; only in what a quantifier goes over */
    EXPR_QUANTIFIER,    /* quantifier, text (the variable), left (the list), right (the body) */
};

enum function {
#define FUNCTION(NAME, word, least, most, doc) FN_##NAME,
#include "compiler/syntax/function.def"
#undef FUNCTION
    FN_COUNT
};

struct function_info {
    Str word;
    uint32_t least, most;
    const char *doc;
};
extern const struct function_info function_table[FN_COUNT];

enum quantifier { QUANTIFIER_ANY, QUANTIFIER_ALL, QUANTIFIER_COUNT, QUANTIFIER_SUM };

/* What a number's literal was written as. */
enum unit { UNIT_NONE, UNIT_TIME, UNIT_DATE, UNIT_DURATION };

enum binary_op {
    OP2_AND,
    OP2_OR,
    OP2_EQ,
    OP2_NE,
    OP2_LT,
    OP2_LE,
    OP2_GT,
    OP2_GE,
    OP2_IN, /* right: set, list (constant or an argument), or an EXPR_NAME of one */
    OP2_STARTS,
    OP2_ENDS,
    OP2_CONTAINS, /* left string, right string; or left list, right element */
    OP2_MATCHES,  /* right: EXPR_PATTERN or an EXPR_NAME of one */
    OP2_LIKE,     /* right: a constant string read as a glob */
    OP2_WITHIN,   /* a path below a folder, a host in a domain, a list in a set */
    OP2_ADD,
    OP2_SUB,
    OP2_MUL,
    OP2_ELSE, /* left ?? right */
};

enum field_root { ROOT_ARGS, ROOT_PRINCIPAL, ROOT_GRANT, ROOT_CLIENT, ROOT_CALL, ROOT_NOW };

struct name { /* a key of a field path, a group of strings in a clause */
    Str text;
    Span span;
    struct name *next;
};

struct let_decl;

struct expr {
    enum expr_kind kind;
    Span span;
    Type type;         /* checked */
    struct expr *next; /* in items */
    bool truth;
    bool is_piece; /* of EXPR_STRING: the bare text of an interpolation */
    Str text;
    enum binary_op op;
    struct expr *left, *right, *items;
    uint32_t height; /* nodes below on the longest way down: at most POLICY_NESTING_MAX */
    enum field_root root;
    struct name *path;  /* at least one, but of ROOT_NOW */
    uint32_t slot_root; /* checked: enum b_slot_root of a field */
    enum function function;
    enum quantifier quantifier;
    enum unit unit;
    uint32_t index;
    struct name *roles;                  /* of a quantifier `in args by role a, b`; else NULL */
    struct let_decl *let;                /* checked: for EXPR_NAME that names a let */
    struct expr *binding;                /* checked: for EXPR_NAME that names a variable */
    Type element;                        /* checked: what the variable of a quantifier is */
    const struct schema *schema;         /* checked: what a value looks like; NULL: not known */
    const struct schema *element_schema; /* checked: of a quantifier */
};

struct import_decl { /* import "FILE"; */
    Str path;
    Span path_span, span;
    uint32_t source; /* checked: what it was read as; 0: not read here */
    struct import_decl *next;
};

/* A let, or a param: a let whose value may be given when the policy is compiled; or the `let` of a
 * rule: a name for a value or condition that may read the call, known in that rule behind it. */
struct let_decl {
    bool is_param, is_local;
    Str type_word; /* of a param: "string", "number", "boolean" */
    Span type_span;
    bool is_set; /* of a param: a set of them */
    Str name;
    Span name_span, span;
    struct expr *value; /* NULL: a param without a default, until one is given */
    bool is_used;       /* checked */
    bool is_busy;       /* private to the checker: cycle detection */
    bool is_checked;    /* private to the checker */
    uint32_t weight;    /* checked: constants in it, those of named lets counted each time; of a
                         * local: nodes, written out */
    uint32_t height;    /* checked, of a local: as of an expression, names in it written out */
    struct let_decl *next;
};

struct server_decl {
    Str alias;
    Span alias_span, span;
    Str tools_path; /* empty: not pinned */
    Span tools_span;
    Str classes_path; /* empty: none */
    Span classes_span;
    struct class_table *classes; /* checked; NULL: none */
    bool is_open;
    struct snapshot *snapshot; /* checked; NULL when not pinned */
    struct server_decl *next;
};

enum { PROFILES_MAX = 64 }; /* of one policy */

/* profile "name" extends "other" { rules and tests }. Blocks of one name, from several files, are
 * one profile. */
struct profile_decl {
    Str name, extends; /* extends: empty: none */
    Span name_span, extends_span, span;
    bool is_chosen; /* by policy_choose: what is in it counts */
    struct profile_decl *next;
};

enum effect { EFFECT_DENY, EFFECT_ASK, EFFECT_ALLOW };

struct set_decl {               /* place = value, of a rule's `set` */
    struct expr *place, *value; /* place: args.a.b, which the checker sees to */
    Span span;
    struct set_decl *next;
};

/* What is claimed of the rules: `never allow` and so on. A claim's effect is that of the rule which
 * would change nothing if the claim holds: deny of "never allow" and "always deny". */
enum claim { CLAIM_NONE, CLAIM_NEVER_ALLOW, CLAIM_ALWAYS_DENY, CLAIM_ALWAYS_ALLOW };

struct rule {               /* a rule, or a claim */
    enum claim claim;       /* NONE: it is a rule */
    enum effect effect;     /* EFFECT_ASK is parsed and refused by the checker in this version */
    enum message_kind kind; /* KIND_COUNT: no kind, which was reported */
    Span kind_span;
    struct name *names;   /* literal names or globs (with *, ?, [..], {..}); NULL: any */
    struct name *effects; /* words of effect.def; NULL: any */
    struct name *flags;   /* words of flag.def, one of which the tool has; NULL: whatever flags */
    uint32_t effect_set, flag_set;      /* checked: a bit each; 0 with effects or flags NULL */
    struct name *servers;               /* `on "a", "b"`; NULL: every server */
    const struct profile_decl *profile; /* NULL: of all profiles */
    struct let_decl *locals;            /* NULL: none */
    struct expr *when;                  /* NULL: always. `unless x` is stored as EXPR_NOT of x */
    bool is_unless;                     /* for the printer */
    struct set_decl *sets;              /* NULL: none. Only an allow may have them */
    bool advertises;                    /* clients are shown what `when` asks of arguments */
    Span advertise_span;
    Str reason; /* empty: none */
    Span span, reason_span;
    struct rule *next;
};

struct default_decl {
    Str reason;
    Span span, reason_span;
    bool is_present;
};

enum expectation { EXPECT_ALLOW, EXPECT_DENY };

struct test_call { /* one call with what is expected of it */
    Str server;    /* `on "alias"`; empty: the only one */
    Span server_span;
    enum message_kind kind; /* KIND_COUNT: no kind, which was reported */
    Str name;               /* of the tool, the URI of the resource; empty where there is none */
    Str method;             /* as written behind the name; empty: the kind's first */
    Str arguments;          /* the JSON text as it stands in the source; empty: none */
    Span kind_span;         /* hi 0: a tool, whose kind is not written */
    Span name_span;         /* hi 0: not written */
    Span method_span, arguments_span;
    Str principal; /* the JSON text of the `as` in force; empty: none */
    Span principal_span;
    enum expectation expectation;
    Str reason;       /* must occur in the reason; empty: any */
    Span expect_span; /* hi 0: no `expect` followed (an error) */
    Span expect_reason_span;
    Str set;       /* the JSON text behind `expect allow set`: what is forwarded otherwise */
    Span set_span; /* hi 0: the test does not ask */
    Str at;        /* the time of the `at` in force, RFC 3339; empty: now */
    Span at_text_span, at_span; /* at_span.hi 0: no `at` is in force */
    Span call_span, as_span;    /* of the statements; as_span.hi 0: no `as` is in force */
    struct test_call *next;
};

struct test {
    const struct profile_decl *profile; /* runs with it; NULL: with every one */
    Str name;
    Span name_span, span;
    struct test_call *calls;
    struct test *next;
};

struct policy {
    uint32_t source;
    Str name;
    uint32_t version;     /* 0: not given */
    Span name_span, span; /* span.hi 0: the source has no `policy` statement */
    struct import_decl *imports;
    struct server_decl *servers;
    struct let_decl *lets;
    struct profile_decl *profiles;
    Str profile;         /* the one that was chosen; empty: none */
    struct rule *rules;  /* of all profiles, in source order */
    struct rule *claims; /* likewise; nothing of them is in a bundle */
    struct default_decl fallback;
    struct test *tests;
    struct comment *comments; /* all, in source order, for the printer */
};

struct comment {
    Span span;          /* from the opening mark to its end, without the line end */
    bool is_line_start; /* nothing but white space stands before it on its line */
    struct comment *next;
};

#endif
