/* SPDX-License-Identifier: Apache-2.0 */
/* print.c - the canonical layout. Statements keep their order and the author's blank lines (one at
 * most); a rule stands on one line if it fits and no comment is in it, else its clauses begin lines
 * of their own. Whatever has a place in the source is printed after the comments before it, so a
 * comment never wanders past a token that the printer knows the place of. */
#include "compiler/syntax/print.h"

/* Prints a statement of the list that begins first; the five kinds are merged by place. */
struct statements {
    const struct import_decl *import;
    const struct server_decl *server;
    const struct let_decl *let;
    const struct rule *rule, *claim;
    const struct test *test;
    const struct profile_decl *profile;
    bool has_policy, has_default; /* still to come */
};

void end_statement(struct pen *pen, Span span)
{
    pen_comments(pen, span.hi);
    pen_text(pen, STR(";"));
    pen->end = span.hi;
}

void begin_statement(struct pen *pen, Span span, uint32_t indent)
{
    pen->indent = indent;
    pen_gap(pen, span.lo);
    pen_line(pen);
}

void print_worded(struct pen *pen, Str word, Str text, Span span)
{
    pen_comments(pen, span.lo);
    pen_space(pen);
    pen_text(pen, word);
    pen_space(pen);
    pen_string(pen, text);
}

static void print_policy(struct pen *pen, const struct policy *policy)
{
    begin_statement(pen, policy->span, 0);
    pen_text(pen, STR("policy"));
    pen->indent = PRINT_INDENT;
    print_worded(pen, STR(""), policy->name, policy->name_span);
    if (policy->version) {
        char digits[16];
        int n = snprintf(digits, sizeof digits, "%u", policy->version);
        pen_space(pen);
        pen_text(pen, STR("version"));
        pen_space(pen);
        pen_text(pen, (Str){ .p = digits, .n = (size_t)n });
    }
    end_statement(pen, policy->span);
}

static void print_server(struct pen *pen, const struct server_decl *server)
{
    begin_statement(pen, server->span, 0);
    pen_text(pen, STR("server"));
    pen->indent = PRINT_INDENT;
    print_worded(pen, STR(""), server->alias, server->alias_span);
    if (server->tools_span.hi)
        print_worded(pen, STR("tools"), server->tools_path, server->tools_span);
    if (server->classes_span.hi)
        print_worded(pen, STR("classes"), server->classes_path, server->classes_span);
    if (server->is_open) {
        pen_space(pen);
        pen_text(pen, STR("open"));
    }
    end_statement(pen, server->span);
}

static void print_let_value(struct pen *pen, const struct expr *value)
{
    struct pen saved = *pen;
    size_t start = pen->out->n;
    bool is_group = value->kind == EXPR_SET || value->kind == EXPR_LIST;
    bool has_comment = pen_has_comment(pen, expr_end(value));
    if (!is_group || !has_comment)
        print_expr(pen, value, LEVEL_CHAIN);
    if (!is_group || (!has_comment && pen_column(pen) < PRINT_COLUMNS))
        return;
    pen->out->n = start;
    *pen = saved;
    pen->indent = 0;
    print_group_lines(pen, value);
}

static void print_import(struct pen *pen, const struct import_decl *import)
{
    begin_statement(pen, import->span, 0);
    pen_text(pen, STR("import"));
    pen->indent = PRINT_INDENT;
    print_worded(pen, STR(""), import->path, import->path_span);
    end_statement(pen, import->span);
}

static void print_let(struct pen *pen, const struct let_decl *let)
{
    begin_statement(pen, let->span, 0);
    pen_text(pen, let->is_param ? STR("param") : STR("let"));
    pen->indent = PRINT_INDENT;
    pen_comments(pen, let->name_span.lo);
    pen_space(pen);
    pen_text(pen, let->name);
    if (let->is_param) {
        pen_text(pen, STR(":"));
        pen_comments(pen, let->type_span.lo);
        pen_space(pen);
        pen_text(pen, let->is_set ? STR("set of ") : STR(""));
        pen_text(pen, let->type_word);
    }
    if (!let->value) {
        end_statement(pen, let->span);
        return;
    }
    pen_comments(pen, expr_begin(let->value));
    pen_space(pen);
    pen_text(pen, STR("="));
    pen_space(pen);
    print_let_value(pen, let->value);
    end_statement(pen, let->span);
}

