/* SPDX-License-Identifier: Apache-2.0 */
/* test_narrow.c - what `advertise` writes into a schema: no call that the VM allows, and that the
 * server's own schema takes, is refused by the narrowed one. Policies, schemas and calls are
 * generated; a table shows what is written.
 *
 * "test_narrow COUNT SEED" sets the number of policies and the seed.
 */
#include "compiler/command/call.h"
#include "runtime/gateway/narrow_schema.h"
#include "tests/unit/check.h"
#include "tests/unit/prove_draft.h"

#include <stdlib.h>

static uint32_t policies = 300;
static uint32_t narrowed_count, allowed_count;

static struct json_doc read_json(Str text, struct arena *mem)
{
    struct json_doc doc = { .count = 0 };
    uint32_t at;
    enum json_error error = json_parse(text, &json_limits_default, mem, &doc, &at);
    CHECK_ROW(error == JSON_ERR_NONE, "%s: %.*s", json_error_text(error), STR_ARG(text));
    return doc;
}

/* ------------------------------ a validator ------------------------------ */

static int order(Str a, Str b)
{
    struct number x, y;
    CHECK(number_parse(a, &x) && number_parse(b, &y));
    return number_cmp(&x, &y);
}

static bool same(const struct json_node *a, const struct json_node *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == JSON_NUMBER)
        return order(json_text(a), json_text(b)) == 0;
    return a->type != JSON_STRING || str_eq(json_text(a), json_text(b));
}

static bool keyword_takes(const struct json_doc *schema, uint32_t at, const struct json_node *value)
{
    const struct json_node *node = json_at(schema, at);
    Str keyword = json_key(node);
    bool is_number = value->type == JSON_NUMBER && node->type == JSON_NUMBER;
    if (str_eq(keyword, STR("const")))
        return same(node, value);
    if (str_eq(keyword, STR("enum"))) {
        for (uint32_t i = json_first(schema, at); i != JSON_NONE; i = json_after(schema, at, i))
            if (same(json_at(schema, i), value))
                return true;
        return false;
    }
    if (str_eq(keyword, STR("type")))
        return value->type != JSON_NULL || node->type == JSON_ARRAY;
    int compared = is_number ? order(json_text(value), json_text(node)) : 0;
    if (str_eq(keyword, STR("minimum")))
        return compared >= 0;
    if (str_eq(keyword, STR("maximum")))
        return compared <= 0;
    if (is_number && str_eq(keyword, STR("exclusiveMinimum")))
        return compared > 0;
    return !is_number || !str_eq(keyword, STR("exclusiveMaximum")) || compared < 0;
}

/* Of the keywords above, those of the arguments by themselves. */
static bool takes(const struct json_doc *tool, const struct vm_call *call)
{
    uint32_t schema = json_member(tool, 0, STR("inputSchema"));
    uint32_t properties = json_member(tool, schema, STR("properties"));
    if (!call->doc)
        return true;
    for (uint32_t i = json_first(call->doc, call->arguments); i != JSON_NONE;
         i = json_after(call->doc, call->arguments, i)) {
        const struct json_node *value = json_at(call->doc, i);
        uint32_t of = json_member(tool, properties, json_key(value));
        if (of == JSON_NONE)
            continue;
        for (uint32_t k = json_first(tool, of); k != JSON_NONE; k = json_after(tool, of, k))
            if (!keyword_takes(tool, k, value))
                return false;
    }
    return true;
}

/* -------------------------------- generated ------------------------------ */

#define PICK(table) ((table)[roll(COUNT(table))])

static const char *const asked[] = {
    "args.s == \"ab\"",
    "args.s in { \"a\", \"b\", \"ab\" }",
    "args.s in { \"a\", 1, true }",
    "(args.s ?? \"a\") in { \"a\", \"b\" }",
    "args.s != \"a\"",
    "args.n <= 10",
    "args.n < 7.5",
    "args.n >= 1",
    "args.n > 2",
    "not (args.n > 10)",
    "(args.n ?? 3) <= 5",
    "args.n == 10",
    "args.n in { 1, 2, 7.50, 10 }",
    "args.b",
    "not args.b",
    "args.b == false",
    "args.b != true",
    "\"eng\" in principal.groups",
    "has args.t",
    "args.t starts with \"a\"",
    "args.s == args.t",
};

