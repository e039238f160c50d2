/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - the declarations: names that must be there, once, and well formed; the snapshots that
 * servers are pinned to. What refers to a broken declaration is checked as if it were right, so
 * that one slip gives one message. */
#include "compiler/check/check_internal.h"
#include "compiler/source/text.h"

#include <stdlib.h>

enum { SUGGESTION_DISTANCE_MAX = 3 };

void *check_memory(struct checker *c, void *memory)
{
    c->is_out_of_memory |= memory == NULL;
    return memory;
}

/* -------------------------------- names --------------------------------- */

static int compare_symbols(const void *left, const void *right)
{
    const struct symbol *a = left, *b = right;
    int order = str_cmp(a->name, b->name);
    if (order)
        return order;
    return a->span.lo < b->span.lo ? -1 : a->span.lo > b->span.lo;
}

static void report_twice(struct checker *c, const struct symbol *symbol, const struct symbol *first,
                         enum diag_id twice)
{
    diag_add(c->diags, twice, symbol->span, STR_ARG(symbol->name));
    diag_relate(c->diags, first->span);
}

void symbols_settle(struct checker *c, struct symbols *symbols, enum diag_id twice)
{
    uint32_t kept = 0;
    if (symbols->count > 1)
        qsort(symbols->items, symbols->count, sizeof *symbols->items, compare_symbols);
    for (uint32_t i = 0; i < symbols->count; i++) {
        const struct symbol *symbol = &symbols->items[i];
        if (kept && str_eq(symbols->items[kept - 1].name, symbol->name))
            report_twice(c, symbol, &symbols->items[kept - 1], twice);
        else
            symbols->items[kept++] = *symbol;
    }
    symbols->count = kept;
}

const struct symbol *symbol_find(const struct symbols *symbols, Str name)
{
    uint32_t lo = 0, hi = symbols->count;
    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        int order = str_cmp(symbols->items[middle].name, name);
        if (order == 0)
            return &symbols->items[middle];
        if (order < 0)
            lo = middle + 1;
        else
            hi = middle;
    }
    return NULL;
}

void suggest(Str candidate, Str name, Str *best, size_t *distance)
{
    size_t max = name.n <= 2 ? 1 : name.n <= 6 ? 2 : SUGGESTION_DISTANCE_MAX;
    size_t found = str_eq_nocase(candidate, name) ? 0 : str_distance(candidate, name, max);
    if (found <= max && found < *distance && candidate.n) {
        *best = candidate;
        *distance = found;
    }
}

Str symbol_nearest(const struct symbols *symbols, Str name)
{
    Str best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    for (uint32_t i = 0; i < symbols->count; i++)
        suggest(symbols->items[i].name, name, &best, &distance);
    return best;
}

void help_nearest(struct checker *c, Str best)
{
    if (!best.n)
        return;
    diag_help(c->diags, "did you mean '%.*s'?", STR_ARG(best));
    diag_fix(c->diags, best);
}

Str servers_text(struct checker *c, const struct rule *rule)
{
    const struct server_decl *only = c->policy->servers;
    Str text = STR_INIT("the pinned servers");
    if (rule && rule->servers && !rule->servers->next)
        text = arena_printf(c->mem, "\"%.*s\"", STR_ARG(rule->servers->text));
    else if (only && !only->next)
        text = arena_printf(c->mem, "\"%.*s\"", STR_ARG(only->alias));
    return text;
}

/* ----------------------------- the policy ------------------------------- */

static bool has_control(Str text)
{
    for (size_t at = 0, length = 0; at < text.n; at += length) {
        uint32_t code = text_decode(text, at, &length);
        if (code == TEXT_INVALID || text_is_control(code) || text_is_direction(code))
            return true;
    }
    return false;
}

static void check_header(struct checker *c)
{
    const struct policy *policy = c->policy;
    if (!policy->span.hi) {
        if (c->had_errors) /* it may be what could not be read */
            return;
        diag_add(c->diags, DIAG_NO_POLICY, (Span){ .source = c->source, .lo = 0, .hi = 0 });
        diag_help(c->diags, "begin with: policy \"name\";");
    } else if (!policy->name.n || policy->name.n > POLICY_NAME_BYTES_MAX ||
               has_control(policy->name)) {
        diag_add(c->diags, DIAG_BAD_POLICY_NAME, policy->name_span, POLICY_NAME_BYTES_MAX);
    }
}