static void print_default(struct pen *pen, const struct default_decl *fallback)
{
    begin_statement(pen, fallback->span, 0);
    pen_text(pen, STR("default"));
    pen->indent = PRINT_INDENT;
    pen_space(pen);
    pen_text(pen, STR("deny"));
    if (fallback->reason_span.hi)
        print_worded(pen, STR("reason"), fallback->reason, fallback->reason_span);
    end_statement(pen, fallback->span);
}

/* --------------------------------- rules -------------------------------- */

static void print_names(struct pen *pen, const struct name *names, bool may_wrap)
{
    for (const struct name *name = names; name; name = name->next) {
        pen_comments(pen, name->span.lo);
        pen_space(pen);
        size_t start = pen->out->n;
        struct pen saved = *pen;
        pen_string(pen, name->text);
        if (name->next)
            pen_text(pen, STR(","));
        if (!may_wrap || name == names || pen_column(pen) <= PRINT_COLUMNS)
            continue;
        pen->out->n = start;
        *pen = saved;
        pen_line(pen);
        pen_string(pen, name->text);
        if (name->next)
            pen_text(pen, STR(","));
    }
}

/* word a, b, c: names that are no strings. */
static void print_words(struct pen *pen, Str word, const struct name *names)
{
    if (!names)
        return;
    pen_comments(pen, names->span.lo);
    pen_space(pen);
    pen_text(pen, word);
    for (const struct name *name = names; name; name = name->next) {
        pen_comments(pen, name->span.lo);
        pen_space(pen);
        pen_text(pen, name->text);
        if (name->next)
            pen_text(pen, STR(","));
    }
}

const Str claim_words[] = {
    // clang-format off
    [CLAIM_NONE] = STR_INIT(""), [CLAIM_NEVER_ALLOW] = STR_INIT("never allow"),
    [CLAIM_ALWAYS_DENY] = STR_INIT("always deny"), [CLAIM_ALWAYS_ALLOW] = STR_INIT("always allow"),
    // clang-format on
};

static void print_head(struct pen *pen, const struct rule *rule, bool may_wrap)
{
    static const Str effects[] = {
        // clang-format off
        [EFFECT_DENY] = STR_INIT("deny"), [EFFECT_ASK] = STR_INIT("ask"),
        [EFFECT_ALLOW] = STR_INIT("allow"),
        // clang-format on
    };
    pen_text(pen, rule->claim ? claim_words[rule->claim] : effects[rule->effect]);
    pen->indent = 2 * PRINT_INDENT;
    if (rule->kind_span.hi && rule->kind < KIND_COUNT) {
        pen_comments(pen, rule->kind_span.lo);
        pen_space(pen);
        pen_text(pen, kind_table[rule->kind].word);
        print_names(pen, rule->names, may_wrap);
    }
    print_words(pen, STR("effect"), rule->effects);
    print_words(pen, STR("flag"), rule->flags);
    if (!rule->servers)
        return;
    pen_comments(pen, rule->servers->span.lo);
    pen_space(pen);
    pen_text(pen, STR("on"));
    print_names(pen, rule->servers, may_wrap);
}

static Str condition_word(const struct rule *rule)
{
    return rule->is_unless ? STR("unless") : STR("when");
}

static const struct expr *condition_of(const struct rule *rule)
{
    return rule->is_unless ? rule->when->left : rule->when;
}

static void print_set(struct pen *pen, const struct set_decl *set)
{
    pen_comments(pen, expr_begin(set->place));
    pen_space(pen);
    print_expr(pen, set->place, LEVEL_PRIMARY);
    pen_space(pen);
    pen_text(pen, STR("="));
    pen_comments(pen, expr_begin(set->value));
    pen_space(pen);
    print_expr(pen, set->value, LEVEL_CHAIN);
    if (set->next)
        pen_text(pen, STR(","));
}

/* On one line, or each behind the first on a line of its own. */
static void print_sets(struct pen *pen, const struct rule *rule, bool is_flat)
{
    if (!rule->sets)
        return;
    pen_comments(pen, expr_begin(rule->sets->place));
    if (!is_flat)
        pen_line(pen);
    pen_space(pen);
    pen_text(pen, STR("set"));
    for (const struct set_decl *set = rule->sets; set; set = set->next) {
        if (!is_flat && set != rule->sets) {
            pen->indent = PRINT_INDENT + 4; /* under the first place */
            pen_comments(pen, expr_begin(set->place));
            pen_line(pen);
        }
        print_set(pen, set);
    }
}

