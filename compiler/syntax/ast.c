/* SPDX-License-Identifier: Apache-2.0 */
/* ast.c - builds the tree of declarations, one function a kind of node; ast_expr.c that of their
 * expressions. What only the place in the source can tell (a second default, an expect without a
 * call) is reported here; all else is the checker's. */
#include "compiler/syntax/parse.h"
#include "grammar/policy.h"

enum { VERSION_MAX = 0x7fffffff };

const struct function_info function_table[FN_COUNT] = {
#define FUNCTION(NAME, word, least, most, doc) { STR_INIT(word), least, most, doc },
#include "compiler/syntax/function.def"
#undef FUNCTION
};

Span span_join(Span first, Span last)
{
    return (Span){ .source = first.source, .lo = first.lo, .hi = last.hi };
}

void parse_no_memory(struct parse *ps)
{
    if (!ps->is_stopped)
        diag_add(ps->diags, DIAG_NO_MEMORY, (Span){ .source = ps->source, .lo = 0, .hi = 0 });
    ps->is_stopped = true;
}

void parse_too_deep(struct parse *ps, Span span)
{
    if (!ps->is_stopped)
        diag_add(ps->diags, DIAG_TOO_DEEP, span, POLICY_NESTING_MAX);
    ps->is_stopped = true;
}

/* ------------------------------ statements ------------------------------ */

void ast_policy(struct parse *ps, struct token name, struct token version, Span span)
{
    if (ps->policy->span.hi) {
        diag_add(ps->diags, DIAG_DUPLICATE_POLICY, span);
        diag_help(ps->diags, "one source holds one policy");
        return;
    }
    ps->policy->name = name.text;
    ps->policy->name_span = name.span;
    ps->policy->span = span;
    uint64_t number = 0;
    if (version.kind && (!str_to_u64(version.text, VERSION_MAX, &number) || number == 0))
        diag_add(ps->diags, DIAG_BAD_VERSION, version.span, (unsigned)VERSION_MAX);
    ps->policy->version = (uint32_t)number;
}

void ast_server(struct parse *ps, struct token alias, struct token tools, struct token classes,
                struct token open, Span span)
{
    struct server_decl *server = ARENA_NEW(ps->mem, struct server_decl, 1);
    if (!server) {
        parse_no_memory(ps);
        return;
    }
    *server = (struct server_decl){
        .alias = alias.text,
        .alias_span = alias.span,
        .span = span,
        .tools_path = tools.text,
        .tools_span = tools.span,
        .classes_path = classes.text,
        .classes_span = classes.span,
        .is_open = open.kind != 0,
    };
    if (ps->last_server)
        ps->last_server->next = server;
    else
        ps->policy->servers = server;
    ps->last_server = server;
}

void ast_import(struct parse *ps, struct token path, Span span)
{
    struct import_decl *import = ARENA_NEW(ps->mem, struct import_decl, 1);
    if (!import) {
        parse_no_memory(ps);
        return;
    }
    *import = (struct import_decl){ .path = path.text, .path_span = path.span, .span = span };
    if (ps->last_import)
        ps->last_import->next = import;
    else
        ps->policy->imports = import;
    ps->last_import = import;
}

static void add_let(struct parse *ps, struct let_decl decl)
{
    struct let_decl *let = ARENA_NEW(ps->mem, struct let_decl, 1);
    if (!let) {
        parse_no_memory(ps);
        return;
    }
    *let = decl;
    if (ps->last_let)
        ps->last_let->next = let;
    else
        ps->policy->lets = let;
    ps->last_let = let;
}

void ast_let(struct parse *ps, struct token name, struct operand value, Span span)
{
    if (!value.expr)
        parse_no_memory(ps);
    else
        add_let(ps,
                (struct let_decl){
                    .name = name.text, .name_span = name.span, .span = span, .value = value.expr });
}

void ast_param(struct parse *ps, struct token name, struct param_type type, struct operand value,
               Span span)
{
    add_let(ps, (struct let_decl){ .is_param = true,
                                   .type_word = type.word.text,
                                   .type_span = type.word.span,
                                   .is_set = type.is_set,
                                   .name = name.text,
                                   .name_span = name.span,
                                   .span = span,
                                   .value = value.expr });
}

