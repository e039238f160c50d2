/* SPDX-License-Identifier: Apache-2.0 */
/* test_rewrite.c - what allows set: the order of rules never matters, bytes that nobody sets stay
 * as they are, what is judged last is what is handed on, and a bundle that lies about it is
 * refused.
 */
#include "compiler/command/driver.h"
#include "runtime/vm/vm.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 8 * 1024 * 1024 };

static void compile(const char *rules, struct buf *out)
{
    struct compilation c;
    struct program *program = NULL;
    struct buf text;
    struct scratch_path path = scratch_path("rewrite.pol");
    buf_init(&text, TEXT_LIMIT);
    buf_init(out, BUNDLE_BYTES_MAX);
    buf_printf(&text, "policy \"p\" version 1;\nserver \"s\";\n%s", rules);
    scratch_write(path.text, buf_str(&text));
    compilation_init(&c);
    bool is_good = compilation_program(&c, str_of(path.text), &program);
    if (!is_good) {
        struct buf diags;
        buf_init(&diags, TEXT_LIMIT);
        diags_render(&c.diags, &c.sources, &diags);
        (void)fwrite(diags.p, 1, diags.n, stderr);
        buf_free(&diags);
    }
    ENSURE(is_good);
    buf_add(out, program->bytes);
    program_release(program);
    compilation_free(&c);
    buf_free(&text);
}

static struct vm *open_rules(const char *rules)
{
    struct buf bytes;
    struct program *program;
    struct bundle_error error = { .text = "" };
    struct vm *vm;
    compile(rules, &bytes);
    ENSURE(program_load(buf_str(&bytes), &program, &error) == ST_OK);
    ENSURE(vm_open(program, &vm) == ST_OK);
    program_release(program);
    buf_free(&bytes);
    return vm;
}

/* Judges a call of "t"; NULL: without arguments. What is forwarded, or the cause of the deny in
 * angle brackets, in text. */
static struct decision judge(struct vm *vm, const char *arguments, struct buf *text)
{
    static struct arena mem;
    static struct json_doc doc;
    struct decision decision;
    struct principal who = { .id = STR("somebody") };
    static const Str groups[] = { STR_INIT("a\"b"), STR_INIT("eng") };
    who.groups = groups;
    who.group_count = 2;
    if (!mem.limit)
        arena_init(&mem, (size_t)64 << 20);
    arena_reset(&mem);
    struct vm_call call = { .server = STR("s"), .name = STR("t"), .principal = &who };
    if (arguments) {
        ENSURE(json_parse(str_of(arguments), &json_limits_default, &mem, &doc, NULL) ==
               JSON_ERR_NONE);
        call.doc = &doc;
    }
    vm_decide(vm, &call, &decision);
    buf_clear(text);
    if (decision.verdict == VERDICT_DENY)
        buf_printf(text, "<%s>", vm_cause_word(decision.cause));
    else if (decision.rewritten)
        buf_add(text, json_raw(decision.rewritten, 0));
    else
        buf_add(text, call.doc ? str_of(arguments) : STR("none"));
    return decision;
}

struct row {
    const char *rules, *arguments, *want;
};

