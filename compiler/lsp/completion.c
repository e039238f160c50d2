/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - what could be typed next. Inside a string the clause decides, behind a dot the
 * value before it, elsewhere the parser itself is asked what it would take, so that a word of the
 * grammar is proposed where it may stand and nowhere else. */
#include "compiler/check/check.h"
#include "compiler/lsp/describe.h"
#include "compiler/lsp/lsp_internal.h"
#include "grammar/policy.h"
#include "runtime/bundle/kind.h"

/* CompletionItemKind of the protocol. */
enum item_kind {
    ITEM_FUNCTION = 3,
    ITEM_FIELD = 5,
    ITEM_VARIABLE = 6,
    ITEM_MODULE = 9,
    ITEM_VALUE = 12,
    ITEM_KEYWORD = 14,
    ITEM_CONSTANT = 21,
    ITEM_METHOD = 2,
};

enum { DETAIL_BYTES_MAX = 16 * 1024 };

struct completing {
    struct lsp *lsp;
    struct analysis *analysis;
    struct view view;
    struct buf *out;
    uint32_t lo, hi; /* the bytes that an item stands in for */
    bool is_quoted;  /* the place is inside a string */
    bool wants_quotes;
    uint32_t count;
};

/* ---------------------------------- items -------------------------------- */

static void write_new_text(struct completing *c, Str label)
{
    struct buf text;
    buf_init(&text, DETAIL_BYTES_MAX);
    if (c->wants_quotes)
        buf_add_char(&text, '"');
    for (size_t i = 0; i < label.n; i++) {
        if ((c->wants_quotes || c->is_quoted) && memchr("\"\\$", label.p[i], 3))
            buf_add_char(&text, '\\');
        buf_add_char(&text, label.p[i]);
    }
    if (c->wants_quotes)
        buf_add_char(&text, '"');
    write_text(c->out, buf_str(&text));
    buf_free(&text);
}

/* details: Markdown, may be empty. */
static void add_item(struct completing *c, Str label, enum item_kind kind, Str details)
{
    const struct line_map *map = analysis_map(c->analysis, c->analysis->source);
    if (!map || c->count == LSP_ITEMS_MAX)
        return;
    buf_add(c->out, c->count++ ? STR(",{\"label\":") : STR("{\"label\":"));
    write_text(c->out, label);
    buf_printf(c->out, ",\"kind\":%d,\"textEdit\":{\"range\":", (int)kind);
    range_write(c->out, map, c->lo, c->hi, c->lsp->encoding);
    buf_add(c->out, STR(",\"newText\":"));
    write_new_text(c, label);
    buf_add_char(c->out, '}');
    if (details.n) {
        buf_add(c->out, STR(",\"documentation\":{\"kind\":\"markdown\",\"value\":"));
        write_text(c->out, details);
        buf_add_char(c->out, '}');
    }
    buf_add_char(c->out, '}');
}

static void add_words(struct completing *c, const Str *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        add_item(c, words[i], ITEM_VALUE, STR(""));
}

static void add_tools(struct completing *c)
{
    const struct view_tool *tools;
    struct view whole = c->view;
    uint32_t count;
    struct buf text;
    /* The names that are there must not narrow what is proposed: only the servers do. */
    struct token *tokens = ARENA_NEW(c->view.mem, struct token, (size_t)whole.count);
    int kept = 0;
    for (int i = 0; tokens && i < whole.count; i++)
        if (whole.tokens[i].kind != TK_TOOL && whole.tokens[i].kind != TK_CALL)
            tokens[kept++] = whole.tokens[i];
    if (!tokens)
        return;
    whole.tokens = tokens;
    whole.count = kept;
    view_tools(&whole, &tools, &count);
    buf_init(&text, DETAIL_BYTES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        buf_clear(&text);
        describe_tool(&text, &tools[i], c->view.mem);
        add_item(c, tools[i].tool->name, ITEM_METHOD, text.is_full ? STR("") : buf_str(&text));
    }
    buf_free(&text);
}

