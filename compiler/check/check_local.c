/* SPDX-License-Identifier: Apache-2.0 */
/* check_local.c - the names that a rule gives to values and conditions. A name is known behind the
 * place where it is given, so names make no cycles; the emitter writes them out where they are
 * used, so what one stands for is bounded in size and height, other names in it written out. */
#include "compiler/check/check_internal.h"

static const Type type_error = { .kind = TYPE_ERROR, .element = TYPE_ERROR };
static const Type type_bool = { .kind = TYPE_BOOL, .element = TYPE_ANY };

struct let_decl *local_find(const struct checker *c, Str name)
{
    struct let_decl *local = c->rule ? c->rule->locals : NULL;
    for (; local && local->is_checked; local = local->next)
        if (str_eq(local->name, name))
            return local;
    return NULL;
}

static Type type_of_local(struct checker *c, struct expr *value)
{
    bool is_range = value->kind == EXPR_CALL && value->function == FN_CIDR;
    if (expr_is_condition(value)) {
        check_condition(c, value, "the name stands for");
        return type_bool;
    }
    if (value->kind == EXPR_SET || (value->kind == EXPR_LIST && value->items))
        return check_group(c, value);
    if (value->kind == EXPR_PATTERN)
        return check_pattern_literal(c, value);
    if (value->kind == EXPR_NAME) /* of anything, a set too */
        return check_name(c, value);
    if (value->kind == EXPR_FIELD) /* where it is used, it is asked whether it may be missing */
        return check_field(c, value, true);
    return is_range ? check_call_of(c, value) : check_value(c, value);
}

/* How often the body of a quantifier is written out: once for each element of a set. */
static uint32_t copies_of(const struct expr *expr)
{
    uint32_t count = 0;
    const struct expr *over = expr->left ? expr_behind(expr->left) : NULL;
    if (expr->kind != EXPR_QUANTIFIER || !over ||
        (over->kind != EXPR_SET && over->kind != EXPR_LIST))
        return 1;
    for (const struct expr *item = over->items; item; item = item->next)
        count++;
    return count;
}

struct extent {
    uint32_t weight, height;
};

static struct extent extent_of(const struct expr *expr)
{
    struct extent all = { .weight = 1, .height = 0 };
    if (!expr)
        return (struct extent){ .weight = 0, .height = 0 };
    if (expr->kind == EXPR_NAME)
        return expr->let && expr->let->is_local
                   ? (struct extent){ expr->let->weight, expr->let->height }
                   : all;
    struct extent left = extent_of(expr->left), right = extent_of(expr->right);
    uint64_t weight = 1 + (uint64_t)left.weight + (uint64_t)right.weight * copies_of(expr);
    all.height = left.height > right.height ? left.height : right.height;
    for (const struct expr *item = expr->items; item; item = item->next) {
        struct extent one = extent_of(item);
        weight += one.weight;
        all.height = one.height > all.height ? one.height : all.height;
    }
    all.weight = weight > LOCAL_WEIGHT_MAX ? LOCAL_WEIGHT_MAX + 1 : (uint32_t)weight;
    all.height++;
    return all;
}

static void check_extent(struct checker *c, struct let_decl *local)
{
    struct extent extent = extent_of(local->value);
    local->weight = extent.weight;
    local->height = extent.height;
    if (extent.height > POLICY_NESTING_MAX)
        diag_add(c->diags, DIAG_TOO_DEEP, local->name_span, POLICY_NESTING_MAX);
    else if (extent.weight > LOCAL_WEIGHT_MAX)
        diag_add(c->diags, DIAG_LOCAL_TOO_LARGE, local->name_span, STR_ARG(local->name),
                 LOCAL_WEIGHT_MAX);
    else
        return;
    local->value->type = type_error;
}

void check_locals(struct checker *c, const struct rule *rule)
{
    for (struct let_decl *local = rule->locals; local; local = local->next) {
        bool is_known = local_find(c, local->name) || symbol_find(&c->lets, local->name);
        if (is_known)
            diag_add(c->diags, DIAG_VARIABLE_SHADOWS, local->name_span, STR_ARG(local->name));
        local->value->type = type_of_local(c, local->value);
        check_extent(c, local);
        local->is_checked = true;
    }
}