/* On one line, or each behind the first on a line of its own. */
static void print_locals(struct pen *pen, const struct rule *rule, bool is_flat)
{
    const struct let_decl *first = rule->locals;
    if (!first)
        return;
    pen->indent = PRINT_INDENT;
    pen_comments(pen, first->name_span.lo);
    if (!is_flat)
        pen_line(pen);
    pen_space(pen);
    pen_text(pen, STR("let"));
    for (const struct let_decl *local = first; local; local = local->next) {
        pen->indent = PRINT_INDENT + 4; /* under the first name */
        pen_comments(pen, local->name_span.lo);
        if (!is_flat && local != first)
            pen_line(pen);
        pen_space(pen);
        pen_text(pen, local->name);
        pen_space(pen);
        pen_text(pen, STR("="));
        pen_comments(pen, expr_begin(local->value));
        pen_space(pen);
        if (is_flat)
            print_expr(pen, local->value, LEVEL_CHAIN);
        else
            print_fitted(pen, local->value, LEVEL_CHAIN);
        if (local->next)
            pen_text(pen, STR(","));
    }
}

static void print_advertise(struct pen *pen, const struct rule *rule, bool is_flat)
{
    if (!rule->advertises)
        return;
    pen_comments(pen, rule->advertise_span.lo);
    if (!is_flat)
        pen_line(pen);
    pen_space(pen);
    pen_text(pen, STR("advertise"));
}

static void print_rule_flat(struct pen *pen, const struct rule *rule)
{
    print_head(pen, rule, false);
    print_locals(pen, rule, true);
    if (rule->when) {
        pen_space(pen);
        pen_text(pen, condition_word(rule));
        pen_space(pen);
        print_expr(pen, condition_of(rule), LEVEL_CHAIN);
    }
    print_sets(pen, rule, true);
    print_advertise(pen, rule, true);
    if (rule->reason_span.hi)
        print_worded(pen, STR("reason"), rule->reason, rule->reason_span);
    pen_text(pen, STR(";"));
}

/* The operators of a broken chain end where the word before the first operand ends. */
static uint32_t chain_indent(const struct expr *chain, Str word)
{
    return PRINT_INDENT + (uint32_t)word.n - (chain->op == OP2_AND ? 3 : 2);
}

static void print_condition(struct pen *pen, const struct rule *rule)
{
    const struct expr *condition = condition_of(rule);
    Str word = condition_word(rule);
    pen->indent = PRINT_INDENT;
    pen_comments(pen, expr_begin(condition));
    pen_line(pen);
    pen_text(pen, word);
    pen_space(pen);
    if (!expr_is_chain(condition)) {
        print_fitted(pen, condition, LEVEL_CHAIN);
        return;
    }
    struct pen saved = *pen;
    size_t start = pen->out->n;
    if (!pen_has_comment(pen, expr_end(condition))) {
        print_expr(pen, condition, LEVEL_CHAIN);
        if (pen_column(pen) < PRINT_COLUMNS)
            return;
    }
    pen->out->n = start;
    *pen = saved;
    print_chain_lines(pen, condition, chain_indent(condition, word));
}

static void print_rule_lines(struct pen *pen, const struct rule *rule)
{
    print_head(pen, rule, true);
    print_locals(pen, rule, false);
    if (rule->when)
        print_condition(pen, rule);
    pen->indent = PRINT_INDENT;
    print_sets(pen, rule, false);
    pen->indent = PRINT_INDENT;
    print_advertise(pen, rule, false);
    if (rule->reason_span.hi) {
        pen_comments(pen, rule->reason_span.lo);
        pen_line(pen);
        print_worded(pen, STR("reason"), rule->reason, rule->reason_span);
    }
    end_statement(pen, rule->span);
}

static void print_rule(struct pen *pen, const struct rule *rule)
{
    begin_statement(pen, rule->span, 0);
    struct pen saved = *pen;
    size_t start = pen->out->n;
    if (!pen_has_comment(pen, rule->span.hi)) {
        print_rule_flat(pen, rule);
        pen->end = rule->span.hi;
        if (pen_column(pen) <= PRINT_COLUMNS)
            return;
    }
    pen->out->n = start;
    *pen = saved;
    print_rule_lines(pen, rule);
}

/* ------------------------------- the whole ------------------------------ */

