/* SPDX-License-Identifier: Apache-2.0 */
/* test_parse.c - reading and laying out. What matters: layout and reading undo each other, on
 * written and on generated sources; every broken source gives diagnostics and nothing worse; every
 * limit is a diagnostic. The wording of diagnostics is tested in tests/golden. */
#include "compiler/check/check.h"
#include "tests/unit/check.h"
#include "tests/unit/same_ast.h"

#include <stdlib.h>

enum { MEMORY = 512 * 1024 * 1024, TEXT_MAX = 32 * 1024 * 1024 };

struct reading {
    struct arena mem;
    struct sources sources;
    struct diags diags;
    struct policy *policy;
    uint32_t source;
};

static struct reading one, two;

static void read_text(struct reading *r, Str text)
{
    arena_reset(&r->mem);
    arena_init(&r->mem, MEMORY);
    r->sources.count = 0;
    diags_init(&r->diags, &r->mem);
    enum status status = source_add(&r->sources, STR("t.pol"), text, &r->mem, &r->source);
    ENSURE(status == ST_OK);
    r->policy = policy_parse(&r->sources, r->source, &r->mem, &r->diags);
}

static void layout(const struct reading *r, struct buf *out)
{
    buf_init(out, TEXT_MAX);
    policy_print(r->policy, &r->sources.items[r->source], out);
}

static void show(struct reading *r)
{
    struct buf out;
    buf_init(&out, TEXT_MAX);
    diags_render(&r->diags, &r->sources, &out);
    (void)fwrite(out.p, 1, out.n, stderr);
    buf_free(&out);
}

/* Reading what was laid out gives no error, the same layout and the same tree. */
static bool is_stable(Str text)
{
    struct buf first, second;
    read_text(&one, text);
    if (one.diags.errors) {
        show(&one);
        return false;
    }
    layout(&one, &first);
    read_text(&two, buf_str(&first));
    if (two.diags.errors)
        show(&two);
    layout(&two, &second);
    bool is_same = two.diags.errors == 0 && str_eq(buf_str(&first), buf_str(&second)) &&
                   same_policy(one.policy, two.policy);
    if (!is_same)
        (void)fprintf(stderr, "--- first\n%.*s--- second\n%.*s", STR_ARG(buf_str(&first)),
                      STR_ARG(buf_str(&second)));
    buf_free(&first);
    buf_free(&second);
    return is_same;
}

static bool has_diag(const struct reading *r, enum diag_id id)
{
    for (uint32_t i = 0; i < r->diags.count; i++)
        if (r->diags.items[i].id == id)
            return true;
    return false;
}

/* Everything the grammar has, once. */
static const char whole[] =
    "# all of it\n"
    "policy \"p\" version 3; // named\n"
    "server \"fs\" tools \"fs.json\" open;\nserver \"docs\";\n"
    "let root = \"/srv\"; let some = { \"a\", -1.50, true, null, };\nlet re = /a\\/[b]+/;\n"
    "default deny reason \"closed\";\n"
    "allow tool \"a_*\", \"b\" on \"fs\", \"docs\" when args.a.\"b-c\" == \"x${root}/${args.d}y\"\n"
    "  and not (args.e in some or args.f not in [1, 2]) and has args.g and args.h matches re\n"
    "  and args.i like \"*.txt\" and (args.j ?? args.k ?? 1_000) >= 5 and length(args.l) < 3\n"
    "  and principal.id starts with \"x\" and principal.id ends with \"y\"\n"
    "  and principal.groups contains \"z\" and args.m != null and args.n /* n */ <= 2 and args.o > "
    "1\n"
    "  reason \"because \\u{e9}\\n\\t\\\"\\\\\\$\";\n"
    "deny tool \"c\" unless args.p or args.q and args.r;\n"
    "test \"t\" {\n  as { \"id\": \"x\", \"groups\": [\"}\"] };\n  call \"c\" on \"fs\" { \"a\": "
    "\"};\\\"\" };\n"
    "  expect deny \"why\";\n  call \"d\"; expect allow;\n  // end\n}\n/* end */\n";

static void test_whole(void)
{
    Str text = { .p = whole, .n = sizeof whole - 1 };
    CHECK(is_stable(text));
    CHECK(one.policy->version == 3);
    CHECK_STR(one.policy->name, STR("p"));
    const struct rule *rule = one.policy->rules;
    CHECK(rule->effect == EFFECT_ALLOW && rule->next->effect == EFFECT_DENY);
    CHECK(rule->next->is_unless && rule->next->when->kind == EXPR_NOT);
    CHECK_STR(rule->names->next->text, STR("b"));
    CHECK_STR(rule->reason, STR("because é\n\t\"\\$"));
    CHECK(one.policy->lets->next->next->value->kind == EXPR_PATTERN);
    CHECK_STR(one.policy->lets->next->next->value->text, STR("a/[b]+"));
    CHECK(one.policy->servers->is_open && !one.policy->servers->next->tools_span.hi);
    const struct test_call *call = one.policy->tests->calls;
    CHECK_STR(call->arguments, STR("{ \"a\": \"};\\\"\" }"));
    CHECK_STR(call->next->principal, call->principal);
    CHECK(call->expectation == EXPECT_DENY && call->next->expectation == EXPECT_ALLOW);
}

