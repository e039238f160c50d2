/* SPDX-License-Identifier: Apache-2.0 */
/* check_condition.c - conditions: which types each operator takes, and what it is told when not.
 *
 * A condition (and, or, not, a comparison, has) is true, false or unknown; check_expr.c types the
 * values that it reads. Recursion is bounded by the height that ast_expr.c gives to expressions. */
#include "compiler/check/check_internal.h"

static const Type type_error = { .kind = TYPE_ERROR, .element = TYPE_ERROR };
static const Type type_bool = { .kind = TYPE_BOOL, .element = TYPE_ANY };

/* What stands behind `in`. */
static Type check_container(struct checker *c, struct expr *expr)
{
    if (expr->kind == EXPR_SET || expr->kind == EXPR_LIST)
        return check_group(c, expr);
    Type type = expr->kind == EXPR_NAME ? check_name(c, expr) : check_value(c, expr);
    expr->type = type;
    if (type.kind == TYPE_ERROR || type.kind == TYPE_ANY || type.kind == TYPE_LIST ||
        type.kind == TYPE_SET || type.kind == TYPE_NETS)
        return type;
    diag_add(c->diags, DIAG_IN_RIGHT, expr->span, STR_ARG(type_word(type)));
    if (type.kind == TYPE_STRING)
        diag_help(c->diags, "for a part of a string write: %s", "whole contains part");
    return type_error;
}

static Str group_words(struct checker *c, Type group)
{
    Str whole = type_word(group);
    if (group.element == TYPE_ANY)
        return whole;
    return arena_printf(c->mem, "%.*s of %.*s", STR_ARG(whole),
                        STR_ARG(type_plural(group.element)));
}

/* Can a value of this type be an element? If not it is reported at span. */
static void check_element(struct checker *c, Type type, Type group, Span span)
{
    bool is_same = !type_is_known(type) || group.element == TYPE_ANY || type.kind == group.element;
    if (type.kind == TYPE_ERROR || group.kind == TYPE_ERROR || (type_is_scalar(type) && is_same))
        return;
    Str words = group_words(c, group);
    diag_add(c->diags, DIAG_ELEMENT_TYPE, span, STR_ARG(type_word(type)), STR_ARG(words));
}

static void need_string(struct checker *c, const struct expr *expr, Type type, enum binary_op op);

static void check_in(struct checker *c, struct expr *expr)
{
    Type left = check_value(c, expr->left), right = check_container(c, expr->right);
    if (right.kind == TYPE_NETS) {
        need_string(c, expr->left, left, OP2_IN);
        return;
    }
    check_element(c, left, right, expr->left->span);
    const struct expr *group = expr_behind(expr->right);
    if (right.kind == TYPE_ERROR || (group->kind != EXPR_SET && group->kind != EXPR_LIST))
        return;
    for (const struct expr *item = group->items; item; item = item->next) {
        Str text;
        bool is_here = group == expr->right;
        if (expr_text(c, item, &text))
            check_enum_value(c, expr->left, text, is_here ? item->span : expr->right->span);
    }
}

/* ----------------------------- comparisons ------------------------------ */

static bool compare_whole(struct checker *c, const struct expr *expr, Type type)
{
    if (type_is_scalar(type))
        return false;
    diag_add(c->diags, DIAG_COMPARE_WHOLE, expr->span, STR_ARG(type_word(type)));
    const struct expr *behind = expr_behind(expr);
    if (type.kind == TYPE_LIST)
        diag_help(c->diags, "'in' asks for an element: \"x\" in a list");
    else if (behind->kind == EXPR_CALL && behind->function == FN_PATH)
        diag_help(c->diags, "ask whether it lies in a folder: path(...) within \"...\", or for "
                            "path(...).path");
    else if (behind->kind == EXPR_CALL)
        diag_help(c->diags, "ask for a part of what %.*s finds; docs/domains.md lists them",
                  STR_ARG(function_table[behind->function].word));
    return true;
}