void ast_default(struct parse *ps, struct token effect, struct token reason, Span span)
{
    if (effect.kind != TK_DENY) {
        diag_add(ps->diags, DIAG_DEFAULT_NOT_DENY, effect.span);
        diag_help(ps->diags, "a call that no rule allows is denied: that is what makes a policy "
                             "safe to extend");
        return;
    }
    if (ps->policy->fallback.is_present) {
        diag_add(ps->diags, DIAG_DUPLICATE_DEFAULT, span);
        return;
    }
    ps->policy->fallback = (struct default_decl){
        .reason = reason.text, .span = span, .reason_span = reason.span, .is_present = true
    };
}

static enum effect effect_of(int kind)
{
    return kind == TK_ALLOW ? EFFECT_ALLOW : kind == TK_ASK ? EFFECT_ASK : EFFECT_DENY;
}

/* A part that is given twice would have to mean both; it is said once instead. */
static void select_once(struct parse *ps, struct names *part, struct names names)
{
    if (part->first)
        diag_add(ps->diags, DIAG_DUPLICATE_SELECTOR, names.span);
    else
        *part = names;
}

/* The nearest of the words that may stand where a kind does; empty when none is near. */
static Str nearest_kind(Str word)
{
    static const Str others[] = { STR_INIT("effect"), STR_INIT("flag") };
    Str best = { .p = NULL, .n = 0 };
    size_t distance = word.n <= 4 ? 2 : 3;
    for (size_t i = 0; i < KIND_COUNT + COUNT(others); i++) {
        Str candidate = i < KIND_COUNT ? kind_table[i].word : others[i - KIND_COUNT];
        size_t found = str_distance(candidate, word, distance);
        if (found < distance) {
            best = candidate;
            distance = found;
        }
    }
    return best;
}

void ast_bad_kind(struct parse *ps, struct token word)
{
    if (ps->bad_kind.hi && ps->bad_kind.lo == word.span.lo)
        return;
    ps->bad_kind = word.span;
    Str best = nearest_kind(word.text);
    diag_add(ps->diags, DIAG_UNKNOWN_KIND, word.span, STR_ARG(word.text));
    if (best.n) {
        diag_help(ps->diags, "did you mean '%.*s'?", STR_ARG(best));
        diag_fix(ps->diags, best);
    } else {
        diag_help(ps->diags, "the kinds are tool, resource, prompt, completion, logging, sampling, "
                             "elicitation and roots");
    }
}

static enum message_kind read_kind(struct parse *ps, struct token word)
{
    enum message_kind kind = kind_of_word(word.text);
    if (kind == KIND_COUNT)
        ast_bad_kind(ps, word);
    return kind;
}

struct selector ast_select_kind(struct parse *ps, struct token word, struct names names)
{
    return (struct selector){ .kind = read_kind(ps, word), .kind_span = word.span, .names = names };
}

struct selector ast_select_tools(struct token word, struct names names)
{
    return (struct selector){ .kind = KIND_TOOL, .kind_span = word.span, .names = names };
}

struct selector ast_select_effects(struct parse *ps, struct selector selector, struct names names)
{
    select_once(ps, &selector.effects, names);
    return selector;
}

struct selector ast_select_flags(struct parse *ps, struct selector selector, struct names names)
{
    select_once(ps, &selector.flags, names);
    return selector;
}

struct locals ast_local(struct parse *ps, struct locals list, struct token name,
                        struct operand value)
{
    struct let_decl *local = ARENA_NEW(ps->mem, struct let_decl, 1);
    if (!local || !value.expr) {
        parse_no_memory(ps);
        return list;
    }
    *local = (struct let_decl){ .is_local = true,
                                .name = name.text,
                                .name_span = name.span,
                                .span = span_join(name.span, value.span),
                                .value = value.expr };
    if (list.last)
        list.last->next = local;
    else
        list.first = local;
    list.last = local;
    return list;
}