static const struct row rows[] = {
    /* places */
    { "allow tool \"t\" set args.a = 1;", "{}", "{\"a\":1}" },
    { "allow tool \"t\" set args.a = 1;", NULL, "{\"a\":1}" },
    { "allow tool \"t\" set args.a = 1;", "{\"a\":1}", "{\"a\":1}" },
    { "allow tool \"t\" set args.a = 1;", " { \"b\" : [ 1.50 , 1e2 ] } ",
      "{ \"b\" : [ 1.50 , 1e2 ] ,\"a\":1}" },
    { "allow tool \"t\" set args.a.b = 1;", "{\"a\": { } }", "{\"a\": { \"b\":1} }" },
    { "allow tool \"t\" set args.a.b = 1, args.a.c = 2, args.d = 3;", "{\"a\":{\"c\":0}}",
      "{\"a\":{\"c\":2,\"b\":1},\"d\":3}" },
    { "allow tool \"t\" set args.a.b = 1, args.a.c = 2;", "{\"a\":{}}",
      "{\"a\":{\"b\":1,\"c\":2}}" },
    { "allow tool \"t\" set args.a.b = 1;", "{}", "<unknown_rewrite>" },
    { "allow tool \"t\" set args.a.b = 1;", NULL, "<unknown_rewrite>" },
    { "allow tool \"t\" set args.a.b = 1;", "{\"a\":null}", "<unknown_rewrite>" },
    { "allow tool \"t\" set args.a.b = 1;", "{\"a\":[{}]}", "<unknown_rewrite>" },
    { "allow tool \"t\" set args.\"x \\\"y\\\"\" = 1;", "{}", "{\"x \\\"y\\\"\":1}" },
    { "allow tool \"t\" set args.\"x\" = 1;", "{\"\\u0078\":2}", "{\"\\u0078\":1}" },
    /* values */
    { "allow tool \"t\" set args.a = 7000, args.b = 50.00, args.c = 0.5, args.d = -0;", "{}",
      "{\"a\":7000,\"b\":50,\"c\":0.5,\"d\":0}" },
    { "allow tool \"t\" set args.a = args.b;", "{\"b\":9007199254740993}",
      "{\"b\":9007199254740993,\"a\":9007199254740993}" },
    { "allow tool \"t\" set args.a = args.b;", "{\"b\":[1.0,{\"x\":1e2}, null]}",
      "{\"b\":[1.0,{\"x\":1e2}, null],\"a\":[1.0,{\"x\":1e2},null]}" },
    { "allow tool \"t\" set args.a = min(args.a ?? 30, 50);", "{\"a\":5e1}", "{\"a\":50}" },
    { "allow tool \"t\" set args.a = min(args.a ?? 30, 50);", "{\"a\":null}", "{\"a\":30}" },
    { "allow tool \"t\" set args.a = min(args.a ?? 30, 50);", "{\"a\":\"5\"}",
      "<unknown_rewrite>" },
    { "allow tool \"t\" set args.a = min(args.a ?? 30, 50);", "{\"a\":9007199254740993}",
      "<unknown_rewrite>" },
    { "allow tool \"t\" set args.a = lower(args.a);", "{\"a\":\"A\\u0042\"}", "{\"a\":\"ab\"}" },
    { "allow tool \"t\" set args.a = lower(args.a);", "{\"a\":\"\\u0061\"}",
      "{\"a\":\"\\u0061\"}" },
    { "allow tool \"t\" set args.a = \"${args.b}\\n\";", "{\"b\":\"\\u2028\"}",
      "{\"b\":\"\\u2028\",\"a\":\"\\u2028\\n\"}" },
    { "allow tool \"t\" set args.a = principal.groups;", "{}", "{\"a\":[\"a\\\"b\",\"eng\"]}" },
    { "allow tool \"t\" set args.a = args.b;", "{}", "<unknown_rewrite>" },
    { "allow tool \"t\" set args.a = args.b ?? null;", "{}", "{\"a\":null}" },
    { "allow tool \"t\" set args.a = sum(x in args.l: x);", "{\"l\":[1,2.5]}",
      "{\"l\":[1,2.5],\"a\":3.5}" },
    { "allow tool \"t\" set args.a = path(args.p).path;", "{\"p\":\"/a/./b/../c\"}",
      "{\"p\":\"/a/./b/../c\",\"a\":\"/a/c\"}" },
    { "allow tool \"t\" set args.a = path(args.p).path;", "{\"p\":\"~/c\"}", "<unknown_rewrite>" },
    /* several rules */
    { "allow tool \"t\" set args.a = 1; allow tool \"t\" set args.b = 2;", "{}",
      "{\"a\":1,\"b\":2}" },
    { "allow tool \"t\"; allow tool \"t\" set args.b = 2;", "{}", "{\"b\":2}" },
    { "allow tool \"t\" set args.a = 1; allow tool \"t\" set args.a = 1.0;", "{}", "{\"a\":1}" },
    { "allow tool \"t\" set args.a = 1; allow tool \"t\" set args.a = 2;", "{\"a\":1}",
      "<conflicting_rewrite>" },
    { "allow tool \"t\" set args.a = 1; allow tool \"t\" set args.a = \"1\";", "{}",
      "<conflicting_rewrite>" },
    { "allow tool \"t\" set args.a = args.o; allow tool \"t\" set args.a.b = 1;",
      "{\"a\":{},\"o\":{\"b\":1}}", "<conflicting_rewrite>" },
    { "allow tool \"t\" set args.a = 1; allow tool \"t\" when has args.x set args.a = 2;", "{}",
      "{\"a\":1}" },
    { "allow tool \"t\" set args.a = 1; allow tool \"*\" set args.a = 2;", "{}",
      "<conflicting_rewrite>" },
    /* judged again */
    { "allow tool \"t\" set args.a = 1; deny tool \"t\" when has args.a;", "{}", "<rule>" },
    { "allow tool \"t\" set args.a = 1; deny tool \"t\" when not has args.a;", "{}", "<rule>" },
    { "allow tool \"t\" when not has args.a set args.a = 1;", "{}", "<default>" },
    { "allow tool \"t\" set args.a = (args.a ?? 0) + 1;", "{}", "<unstable_rewrite>" },
    { "allow tool \"t\" set args.a = 1; allow tool \"t\" when has args.a set args.b = 2;", "{}",
      "<unstable_rewrite>" },
    { "allow tool \"t\" set args.a = 1; allow tool \"t\" when has args.a set args.b = 2;",
      "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}" },
    { "allow tool \"t\" set args.a = 1; allow tool \"t\" when has args.a set args.b = args.c;",
      "{}", "<unknown_rewrite>" },
    { "allow tool \"t\" set args.a = args.b, args.b = args.a;", "{\"a\":1,\"b\":2}",
      "<unstable_rewrite>" },
    { "allow tool \"t\" set args.a = args.b, args.b = args.a;", "{\"a\":1,\"b\":1}",
      "{\"a\":1,\"b\":1}" },
    { "allow tool \"t\" set args.n = 9007199254740991; deny tool \"t\" when args.n > 5;",
      "{\"n\":1}", "<rule>" },
};

