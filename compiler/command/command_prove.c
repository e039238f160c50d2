/* SPDX-License-Identifier: Apache-2.0 */
/* command_prove.c - prove: the claims of policies, each held, broken or unknown. */
#include "compiler/command/claims.h"

enum { PROVE_OUTPUT_MAX = 64 << 20 };

static enum exit_code prove_file(const struct options *options, Str path, struct buf *out)
{
    struct compilation c;
    struct claim_counts counts = { .held = 0 };
    compilation_init(&c);
    c.params_path = options->params;
    c.profile = options->profile;
    enum exit_code code = EXIT_OK;
    bool is_good = compilation_check(&c, path);
    size_t before = out->n;
    if (is_good)
        is_good = claims_report(&c, options->json, true, out, &counts);
    if (is_good) {
        code = claims_code(&counts, options->allow_unknown);
    } else {
        out->n = before;
        code = failure_code(&c);
        report_diags(&c, options);
    }
    compilation_free(&c);
    return code;
}

enum exit_code mcpc_prove(const struct options *options)
{
    enum exit_code worst = EXIT_OK;
    struct buf out;
    buf_init(&out, PROVE_OUTPUT_MAX);
    for (int i = 0; i < options->file_count; i++) {
        enum exit_code code = prove_file(options, options->files[i], &out);
        worst = code > worst ? code : worst;
    }
    if (out.is_full)
        worst = usage_error("there is too much to print");
    else if (put_text(buf_str(&out)) != EXIT_OK)
        worst = EXIT_USAGE;
    buf_free(&out);
    return worst;
}
