/* SPDX-License-Identifier: Apache-2.0 */
/* rename.c - all places that name a constant: in the document, in what it imports, and in every
 * policy that is open or lies in the workspace and shares a file with them. A variable is its
 * statement's own. */
#include "compiler/lsp/lsp_internal.h"
#include "compiler/lsp/view.h"
#include "compiler/lsp/workspace.h"
#include "grammar/policy.h"

enum { RENAME_FILES_MAX = 512 };

struct renaming {
    struct lsp *lsp;
    struct document *document;
    struct view view;
    Str name;
    Span span;        /* of the name at the place */
    bool is_variable; /* of a quantifier */
};

/* --------------------------------- the name ------------------------------ */

/* A NAME that can be a constant or a variable: no function, no word of a class or a type. */
static bool is_reference(const struct token *tokens, int count, int i)
{
    struct view all = { .tokens = tokens, .count = count };
    if (tokens[i].kind != TK_NAME || !view_is_word(&all, i) ||
        (i + 1 < count && tokens[i + 1].kind == TK_LPAREN))
        return false;
    int before = i > 0 ? tokens[i - 1].kind : 0;
    if (before == TK_ALLOW || before == TK_DENY || before == TK_ASK || before == TK_CALL)
        return false; /* a kind of message */
    if (i > 0 &&
        (before == TK_OF || (before == TK_COLON && i > 2 && tokens[i - 3].kind == TK_PARAM)))
        return false;
    int clause = view_clause(&all, i);
    return clause != TK_EFFECT && clause != TK_FLAG && clause != TK_ROLE;
}

static bool find_name(struct renaming *r, uint32_t offset)
{
    struct analysis *a = &r->document->analysis;
    if (!view_open(a, offset, &r->lsp->mem, &r->view) || r->view.at == VIEW_NONE)
        return false;
    int i = r->view.at;
    if (!is_reference(r->view.tokens, r->view.count, i))
        return false;
    r->name = r->view.tokens[i].text;
    r->span = r->view.tokens[i].span;
    r->is_variable = view_variable(&r->view, r->name) != VIEW_NONE;
    const struct let_decl *l = a->policy->lets;
    while (l && !str_eq(l->name, r->name))
        l = l->next;
    return r->is_variable || l;
}

/* NULL when the text can be a name: one that the lexer takes as such. */
static const char *judge_new_name(const struct renaming *r, Str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i], low = char_lower(ch);
        bool is_letter = (low >= 'a' && low <= 'z') || ch == '_';
        if (!is_letter && (i == 0 || ch < '0' || ch > '9'))
            return "a name is letters, digits and '_', no digit first";
    }
    if (!name.n)
        return "a name is letters, digits and '_', no digit first";
    if (keyword_kind(name))
        return "that is a keyword, or reserved for one";
    if (view_variable(&r->view, name) != VIEW_NONE)
        return "that name has a meaning in the statement already";
    for (const struct let_decl *l = r->document->analysis.policy->lets; l; l = l->next)
        if (str_eq(l->name, name))
            return "that name has a meaning already";
    return NULL;
}

/* --------------------------------- places -------------------------------- */

/* How a place is written: an edit, or a location. */
struct places {
    struct renaming *r;
    struct buf *out;
    const Str *new_name; /* NULL: locations */
    Str seen[RENAME_FILES_MAX];
    uint32_t seen_count;
    bool has_file, has_place;
};

static void write_place(struct places *p, struct buf *out, struct analysis *a, Span span)
{
    if (!p->new_name) {
        buf_add(out, p->has_place ? STR(",") : STR(""));
        write_location(p->r->lsp, out, a, span);
        p->has_place = true;
        return;
    }
    const struct line_map *map = analysis_map(a, span.source);
    if (!map)
        return;
    buf_add(out, p->has_place ? STR(",{\"range\":") : STR("{\"range\":"));
    range_write(out, map, span.lo, span.hi, p->r->lsp->encoding);
    buf_add(out, STR(",\"newText\":"));
    write_text(out, *p->new_name);
    buf_add_char(out, '}');
    p->has_place = true;
}

static void begin_file(struct places *p, struct analysis *a, uint32_t source)
{
    if (!p->new_name)
        return;
    buf_add(p->out, p->has_file ? STR(",") : STR(""));
    write_uri(p->r->lsp, p->out, a->sources.items[source].path);
    buf_add(p->out, STR(":["));
    p->has_file = true;
    p->has_place = false;
}

