/* SPDX-License-Identifier: Apache-2.0 */
/* command_judge.c - eval and test: calls judged by the bundle that would be shipped, in the same VM
 * that the gateway runs. */
#include "compiler/command/call.h"
#include "compiler/command/command.h"
#include "compiler/command/verdict.h"
#include "runtime/base/utc.h"
#include "runtime/base/world.h"

#include <stdio.h>

static enum exit_code judge(struct program *program, Str json, const struct options *options)
{
    struct arena mem;
    struct call call;
    struct decision decision;
    struct vm *vm;
    struct buf out;
    Str why = STR("out of memory");
    arena_init(&mem, (size_t)64 << 20);
    enum exit_code code = EXIT_OK;
    if (!call_read(json, &mem, &call, &why)) {
        code = usage_error("the call is refused: %.*s", STR_ARG(why));
    } else if (vm_open(program, &vm) != ST_OK) {
        code = usage_error("out of memory");
    } else {
        if (call.vm.server.n == 0)
            call.vm.server = program_only_server(program);
        buf_init(&out, (size_t)16 << 20);
        vm_decide(vm, &call.vm, &decision);
        if (options->json) {
            verdict_json(program, &call.vm, &decision, &out);
            buf_add_char(&out, '\n');
        } else {
            verdict_print(program, &call.vm, &decision, &out);
        }
        code = put_text(buf_str(&out));
        if (code == EXIT_OK && decision.verdict != VERDICT_ALLOW)
            code = EXIT_FINDINGS;
        buf_free(&out);
        vm_close(vm);
    }
    arena_reset(&mem);
    return code;
}

enum exit_code mcpc_eval(const struct options *options)
{
    struct compilation c;
    struct program *program = NULL;
    struct buf json;
    compilation_init(&c);
    buf_init(&json, CALL_BYTES_MAX);
    enum exit_code code = read_program(&c, options->files[0], options, &program);
    if (code == EXIT_OK)
        code = read_input(options->call, &json);
    if (code == EXIT_OK)
        code = judge(program, buf_str(&json), options);
    program_release(program);
    buf_free(&json);
    compilation_free(&c);
    return code;
}

/* One run of all tests of one policy. */
struct test_run {
    struct compilation *c;
    struct program *program;
    struct vm *vm;
    const struct options *options;
    struct buf out;
    uint32_t passed, failed;
};

/* When the call is made: as the test says, or now. */
static int64_t test_time(const struct test_call *expected)
{
    int64_t micros;
    if (expected->at.n && utc_parse(expected->at, &micros))
        return micros / 1000000;
    return world_wall_ms() / 1000;
}

/* What is wrong with the decision, {NULL, 0} when nothing is. */
static Str complaint(struct test_run *run, const struct test_call *expected, struct call *call)
{
    struct decision decision;
    struct buf got;
    call->vm.now = test_time(expected);
    call->vm.method = STR("tools/call");
    vm_decide(run->vm, &call->vm, &decision);
    bool is_allowed = decision.verdict == VERDICT_ALLOW;
    bool is_right = is_allowed == (expected->expectation == EXPECT_ALLOW) &&
                    str_contains(decision.reason, expected->reason);
    if (is_right)
        return (Str){ .p = NULL, .n = 0 };
    buf_init(&got, 65536);
    buf_printf(&got, "expected %s%s%.*s%s, got ", is_allowed ? "deny" : "allow",
               expected->reason.n ? " \"" : "", STR_ARG(expected->reason),
               expected->reason.n ? "\"" : "");
    if (is_allowed == (expected->expectation == EXPECT_ALLOW)) {
        buf_clear(&got);
        buf_printf(&got, "expected a reason with \"%.*s\", got ", STR_ARG(expected->reason));
    }
    verdict_print(run->program, &call->vm, &decision, &got);
    Str text = arena_copy(&run->c->mem, buf_str(&got));
    buf_free(&got);
    return text.p ? text : STR("out of memory");
}

