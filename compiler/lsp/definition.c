/* SPDX-License-Identifier: Apache-2.0 */
/* definition.c - where what is named is said: a constant, a variable, a server, an imported file, a
 * tool in its snapshot. */
#include "compiler/lsp/lsp_internal.h"
#include "compiler/lsp/view.h"
#include "grammar/policy.h"

struct defining {
    struct lsp *lsp;
    struct analysis *analysis;
    struct view view;
    struct buf *out;
};

static bool define_let(struct defining *d, Str name)
{
    for (const struct let_decl *l = d->analysis->policy->lets; l; l = l->next) {
        if (!str_eq(l->name, name))
            continue;
        write_location(d->lsp, d->out, d->analysis, l->name_span);
        return true;
    }
    return false;
}

static bool define_server(struct defining *d, Str alias)
{
    for (const struct server_decl *s = d->analysis->policy->servers; s; s = s->next) {
        if (!str_eq(s->alias, alias))
            continue;
        write_location(d->lsp, d->out, d->analysis, s->alias_span);
        return true;
    }
    return false;
}

/* A place in a file that is no source: its line, from the bytes before it. */
static void write_file_place(struct defining *d, Str path, Str text, uint32_t offset)
{
    struct line_map map;
    uint32_t end = offset < text.n ? offset + 1 : offset;
    buf_add(d->out, STR("{\"uri\":"));
    write_uri(d->lsp, d->out, path);
    buf_add(d->out, STR(",\"range\":"));
    if (!line_map_init(&map, text, d->view.mem))
        offset = end = 0;
    range_write(d->out, &map, offset, end, d->lsp->encoding);
    buf_add_char(d->out, '}');
}

/* A file that a statement of the document names. */
static bool define_file(struct defining *d, Str path)
{
    Str own = d->analysis->sources.items[d->analysis->source].path;
    write_file_place(d, path_beside(path, own, d->view.mem), STR(""), 0);
    return true;
}

static bool define_tool(struct defining *d, Str name)
{
    const struct view_tool *tools;
    uint32_t count;
    view_tools(&d->view, &tools, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!str_eq(tools[i].tool->name, name))
            continue;
        const struct server_decl *server = tools[i].server;
        const struct json_doc *doc = &server->snapshot->doc;
        uint32_t node = json_member(doc, tools[i].tool->node, STR("name"));
        Str own = d->analysis->sources.items[server->span.source].path;
        write_file_place(d, path_beside(server->tools_path, own, d->view.mem), doc->text,
                         json_at(doc, node)->raw);
        return true;
    }
    return false;
}

static bool define_string(struct defining *d, int i)
{
    Str text = d->view.tokens[i].text;
    switch (view_clause(&d->view, i)) {
    case TK_IMPORT:
    case TK_TOOLS:
    case TK_CLASSES: return define_file(d, text);
    case TK_TOOL:
    case TK_CALL: return define_tool(d, text);
    case TK_ON:
    case TK_SERVER: return define_server(d, text);
    default: return false;
    }
}

static bool define(struct defining *d)
{
    int i = d->view.at;
    if (i == VIEW_NONE || !view_is_word(&d->view, i))
        return false;
    const struct token *token = &d->view.tokens[i];
    if (token->kind == TK_STRING)
        return define_string(d, i);
    if (token->kind != TK_NAME)
        return false;
    int declared = view_variable(&d->view, token->text);
    if (declared == VIEW_NONE)
        return define_let(d, token->text);
    write_location(d->lsp, d->out, d->analysis, d->view.tokens[declared].span);
    return true;
}

enum lsp_error on_definition(struct lsp *lsp, struct request *rq)
{
    uint32_t offset;
    struct document *document = request_place(lsp, rq, &offset);
    struct defining d = { .lsp = lsp, .out = rq->out };
    if (!document)
        return LSP_INVALID_PARAMS;
    d.analysis = &document->analysis;
    if (!view_open(d.analysis, offset, &lsp->mem, &d.view) || !define(&d))
        buf_add(rq->out, STR("null"));
    return LSP_OK;
}
