/* SPDX-License-Identifier: Apache-2.0 */
/* check_lint.c - what is legal and hardly ever meant. Warnings only, and only in a policy without
 * errors, where what a rule says is what was written. */
#include "compiler/check/check_internal.h"

/* A constant prefix of a path or URL that ends in the middle of a name. */
static void lint_prefix(struct checker *c, const struct expr *prefix)
{
    Str text;
    if (!expr_text(c, prefix, &text) || text.n < 2 || str_ends(text, STR("/")))
        return;
    bool is_url = str_starts(text, STR("https://")) || str_starts(text, STR("http://"));
    size_t from = is_url ? (size_t)(text.p[4] == 's' ? 8 : 7) : 0;
    bool is_host = is_url && text.n > from && !memchr(text.p + from, '/', text.n - from);
    if (text.p[0] != '/' && !is_host)
        return;
    diag_add(c->diags, DIAG_OPEN_PREFIX, prefix->span, STR_ARG(text));
    if (is_url)
        diag_help(c->diags, "ask the parts: url(...).host == \"example.com\"");
    else
        diag_help(c->diags, "write: path(...) within \"%.*s\"", STR_ARG(text));
}

/* A set behind `in` holds names, not patterns. */
static void lint_set(struct checker *c, const struct expr *set)
{
    Str text;
    const struct expr *group = expr_behind(set);
    if (group->kind != EXPR_SET && group->kind != EXPR_LIST)
        return;
    for (const struct expr *item = group->items; item; item = item->next) {
        if (!expr_text(c, item, &text) || !text.n || !memchr(text.p, '*', text.n))
            continue;
        diag_add(c->diags, DIAG_PATTERN_IN_SET, group == set ? item->span : set->span,
                 STR_ARG(text));
        diag_help(c->diags, "for a pattern write 'like' instead of 'in'");
    }
}

/* lets_through: that the condition is true speaks for letting the call through. */
static void lint_condition(struct checker *c, const struct expr *expr, bool lets_through)
{
    if (!expr)
        return;
    if (expr->kind == EXPR_BINARY && expr->op == OP2_STARTS)
        lint_prefix(c, expr->right);
    if (expr->kind == EXPR_BINARY && expr->op == OP2_IN)
        lint_set(c, expr->right);
    if (expr->kind == EXPR_BINARY && expr->right)
        lint_url(c, expr, lets_through);
    if (expr->kind == EXPR_QUANTIFIER)
        lint_roles(c, expr);
    lint_condition(c, expr->left, expr->kind == EXPR_NOT ? !lets_through : lets_through);
    lint_condition(c, expr->right, lets_through);
}

static bool is_everything(Str pattern)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (pattern.p[i] != '*')
            return false;
    return pattern.n > 0;
}

static void report_everything(struct checker *c, const char *noun, Span span)
{
    diag_add(c->diags, DIAG_ALLOW_EVERYTHING, span, noun);
    diag_help(c->diags, "name the %ss, or add a 'when'", noun);
}

void lint_rule(struct checker *c, const struct rule *rule)
{
    for (const struct let_decl *local = rule->locals; local; local = local->next) {
        lint_condition(c, local->value, true);
        if (!local->is_used)
            diag_add(c->diags, DIAG_UNUSED_LET, local->name_span, STR_ARG(local->name));
    }
    lint_condition(c, rule->when, rule->effect == EFFECT_ALLOW);
    if (rule->claim)
        return;
    lint_never(c, rule);
    if (rule->advertises && !rule->when)
        diag_add(c->diags, DIAG_ADVERTISE_NOTHING, rule->advertise_span);
    bool is_wide = rule->kind == KIND_TOOL || rule->kind == KIND_RESOURCE;
    if (rule->effect != EFFECT_ALLOW || rule->when || rule->effects || rule->flags || !is_wide)
        return;
    const char *noun = kind_table[rule->kind].noun;
    if (!rule->names)
        report_everything(c, noun, rule->kind_span);
    for (const struct name *name = rule->names; name; name = name->next)
        if (is_everything(name->text))
            report_everything(c, noun, name->span);
}

static bool is_spoken_of(const struct policy *policy, Str alias)
{
    for (const struct rule *rule = policy->rules; rule; rule = rule->next)
        if (rule_covers(rule, alias))
            return true;
    return policy->rules == NULL;
}

void lint_policy(struct checker *c)
{
    for (const struct let_decl *let = c->policy->lets; let; let = let->next)
        if (!let->is_used && let->span.source == c->source)
            diag_add(c->diags, DIAG_UNUSED_LET, let->name_span, STR_ARG(let->name));
    for (const struct server_decl *s = c->policy->servers; s; s = s->next)
        if (!is_spoken_of(c->policy, s->alias))
            diag_add(c->diags, DIAG_UNUSED_SERVER, s->alias_span, STR_ARG(s->alias));
    lint_rules(c);
    lint_secrets(c);
    if (!c->policy->rules && !c->policy->claims)
        diag_add(c->diags, DIAG_NO_RULES, c->policy->name_span);
}
