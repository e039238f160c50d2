/* SPDX-License-Identifier: Apache-2.0 */
/* policy.y - the syntax of policies. Every action is one call of compiler/syntax/parse.h.
 *
 * Precedence is in the shape of the rules, loosest first: or, and, not, comparison (which does
 * not chain), "??", primary. There are no conflicts and no precedence declarations.
 */
%name policy_push
%token_prefix TK_
%token_type {struct token}
%default_type {struct token}
%extra_context {struct parse *ps}
%start_symbol policy

%include {
#include "compiler/syntax/parse.h"
#ifdef __clang__ /* Lemon's own code: a list of case labels, an assert behind a switch */
#pragma clang diagnostic ignored "-Wimplicit-fallthrough"
#pragma clang diagnostic ignored "-Wunreachable-code"
#endif
static const struct token absent;
static const struct names no_names;
static const struct operands no_items;
static const struct sets no_sets;
static const struct locals no_locals;
static const struct operand no_value;
}

/* A fixed stack is a limit on nesting. parse.c bounds brackets far below it; what is left is
 * "not not not ...". */
%stack_size 1024
%stack_overflow { parse_too_deep(ps, (Span){ .source = ps->source, .lo = 0, .hi = 0 }); }

/* Errors are found, reported and recovered from in parse.c, before the parser sees the token. */
%syntax_error { (void)yymajor; }

/* Never part of a rule: a token that forces the parser into error recovery. */
%token RESERVED.

//////////////////////////////// statements /////////////////////////////////
policy ::= statements.
statements ::= .
statements ::= statements statement.
statement ::= error SEMI.

statement ::= POLICY(K) STRING(N) version(V) SEMI(E).
    { ast_policy(ps, N, V, span_join(K.span, E.span)); }
version(A) ::= .                    { A = absent; }
version(A) ::= VERSION NUMBER(N).   { A = N; }

statement ::= SERVER(K) STRING(N) classes(C) SEMI(E).
    { ast_server(ps, N, absent, C, absent, span_join(K.span, E.span)); }
statement ::= SERVER(K) STRING(N) TOOLS STRING(T) classes(C) open(O) SEMI(E).
    { ast_server(ps, N, T, C, O, span_join(K.span, E.span)); }
classes(A) ::= .                    { A = absent; }
classes(A) ::= CLASSES STRING(T).   { A = T; }
open(A) ::= .                       { A = absent; }
open(A) ::= OPEN(T).                { A = T; }

statement ::= LET(K) NAME(N) ASSIGN expr(V) SEMI(E).
    { ast_let(ps, N, V, span_join(K.span, E.span)); }

statement ::= IMPORT(K) STRING(F) SEMI(E).
    { ast_import(ps, F, span_join(K.span, E.span)); }
statement ::= PARAM(K) NAME(N) COLON type(T) SEMI(E).
    { ast_param(ps, N, T, no_value, span_join(K.span, E.span)); }
statement ::= PARAM(K) NAME(N) COLON type(T) ASSIGN expr(V) SEMI(E).
    { ast_param(ps, N, T, V, span_join(K.span, E.span)); }
%type type {struct param_type}
type(A) ::= NAME(T).                { A = (struct param_type){ .word = T }; }
type(A) ::= SET OF NAME(T).         { A = (struct param_type){ .word = T, .is_set = true }; }

statement ::= DEFAULT(K) effect(F) reason(R) SEMI(E).
    { ast_default(ps, F, R, span_join(K.span, E.span)); }

////////////////////////////////// rules ////////////////////////////////////
%type rule {struct rule *}
rule(A) ::= effect(F) selector(S) on(O) locals(L).
    { A = ast_rule(ps, F, S, O, L); }
rule(A) ::= effect(F) kind(S) on(O) locals(L).
    { A = ast_rule(ps, F, S, O, L); }

%type locals {struct locals}
%type local_list {struct locals}
locals(A) ::= .                     { A = no_locals; }
locals(A) ::= LET local_list(L).    { A = L; }
local_list(A) ::= NAME(N) ASSIGN expr(V).
    { A = ast_local(ps, no_locals, N, V); }
local_list(A) ::= local_list(L) COMMA NAME(N) ASSIGN expr(V).
    { A = ast_local(ps, L, N, V); }

/* The words of kinds are no keywords: they mean a kind here and behind `call` only. */
%type kind {struct selector}
kind(A) ::= NAME(K).                { A = ast_select_kind(ps, K, no_names); }
kind(A) ::= NAME(K) names(L).       { A = ast_select_kind(ps, K, L); }

%type selector {struct selector}
selector(A) ::= TOOL(K) names(L).   { A = ast_select_tools(K, L); }
selector(A) ::= EFFECT roles(L).
    { A = ast_select_effects(ps, (struct selector){ .kind = KIND_TOOL }, L); }
