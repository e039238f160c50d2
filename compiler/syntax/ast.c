/* SPDX-License-Identifier: Apache-2.0 */
/* ast.c - builds the tree, one function a kind of node. What only the place in the source can tell
 * (a second default, an expect without a call) is reported here; all else is the checker's. Every
 * expression knows its height, and none higher than POLICY_NESTING_MAX is made, so whoever walks
 * the tree by recursion later is bounded. */
#include "compiler/syntax/parse.h"
#include "grammar/policy.h"

enum { VERSION_MAX = 0x7fffffff };

Span span_join(Span first, Span last)
{
    return (Span){ .source = first.source, .lo = first.lo, .hi = last.hi };
}

void parse_no_memory(struct parse *ps)
{
    if (!ps->is_stopped)
        diag_add(ps->diags, DIAG_NO_MEMORY, (Span){ .source = ps->source, .lo = 0, .hi = 0 });
    ps->is_stopped = true;
}

void parse_too_deep(struct parse *ps, Span span)
{
    if (!ps->is_stopped)
        diag_add(ps->diags, DIAG_TOO_DEEP, span, POLICY_NESTING_MAX);
    ps->is_stopped = true;
}

static const struct operand nothing;

/* ------------------------------ statements ------------------------------ */

void ast_policy(struct parse *ps, struct token name, struct token version, Span span)
{
    if (ps->policy->span.hi) {
        diag_add(ps->diags, DIAG_DUPLICATE_POLICY, span);
        diag_help(ps->diags, "one source holds one policy");
        return;
    }
    ps->policy->name = name.text;
    ps->policy->name_span = name.span;
    ps->policy->span = span;
    uint64_t number = 0;
    if (version.kind && (!str_to_u64(version.text, VERSION_MAX, &number) || number == 0))
        diag_add(ps->diags, DIAG_BAD_VERSION, version.span, (unsigned)VERSION_MAX);
    ps->policy->version = (uint32_t)number;
}

void ast_server(struct parse *ps, struct token alias, struct token tools, struct token open,
                Span span)
{
    struct server_decl *server = ARENA_NEW(ps->mem, struct server_decl, 1);
    if (!server) {
        parse_no_memory(ps);
        return;
    }
    *server = (struct server_decl){
        .alias = alias.text,
        .alias_span = alias.span,
        .span = span,
        .tools_path = tools.text,
        .tools_span = tools.span,
        .is_open = open.kind != 0,
    };
    if (ps->last_server)
        ps->last_server->next = server;
    else
        ps->policy->servers = server;
    ps->last_server = server;
}

void ast_let(struct parse *ps, struct token name, struct operand value, Span span)
{
    struct let_decl *let = ARENA_NEW(ps->mem, struct let_decl, 1);
    if (!let || !value.expr) {
        parse_no_memory(ps);
        return;
    }
    *let = (struct let_decl){
        .name = name.text, .name_span = name.span, .span = span, .value = value.expr
    };
    if (ps->last_let)
        ps->last_let->next = let;
    else
        ps->policy->lets = let;
    ps->last_let = let;
}

void ast_default(struct parse *ps, struct token effect, struct token reason, Span span)
{
    if (effect.kind != TK_DENY) {
        diag_add(ps->diags, DIAG_DEFAULT_NOT_DENY, effect.span);
        diag_help(ps->diags, "a call that no rule allows is denied: that is what makes a policy "
                             "safe to extend");
        return;
    }
    if (ps->policy->fallback.is_present) {
        diag_add(ps->diags, DIAG_DUPLICATE_DEFAULT, span);
        return;
    }
    ps->policy->fallback = (struct default_decl){
        .reason = reason.text, .span = span, .reason_span = reason.span, .is_present = true
    };
}

static enum effect effect_of(int kind)
{
    return kind == TK_ALLOW ? EFFECT_ALLOW : kind == TK_ASK ? EFFECT_ASK : EFFECT_DENY;
}

struct rule *ast_rule(struct parse *ps, struct token effect, struct names tools,
                      struct names servers)
{
    struct rule *rule = ARENA_NEW(ps->mem, struct rule, 1);
    if (!rule) {
        parse_no_memory(ps);
        return NULL;
    }
    *rule = (struct rule){
        .effect = effect_of(effect.kind),
        .tools = tools.first,
        .servers = servers.first,
        .span = effect.span,
    };
    return rule;
}

void ast_rule_end(struct parse *ps, struct rule *rule, struct clause condition, struct token reason,
                  Span end)
{
    if (!rule)
        return;
    rule->is_unless = condition.keyword.kind == TK_UNLESS;
    rule->when = condition.condition.expr;
    if (rule->is_unless)
        rule->when = ast_unary(ps, EXPR_NOT, condition.keyword, condition.condition).expr;
    rule->reason = reason.text;
    rule->reason_span = reason.span;
    rule->span = span_join(rule->span, end);
    if (ps->last_rule)
        ps->last_rule->next = rule;
    else
        ps->policy->rules = rule;
    ps->last_rule = rule;
}

/* -------------------------------- tests --------------------------------- */

