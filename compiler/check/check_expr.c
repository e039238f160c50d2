/* SPDX-License-Identifier: Apache-2.0 */
/* check_expr.c - the types of values.
 *
 * A value is read from the call or written in the policy. Values and conditions don't mix: a
 * condition is never compared, a value is a condition only if it is a bool. Sets, lists and
 * patterns stand only where an operator takes them. TYPE_ANY goes everywhere and is judged at run
 * time. Recursion is bounded by the height that
 * ast_expr.c gives to expressions, and by let_depth. */
#include "compiler/check/check_internal.h"

static const Type type_error = { .kind = TYPE_ERROR, .element = TYPE_ERROR };
static const Type type_bool = { .kind = TYPE_BOOL, .element = TYPE_ANY };

bool expr_is_condition(const struct expr *expr)
{
    if (expr->kind == EXPR_QUANTIFIER)
        return expr->quantifier == QUANTIFIER_ANY || expr->quantifier == QUANTIFIER_ALL;
    return expr->kind == EXPR_NOT || expr->kind == EXPR_HAS ||
           (expr->kind == EXPR_BINARY && expr->op < OP2_ADD);
}

/* --------------------------------- names -------------------------------- */

static Type name_local(struct checker *c, struct expr *expr, struct let_decl *local,
                       bool is_guarded)
{
    struct expr *value = local->value;
    local->is_used = true;
    if (value->type.kind == TYPE_ERROR)
        return type_error;
    expr->let = local;
    if (value->kind == EXPR_FIELD && !is_guarded) /* now it matters whether it may be missing */
        (void)check_field(c, value, false);
    expr->schema = value->schema;
    return value->type;
}

static Type name_type(struct checker *c, struct expr *expr, bool is_guarded)
{
    const struct symbol *symbol = symbol_find(&c->lets, expr->text);
    if (!expr->text.n) /* reported by the parser */
        return type_error;
    expr->binding = variable_find(c, expr->text);
    if (expr->binding) {
        expr->schema = expr->binding->element_schema;
        return expr->binding->element;
    }
    struct let_decl *local = local_find(c, expr->text);
    if (local)
        return name_local(c, expr, local, is_guarded);
    if (!symbol) {
        diag_add(c->diags, DIAG_UNKNOWN_NAME, expr->span, STR_ARG(expr->text));
        Str best = symbol_nearest(&c->lets, expr->text);
        if (best.n)
            help_nearest(c, best);
        else if (expr->span.lo &&
                 c->sources->items[expr->span.source].text.p[expr->span.lo - 1] == '-')
            diag_help(c->diags, "a key with a hyphen stands in quotes: args.\"a-%.*s\"",
                      STR_ARG(expr->text));
        else
            diag_help(c->diags, "an argument is written args.%.*s, a string \"%.*s\"",
                      STR_ARG(expr->text), STR_ARG(expr->text));
        return type_error;
    }
    struct let_decl *let = symbol->item;
    let->is_used = true;
    if (let->is_busy) {
        diag_add(c->diags, DIAG_LET_CYCLE, expr->span, STR_ARG(expr->text));
        return type_error;
    }
    check_let(c, let);
    if (!let->value || let->value->type.kind == TYPE_ERROR)
        return type_error;
    expr->let = let;
    return let->value->type;
}

Type check_name(struct checker *c, struct expr *expr)
{
    return name_type(c, expr, false);
}

Type check_field(struct checker *c, struct expr *expr, bool is_guarded)
{
    if (!c->rule) {
        Str what = field_text(c, expr);
        diag_add(c->diags, DIAG_LET_NOT_CONSTANT, expr->span, STR_ARG(what));
        return type_error;
    }
    return expr->root == ROOT_ARGS ? check_argument(c, expr, is_guarded || c->defaulted == expr)
                                   : check_root(c, expr);
}

/* -------------------------------- values -------------------------------- */

static Type check_interpolation(struct checker *c, struct expr *expr)
{
    bool is_good = true;
    for (struct expr *item = expr->items; item; item = item->next) {
        Type type = check_value(c, item);
        bool is_fit = type_may_be(type, TYPE_STRING) || type_may_be(type, TYPE_NUMBER);
        if (!is_fit)
            diag_add(c->diags, DIAG_INTERPOLATED, item->span, STR_ARG(type_word(type)));
        is_good &= is_fit && type.kind != TYPE_ERROR;
    }
    return is_good ? type_of(TYPE_STRING) : type_error;
}

static Type check_length(struct checker *c, struct expr *expr)
{
    Type type = check_value(c, expr->left);
    if (!type_may_be(type, TYPE_STRING) && !type_may_be(type, TYPE_LIST) &&
        !type_may_be(type, TYPE_OBJECT))
        diag_add(c->diags, DIAG_LENGTH_OPERAND, expr->left->span, STR_ARG(type_word(type)));
    return type_of(TYPE_NUMBER);
}