selector(A) ::= FLAG roles(L).
    { A = ast_select_flags(ps, (struct selector){ .kind = KIND_TOOL }, L); }
selector(A) ::= selector(S) EFFECT roles(L).
    { A = ast_select_effects(ps, S, L); }
selector(A) ::= selector(S) FLAG roles(L).
    { A = ast_select_flags(ps, S, L); }
statement ::= rule_statement.
rule_statement ::= rule(R) condition(C) sets(S) advertise(V) reason(W) SEMI(E).
    { ast_advertise(R, V); ast_rule_end(ps, R, C, S, W, E.span); }
advertise(A) ::= .                  { A = absent; }
advertise(A) ::= ADVERTISE(T).      { A = T; }

/* Claims: nothing of them acts, mcpc prove asks whether they are so. */
%type claim {struct rule *}
claim(A) ::= stance(F) selector(S) on(O) locals(L).
    { A = ast_claim(ps, F, S, O, L); }
claim(A) ::= stance(F) kind(S) on(O) locals(L).
    { A = ast_claim(ps, F, S, O, L); }
%type stance {struct stance}
stance(A) ::= NEVER(K) ALLOW(E).    { A = ast_stance(CLAIM_NEVER_ALLOW, K, E); }
stance(A) ::= ALWAYS(K) DENY(E).    { A = ast_stance(CLAIM_ALWAYS_DENY, K, E); }
stance(A) ::= ALWAYS(K) ALLOW(E).   { A = ast_stance(CLAIM_ALWAYS_ALLOW, K, E); }
rule_statement ::= claim(R) condition(C) reason(W) SEMI(E).
    { ast_rule_end(ps, R, C, no_sets, W, E.span); }

%type sets {struct sets}
%type set_list {struct sets}
sets(A) ::= .                       { A = no_sets; }
sets(A) ::= SET set_list(L).        { A = L; }
set_list(A) ::= postfix(P) ASSIGN expr(V).
    { A = ast_set(ps, no_sets, P, V); }
set_list(A) ::= set_list(L) COMMA postfix(P) ASSIGN expr(V).
    { A = ast_set(ps, L, P, V); }

effect(A) ::= ALLOW(T).             { A = T; }
effect(A) ::= ASK(T).               { A = T; }
effect(A) ::= DENY(T).              { A = T; }

%type names {struct names}
names(A) ::= STRING(T).             { A = ast_name(ps, no_names, T); }
names(A) ::= names(L) COMMA STRING(T).
    { A = ast_name(ps, L, T); }

%type on {struct names}
on(A) ::= .                         { A = no_names; }
on(A) ::= ON names(L).              { A = L; }

%type condition {struct clause}
condition(A) ::= .
    { A = (struct clause){ .keyword = absent }; }
condition(A) ::= WHEN(K) expr(E).
    { A = (struct clause){ .keyword = K, .condition = E }; }
condition(A) ::= UNLESS(K) expr(E).
    { A = (struct clause){ .keyword = K, .condition = E }; }

reason(A) ::= .                     { A = absent; }
reason(A) ::= REASON STRING(T).     { A = T; }

///////////////////////////////// profiles //////////////////////////////////
profile_head ::= PROFILE(K) STRING(N) LBRACE.
    { ast_profile(ps, K, N, absent); }
profile_head ::= PROFILE(K) STRING(N) EXTENDS STRING(X) LBRACE.
    { ast_profile(ps, K, N, X); }
statement ::= profile_head profile_items RBRACE(E).
    { ast_profile_end(ps, E.span); }
profile_items ::= .
profile_items ::= profile_items profile_item.
profile_item ::= error SEMI.
profile_item ::= rule_statement.
profile_item ::= test_statement.

////////////////////////////////// tests ////////////////////////////////////
test_head ::= TEST(K) STRING(N) LBRACE.
    { ast_test(ps, K, N); }
statement ::= test_statement.
test_statement ::= test_head test_items RBRACE(E).
    { ast_test_end(ps, E.span); }
test_items ::= .
test_items ::= test_items test_item.
test_item ::= error SEMI.
test_item ::= AS(K) JSON(J) SEMI(E).
    { ast_as(ps, J, span_join(K.span, E.span)); }
test_item ::= CALL(K) message(M) on_one(O) json(J) SEMI(E).
    { ast_call(ps, M, O, J, span_join(K.span, E.span)); }
test_item ::= AT(K) STRING(T) SEMI(E).
    { ast_at(ps, T, span_join(K.span, E.span)); }
test_item ::= EXPECT(K) effect(V) text(R) SEMI(E).
    { ast_expect(ps, V, R, absent, span_join(K.span, E.span)); }
