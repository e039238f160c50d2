/* SPDX-License-Identifier: Apache-2.0 */
/* command_judge.c - eval: one call judged by the bundle that would be shipped, in the same VM that
 * the gateway runs. */
#include "compiler/command/judge.h"
#include "compiler/command/verdict.h"

enum { VERDICT_BYTES_MAX = 16 << 20 };

static enum exit_code put_verdict(struct judge *judge, const struct options *options)
{
    struct decision decision;
    struct buf out;
    buf_init(&out, VERDICT_BYTES_MAX);
    vm_decide(judge->vm, &judge->call.vm, &decision);
    if (options->json) {
        verdict_json(judge->program, &judge->call.vm, &decision, &out);
        buf_add_char(&out, '\n');
    } else {
        verdict_print(judge->program, &judge->call.vm, &decision, &out);
    }
    enum exit_code code = put_text(buf_str(&out));
    if (code == EXIT_OK && decision.verdict != VERDICT_ALLOW)
        code = EXIT_FINDINGS;
    buf_free(&out);
    return code;
}

enum exit_code mcpc_eval(const struct options *options)
{
    struct judge judge;
    enum exit_code code = judge_open(&judge, options, options->files[0]);
    if (code == EXIT_OK)
        code = judge_read_call(&judge, options);
    if (code == EXIT_OK)
        code = put_verdict(&judge, options);
    judge_close(&judge);
    return code;
}