void ast_test(struct parse *ps, struct token keyword, struct token name)
{
    struct test *test = ARENA_NEW(ps->mem, struct test, 1);
    if (!test) {
        parse_no_memory(ps);
        return;
    }
    *test = (struct test){ .name = name.text,
                           .name_span = name.span,
                           .span = span_join(keyword.span, name.span) };
    ps->test = test;
    ps->last_call = NULL;
    ps->as = (struct token){ .kind = 0 };
    ps->is_as_unused = false;
    if (ps->last_test)
        ps->last_test->next = test;
    else
        ps->policy->tests = test;
    ps->last_test = test;
}

static void require_expect(struct parse *ps)
{
    if (ps->last_call && !ps->last_call->expect_span.hi)
        diag_add(ps->diags, DIAG_CALL_WITHOUT_EXPECT, ps->last_call->call_span);
}

/* An `as` that no call follows would look as if it had been tested. */
static void require_call(struct parse *ps)
{
    if (ps->is_as_unused)
        diag_add(ps->diags, DIAG_AS_WITHOUT_CALL, ps->as_span);
    ps->is_as_unused = false;
}

void ast_test_end(struct parse *ps, Span end)
{
    if (!ps->test)
        return;
    require_expect(ps);
    require_call(ps);
    if (!ps->test->calls)
        diag_add(ps->diags, DIAG_EMPTY_TEST, ps->test->span);
    ps->test->span = span_join(ps->test->span, end);
    ps->test = NULL;
}

void ast_as(struct parse *ps, struct token json, Span span)
{
    require_expect(ps);
    require_call(ps);
    ps->as = json;
    ps->as_span = span;
    ps->is_as_unused = true;
}

void ast_call(struct parse *ps, struct token tool, struct token server, struct token json,
              Span span)
{
    struct test_call *call = ARENA_NEW(ps->mem, struct test_call, 1);
    if (!call || !ps->test) {
        parse_no_memory(ps);
        return;
    }
    require_expect(ps);
    ps->is_as_unused = false;
    *call = (struct test_call){
        .server = server.text,
        .server_span = server.span,
        .tool = tool.text,
        .arguments = json.text,
        .tool_span = tool.span,
        .arguments_span = json.span,
        .principal = ps->as.text,
        .principal_span = ps->as.span,
        .call_span = span,
    };
    if (ps->as.kind)
        call->as_span = ps->as_span;
    if (ps->last_call)
        ps->last_call->next = call;
    else
        ps->test->calls = call;
    ps->last_call = call;
}

void ast_expect(struct parse *ps, struct token verdict, struct token reason, Span span)
{
    struct test_call *call = ps->last_call;
    if (!call) {
        diag_add(ps->diags, DIAG_EXPECT_WITHOUT_CALL, span);
    } else if (call->expect_span.hi) {
        diag_add(ps->diags, DIAG_SECOND_EXPECT, span);
    } else {
        if (verdict.kind == TK_ASK)
            diag_add(ps->diags, DIAG_ASK_UNAVAILABLE, verdict.span);
        call->expectation = verdict.kind == TK_ALLOW ? EXPECT_ALLOW : EXPECT_DENY;
        call->reason = reason.text;
        call->expect_reason_span = reason.span;
        call->expect_span = span;
    }
}

/* --------------------------------- lists -------------------------------- */

struct names ast_name(struct parse *ps, struct names list, struct token token)
{
    struct name *name = ARENA_NEW(ps->mem, struct name, 1);
    if (!name) {
        parse_no_memory(ps);
        return list;
    }
    *name = (struct name){ .text = token.text, .span = token.span };
    if (list.last)
        list.last->next = name;
    else
        list.first = name;
    list.span = list.last ? span_join(list.span, token.span) : token.span;
    list.last = name;
    return list;
}

struct operands ast_item(struct operands list, struct operand item)
{
    if (!item.expr)
        return list;
    item.expr->next = NULL;
    if (list.last)
        list.last->next = item.expr;
    else
        list.first = item.expr;
    list.span = list.last ? span_join(list.span, item.span) : item.span;
    list.last = item.expr;
    list.count++;
    return list;
}

/* ------------------------------ expressions ----------------------------- */

/* A copy of the node in the arena; stops the parse when the node is too high. */
static struct operand make(struct parse *ps, struct expr node)
{
    if (node.height > POLICY_NESTING_MAX) {
        parse_too_deep(ps, node.span);
        return nothing;
    }
    struct expr *expr = ARENA_NEW(ps->mem, struct expr, 1);
    if (!expr) {
        parse_no_memory(ps);
        return nothing;
    }
    *expr = node;
    return (struct operand){ .expr = expr, .span = node.span };
}

static uint32_t height_above(const struct expr *items)
{
    uint32_t height = 0;
    for (const struct expr *e = items; e; e = e->next)
        height = e->height + 1 > height ? e->height + 1 : height;
    return height;
}

struct operand ast_literal(struct parse *ps, enum expr_kind kind, struct token token)
{
    return make(ps, (struct expr){ .kind = kind,
                                   .span = token.span,
                                   .text = token.text,
                                   .truth = token.kind == TK_TRUE });
}