static void check_length(struct checker *c, Str text, Span span)
{
    if (text.n > TEXT_BYTES_MAX)
        diag_add(c->diags, DIAG_TEXT_TOO_LONG, span, TEXT_BYTES_MAX);
}

/* ------------------------------- servers -------------------------------- */

/* What a gateway can have as the last part of /mcp/<alias>. */
static bool is_alias(Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i];
        bool is_plain = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
        bool is_inner = i > 0 && (ch == '-' || (ch == '_' && text.p[i - 1] != '_'));
        if (!is_plain && !is_inner)
            return false;
    }
    return text.n > 0 && text.n <= ALIAS_BYTES_MAX;
}

/* The snapshot's path, which is relative to the folder of the policy. */
static Str snapshot_path(struct checker *c, Str path, Span span)
{
    Str own = c->sources->items[span.source].path;
    size_t folder = own.n;
    while (folder > 0 && own.p[folder - 1] != '/')
        folder--;
    if (str_starts(path, STR("/")) || folder == 0)
        return path;
    return arena_printf(c->mem, "%.*s%.*s", (int)folder, own.p, STR_ARG(path));
}

static void read_snapshot(struct checker *c, struct server_decl *server)
{
    Str text, path = snapshot_path(c, server->tools_path, server->span);
    struct snapshot *snapshot = check_memory(c, ARENA_NEW(c->mem, struct snapshot, 1));
    if (!snapshot)
        return;
    enum status status = sources_file(c->sources, path, SOURCE_BYTES_MAX, c->mem, &text);
    if (status != ST_OK) {
        diag_add(c->diags, DIAG_SNAPSHOT_READ, server->tools_span, STR_ARG(path),
                 status_text(status));
        return;
    }
    if (snapshot_parse(text, server->tools_path, server->tools_span, c->mem, c->diags, snapshot))
        server->snapshot = snapshot;
}

static void read_classes(struct checker *c, struct server_decl *server)
{
    Str text, path = snapshot_path(c, server->classes_path, server->span);
    struct class_table *table = check_memory(c, ARENA_NEW(c->mem, struct class_table, 1));
    if (!table)
        return;
    enum status status = sources_file(c->sources, path, SOURCE_BYTES_MAX, c->mem, &text);
    if (status != ST_OK) {
        diag_add(c->diags, DIAG_SNAPSHOT_READ, server->classes_span, STR_ARG(path),
                 status_text(status));
        return;
    }
    if (classes_parse(text, server->classes_path, server->classes_span, c->mem, c->diags, table))
        server->classes = table;
}

static void check_servers(struct checker *c)
{
    uint32_t count = 0;
    for (const struct server_decl *s = c->policy->servers; s; s = s->next)
        count++;
    c->servers.items = check_memory(c, ARENA_NEW(c->mem, struct symbol, count));
    for (struct server_decl *s = c->policy->servers; s && c->servers.items; s = s->next) {
        c->servers.items[c->servers.count++] =
            (struct symbol){ .name = s->alias, .span = s->alias_span, .item = s };
        if (!is_alias(s->alias)) {
            diag_add(c->diags, DIAG_BAD_ALIAS, s->alias_span, STR_ARG(s->alias));
            diag_help(c->diags, "1 to %d of a-z, 0-9, '-' and single '_', a letter or digit first",
                      ALIAS_BYTES_MAX);
        }
        if (s->tools_span.hi)
            read_snapshot(c, s);
        if (s->classes_span.hi)
            read_classes(c, s);
    }
    symbols_settle(c, &c->servers, DIAG_DUPLICATE_SERVER);
}

/* --------------------------------- lets --------------------------------- */

static void check_lets(struct checker *c)
{
    uint32_t count = 0;
    for (const struct let_decl *l = c->policy->lets; l; l = l->next)
        count++;
    c->lets.items = check_memory(c, ARENA_NEW(c->mem, struct symbol, count));
    for (struct let_decl *l = c->policy->lets; l && c->lets.items; l = l->next)
        c->lets.items[c->lets.count++] =
            (struct symbol){ .name = l->name, .span = l->name_span, .item = l };
    symbols_settle(c, &c->lets, DIAG_DUPLICATE_LET);
    check_params(c);
    for (struct let_decl *l = c->policy->lets; l; l = l->next)
        check_let(c, l);
}

