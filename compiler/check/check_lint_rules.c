/* SPDX-License-Identifier: Apache-2.0 */
/* check_lint_rules.c - rules that can't make a difference, and secrets in a source.
 *
 * A rule without a condition settles its tools, so what stands beside it is looked up by the tool's
 * name, as written: two globs are compared as texts, but for "*", which is every tool. So the work
 * grows with the number of names, and what is reported is certain; what `mcpc prove` could find
 * beyond it is left to that. */
#include "compiler/check/check_internal.h"

#include <stdlib.h>

enum { EVERYTHING_MAX = 16 }; /* rules over "*" that are kept */

/* A tool's name in a rule that has no condition. */
struct settled {
    Str tool;
    const struct rule *rule;
    uint32_t place; /* of the rule among all */
};

struct settlement {
    struct settled *items;
    uint32_t count;
    struct settled everything[EVERYTHING_MAX];
    uint32_t everything_count;
};

static int compare_settled(const void *left, const void *right)
{
    const struct settled *a = left, *b = right;
    int order = str_cmp(a->tool, b->tool);
    return order ? order : a->place < b->place ? -1 : a->place > b->place;
}

static bool is_unconditional(const struct rule *rule)
{
    return rule->names && !rule->when && !rule->effects && !rule->flags && !rule->sets;
}

static void note_name(struct settlement *all, const struct rule *rule, Str tool, uint32_t place)
{
    struct settled one = { .tool = tool, .rule = rule, .place = place };
    bool is_everything = rule->kind == KIND_TOOL && str_eq(tool, STR("*"));
    if (is_everything && all->everything_count < EVERYTHING_MAX)
        all->everything[all->everything_count++] = one;
    all->items[all->count++] = one;
}

static bool settle(struct checker *c, struct settlement *all)
{
    uint32_t count = 0, place = 0;
    *all = (struct settlement){ .count = 0 };
    for (const struct rule *rule = c->policy->rules; rule; rule = rule->next)
        for (const struct name *name = rule->names; name; name = name->next)
            count++;
    all->items = check_memory(c, ARENA_NEW(c->mem, struct settled, count));
    if (!all->items)
        return false;
    for (const struct rule *rule = c->policy->rules; rule; rule = rule->next, place++)
        for (const struct name *name = is_unconditional(rule) ? rule->names : NULL; name;
             name = name->next)
            note_name(all, rule, name->text, place);
    if (all->count > 1)
        qsort(all->items, all->count, sizeof *all->items, compare_settled);
    return true;
}

static bool covers_servers(const struct rule *wide, const struct rule *rule)
{
    if (!wide->servers)
        return true;
    for (const struct name *name = rule->servers; name; name = name->next)
        if (!rule_covers(wide, name->text))
            return false;
    return rule->servers != NULL;
}

struct question {
    const struct rule *rule;
    uint32_t place;
    enum effect effect; /* of the rule that is looked for */
};

/* Of two denies the first is named, with its reason, so only one before makes the other idle. */
static bool is_answer(const struct question *q, const struct settled *one)
{
    bool is_elsewhere = one->rule->profile && one->rule->profile != q->rule->profile;
    if (one->rule == q->rule || one->rule->effect != q->effect || is_elsewhere ||
        one->rule->kind != q->rule->kind || !covers_servers(one->rule, q->rule))
        return false;
    bool is_twin = q->rule->effect == q->effect;
    bool must_precede = is_twin && (q->effect == EFFECT_DENY || is_unconditional(q->rule));
    return !must_precede || one->place < q->place;
}

static const struct rule *settled_by(const struct settlement *all, const struct question *q,
                                     Str tool)
{
    uint32_t lo = 0, hi = all->count;
    for (uint32_t i = 0; i < all->everything_count; i++)
        if (is_answer(q, &all->everything[i]))
            return all->everything[i].rule;
    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (str_cmp(all->items[middle].tool, tool) < 0)
            lo = middle + 1;
        else
            hi = middle;
    }
    for (hi = lo + EVERYTHING_MAX; lo < all->count && lo < hi && str_eq(all->items[lo].tool, tool);
         lo++)
        if (is_answer(q, &all->items[lo]))
            return all->items[lo].rule;
    return NULL;
}

/* The rule that settles all tools of q's rule, the one of its first tool; NULL: none does. */
static const struct rule *settles_all(const struct settlement *all, const struct question *q)
{
    const struct rule *first = NULL;
    if (!q->rule->names)
        return q->rule->kind == KIND_TOOL ? settled_by(all, q, STR("*")) : NULL;
    for (const struct name *name = q->rule->names; name; name = name->next) {
        const struct rule *by = settled_by(all, q, name->text);
        if (!by)
            return NULL;
        first = first ? first : by;
    }
    return first;
}

