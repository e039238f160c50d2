/* SPDX-License-Identifier: Apache-2.0 */
/* test_shape.c - arguments against a pinned tool, however many the tool has: each known name
 * passes, names just beside the known ones do not, at the top and inside objects and lists. Also
 * registers: a default or a join that is made from a register keeps its own value. */
#include "compiler/command/driver.h"
#include "runtime/vm/vm.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

enum { TEXT_LIMIT = 64 * 1024 };

static struct vm *compile(const char *policy)
{
    struct compilation c;
    struct program *program = NULL;
    struct vm *vm = NULL;
    struct scratch_path path = scratch_path("shape.pol");
    scratch_write(path.text, str_of(policy));
    compilation_init(&c);
    ENSURE(compilation_program(&c, str_of(path.text), &program));
    ENSURE(vm_open(program, &vm) == ST_OK);
    program_release(program);
    compilation_free(&c);
    return vm;
}

static struct decision judge(struct vm *vm, const char *arguments)
{
    struct arena mem;
    struct json_doc doc;
    struct decision decision;
    struct principal nobody = { .id = STR("somebody") };
    arena_init(&mem, 1 << 20);
    ENSURE(json_parse(str_of(arguments), &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE);
    struct vm_call call = {
        .server = STR("s"), .name = STR("t"), .doc = &doc, .principal = &nobody
    };
    vm_decide(vm, &call, &decision);
    arena_reset(&mem);
    return decision;
}

/* {"m000":..., "m003":...}: every third name, so that there is a stranger on either side of each.
 */
static void write_snapshot(uint32_t count)
{
    struct buf out;
    struct scratch_path path = scratch_path("shape.json");
    buf_init(&out, TEXT_LIMIT);
    buf_add(&out, STR("[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\",\"properties\":{"));
    for (uint32_t i = 0; i < count; i++)
        buf_printf(&out,
                   "%s\"m%03u\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
                   "\"in\":{}}}}",
                   i ? "," : "", 3 * i);
    buf_add(&out, STR("}}}]"));
    ENSURE(!out.is_full);
    scratch_write(path.text, buf_str(&out));
    buf_free(&out);
}

static enum vm_cause cause_of_name(struct vm *vm, uint32_t number, const char *value)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"m%03u\":%s}", number, value);
    return judge(vm, text).cause;
}

static void names_are_known_or_not(void)
{
    static const uint32_t counts[] = { 1, 2, 15, 16, 17, 18, 31, 32, 33, 100 };
    for (size_t k = 0; k < COUNT(counts); k++) {
        write_snapshot(counts[k]);
        struct vm *vm =
            compile("policy \"p\";\nserver \"s\" tools \"shape.json\";\nallow tool \"t\";\n");
        for (uint32_t n = 0; n < 3 * counts[k] + 3; n++) {
            enum vm_cause want =
                n % 3 == 0 && n < 3 * counts[k] ? CAUSE_RULE : CAUSE_UNKNOWN_ARGUMENT;
            CHECK_ROW(cause_of_name(vm, n, "[]") == want, "%u of %u names", n, counts[k]);
        }
        CHECK(cause_of_name(vm, 0, "[{\"in\":1}]") == CAUSE_RULE);
        CHECK(cause_of_name(vm, 0, "[{},{\"on\":1}]") == CAUSE_UNKNOWN_ARGUMENT);
        CHECK(judge(vm, "{\"\":1}").cause == CAUSE_UNKNOWN_ARGUMENT);
        CHECK(judge(vm, "{\"m00\":1}").cause == CAUSE_UNKNOWN_ARGUMENT);
        CHECK(judge(vm, "{\"m0000\":1}").cause == CAUSE_UNKNOWN_ARGUMENT);
        vm_close(vm);
    }
}

static void the_stranger_is_named(void)
{
    write_snapshot(20);
    struct vm *vm =
        compile("policy \"p\";\nserver \"s\" tools \"shape.json\";\nallow tool \"t\";\n");
    struct arena mem;
    struct json_doc doc;
    struct decision decision;
    struct principal nobody = { .id = STR("somebody") };
    arena_init(&mem, 1 << 20);
    Str text = STR("{\"m000\":[{\"in\":1},{\"other\":2}]}");
    ENSURE(json_parse(text, &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE);
    struct vm_call call = {
        .server = STR("s"), .name = STR("t"), .doc = &doc, .principal = &nobody
    };
    vm_decide(vm, &call, &decision);
    CHECK_STR(decision.argument, STR("other"));
    arena_reset(&mem);
    vm_close(vm);
}

static void values_do_not_mix(void)
{
    static const struct {
        const char *arguments;
        bool is_allowed;
    } rows[] = {
        { "{\"a\":\"x\",\"b\":\"y\"}", true },
        { "{\"a\":\"x\"}", false },            /* b's default is "d" */
        { "{\"b\":\"y\",\"c\":\"x\"}", true }, /* a's default is c */
        { "{\"a\":null,\"b\":\"y\",\"c\":\"x\"}", true },
        { "{\"b\":\"y\"}", false }, /* a's last default is "z" */
        { "{\"a\":\"xy\",\"b\":\"\"}", false },
        { "{\"a\":1,\"b\":\"y\"}", false },
    };
    struct vm *vm = compile("policy \"p\";\nserver \"s\";\nallow tool \"t\"\n"
                            "  when \"${args.a ?? args.c ?? \"z\"}-${args.b ?? \"d\"}-${args.a ?? "
                            "args.c ?? \"z\"}\" == \"x-y-x\";\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_allowed = judge(vm, rows[i].arguments).verdict == VERDICT_ALLOW;
        CHECK_ROW(is_allowed == rows[i].is_allowed, "%s", rows[i].arguments);
    }
    vm_close(vm);
}

int main(void)
{
    RUN(names_are_known_or_not);
    RUN(the_stranger_is_named);
    RUN(values_do_not_mix);
    return check_finish();
}