static void add_servers(struct completing *c)
{
    for (const struct server_decl *s = c->analysis->policy->servers; s; s = s->next)
        add_item(c, s->alias, ITEM_MODULE, STR(""));
}

/* --------------------------------- members ------------------------------- */

/* Has an earlier schema of the meaning that key already? */
static bool is_repeated(const struct meaning *meaning, uint32_t before, Str key)
{
    for (uint32_t i = 0; i < before; i++)
        if (schema_member(meaning->schemas[i], key))
            return true;
    return false;
}

static void add_member(struct completing *c, const struct meaning *m, uint32_t from,
                       const struct schema_member *member)
{
    struct meaning all = { .kind = MEANING_SCHEMA };
    struct buf text;
    for (uint32_t i = from; i < m->count; i++) {
        const struct schema_member *here = schema_member(m->schemas[i], member->key);
        if (!here)
            continue;
        all.schemas[all.count] = here->schema;
        all.tools[all.count] = m->tools[i];
        all.is_required[all.count++] = here->is_required;
    }
    buf_init(&text, DETAIL_BYTES_MAX);
    describe_meaning(&text, member->key, &all, c->view.mem);
    bool was_quoting = c->wants_quotes;
    for (size_t i = 0; i < member->key.n; i++) { /* what is no plain word stands in quotes */
        char ch = member->key.p[i], low = char_lower(ch);
        bool is_letter = (low >= 'a' && low <= 'z') || ch == '_';
        c->wants_quotes |= !c->is_quoted && !is_letter && (i == 0 || ch < '0' || ch > '9');
    }
    add_item(c, member->key, ITEM_FIELD, text.is_full ? STR("") : buf_str(&text));
    c->wants_quotes = was_quoting;
    buf_free(&text);
}

static void add_root_members(struct completing *c, int word)
{
    static const int tokens[] = { [ROOT_PRINCIPAL] = TK_PRINCIPAL,
                                  [ROOT_GRANT] = TK_GRANT,
                                  [ROOT_CLIENT] = TK_CLIENT,
                                  [ROOT_CALL] = TK_CALL };
    enum field_root root;
    Str key;
    Type type;
    for (size_t i = 0; root_member_at(i, &root, &key, &type); i++)
        if ((size_t)root < COUNT(tokens) && tokens[root] == word)
            add_item(c, key, ITEM_FIELD, type_word(type));
}

/* The members of what ends with the token at i. */
static void add_members(struct completing *c, int i)
{
    struct meaning meaning;
    view_meaning(&c->view, i, &meaning);
    if (meaning.kind == MEANING_ROOT)
        add_root_members(c, c->view.tokens[meaning.root].kind);
    for (uint32_t s = 0; s < meaning.count; s++)
        for (uint32_t k = 0; k < meaning.schemas[s]->member_count; k++)
            if (!is_repeated(&meaning, s, meaning.schemas[s]->members[k].key))
                add_member(c, &meaning, s, &meaning.schemas[s]->members[k]);
}

/* ----------------------------- inside a string --------------------------- */

static bool is_comparison(int kind)
{
    return kind == TK_EQ || kind == TK_NE || kind == TK_IN;
}

/* The values that an enum has, where the string at i is compared with what has one. */
static void add_enum(struct completing *c, int i)
{
    struct meaning meaning;
    int at = i - 1;
    while (at >= 0 &&
           (c->view.tokens[at].kind == TK_STRING || c->view.tokens[at].kind == TK_COMMA ||
            c->view.tokens[at].kind == TK_LBRACE || c->view.tokens[at].kind == TK_LBRACK))
        at--;
    if (at < 1 || !is_comparison(c->view.tokens[at].kind))
        return;
    at -= c->view.tokens[at - 1].kind == TK_NOT ? 2 : 1;
    view_meaning(&c->view, at, &meaning);
    for (uint32_t s = 0; s < meaning.count; s++)
        for (uint32_t k = 0; k < meaning.schemas[s]->enum_count; k++) {
            bool is_known = false;
            for (uint32_t o = 0; o < s && !is_known; o++)
                for (uint32_t n = 0; n < meaning.schemas[o]->enum_count && !is_known; n++)
                    is_known = str_eq(meaning.schemas[o]->enum_strings[n],
                                      meaning.schemas[s]->enum_strings[k]);
            if (!is_known)
                add_item(c, meaning.schemas[s]->enum_strings[k], ITEM_VALUE, STR(""));
        }
}

