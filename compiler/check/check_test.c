/* SPDX-License-Identifier: Apache-2.0 */
/* check_test.c - the calls of test blocks. Their JSON is read here by the same reader as the calls
 * of clients, so a test can't say what no client could; an error points at the byte in the policy.
 */
#include "compiler/check/check_internal.h"
#include "runtime/base/utc.h"
#include "runtime/json/json.h"

enum { TEST_SCRATCH_BYTES_MAX = 64 * 1024 * 1024 };

/* Reads the JSON at span; false after a report. The document lives in scratch. */
static bool read_json(struct checker *c, Str text, Span span, struct arena *scratch,
                      struct json_doc *doc)
{
    uint32_t at = 0;
    enum json_error error = json_parse(text, &json_limits_default, scratch, doc, &at);
    if (error == JSON_ERR_NONE)
        return true;
    if (error == JSON_ERR_TRUNCATED && c->had_errors) /* the lexer has said that it is open */
        return false;
    uint32_t lo = span.lo + at < span.hi ? span.lo + at : span.hi;
    diag_add(c->diags, DIAG_TEST_JSON,
             (Span){ .source = span.source, .lo = lo, .hi = lo < span.hi ? lo + 1 : lo },
             json_error_text(error));
    return false;
}

static Span span_of_node(const struct json_doc *doc, uint32_t node, Span whole)
{
    const struct json_node *n = json_at(doc, node);
    return (Span){ .source = whole.source,
                   .lo = whole.lo + n->raw,
                   .hi = whole.lo + n->raw + n->raw_n };
}

static void principal_error(struct checker *c, Span span, const char *what)
{
    Str text = str_of(what);
    diag_add(c->diags, DIAG_TEST_PRINCIPAL, span, STR_ARG(text));
}

static void check_groups(struct checker *c, const struct json_doc *doc, uint32_t node, Span whole)
{
    if (json_at(doc, node)->type != JSON_ARRAY) {
        principal_error(c, span_of_node(doc, node, whole), "\"groups\" is a list of strings");
        return;
    }
    for (uint32_t i = json_first(doc, node); i != JSON_NONE; i = json_after(doc, node, i))
        if (json_at(doc, i)->type != JSON_STRING)
            principal_error(c, span_of_node(doc, i, whole), "a group is a string");
}

static void check_attributes(struct checker *c, const struct json_doc *doc, uint32_t node,
                             Span whole)
{
    if (json_at(doc, node)->type != JSON_OBJECT)
        principal_error(c, span_of_node(doc, node, whole), "\"attributes\" is an object");
}

static void unknown_member(struct checker *c, const struct json_doc *doc, uint32_t node, Span whole)
{
    Str key = json_key(json_at(doc, node)), best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    Str text = arena_printf(c->mem, "a principal has no \"%.*s\"", STR_ARG(key));
    diag_add(c->diags, DIAG_TEST_PRINCIPAL, span_of_node(doc, node, whole), STR_ARG(text));
    suggest(STR("id"), key, &best, &distance);
    suggest(STR("groups"), key, &best, &distance);
    suggest(STR("attributes"), key, &best, &distance);
    help_nearest(c, best);
}

static void check_members(struct checker *c, const struct json_doc *doc, Span whole)
{
    for (uint32_t i = json_first(doc, 0); i != JSON_NONE; i = json_after(doc, 0, i)) {
        Str key = json_key(json_at(doc, i));
        if (str_eq(key, STR("groups")))
            check_groups(c, doc, i, whole);
        else if (str_eq(key, STR("attributes")))
            check_attributes(c, doc, i, whole);
        else if (!str_eq(key, STR("id")))
            unknown_member(c, doc, i, whole);
        else if (json_at(doc, i)->type != JSON_STRING)
            principal_error(c, span_of_node(doc, i, whole), "\"id\" is a string");
    }
    if (json_member(doc, 0, STR("id")) == JSON_NONE)
        principal_error(c, (Span){ .source = whole.source, .lo = whole.lo, .hi = whole.lo + 1 },
                        "the principal has no \"id\"");
}

