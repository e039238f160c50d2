/* SPDX-License-Identifier: Apache-2.0 */
/* pin_source.c - from what the command line names to a snapshot: a file is read, a server is asked.
 * A token comes from the environment and travels encrypted or not at all. */
#include "compiler/command/pin_source.h"

#include "compiler/command/pin_fetch.h"

#include <stdlib.h>

#define PIN_MEMORY_MAX ((size_t)2 << 30)

void pinning_init(struct pinning *p, const struct options *options)
{
    p->options = options;
    arena_init(&p->mem, PIN_MEMORY_MAX);
    diags_init(&p->diags, &p->mem);
}

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

enum exit_code pinning_read_one(struct pinning *p, Str name, struct snapshot *out)
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
enum exit_code pinning_read_words(struct pinning *p, int first, struct snapshot *out)
{
    const struct options *options = p->options;
    Str *words = options->files + first;
    int count = options->file_count - first;
    if (count < 1 || (count > 1 && !options->stdio))
        return usage_error(options->stdio ? "--stdio needs a command behind \"--\""
                                          : "one URL or file is taken; see `mcpc help`");
    struct tool_source source = { .argv = words, .argc = (size_t)count };
    return options->stdio ? read_live(p, &source, words[0], out)
                          : pinning_read_one(p, words[0], out);
}