static uint32_t line_of(const struct checker *c, Span span)
{
    uint32_t line, column;
    source_position(&c->sources->items[span.source], span.lo, &line, &column);
    return line;
}

static Span head_of(const struct rule *rule)
{
    Span span = rule->span;
    span.hi = rule->names ? rule->names->span.hi : span.lo + 1;
    return span;
}

static void lint_settled(struct checker *c, const struct settlement *all, const struct rule *rule,
                         uint32_t place)
{
    struct question q = { .rule = rule, .place = place, .effect = rule->effect };
    const struct rule *by = rule->sets ? NULL : settles_all(all, &q);
    if (by) {
        diag_add(c->diags, DIAG_RULE_COVERED, head_of(rule), line_of(c, by->span));
        return;
    }
    q.effect = EFFECT_DENY;
    by = rule->effect == EFFECT_ALLOW ? settles_all(all, &q) : NULL;
    if (!by)
        return;
    Str why = arena_printf(c->mem, "line %u denies all its tools", line_of(c, by->span));
    diag_add(c->diags, DIAG_RULE_NEVER_ACTS, head_of(rule), STR_ARG(why));
}

void lint_rules(struct checker *c)
{
    struct settlement all;
    uint32_t place = 0;
    if (!settle(c, &all))
        return;
    for (const struct rule *rule = c->policy->rules; rule; rule = rule->next, place++)
        if (rule->span.source == c->source &&
            rule->kind != KIND_COUNT) /* what is imported is linted by itself */
            lint_settled(c, &all, rule, place);
}

/* ------------------------------ conditions ------------------------------ */

static bool is_never(const struct expr *expr, bool wanted)
{
    expr = expr_behind(expr);
    if (expr->kind == EXPR_BOOL)
        return expr->truth != wanted;
    if (expr->kind == EXPR_NOT)
        return is_never(expr->left, !wanted);
    if (expr->kind != EXPR_BINARY || (expr->op != OP2_AND && expr->op != OP2_OR))
        return false;
    bool left = is_never(expr->left, wanted), right = is_never(expr->right, wanted);
    return (expr->op == OP2_AND) == wanted ? left || right : left && right;
}

/* A rule acts if its condition is true; a deny also if it is unknown, which no constant is. */
void lint_never(struct checker *c, const struct rule *rule)
{
    Str why = { .p = NULL, .n = 0 };
    if (rule->when && is_never(rule->when, true))
        why = STR("its condition is false, whatever the call");
    else if (c->scope.is_closed && !c->scope.count && (rule->effects || rule->flags))
        why = STR("no pinned tool has such a class");
    if (why.n)
        diag_add(c->diags, DIAG_RULE_NEVER_ACTS, head_of(rule), STR_ARG(why));
}

/* What an imported claim is about may not be here; then it holds. */
void check_what_is_claimed(struct checker *c, const struct rule *claim)
{
    Str why = { .p = NULL, .n = 0 };
    if (claim->when && is_never(claim->when, true))
        why = STR("its condition is false, whatever the call");
    else if (c->scope.is_closed && !c->scope.count)
        why = STR("it is about no pinned tool");
    if (why.n && claim->span.source == c->source)
        diag_add(c->diags, DIAG_CLAIM_NOTHING, head_of(claim), STR_ARG(why));
}

void lint_roles(struct checker *c, const struct expr *q)
{
    for (const struct server_decl *s = c->policy->servers; s && q->roles; s = s->next)
        if (!s->classes_span.hi && rule_covers(c->rule, s->alias))
            diag_add(c->diags, DIAG_ROLE_UNCLASSIFIED, q->roles->span, STR_ARG(s->alias));
    if (q->roles && !c->policy->servers)
        diag_add(c->diags, DIAG_ROLE_UNCLASSIFIED, q->roles->span, STR_ARG(STR("(no server)")));
}

static bool is_raw_text(const struct expr *expr)
{
    expr = expr_behind(expr);
    while (expr->kind == EXPR_CALL && (expr->function == FN_LOWER || expr->function == FN_TRIM))
        expr = expr_behind(expr->items);
    return (expr->kind == EXPR_FIELD && expr->root == ROOT_ARGS) || expr->binding;
}

