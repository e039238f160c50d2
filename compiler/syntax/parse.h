/* SPDX-License-Identifier: Apache-2.0 */
/* parse.h - between the grammar and the tree: what a rule of grammar/policy.y calls when it is
 * complete. Private to parse.c, ast.c, ast_expr.c and the grammar.
 *
 * Each action is one call, takes what it is given into the tree and never fails towards the
 * grammar: without memory it marks the parse as stopped and gives NULL, which every action takes.
 */
#ifndef COMPILER_SYNTAX_PARSE_H
#define COMPILER_SYNTAX_PARSE_H

#include "compiler/syntax/lex.h"
#include "compiler/syntax/syntax.h"

struct parse {
    struct arena *mem;
    struct diags *diags;
    struct policy *policy;
    uint32_t source;
    bool is_stopped; /* nothing more is taken: a limit was hit */
    struct server_decl *last_server;
    struct let_decl *last_let;
    struct import_decl *last_import;
    struct rule *last_rule, *last_claim;
    struct profile_decl *profile, *last_profile; /* profile: the one being read */
    struct test *test, *last_test;               /* test: the one being read */
    struct test_call *last_call;
    struct token as; /* the `as` in force; kind 0: none */
    Span as_span;
    struct token at; /* the `at` in force; kind 0: none */
    Span at_span;
    bool is_as_unused; /* no call has been made under it */
    Span bad_kind;     /* the word reported last as no kind */
};

/* An expression with all that belongs to it in the source, parentheses too. */
struct operand {
    struct expr *expr; /* NULL only when the parse was stopped */
    Span span;
};

struct operands { /* in order, linked by next */
    struct expr *first, *last;
    uint32_t count;
    Span span;
};

struct names {
    struct name *first, *last;
    Span span;
};

/* string, number, boolean, or a set of one of them. */
struct param_type {
    struct token word;
    bool is_set;
};

/* Which messages a rule is about: each part narrows. */
struct selector {
    enum message_kind kind;
    Span kind_span;
    struct names names, effects, flags;
};

/* Which message a test makes, but for its arguments. */
struct message {
    enum message_kind kind;
    struct token kind_word, name, method;
};

struct stance { /* the words that begin a claim */
    enum claim claim;
    Span span;
};

struct locals { /* NAME = value, ... of a rule */
    struct let_decl *first, *last;
};

struct sets { /* place = value, ... */
    struct set_decl *first, *last;
};

struct clause { /* one that may be absent: then kind is 0 */
    struct token keyword, text;
    struct operand condition;
};

/* The parser that Lemon makes. */
size_t policy_parser_bytes(void);
void policy_pushInit(void *parser, struct parse *ps); /* NOLINT(readability-identifier-naming) */
void policy_push(void *parser, int kind, struct token token);
/* Would the parser, as it stands, take this token? Changes nothing. */
bool policy_takes(const void *parser, int kind);

/* Stops the parse: nested too deeply, or no memory. */
void parse_too_deep(struct parse *ps, Span span);
void parse_no_memory(struct parse *ps);

void ast_policy(struct parse *ps, struct token name, struct token version, Span span);
void ast_server(struct parse *ps, struct token alias, struct token tools, struct token classes,
                struct token open, Span span);
void ast_let(struct parse *ps, struct token name, struct operand value, Span span);
void ast_import(struct parse *ps, struct token path, Span span);
void ast_param(struct parse *ps, struct token name, struct param_type type, struct operand value,
               Span span);
void ast_default(struct parse *ps, struct token effect, struct token reason, Span span);
/* A kind of message by its word; reports one that is none. */
struct selector ast_select_kind(struct parse *ps, struct token word, struct names names);
struct selector ast_select_tools(struct token word, struct names names);
struct selector ast_select_effects(struct parse *ps, struct selector selector, struct names names);
struct selector ast_select_flags(struct parse *ps, struct selector selector, struct names names);
struct locals ast_local(struct parse *ps, struct locals list, struct token name,
                        struct operand value);
struct rule *ast_rule(struct parse *ps, struct token effect, struct selector selector,
                      struct names servers, struct locals locals);
/* A claim: a rule that does not act, but says what the rules do. */
struct stance ast_stance(enum claim claim, struct token word, struct token effect);
struct rule *ast_claim(struct parse *ps, struct stance stance, struct selector selector,
                       struct names servers, struct locals locals);
struct sets ast_set(struct parse *ps, struct sets list, struct operand place, struct operand value);
void ast_advertise(struct rule *rule, struct token word);
void ast_rule_end(struct parse *ps, struct rule *rule, struct clause condition, struct sets sets,
                  struct token reason, Span end);
void ast_profile(struct parse *ps, struct token keyword, struct token name, struct token extends);
void ast_profile_end(struct parse *ps, Span end);
void ast_test(struct parse *ps, struct token keyword, struct token name);
void ast_test_end(struct parse *ps, Span end);
void ast_as(struct parse *ps, struct token json, Span span);
struct message ast_message(struct parse *ps, struct token kind, struct token name);
struct message ast_tool_message(struct token name);
void ast_call(struct parse *ps, struct message message, struct token server, struct token json,
              Span span);
/* Reports a word that is no kind of message, once for each place. */
void ast_bad_kind(struct parse *ps, struct token word);
void ast_at(struct parse *ps, struct token time, Span span);
void ast_expect(struct parse *ps, struct token verdict, struct token reason, struct token set,
                Span span);

struct names ast_name(struct parse *ps, struct names list, struct token token);
struct operands ast_item(struct operands list, struct operand item);

struct operand ast_literal(struct parse *ps, enum expr_kind kind, struct token token);
struct operand ast_group(struct parse *ps, enum expr_kind kind, struct operands items, Span span);
struct operands ast_pieces(struct parse *ps, struct operands pieces, struct token text,
                           struct operand value);
struct operand ast_interpolation(struct parse *ps, struct operands pieces, struct token tail);
struct operand ast_field(struct parse *ps, struct token root, struct token key);
struct operand ast_unary(struct parse *ps, enum expr_kind kind, struct token keyword,
                         struct operand value);
struct operand ast_binary(struct parse *ps, enum binary_op op, struct operand left,
                          struct operand right);
/* a op b op c ... as a tree of least height. */
struct operand ast_chain(struct parse *ps, enum binary_op op, struct operands items);
struct operand ast_number(struct parse *ps, struct token minus, struct token token);
struct operand ast_now(struct parse *ps, struct token token);
struct operand ast_member(struct parse *ps, struct operand left, struct token key);
struct operand ast_index(struct parse *ps, struct operand left, struct token number, Span end);
struct operand ast_each(struct parse *ps, struct operand left, Span end);
struct operand ast_quantifier(struct parse *ps, struct token word, struct token variable,
                              struct operand list, struct operand body, Span end);
/* any/all VARIABLE in args by role ROLES: body */
struct operand ast_by_role(struct parse *ps, struct token word, struct token variable,
                           struct names roles, struct operand body);
struct operand ast_call_function(struct parse *ps, struct token name, struct operands values,
                                 Span end);

Span span_join(Span first, Span last);

#endif