test_item ::= EXPECT(K) ALLOW(V) SET JSON(S) SEMI(E).
    { ast_expect(ps, V, absent, S, span_join(K.span, E.span)); }
%type message {struct message}
message(A) ::= STRING(T).           { A = ast_tool_message(T); }
message(A) ::= NAME(K).             { A = ast_message(ps, K, absent); }
message(A) ::= NAME(K) STRING(T).   { A = ast_message(ps, K, T); }
message(A) ::= NAME(K) STRING(T) BY STRING(M).
    { A = ast_message(ps, K, T); A.method = M; }
on_one(A) ::= .                     { A = absent; }
on_one(A) ::= ON STRING(T).         { A = T; }
json(A) ::= .                       { A = absent; }
json(A) ::= JSON(T).                { A = T; }
text(A) ::= .                       { A = absent; }
text(A) ::= STRING(T).              { A = T; }

/////////////////////////////// expressions /////////////////////////////////
%type expr       {struct operand}
%type or_chain   {struct operands}
%type conjunct   {struct operand}
%type and_chain  {struct operands}
%type negation   {struct operand}
%type comparison {struct operand}
%type value      {struct operand}
%type primary    {struct operand}

expr(A) ::= or_chain(C).            { A = ast_chain(ps, OP2_OR, C); }
or_chain(A) ::= conjunct(E).        { A = ast_item(no_items, E); }
or_chain(A) ::= or_chain(L) OR conjunct(E).
    { A = ast_item(L, E); }

conjunct(A) ::= and_chain(C).       { A = ast_chain(ps, OP2_AND, C); }
and_chain(A) ::= negation(E).       { A = ast_item(no_items, E); }
and_chain(A) ::= and_chain(L) AND negation(E).
    { A = ast_item(L, E); }

negation(A) ::= comparison(E).      { A = E; }
negation(A) ::= NOT(K) negation(E). { A = ast_unary(ps, EXPR_NOT, K, E); }
negation(A) ::= quantifier(K) NAME(N) IN value(L) COLON negation(B).
    { A = ast_quantifier(ps, K, N, L, B, B.span); }
negation(A) ::= quantifier(K) NAME(N) IN ARGS BY ROLE roles(R) COLON negation(B).
    { A = ast_by_role(ps, K, N, R, B); }
quantifier(A) ::= ANY(T).           { A = T; }
quantifier(A) ::= ALL(T).           { A = T; }

%type roles {struct names}
roles(A) ::= NAME(T).               { A = ast_name(ps, no_names, T); }
roles(A) ::= roles(L) COMMA NAME(T). { A = ast_name(ps, L, T); }

comparison(A) ::= sum(E).           { A = E; }
comparison(A) ::= sum(L) compare(O) sum(R).
    { A = ast_binary(ps, O, L, R); }
comparison(A) ::= sum(L) NOT(K) IN sum(R).
    { A = ast_unary(ps, EXPR_NOT, (struct token){ .span = L.span, .kind = K.kind }, ast_binary(ps, OP2_IN, L, R)); }

%type compare {enum binary_op}
compare(A) ::= EQ.                  { A = OP2_EQ; }
compare(A) ::= NE.                  { A = OP2_NE; }
compare(A) ::= LT.                  { A = OP2_LT; }
compare(A) ::= LE.                  { A = OP2_LE; }
compare(A) ::= GT.                  { A = OP2_GT; }
compare(A) ::= GE.                  { A = OP2_GE; }
compare(A) ::= IN.                  { A = OP2_IN; }
compare(A) ::= STARTS WITH.         { A = OP2_STARTS; }
compare(A) ::= ENDS WITH.           { A = OP2_ENDS; }
compare(A) ::= CONTAINS.            { A = OP2_CONTAINS; }
compare(A) ::= MATCHES.             { A = OP2_MATCHES; }
compare(A) ::= LIKE.                { A = OP2_LIKE; }
compare(A) ::= WITHIN.              { A = OP2_WITHIN; }

%type sum {struct operand}
%type product {struct operand}
sum(A) ::= product(E).              { A = E; }
sum(A) ::= sum(L) PLUS product(R).  { A = ast_binary(ps, OP2_ADD, L, R); }
sum(A) ::= sum(L) MINUS product(R). { A = ast_binary(ps, OP2_SUB, L, R); }
product(A) ::= value(E).            { A = E; }
product(A) ::= product(L) STAR value(R).
    { A = ast_binary(ps, OP2_MUL, L, R); }

value(A) ::= primary(E).            { A = E; }
value(A) ::= primary(L) ELSE value(R).
    { A = ast_binary(ps, OP2_ELSE, L, R); }

