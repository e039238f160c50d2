/* SPDX-License-Identifier: Apache-2.0 */
/* command_build.c - compile, check, fmt, disasm: the subcommands that judge no call. */
#include "compiler/command/claims.h"
#include "compiler/command/command.h"
#include "compiler/command/sarif.h"

#include <stdio.h>

static Str default_output(struct arena *mem, Str path)
{
    if (str_ends(path, STR(".pol")))
        path = str_sub(path, 0, path.n - 4);
    return arena_printf(mem, "%.*s.polb", STR_ARG(path));
}

static void print_cost(const struct compilation *c)
{
    struct program *program;
    struct bundle_error error;
    if (program_load(buf_str(&c->bundle), &program, &error) != ST_OK)
        return;
    (void)fprintf(stderr, "%u rules, %u conditions, %u tools, %zu bytes; identity %s\n",
                  program->counts[SECTION_RULES], program->counts[SECTION_ATOMS],
                  program->counts[SECTION_NAMES], program->bytes.n, program->id);
    (void)fprintf(stderr, "cost of a decision: at most %llu + %llu a byte of the call\n",
                  (unsigned long long)program->meta->cost_fixed,
                  (unsigned long long)program->meta->cost_per_byte);
    program_release(program);
}

/* FILE.polb, of one profile among several FILE.NAME.polb. */
static Str output_of(struct compilation *c, const struct options *options, Str profile)
{
    Str output = options->output.n ? options->output : default_output(&c->mem, options->files[0]);
    if (options->profile.n || !profile.n)
        return output;
    Str stem = str_ends(output, STR(".polb")) ? str_sub(output, 0, output.n - 5) : output;
    return arena_printf(&c->mem, "%.*s.%.*s.polb", STR_ARG(stem), STR_ARG(profile));
}

/* All profiles, or none: bundles are written once every one of them compiles. */
static bool emit_all(struct compilation *c, const Str *names, uint32_t count)
{
    bool is_good = true;
    for (uint32_t i = 0; i < count && is_good; i++) {
        c->profile = names[i];
        is_good = compilation_emit(c);
    }
    return is_good;
}

static enum exit_code write_bundles(struct compilation *c, const struct options *options,
                                    const Str *names, uint32_t count)
{
    enum exit_code code = EXIT_OK;
    for (uint32_t i = 0; i < count && code == EXIT_OK; i++) {
        c->profile = names[i];
        if (count > 1 && !compilation_emit(c))
            return failure_code(c);
        code = write_file(output_of(c, options, names[i]), buf_str(&c->bundle));
        if (code == EXIT_OK && options->verbose)
            print_cost(c);
    }
    return code;
}

enum { PROVE_OUTPUT_MAX = 64 << 20 };

/* --prove: tells of claims that do not hold, and gives the exit code. */
static enum exit_code prove_claims(struct compilation *c, const struct options *options)
{
    struct claim_counts counts = { .held = 0 };
    struct buf out;
    buf_init(&out, PROVE_OUTPUT_MAX);
    c->profile = options->profile;
    bool is_good = claims_report(c, options->json, false, &out, &counts);
    enum exit_code code = is_good ? claims_code(&counts, options->allow_unknown) : failure_code(c);
    if (!is_good)
        report_diags(c, options);
    else if (options->json)
        (void)put_text(buf_str(&out));
    else
        (void)fwrite(out.p, 1, out.n, stderr);
    if (is_good && code != EXIT_OK)
        (void)fprintf(stderr, "mcpc: no bundle is written\n");
    buf_free(&out);
    return code;
}

enum exit_code mcpc_compile(const struct options *options)
{
    struct compilation c;
    Str names[PROFILES_MAX] = { { NULL, 0 } };
    uint32_t count = 0;
    compilation_init(&c);
    c.params_path = options->params;
    c.profile = options->profile;
    bool is_good = compilation_check(&c, options->files[0]);
    if (is_good) {
        count = compilation_profiles(&c, names);
        is_good = emit_all(&c, names, count);
    }
    enum exit_code code = failure_code(&c);
    report_diags(&c, options);
    if (is_good)
        code = options->prove ? prove_claims(&c, options) : EXIT_OK;
    if (is_good && code == EXIT_OK)
        code = write_bundles(&c, options, names, count);
    compilation_free(&c);
    return code;
}

enum exit_code mcpc_check(const struct options *options)
{
    enum exit_code code = EXIT_OK;
    struct sarif sarif;
    sarif_begin(&sarif);
    for (int i = 0; i < options->file_count; i++) {
        struct compilation c;
        compilation_init(&c);
        c.params_path = options->params;
        Str names[PROFILES_MAX] = { { NULL, 0 } };
        bool is_good = compilation_check(&c, options->files[i]) &&
                       emit_all(&c, names, compilation_profiles(&c, names));
        if (!is_good && failure_code(&c) > code)
            code = failure_code(&c);
        if (options->sarif)
            sarif_add(&sarif, &c);
        else
            report_diags(&c, options);
        compilation_free(&c);
    }
    if (options->sarif && sarif_end(&sarif) != EXIT_OK)
        code = EXIT_USAGE;
    return code;
}

static enum exit_code put_layout(Str path, Str old, Str text, const struct options *options)
{
    bool is_same = str_eq(text, old);
    if (options->write)
        return is_same ? EXIT_OK : write_file(path, text);
    if (!options->check)
        return put_text(text);
    if (is_same)
        return EXIT_OK;
    (void)fprintf(stderr, "%.*s: differs from what `mcpc fmt` prints\n", STR_ARG(path));
    return EXIT_FINDINGS;
}

static enum exit_code format_file(Str path, const struct options *options)
{
    struct compilation c;
    struct buf text;
    compilation_init(&c);
    c.params_path = options->params;
    buf_init(&text, (size_t)SOURCE_BYTES_MAX * 4);
    enum exit_code code = EXIT_OK;
    if (compilation_parse(&c, path)) {
        const struct source *source = &c.sources.items[c.source];
        policy_print(c.policy, source, &text);
        code = text.is_full ? usage_error("%.*s: the layout is too large", STR_ARG(path))
                            : put_layout(path, source->text, buf_str(&text), options);
    } else {
        code = failure_code(&c);
        report_diags(&c, options);
    }
    buf_free(&text);
    compilation_free(&c);
    return code;
}

enum exit_code mcpc_fmt(const struct options *options)
{
    enum exit_code worst = EXIT_OK;
    for (int i = 0; i < options->file_count; i++) {
        enum exit_code code = format_file(options->files[i], options);
        if (code > worst)
            worst = code;
    }
    return worst;
}

enum exit_code mcpc_disasm(const struct options *options)
{
    struct program *program;
    struct bundle_error error;
    struct buf text;
    enum status status = program_read(options->files[0].p, &program, &error);
    if (status != ST_OK)
        return usage_error("%s: %s", options->files[0].p, error.text);
    buf_init(&text, (size_t)1 << 30);
    program_disassemble(program, &text);
    enum exit_code code = put_text(buf_str(&text));
    buf_free(&text);
    program_release(program);
    return code;
}