struct operand ast_group(struct parse *ps, enum expr_kind kind, struct operands items, Span span)
{
    return make(ps, (struct expr){ .kind = kind,
                                   .span = span,
                                   .items = items.first,
                                   .height = height_above(items.first) });
}

static struct operand make_piece(struct parse *ps, struct token text)
{
    struct operand piece = ast_literal(ps, EXPR_STRING, text);
    if (piece.expr)
        piece.expr->is_piece = true;
    return piece;
}

struct operands ast_pieces(struct parse *ps, struct operands pieces, struct token text,
                           struct operand value)
{
    if (text.text.n)
        pieces = ast_item(pieces, make_piece(ps, text));
    Span first = pieces.first ? pieces.span : text.span;
    pieces = ast_item(pieces, value);
    pieces.span = span_join(first, value.expr ? value.span : first);
    return pieces;
}

struct operand ast_interpolation(struct parse *ps, struct operands pieces, struct token tail)
{
    Span span = span_join(pieces.span, tail.span);
    if (tail.text.n)
        pieces = ast_item(pieces, make_piece(ps, tail));
    return ast_group(ps, EXPR_INTERPOLATION, pieces, span);
}

struct operand ast_field(struct parse *ps, struct token root, struct names path)
{
    return make(ps, (struct expr){ .kind = EXPR_FIELD,
                                   .span = span_join(root.span, path.span),
                                   .root = root.kind == TK_ARGS ? ROOT_ARGS : ROOT_PRINCIPAL,
                                   .path = path.first });
}

struct operand ast_unary(struct parse *ps, enum expr_kind kind, struct token keyword,
                         struct operand value)
{
    if (!value.expr)
        return nothing;
    return make(ps, (struct expr){ .kind = kind,
                                   .span = span_join(keyword.span, value.span),
                                   .left = value.expr,
                                   .height = value.expr->height + 1 });
}

struct operand ast_binary(struct parse *ps, enum binary_op op, struct operand left,
                          struct operand right)
{
    if (!left.expr || !right.expr)
        return nothing;
    uint32_t below =
        left.expr->height > right.expr->height ? left.expr->height : right.expr->height;
    return make(ps, (struct expr){ .kind = EXPR_BINARY,
                                   .span = span_join(left.span, right.span),
                                   .op = op,
                                   .left = left.expr,
                                   .right = right.expr,
                                   .height = below + 1 });
}

struct operand ast_chain(struct parse *ps, enum binary_op op, struct operands items)
{
    /* Join neighbours, pass by pass: the list halves, the order stays. */
    while (items.count > 1) {
        struct operands joined = { .first = NULL, .last = NULL, .count = 0, .span = items.span };
        struct expr *rest = items.first;
        while (rest && !ps->is_stopped) {
            struct expr *left = rest, *right = rest->next;
            rest = right ? right->next : NULL;
            struct operand one = { .expr = left, .span = left->span };
            if (right) {
                struct operand two = { .expr = right, .span = right->span };
                one = ast_binary(ps, op, one, two);
            }
            joined = ast_item(joined, one);
        }
        if (ps->is_stopped)
            return nothing;
        joined.span = items.span;
        items = joined;
    }
    if (items.first)
        items.first->next = NULL;
    return (struct operand){ .expr = items.first, .span = items.span };
}

/* Functions that later versions bring, so that their absence can be told from a slip. */
static bool is_planned(Str name)
{
    static const Str planned[] = {
        // clang-format off
        STR_INIT("path"), STR_INIT("url"), STR_INIT("host"), STR_INIT("cidr"), STR_INIT("email"),
        STR_INIT("sql"), STR_INIT("shell"), STR_INIT("cli"), STR_INIT("json"), STR_INIT("yaml"),
        STR_INIT("lower"), STR_INIT("trim"), STR_INIT("min"), STR_INIT("max"),
        // clang-format on
    };
    for (size_t i = 0; i < COUNT(planned); i++)
        if (str_eq(planned[i], name))
            return true;
    return false;
}

struct operand ast_call_function(struct parse *ps, struct token name, struct operands values,
                                 Span end)
{
    Span span = span_join(name.span, end);
    if (str_eq(name.text, STR("length")) && values.count == 1)
        return make(ps, (struct expr){ .kind = EXPR_LENGTH,
                                       .span = span,
                                       .left = values.first,
                                       .height = values.first->height + 1 });
    if (str_eq(name.text, STR("length"))) {
        diag_add(ps->diags, DIAG_FUNCTION_VALUES, span, STR_ARG(name.text), 1, values.count);
    } else if (is_planned(name.text)) {
        diag_add(ps->diags, DIAG_FUNCTION_UNAVAILABLE, name.span, STR_ARG(name.text));
    } else {
        diag_add(ps->diags, DIAG_UNKNOWN_FUNCTION, name.span, STR_ARG(name.text));
        if (str_distance(name.text, STR("length"), 3) <= 3)
            diag_help(ps->diags, "did you mean 'length'?");
    }
    /* A name without letters is what was reported already: the checker passes it by. */
    return make(ps, (struct expr){ .kind = EXPR_NAME, .span = span });
}