primary(A) ::= NULL(T).             { A = ast_literal(ps, EXPR_NULL, T); }
primary(A) ::= TRUE(T).             { A = ast_literal(ps, EXPR_BOOL, T); }
primary(A) ::= FALSE(T).            { A = ast_literal(ps, EXPR_BOOL, T); }
primary(A) ::= NUMBER(T).           { A = ast_number(ps, absent, T); }
primary(A) ::= MINUS(M) NUMBER(T).  { A = ast_number(ps, M, T); }
primary(A) ::= TIME(T).             { A = ast_number(ps, absent, T); }
primary(A) ::= DATE(T).             { A = ast_number(ps, absent, T); }
primary(A) ::= DURATION(T).         { A = ast_number(ps, absent, T); }
primary(A) ::= STRING(T).           { A = ast_literal(ps, EXPR_STRING, T); }
primary(A) ::= REGEX(T).            { A = ast_literal(ps, EXPR_PATTERN, T); }
primary(A) ::= LPAREN(L) expr(E) RPAREN(R).
    { A = (struct operand){ .expr = E.expr, .span = span_join(L.span, R.span) }; }
primary(A) ::= LBRACK(L) items(I) RBRACK(R).
    { A = ast_group(ps, EXPR_LIST, I, span_join(L.span, R.span)); }
primary(A) ::= LBRACE(L) items(I) RBRACE(R).
    { A = ast_group(ps, EXPR_SET, I, span_join(L.span, R.span)); }
primary(A) ::= postfix(F).          { A = F; }
primary(A) ::= HAS(K) postfix(F).   { A = ast_unary(ps, EXPR_HAS, K, F); }
primary(A) ::= tally(K) LPAREN NAME(N) IN value(L) COLON expr(B) RPAREN(R).
    { A = ast_quantifier(ps, K, N, L, B, R.span); }
tally(A) ::= COUNT(T).              { A = T; }
tally(A) ::= SUM(T).                { A = T; }
primary(A) ::= pieces(P) TAIL(T).   { A = ast_interpolation(ps, P, T); }

%type pieces {struct operands}
pieces(A) ::= HEAD(T) expr(E).      { A = ast_pieces(ps, no_items, T, E); }
pieces(A) ::= pieces(P) MIDDLE(T) expr(E).
    { A = ast_pieces(ps, P, T, E); }

%type items {struct operands}
%type item_list {struct operands}
items(A) ::= .                      { A = no_items; }
items(A) ::= item_list(L).          { A = L; }
items(A) ::= item_list(L) COMMA.    { A = L; }
item_list(A) ::= expr(E).           { A = ast_item(no_items, E); }
item_list(A) ::= item_list(L) COMMA expr(E).
    { A = ast_item(L, E); }

%type postfix {struct operand}
postfix(A) ::= root(R) DOT key(K).  { A = ast_field(ps, R, K); }
postfix(A) ::= NOW(T).              { A = ast_now(ps, T); }
postfix(A) ::= NAME(T).             { A = ast_literal(ps, EXPR_NAME, T); }
postfix(A) ::= NAME(N) LPAREN items(I) RPAREN(R).
    { A = ast_call_function(ps, N, I, R.span); }
postfix(A) ::= postfix(L) DOT key(K). { A = ast_member(ps, L, K); }
postfix(A) ::= postfix(L) LBRACK NUMBER(N) RBRACK(R).
    { A = ast_index(ps, L, N, R.span); }
postfix(A) ::= postfix(L) LBRACK RBRACK(R).
    { A = ast_each(ps, L, R.span); }
root(A) ::= ARGS(T).                { A = T; }
root(A) ::= PRINCIPAL(T).           { A = T; }
root(A) ::= GRANT(T).               { A = T; }
root(A) ::= CLIENT(T).              { A = T; }
root(A) ::= CALL(T).                { A = T; }
key(A) ::= NAME(T).                 { A = T; }
key(A) ::= STRING(T).               { A = T; }

%code {
size_t policy_parser_bytes(void)
{
    return sizeof(yyParser);
}

/* A parse without actions, on a copy of the state numbers alone. */
bool policy_takes(const void *parser, int kind)
{
    const yyParser *p = parser;
    YYACTIONTYPE states[YYSTACKDEPTH + 1];
    int top = (int)(p->yytos - p->yystack);
    for (int i = 0; i <= top; i++)
        states[i] = p->yystack[i].stateno;
    for (;;) {
        YYACTIONTYPE action = yy_find_shift_action((YYCODETYPE)kind, states[top]);
        if (action < YY_MIN_REDUCE)
            return action <= YY_MAX_SHIFTREDUCE || action == YY_ACCEPT_ACTION;
        int rule = action - YY_MIN_REDUCE;
        top += yyRuleInfoNRhs[rule];
        action = yy_find_reduce_action(states[top], yyRuleInfoLhs[rule]);
        if (top >= YYSTACKDEPTH - 1)
            return false;
        states[++top] = action;
    }
}
}