/* Each file once, by its real path. False: seen, or too many. */
static bool see(struct places *p, Str real)
{
    for (uint32_t i = 0; i < p->seen_count; i++)
        if (str_eq(p->seen[i], real))
            return false;
    if (p->seen_count == RENAME_FILES_MAX)
        return false;
    p->seen[p->seen_count++] = real;
    return true;
}

static void add_source(struct places *p, struct analysis *a, uint32_t source)
{
    const struct token *tokens;
    int count;
    bool is_begun = false;
    struct arena *mem = &p->r->lsp->mem;
    if (!see(p, path_real(a->sources.items[source].path, mem)) ||
        !view_tokens(&a->sources, source, mem, &tokens, &count))
        return;
    for (int i = 0; i < count; i++) {
        if (!str_eq(tokens[i].text, p->r->name) || !is_reference(tokens, count, i))
            continue;
        if (!is_begun)
            begin_file(p, a, source);
        is_begun = true;
        write_place(p, p->out, a, tokens[i].span);
    }
    if (is_begun && p->new_name)
        buf_add_char(p->out, ']');
}

static void add_analysis(void *user, struct analysis *analysis)
{
    struct places *p = user;
    for (uint32_t i = 0; i < analysis->sources.count; i++)
        add_source(p, analysis, i);
}

static void add_variable(struct places *p)
{
    const struct view *view = &p->r->view;
    struct analysis *a = &p->r->document->analysis;
    begin_file(p, a, a->source);
    for (int i = 0; i < view->count; i++)
        if (str_eq(view->tokens[i].text, p->r->name) && is_reference(view->tokens, view->count, i))
            write_place(p, p->out, a, view->tokens[i].span);
    if (p->new_name)
        buf_add_char(p->out, ']');
}

static bool write_places(struct renaming *r, struct buf *out, const Str *new_name)
{
    struct places *p = ARENA_NEW(&r->lsp->mem, struct places, 1);
    if (!p)
        return false;
    *p = (struct places){ .r = r, .out = out, .new_name = new_name };
    if (r->is_variable)
        add_variable(p);
    else
        workspace_relatives(r->lsp, r->document, add_analysis, p);
    return true;
}

/* -------------------------------- requests ------------------------------- */

enum lsp_error on_prepare_rename(struct lsp *lsp, struct request *rq)
{
    uint32_t offset;
    struct renaming r = { .lsp = lsp, .document = request_place(lsp, rq, &offset) };
    if (!r.document)
        return LSP_INVALID_PARAMS;
    if (!find_name(&r, offset)) {
        buf_add(rq->out, STR("null"));
        return LSP_OK;
    }
    struct analysis *a = &r.document->analysis;
    range_write(rq->out, analysis_map(a, a->source), r.span.lo, r.span.hi, lsp->encoding);
    return LSP_OK;
}

enum lsp_error on_rename(struct lsp *lsp, struct request *rq)
{
    uint32_t offset;
    struct renaming r = { .lsp = lsp, .document = request_place(lsp, rq, &offset) };
    Str name = json_member_string(rq->doc, rq->params, STR("newName"));
    if (!r.document)
        return LSP_INVALID_PARAMS;
    rq->why = "only constants, params and variables are renamed";
    if (!find_name(&r, offset))
        return LSP_REQUEST_FAILED;
    rq->why = str_eq(name, r.name) ? NULL : judge_new_name(&r, name);
    if (rq->why)
        return LSP_REQUEST_FAILED;
    buf_add(rq->out, STR("{\"changes\":{"));
    if (!write_places(&r, rq->out, &name))
        return LSP_REQUEST_FAILED;
    buf_add(rq->out, STR("}}"));
    return LSP_OK;
}

enum lsp_error on_references(struct lsp *lsp, struct request *rq)
{
    uint32_t offset;
    struct renaming r = { .lsp = lsp, .document = request_place(lsp, rq, &offset) };
    if (!r.document)
        return LSP_INVALID_PARAMS;
    buf_add_char(rq->out, '[');
    if (find_name(&r, offset) && !write_places(&r, rq->out, NULL))
        return LSP_REQUEST_FAILED;
    buf_add_char(rq->out, ']');
    return LSP_OK;
}
