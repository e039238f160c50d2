/* SPDX-License-Identifier: Apache-2.0 */
/* publish.c - findings to the client. What is wrong in a file that a document imports is told at
 * the import, with the place in that file beside it: the file may be right by itself, and is not
 * open. */
#include "compiler/lsp/lsp_internal.h"

enum { SEVERITY_OF_ERROR = 1, SEVERITY_OF_WARNING = 2, TAG_UNNECESSARY = 1 };

struct publication {
    struct lsp *lsp;
    struct analysis *analysis;
    struct buf *out;
    bool is_first;
};

void diag_code(struct buf *out, const struct diag *diag)
{
    buf_printf(out, "%c%u", diag_severity(diag->id) == SEVERITY_ERROR ? 'E' : 'W',
               diag_number(diag->id));
}

/* The import through which a source came: sources are read in order, depth first. */
static Span import_span(const struct analysis *analysis, uint32_t source)
{
    Span span = { .source = analysis->source, .lo = 0, .hi = 0 };
    const struct import_decl *i = analysis->policy ? analysis->policy->imports : NULL;
    for (; i; i = i->next)
        if (i->source && i->source <= source)
            span = i->path_span;
    return span;
}

static void write_related(struct publication *p, const struct diag *diag, bool is_here)
{
    bool has_one = false;
    if (is_here && !diag->has_related)
        return;
    buf_add(p->out, STR(",\"relatedInformation\":["));
    if (!is_here) {
        buf_add(p->out, STR("{\"location\":"));
        write_location(p->lsp, p->out, p->analysis, diag->span);
        buf_add(p->out, STR(",\"message\":"));
        write_text(p->out, diag->message);
        buf_add_char(p->out, '}');
        has_one = true;
    }
    if (diag->has_related) {
        buf_add(p->out, has_one ? STR(",{\"location\":") : STR("{\"location\":"));
        write_location(p->lsp, p->out, p->analysis, diag->related);
        buf_add(p->out, STR(",\"message\":\"the first one is here\"}"));
    }
    buf_add_char(p->out, ']');
}

static void write_message(struct publication *p, const struct diag *diag, bool is_here)
{
    struct buf text;
    buf_init(&text, (size_t)DIAG_TEXT_BYTES * 4);
    if (!is_here)
        buf_add(&text, STR("in an imported file: "));
    buf_add(&text, diag->message);
    if (diag->help.n) {
        buf_add_char(&text, '\n');
        buf_add(&text, diag->help);
    }
    write_text(p->out, buf_str(&text));
    buf_free(&text);
}

static void write_one(struct publication *p, const struct diag *diag)
{
    struct analysis *a = p->analysis;
    bool is_here = diag->span.source == a->source || diag->span.source >= a->sources.count;
    Span span = is_here ? diag->span : import_span(a, diag->span.source);
    const struct line_map *map = a->sources.count ? analysis_map(a, a->source) : NULL;
    bool is_error = diag_severity(diag->id) == SEVERITY_ERROR;
    if (!p->is_first)
        buf_add_char(p->out, ',');
    p->is_first = false;
    buf_add(p->out, STR("{\"range\":"));
    if (map)
        range_write(p->out, map, span.lo, span.hi, p->lsp->encoding);
    else
        buf_add(p->out, STR("{\"start\":{\"line\":0,\"character\":0},"
                            "\"end\":{\"line\":0,\"character\":0}}"));
    buf_printf(p->out, ",\"severity\":%d,\"code\":\"",
               is_error ? SEVERITY_OF_ERROR : SEVERITY_OF_WARNING);
    diag_code(p->out, diag);
    buf_add(p->out, STR("\",\"source\":\"mcpc\",\"message\":"));
    write_message(p, diag, is_here);
    if (p->lsp->help.n) {
        buf_add(p->out, STR(",\"codeDescription\":{\"href\":"));
        write_text(p->out, buf_str(&p->lsp->help));
        buf_add_char(p->out, '}');
    }
    if (diag->id == DIAG_UNUSED_LET)
        buf_printf(p->out, ",\"tags\":[%d]", TAG_UNNECESSARY);
    if (map)
        write_related(p, diag, is_here);
    buf_add_char(p->out, '}');
}

static void begin(struct lsp *lsp, const struct document *document)
{
    lsp_notify(lsp, "textDocument/publishDiagnostics");
    buf_add(&lsp->body, STR("{\"uri\":"));
    write_text(&lsp->body, buf_str(&document->uri));
    if (document->version)
        buf_printf(&lsp->body, ",\"version\":%lld", (long long)document->version);
    buf_add(&lsp->body, STR(",\"diagnostics\":["));
}

void publish(struct lsp *lsp, struct document *document, struct analysis *analysis)
{
    struct publication p = {
        .lsp = lsp, .analysis = analysis, .out = &lsp->body, .is_first = true
    };
    diags_sort(&analysis->diags);
    begin(lsp, document);
    for (uint32_t i = 0; i < analysis->diags.count; i++)
        write_one(&p, &analysis->diags.items[i]);
    if (analysis->diags.dropped)
        buf_printf(&lsp->body,
                   "%s{\"range\":{\"start\":{\"line\":0,\"character\":0},\"end\":{\"line\":0,"
                   "\"character\":0}},\"severity\":3,\"source\":\"mcpc\",\"message\":\"and %u more "
                   "findings\"}",
                   p.is_first ? "" : ",", analysis->diags.dropped);
    buf_add(&lsp->body, STR("]}}"));
    lsp_send(lsp);
}

void publish_nothing(struct lsp *lsp, const struct document *document)
{
    begin(lsp, document);
    buf_add(&lsp->body, STR("]}}"));
    lsp_send(lsp);
}

void publish_pending(struct lsp *lsp, bool (*more)(void *user), void *user)
{
    for (struct document *d = lsp->documents.first; d; d = d->next) {
        if (!d->is_pending || d->is_lost)
            continue;
        if (more && more(user))
            return;
        publish(lsp, d, document_analysis(d, &lsp->overlay));
        d->is_pending = false;
        arena_rewind(&lsp->mem);
    }
}

void publish_emitted(struct lsp *lsp)
{
    for (struct document *d = lsp->documents.first; d; d = d->next)
        if (d->is_policy && !d->is_lost && !d->is_dirty && analysis_emit(&d->analysis))
            publish(lsp, d, &d->analysis);
}
