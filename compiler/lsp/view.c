/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - lexes a source once more and keeps the statement that is asked about. The lexer reports
 * to nobody: what is wrong has been said by the analysis. */
#include "compiler/lsp/view.h"

#include "grammar/policy.h"

struct collector {
    struct token *tokens;
    int count, capacity;
    struct arena *mem;
};

static bool keep(struct collector *c, const struct token *token)
{
    enum { FIRST = 64 };
    if (c->count == c->capacity) {
        int capacity = c->capacity ? c->capacity * 2 : FIRST;
        struct token *more = ARENA_NEW(c->mem, struct token, (size_t)capacity);
        if (!more)
            return false;
        if (c->count)
            memcpy(more, c->tokens, (size_t)c->count * sizeof *more);
        c->tokens = more;
        c->capacity = capacity;
    }
    c->tokens[c->count++] = *token;
    return true;
}

struct unheard { /* what a lexer needs and nobody reads */
    struct diags diags;
    struct policy policy;
};

static bool begin(struct lexer *lx, const struct sources *sources, uint32_t source,
                  struct arena *mem)
{
    struct unheard *unheard = ARENA_NEW(mem, struct unheard, 1);
    if (!unheard)
        return false;
    diags_init(&unheard->diags, mem);
    lexer_init(lx, sources, source, mem, &unheard->diags, &unheard->policy);
    return true;
}

bool view_tokens(const struct sources *sources, uint32_t source, struct arena *mem,
                 const struct token **tokens, int *count)
{
    struct lexer lx;
    struct collector c = { .mem = mem };
    if (!begin(&lx, sources, source, mem))
        return false;
    bool is_good = lexer_check_bytes(&lx);
    while (is_good) {
        struct token token = lexer_next(&lx);
        if (!token.kind)
            break;
        is_good = !lx.is_out_of_memory && keep(&c, &token);
    }
    lexer_free(&lx);
    *tokens = c.tokens;
    *count = c.count;
    return is_good;
}

bool view_is_effect(const struct token *tokens, int count, int i)
{
    int kind = i >= 0 && i < count ? tokens[i].kind : 0, before = i == 1 ? tokens[0].kind : 0;
    bool is_first = i == 0 || before == TK_NEVER || before == TK_ALWAYS;
    return is_first && (kind == TK_ALLOW || kind == TK_DENY || kind == TK_ASK);
}

int view_subject(const struct view *view)
{
    for (int i = 0; i < 2; i++)
        if (view_is_effect(view->tokens, view->count, i))
            return i + 1;
    return view->count > 0 && view->tokens[0].kind == TK_CALL ? 1 : VIEW_NONE;
}

/* Does a token that begins a line begin a statement, whatever stands before it? A `let` that is
 * indented below a rule is that rule's. */
static bool begins_statement(const struct lexer *lx, const struct collector *c,
                             const struct token *token)
{
    int first = c->tokens[0].kind;
    bool is_rule =
        view_is_effect(c->tokens, c->count, 0) || first == TK_NEVER || first == TK_ALWAYS;
    bool is_indented = token->span.lo > 0 && lx->begin[token->span.lo - 1] != '\n';
    if (token->kind == TK_LET && is_rule && is_indented)
        return false;
    static const int words[] = { TK_POLICY, TK_IMPORT, TK_SERVER, TK_LET,    TK_PARAM,  TK_DEFAULT,
                                 TK_ALLOW,  TK_DENY,   TK_ASK,    TK_NEVER,  TK_ALWAYS, TK_TEST,
                                 TK_AS,     TK_CALL,   TK_EXPECT, TK_PROFILE };
    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i] == token->kind)
            return lexer_is_line_start(lx, token->span.lo);
    return false;
}

/* A statement ends with the token. */
static bool ends_statement(const struct collector *c, int kind)
{
    bool is_block = c->tokens[0].kind == TK_TEST || c->tokens[0].kind == TK_PROFILE;
    return kind == TK_SEMI || (is_block && kind == TK_LBRACE) ||
           (kind == TK_RBRACE && c->count == 1);
}