/* What a call may come without. */
static bool field_may_lack(const struct expr *field)
{
    bool is_attribute = field->root == ROOT_PRINCIPAL && field->path->next;
    return is_attribute || field->root == ROOT_ARGS || field->root == ROOT_GRANT ||
           field->root == ROOT_CLIENT;
}

/* A rule's name for something that a call may come without, where that is asked for. */
static bool names_lacking(struct checker *c, struct expr *expr)
{
    if (expr->kind != EXPR_NAME || variable_find(c, expr->text) || !local_find(c, expr->text))
        return false;
    expr->type = name_type(c, expr, true);
    const struct expr *behind = expr_behind(expr);
    return behind->kind == EXPR_MEMBER || behind->kind == EXPR_INDEX ||
           (behind->kind == EXPR_FIELD && field_may_lack(behind));
}

void check_has(struct checker *c, struct expr *expr)
{
    if (names_lacking(c, expr->left))
        return;
    if (expr->left->kind == EXPR_MEMBER || expr->left->kind == EXPR_INDEX) {
        (void)check_value(c, expr->left);
        return;
    }
    if (expr->left->kind != EXPR_FIELD || !field_may_lack(expr->left))
        diag_add(c->diags, DIAG_HAS_OPERAND, expr->left->span);
    else
        expr->left->type = check_field(c, expr->left, true);
}

/* What a chain of members and elements begins with: missing there is missing all the way. */
static const struct expr *field_below(const struct expr *expr)
{
    while (expr->kind == EXPR_MEMBER || expr->kind == EXPR_INDEX)
        expr = expr->left;
    return expr;
}

/* The left of "??": an argument, or another "??" in parentheses. */
static Type check_else_left(struct checker *c, struct expr *expr)
{
    if (names_lacking(c, expr))
        return expr->type;
    bool may_lack = expr->kind == EXPR_MEMBER || expr->kind == EXPR_INDEX;
    if (may_lack) {
        c->defaulted = field_below(expr);
        Type type = check_value(c, expr);
        c->defaulted = NULL;
        return type;
    }
    if (expr->kind == EXPR_FIELD && field_may_lack(expr)) {
        expr->type = check_field(c, expr, true);
        return expr->type;
    }
    if (expr->kind == EXPR_BINARY && expr->op == OP2_ELSE)
        return check_value(c, expr);
    Str what = STR_INIT("something else");
    Type type = expr_is_condition(expr) ? type_bool : check_value(c, expr);
    if (expr->kind == EXPR_FIELD)
        what = field_text(c, expr);
    else if (type_is_known(type))
        what = type_word(type);
    if (type.kind != TYPE_ERROR)
        diag_add(c->diags, DIAG_ELSE_LEFT, expr->span, STR_ARG(what));
    return type_error;
}

static Type check_else(struct checker *c, struct expr *expr)
{
    Type left = check_else_left(c, expr->left), right = check_value(c, expr->right);
    if (left.kind == TYPE_ERROR || right.kind == TYPE_ERROR)
        return type_error;
    if (type_is_known(left) && type_is_known(right) && left.kind != right.kind &&
        right.kind != TYPE_NULL) {
        diag_add(c->diags, DIAG_ELSE_TYPES, expr->right->span, STR_ARG(type_word(left)),
                 STR_ARG(type_word(right)));
        return type_error;
    }
    return left.kind == right.kind ? left : type_of(TYPE_ANY);
}

static Type no_value(struct checker *c, const struct expr *expr, Str what)
{
    diag_add(c->diags, DIAG_NO_VALUE, expr->span, STR_ARG(what));
    return type_error;
}

static Type number_type(const struct expr *expr)
{
    static const enum type_kind types[] = { [UNIT_NONE] = TYPE_NUMBER,
                                            [UNIT_TIME] = TYPE_TIME,
                                            [UNIT_DATE] = TYPE_DATE,
                                            [UNIT_DURATION] = TYPE_DURATION };
    return type_of(types[expr->unit]);
}

/* The type of a sum, a difference or a product; TYPE_ERROR when it has none. */
static enum type_kind arithmetic_kind(enum binary_op op, enum type_kind a, enum type_kind b)
{
    bool is_plus = op == OP2_ADD, is_times = op == OP2_MUL;
    if (a == TYPE_ANY)
        a = b == TYPE_ANY || is_times ? TYPE_NUMBER : b;
    if (b == TYPE_ANY)
        b = a == TYPE_INSTANT ? TYPE_DURATION : is_times ? TYPE_NUMBER : a;
    if (a == TYPE_NUMBER && b == TYPE_NUMBER)
        return TYPE_NUMBER;
    if (is_times)
        return (a == TYPE_DURATION && b == TYPE_NUMBER) || (a == TYPE_NUMBER && b == TYPE_DURATION)
                   ? TYPE_DURATION
                   : TYPE_ERROR;
    if (a == TYPE_DURATION && b == TYPE_DURATION)
        return TYPE_DURATION;
    if (a == TYPE_INSTANT && b == TYPE_DURATION)
        return TYPE_INSTANT;
    if (is_plus && a == TYPE_DURATION && b == TYPE_INSTANT)
        return TYPE_INSTANT;
    return !is_plus && a == TYPE_INSTANT && b == TYPE_INSTANT ? TYPE_DURATION : TYPE_ERROR;
}

