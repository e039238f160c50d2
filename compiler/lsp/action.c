/* SPDX-License-Identifier: Apache-2.0 */
/* action.c - quick fixes: what a finding itself proposes, and accepting a warning with a reason. */
#include "compiler/lsp/lsp_internal.h"

struct actions {
    struct lsp *lsp;
    struct analysis *analysis;
    const struct line_map *map;
    Str uri;
    struct buf *out;
    bool has_one;
};

/* Ends in `"}]}}}` of the edit, written by the caller's text in between. */
static void write_action(struct actions *a, Str title, bool is_preferred, Span span, Str text)
{
    buf_add(a->out, a->has_one ? STR(",{\"title\":") : STR("{\"title\":"));
    a->has_one = true;
    write_text(a->out, title);
    buf_printf(a->out, ",\"kind\":\"quickfix\",\"isPreferred\":%s,\"edit\":{\"changes\":{",
               is_preferred ? "true" : "false");
    write_text(a->out, a->uri);
    buf_add(a->out, STR(":[{\"range\":"));
    range_write(a->out, a->map, span.lo, span.hi, a->lsp->encoding);
    buf_add(a->out, STR(",\"newText\":"));
    write_text(a->out, text);
    buf_add(a->out, STR("}]}}}"));
}

static bool is_word_byte(char ch)
{
    char low = char_lower(ch);
    return (low >= 'a' && low <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' ||
           (unsigned char)ch >= 0x80;
}

/* The last word or string of a span: what a fix stands in for. */
static Span last_word(Str source, Span span)
{
    uint32_t at = span.hi;
    char last = at > span.lo ? source.p[at - 1] : '\0';
    if (last == '"' || last == '\'') {
        at--;
        while (at > span.lo && source.p[at - 1] != last)
            at--;
        at -= at > span.lo;
    } else if (is_word_byte(last)) {
        while (at > span.lo && is_word_byte(source.p[at - 1]))
            at--;
    } else {
        at = span.lo;
    }
    span.lo = at;
    return span;
}

static void add_fix(struct actions *a, const struct diag *diag)
{
    Str source = a->analysis->sources.items[a->analysis->source].text;
    Span span = last_word(source, diag->span);
    char first = span.hi > span.lo ? source.p[span.lo] : '\0';
    bool is_string = first == '"' || first == '\'';
    struct buf text;
    buf_init(&text, (size_t)DIAG_TEXT_BYTES * 4);
    buf_add(&text, is_string ? STR("\"") : STR(""));
    for (size_t i = 0; i < diag->fix.n; i++) {
        if (is_string && memchr("\"\\$", diag->fix.p[i], 3))
            buf_add_char(&text, '\\');
        buf_add_char(&text, diag->fix.p[i]);
    }
    buf_add(&text, is_string ? STR("\"") : STR(""));
    Str title = span.hi > span.lo
                    ? arena_printf(&a->lsp->mem, "Change to %.*s", STR_ARG(buf_str(&text)))
                    : arena_printf(&a->lsp->mem, "Insert %.*s", STR_ARG(buf_str(&text)));
    write_action(a, title, true, span, buf_str(&text));
    buf_free(&text);
}

/* Where the statement begins that holds the offset; false when none does. */
static bool find_statement(const struct analysis *a, uint32_t offset, uint32_t *begin)
{
    const struct policy *p = a->policy;
    Span found = { .source = 0, .lo = 0, .hi = 0 };
#define LOOK(span_)                                                                                \
    if ((span_).source == a->source && (span_).lo <= offset && offset <= (span_).hi)               \
    found = (span_)
    LOOK(p->span);
    for (const struct server_decl *s = p->servers; s; s = s->next)
        LOOK(s->span);
    for (const struct let_decl *l = p->lets; l; l = l->next)
        LOOK(l->span);
    for (const struct rule *r = p->rules; r; r = r->next)
        LOOK(r->span);
    for (const struct rule *r = p->claims; r; r = r->next)
        LOOK(r->span);
    for (const struct test *t = p->tests; t; t = t->next)
        LOOK(t->span);
#undef LOOK
    *begin = found.lo;
    return found.hi > 0;
}

static void add_acceptance(struct actions *a, const struct diag *diag)
{
    uint32_t begin;
    bool is_own = diag->id == DIAG_UNUSED_ALLOW || diag->id == DIAG_BAD_ALLOW;
    if (is_own || diag_severity(diag->id) != SEVERITY_WARNING ||
        !find_statement(a->analysis, diag->span.lo, &begin))
        return;
    Span at = { .source = a->analysis->source, .lo = begin, .hi = begin };
    uint32_t number = diag_number(diag->id);
    Str title = arena_printf(&a->lsp->mem, "Accept W%u here, with a reason", number);
    Str text = arena_printf(&a->lsp->mem, "# mcpc: allow W%u \"say why\"\n", number);
    write_action(a, title, false, at, text);
}

enum lsp_error on_code_action(struct lsp *lsp, struct request *rq)
{
    struct position from, to;
    struct document *document = request_document(lsp, rq);
    uint32_t range = json_member(rq->doc, rq->params, STR("range"));
    if (!document || range == JSON_NONE ||
        !position_read(rq->doc, json_member(rq->doc, range, STR("start")), &from) ||
        !position_read(rq->doc, json_member(rq->doc, range, STR("end")), &to))
        return LSP_INVALID_PARAMS;
    struct actions a = {
        .lsp = lsp,
        .analysis = &document->analysis,
        .map = analysis_map(&document->analysis, document->analysis.source),
        .uri = buf_str(&document->uri),
        .out = rq->out,
    };
    uint32_t lo = position_offset(a.map, from, lsp->encoding);
    uint32_t hi = position_offset(a.map, to, lsp->encoding);
    buf_add_char(rq->out, '[');
    for (uint32_t i = 0; i < a.analysis->diags.count; i++) {
        const struct diag *diag = &a.analysis->diags.items[i];
        if (diag->span.source != a.analysis->source || diag->span.hi < lo || diag->span.lo > hi)
            continue;
        if (diag->fix.n)
            add_fix(&a, diag);
        add_acceptance(&a, diag);
    }
    buf_add_char(rq->out, ']');
    return LSP_OK;
}