/* Of a valid source, every beginning that is not whole statements is refused, and read at all. */
static void test_truncations(void)
{
    uint32_t whole_statements = 0;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        Str text = { .p = whole, .n = n };
        read_text(&one, text);
        if (one.diags.errors == 0)
            whole_statements += CHECK_ROW(is_stable(text), "cut at %zu", n);
        (void)policy_check(one.policy, &one.sources, one.source, &one.mem, &one.diags);
    }
    CHECK(whole_statements > 10 && whole_statements < 200);
}

/* Each byte taken out or replaced: no crash, and what still reads is stable. */
static void test_mutations(void)
{
    static const char replacements[] = "\";{}()[]/$\\* \n\0\xff#x0.";
    char text[sizeof whole];
    for (size_t at = 0; at < sizeof whole - 1; at++) {
        for (size_t k = 0; k < sizeof replacements; k++) {
            memcpy(text, whole, sizeof whole);
            text[at] = replacements[k];
            read_text(&one, (Str){ .p = text, .n = sizeof whole - 1 });
            if (one.diags.errors == 0)
                CHECK_ROW(is_stable((Str){ .p = text, .n = sizeof whole - 1 }),
                          "byte %zu replaced by %02x", at, (unsigned char)replacements[k]);
        }
        memcpy(text, whole, at);
        memcpy(text + at, whole + at + 1, sizeof whole - at - 1);
        read_text(&one, (Str){ .p = text, .n = sizeof whole - 2 });
    }
}

/* ------------------------------ generated ------------------------------- */

static uint64_t state = 7;

static uint32_t roll(uint32_t sides)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % sides;
}

/* White space and comments wherever a token may end. */
static void add_space(struct buf *out)
{
    static const char *const spaces[] = { " ",
                                          " ",
                                          " ",
                                          " ",
                                          " ",
                                          "  ",
                                          "\n",
                                          "\n\n\n",
                                          "\t",
                                          " // c\n",
                                          "\n# line\n",
                                          " /* b */ ",
                                          "\n/* b\n  b */ ",
                                          "\r\n" };
    buf_add(out, str_of(spaces[roll(COUNT(spaces))]));
}

static void add_word(struct buf *out, const char *word)
{
    buf_add(out, str_of(word));
    add_space(out);
}

static void add_expr(struct buf *out, uint32_t depth);

static void add_leaf(struct buf *out)
{
    static const char *const leaves[] = {
        "args.a",
        "args.\"b c\".d",
        "args.test",
        "principal.id",
        "\"s\"",
        "\"\\u{1f600}\\n\"",
        "\"${args.a}\"",
        "\"x${root}y${\"in${args.b}\"}$\"",
        "-1_000.5",
        "0",
        "true",
        "false",
        "null",
        "root",
        "length(args.a)",
        "has args.a.b",
        "/a+\\/\\\\/",
        "{}",
        "[]",
        "{ 1 }",
        "[args.a, \"b\",]",
        "now",
        "09:30",
        "17:00:01",
        "2026-11-24",
        "15m",
        "principal.attributes.a.\"b-c\"",
        "args.a[0].b[12].\"c d\"",
        "sql(args.q).statements[0].has_where",
        "cli(args.c, { \"-m\", \"--x\" }).flags.\"-m\"",
        "clock(\"UTC\").weekday",
        "has url(args.u).query",
        "min(args.a, 3)",
    };
    add_word(out, leaves[roll(COUNT(leaves))]);
}

/* Each with its own idea of where its body ends. */
static void add_quantifier(struct buf *out, uint32_t depth)
{
    static const char *const heads[] = {
        "any v in args.l: (",
        "all v in args.l[].m[0].n[]: (",
        "all v in args by role path, url: (",
        "not any v in keys(args.o): (",
        "count(v in find(args.o, \"k\"): (",
        "sum(v in args.l: (",
    };
    uint32_t which = roll(COUNT(heads));
    add_word(out, heads[which]);
    add_expr(out, depth - 1);
    add_word(out, which < 4 ? ")" : "))");
}

