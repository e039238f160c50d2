/* SPDX-License-Identifier: Apache-2.0 */
/* check_set.c - what an allow rule sets: places that are arguments of all its tools, each set once,
 * and values of the type that the pinned schema has there. */
#include "compiler/check/check_internal.h"
#include "runtime/bundle/format.h"

/* What JSON can say. */
static bool is_json(Type type)
{
    return type.kind <= TYPE_OBJECT;
}

/* One of the two paths begins with the other. */
static bool overlaps(const struct expr *a, const struct expr *b)
{
    const struct name *x = a->path, *y = b->path;
    while (x && y && str_eq(x->text, y->text)) {
        x = x->next;
        y = y->next;
    }
    return !x || !y;
}

static bool is_place(const struct expr *expr)
{
    return expr->kind == EXPR_FIELD && expr->root == ROOT_ARGS;
}

static void check_fit(struct checker *c, const struct set_decl *set, Type place, Type value)
{
    const struct expr *at = set->place;
    Str name = field_text(c, at), text;
    if (!is_json(value)) {
        diag_add(c->diags, DIAG_SET_VALUE, set->value->span, STR_ARG(type_word(value)));
        return;
    }
    bool takes_null = !at->schema || (at->schema->types & SCHEMA_NULL);
    bool is_known = place.kind > TYPE_ANY && value.kind > TYPE_ANY;
    bool is_fit = value.kind == TYPE_NULL ? takes_null : place.kind == value.kind;
    if (is_known && !is_fit)
        diag_add(c->diags, DIAG_SET_TYPE, set->value->span, STR_ARG(name),
                 STR_ARG(type_word(place)), STR_ARG(type_word(value)));
    else if (expr_text(c, set->value, &text))
        check_enum_value(c, at, text, set->value->span);
}

static void check_place(struct checker *c, struct set_decl *set)
{
    const struct expr *at = set->place;
    if (!is_place(at)) {
        Str what = field_text(c, at);
        diag_add(c->diags, DIAG_SET_PLACE, at->span, STR_ARG(what));
        diag_help(c->diags, "write: set args.name = value");
        (void)check_value(c, set->value);
        return;
    }
    Type place = check_argument(c, set->place, true), value = check_value(c, set->value);
    if (place.kind == TYPE_ERROR || value.kind == TYPE_ERROR)
        return;
    const struct pinned_tool *lacking = c->scope.is_closed ? tool_without(c, at) : NULL;
    if (lacking) {
        Str name = field_text(c, at);
        diag_add(c->diags, DIAG_SET_UNKNOWN, at->span, STR_ARG(lacking->name), STR_ARG(name));
        diag_help(c->diags, "there the rewritten call would be denied: name fewer tools");
        return;
    }
    check_fit(c, set, place, value);
}

/* What a message of the kind is about is one of its `args`. */
static bool names_itself(enum message_kind kind)
{
    const struct kind_method *method = kind_method_find(kind_first_method(kind));
    return method->args == ARGS_PARAMS && method->name != PLACE_NONE;
}

void check_sets(struct checker *c, const struct rule *rule)
{
    uint32_t count = 0;
    if (rule->sets && rule->effect != EFFECT_ALLOW) {
        diag_add(c->diags, DIAG_SET_EFFECT, rule->sets->span);
        return;
    }
    if (rule->sets && rule->kind < KIND_COUNT && names_itself(rule->kind)) {
        diag_add(c->diags, DIAG_SET_NAME, rule->sets->span, kind_table[rule->kind].noun);
        return;
    }
    for (struct set_decl *set = rule->sets; set; set = set->next) {
        if (++count > BUNDLE_REWRITES_MAX) {
            diag_add(c->diags, DIAG_SET_COUNT, set->span, BUNDLE_REWRITES_MAX);
            return;
        }
        check_place(c, set);
        for (const struct set_decl *other = rule->sets; other != set; other = other->next) {
            if (!is_place(set->place) || !is_place(other->place) ||
                !overlaps(set->place, other->place))
                continue;
            Str name = field_text(c, set->place);
            diag_add(c->diags, DIAG_SET_TWICE, set->place->span, STR_ARG(name));
            break;
        }
    }
}