struct rule *ast_rule(struct parse *ps, struct token effect, struct selector selector,
                      struct names servers, struct locals locals)
{
    struct rule *rule = ARENA_NEW(ps->mem, struct rule, 1);
    if (!rule) {
        parse_no_memory(ps);
        return NULL;
    }
    *rule = (struct rule){
        .effect = effect_of(effect.kind),
        .kind = selector.kind,
        .kind_span = selector.kind_span,
        .names = selector.names.first,
        .effects = selector.effects.first,
        .flags = selector.flags.first,
        .servers = servers.first,
        .locals = locals.first,
        .span = effect.span,
    };
    return rule;
}

struct stance ast_stance(enum claim claim, struct token word, struct token effect)
{
    return (struct stance){ .claim = claim, .span = span_join(word.span, effect.span) };
}

struct rule *ast_claim(struct parse *ps, struct stance stance, struct selector selector,
                       struct names servers, struct locals locals)
{
    bool is_allow = stance.claim == CLAIM_ALWAYS_ALLOW;
    struct token effect = { .kind = is_allow ? TK_ALLOW : TK_DENY, .span = stance.span };
    struct rule *rule = ast_rule(ps, effect, selector, servers, locals);
    if (rule)
        rule->claim = stance.claim;
    return rule;
}

static void append_rule(struct rule **first, struct rule **last, struct rule *rule)
{
    if (*last)
        (*last)->next = rule;
    else
        *first = rule;
    *last = rule;
}

struct sets ast_set(struct parse *ps, struct sets list, struct operand place, struct operand value)
{
    struct set_decl *set = ARENA_NEW(ps->mem, struct set_decl, 1);
    if (!set || !place.expr || !value.expr) {
        parse_no_memory(ps);
        return list;
    }
    *set = (struct set_decl){ .place = place.expr,
                              .value = value.expr,
                              .span = span_join(place.span, value.span) };
    if (list.last)
        list.last->next = set;
    else
        list.first = set;
    list.last = set;
    return list;
}

void ast_advertise(struct rule *rule, struct token word)
{
    if (!rule)
        return;
    rule->advertises = word.kind != 0;
    rule->advertise_span = word.span;
}

void ast_rule_end(struct parse *ps, struct rule *rule, struct clause condition, struct sets sets,
                  struct token reason, Span end)
{
    if (!rule)
        return;
    rule->sets = sets.first;
    rule->profile = ps->profile;
    rule->is_unless = condition.keyword.kind == TK_UNLESS;
    rule->when = condition.condition.expr;
    if (rule->is_unless)
        rule->when = ast_unary(ps, EXPR_NOT, condition.keyword, condition.condition).expr;
    rule->reason = reason.text;
    rule->reason_span = reason.span;
    rule->span = span_join(rule->span, end);
    if (rule->claim)
        append_rule(&ps->policy->claims, &ps->last_claim, rule);
    else
        append_rule(&ps->policy->rules, &ps->last_rule, rule);
}

/* ------------------------------- profiles ------------------------------- */

void ast_profile(struct parse *ps, struct token keyword, struct token name, struct token extends)
{
    struct profile_decl *profile = ARENA_NEW(ps->mem, struct profile_decl, 1);
    if (!profile) {
        parse_no_memory(ps);
        return;
    }
    *profile = (struct profile_decl){ .name = name.text,
                                      .name_span = name.span,
                                      .extends = extends.text,
                                      .extends_span = extends.span,
                                      .span = span_join(keyword.span, name.span) };
    ps->profile = profile;
    if (ps->last_profile)
        ps->last_profile->next = profile;
    else
        ps->policy->profiles = profile;
    ps->last_profile = profile;
}

void ast_profile_end(struct parse *ps, Span end)
{
    if (ps->profile)
        ps->profile->span = span_join(ps->profile->span, end);
    ps->profile = NULL;
}

/* -------------------------------- tests --------------------------------- */

void ast_test(struct parse *ps, struct token keyword, struct token name)
{
    struct test *test = ARENA_NEW(ps->mem, struct test, 1);
    if (!test) {
        parse_no_memory(ps);
        return;
    }
    *test = (struct test){ .profile = ps->profile,
                           .name = name.text,
                           .name_span = name.span,
                           .span = span_join(keyword.span, name.span) };
    ps->test = test;
    ps->last_call = NULL;
    ps->as = ps->at = (struct token){ .kind = 0 };
    ps->is_as_unused = false;
    if (ps->last_test)
        ps->last_test->next = test;
    else
        ps->policy->tests = test;
    ps->last_test = test;
}