/* ------------------------------- profiles ------------------------------- */

/* An earlier block of that name in the same file. */
static bool is_repeated(const struct policy *policy, const struct profile_decl *profile)
{
    for (const struct profile_decl *p = policy->profiles; p != profile; p = p->next)
        if (str_eq(p->name, profile->name) && p->span.source == profile->span.source)
            return true;
    return false;
}

static bool has_profile(const struct policy *policy, Str name)
{
    for (const struct profile_decl *p = policy->profiles; p; p = p->next)
        if (str_eq(p->name, name))
            return true;
    return false;
}

/* Chosen for what the profile extends, it is there already when that leads back to it. */
static void check_extends(struct checker *c, const struct profile_decl *profile)
{
    if (!profile->extends_span.hi)
        return;
    if (!has_profile(c->policy, profile->extends))
        diag_add(c->diags, DIAG_UNKNOWN_PROFILE, profile->extends_span, STR_ARG(profile->extends));
    else if (policy_choose(c->policy, profile->extends) && profile->is_chosen)
        diag_add(c->diags, DIAG_PROFILE_CYCLE, profile->extends_span, STR_ARG(profile->name));
}

static void check_profiles(struct checker *c)
{
    uint32_t count = 0;
    for (const struct profile_decl *p = c->policy->profiles; p; p = p->next) {
        if (++count > PROFILES_MAX) {
            diag_add(c->diags, DIAG_TOO_MANY_PROFILES, p->name_span, PROFILES_MAX);
            break;
        }
        if (!is_alias(p->name)) {
            diag_add(c->diags, DIAG_BAD_PROFILE, p->name_span, STR_ARG(p->name));
            diag_help(c->diags, "1 to %d of a-z, 0-9, '-' and single '_', a letter or digit first",
                      ALIAS_BYTES_MAX);
        }
        if (is_repeated(c->policy, p))
            diag_add(c->diags, DIAG_DUPLICATE_PROFILE, p->name_span, STR_ARG(p->name));
        check_extends(c, p);
    }
    c->policy->profile = STR("");
    for (struct profile_decl *p = c->policy->profiles; p; p = p->next)
        p->is_chosen = false;
}

/* --------------------------------- rules -------------------------------- */

static void check_on(struct checker *c, const struct rule *rule)
{
    for (const struct name *name = rule->servers; name; name = name->next) {
        for (const struct name *other = rule->servers; other != name; other = other->next)
            if (str_eq(other->text, name->text)) {
                diag_add(c->diags, DIAG_DUPLICATE_ON, name->span, STR_ARG(name->text));
                break;
            }
        if (!c->servers.count || symbol_find(&c->servers, name->text))
            continue;
        diag_add(c->diags, DIAG_UNKNOWN_SERVER, name->span, STR_ARG(name->text));
        help_nearest(c, symbol_nearest(&c->servers, name->text));
    }
}

static void unknown_word(struct checker *c, const char *what, const struct name *name,
                         const Str *words, uint32_t count)
{
    Str best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    diag_add(c->diags, DIAG_UNKNOWN_CLASS_WORD, name->span, what, STR_ARG(name->text));
    for (uint32_t i = 0; i < count; i++)
        suggest(words[i], name->text, &best, &distance);
    help_nearest(c, best);
}

/* Effects and flags: known words, and servers whose tools have classes. */
static void check_selector(struct checker *c, struct rule *rule)
{
    for (const struct name *name = rule->effects; name; name = name->next) {
        enum tool_effect effect = effect_of_word(name->text);
        if (effect == TOOL_EFFECT_COUNT)
            unknown_word(c, "effect", name, effect_words, TOOL_EFFECT_COUNT);
        else
            rule->effect_set |= UINT32_C(1) << effect;
        if (effect == TOOL_UNCLASSIFIED && rule->effect == EFFECT_ALLOW && !rule->claim)
            diag_add(c->diags, DIAG_ALLOW_UNCLASSIFIED, name->span);
    }
    for (const struct name *name = rule->flags; name; name = name->next) {
        enum tool_flag flag = flag_of_word(name->text);
        if (flag == FLAG_COUNT)
            unknown_word(c, "flag", name, flag_words, FLAG_COUNT);
        else
            rule->flag_set |= UINT32_C(1) << flag;
    }
    if (!rule->effects && !rule->flags)
        return;
    const struct name *first = rule->effects ? rule->effects : rule->flags;
    for (const struct server_decl *s = c->policy->servers; s; s = s->next) {
        bool lacks = !s->tools_span.hi || !s->classes_span.hi;
        if (lacks && rule_covers(rule, s->alias))
            diag_add(c->diags, DIAG_NOT_CLASSIFIED, first->span, "effects and flags",
                     STR_ARG(s->alias));
    }
    if (!c->policy->servers)
        diag_add(c->diags, DIAG_NOT_CLASSIFIED, first->span, "effects and flags",
                 STR_ARG(STR("(no server)")));
}

