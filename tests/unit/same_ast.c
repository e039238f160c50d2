/* SPDX-License-Identifier: Apache-2.0 */
/* same_ast.c - two layouts can be equal byte for byte although the first lost a parenthesis that
 * meant something, so the trees are compared as well. Recursion is bounded by the height that ast.c
 * gives to expressions. */
#include "tests/unit/same_ast.h"

#include <stdlib.h>

enum { CHAIN_MAX = 4096 };

struct chain {
    const struct expr *items[CHAIN_MAX];
    size_t count;
};

static bool same_expr(const struct expr *a, const struct expr *b);

static bool same_names(const struct name *a, const struct name *b)
{
    for (; a && b && str_eq(a->text, b->text); a = a->next)
        b = b->next;
    return !a && !b;
}

static bool same_items(const struct expr *a, const struct expr *b)
{
    for (; a && b && same_expr(a, b); a = a->next)
        b = b->next;
    return !a && !b;
}

static bool is_chain(const struct expr *e)
{
    return e->kind == EXPR_BINARY && (e->op == OP2_AND || e->op == OP2_OR);
}

static void flatten(const struct expr *e, enum binary_op op, struct chain *out)
{
    if (is_chain(e) && e->op == op) {
        flatten(e->left, op, out);
        flatten(e->right, op, out);
        return;
    }
    ENSURE(out->count < CHAIN_MAX);
    out->items[out->count++] = e;
}

static bool same_chain(const struct expr *a, const struct expr *b)
{
    struct chain *of_a = calloc(2, sizeof *of_a), *of_b = of_a + 1;
    ENSURE(of_a);
    flatten(a, a->op, of_a);
    flatten(b, a->op, of_b);
    bool is_same = of_a->count == of_b->count;
    for (size_t i = 0; is_same && i < of_a->count; i++)
        is_same = same_expr(of_a->items[i], of_b->items[i]);
    free(of_a);
    return is_same;
}

/* What a node says by itself. */
static bool same_node(const struct expr *a, const struct expr *b)
{
    return a->kind == b->kind && str_eq(a->text, b->text) && a->truth == b->truth &&
           a->is_piece == b->is_piece && a->op == b->op && a->root == b->root &&
           a->function == b->function && a->quantifier == b->quantifier && a->unit == b->unit &&
           a->index == b->index && same_names(a->path, b->path) && same_names(a->roles, b->roles);
}

static bool same_expr(const struct expr *a, const struct expr *b)
{
    if (!a || !b)
        return a == b;
    if (!same_node(a, b))
        return false;
    if (is_chain(a))
        return same_chain(a, b);
    return same_expr(a->left, b->left) && same_expr(a->right, b->right) &&
           same_items(a->items, b->items);
}

static bool same_sets(const struct set_decl *a, const struct set_decl *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (!same_expr(a->place, b->place) || !same_expr(a->value, b->value))
            return false;
    return a == b;
}

static bool same_locals(const struct let_decl *a, const struct let_decl *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (!str_eq(a->name, b->name) || !same_expr(a->value, b->value))
            return false;
    return a == b;
}

static bool same_profile(const struct profile_decl *a, const struct profile_decl *b)
{
    return str_eq(a->name, b->name) && str_eq(a->extends, b->extends);
}

static bool in_same_profile(const struct profile_decl *a, const struct profile_decl *b)
{
    return a && b ? same_profile(a, b) : a == b;
}

static bool same_rule(const struct rule *a, const struct rule *b)
{
    return a->advertises == b->advertises && a->claim == b->claim && a->effect == b->effect &&
           a->is_unless == b->is_unless && str_eq(a->reason, b->reason) && a->kind == b->kind &&
           same_names(a->names, b->names) && same_names(a->effects, b->effects) &&
           same_names(a->flags, b->flags) && same_names(a->servers, b->servers) &&
           same_expr(a->when, b->when) && same_sets(a->sets, b->sets) &&
           same_locals(a->locals, b->locals) && in_same_profile(a->profile, b->profile);
}

static bool same_let(const struct let_decl *a, const struct let_decl *b)
{
    return str_eq(a->name, b->name) && a->is_param == b->is_param && a->is_set == b->is_set &&
           str_eq(a->type_word, b->type_word) && same_expr(a->value, b->value);
}

static bool same_server(const struct server_decl *a, const struct server_decl *b)
{
    return str_eq(a->alias, b->alias) && str_eq(a->tools_path, b->tools_path) &&
           str_eq(a->classes_path, b->classes_path) && a->is_open == b->is_open;
}

static bool same_call(const struct test_call *a, const struct test_call *b)
{
    return a->kind == b->kind && str_eq(a->name, b->name) && str_eq(a->method, b->method) &&
           str_eq(a->server, b->server) && str_eq(a->arguments, b->arguments) &&
           str_eq(a->principal, b->principal) && str_eq(a->at, b->at) && str_eq(a->set, b->set) &&
           a->expectation == b->expectation && str_eq(a->reason, b->reason);
}

static bool same_test(const struct test *a, const struct test *b)
{
    const struct test_call *x = a->calls, *y = b->calls;
    for (; x && y && same_call(x, y); x = x->next)
        y = y->next;
    return !x && !y && str_eq(a->name, b->name) && in_same_profile(a->profile, b->profile);
}

static bool same_import(const struct import_decl *a, const struct import_decl *b)
{
    return str_eq(a->path, b->path);
}

/* Lists of declarations, pair by pair. */
#define SAME_LIST(type, a, b, same)                                                                \
    do {                                                                                           \
        const struct type *x = (a), *y = (b);                                                      \
        for (; x && y && same(x, y); x = x->next)                                                  \
            y = y->next;                                                                           \
        if (x || y)                                                                                \
            return false;                                                                          \
    } while (0)

bool same_policy(const struct policy *a, const struct policy *b)
{
    SAME_LIST(import_decl, a->imports, b->imports, same_import);
    SAME_LIST(server_decl, a->servers, b->servers, same_server);
    SAME_LIST(let_decl, a->lets, b->lets, same_let);
    SAME_LIST(profile_decl, a->profiles, b->profiles, same_profile);
    SAME_LIST(rule, a->rules, b->rules, same_rule);
    SAME_LIST(rule, a->claims, b->claims, same_rule);
    SAME_LIST(test, a->tests, b->tests, same_test);
    return str_eq(a->name, b->name) && a->version == b->version &&
           a->fallback.is_present == b->fallback.is_present &&
           str_eq(a->fallback.reason, b->fallback.reason);
}
