/* SPDX-License-Identifier: Apache-2.0 */
/* view_meaning.c - which tools a statement is about and what a value in it looks like, read from
 * its tokens backwards: a dot asks what stands before it. */
#include "compiler/check/check.h"
#include "compiler/lsp/view.h"
#include "compiler/pattern/automaton.h"
#include "grammar/policy.h"

enum { MEANING_DEPTH_MAX = 64, SCRATCH_BYTES_MAX = 64 << 20 };

/* --------------------------------- tools -------------------------------- */

struct tool_list {
    struct view_tool *items;
    uint32_t count, capacity;
};

/* The strings of the statement's `tool` or `call`. */
static uint32_t tool_names(const struct view *view, Str *names, uint32_t max)
{
    uint32_t count = 0;
    for (int i = 0; i < view->count; i++) {
        int clause = view->tokens[i].kind == TK_STRING ? view_clause(view, i) : 0;
        bool is_name = clause == TK_TOOL || (clause == TK_CALL && view->tokens[0].kind == TK_CALL);
        if (is_name && count < max && view->tokens[i].text.n)
            names[count++] = view->tokens[i].text;
    }
    return count;
}

/* A rule or call of another kind of message is about no tools. */
static bool is_about_tools(const struct view *view)
{
    int subject = view_subject(view);
    return subject == VIEW_NONE || subject >= view->count || view->tokens[subject].kind != TK_NAME;
}

static void add_tools(const struct server_decl *server, const struct automaton *names,
                      struct tool_list *list)
{
    for (uint32_t i = 0; i < server->snapshot->tool_count && list->count < list->capacity; i++) {
        const struct pinned_tool *tool = &server->snapshot->tools[i];
        if (!names || automaton_run(names, tool->name))
            list->items[list->count++] = (struct view_tool){ .server = server, .tool = tool };
    }
}

void view_tools(const struct view *view, const struct view_tool **tools, uint32_t *count)
{
    enum { NAMES_MAX = 256 };
    Str names[NAMES_MAX];
    struct automaton automaton;
    struct automaton_error error;
    struct arena scratch;
    struct tool_list list = { .count = 0 };
    const struct server_decl *servers = view->analysis->policy->servers;
    uint32_t named = tool_names(view, names, NAMES_MAX);
    for (const struct server_decl *s = servers; s; s = s->next)
        list.capacity += s->snapshot ? s->snapshot->tool_count : 0;
    list.items = ARENA_NEW(view->mem, struct view_tool, list.capacity);
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    bool is_good = list.items && is_about_tools(view) &&
                   (!named || automaton_build(names, named, AUTOMATON_TOOL, &scratch, &automaton,
                                              &error) == ST_OK);
    for (const struct server_decl *s = servers; s && is_good; s = s->next)
        if (s->snapshot && view_covers(view, s->alias))
            add_tools(s, named ? &automaton : NULL, &list);
    arena_reset(&scratch);
    *tools = list.items;
    *count = list.count;
}

/* -------------------------------- values -------------------------------- */

static void resolve(const struct view *view, int i, struct meaning *out, uint32_t depth);

static void add_schema(struct meaning *m, const struct schema *schema,
                       const struct pinned_tool *tool, bool is_required)
{
    if (!schema || m->count == VIEW_SCHEMAS_MAX)
        return;
    m->kind = MEANING_SCHEMA;
    m->schemas[m->count] = schema;
    m->tools[m->count] = tool;
    m->is_required[m->count++] = is_required;
}

static void resolve_args(const struct view *view, struct meaning *out)
{
    const struct view_tool *tools;
    uint32_t count;
    view_tools(view, &tools, &count);
    for (uint32_t i = 0; i < count; i++)
        add_schema(out, tools[i].tool->arguments, tools[i].tool, true);
}