/* Has the text a scheme, and does what follows it leave the host open? */
static bool is_url_text(Str text, bool *is_host_fixed)
{
    Str rest = text;
    *is_host_fixed = false;
    for (size_t i = 0; i + 3 <= text.n && i < 16; i++) {
        if (!str_starts(str_sub(text, i, text.n), STR("://")))
            continue;
        rest = str_sub(text, i + 3, text.n);
        Str host = str_cut(&rest, '/');
        *is_host_fixed = rest.p && !memchr(host.p, '*', host.n) && !memchr(host.p, '?', host.n) &&
                         !memchr(host.p, '{', host.n) && !memchr(host.p, '[', host.n);
        return true;
    }
    return false;
}

/* Some spelling of the URL that was meant passes by, where passing by is what lets the call
 * through; or a pattern takes more than was meant. lets_through: the comparison's truth speaks for
 * the call. */
void lint_url(struct checker *c, const struct expr *expr, bool lets_through)
{
    Str text;
    bool is_fixed, is_exact = expr->op == OP2_EQ || expr->op == OP2_IN;
    const struct expr *right = expr_behind(expr->right);
    bool is_group = right->kind == EXPR_SET || right->kind == EXPR_LIST;
    if (expr->op == OP2_NE)
        lets_through = !lets_through;
    is_exact |= expr->op == OP2_NE;
    if (!is_exact && expr->op != OP2_CONTAINS && expr->op != OP2_LIKE && expr->op != OP2_STARTS)
        return;
    if (!is_raw_text(expr->left))
        return;
    for (const struct expr *item = is_group ? right->items : right; item;
         item = is_group ? item->next : NULL) {
        if (!expr_text(c, item, &text) || !is_url_text(text, &is_fixed))
            continue;
        bool is_bound = is_exact || (expr->op != OP2_CONTAINS && is_fixed);
        if (lets_through && (is_bound || expr->op == OP2_STARTS)) /* open prefixes: W804 */
            continue;
        Span span = right == expr->right ? item->span : expr->right->span;
        diag_add(c->diags, DIAG_URL_AS_TEXT, span);
        diag_help(c->diags, "ask the parts: url(...).host == \"example.com\"");
    }
}

/* -------------------------------- secrets ------------------------------- */

static const struct {
    Str prefix;
    size_t rest; /* characters that follow at least */
    const char *what;
} secrets[] = {
    // clang-format off
    { STR_INIT("ghp_"), 20, "a GitHub token" }, { STR_INIT("gho_"), 20, "a GitHub token" },
    { STR_INIT("ghs_"), 20, "a GitHub token" }, { STR_INIT("github_pat_"), 20, "a GitHub token" },
    { STR_INIT("glpat-"), 16, "a GitLab token" }, { STR_INIT("xoxb-"), 16, "a Slack token" },
    { STR_INIT("xoxp-"), 16, "a Slack token" }, { STR_INIT("sk-"), 20, "an API key" },
    { STR_INIT("sk_live_"), 16, "an API key" }, { STR_INIT("rk_live_"), 16, "an API key" },
    { STR_INIT("AKIA"), 16, "an AWS access key" }, { STR_INIT("ASIA"), 16, "an AWS access key" },
    { STR_INIT("AIza"), 30, "a Google API key" }, { STR_INIT("npm_"), 30, "an npm token" },
    { STR_INIT("mcpg_"), 30, "a grant of a gateway" }, { STR_INIT("eyJ"), 60, "a signed token" },
    // clang-format on
};

static bool is_key_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_' || ch == '-';
}

static void lint_word(struct checker *c, Str word, Span span)
{
    for (size_t i = 0; i < COUNT(secrets); i++) {
        if (!str_starts(word, secrets[i].prefix) || word.n < secrets[i].prefix.n + secrets[i].rest)
            continue;
        diag_add(c->diags, DIAG_SECRET_IN_SOURCE, span, secrets[i].what);
        return;
    }
}

void lint_secrets(struct checker *c)
{
    Str text = c->sources->items[c->source].text;
    for (size_t at = 0, end; at < text.n; at = end + 1) {
        for (end = at; end < text.n && is_key_char(text.p[end]);)
            end++;
        Span span = { .source = c->source, .lo = (uint32_t)at, .hi = (uint32_t)end };
        lint_word(c, str_sub(text, at, end), span);
        if (str_starts(str_sub(text, at, text.n), STR("PRIVATE KEY-----"))) {
            span.hi = (uint32_t)at + 16;
            diag_add(c->diags, DIAG_SECRET_IN_SOURCE, span, "a private key");
        }
    }
}