static void check_equality(struct checker *c, struct expr *expr)
{
    Type left = check_value(c, expr->left), right = check_value(c, expr->right);
    bool is_null = left.kind == TYPE_NULL || right.kind == TYPE_NULL;
    if (!is_null && (compare_whole(c, expr->left, left) || compare_whole(c, expr->right, right)))
        return;
    if (type_is_known(left) && type_is_known(right) && left.kind != right.kind && !is_null)
        diag_add(c->diags, DIAG_NEVER_EQUAL, expr->span, STR_ARG(type_word(left)),
                 STR_ARG(type_word(right)));
    Str text;
    if (expr_text(c, expr->right, &text))
        check_enum_value(c, expr->left, text, expr->right->span);
    else if (expr_text(c, expr->left, &text))
        check_enum_value(c, expr->right, text, expr->left->span);
}

static bool is_temporal(Type type)
{
    return type.kind == TYPE_TIME || type.kind == TYPE_DATE || type.kind == TYPE_DURATION ||
           type.kind == TYPE_INSTANT;
}

static bool check_order_operand(struct checker *c, struct expr *expr, Str op, Type *type)
{
    *type = check_value(c, expr);
    if (type_may_be(*type, TYPE_NUMBER) || type_may_be(*type, TYPE_STRING) || is_temporal(*type))
        return true;
    diag_add(c->diags, DIAG_ORDER_OPERAND, expr->span, STR_ARG(op), STR_ARG(type_word(*type)));
    return false;
}

static void check_order(struct checker *c, struct expr *expr)
{
    Type left, right;
    Str op = operator_word(expr->op);
    bool is_good = check_order_operand(c, expr->left, op, &left);
    is_good &= check_order_operand(c, expr->right, op, &right);
    if (is_good && type_is_known(left) && type_is_known(right) && left.kind != right.kind)
        diag_add(c->diags, DIAG_ORDER_TYPES, expr->span, STR_ARG(op), STR_ARG(type_word(left)),
                 STR_ARG(type_word(right)));
}

static void need_string(struct checker *c, const struct expr *expr, Type type, enum binary_op op)
{
    if (!type_may_be(type, TYPE_STRING))
        diag_add(c->diags, DIAG_STRING_NEEDED, expr->span, STR_ARG(operator_word(op)),
                 STR_ARG(type_word(type)));
}

static void check_strings(struct checker *c, struct expr *expr)
{
    need_string(c, expr->left, check_value(c, expr->left), expr->op);
    need_string(c, expr->right, check_value(c, expr->right), expr->op);
}

static const struct expr *named(struct checker *c, struct expr *expr);

/* contains /pattern/: somewhere in the string. */
static bool contains_pattern(struct checker *c, struct expr *expr)
{
    struct expr *right = expr->right;
    const struct expr *behind = right->kind == EXPR_NAME ? named(c, right) : right;
    if (behind->kind != EXPR_PATTERN)
        return false;
    need_string(c, expr->left, check_value(c, expr->left), OP2_CONTAINS);
    if (right->kind == EXPR_PATTERN)
        (void)check_pattern_literal(c, right);
    return true;
}

static void check_contains(struct checker *c, struct expr *expr)
{
    if (contains_pattern(c, expr))
        return;
    Type left = check_value(c, expr->left), right = check_value(c, expr->right);
    if (!type_may_be(left, TYPE_STRING) && !type_may_be(left, TYPE_LIST))
        diag_add(c->diags, DIAG_CONTAINS_LEFT, expr->left->span, STR_ARG(type_word(left)));
    else if (left.kind == TYPE_STRING)
        need_string(c, expr->right, right, OP2_CONTAINS);
    else if (left.kind == TYPE_LIST || left.kind == TYPE_ANY)
        check_element(c, right,
                      left.kind == TYPE_LIST ? left
                                             : (Type){ .kind = TYPE_LIST, .element = TYPE_ANY },
                      expr->right->span);
}

