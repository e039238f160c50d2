/* SPDX-License-Identifier: Apache-2.0 */
/* symbols.c - an outline of a document: its statements, in order. */
#include "compiler/lsp/lsp_internal.h"

/* SymbolKind of the protocol. */
enum symbol_kind {
    SYMBOL_MODULE = 2,
    SYMBOL_NAMESPACE = 3,
    SYMBOL_METHOD = 6,
    SYMBOL_FUNCTION = 12,
    SYMBOL_CONSTANT = 14,
    SYMBOL_EVENT = 24,
};

enum { NAME_BYTES_MAX = 160 };

struct outline {
    struct lsp *lsp;
    struct analysis *analysis;
    struct buf *out;
    bool has_one;
};

/* Only statements of the document itself; a name must not be empty. */
static void add_symbol(struct outline *o, Str name, enum symbol_kind kind, Span whole, Span chosen)
{
    const struct line_map *map = analysis_map(o->analysis, o->analysis->source);
    if (whole.source != o->analysis->source || !name.n || !map)
        return;
    if (chosen.lo < whole.lo || chosen.hi > whole.hi || !chosen.hi)
        chosen = whole;
    buf_add(o->out, o->has_one ? STR(",{\"name\":") : STR("{\"name\":"));
    o->has_one = true;
    write_text(o->out, name);
    buf_printf(o->out, ",\"kind\":%d,\"range\":", (int)kind);
    range_write(o->out, map, whole.lo, whole.hi, o->lsp->encoding);
    buf_add(o->out, STR(",\"selectionRange\":"));
    range_write(o->out, map, chosen.lo, chosen.hi, o->lsp->encoding);
    buf_add_char(o->out, '}');
}

/* The words of a rule up to its condition, on one line. */
static Str rule_name(const struct outline *o, const struct rule *rule)
{
    Str text = o->analysis->sources.items[rule->span.source].text;
    uint32_t hi = rule->when ? rule->when->span.lo : rule->span.hi;
    char name[NAME_BYTES_MAX];
    size_t n = 0;
    bool is_space = false;
    for (uint32_t i = rule->span.lo; i < hi && n + 2 < sizeof name; i++) {
        char ch = text.p[i];
        bool is_blank = ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t';
        if (!is_blank && is_space && n)
            name[n++] = ' ';
        if (!is_blank)
            name[n++] = ch;
        is_space = is_blank;
    }
    while (n > 0 && (unsigned char)name[n - 1] >= 0x80) /* a character that may be cut */
        n--;
    return arena_copy(&o->lsp->mem, (Str){ .p = name, .n = n });
}

enum lsp_error on_document_symbol(struct lsp *lsp, struct request *rq)
{
    struct document *document = request_document(lsp, rq);
    if (!document)
        return LSP_INVALID_PARAMS;
    struct outline o = { .lsp = lsp, .analysis = &document->analysis, .out = rq->out };
    const struct policy *policy = o.analysis->policy;
    buf_add_char(rq->out, '[');
    if (policy->span.hi)
        add_symbol(&o, policy->name, SYMBOL_MODULE, policy->span, policy->name_span);
    for (const struct import_decl *i = policy->imports; i; i = i->next)
        add_symbol(&o, i->path, SYMBOL_NAMESPACE, i->span, i->path_span);
    for (const struct server_decl *s = policy->servers; s; s = s->next)
        add_symbol(&o, s->alias, SYMBOL_NAMESPACE, s->span, s->alias_span);
    for (const struct let_decl *l = policy->lets; l; l = l->next)
        add_symbol(&o, l->name, SYMBOL_CONSTANT, l->span, l->name_span);
    for (const struct profile_decl *d = policy->profiles; d; d = d->next)
        add_symbol(&o, d->name, SYMBOL_MODULE, d->span, d->name_span);
    for (const struct rule *r = policy->rules; r; r = r->next)
        if (r->span.source == o.analysis->source)
            add_symbol(&o, rule_name(&o, r), SYMBOL_FUNCTION, r->span, r->span);
    for (const struct rule *r = policy->claims; r; r = r->next)
        if (r->span.source == o.analysis->source)
            add_symbol(&o, rule_name(&o, r), SYMBOL_EVENT, r->span, r->span);
    for (const struct test *t = policy->tests; t; t = t->next)
        add_symbol(&o, t->name, SYMBOL_EVENT, t->span, t->name_span);
    buf_add_char(rq->out, ']');
    return LSP_OK;
}