static void add_expr(struct buf *out, uint32_t depth)
{
    static const char *const operators[] = {
        "and",    "or", "and",    "or", "==",          "!=",        "<",        "<=",      ">",
        ">=",     "in", "not in", "??", "starts with", "ends with", "contains", "matches", "like",
        "within", "+",  "-",      "*",  "+",           "-",         "*",
    };
    switch (depth == 0 ? 0 : roll(8)) {
    case 0: add_leaf(out); break;
    case 1:
        add_word(out, "not (");
        add_expr(out, depth - 1);
        add_word(out, ")");
        break;
    case 2:
        add_word(out, "{");
        add_expr(out, depth - 1);
        add_word(out, ",");
        add_expr(out, depth - 1);
        add_word(out, "}");
        break;
    case 3: add_quantifier(out, depth); break;
    case 4:
        add_word(out, "lower(");
        add_expr(out, depth - 1);
        add_word(out, ")");
        break;
    default:
        add_word(out, "(");
        add_expr(out, depth - 1);
        add_word(out, ")");
        add_word(out, operators[roll(COUNT(operators))]);
        add_word(out, "(");
        add_expr(out, depth - 1);
        add_word(out, ")");
        break;
    }
}

static void add_statement(struct buf *out)
{
    switch (roll(7)) {
    case 0:
        add_word(out, "let x =");
        add_expr(out, roll(3));
        break;
    case 3:
        add_word(out, roll(2) ? "param p: set of string =" : "param p: number =");
        add_expr(out, roll(2));
        break;
    case 4: add_word(out, "import \"a.pol\""); break;
    case 1:
        add_word(out, "server \"s\" tools \"t\"");
        add_word(out, roll(2) ? "open" : "");
        break;
    case 2:
        add_word(out, "test \"t\" {");
        add_word(out, "as {\"id\":\"x\"};");
        add_word(out, roll(2) ? "at \"2026-11-24T09:00:00Z\";" : "");
        add_word(out, "call \"a\" {\"b\" : 1};");
        add_word(out, "expect deny \"r\" ;");
        add_word(out, "}");
        return;
    default:
        add_word(out, roll(2) ? "allow" : "deny");
        add_word(out, roll(2) ? "tool \"a\"" : "tool \"a\", \"b_*\"");
        add_word(out, roll(3) ? "" : "effect none, read");
        add_word(out, roll(3) ? "" : "flag fs");
        add_word(out, roll(2) ? "" : "on \"s\"");
        if (roll(4)) {
            add_word(out, roll(2) ? "when" : "unless");
            add_expr(out, roll(5));
        }
        add_word(out, roll(2) ? "" : "reason \"why\"");
    }
    add_word(out, ";");
}

static void test_generated(void)
{
    for (uint32_t round = 0; round < 3000; round++) {
        struct buf text;
        buf_init(&text, TEXT_MAX);
        for (uint32_t i = roll(6); i > 0; i--)
            add_statement(&text);
        bool is_good = is_stable(buf_str(&text));
        CHECK_ROW(is_good, "round %u", round);
        if (!is_good)
            (void)fprintf(stderr, "--- source\n%.*s\n", STR_ARG(buf_str(&text)));
        buf_free(&text);
        if (!is_good)
            return;
    }
}

/* -------------------------------- limits -------------------------------- */

static void repeat(struct buf *out, const char *text, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buf_add(out, str_of(text));
}

static uint32_t errors_of(const char *head, const char *open, const char *middle, const char *close,
                          uint32_t count)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_add(&text, str_of(head));
    repeat(&text, open, count);
    buf_add(&text, str_of(middle));
    repeat(&text, close, count);
    buf_add(&text, STR(";\n"));
    read_text(&one, buf_str(&text));
    buf_free(&text);
    return one.diags.errors;
}

static void test_nesting(void)
{
    static const struct {
        const char *name, *open, *middle, *close;
    } cases[] = {
        { "parentheses", "(", "true", ")" },
        { "sets", "{ ", "1", " }" },
        { "lists", "[", "1", "]" },
        { "not", "not ", "true", "" },
        { "defaults", "args.a ?? ", "1", "" },
        { "left defaults", "(", "args.a", " ?? 1)" },
        { "calls", "length(", "args.a", ")" },
        { "comparisons", "(", "1", " == 1)" },
    };
    static const char head[] = "deny tool \"a\" when ";
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *open = cases[i].open, *middle = cases[i].middle, *close = cases[i].close;
        uint32_t half = errors_of(head, open, middle, close, POLICY_NESTING_MAX / 2);
        CHECK_ROW(half == 0, "%s: half the limit", cases[i].name);
        static const uint32_t counts[] = { POLICY_NESTING_MAX + 1, 5000, 500000 };
        for (size_t k = 0; k < COUNT(counts); k++) {
            CHECK_ROW(errors_of(head, open, middle, close, counts[k]) == 1, "%s: %u deep",
                      cases[i].name, counts[k]);
            CHECK_ROW(has_diag(&one, DIAG_TOO_DEEP), "%s: %u deep", cases[i].name, counts[k]);
            CHECK(one.policy->rules == NULL);
        }
    }
}