/* The members of that name of all that is meant. */
static void step_member(struct meaning *m, Str key)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct schema_member *member = schema_member(m->schemas[i], key);
        if (!member)
            continue;
        m->schemas[kept] = member->schema;
        m->tools[kept] = m->tools[i];
        m->is_required[kept++] = m->is_required[i] && member->is_required;
    }
    m->count = kept;
    m->kind = kept ? MEANING_SCHEMA : MEANING_NONE;
}

static void step_element(struct meaning *m)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        if (!m->schemas[i]->items)
            continue;
        m->schemas[kept] = m->schemas[i]->items;
        m->tools[kept] = m->tools[i];
        m->is_required[kept++] = true;
    }
    m->count = kept;
    m->kind = kept ? MEANING_SCHEMA : MEANING_NONE;
}

static int matching_open(const struct view *view, int i, int open, int close)
{
    uint32_t depth = 0;
    for (; i >= 0; i--) {
        depth += view->tokens[i].kind == close;
        if (view->tokens[i].kind == open && --depth == 0)
            return i;
    }
    return VIEW_NONE;
}

static void resolve_call(const struct view *view, int close, struct meaning *out)
{
    int open = matching_open(view, close, TK_LPAREN, TK_RPAREN);
    if (open < 1 || view->tokens[open - 1].kind != TK_NAME)
        return;
    for (unsigned f = 0; f < FN_COUNT; f++)
        if (str_eq(function_table[f].word, view->tokens[open - 1].text))
            add_schema(out, function_schema((enum function)f, view->mem), NULL, true);
}

/* any NAME in LIST: what an element of the list is. With `[]` in it the list is gone through
 * already. */
static void resolve_variable(const struct view *view, int declared, struct meaning *out,
                             uint32_t depth)
{
    int colon = declared + 2;
    bool has_each = false;
    while (colon < view->count && view->tokens[colon].kind != TK_COLON) {
        has_each |=
            view->tokens[colon].kind == TK_RBRACK && view->tokens[colon - 1].kind == TK_LBRACK;
        colon++;
    }
    resolve(view, colon - 1, out, depth + 1);
    if (!has_each)
        step_element(out);
}

static bool opens(int kind)
{
    return kind == TK_LPAREN || kind == TK_LBRACK || kind == TK_LBRACE;
}

static bool closes(int kind)
{
    return kind == TK_RPAREN || kind == TK_RBRACK || kind == TK_RBRACE;
}

/* Outside of brackets: a part of a value that is read out of another. */
static bool is_link(int kind)
{
    return kind == TK_NAME || kind == TK_DOT || kind == TK_STRING || kind == TK_ARGS ||
           kind == TK_PRINCIPAL || kind == TK_GRANT || kind == TK_CLIENT || kind == TK_CALL;
}

/* NAME = VALUE of a rule's `let`, when the value is read out of another as it is. */
static void resolve_local(const struct view *view, int declared, struct meaning *out,
                          uint32_t depth)
{
    int i = declared + 2, last = VIEW_NONE;
    for (uint32_t open = 0; i < view->count; i++) {
        int kind = view->tokens[i].kind;
        bool is_end = kind == TK_COMMA || kind == TK_WHEN || kind == TK_UNLESS || kind == TK_SET ||
                      kind == TK_ADVERTISE || kind == TK_REASON || kind == TK_SEMI;
        if (!open && is_end && view_is_word(view, i))
            break;
        if (!open && !is_link(kind) && !opens(kind))
            return;
        open += opens(kind);
        open -= open > 0 && closes(kind);
        last = i;
    }
    resolve(view, last, out, depth + 1);
}

static bool declares_local(const struct view *view, int i)
{
    int before = view->tokens[i - 1].kind;
    bool is_rule = view_subject(view) != VIEW_NONE && view->tokens[0].kind != TK_CALL;
    return is_rule && view->tokens[i + 1].kind == TK_ASSIGN &&
           (before == TK_LET || before == TK_COMMA);
}

