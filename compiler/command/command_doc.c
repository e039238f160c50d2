/* SPDX-License-Identifier: Apache-2.0 */
/* command_doc.c - doc: a policy as a page of Markdown, for those who are governed by it. Conditions
 * stand as they are written; the order is that of the reader's questions: which servers, which
 * tools, what is promised by tests. */
#include "compiler/command/command.h"

enum { DOC_BYTES_MAX = 64 << 20 };

/* Text outside of code, with what Markdown and HTML would act on made plain. */
static void add_plain(struct buf *out, Str text)
{
    static const char special[] = "\\`*_{}[]<>#|&~";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c && memchr(special, c, sizeof special - 1))
            buf_add_char(out, '\\');
        buf_add_char(out, c == '\n' || c == '\r' ? ' ' : c);
    }
}

/* Code on one line, fenced by more backticks than it has in a row; blanks in a row are one. */
static void add_code(struct buf *out, Str text)
{
    size_t run = 0, longest = 0;
    bool was_blank = false;
    for (size_t i = 0; i < text.n; i++) {
        run = text.p[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++)
        buf_add_char(out, '`');
    buf_add(out, longest ? STR(" ") : STR(""));
    for (size_t i = 0; i < text.n; i++) {
        bool is_blank =
            text.p[i] == ' ' || text.p[i] == '\n' || text.p[i] == '\t' || text.p[i] == '\r';
        if (!is_blank || !was_blank)
            buf_add_char(out, is_blank ? ' ' : text.p[i]);
        was_blank = is_blank;
    }
    buf_add(out, longest ? STR(" ") : STR(""));
    for (size_t i = 0; i <= longest; i++)
        buf_add_char(out, '`');
}

static Str text_of(const struct compilation *c, Span span)
{
    return str_sub(c->sources.items[span.source].text, span.lo, span.hi);
}

static void add_names(struct buf *out, const struct name *name)
{
    for (; name; name = name->next) {
        add_code(out, name->text);
        if (name->next)
            buf_add(out, STR(", "));
    }
}

static void add_servers(const struct compilation *c, struct buf *out)
{
    const struct server_decl *server = c->policy->servers;
    if (!server)
        return;
    buf_add(out, STR("## Servers\n\n| server | tools | others |\n| --- | --- | --- |\n"));
    for (; server; server = server->next) {
        buf_add(out, STR("| "));
        add_code(out, server->alias);
        buf_add(out, STR(" | "));
        if (server->snapshot) {
            buf_printf(out, "%u, pinned in ", server->snapshot->tool_count);
            add_code(out, server->tools_path);
        } else {
            buf_add(out, STR("not pinned"));
        }
        buf_add(out, server->snapshot && !server->is_open ? STR(" | denied |\n")
                                                          : STR(" | as the rules say |\n"));
    }
    buf_add_char(out, '\n');
}

static void add_subject(const struct rule *rule, struct buf *out)
{
    if (rule->kind != KIND_TOOL)
        buf_printf(out, rule->names ? "%.*s " : "%.*s", STR_ARG(kind_table[rule->kind].word));
    if (rule->names)
        add_names(out, rule->names);
    if (rule->effects) {
        buf_add(out, rule->names ? STR(" with effect ") : STR("tools with effect "));
        add_names(out, rule->effects);
    }
    if (rule->flags) {
        buf_add(out, rule->names || rule->effects ? STR(" and flag ") : STR("tools with flag "));
        add_names(out, rule->flags);
    }
    if (rule->servers) {
        buf_add(out, STR(" on "));
        add_names(out, rule->servers);
    }
}

static void add_rule(const struct compilation *c, const struct rule *rule, const char *before,
                     struct buf *out)
{
    const struct source *source = &c->sources.items[rule->span.source];
    uint32_t line, column;
    source_position(source, rule->span.lo, &line, &column);
    buf_printf(out, "- %s", before);
    add_subject(rule, out);
    if (rule->when) {
        const struct expr *shown = rule->is_unless ? rule->when->left : rule->when;
        buf_add(out, rule->is_unless ? STR("\n  unless ") : STR("\n  when "));
        add_code(out, text_of(c, shown->span));
    }
    for (const struct let_decl *local = rule->locals; local; local = local->next) {
        buf_add(out, local == rule->locals ? STR("\n  where ") : STR(", "));
        add_code(out, text_of(c, local->span));
    }
    for (const struct set_decl *set = rule->sets; set; set = set->next) {
        buf_add(out, set == rule->sets ? STR("\n  with ") : STR(", "));
        add_code(out, text_of(c, set->span));
    }
    if (rule->reason.n) {
        buf_add(out, STR("  \n  *"));
        add_plain(out, rule->reason);
        buf_add_char(out, '*');
    }
    buf_add(out, STR(" ("));
    add_plain(out, source->path);
    buf_printf(out, ":%u)\n", line);
}

static bool is_in(const struct profile_decl *profile, Str name)
{
    return profile ? str_eq(profile->name, name) : name.n == 0;
}

/* Of one profile; of none: those that all have. */
static void add_effect(const struct compilation *c, enum effect effect, Str title, Str profile,
                       struct buf *out)
{
    bool is_first = true;
    for (const struct rule *rule = c->policy->rules; rule; rule = rule->next) {
        if (rule->effect != effect || !is_in(rule->profile, profile))
            continue;
        if (is_first)
            buf_printf(out, "%s %.*s\n\n", profile.n ? "###" : "##", STR_ARG(title));
        is_first = false;
        add_rule(c, rule, "", out);
    }
    buf_add(out, is_first ? STR("") : STR("\n"));
}

/* Of one profile; of none: those of all. */
static void add_claims(const struct compilation *c, Str profile, struct buf *out)
{
    static const char *const words[] = { [CLAIM_NONE] = "",
                                         [CLAIM_NEVER_ALLOW] = "never allowed: ",
                                         [CLAIM_ALWAYS_DENY] = "always denied: ",
                                         [CLAIM_ALWAYS_ALLOW] = "always allowed: " };
    bool is_first = true;
    for (const struct rule *claim = c->policy->claims; claim; claim = claim->next) {
        if (!is_in(claim->profile, profile))
            continue;
        if (is_first)
            buf_printf(out, "%s Claimed\n\n", profile.n ? "###" : "##");
        is_first = false;
        add_rule(c, claim, words[claim->claim], out);
    }
    buf_add(out, is_first ? STR("") : STR("\n"));
}

static void add_rules(const struct compilation *c, Str profile, struct buf *out)
{
    add_effect(c, EFFECT_ALLOW, STR("Allowed"), profile, out);
    add_effect(c, EFFECT_ASK, STR("Allowed when a person approves"), profile, out);
    add_effect(c, EFFECT_DENY, STR("Denied"), profile, out);
    add_claims(c, profile, out);
}

static void add_profiles(const struct compilation *c, struct buf *out)
{
    Str names[PROFILES_MAX];
    uint32_t count = policy_profiles(c->policy, names);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(out, "## Profile %.*s\n\n", STR_ARG(names[i]));
        for (const struct profile_decl *p = c->policy->profiles; p; p = p->next)
            if (str_eq(p->name, names[i]) && p->extends.n)
                buf_printf(out, "All that profile %.*s has, and:\n\n", STR_ARG(p->extends));
        add_rules(c, names[i], out);
    }
}

