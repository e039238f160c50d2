/* SPDX-License-Identifier: Apache-2.0 */
/* check_constant.c - what is known before any call: texts put together, patterns, and the lets. A
 * let is typed after those it names; their depth is bounded, and so is the number of constants that
 * one can multiply to by naming another twice, and that one, and so on. */
#include "compiler/check/check_internal.h"
#include "compiler/pattern/automaton.h"
#include "compiler/pattern/pattern.h"

enum { PATTERN_SCRATCH_BYTES_MAX = 64 * 1024 * 1024, CONSTANT_BYTES_MAX = 64 * 1024 };

const struct expr *expr_behind(const struct expr *expr)
{
    while (expr->kind == EXPR_NAME && expr->let)
        expr = expr->let->value;
    return expr;
}

static bool append_text(struct checker *c, const struct expr *expr, struct buf *out)
{
    expr = expr_behind(expr);
    if (expr->kind == EXPR_STRING || expr->kind == EXPR_NUMBER) {
        buf_add(out, expr->text);
        return true;
    }
    if (expr->kind != EXPR_INTERPOLATION)
        return false;
    for (const struct expr *item = expr->items; item; item = item->next)
        if (!append_text(c, item, out))
            return false;
    return true;
}

bool expr_text(struct checker *c, const struct expr *expr, Str *text)
{
    expr = expr_behind(expr);
    if (expr->kind == EXPR_STRING) {
        *text = expr->text;
        return true;
    }
    if (expr->kind != EXPR_INTERPOLATION)
        return false;
    struct buf bytes;
    buf_init(&bytes, CONSTANT_BYTES_MAX);
    bool is_constant = append_text(c, expr, &bytes) && !bytes.is_full;
    if (is_constant)
        *text = arena_copy(c->mem, buf_str(&bytes));
    buf_free(&bytes);
    return is_constant && text->p;
}

bool expr_is_constant(const struct expr *expr)
{
    expr = expr_behind(expr);
    switch (expr->kind) {
    case EXPR_NULL:
    case EXPR_BOOL:
    case EXPR_NUMBER:
    case EXPR_STRING: return true;
    case EXPR_INTERPOLATION:
        for (const struct expr *item = expr->items; item; item = item->next)
            if (!expr_is_constant(item))
                return false;
        return true;
    case EXPR_PATTERN:
    case EXPR_LIST:
    case EXPR_SET:
    case EXPR_NAME:
    case EXPR_FIELD:
    case EXPR_NOT:
    case EXPR_HAS:
    case EXPR_LENGTH:
    case EXPR_BINARY:
    case EXPR_CALL:
    case EXPR_MEMBER:
    case EXPR_INDEX:
    case EXPR_EACH:
    case EXPR_QUANTIFIER: break;
    }
    return false;
}

/* ------------------------------- patterns ------------------------------- */

/* Reads the pattern for its syntax alone; its automaton is the emitter's. */
void check_pattern(struct checker *c, Str text, enum automaton_syntax syntax, Span span)
{
    struct arena scratch;
    struct automaton_error error = { .text = "", .lo = 0, .hi = 0 };
    arena_init(&scratch, PATTERN_SCRATCH_BYTES_MAX);
    struct pattern_parser parser = {
        .text = text, .syntax = syntax, .mem = &scratch, .error = &error
    };
    if (!pattern_parse(&parser)) {
        Str raw = str_sub(c->sources->items[span.source].text, span.lo, span.hi);
        bool is_literal = raw.n == text.n + 2 && error.hi <= text.n;
        if (is_literal) { /* offsets in the pattern are offsets in the source */
            span.hi = span.lo + 1 + (uint32_t)error.hi;
            span.lo += 1 + (uint32_t)error.lo;
        }
        diag_add(c->diags, parser.status == ST_INVALID ? DIAG_BAD_PATTERN : DIAG_PATTERN_TOO_LARGE,
                 span, error.text);
    }
    arena_reset(&scratch);
}

Type check_pattern_literal(struct checker *c, struct expr *expr)
{
    check_pattern(c, expr->text, AUTOMATON_REGEX, expr->span);
    expr->type = (Type){ .kind = TYPE_PATTERN, .element = TYPE_ANY };
    return expr->type;
}

/* --------------------------------- lets --------------------------------- */

static uint32_t weight_of(const struct expr *expr)
{
    if (expr->kind == EXPR_NAME)
        return expr->let ? expr->let->weight : 1;
    uint32_t weight = 1;
    for (const struct expr *item = expr->items; item && weight <= LET_WEIGHT_MAX; item = item->next)
        weight +=
            expr->kind == EXPR_INTERPOLATION || item->kind != EXPR_STRING ? weight_of(item) : 0;
    return weight;
}

static const Type type_error = { .kind = TYPE_ERROR, .element = TYPE_ERROR };

static Type let_type(struct checker *c, struct let_decl *let)
{
    struct expr *value = let->value;
    if (!value) /* reported where it is declared */
        return type_error;
    if (value->kind == EXPR_SET || value->kind == EXPR_LIST)
        return check_group(c, value);
    if (value->kind == EXPR_PATTERN)
        return check_pattern_literal(c, value);
    if (value->kind == EXPR_NAME) /* of anything, a set too */
        return check_name(c, value);
    bool is_range = value->kind == EXPR_CALL && value->function == FN_CIDR;
    if (is_range)
        return check_call_of(c, value);
    if (expr_is_condition(value) || value->kind >= EXPR_LENGTH) {
        Str what = expr_is_condition(value) ? STR("a condition") : STR("computed from a call");
        diag_add(c->diags, DIAG_LET_NOT_CONSTANT, value->span, STR_ARG(what));
        return type_error;
    }
    return check_value(c, value);
}

void check_let(struct checker *c, struct let_decl *let)
{
    if (let->is_checked)
        return;
    if (c->let_depth == POLICY_NESTING_MAX) {
        diag_add(c->diags, DIAG_TOO_DEEP, let->name_span, POLICY_NESTING_MAX);
        let->is_checked = true;
        return;
    }
    const struct rule *rule = c->rule;
    c->rule = NULL;
    c->let_depth++;
    let->is_busy = true;
    if (!let->value)
        give_param(c, let);
    if (!let->value) {
        let->is_busy = false;
        let->is_checked = true;
        c->let_depth--;
        c->rule = rule;
        return;
    }
    let->value->type = let_type(c, let);
    check_param_type(c, let);
    let->weight = weight_of(let->value);
    let->is_busy = false;
    let->is_checked = true;
    if (let->weight > LET_WEIGHT_MAX && let->value->kind == EXPR_INTERPOLATION) {
        diag_add(c->diags, DIAG_LET_TOO_LARGE, let->name_span, STR_ARG(let->name), LET_WEIGHT_MAX);
        let->value->type = type_error;
    }
    c->let_depth--;
    c->rule = rule;
}