static uint32_t height_of(const struct expr *expr)
{
    if (!expr)
        return 0;
    uint32_t left = height_of(expr->left), right = height_of(expr->right);
    return 1 + (left > right ? left : right);
}

/* A chain is no nesting: its tree is as low as can be, and its order stays. */
static void test_long_chains(void)
{
    static const char head[] = "deny tool \"a\" when args.first";
    CHECK(errors_of(head, " or args.a", "", "", 100000) == 0);
    const struct expr *expr = one.policy->rules->when;
    CHECK(height_of(expr) <= 20);
    while (expr->kind == EXPR_BINARY)
        expr = expr->left;
    CHECK_STR(expr->path->text, STR("first"));
    CHECK(errors_of(head, " and args.a and args.b or args.c", "", "", 3000) == 0);
    CHECK(errors_of("let x = { 1", ", 1", "}", "", 200000) == 0);
    CHECK(errors_of("deny tool \"a\"", ", \"a\"", "", "", 200000) == 0);
}

static void test_token_limit(void)
{
    /* One error, then nothing but commas to be skipped. */
    CHECK(errors_of("oops", ",", "", "", POLICY_TOKENS_MAX + 10) == 2);
    CHECK(has_diag(&one, DIAG_TOO_MANY_TOKENS));
}

/* Out of memory at any point: a diagnostic (or none was needed), no crash, no half-made policy. */
static void test_memory(void)
{
    static struct reading r;
    static struct arena text_mem;
    uint32_t refused = 0;
    arena_init(&text_mem, MEMORY);
    r.sources.count = 0;
    enum status status = source_add(
        &r.sources, STR("t.pol"), (Str){ .p = whole, .n = sizeof whole - 1 }, &text_mem, &r.source);
    CHECK(status == ST_OK);
    for (size_t limit = 0; limit < 262144; limit += 257) {
        arena_init(&r.mem, limit);
        diags_init(&r.diags, &r.mem);
        r.policy = policy_parse(&r.sources, r.source, &r.mem, &r.diags);
        CHECK(r.policy != NULL && (r.diags.errors || r.policy->tests));
        refused += r.diags.errors > 0;
        bool is_good = policy_check(r.policy, &r.sources, r.source, &r.mem, &r.diags);
        CHECK(!is_good || r.diags.errors == 0);
        arena_reset(&r.mem);
    }
    CHECK(refused > 10);
    arena_reset(&text_mem);
}

static void test_diag_limit(void)
{
    struct buf text, out;
    buf_init(&text, TEXT_MAX);
    buf_init(&out, TEXT_MAX);
    repeat(&text, "oops;\n", DIAG_MAX + 7);
    read_text(&one, buf_str(&text));
    CHECK(one.diags.errors == DIAG_MAX + 7 && one.diags.count == DIAG_MAX);
    diags_render(&one.diags, &one.sources, &out);
    CHECK(str_ends(buf_str(&out), STR("... and 7 more\n")));
    buf_free(&text);
    buf_free(&out);
}

static void test_positions(void)
{
    struct arena mem;
    static struct sources sources;
    uint32_t index, line, column;
    arena_init(&mem, MEMORY);
    CHECK(source_add(&sources, STR("x"), STR("a\r\n\xC3\xA9g\n\nlast"), &mem, &index) == ST_OK);
    const struct source *source = &sources.items[index];
    static const uint32_t want[][3] = { { 0, 1, 1 }, { 2, 1, 3 }, { 3, 2, 1 }, { 5, 2, 2 },
                                        { 7, 3, 1 }, { 8, 4, 1 }, { 12, 4, 5 } };
    for (size_t i = 0; i < COUNT(want); i++) {
        source_position(source, want[i][0], &line, &column);
        CHECK_ROW(line == want[i][1] && column == want[i][2], "offset %u: %u:%u", want[i][0], line,
                  column);
    }
    CHECK_STR(source_line(source, 1), STR("a"));
    CHECK_STR(source_line(source, 3), STR(""));
    CHECK_STR(source_line(source, 4), STR("last"));
    arena_reset(&mem);
}

int main(void)
{
    RUN(test_whole);
    RUN(test_truncations);
    RUN(test_mutations);
    RUN(test_generated);
    RUN(test_nesting);
    RUN(test_long_chains);
    RUN(test_token_limit);
    RUN(test_memory);
    RUN(test_diag_limit);
    RUN(test_positions);
    arena_reset(&one.mem);
    arena_reset(&two.mem);
    return check_finish();
}
