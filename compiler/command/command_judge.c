/* SPDX-License-Identifier: Apache-2.0 */
/* command_judge.c - eval: one call judged by the bundle that would be shipped, in the same VM that
 * the gateway runs. */
#include "compiler/command/call.h"
#include "compiler/command/command.h"
#include "compiler/command/verdict.h"
#include "runtime/base/utc.h"
#include "runtime/base/world.h"

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
    c.params_path = options->params;
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