static void test_rows(void)
{
    struct buf text;
    buf_init(&text, TEXT_LIMIT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vm *vm = open_rules(rows[i].rules);
        (void)judge(vm, rows[i].arguments, &text);
        CHECK_ROW(str_eq(buf_str(&text), str_of(rows[i].want)), "%s with %s: %.*s, not %s",
                  rows[i].rules, rows[i].arguments ? rows[i].arguments : "nothing",
                  STR_ARG(buf_str(&text)), rows[i].want);
        vm_close(vm);
    }
    buf_free(&text);
}

/* The rules of a row in the opposite order. */
static void reverse(const char *rules, struct buf *out)
{
    buf_clear(out);
    for (const char *end = rules + strlen(rules); end > rules;) {
        const char *start = end - 1;
        while (start > rules && !(start[-1] == ' ' && start[-2] == ';'))
            start--;
        buf_add(out, (Str){ .p = start, .n = (size_t)(end - start) });
        buf_add_char(out, ' ');
        end = start;
    }
    buf_add_char(out, '\0');
}

static void test_order_never_matters(void)
{
    struct buf text, rules;
    buf_init(&text, TEXT_LIMIT);
    buf_init(&rules, TEXT_LIMIT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        reverse(rows[i].rules, &rules);
        struct vm *vm = open_rules(rules.p);
        (void)judge(vm, rows[i].arguments, &text);
        CHECK_ROW(str_eq(buf_str(&text), str_of(rows[i].want)), "%s with %s: %.*s, not %s", rules.p,
                  rows[i].arguments ? rows[i].arguments : "nothing", STR_ARG(buf_str(&text)),
                  rows[i].want);
        vm_close(vm);
    }
    buf_free(&text);
    buf_free(&rules);
}

/* What was allowed as rewritten is allowed as it stands, and rewritten no more. */
static void test_once_is_enough(void)
{
    struct buf text, again;
    buf_init(&text, TEXT_LIMIT);
    buf_init(&again, TEXT_LIMIT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vm *vm = open_rules(rows[i].rules);
        struct decision decision = judge(vm, rows[i].arguments, &text);
        if (decision.verdict == VERDICT_ALLOW) {
            CHECK_ROW(decision.rewritten ? decision.place_count > 0 : !decision.place_count, "%s",
                      rows[i].rules);
            buf_add_char(&text, '\0');
            decision = judge(vm, text.p, &again);
            CHECK_ROW(decision.verdict == VERDICT_ALLOW && !decision.rewritten, "%s",
                      rows[i].rules);
        }
        vm_close(vm);
    }
    buf_free(&text);
    buf_free(&again);
}

static void test_limits(void)
{
    struct buf text, rules, arguments;
    buf_init(&text, TEXT_LIMIT);
    buf_init(&rules, TEXT_LIMIT);
    buf_init(&arguments, TEXT_LIMIT);
    for (int places = BUNDLE_REWRITES_MAX; places <= BUNDLE_REWRITES_MAX + 1; places++) {
        buf_clear(&rules);
        for (int i = 0; i < places; i++)
            buf_printf(&rules, "allow tool \"t\" set args.a%d = %d;\n", i, i);
        buf_add_char(&rules, '\0');
        struct vm *vm = open_rules(rules.p);
        struct decision decision = judge(vm, "{}", &text);
        bool is_allowed = decision.verdict == VERDICT_ALLOW;
        CHECK_ROW(is_allowed == (places == BUNDLE_REWRITES_MAX), "%d places", places);
        vm_close(vm);
    }
    /* Twice the text is more than a document may have; a deny, with nothing handed on. */
    buf_add(&arguments, STR("{\"b\":\""));
    for (uint32_t i = 0; i < json_limits_default.max_bytes / 2; i++)
        buf_add_char(&arguments, 'x');
    buf_add(&arguments, STR("\"}"));
    buf_add_char(&arguments, '\0');
    struct vm *vm = open_rules("allow tool \"t\" set args.a = args.b;");
    struct decision decision = judge(vm, arguments.p, &text);
    CHECK(decision.verdict == VERDICT_DENY && decision.cause == CAUSE_UNKNOWN_REWRITE);
    CHECK(!decision.rewritten);
    CHECK(judge(vm, "{\"b\":1}", &text).verdict == VERDICT_ALLOW);
    vm_close(vm);
    buf_free(&text);
    buf_free(&rules);
    buf_free(&arguments);
}

