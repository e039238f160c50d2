/* SPDX-License-Identifier: Apache-2.0 */
/* command_pin.c - `mcpc pin`: a server's tools as a file that policies are checked against, and
 * what changed since.
 *
 * The file is a tools/list result, laid out so that the same tools give the same bytes. Nothing is
 * written when the server's answer is not whole, or not what a policy could be compiled with. */
#include "compiler/command/command.h"
#include "compiler/command/pin_fetch.h"
#include "compiler/command/pin_write.h"
#include "compiler/schema/schema.h"

#include <stdio.h>
#include <stdlib.h>

#define PIN_MEMORY_MAX ((size_t)2 << 30)

enum { PIN_OUTPUT_MAX = SOURCE_BYTES_MAX, DESCRIPTION_BYTES_MAX = 64 << 20 };

struct pinning {
    struct arena mem;
    struct diags diags;
    const struct options *options;
};

static bool is_url(Str text)
{
    return str_starts(text, STR("http://")) || str_starts(text, STR("https://"));
}

static enum exit_code parse(struct pinning *p, Str text, Str name, struct snapshot *out)
{
    Span nowhere = { .source = 0, .lo = 0, .hi = 0 };
    uint32_t told = p->diags.count;
    if (snapshot_parse(text, name, nowhere, &p->mem, &p->diags, out))
        return EXIT_OK;
    for (uint32_t i = told; i < p->diags.count; i++)
        (void)usage_error("%.*s", STR_ARG(p->diags.items[i].message));
    return EXIT_USAGE;
}

/* The token is in an environment variable, so that no list of processes shows it. */
static enum exit_code read_bearer(const struct options *options, Str *out)
{
    *out = (Str){ .p = NULL, .n = 0 };
    if (!options->bearer_env.n)
        return EXIT_OK;
    *out = str_of(getenv(options->bearer_env.p));
    if (!out->n)
        return usage_error("the environment has no %.*s", STR_ARG(options->bearer_env));
    for (size_t i = 0; i < out->n; i++)
        if (out->p[i] < 0x21 || out->p[i] > 0x7E)
            return usage_error("%.*s holds what can't be in a bearer token",
                               STR_ARG(options->bearer_env));
    return EXIT_OK;
}

/* A token in plain text may only travel inside this machine. */
static bool is_safe_for_bearer(Str url)
{
    static const Str prefixes[] = { STR_INIT("https://"), STR_INIT("http://127.0.0.1"),
                                    STR_INIT("http://localhost"), STR_INIT("http://[::1]") };
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        if (!str_starts(url, prefixes[i]))
            continue;
        Str rest = str_sub(url, prefixes[i].n, url.n);
        return i == 0 || !rest.n || str_starts(rest, STR(":")) || str_starts(rest, STR("/"));
    }
    return false;
}

static enum exit_code read_live(struct pinning *p, struct tool_source *source, Str name,
                                struct snapshot *out)
{
    char why[FETCH_WHY_BYTES];
    struct buf text;
    buf_init(&text, SNAPSHOT_BYTES_MAX);
    enum exit_code code = read_bearer(p->options, &source->bearer);
    if (code == EXIT_OK && source->bearer.n && !is_safe_for_bearer(source->url))
        code = usage_error("a bearer token is sent over https only, or to this machine");
    if (code == EXIT_OK && !fetch_tools(source, &text, why))
        code = usage_error("%.*s: %s", STR_ARG(name), why);
    Str kept = code == EXIT_OK ? arena_copy(&p->mem, buf_str(&text)) : STR("");
    buf_free(&text);
    if (code == EXIT_OK)
        code = parse(p, kept, name, out);
    return code;
}

static enum exit_code read_snapshot(struct pinning *p, Str name, struct snapshot *out)
{
    struct tool_source source = { .url = name };
    Str text;
    if (is_url(name))
        return read_live(p, &source, name, out);
    enum status status = file_read(name, SOURCE_BYTES_MAX, &p->mem, &text);
    if (status != ST_OK)
        return usage_error("can't read %.*s: %s", STR_ARG(name), status_text(status));
    return parse(p, text, name, out);
}

/* What the words from `first` on name: a command with --stdio, else one URL or file. */
static enum exit_code read_words(struct pinning *p, int first, struct snapshot *out)
{
    const struct options *options = p->options;
    Str *words = options->files + first;
    int count = options->file_count - first;
    if (count < 1 || (count > 1 && !options->stdio))
        return usage_error(options->stdio ? "--stdio needs a command behind \"--\""
                                          : "pin takes one URL or file; see `mcpc help pin`");
    struct tool_source source = { .argv = words, .argc = (size_t)count };
    return options->stdio ? read_live(p, &source, words[0], out) : read_snapshot(p, words[0], out);
}

static enum exit_code save(struct pinning *p)
{
    struct snapshot snapshot;
    struct buf text;
    enum exit_code code = read_words(p, 0, &snapshot);
    if (code != EXIT_OK)
        return code;
    buf_init(&text, PIN_OUTPUT_MAX);
    if (!pin_write(&snapshot, &p->mem, &text))
        code = usage_error("the tools are larger than a snapshot may be");
    else if (p->options->output.n)
        code = write_file(p->options->output, buf_str(&text));
    else
        code = put_text(buf_str(&text));
    buf_free(&text);
    return code;
}

static enum exit_code compare(struct pinning *p)
{
    struct snapshot old, now;
    struct buf text;
    if (p->options->file_count < 2)
        return usage_error("pin --diff takes a snapshot, and a snapshot, a URL or a command");
    enum exit_code code = read_snapshot(p, p->options->files[0], &old);
    if (code == EXIT_OK)
        code = read_words(p, 1, &now);
    if (code != EXIT_OK)
        return code;
    buf_init(&text, DESCRIPTION_BYTES_MAX);
    bool is_changed = pin_describe(&old, &now, &p->mem, &text) > 0;
    code = put_text(buf_str(&text));
    buf_free(&text);
    return code == EXIT_OK && is_changed ? EXIT_FINDINGS : code;
}

enum exit_code mcpc_pin(const struct options *options)
{
    struct pinning p = { .options = options };
    arena_init(&p.mem, PIN_MEMORY_MAX);
    diags_init(&p.diags, &p.mem);
    enum exit_code code = options->diff ? compare(&p) : save(&p);
    arena_reset(&p.mem);
    return code;
}
