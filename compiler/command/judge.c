/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/command/judge.h"

#include "compiler/command/verdict.h"

enum exit_code judge_open(struct judge *judge, const struct options *options, Str path)
{
    *judge = (struct judge){ .program = NULL };
    compilation_init(&judge->c);
    judge->c.params_path = options->params;
    judge->c.profile = options->profile;
    arena_init(&judge->mem, JUDGE_BYTES_MAX);
    buf_init(&judge->json, CALL_BYTES_MAX);
    enum exit_code code = read_program(&judge->c, path, options, &judge->program);
    if (code == EXIT_OK && vm_open(judge->program, &judge->vm) != ST_OK)
        code = usage_error("out of memory");
    return code;
}

void judge_close(struct judge *judge)
{
    vm_close(judge->vm);
    program_release(judge->program);
    buf_free(&judge->json);
    arena_reset(&judge->mem);
    compilation_free(&judge->c);
}

bool judge_take_call(struct judge *judge, Str json, Str *why)
{
    *why = STR("out of memory");
    if (judge->mem.blocks)
        arena_rewind(&judge->mem);
    if (!call_read(json, &judge->mem, &judge->call, why))
        return false;
    if (judge->call.vm.server.n == 0)
        judge->call.vm.server = program_only_server(judge->program);
    return true;
}

enum exit_code judge_read_call(struct judge *judge, const struct options *options)
{
    Str why;
    enum exit_code code = read_input(options->call, &judge->json);
    if (code == EXIT_OK && !judge_take_call(judge, buf_str(&judge->json), &why))
        code = usage_error("the call is refused: %.*s", STR_ARG(why));
    return code;
}