/* The statement has ended: which blocks are open behind it? A test may stand in a profile. */
static void enter_or_leave(struct view *view, const struct collector *c, int kind)
{
    int first = c->tokens[0].kind;
    if (kind == TK_LBRACE && first == TK_TEST)
        view->is_in_test = true;
    else if (kind == TK_LBRACE && first == TK_PROFILE)
        view->is_in_profile = true;
    else if (kind == TK_RBRACE && view->is_in_test)
        view->is_in_test = false;
    else if (kind == TK_RBRACE)
        view->is_in_profile = false;
}

static void place(struct view *view)
{
    view->at = view->before = VIEW_NONE;
    for (int i = 0; i < view->count; i++) {
        const Span *span = &view->tokens[i].span;
        if (span->lo == span->hi) /* the end of a string that nobody closed */
            continue;
        if (span->hi <= view->offset)
            view->before = i;
        if (span->lo <= view->offset && view->offset <= span->hi)
            view->at = i;
    }
    /* Between two tokens that touch, a word counts rather than the mark beside it. */
    int at = view->at;
    if (at > 0 && view->tokens[at].span.lo == view->offset &&
        view->tokens[at - 1].span.hi == view->offset && str_byte(view->tokens[at].text, 0) < 'A')
        view->at = at - 1;
}

bool view_open(struct analysis *analysis, uint32_t offset, struct arena *mem, struct view *out)
{
    struct lexer lx;
    struct collector c = { .mem = mem };
    bool is_done = false;
    *out = (struct view){ .analysis = analysis, .mem = mem, .offset = offset };
    if (!begin(&lx, &analysis->sources, analysis->source, mem))
        return false;
    bool is_good = lexer_check_bytes(&lx);
    while (is_good && !is_done) {
        struct token token = lexer_next(&lx);
        bool is_behind = !token.kind || token.span.lo > offset;
        if (c.count && begins_statement(&lx, &c, &token)) {
            is_done = is_behind;
            c.count = is_done ? c.count : 0;
        }
        if (!token.kind || is_done)
            break;
        is_good = !lx.is_out_of_memory && keep(&c, &token);
        if (!is_good || !ends_statement(&c, token.kind))
            continue;
        is_done = token.span.hi > offset;
        if (is_done)
            break;
        enter_or_leave(out, &c, token.kind);
        c.count = 0;
    }
    lexer_free(&lx);
    out->tokens = c.tokens;
    out->count = c.count;
    place(out);
    return is_good;
}

bool view_is_word(const struct view *view, int i)
{
    return i == 0 || view->tokens[i - 1].kind != TK_DOT;
}

int view_clause(const struct view *view, int i)
{
    int kind = view->tokens[i].kind;
    bool is_item = true; /* the token at hand is an item, not a comma */
    for (; i >= 0; i--) {
        int here = view->tokens[i].kind;
        if (is_item && here != kind && here != TK_STRING && here != TK_NAME)
            return here;
        if (!is_item && here != TK_COMMA)
            return here;
        is_item = !is_item;
    }
    return 0;
}

/* --------------------------------- scope -------------------------------- */

static bool is_in_clause(const struct view *view, int clause, Str text, bool *has_clause)
{
    bool is_found = false;
    for (int i = 0; i < view->count; i++) {
        if (view->tokens[i].kind != clause || !view_is_word(view, i))
            continue;
        *has_clause = true;
        for (int k = i + 1; k < view->count; k++) {
            int kind = view->tokens[k].kind;
            is_found |= kind == TK_STRING && str_eq(view->tokens[k].text, text);
            if (kind != TK_STRING && kind != TK_COMMA)
                break;
        }
        return is_found;
    }
    return false;
}

bool view_covers(const struct view *view, Str alias)
{
    bool has_clause = false;
    bool is_named = is_in_clause(view, TK_ON, alias, &has_clause);
    return is_named || !has_clause;
}