/* i: the string, or where it would stand. */
static void complete_string(struct completing *c, int i, int clause)
{
    if (clause == TK_TOOL || (clause == TK_CALL && c->view.is_in_test))
        add_tools(c);
    else if (clause == TK_ON)
        add_servers(c);
    else if (i > 0 && c->view.tokens[i - 1].kind == TK_DOT)
        add_members(c, i - 2);
    else
        add_enum(c, i);
}

/* --------------------------------- words --------------------------------- */

static void add_keywords(struct completing *c, const bool *could)
{
    static const struct {
        Str word;
        int kind;
    } rows[] = {
#define KEYWORD(word, token) { STR_INIT(#word), TK_##token },
#define RESERVED(word)
#include "compiler/syntax/keyword.def"
#undef KEYWORD
#undef RESERVED
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *doc = keyword_doc(rows[i].word);
        if (could[rows[i].kind])
            add_item(c, rows[i].word, ITEM_KEYWORD, str_of(doc ? doc : ""));
    }
}

static void add_variables(struct completing *c)
{
    for (int i = 1; i + 1 < c->view.count && i <= c->view.before; i++)
        if (c->view.tokens[i].kind == TK_NAME &&
            view_variable(&c->view, c->view.tokens[i].text) == i)
            add_item(c, c->view.tokens[i].text, ITEM_VARIABLE, STR(""));
}

static void add_names(struct completing *c)
{
    struct buf text;
    buf_init(&text, DETAIL_BYTES_MAX);
    add_variables(c);
    for (const struct let_decl *l = c->analysis->policy->lets; l; l = l->next) {
        buf_clear(&text);
        describe_let(&text, c->analysis, l);
        add_item(c, l->name, ITEM_CONSTANT, buf_str(&text));
    }
    for (unsigned f = 0; f < FN_COUNT; f++) {
        buf_clear(&text);
        describe_function(&text, (enum function)f);
        add_item(c, function_table[f].word, ITEM_FUNCTION, buf_str(&text));
    }
    add_item(c, STR("length"), ITEM_FUNCTION, STR("**length**(x)"));
    buf_free(&text);
}

/* The clause that a word at the place would belong to: as if it stood there. */
static int clause_at(const struct completing *c, int last)
{
    if (last < 0)
        return 0;
    int kind = c->view.tokens[last].kind;
    if (kind == TK_COMMA && last > 0)
        return view_clause(&c->view, last - 1);
    return kind;
}

/* Behind the word that begins a rule, and behind a test's `call`. */
static bool is_kind_place(const struct completing *c, int last)
{
    return last >= 0 && last + 1 == view_subject(&c->view);
}

/* `tool` is a keyword besides. */
static void add_kinds(struct completing *c)
{
    for (unsigned i = 0; i < KIND_COUNT; i++)
        if (i != KIND_TOOL)
            add_item(c, kind_table[i].word, ITEM_KEYWORD, str_of(kind_table[i].doc));
}