static void check_principal_json(struct checker *c, const struct test_call *call)
{
    struct arena scratch;
    struct json_doc doc;
    arena_init(&scratch, TEST_SCRATCH_BYTES_MAX);
    if (read_json(c, call->principal, call->principal_span, &scratch, &doc))
        check_members(c, &doc, call->principal_span);
    arena_reset(&scratch);
}

static void check_arguments_json(struct checker *c, const struct test_call *call)
{
    struct arena scratch;
    struct json_doc doc;
    arena_init(&scratch, TEST_SCRATCH_BYTES_MAX);
    (void)read_json(c, call->arguments, call->arguments_span, &scratch, &doc);
    arena_reset(&scratch);
}

static void check_set_json(struct checker *c, const struct test_call *call)
{
    struct arena scratch;
    struct json_doc doc;
    arena_init(&scratch, TEST_SCRATCH_BYTES_MAX);
    (void)read_json(c, call->set, call->set_span, &scratch, &doc);
    arena_reset(&scratch);
}

static Span call_span_of(const struct test_call *call)
{
    return call->name_span.hi ? call->name_span : call->kind_span;
}

static void check_call_server(struct checker *c, const struct test_call *call)
{
    if (!call->server_span.hi) {
        if (c->servers.count > 1)
            diag_add(c->diags, DIAG_TEST_SERVER, call_span_of(call));
    } else if (c->servers.count && !symbol_find(&c->servers, call->server)) {
        diag_add(c->diags, DIAG_UNKNOWN_SERVER, call->server_span, STR_ARG(call->server));
        help_nearest(c, symbol_nearest(&c->servers, call->server));
    }
}

/* A call of a tool that no snapshot has is denied whatever the rules say: a slip in its name would
 * make every expected deny come true. */
static void check_call_tool(struct checker *c, const struct test_call *call)
{
    Str best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    if (call->server_span.hi && !symbol_find(&c->servers, call->server))
        return;
    for (const struct server_decl *s = c->policy->servers; s; s = s->next) {
        if (call->server_span.hi && !str_eq(s->alias, call->server))
            continue;
        if (!s->snapshot || s->is_open || snapshot_tool(s->snapshot, call->name))
            return;
        for (uint32_t i = 0; i < s->snapshot->tool_count; i++)
            suggest(s->snapshot->tools[i].name, call->name, &best, &distance);
    }
    if (!c->policy->servers)
        return;
    diag_add(c->diags, DIAG_TEST_UNKNOWN_TOOL, call_span_of(call), STR_ARG(call->name));
    help_nearest(c, best);
}

static void check_call(struct checker *c, const struct test_call *call, bool is_new_principal)
{
    if (call->kind != KIND_TOOL)
        check_call_kind(c, call);
    else if (!call->name.n)
        diag_add(c->diags, DIAG_EMPTY_TOOL, call->name_span, "tool");
    if (is_new_principal)
        check_principal_json(c, call);
    if (call->arguments_span.hi)
        check_arguments_json(c, call);
    if (call->set_span.hi)
        check_set_json(c, call);
    int64_t micros;
    if (call->at_span.hi && !utc_parse(call->at, &micros))
        diag_add(c->diags, DIAG_TEST_TIME, call->at_text_span, STR_ARG(call->at));
    check_call_server(c, call);
    if (call->kind == KIND_TOOL)
        check_call_tool(c, call);
}

static void check_test_names(struct checker *c)
{
    struct symbols names = { .count = 0 };
    uint32_t count = 0;
    for (const struct test *test = c->policy->tests; test; test = test->next)
        count++;
    names.items = check_memory(c, ARENA_NEW(c->mem, struct symbol, count));
    for (const struct test *test = c->policy->tests; test && names.items; test = test->next)
        names.items[names.count++] = (struct symbol){ .name = test->name, .span = test->name_span };
    symbols_settle(c, &names, DIAG_DUPLICATE_TEST);
}

void check_tests(struct checker *c)
{
    check_test_names(c);
    for (const struct test *test = c->policy->tests; test; test = test->next) {
        uint32_t principal = 0;
        for (const struct test_call *call = test->calls; call; call = call->next) {
            bool is_new = call->principal_span.hi && call->principal_span.lo != principal;
            check_call(c, call, is_new);
            principal = call->principal_span.lo;
        }
    }
}