static uint32_t first_place(const struct statements *rest, const struct policy *policy)
{
    uint32_t at = UINT32_MAX;
    if (rest->has_policy && policy->span.lo < at)
        at = policy->span.lo;
    if (rest->has_default && policy->fallback.span.lo < at)
        at = policy->fallback.span.lo;
    if (rest->server && rest->server->span.lo < at)
        at = rest->server->span.lo;
    if (rest->import && rest->import->span.lo < at)
        at = rest->import->span.lo;
    if (rest->profile && rest->profile->span.lo < at)
        at = rest->profile->span.lo;
    if (rest->let && rest->let->span.lo < at)
        at = rest->let->span.lo;
    if (rest->rule && rest->rule->span.lo < at)
        at = rest->rule->span.lo;
    if (rest->claim && rest->claim->span.lo < at)
        at = rest->claim->span.lo;
    if (rest->test && rest->test->span.lo < at)
        at = rest->test->span.lo;
    return at;
}

/* The next rule, claim or test of the profile; false behind the last. */
static bool print_item(struct pen *pen, struct statements *rest, const struct profile_decl *profile)
{
    bool has_rule = rest->rule && rest->rule->profile == profile;
    bool has_claim = rest->claim && rest->claim->profile == profile;
    bool has_test = rest->test && rest->test->profile == profile;
    uint32_t rule = has_rule ? rest->rule->span.lo : UINT32_MAX;
    uint32_t claim = has_claim ? rest->claim->span.lo : UINT32_MAX;
    uint32_t test = has_test ? rest->test->span.lo : UINT32_MAX;
    if (has_rule && rule < claim && rule < test) {
        print_rule(pen, rest->rule);
        rest->rule = rest->rule->next;
    } else if (has_claim && claim < test) {
        print_rule(pen, rest->claim);
        rest->claim = rest->claim->next;
    } else if (has_test) {
        print_test(pen, rest->test);
        rest->test = rest->test->next;
    }
    return has_rule || has_claim || has_test;
}

/* The rules, claims and tests in it are the next ones. */
static void print_profile(struct pen *pen, struct statements *rest)
{
    const struct profile_decl *profile = rest->profile;
    bool extends = profile->extends_span.hi != 0;
    begin_statement(pen, profile->span, 0);
    pen_text(pen, STR("profile"));
    print_worded(pen, STR(""), profile->name, profile->name_span);
    if (extends)
        print_worded(pen, STR("extends"), profile->extends, profile->extends_span);
    open_block(pen, extends ? profile->extends_span : profile->name_span);
    pen->base = PRINT_INDENT;
    while (print_item(pen, rest, profile))
        ;
    pen->base = 0;
    close_block(pen, profile->span);
    rest->profile = profile->next;
}

static bool print_next(struct pen *pen, struct statements *rest, const struct policy *policy)
{
    uint32_t at = first_place(rest, policy);
    if (at == UINT32_MAX)
        return false;
    if (rest->has_policy && policy->span.lo == at) {
        print_policy(pen, policy);
        rest->has_policy = false;
    } else if (rest->has_default && policy->fallback.span.lo == at) {
        print_default(pen, &policy->fallback);
        rest->has_default = false;
    } else if (rest->server && rest->server->span.lo == at) {
        print_server(pen, rest->server);
        rest->server = rest->server->next;
    } else if (rest->import && rest->import->span.lo == at) {
        print_import(pen, rest->import);
        rest->import = rest->import->next;
    } else if (rest->profile && rest->profile->span.lo == at) {
        print_profile(pen, rest);
    } else if (rest->let && rest->let->span.lo == at) {
        print_let(pen, rest->let);
        rest->let = rest->let->next;
    } else if (rest->rule && rest->rule->span.lo == at) {
        print_rule(pen, rest->rule);
        rest->rule = rest->rule->next;
    } else if (rest->claim && rest->claim->span.lo == at) {
        print_rule(pen, rest->claim);
        rest->claim = rest->claim->next;
    } else {
        print_test(pen, rest->test);
        rest->test = rest->test->next;
    }
    return true;
}

void policy_print(const struct policy *policy, const struct source *source, struct buf *out)
{
    struct pen pen = {
        .out = out, .source = source, .comment = policy->comments, .is_fresh = true
    };
    struct statements rest = {
        .import = policy->imports,
        .server = policy->servers,
        .let = policy->lets,
        .rule = policy->rules,
        .claim = policy->claims,
        .test = policy->tests,
        .profile = policy->profiles,
        .has_policy = policy->span.hi != 0,
        .has_default = policy->fallback.is_present,
    };
    while (print_next(&pen, &rest, policy))
        ;
    pen.indent = 0;
    pen_gap(&pen, (uint32_t)source->text.n);
    while (pen.out->n && pen.out->p[pen.out->n - 1] == '\n') /* a blank line before the end */
        pen.out->n--;
    pen.is_fresh = pen.out->n == 0;
    pen_line(&pen);
}