static void require_expect(struct parse *ps)
{
    if (ps->last_call && !ps->last_call->expect_span.hi)
        diag_add(ps->diags, DIAG_CALL_WITHOUT_EXPECT, ps->last_call->call_span);
}

/* An `as` that no call follows would look as if it had been tested. */
static void require_call(struct parse *ps)
{
    if (ps->is_as_unused)
        diag_add(ps->diags, DIAG_AS_WITHOUT_CALL, ps->as_span);
    ps->is_as_unused = false;
}

void ast_test_end(struct parse *ps, Span end)
{
    if (!ps->test)
        return;
    require_expect(ps);
    require_call(ps);
    if (!ps->test->calls)
        diag_add(ps->diags, DIAG_EMPTY_TEST, ps->test->span);
    ps->test->span = span_join(ps->test->span, end);
    ps->test = NULL;
}

void ast_as(struct parse *ps, struct token json, Span span)
{
    require_expect(ps);
    require_call(ps);
    ps->as = json;
    ps->as_span = span;
    ps->is_as_unused = true;
}

void ast_at(struct parse *ps, struct token time, Span span)
{
    require_expect(ps);
    ps->at = time;
    ps->at_span = span;
}

struct message ast_tool_message(struct token name)
{
    return (struct message){ .kind = KIND_TOOL, .name = name };
}

struct message ast_message(struct parse *ps, struct token kind, struct token name)
{
    return (struct message){ .kind = read_kind(ps, kind), .kind_word = kind, .name = name };
}

void ast_call(struct parse *ps, struct message message, struct token server, struct token json,
              Span span)
{
    struct test_call *call = ARENA_NEW(ps->mem, struct test_call, 1);
    if (!call || !ps->test) {
        parse_no_memory(ps);
        return;
    }
    require_expect(ps);
    ps->is_as_unused = false;
    *call = (struct test_call){
        .server = server.text,
        .server_span = server.span,
        .kind = message.kind,
        .name = message.name.text,
        .method = message.method.text,
        .arguments = json.text,
        .kind_span = message.kind_word.span,
        .name_span = message.name.span,
        .method_span = message.method.span,
        .arguments_span = json.span,
        .principal = ps->as.text,
        .principal_span = ps->as.span,
        .call_span = span,
    };
    if (ps->as.kind)
        call->as_span = ps->as_span;
    if (ps->at.kind) {
        call->at = ps->at.text;
        call->at_text_span = ps->at.span;
        call->at_span = ps->at_span;
    }
    if (ps->last_call)
        ps->last_call->next = call;
    else
        ps->test->calls = call;
    ps->last_call = call;
}

void ast_expect(struct parse *ps, struct token verdict, struct token reason, struct token set,
                Span span)
{
    struct test_call *call = ps->last_call;
    if (!call) {
        diag_add(ps->diags, DIAG_EXPECT_WITHOUT_CALL, span);
    } else if (call->expect_span.hi) {
        diag_add(ps->diags, DIAG_SECOND_EXPECT, span);
    } else {
        if (verdict.kind == TK_ASK)
            diag_add(ps->diags, DIAG_ASK_UNAVAILABLE, verdict.span);
        call->expectation = verdict.kind == TK_ALLOW ? EXPECT_ALLOW : EXPECT_DENY;
        call->reason = reason.text;
        call->expect_reason_span = reason.span;
        call->set = set.text;
        call->set_span = set.span;
        call->expect_span = span;
    }
}

/* --------------------------------- lists -------------------------------- */

struct names ast_name(struct parse *ps, struct names list, struct token token)
{
    struct name *name = ARENA_NEW(ps->mem, struct name, 1);
    if (!name) {
        parse_no_memory(ps);
        return list;
    }
    *name = (struct name){ .text = token.text, .span = token.span };
    if (list.last)
        list.last->next = name;
    else
        list.first = name;
    list.span = list.last ? span_join(list.span, token.span) : token.span;
    list.last = name;
    return list;
}