/* ------------------------------- patterns ------------------------------- */

static void check_matches(struct checker *c, struct expr *expr)
{
    need_string(c, expr->left, check_value(c, expr->left), OP2_MATCHES);
    struct expr *right = expr->right;
    if (right->kind == EXPR_PATTERN) {
        (void)check_pattern_literal(c, right);
        return;
    }
    Type type = right->kind == EXPR_NAME ? check_name(c, right) : check_value(c, right);
    right->type = type;
    if (type.kind == TYPE_ERROR || type.kind == TYPE_PATTERN)
        return;
    Str what = right->kind == EXPR_FIELD ? field_text(c, right) : type_word(type);
    diag_add(c->diags, DIAG_PATTERN_NEEDED, right->span, STR_ARG(what));
    if (right->kind == EXPR_STRING)
        diag_help(c->diags, "a pattern is written between slashes; a glob follows 'like'");
}

/* What a name stands for, before it is known to be a value; itself when it is not known. */
static const struct expr *named(struct checker *c, struct expr *expr)
{
    return check_name(c, expr).kind == TYPE_ERROR ? expr : expr_behind(expr);
}

static void check_globs(struct checker *c, struct expr *right, const struct expr *group)
{
    Str text;
    right->type = right == group ? check_group(c, right) : group->type;
    if (right->type.kind == TYPE_ERROR)
        return;
    for (const struct expr *item = group->items; item; item = item->next) {
        if (expr_text(c, item, &text))
            check_pattern(c, text, AUTOMATON_GLOB, item->span);
        else
            diag_add(c->diags, DIAG_GLOB_NEEDED, item->span, STR_ARG(STR("something else")));
    }
}

static void check_like(struct checker *c, struct expr *expr)
{
    Str text;
    need_string(c, expr->left, check_value(c, expr->left), OP2_LIKE);
    struct expr *right = expr->right;
    const struct expr *group = right->kind == EXPR_NAME ? named(c, right) : right;
    if (group->kind == EXPR_SET || group->kind == EXPR_LIST) {
        check_globs(c, right, group);
        return;
    }
    Type type = right->kind == EXPR_PATTERN ? type_of(TYPE_PATTERN) : check_value(c, right);
    if (type.kind == TYPE_ERROR)
        return;
    if (expr_text(c, right, &text)) {
        check_pattern(c, text, AUTOMATON_GLOB, right->span);
        return;
    }
    Str what = right->kind == EXPR_FIELD ? field_text(c, right) : type_word(type);
    if (right->kind == EXPR_INTERPOLATION)
        what = STR("a string that is not constant");
    diag_add(c->diags, DIAG_GLOB_NEEDED, right->span, STR_ARG(what));
    if (type.kind == TYPE_PATTERN)
        diag_help(c->diags, "a /pattern/ follows 'matches'");
}

/* ------------------------------ conditions ------------------------------ */

/* A name that a domain function has read: a raw string may hold anything before the dot. */
static bool is_host_name(const struct expr *expr)
{
    if (expr->kind != EXPR_MEMBER)
        return false;
    const struct expr *of = expr_behind(expr->left);
    bool is_email = of->kind == EXPR_NAME || (of->kind == EXPR_CALL && of->function == FN_EMAIL);
    return (is_email && str_eq(expr->text, STR("domain"))) ||
           (of->kind == EXPR_CALL && of->function == FN_URL && str_eq(expr->text, STR("host"))) ||
           (of->kind == EXPR_CALL && of->function == FN_HOST && str_eq(expr->text, STR("name")));
}