/* `has args.x` anywhere in a condition guards args.x and what it lies in. */
static void collect_guards(struct checker *c, const struct expr *expr)
{
    if (!expr)
        return;
    const struct expr *asked = expr->kind == EXPR_HAS ? expr->left : NULL;
    while (asked && (asked->kind == EXPR_MEMBER || asked->kind == EXPR_INDEX))
        asked = asked->left; /* has args.files[0].path asks for args.files, too */
    if (asked && asked->kind == EXPR_FIELD) {
        struct field_note *note = check_memory(c, ARENA_NEW(c->mem, struct field_note, 1));
        if (note)
            *note = (struct field_note){ .field = asked, .next = c->guards };
        c->guards = note ? note : c->guards;
    }
    collect_guards(c, expr->left);
    collect_guards(c, expr->right);
    for (const struct expr *item = expr->items; item; item = item->next)
        collect_guards(c, item);
}

static void check_rule(struct checker *c, struct rule *rule)
{
    uint32_t errors = c->diags->errors;
    c->rule = rule;
    c->guards = c->warned = NULL;
    if (rule->effect == EFFECT_ASK) {
        diag_add(
            c->diags, DIAG_ASK_UNAVAILABLE,
            (Span){ .source = rule->span.source, .lo = rule->span.lo, .hi = rule->span.lo + 3 });
        diag_help(c->diags, "until then 'deny' it, or 'allow' it under a condition");
    }
    check_length(c, rule->reason, rule->reason_span);
    check_on(c, rule);
    check_selector(c, rule);
    if (rule->kind == KIND_TOOL)
        check_rule_tools(c, rule);
    else
        check_rule_kind(c, rule);
    for (const struct let_decl *local = rule->locals; local; local = local->next)
        collect_guards(c, local->value);
    collect_guards(c, rule->when);
    check_locals(c, rule);
    if (rule->when)
        check_condition(c, rule->when, rule->is_unless ? "follows 'unless'" : "follows 'when'");
    check_sets(c, rule);
    if (rule->advertises && rule->kind != KIND_TOOL && rule->kind < KIND_COUNT)
        diag_add(c->diags, DIAG_ADVERTISE_KIND, rule->advertise_span, kind_table[rule->kind].noun);
    if (c->diags->errors == errors && rule->claim)
        check_what_is_claimed(c, rule);
    if (c->diags->errors == errors)
        lint_rule(c, rule);
    c->rule = NULL;
}

bool policy_check(struct policy *policy, struct sources *sources, uint32_t source,
                  struct arena *mem, struct diags *diags)
{
    return policy_check_with(policy, sources, source, NULL, mem, diags);
}

bool policy_check_with(struct policy *policy, struct sources *sources, uint32_t source,
                       const struct params *params, struct arena *mem, struct diags *diags)
{
    ENSURE(source < sources->count);
    struct checker c = {
        .policy = policy,
        .sources = sources,
        .source = source,
        .mem = mem,
        .diags = diags,
        .params = params,
        .had_errors = diags->errors > 0,
    };
    check_header(&c);
    check_length(&c, policy->fallback.reason, policy->fallback.reason_span);
    check_servers(&c);
    check_lets(&c);
    check_profiles(&c);
    for (struct rule *rule = policy->rules; rule && !c.is_out_of_memory; rule = rule->next)
        check_rule(&c, rule);
    for (struct rule *claim = policy->claims; claim && !c.is_out_of_memory; claim = claim->next)
        check_rule(&c, claim);
    check_tests(&c);
    if (diags->errors == 0)
        lint_policy(&c);
    if (c.is_out_of_memory)
        diag_add(diags, DIAG_NO_MEMORY, (Span){ .source = source, .lo = 0, .hi = 0 });
    return diags->errors == 0;
}
