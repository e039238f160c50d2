/* SPDX-License-Identifier: Apache-2.0 */
/* check_param.c - values given for a policy's params when it is compiled, as one JSON object. They
 * take the place of the defaults as if the author had written them. */
#include "compiler/check/check_internal.h"

static const Type type_error = { .kind = TYPE_ERROR, .element = TYPE_ERROR };

static struct expr *scalar(struct checker *c, const struct let_decl *let, uint32_t node)
{
    const struct json_node *at = json_at(c->params->doc, node);
    struct expr *expr = check_memory(c, ARENA_NEW(c->mem, struct expr, 1));
    if (!expr)
        return NULL;
    expr->span = let->name_span;
    expr->text = json_text(at);
    expr->truth = at->type == JSON_TRUE;
    expr->kind = at->type == JSON_STRING   ? EXPR_STRING
                 : at->type == JSON_NUMBER ? EXPR_NUMBER
                                           : EXPR_BOOL;
    bool is_exact = at->type != JSON_NUMBER || !(at->flags & JSON_UNSAFE_NUMBER);
    bool is_scalar = at->type != JSON_ARRAY && at->type != JSON_OBJECT && at->type != JSON_NULL;
    return is_scalar && is_exact ? expr : NULL;
}

static struct expr *set_of(struct checker *c, const struct let_decl *let, uint32_t node)
{
    const struct json_doc *doc = c->params->doc;
    struct expr *set = check_memory(c, ARENA_NEW(c->mem, struct expr, 1)), *last = NULL;
    if (!set || json_at(doc, node)->type != JSON_ARRAY)
        return NULL;
    *set = (struct expr){ .kind = EXPR_SET, .span = let->name_span };
    for (uint32_t i = json_first(doc, node); i != JSON_NONE; i = json_after(doc, node, i)) {
        struct expr *item = scalar(c, let, i);
        if (!item)
            return NULL;
        if (last)
            last->next = item;
        else
            set->items = item;
        last = item;
    }
    return set;
}

static uint32_t given_node(const struct checker *c, Str name)
{
    return c->params ? json_member(c->params->doc, 0, name) : JSON_NONE;
}

static void take_given(struct checker *c, struct let_decl *let, uint32_t node)
{
    struct expr *value = let->is_set ? set_of(c, let, node) : scalar(c, let, node);
    if (value)
        let->value = value;
    else
        diag_add(c->diags, DIAG_PARAM_TYPE, let->name_span, STR_ARG(let->name),
                 let->is_set ? "set of " : "", STR_ARG(let->type_word));
}

void give_param(struct checker *c, struct let_decl *let)
{
    if (given_node(c, let->name) != JSON_NONE)
        return; /* what was given is of the wrong type, and reported */
    diag_add(c->diags, DIAG_PARAM_MISSING, let->name_span, STR_ARG(let->name));
    diag_help(c->diags, "give it in the file of --params, or give it a default");
}

static enum type_kind declared_kind(const struct let_decl *let)
{
    if (str_eq(let->type_word, STR("string")))
        return TYPE_STRING;
    if (str_eq(let->type_word, STR("number")))
        return TYPE_NUMBER;
    return str_eq(let->type_word, STR("boolean")) ? TYPE_BOOL : TYPE_ERROR;
}

void check_param_type(struct checker *c, const struct let_decl *let)
{
    enum type_kind wanted = declared_kind(let);
    Type type = let->value->type;
    if (!let->is_param || type.kind == TYPE_ERROR)
        return;
    if (wanted == TYPE_ERROR) {
        diag_add(c->diags, DIAG_PARAM_TYPE_WORD, let->type_span, STR_ARG(let->type_word));
        let->value->type = type_error;
        return;
    }
    bool is_empty = let->value->kind == EXPR_SET && !let->value->items;
    bool is_good = let->is_set ? type.kind == TYPE_SET && (is_empty || type.element == wanted)
                               : type.kind == wanted;
    if (!is_good)
        diag_add(c->diags, DIAG_PARAM_TYPE, let->name_span, STR_ARG(let->name),
                 let->is_set ? "set of " : "", STR_ARG(let->type_word));
}

void check_params(struct checker *c)
{
    if (!c->params)
        return;
    for (struct let_decl *let = c->policy->lets; let; let = let->next) {
        uint32_t node = let->is_param ? given_node(c, let->name) : JSON_NONE;
        if (node != JSON_NONE)
            take_given(c, let, node);
    }
    const struct json_doc *doc = c->params->doc;
    for (uint32_t i = json_first(doc, 0); i != JSON_NONE; i = json_after(doc, 0, i)) {
        Str key = json_key(json_at(doc, i));
        bool is_param = false;
        for (const struct let_decl *let = c->policy->lets; let; let = let->next)
            is_param |= let->is_param && str_eq(let->name, key);
        if (!is_param)
            diag_add(c->diags, DIAG_PARAM_UNKNOWN, c->policy->name_span, STR_ARG(key));
    }
}