static Type check_arithmetic(struct checker *c, struct expr *expr)
{
    Type left = check_value(c, expr->left), right = check_value(c, expr->right);
    if (left.kind == TYPE_ERROR || right.kind == TYPE_ERROR)
        return type_error;
    enum type_kind kind = arithmetic_kind(expr->op, left.kind, right.kind);
    if (kind == TYPE_ERROR)
        diag_add(c->diags, DIAG_ARITHMETIC, expr->span, STR_ARG(operator_word(expr->op)),
                 STR_ARG(type_word(left)), STR_ARG(type_word(right)));
    return type_of(kind);
}

static Type value_type(struct checker *c, struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_NULL: return type_of(TYPE_NULL);
    case EXPR_BOOL: return type_bool;
    case EXPR_NUMBER: return number_type(expr);
    case EXPR_STRING: return type_of(TYPE_STRING);
    case EXPR_INTERPOLATION: return check_interpolation(c, expr);
    case EXPR_NAME: return check_name(c, expr);
    case EXPR_FIELD: return check_field(c, expr, false);
    case EXPR_LENGTH: return check_length(c, expr);
    case EXPR_PATTERN: return no_value(c, expr, STR("a pattern"));
    case EXPR_LIST: return expr->items ? no_value(c, expr, STR("a list")) : type_of(TYPE_LIST);
    case EXPR_SET: return no_value(c, expr, STR("a set"));
    case EXPR_BINARY:
        if (expr->op == OP2_ELSE)
            return check_else(c, expr);
        if (expr->op >= OP2_ADD)
            return check_arithmetic(c, expr);
        break;
    case EXPR_MEMBER: return check_member_of(c, expr);
    case EXPR_INDEX: return check_index(c, expr);
    case EXPR_CALL: return check_call_of(c, expr);
    case EXPR_EACH: diag_add(c->diags, DIAG_EACH_PLACE, expr->span); return type_error;
    case EXPR_QUANTIFIER:
        if (!expr_is_condition(expr))
            return check_quantifier(c, expr);
        break;
    case EXPR_NOT:
    case EXPR_HAS: break;
    }
    return no_value(c, expr, STR("a condition"));
}

Type check_value(struct checker *c, struct expr *expr)
{
    expr->type = value_type(c, expr);
    /* A name may stand for what is no value. */
    const struct expr *behind = expr_behind(expr);
    bool is_named = expr->kind == EXPR_NAME && expr->let;
    if (is_named && expr_is_condition(behind))
        expr->type = no_value(c, expr, STR("a condition"));
    else if (is_named && (behind->kind == EXPR_SET || behind->kind == EXPR_PATTERN ||
                          (behind->kind == EXPR_LIST && behind->items)))
        expr->type = no_value(c, expr, type_word(expr->type));
    return expr->type;
}

/* --------------------------- lists and sets ----------------------------- */

/* The type of one element; what can't be one is reported. */
static Type check_member(struct checker *c, struct expr *item, bool is_set)
{
    Type type = check_value(c, item);
    if (type.kind == TYPE_ERROR)
        return type;
    bool is_fit = type_is_scalar(type);
    if (is_set && (!expr_is_constant(item) || type.kind == TYPE_NULL))
        is_fit = false;
    if (is_fit)
        return type;
    Str holder =
        is_set ? STR("a set holds constants that are not null") : STR("a list holds plain values");
    Str what = item->kind == EXPR_FIELD ? field_text(c, item) : type_word(type);
    diag_add(c->diags, DIAG_ELEMENT_CONSTANT, item->span, STR_ARG(holder), STR_ARG(what));
    return type_error;
}

/* { ... } and [ ... ]: scalars; a set only constants. */
Type check_group(struct checker *c, struct expr *expr)
{
    bool is_set = expr->kind == EXPR_SET, is_good = true;
    Type group = { .kind = is_set ? TYPE_SET : TYPE_LIST, .element = TYPE_ANY };
    for (struct expr *item = expr->items; item; item = item->next) {
        Type type = check_member(c, item, is_set);
        is_good &= type.kind != TYPE_ERROR;
        bool is_same = item == expr->items || group.element == type.kind;
        group.element = is_same ? type.kind : TYPE_ANY;
    }
    expr->type = is_good ? group : type_error;
    return expr->type;
}