static Str run_call(struct test_run *run, const struct test_call *expected)
{
    struct call call = { .vm = { .tool = expected->tool, .server = expected->server } };
    Str why = STR("out of memory");
    call.vm.principal = &call.principal;
    if (call.vm.server.n == 0)
        call.vm.server = program_only_server(run->program);
    if (!principal_read(expected->principal, &run->c->mem, &call.principal, &why) ||
        !arguments_read(expected->arguments, &run->c->mem, &call, &why))
        return why;
    return complaint(run, expected, &call);
}

static void add_result(struct test_run *run, const struct test *test, const struct test_call *call,
                       Str why)
{
    uint32_t line = 0, column = 0;
    Span span = call ? call->expect_span : test->span;
    const struct source *source = &run->c->sources.items[span.source];
    source_position(source, span.lo, &line, &column);
    if (run->options->json) {
        buf_printf(&run->out, "%s{\"test\":", run->passed + run->failed > 1 ? "," : "");
        json_write_string(&run->out, test->name);
        buf_printf(&run->out, ",\"passed\":%s,\"source\":", why.p ? "false" : "true");
        json_write_string(&run->out, source->path);
        buf_printf(&run->out, ",\"line\":%u", line);
        if (why.p) {
            buf_printf(&run->out, ",\"why\":");
            json_write_string(&run->out, why);
        }
        buf_add_char(&run->out, '}');
        return;
    }
    buf_printf(&run->out, "%s  %.*s\n", why.p ? "FAIL" : "ok  ", STR_ARG(test->name));
    if (why.p)
        buf_printf(&run->out, "      %.*s:%u: %.*s%s", STR_ARG(source->path), line, STR_ARG(why),
                   str_ends(why, STR("\n")) ? "" : "\n");
}

static void run_test(struct test_run *run, const struct test *test)
{
    Str why = { .p = NULL, .n = 0 };
    const struct test_call *call = test->calls;
    for (; call; call = call->next) {
        why = run_call(run, call);
        if (why.p)
            break;
    }
    run->passed += why.p == NULL;
    run->failed += why.p != NULL;
    add_result(run, test, call, why);
}

static enum exit_code test_file(Str path, const struct options *options, uint32_t *passed,
                                uint32_t *failed)
{
    struct compilation c;
    struct test_run run = { .c = &c, .options = options };
    compilation_init(&c);
    bool is_good = compilation_program(&c, path, &run.program);
    struct options as_text = *options;
    as_text.json = false; /* standard output holds one JSON document: the results */
    report_diags(&c, &as_text);
    enum exit_code code = is_good ? EXIT_OK : failure_code(&c);
    if (is_good && vm_open(run.program, &run.vm) != ST_OK)
        code = usage_error("out of memory");
    buf_init(&run.out, (size_t)64 << 20);
    run.passed = *passed; /* so that results of several files stand in one list */
    run.failed = *failed;
    for (const struct test *t = c.policy ? c.policy->tests : NULL; t && run.vm; t = t->next)
        run_test(&run, t);
    if (code == EXIT_OK)
        code = put_text(buf_str(&run.out));
    if (code == EXIT_OK && run.failed > *failed)
        code = EXIT_TESTS;
    *passed = run.passed;
    *failed = run.failed;
    buf_free(&run.out);
    vm_close(run.vm);
    program_release(run.program);
    compilation_free(&c);
    return code;
}

enum exit_code mcpc_test(const struct options *options)
{
    uint32_t passed = 0, failed = 0;
    enum exit_code worst = EXIT_OK;
    if (options->json)
        (void)put_text(STR("{\"tests\":["));
    for (int i = 0; i < options->file_count; i++) {
        enum exit_code code = test_file(options->files[i], options, &passed, &failed);
        if (code > worst)
            worst = code;
    }
    printf(options->json ? "],\"passed\":%u,\"failed\":%u}\n" : "%u passed, %u failed\n", passed,
           failed);
    return fflush(stdout) == 0 ? worst : EXIT_USAGE;
}
