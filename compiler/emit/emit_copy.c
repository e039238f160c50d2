/* SPDX-License-Identifier: Apache-2.0 */
/* emit_copy.c - expressions written out: the names that a rule gives, and `any` and `all` over a
 * set, which become `or` and `and` of the condition for each element. Equal conditions are one atom
 * afterwards, so what is written out twice is still evaluated once. The checker bounds what comes
 * of it. */
#include "compiler/emit/emit_internal.h"

struct expr *emit_expr(struct emitter *e, struct expr node)
{
    struct expr *expr = ARENA_NEW(e->mem, struct expr, 1);
    e->bundle.is_full |= !expr;
    if (expr)
        *expr = node;
    return expr;
}

/* Takes both as they are: a quantifier is known by its address. */
struct expr *emit_binary(struct emitter *e, enum binary_op op, struct expr *left,
                         struct expr *right)
{
    if (!left || !right)
        return NULL;
    return emit_expr(
        e, (struct expr){
               .kind = EXPR_BINARY, .op = op, .left = left, .right = right, .span = left->span });
}

static const struct renaming as_it_is;

static struct expr *copy_items(struct emitter *e, const struct expr *items,
                               const struct renaming *how)
{
    struct expr *first = NULL, *last = NULL;
    for (const struct expr *item = items; item; item = item->next) {
        struct expr *one = emit_copy(e, item, how);
        if (!one)
            return first;
        one->next = NULL;
        one->is_piece = item->is_piece;
        if (last)
            last->next = one;
        else
            first = one;
        last = one;
    }
    return first;
}

/* The set or list that a quantifier goes over, if it is one of the policy's own. */
static const struct expr *group_of(const struct expr *expr)
{
    const struct expr *group = NULL;
    if (expr->kind == EXPR_QUANTIFIER && expr->left)
        group = expr_resolve(expr->left);
    return group && (group->kind == EXPR_SET || group->kind == EXPR_LIST) ? group : NULL;
}

/* any x in { a, b }: c(x) is c(a) or c(b). */
static struct expr *write_out(struct emitter *e, const struct expr *q, const struct expr *group,
                              const struct renaming *how)
{
    bool is_any = q->quantifier == QUANTIFIER_ANY;
    struct expr *body = emit_copy(e, q->right, how), *whole = NULL;
    if (!group->items)
        return emit_expr(e, (struct expr){ .kind = EXPR_BOOL, .truth = !is_any, .span = q->span });
    for (const struct expr *item = group->items; item && body; item = item->next) {
        struct expr *value = emit_copy(e, item, how);
        struct renaming element = { .from = q, .to = value };
        struct expr *one = value ? emit_copy(e, body, &element) : NULL;
        whole = whole ? emit_binary(e, is_any ? OP2_OR : OP2_AND, whole, one) : one;
        if (!whole)
            return NULL;
    }
    return whole;
}

/* What a name stands for, with the place of its use. */
static struct expr *copy_value(struct emitter *e, const struct expr *value, Span span,
                               const struct renaming *how)
{
    struct expr *made = emit_copy(e, value, how);
    if (made)
        made->span = span;
    return made;
}

struct expr *emit_copy(struct emitter *e, const struct expr *expr, const struct renaming *how)
{
    if (!expr)
        return NULL;
    bool is_renamed = expr->kind == EXPR_NAME && how->from && expr->binding == how->from;
    const struct expr *group = group_of(expr);
    if (is_renamed && !how->is_variable)
        return copy_value(e, how->to, expr->span, &as_it_is);
    if (expr->kind == EXPR_NAME && expr->let && expr->let->is_local)
        return emit_copy(e, expr->let->value, how);
    if (group)
        return write_out(e, expr, group, how);
    struct expr *made = emit_expr(e, *expr);
    if (!made)
        return NULL;
    made->next = NULL;
    if (is_renamed)
        made->binding = how->to;
    made->left = emit_copy(e, expr->left, how);
    made->right = emit_copy(e, expr->right, how);
    made->items = copy_items(e, expr->items, how);
    if (expr->kind == EXPR_QUANTIFIER && expr != how->from) {
        /* Its own variable is another one now. */
        struct renaming own = { .from = expr, .to = made, .is_variable = true };
        made->right = emit_copy(e, made->right, &own);
    }
    return made;
}

/* -------------------------------- rules --------------------------------- */

static bool is_written_out(const struct expr *expr)
{
    if (!expr)
        return false;
    if ((expr->kind == EXPR_NAME && expr->let && expr->let->is_local) || group_of(expr))
        return true;
    for (const struct expr *item = expr->items; item; item = item->next)
        if (is_written_out(item))
            return true;
    return is_written_out(expr->left) || is_written_out(expr->right);
}

static struct set_decl *inline_sets(struct emitter *e, const struct set_decl *sets)
{
    struct set_decl *first = NULL, **link = &first;
    for (; sets && !e->bundle.is_full; sets = sets->next) {
        struct set_decl *made = ARENA_NEW(e->mem, struct set_decl, 1);
        struct expr *value = emit_copy(e, sets->value, &as_it_is);
        e->bundle.is_full |= !made || !value;
        if (e->bundle.is_full)
            break;
        *made = (struct set_decl){ .place = sets->place, .value = value, .span = sets->span };
        *link = made;
        link = &made->next;
    }
    return first;
}

const struct rule *emit_inline(struct emitter *e, const struct rule *rule)
{
    bool is_needed = is_written_out(rule->when);
    for (const struct set_decl *set = rule->sets; set; set = set->next)
        is_needed |= is_written_out(set->value);
    if (!is_needed)
        return rule;
    struct rule *made = ARENA_NEW(e->mem, struct rule, 1);
    e->bundle.is_full |= !made;
    if (!made)
        return NULL;
    *made = *rule;
    made->when = emit_copy(e, rule->when, &as_it_is);
    made->sets = inline_sets(e, rule->sets);
    e->bundle.is_full |= rule->when && !made->when;
    return made;
}