static void complete_word(struct completing *c, int last)
{
    static const Str types[] = { STR_INIT("string"), STR_INIT("number"), STR_INIT("boolean") };
    bool could[POLICY_KINDS_MAX];
    int clause = clause_at(c, last);
    if (clause == TK_EFFECT)
        add_words(c, effect_words, TOOL_EFFECT_COUNT);
    else if (clause == TK_FLAG)
        add_words(c, flag_words, FLAG_COUNT);
    else if (clause == TK_ROLE)
        add_words(c, role_words, ROLE_COUNT);
    enum policy_block block = c->view.is_in_test
                                  ? (c->view.is_in_profile ? BLOCK_TEST_OF_PROFILE : BLOCK_TEST)
                                  : (c->view.is_in_profile ? BLOCK_PROFILE : BLOCK_NONE);
    if (c->count || !policy_could_follow(c->view.tokens, last + 1, block, c->view.mem, could))
        return;
    bool is_value = could[TK_LBRACK] && could[TK_NAME];
    bool is_type = c->view.count > 0 && c->view.tokens[0].kind == TK_PARAM &&
                   (clause == TK_COLON || clause == TK_OF);
    if (is_type)
        add_words(c, types, COUNT(types));
    if (is_kind_place(c, last))
        add_kinds(c);
    add_keywords(c, could);
    if (is_value)
        add_names(c);
    if (!could[TK_STRING])
        return;
    c->wants_quotes = true;
    complete_string(c, last + 1, clause);
}

/* Is the place between the quotes of the string at i? A string that is not closed ends on its line.
 */
static bool is_inside(const struct completing *c, int i, uint32_t offset)
{
    const struct token *token = &c->view.tokens[i];
    Str text = c->analysis->sources.items[c->analysis->source].text;
    if (token->kind != TK_STRING || offset <= token->span.lo)
        return false;
    bool is_closed = token->span.hi - token->span.lo >= 2 && text.p[token->span.hi - 1] == '"';
    return offset < token->span.hi || (offset == token->span.hi && !is_closed);
}

static void complete(struct completing *c, uint32_t offset)
{
    int at = c->view.at;
    c->lo = c->hi = offset;
    if (at != VIEW_NONE && is_inside(c, at, offset)) {
        const Span *span = &c->view.tokens[at].span;
        Str text = c->analysis->sources.items[c->analysis->source].text;
        bool is_closed = text.p[span->hi - 1] == '"' && span->hi - span->lo >= 2;
        c->is_quoted = true;
        c->lo = span->lo + 1;
        c->hi = is_closed ? span->hi - 1 : offset;
        complete_string(c, at, view_clause(&c->view, at));
        return;
    }
    int last = c->view.before;
    bool is_typing = at != VIEW_NONE && c->view.tokens[at].span.lo < offset &&
                     (c->view.tokens[at].kind == TK_NAME ||
                      keyword_kind(c->view.tokens[at].text) != 0 || !view_is_word(&c->view, at));
    if (is_typing) {
        c->lo = c->view.tokens[at].span.lo;
        c->hi = c->view.tokens[at].span.hi;
        last = at - 1;
    }
    if (last >= 0 && c->view.tokens[last].kind == TK_DOT)
        add_members(c, last - 1);
    else if (at == VIEW_NONE || is_typing || c->view.tokens[at].span.hi <= offset ||
             c->view.tokens[at].span.lo >= offset)
        complete_word(c, last);
}

/* Nothing is proposed in a comment. */
static bool is_in_comment(const struct policy *policy, uint32_t offset)
{
    for (const struct comment *c = policy->comments; c; c = c->next)
        if (c->span.source == policy->source && c->span.lo < offset && offset <= c->span.hi)
            return true;
    return false;
}

enum lsp_error on_completion(struct lsp *lsp, struct request *rq)
{
    uint32_t offset;
    struct document *document = request_place(lsp, rq, &offset);
    struct completing c = { .lsp = lsp, .out = rq->out };
    if (!document)
        return LSP_INVALID_PARAMS;
    c.analysis = &document->analysis;
    buf_add(rq->out, STR("{\"isIncomplete\":false,\"items\":["));
    if (!is_in_comment(c.analysis->policy, offset) &&
        view_open(c.analysis, offset, &lsp->mem, &c.view))
        complete(&c, offset);
    buf_add(rq->out, STR("]}"));
    return LSP_OK;
}