static const char *const schemas[] = {
    "{}",
    "{ }",
    "{\"type\":\"string\"}",
    "{\"type\":[\"string\",\"null\"]}",
    "{\"enum\":[\"a\",\"b\",\"abc\",1,1.0e1,null,true]}",
    "{\"const\":\"a\"}",
    "{\"maximum\":8,\"minimum\":2}",
    "{\"maximum\":100,\"description\":\"x\"}",
    "{\"exclusiveMaximum\":1e1}",
    "{\"minimum\":0,\"exclusiveMinimum\":true}",
    "{\"enum\":\"odd\"}",
    "true",
};

static void make_tool(struct buf *out)
{
    static const char *const keys[] = { "s", "t", "n", "b" };
    buf_clear(out);
    buf_printf(out, "{\"name\":\"read_x\", \"inputSchema\": {\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < COUNT(keys); i++)
        buf_printf(out, "%s\"%s\": %s", i ? "," : "", keys[i], PICK(schemas));
    buf_printf(out, "},\"required\":[]},\"annotations\":{\"x\":1}}");
}

static void make_policy(struct buf *out)
{
    static const char *const joints[] = { "and", "and", "or" };
    buf_clear(out);
    buf_printf(out, "policy \"generated\";\n");
    for (uint32_t i = 1 + roll(4); i > 0; i--) {
        buf_printf(out, "%s tool \"%s\" %s %s", roll(3) ? "allow" : "deny",
                   roll(2) ? "read_x" : "read_*", roll(4) ? "when" : "unless", PICK(asked));
        for (uint32_t k = roll(3); k > 0; k--)
            buf_printf(out, " %s %s(%s)", PICK(joints), roll(4) ? "" : "not ", PICK(asked));
        buf_printf(out, "%s;\n", roll(5) ? " advertise" : "");
    }
}

static const Str groups[] = { STR_INIT("eng") };

static void sample(struct vm *vm, const struct principal *principal, const struct json_doc *own,
                   const struct json_doc *narrow)
{
    struct arena mem;
    struct buf text;
    struct decision decision;
    arena_init(&mem, 1 << 24);
    buf_init(&text, 1 << 20);
    for (uint32_t i = 0; i < 300 && check_ok; i++) {
        struct call call;
        Str why;
        arena_reset(&mem);
        make_call(&text, 0);
        if (!call_read(buf_str(&text), &mem, &call, &why))
            continue;
        call.vm.principal = principal;
        vm_decide(vm, &call.vm, &decision);
        if (decision.verdict != VERDICT_ALLOW || !takes(own, &call.vm))
            continue;
        allowed_count++;
        CHECK_ROW(takes(narrow, &call.vm), "refused: %.*s\nby %.*s", STR_ARG(buf_str(&text)),
                  STR_ARG(narrow->text));
    }
    arena_reset(&mem);
    buf_free(&text);
}

static void one_policy(struct buf *policy, struct buf *tool, struct buf *out)
{
    static struct vm_needs needs;
    struct arena mem;
    struct vm *vm;
    make_policy(policy);
    make_tool(tool);
    ENSURE(tool->p);
    struct program *program = draft_compile(buf_str(policy), "narrow.pol");
    if (!program || vm_open(program, &vm) != ST_OK)
        return;
    arena_init(&mem, 1 << 24);
    struct principal principal = { .id = STR("a"), .groups = groups, .group_count = roll(2) };
    struct vm_question question = { .server = STR(""), .principal = &principal };
    struct json_doc own = read_json(buf_str(tool), &mem);
    vm_narrow(vm, &question, STR("read_x"), &needs);
    buf_clear(out);
    narrow_schema_write(&own, 0, &needs, out);
    ENSURE(out->p);
    struct json_doc narrow = read_json(buf_str(out), &mem);
    bool is_same = str_eq(buf_str(out), buf_str(tool));
    narrowed_count += !is_same;
    if (vm_may_allow(vm, &question, STR("read_x")))
        sample(vm, &principal, &own, &narrow);
    if (!check_ok)
        (void)printf("%.*s\n", STR_ARG(buf_str(policy)));
    vm_close(vm);
    program_release(program);
    arena_reset(&mem);
}

static void generated(void)
{
    struct buf policy, tool, out;
    buf_init(&policy, 1 << 20);
    buf_init(&tool, 1 << 20);
    buf_init(&out, 1 << 20);
    for (uint32_t i = 0; i < policies && check_ok; i++)
        one_policy(&policy, &tool, &out);
    CHECK(narrowed_count > policies / 8 && allowed_count > policies);
    buf_free(&policy);
    buf_free(&tool);
    buf_free(&out);
}

/* ---------------------------------- a table ------------------------------ */

static const struct {
    const char *rules, *schema, *narrowed; /* of args.x; narrowed NULL: as it was */
} rows[] = {
    { "allow tool \"t\" when args.x == \"a\" advertise;", "{\"type\":\"string\"}",
      "{\"type\":\"string\",\"const\":\"a\"}" },
    { "allow tool \"t\" when args.x == \"a\";", "{\"type\":\"string\"}", NULL },
    { "allow tool \"t\" when args.x in { \"a\", \"b\" } advertise;", "{}",
      "{\"enum\":[\"a\",\"b\"]}" },
    { "allow tool \"t\" when args.x in { \"a\", \"b\" } advertise;",
      "{\"enum\":[\"c\", \"b\",\"a\"],\"title\":\"x\"}",
      "{\"enum\":[\"b\",\"a\"],\"title\":\"x\"}" },
    { "allow tool \"t\" when args.x in { \"a\", \"b\" } advertise;", "{\"enum\":[\"c\"]}", NULL },
    { "allow tool \"t\" when (args.x ?? \"a\") == \"a\" advertise;", "{}",
      "{\"enum\":[\"a\",null]}" },
    { "allow tool \"t\" when (args.x ?? \"a\") == \"a\" advertise;", "{\"type\":\"string\"}",
      "{\"type\":\"string\",\"const\":\"a\"}" },
    { "allow tool \"t\" when args.x <= 100 and args.x > 0 advertise;", "{}",
      "{\"exclusiveMinimum\":0,\"maximum\":100}" },
    { "allow tool \"t\" when args.x <= 100 advertise;", "{\"maximum\":1e3}", "{\"maximum\":100}" },
    { "allow tool \"t\" when args.x <= 100 advertise;", "{\"maximum\":50}", NULL },
    { "allow tool \"t\" when args.x < 100 advertise;",
      "{\"maximum\":100,\"exclusiveMaximum\":true}", NULL },
    { "allow tool \"t\" when args.x <= 10 or args.y == 1 advertise;", "{}", NULL },
    { "allow tool \"t\" when args.x <= 10 advertise; allow tool \"t\" when args.x <= 20 advertise;",
      "{}", "{\"maximum\":20}" },
    { "allow tool \"t\" when args.x <= 10 advertise; allow tool \"*\" when args.x == 3;", "{}",
      NULL },
    { "allow tool \"t\" when args.x <= 10 advertise; allow tool \"t\" when \"nobody\" in "
      "principal.groups;",
      "{}", "{\"maximum\":10}" },
    { "allow tool \"t\"; deny tool \"t\" unless args.x in { 1, 2 } advertise;", "{}",
      "{\"enum\":[1,2]}" },
    { "allow tool \"t\"; deny tool \"t\" when args.x >= 9.5 advertise;", "{}",
      "{\"exclusiveMaximum\":9.5}" },
    { "allow tool \"t\"; deny tool \"t\" unless args.x == 1;", "{}", NULL },
    { "allow tool \"t\" when not args.x advertise;", "{\"type\":\"boolean\"}",
      "{\"type\":\"boolean\",\"const\":false}" },
    { "allow tool \"t\" when args.x == \"a\" and args.x in { \"b\" } advertise;", "{}", NULL },
    { "allow tool \"t\" when args.x == \"q\\\"\\u{1f600}\" advertise;", "{}",
      "{\"const\":\"q\\\"\xF0\x9F\x98\x80\"}" },
    { "allow tool \"t\" when length(args.x) <= 3 and args.x.y == 1 advertise;", "{}", NULL },
    { "allow tool \"t\" when args.x == \"a\" advertise;", "false", NULL },
};

static void written(void)
{
    static struct vm_needs needs;
    struct principal principal = { .id = STR("a") };
    struct vm_question question = { .server = STR(""), .principal = &principal };
    for (size_t i = 0; i < COUNT(rows) && check_ok; i++) {
        char policy[1024], tool[512], want[512];
        struct arena mem;
        struct buf out;
        struct vm *vm;
        static const char frame[] = "{\"name\":\"t\",\"inputSchema\":{\"properties\":{\"y\":{},"
                                    "\"x\":%s}, \"required\":[]}}";
        (void)snprintf(policy, sizeof policy, "policy \"row\";\n%s\n", rows[i].rules);
        const char *after = rows[i].narrowed ? rows[i].narrowed : rows[i].schema;
        (void)snprintf(tool, sizeof tool, frame, rows[i].schema);
        (void)snprintf(want, sizeof want, frame, after);
        struct program *program = draft_compile(str_of(policy), "row.pol");
        if (!program || vm_open(program, &vm) != ST_OK)
            return;
        arena_init(&mem, 1 << 24);
        buf_init(&out, 1 << 20);
        struct json_doc doc = read_json(str_of(tool), &mem);
        vm_narrow(vm, &question, STR("t"), &needs);
        narrow_schema_write(&doc, 0, &needs, &out);
        CHECK_STR(buf_str(&out), str_of(want));
        buf_free(&out);
        arena_reset(&mem);
        vm_close(vm);
        program_release(program);
    }
}

/* Past a limit the schema is the server's own, or says less. */
static void limits(void)
{
    static struct vm_needs needs;
    struct principal principal = { .id = STR("a") };
    struct vm_question question = { .server = STR(""), .principal = &principal };
    struct buf source, tool, out;
    struct arena mem;
    struct vm *vm;
    arena_init(&mem, 1 << 24);
    buf_init(&source, 1 << 20);
    buf_init(&tool, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_printf(&source, "policy \"wide\";\nallow tool \"t\" when args.v in {");
    for (int i = 0; i <= VM_NARROW_VALUES_MAX; i++)
        buf_printf(&source, "%s%d", i ? "," : "", i);
    buf_printf(&source, "}");
    buf_printf(&tool, "{\"inputSchema\":{\"properties\":{\"v\":{}");
    for (int i = 0; i < VM_NARROW_FIELDS_MAX + 4; i++) {
        buf_printf(&source, " and args.a%d in { \"%01100d\", \"b\" }", i, i);
        buf_printf(&tool, ",\"a%d\":{}", i);
    }
    buf_printf(&source, " advertise;\n");
    buf_printf(&tool, "}}}");
    struct program *program = draft_compile(buf_str(&source), "wide.pol");
    if (!program || vm_open(program, &vm) != ST_OK)
        return;
    vm_narrow(vm, &question, STR("t"), &needs);
    CHECK(needs.count == VM_NARROW_FIELDS_MAX);
    for (uint32_t i = 0; i < needs.count; i++)
        CHECK(!str_eq(needs.items[i].key, STR("v")));
    struct json_doc doc = read_json(buf_str(&tool), &mem);
    narrow_schema_write(&doc, 0, &needs, &out); /* 16 * 1,100 bytes and more */
    CHECK(str_eq(buf_str(&out), buf_str(&tool)));
    vm_close(vm);
    program_release(program);
    buf_free(&source);
    buf_free(&tool);
    buf_free(&out);
    arena_reset(&mem);
}

int main(int argc, char **argv)
{
    draft_state = 20261124;
    if (argc > 1)
        policies = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        draft_state = strtoull(argv[2], NULL, 10);
    RUN(written);
    RUN(limits);
    RUN(generated);
    if (argc > 1)
        (void)printf("%u narrowed, %u allowed calls\n", narrowed_count, allowed_count);
    return check_finish();
}
