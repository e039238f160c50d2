/* SPDX-License-Identifier: Apache-2.0 */
/* command_classify.c - `mcpc classify`: what the tools of a snapshot, of a server or of a catalogue
 * most likely do, and why. */
#include "compiler/classify/facts.h"
#include "compiler/classify/report.h"
#include "compiler/command/pin_source.h"

enum { FACTS_BYTES_MAX = 256 << 20, REPORT_BYTES_MAX = 256 << 20 };
#define SERVER_MEMORY_MAX ((size_t)1 << 30)

struct classification {
    const struct options *options;
    enum classify_format format;
    struct buf out;
};

static enum exit_code add_tools(struct classification *c, const struct snapshot *snapshot,
                                Str server, struct arena *mem)
{
    struct classify_context context = {
        .prefix = classify_prefix(snapshot->tools, snapshot->tool_count),
        .ignore_hints = c->options->no_hints,
    };
    bool is_first = true;
    for (uint32_t i = 0; i < snapshot->tool_count; i++) {
        struct classified *tool = ARENA_NEW(mem, struct classified, 1);
        if (!tool || !classify_tool(&snapshot->tools[i], &context, mem, tool))
            return usage_error("out of memory");
        if (classify_write(tool, server, c->format, is_first, &c->out))
            is_first = false;
    }
    return c->out.is_full ? usage_error("the answer is too large") : EXIT_OK;
}

static enum exit_code read_listed(Str text, Str server, struct arena *mem, struct snapshot *out)
{
    struct diags diags;
    Span nowhere = { .source = 0, .lo = 0, .hi = 0 };
    diags_init(&diags, mem);
    if (snapshot_parse(text, server, nowhere, mem, &diags, out))
        return EXIT_OK;
    for (uint32_t i = 0; i < diags.count; i++)
        (void)usage_error("%.*s", STR_ARG(diags.items[i].message));
    return EXIT_USAGE;
}

/* Server by server, so that a catalogue needs no more memory than its largest. */
static enum exit_code classify_facts(struct classification *c, Str text)
{
    struct facts facts;
    struct arena mem, lines;
    struct buf listed;
    struct snapshot snapshot;
    Str server;
    enum exit_code code = EXIT_OK;
    if (c->format == CLASSIFY_CLASSES)
        return usage_error("--classes takes the tools of one server, as `mcpc pin` saves them");
    arena_init(&mem, SERVER_MEMORY_MAX);
    arena_init(&lines, SERVER_MEMORY_MAX);
    buf_init(&listed, FACTS_BYTES_MAX);
    facts_begin(&facts, text);
    while (code == EXIT_OK && facts_next(&facts, &lines, &server, &listed)) {
        code = read_listed(buf_str(&listed), server, &mem, &snapshot);
        if (code == EXIT_OK)
            code = add_tools(c, &snapshot, server, &mem);
        buf_clear(&listed);
        arena_rewind(&mem);
    }
    if (facts.why[0])
        code = usage_error("%s", facts.why);
    buf_free(&listed);
    arena_reset(&mem);
    arena_reset(&lines);
    return code;
}

static enum exit_code classify_server(struct classification *c)
{
    struct pinning p;
    struct snapshot snapshot;
    pinning_init(&p, c->options);
    enum exit_code code = pinning_read_words(&p, 0, &snapshot);
    if (c->format == CLASSIFY_CLASSES)
        buf_add(&c->out, STR("{\"tools\": {"));
    if (code == EXIT_OK)
        code = add_tools(c, &snapshot, STR(""), &p.mem);
    if (c->format == CLASSIFY_CLASSES)
        buf_add(&c->out, STR("\n} }\n"));
    arena_reset(&p.mem);
    return code;
}

static enum exit_code classify_file(struct classification *c, Str path)
{
    struct buf text;
    struct arena mem;
    buf_init(&text, FACTS_BYTES_MAX);
    arena_init(&mem, SERVER_MEMORY_MAX);
    enum exit_code code = read_input(path, &text);
    if (code == EXIT_OK)
        code = facts_are(buf_str(&text), &mem) ? classify_facts(c, buf_str(&text))
                                               : classify_server(c);
    arena_reset(&mem);
    buf_free(&text);
    return code;
}

static bool is_url(Str text)
{
    return str_starts(text, STR("http://")) || str_starts(text, STR("https://"));
}

enum exit_code mcpc_classify(const struct options *options)
{
    struct classification c = { .options = options };
    if (options->json && options->classes)
        return usage_error("one of --json and --classes");
    c.format = options->json ? CLASSIFY_JSON : options->classes ? CLASSIFY_CLASSES : CLASSIFY_TEXT;
    buf_init(&c.out, REPORT_BYTES_MAX);
    bool is_file = !options->stdio && options->file_count == 1 && !is_url(options->files[0]);
    enum exit_code code = is_file ? classify_file(&c, options->files[0]) : classify_server(&c);
    if (code == EXIT_OK)
        code = put_text(buf_str(&c.out));
    buf_free(&c.out);
    return code;
}