static bool declares_variable(const struct view *view, int i)
{
    int before = view->tokens[i - 1].kind;
    int word = i > 1 && before == TK_LPAREN ? view->tokens[i - 2].kind : 0;
    return view->tokens[i + 1].kind == TK_IN &&
           (before == TK_ANY || before == TK_ALL || word == TK_COUNT || word == TK_SUM);
}

int view_variable(const struct view *view, Str name)
{
    for (int i = 1; i + 1 < view->count; i++)
        if (view->tokens[i].kind == TK_NAME && str_eq(view->tokens[i].text, name) &&
            (declares_variable(view, i) || declares_local(view, i)))
            return i;
    return VIEW_NONE;
}

static void resolve_word(const struct view *view, int i, struct meaning *out, uint32_t depth)
{
    const struct token *token = &view->tokens[i];
    switch (token->kind) {
    case TK_ARGS: resolve_args(view, out); break;
    case TK_PRINCIPAL:
    case TK_GRANT:
    case TK_CLIENT:
    case TK_CALL:
        out->kind = MEANING_ROOT;
        out->root = i;
        break;
    case TK_NAME: {
        int declared = view_variable(view, token->text);
        if (declared != VIEW_NONE && declared < i && declares_local(view, declared))
            resolve_local(view, declared, out, depth);
        else if (declared != VIEW_NONE && declared < i)
            resolve_variable(view, declared, out, depth);
        break;
    }
    default: break;
    }
}

static void resolve(const struct view *view, int i, struct meaning *out, uint32_t depth)
{
    if (i < 0 || depth > MEANING_DEPTH_MAX)
        return;
    int kind = view->tokens[i].kind;
    if (i >= 2 && view->tokens[i - 1].kind == TK_DOT) {
        resolve(view, i - 2, out, depth + 1);
        if (out->kind == MEANING_ROOT)
            out->kind = MEANING_NONE; /* the members of roots have no schema */
        step_member(out, view->tokens[i].text);
    } else if (kind == TK_RBRACK) {
        int open = matching_open(view, i, TK_LBRACK, TK_RBRACK);
        resolve(view, open - 1, out, depth + 1);
        step_element(out);
    } else if (kind == TK_RPAREN) {
        resolve_call(view, i, out);
    } else {
        resolve_word(view, i, out, depth);
    }
}

void view_meaning(const struct view *view, int i, struct meaning *out)
{
    *out = (struct meaning){ .kind = MEANING_NONE };
    resolve(view, i, out, 0);
}

/* --------------------------------- words -------------------------------- */

Str schema_words(const struct schema *schema, struct arena *mem)
{
    static const struct {
        uint32_t type;
        const char *one, *many;
    } rows[] = {
        { SCHEMA_STRING, "a string", "strings" },
        { SCHEMA_NUMBER, "a number", "numbers" },
        { SCHEMA_INTEGER, "an integer", "integers" },
        { SCHEMA_BOOL, "a boolean", "booleans" },
        { SCHEMA_OBJECT, "an object", "objects" },
        { SCHEMA_ARRAY, "a list", "lists" },
        { SCHEMA_NULL, "null", "nulls" },
    };
    Str words = STR("");
    if ((schema->types & SCHEMA_ANY) == SCHEMA_ANY)
        return STR("any value");
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_implied = rows[i].type == SCHEMA_INTEGER && schema->types & SCHEMA_NUMBER;
        if (!(schema->types & rows[i].type) || is_implied)
            continue;
        words = arena_printf(mem, "%.*s%s%s", STR_ARG(words), words.n ? " or " : "", rows[i].one);
        for (size_t k = 0; rows[i].type == SCHEMA_ARRAY && schema->items && k < COUNT(rows); k++)
            if (schema->items->types == rows[k].type ||
                (rows[k].type == SCHEMA_NUMBER &&
                 schema->items->types == (SCHEMA_NUMBER | SCHEMA_INTEGER)))
                words = arena_printf(mem, "%.*s of %s", STR_ARG(words), rows[k].many);
    }
    return words;
}