static char *section(const struct buf *bytes, enum section_kind kind, uint32_t index)
{
    struct bundle_section entry;
    memcpy(&entry, bytes->p + sizeof(struct bundle_header) + kind * sizeof entry, sizeof entry);
    ENSURE(index < entry.count);
    return bytes->p + entry.offset + (size_t)index * section_element_bytes[kind];
}

static void lie_of_effect(struct buf *bytes)
{
    ((struct b_rule *)(void *)section(bytes, SECTION_RULES, 0))->effect = B_DENY;
}

static void lie_of_count(struct buf *bytes)
{
    ((struct b_rule *)(void *)section(bytes, SECTION_RULES, 0))->set_count = 2;
}

static void lie_of_flags(struct buf *bytes)
{
    for (uint32_t i = 0; i < 2; i++)
        ((struct b_list *)(void *)section(bytes, SECTION_LISTS, i))->flags ^= B_LIST_REWRITES;
}

static void lie_of_advertising(struct buf *bytes)
{
    ((struct b_rule *)(void *)section(bytes, SECTION_RULES, 0))->flags = B_RULE_ADVERTISES;
}

static void lie_of_rule_flags(struct buf *bytes)
{
    ((struct b_rule *)(void *)section(bytes, SECTION_RULES, 0))->flags = 2;
}

static void lie_of_slot(struct buf *bytes)
{
    ((struct b_rewrite *)(void *)section(bytes, SECTION_REWRITES, 0))->slot = 99;
}

static void lie_of_root(struct buf *bytes)
{
    struct b_rewrite *rewrite = (struct b_rewrite *)(void *)section(bytes, SECTION_REWRITES, 0);
    struct b_slot *slot = (struct b_slot *)(void *)section(bytes, SECTION_SLOTS, rewrite->slot);
    slot->root = B_SLOT_PRINCIPAL_ATTRIBUTES;
}

static void lie_of_code(struct buf *bytes)
{
    struct b_rewrite *rewrite = (struct b_rewrite *)(void *)section(bytes, SECTION_REWRITES, 0);
    struct b_insn *code = (struct b_insn *)(void *)section(bytes, SECTION_CODE, rewrite->code);
    code[rewrite->code_count - 1] = (struct b_insn){ .op = OP_HAS };
}

static void lie_of_cost(struct buf *bytes)
{
    ((struct b_meta *)(void *)section(bytes, SECTION_META, 0))->cost_fixed--;
}

static void test_hostile_bundles(void)
{
    static const struct {
        const char *what;
        void (*lie)(struct buf *bytes);
    } lies[] = {
        { "out of range", lie_of_effect },
        { "out of range", lie_of_count },
        { "flags do not say", lie_of_flags },
        { "flags do not say", lie_of_advertising },
        { "rule 0: flags", lie_of_rule_flags },
        { "no argument", lie_of_slot },
        { "no argument", lie_of_root },
        { "unexpected opcode", lie_of_code },
        { "cost", lie_of_cost },
    };
    for (size_t i = 0; i < COUNT(lies); i++) {
        struct buf bytes;
        struct program *program;
        struct bundle_error error = { .text = "" };
        compile("allow tool \"t\" when has args.a set args.a = lower(args.a);", &bytes);
        lies[i].lie(&bytes);
        bundle_seal(bytes.p, bytes.n);
        bool is_refused = program_load(buf_str(&bytes), &program, &error) != ST_OK;
        CHECK_ROW(is_refused && strstr(error.text, lies[i].what), "%zu: got \"%s\", not \"%s\"", i,
                  error.text, lies[i].what);
        buf_free(&bytes);
    }
}

int main(void)
{
    RUN(test_rows);
    RUN(test_order_never_matters);
    RUN(test_once_is_enough);
    RUN(test_limits);
    RUN(test_hostile_bundles);
    return check_finish();
}
