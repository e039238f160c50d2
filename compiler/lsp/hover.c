/* SPDX-License-Identifier: Apache-2.0 */
/* hover.c - what the word under the cursor means here, and what is wrong at it. */
#include "compiler/check/check.h"
#include "compiler/lsp/describe.h"
#include "compiler/lsp/lsp_internal.h"
#include "grammar/policy.h"
#include "runtime/bundle/kind.h"

enum { HOVER_BYTES_MAX = 64 * 1024 };

struct hovering {
    struct lsp *lsp;
    struct analysis *analysis;
    struct view view;
    struct buf text;
};

static const struct let_decl *find_let(const struct policy *policy, Str name)
{
    const struct let_decl *let = policy->lets;
    while (let && !str_eq(let->name, name))
        let = let->next;
    return let;
}

/* A member of principal and its like. */
static bool hover_root(struct hovering *h, int i)
{
    static const int tokens[] = { [ROOT_PRINCIPAL] = TK_PRINCIPAL,
                                  [ROOT_GRANT] = TK_GRANT,
                                  [ROOT_CLIENT] = TK_CLIENT,
                                  [ROOT_CALL] = TK_CALL };
    enum field_root root;
    Str key;
    Type type;
    for (size_t k = 0; root_member_at(k, &root, &key, &type); k++) {
        bool is_root = (size_t)root < COUNT(tokens) && tokens[root] == h->view.tokens[i - 2].kind;
        if (!is_root || !str_eq(key, h->view.tokens[i].text))
            continue;
        buf_printf(&h->text, "`%.*s.%.*s`: %.*s", STR_ARG(h->view.tokens[i - 2].text), STR_ARG(key),
                   STR_ARG(type_word(type)));
        return true;
    }
    return false;
}

static void hover_meaning(struct hovering *h, int i)
{
    struct meaning meaning;
    view_meaning(&h->view, i, &meaning);
    if (meaning.kind == MEANING_SCHEMA)
        describe_meaning(&h->text, h->view.tokens[i].text, &meaning, h->view.mem);
}

static bool hover_function(struct hovering *h, int i)
{
    if (i + 1 >= h->view.count || h->view.tokens[i + 1].kind != TK_LPAREN)
        return false;
    for (unsigned f = 0; f < FN_COUNT; f++) {
        if (!str_eq(function_table[f].word, h->view.tokens[i].text))
            continue;
        describe_function(&h->text, (enum function)f);
        return true;
    }
    return false;
}

static void hover_name(struct hovering *h, int i)
{
    const struct token *token = &h->view.tokens[i];
    if (!view_is_word(&h->view, i)) {
        if (i < 2 || !hover_root(h, i))
            hover_meaning(h, i);
        return;
    }
    const struct let_decl *let = find_let(h->analysis->policy, token->text);
    enum message_kind kind = i == 1 ? kind_of_word(token->text) : KIND_COUNT;
    if (kind != KIND_COUNT) {
        buf_printf(&h->text, "**%.*s**: %s", STR_ARG(token->text), kind_table[kind].doc);
        return;
    }
    if (hover_function(h, i) ||
        describe_class_word(&h->text, view_clause(&h->view, i), token->text))
        return;
    int declared = view_variable(&h->view, token->text);
    if (declared != VIEW_NONE) {
        struct meaning meaning;
        int use = h->view.count - 1; /* behind the declaration */
        while (use > declared && !(h->view.tokens[use].kind == TK_NAME &&
                                   str_eq(h->view.tokens[use].text, token->text)))
            use--;
        view_meaning(&h->view, use, &meaning);
        buf_add(&h->text, STR("**variable** "));
        describe_meaning(&h->text, token->text, &meaning, h->view.mem);
    } else if (let) {
        describe_let(&h->text, h->analysis, let);
    }
}

static void hover_server(struct hovering *h, Str alias)
{
    const struct server_decl *s = h->analysis->policy->servers;
    while (s && !str_eq(s->alias, alias))
        s = s->next;
    if (!s)
        return;
    buf_printf(&h->text, "**server** `%.*s`", STR_ARG(s->alias));
    if (s->snapshot)
        buf_printf(&h->text, ": %u pinned tools in `%.*s`%s", s->snapshot->tool_count,
                   STR_ARG(s->tools_path), s->is_open ? ", open for more" : "");
    else
        buf_add(&h->text, STR(": its tools are not pinned"));
}

static void hover_tool(struct hovering *h, Str name)
{
    enum { SHOWN_MAX = 3 };
    const struct view_tool *tools;
    uint32_t count, shown = 0;
    view_tools(&h->view, &tools, &count);
    for (uint32_t i = 0; i < count && shown < SHOWN_MAX; i++) {
        if (!str_eq(tools[i].tool->name, name))
            continue;
        buf_add(&h->text, shown++ ? STR("\n\n---\n\n") : STR(""));
        describe_tool(&h->text, &tools[i], h->view.mem);
    }
}

static void hover_string(struct hovering *h, int i)
{
    int clause = view_clause(&h->view, i);
    Str text = h->view.tokens[i].text;
    if (!view_is_word(&h->view, i))
        hover_meaning(h, i);
    else if (clause == TK_TOOL || clause == TK_CALL)
        hover_tool(h, text);
    else if (clause == TK_ON || clause == TK_SERVER)
        hover_server(h, text);
}

static void hover_token(struct hovering *h)
{
    int i = h->view.at;
    if (i == VIEW_NONE)
        return;
    const struct token *token = &h->view.tokens[i];
    const char *doc = view_is_word(&h->view, i) ? keyword_doc(token->text) : NULL;
    if (token->kind == TK_STRING)
        hover_string(h, i);
    else if (token->kind == TK_NAME)
        hover_name(h, i);
    else if (doc && keyword_kind(token->text) == token->kind)
        buf_printf(&h->text, "**%.*s**: %s", STR_ARG(token->text), doc);
}

static void hover_findings(struct hovering *h)
{
    for (uint32_t i = 0; i < h->analysis->diags.count; i++) {
        const struct diag *diag = &h->analysis->diags.items[i];
        if (diag->span.source != h->analysis->source || h->view.offset < diag->span.lo ||
            h->view.offset > diag->span.hi)
            continue;
        buf_add(&h->text, h->text.n ? STR("\n\n---\n\n**") : STR("**"));
        diag_code(&h->text, diag);
        buf_printf(&h->text, "**: %s", diag_explanation(diag->id));
    }
}

enum lsp_error on_hover(struct lsp *lsp, struct request *rq)
{
    uint32_t offset;
    struct document *document = request_place(lsp, rq, &offset);
    struct hovering h = { .lsp = lsp };
    if (!document)
        return LSP_INVALID_PARAMS;
    h.analysis = &document->analysis;
    buf_init(&h.text, HOVER_BYTES_MAX);
    if (view_open(h.analysis, offset, &lsp->mem, &h.view))
        hover_token(&h);
    h.view.offset = offset;
    hover_findings(&h);
    if (h.text.n) {
        buf_add(rq->out, STR("{\"contents\":{\"kind\":\"markdown\",\"value\":"));
        write_text(rq->out, buf_str(&h.text));
        buf_add(rq->out, STR("}}"));
    } else {
        buf_add(rq->out, STR("null"));
    }
    buf_free(&h.text);
    return LSP_OK;
}