/* A path, a host or all of a list: what `within` asks for follows from its left. */
static void check_within(struct checker *c, struct expr *expr)
{
    struct expr *right = expr->right;
    Type type = check_value(c, expr->left);
    const struct expr *left = expr_behind(expr->left);
    bool is_path = left->kind == EXPR_CALL && left->function == FN_PATH;
    bool is_list = type.kind == TYPE_LIST;
    Str text, wanted = is_path   ? STR("a constant path or a set of them")
                       : is_list ? STR("a set")
                                 : STR("a constant host name or a set of them");
    if (type.kind == TYPE_ERROR)
        return;
    if (!is_path && !is_list && !(type_may_be(type, TYPE_STRING) && is_host_name(left))) {
        diag_add(c->diags, DIAG_WITHIN_LEFT, expr->left->span, STR_ARG(type_word(type)));
        return;
    }
    const struct expr *group = right->kind == EXPR_NAME ? named(c, right) : right;
    bool is_group = group->kind == EXPR_SET || group->kind == EXPR_LIST;
    if (is_group && right->kind != EXPR_NAME)
        (void)check_group(c, right);
    bool is_good =
        is_list ? group->kind == EXPR_SET : is_group || (expr_text(c, right, &text) && text.n > 0);
    for (const struct expr *item = is_group && !is_list ? group->items : NULL; item;
         item = item->next)
        is_good &= expr_text(c, item, &text);
    if (!is_good)
        diag_add(c->diags, DIAG_WITHIN_RIGHT, right->span, STR_ARG(wanted));
}

static void check_operator(struct checker *c, struct expr *expr)
{
    switch (expr->op) {
    case OP2_AND:
    case OP2_OR:
        check_condition(c, expr->left,
                        expr->op == OP2_AND ? "comes before 'and'" : "comes before 'or'");
        check_condition(c, expr->right, expr->op == OP2_AND ? "follows 'and'" : "follows 'or'");
        break;
    case OP2_EQ:
    case OP2_NE: check_equality(c, expr); break;
    case OP2_LT:
    case OP2_LE:
    case OP2_GT:
    case OP2_GE: check_order(c, expr); break;
    case OP2_IN: check_in(c, expr); break;
    case OP2_STARTS:
    case OP2_ENDS: check_strings(c, expr); break;
    case OP2_CONTAINS: check_contains(c, expr); break;
    case OP2_MATCHES: check_matches(c, expr); break;
    case OP2_LIKE: check_like(c, expr); break;
    case OP2_WITHIN: check_within(c, expr); break;
    case OP2_ADD:
    case OP2_SUB:
    case OP2_MUL:
    case OP2_ELSE: break; /* a value */
    }
}

/* A rule's name for a condition. */
static bool names_condition(struct checker *c, struct expr *expr)
{
    const struct let_decl *local = NULL;
    if (expr->kind == EXPR_NAME && !variable_find(c, expr->text))
        local = local_find(c, expr->text);
    if (!local || !expr_is_condition(expr_behind(local->value)))
        return false;
    expr->type = check_name(c, expr);
    return true;
}

void check_condition(struct checker *c, struct expr *expr, const char *what)
{
    if (names_condition(c, expr))
        return;
    if (expr_is_condition(expr)) {
        if (expr->kind == EXPR_NOT)
            check_condition(c, expr->left, "follows 'not'");
        else if (expr->kind == EXPR_HAS)
            check_has(c, expr);
        else if (expr->kind == EXPR_QUANTIFIER)
            (void)check_quantifier(c, expr);
        else
            check_operator(c, expr);
        expr->type = type_bool;
        return;
    }
    Type type = check_value(c, expr);
    if (type_may_be(type, TYPE_BOOL))
        return;
    Str place = arena_printf(c->mem, "what %s", what);
    diag_add(c->diags, DIAG_NOT_BOOL, expr->span, STR_ARG(place), STR_ARG(type_word(type)));
    if (expr->kind == EXPR_FIELD)
        diag_help(c->diags, "to ask whether it is there write 'has %.*s'",
                  STR_ARG(field_text(c, expr)));
}
