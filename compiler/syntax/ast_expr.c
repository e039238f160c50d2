/* SPDX-License-Identifier: Apache-2.0 */
/* ast_expr.c - builds the tree of an expression. Every node knows its height, and none higher than
 * POLICY_NESTING_MAX is made, so whoever walks the tree by recursion later is bounded. */
#include "compiler/syntax/parse.h"
#include "grammar/policy.h"

enum { AST_INDEX_MAX = 65535 };

static const struct operand nothing;

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

struct operand ast_number(struct parse *ps, struct token minus, struct token token)
{
    struct expr number = { .kind = EXPR_NUMBER, .span = token.span, .text = token.text };
    number.unit = token.kind == TK_TIME       ? UNIT_TIME
                  : token.kind == TK_DATE     ? UNIT_DATE
                  : token.kind == TK_DURATION ? UNIT_DURATION
                                              : UNIT_NONE;
    if (minus.kind) {
        number.span = span_join(minus.span, token.span);
        number.text = arena_printf(ps->mem, "-%.*s", STR_ARG(token.text));
        if (!number.text.p)
            parse_no_memory(ps);
    }
    return make(ps, number);
}

static enum field_root root_of(int kind)
{
    switch (kind) {
    case TK_ARGS: return ROOT_ARGS;
    case TK_PRINCIPAL: return ROOT_PRINCIPAL;
    case TK_GRANT: return ROOT_GRANT;
    case TK_CLIENT: return ROOT_CLIENT;
    case TK_CALL: return ROOT_CALL;
    default: return ROOT_NOW;
    }
}

struct operand ast_field(struct parse *ps, struct token root, struct token key)
{
    static const struct names none;
    struct names path = ast_name(ps, none, key);
    return make(ps, (struct expr){ .kind = EXPR_FIELD,
                                   .span = span_join(root.span, key.span),
                                   .root = root_of(root.kind),
                                   .path = path.first });
}

struct operand ast_now(struct parse *ps, struct token token)
{
    return make(ps, (struct expr){ .kind = EXPR_FIELD, .span = token.span, .root = ROOT_NOW });
}

/* Keys behind a field are part of its path; behind anything else they ask for a member. */
struct operand ast_member(struct parse *ps, struct operand left, struct token key)
{
    static const struct names none;
    if (!left.expr)
        return nothing;
    Span span = span_join(left.span, key.span);
    if (left.expr->kind != EXPR_FIELD || left.expr->root == ROOT_NOW)
        return make(ps, (struct expr){ .kind = EXPR_MEMBER,
                                       .span = span,
                                       .text = key.text,
                                       .left = left.expr,
                                       .height = left.expr->height + 1 });
    struct names step = ast_name(ps, none, key);
    struct name *last = left.expr->path;
    while (last->next)
        last = last->next;
    last->next = step.first;
    left.expr->span = span;
    return (struct operand){ .expr = left.expr, .span = span };
}

struct operand ast_index(struct parse *ps, struct operand left, struct token number, Span end)
{
    uint64_t index = 0;
    if (!left.expr)
        return nothing;
    if (!str_to_u64(number.text, AST_INDEX_MAX, &index))
        diag_add(ps->diags, DIAG_BAD_INDEX, number.span, (unsigned)AST_INDEX_MAX);
    return make(ps, (struct expr){ .kind = EXPR_INDEX,
                                   .span = span_join(left.span, end),
                                   .index = (uint32_t)index,
                                   .left = left.expr,
                                   .height = left.expr->height + 1 });
}

struct operand ast_each(struct parse *ps, struct operand left, Span end)
{
    if (!left.expr)
        return nothing;
    return make(ps, (struct expr){ .kind = EXPR_EACH,
                                   .span = span_join(left.span, end),
                                   .left = left.expr,
                                   .height = left.expr->height + 1 });
}

static enum quantifier quantifier_of(int kind)
{
    return kind == TK_ANY     ? QUANTIFIER_ANY
           : kind == TK_ALL   ? QUANTIFIER_ALL
           : kind == TK_COUNT ? QUANTIFIER_COUNT
                              : QUANTIFIER_SUM;
}

struct operand ast_quantifier(struct parse *ps, struct token word, struct token variable,
                              struct operand list, struct operand body, Span end)
{
    if (!list.expr || !body.expr)
        return nothing;
    uint32_t below = list.expr->height > body.expr->height ? list.expr->height : body.expr->height;
    return make(ps, (struct expr){ .kind = EXPR_QUANTIFIER,
                                   .span = span_join(word.span, end),
                                   .quantifier = quantifier_of(word.kind),
                                   .text = variable.text,
                                   .left = list.expr,
                                   .right = body.expr,
                                   .height = below + 1 });
}

struct operand ast_by_role(struct parse *ps, struct token word, struct token variable,
                           struct names roles, struct operand body)
{
    if (!body.expr)
        return nothing;
    return make(ps, (struct expr){ .kind = EXPR_QUANTIFIER,
                                   .span = span_join(word.span, body.span),
                                   .quantifier = quantifier_of(word.kind),
                                   .text = variable.text,
                                   .roles = roles.first,
                                   .right = body.expr,
                                   .height = body.expr->height + 1 });
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

static Str nearest_function(Str name)
{
    Str best = STR_INIT("length");
    size_t max = name.n <= 3 ? 1 : name.n <= 6 ? 2 : 3, distance = str_distance(best, name, max);
    for (size_t i = 0; i < FN_COUNT; i++) {
        size_t found = str_distance(function_table[i].word, name, max);
        if (found < distance) {
            best = function_table[i].word;
            distance = found;
        }
    }
    return distance <= max ? best : (Str){ .p = NULL, .n = 0 };
}

static struct operand call_known(struct parse *ps, enum function function, struct token name,
                                 struct operands values, Span span)
{
    const struct function_info *info = &function_table[function];
    if (values.count < info->least || values.count > info->most)
        diag_add(ps->diags, DIAG_FUNCTION_VALUES, span, STR_ARG(name.text), info->least,
                 values.count);
    return make(ps, (struct expr){ .kind = EXPR_CALL,
                                   .span = span,
                                   .function = function,
                                   .items = values.first,
                                   .height = height_above(values.first) });
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
    for (size_t i = 0; i < FN_COUNT; i++) {
        if (str_eq(function_table[i].word, name.text))
            return call_known(ps, (enum function)i, name, values, span);
    }
    if (str_eq(name.text, STR("length"))) {
        diag_add(ps->diags, DIAG_FUNCTION_VALUES, span, STR_ARG(name.text), 1U, values.count);
    } else {
        Str best = nearest_function(name.text);
        diag_add(ps->diags, DIAG_UNKNOWN_FUNCTION, name.span, STR_ARG(name.text));
        if (best.n)
            diag_help(ps->diags, "did you mean '%.*s'?", STR_ARG(best));
    }
    /* A name without letters is what was reported already: the checker passes it by. */
    return make(ps, (struct expr){ .kind = EXPR_NAME, .span = span });
}
