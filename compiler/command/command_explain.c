/* SPDX-License-Identifier: Apache-2.0 */
/* command_explain.c - explain: eval, with everything that the verdict rests on. */
#include "compiler/command/explain.h"
#include "compiler/command/judge.h"
#include "compiler/command/verdict.h"

enum { EXPLAIN_BYTES_MAX = 64 << 20 };

static void add_explanation(const struct judge *judge, const struct explanation *explanation,
                            const struct options *options, struct buf *out)
{
    const struct vm_call *call = &judge->call.vm;
    if (!options->json) {
        verdict_print(judge->program, call, &explanation->decision, out);
        explain_print(explanation, out);
        if (options->plan)
            explain_plan(explanation, call, out);
        return;
    }
    verdict_json(judge->program, call, &explanation->decision, out);
    out->n--; /* its closing brace: more members follow */
    buf_add_char(out, ',');
    explain_json(explanation, out);
    buf_add(out, STR("}\n"));
}

enum exit_code mcpc_explain(const struct options *options)
{
    struct judge judge;
    struct explanation explanation;
    struct arena mem;
    struct buf out;
    arena_init(&mem, JUDGE_BYTES_MAX);
    buf_init(&out, EXPLAIN_BYTES_MAX);
    enum exit_code code = judge_open(&judge, options, options->files[0]);
    if (code == EXIT_OK)
        code = judge_read_call(&judge, options);
    if (code == EXIT_OK && !explain_call(judge.vm, &judge.call.vm, &mem, &explanation))
        code = usage_error("out of memory");
    if (code == EXIT_OK) {
        add_explanation(&judge, &explanation, options, &out);
        code = out.is_full ? usage_error("the explanation is too large") : put_text(buf_str(&out));
        if (code == EXIT_OK && explanation.decision.verdict != VERDICT_ALLOW)
            code = EXIT_FINDINGS;
    }
    buf_free(&out);
    arena_reset(&mem);
    judge_close(&judge);
    return code;
}