static void add_lets(const struct compilation *c, struct buf *out)
{
    const struct let_decl *let = c->policy->lets;
    if (!let)
        return;
    buf_add(out, STR("## Names used above\n\n| name | stands for |\n| --- | --- |\n"));
    for (; let; let = let->next) {
        buf_add(out, STR("| "));
        add_code(out, let->name);
        buf_add(out, STR(" | "));
        struct buf cell;
        buf_init(&cell, DOC_BYTES_MAX);
        if (let->value)
            add_code(&cell, text_of(c, let->value->span));
        for (size_t i = 0; i < cell.n; i++) { /* a bar ends a cell, in code too */
            if (cell.p[i] == '|')
                buf_add_char(out, '\\');
            buf_add_char(out, cell.p[i]);
        }
        buf_free(&cell);
        buf_add(out, let->is_param ? STR(" (a parameter) |\n") : STR(" |\n"));
    }
    buf_add_char(out, '\n');
}

static void add_tests(const struct compilation *c, struct buf *out)
{
    if (!c->policy->tests)
        return;
    buf_add(out, STR("## What tests prove\n\n"));
    for (const struct test *test = c->policy->tests; test; test = test->next) {
        buf_add(out, STR("- "));
        add_plain(out, test->name);
        buf_add_char(out, '\n');
        for (const struct test_call *call = test->calls; call; call = call->next) {
            buf_add(out, STR("  - "));
            if (call->kind != KIND_TOOL)
                buf_printf(out, call->name.n ? "%.*s " : "%.*s",
                           STR_ARG(kind_table[call->kind].word));
            if (call->name.n)
                add_code(out, call->name);
            if (call->method.n) {
                buf_add(out, STR(" by "));
                add_code(out, call->method);
            }
            if (call->arguments.n) {
                buf_add_char(out, ' ');
                add_code(out, call->arguments);
            }
            if (call->principal.n) {
                buf_add(out, STR(" as "));
                add_code(out, call->principal);
            }
            buf_add(out,
                    call->expectation == EXPECT_ALLOW ? STR(": allowed\n") : STR(": denied\n"));
        }
    }
    buf_add_char(out, '\n');
}

static void add_page(const struct compilation *c, struct buf *out)
{
    const struct policy *policy = c->policy;
    buf_add(out, STR("# Policy "));
    add_plain(out, policy->name);
    buf_printf(out, ", version %u\n\n", policy->version);
    buf_add(out, STR("What is not allowed below is denied. A denial overrides what is allowed; the "
                     "order of rules never matters.\n"));
    if (policy->fallback.reason.n) {
        buf_add(out, STR("The reason that is given then: *"));
        add_plain(out, policy->fallback.reason);
        buf_add(out, STR("*\n"));
    }
    buf_add_char(out, '\n');
    add_servers(c, out);
    add_rules(c, STR(""), out);
    add_profiles(c, out);
    add_lets(c, out);
    add_tests(c, out);
}

enum exit_code mcpc_doc(const struct options *options)
{
    struct compilation c;
    struct buf out;
    compilation_init(&c);
    c.params_path = options->params;
    buf_init(&out, DOC_BYTES_MAX);
    bool is_good = compilation_check(&c, options->files[0]);
    enum exit_code code = is_good ? EXIT_OK : failure_code(&c);
    report_diags(&c, options);
    if (is_good) {
        add_page(&c, &out);
        Str page = buf_str(&out);
        if (str_ends(page, STR("\n\n")))
            page.n--;
        code = out.is_full         ? usage_error("the page is too large")
               : options->output.n ? write_file(options->output, page)
                                   : put_text(page);
    }
    buf_free(&out);
    compilation_free(&c);
    return code;
}
