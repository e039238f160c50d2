/* SPDX-License-Identifier: Apache-2.0 */
/* sql.c - what the statements of an SQL text do and touch, by their words.
 *
 * This is no parser: it knows which words begin a statement, that a data-changing statement may
 * stand inside parentheses (a CTE), which words stand before the name of a table, and that a name
 * before a parenthesis may be a function. Where it can't tell it names more, never less; a
 * statement that begins with an unknown word is refused, and so is what sql_run.c takes for two. */
#include "runtime/domain/readers.h"
#include "runtime/domain/sql_scan.h"
#include "runtime/json/json_build.h"

/* A word may look at all others, so the looks are counted: a text that needs more is refused. */
enum { NAMES_MAX = 1024, STATEMENTS_MAX = 256, LOOKS_PER_BYTE = 24 };

struct names {
    Str items[NAMES_MAX];
    size_t count;
    bool is_full;
};

struct statement {
    uint32_t from, to; /* tokens */
    Str verb;
    bool has_where;
};

struct sql {
    struct sql_tokens tokens;
    struct arena *mem;
    struct names verbs, tables, functions;
    struct statement statements[STATEMENTS_MAX];
    size_t count;
    uint64_t looks; /* that are left */
};

static const Str verb_words[] = {
    // clang-format off
    STR_INIT("select"), STR_INIT("insert"), STR_INIT("update"), STR_INIT("delete"), STR_INIT("merge"),
    STR_INIT("replace"), STR_INIT("values"), STR_INIT("table"), STR_INIT("with"), STR_INIT("explain"),
    STR_INIT("describe"), STR_INIT("desc"), STR_INIT("show"), STR_INIT("truncate"),
    STR_INIT("create"), STR_INIT("alter"), STR_INIT("drop"), STR_INIT("rename"), STR_INIT("comment"),
    STR_INIT("grant"), STR_INIT("revoke"), STR_INIT("set"), STR_INIT("reset"), STR_INIT("begin"),
    STR_INIT("start"), STR_INIT("commit"), STR_INIT("rollback"), STR_INIT("abort"),
    STR_INIT("savepoint"), STR_INIT("release"), STR_INIT("copy"), STR_INIT("call"), STR_INIT("do"),
    STR_INIT("execute"), STR_INIT("exec"), STR_INIT("prepare"), STR_INIT("deallocate"),
    STR_INIT("declare"), STR_INIT("fetch"), STR_INIT("close"), STR_INIT("move"), STR_INIT("lock"),
    STR_INIT("unlock"), STR_INIT("use"), STR_INIT("vacuum"), STR_INIT("analyze"),
    STR_INIT("cluster"), STR_INIT("reindex"), STR_INIT("refresh"), STR_INIT("listen"),
    STR_INIT("notify"), STR_INIT("unlisten"), STR_INIT("discard"), STR_INIT("load"),
    STR_INIT("pragma"), STR_INIT("attach"), STR_INIT("detach"), STR_INIT("optimize"),
    STR_INIT("kill"), STR_INIT("flush"), STR_INIT("handler"), STR_INIT("install"),
    STR_INIT("backup"), STR_INIT("restore"), STR_INIT("bulk"), STR_INIT("checkpoint"),
    // clang-format on
};

/* What changes data wherever it stands. */
static const Str changing_words[] = { STR_INIT("insert"), STR_INIT("update"), STR_INIT("delete"),
                                      STR_INIT("merge"), STR_INIT("replace") };

/* Words before a parenthesis that are no functions. */
static const Str plain_words[] = {
    // clang-format off
    STR_INIT("select"), STR_INIT("from"), STR_INIT("where"), STR_INIT("and"), STR_INIT("or"),
    STR_INIT("not"), STR_INIT("in"), STR_INIT("exists"), STR_INIT("any"), STR_INIT("all"),
    STR_INIT("some"), STR_INIT("as"), STR_INIT("on"), STR_INIT("using"), STR_INIT("join"),
    STR_INIT("over"), STR_INIT("filter"), STR_INIT("values"), STR_INIT("union"), STR_INIT("except"),
    STR_INIT("intersect"), STR_INIT("by"), STR_INIT("having"), STR_INIT("case"), STR_INIT("when"),
    STR_INIT("then"), STR_INIT("else"), STR_INIT("limit"), STR_INIT("offset"), STR_INIT("lateral"),
    STR_INIT("materialized"), STR_INIT("explain"), STR_INIT("set"), STR_INIT("is"), STR_INIT("like"),
    // clang-format on
};

static bool is_one_of(Str word, const Str *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(words[i], word))
            return true;
    return false;
}

/* False once the allowance is used up, which read_statements sees. */
static bool look(struct sql *sql, uint64_t count)
{
    sql->looks = sql->looks > count ? sql->looks - count : 0;
    return sql->looks > 0;
}

static void add_name(struct sql *sql, struct names *names, Str name)
{
    if (!look(sql, names->count) || is_one_of(name, names->items, names->count))
        return;
    if (names->count == NAMES_MAX)
        names->is_full = true;
    else
        names->items[names->count++] = name;
}

static const struct sql_token *token_at(const struct sql *sql, uint32_t i, uint32_t end)
{
    static const struct sql_token none = { .kind = SQL_STRING };
    return i < end ? &sql->tokens.items[i] : &none;
}

static bool is_name(const struct sql_token *token)
{
    return token->kind == SQL_WORD || token->kind == SQL_QUOTED;
}

/* A name with its dots from token *at on, which is advanced behind it; last is its last part. */
static Str take_name(struct sql *sql, uint32_t *at, uint32_t end, Str *last)
{
    Str whole = *last = token_at(sql, *at, end)->text;
    for (++*at; sql_is_sign(token_at(sql, *at, end), '.') && is_name(token_at(sql, *at + 1, end));
         *at += 2) {
        *last = token_at(sql, *at + 1, end)->text;
        whole = arena_printf(sql->mem, "%.*s.%.*s", STR_ARG(whole), STR_ARG(*last));
        if (!whole.p)
            sql->tables.is_full = true;
    }
    return whole;
}

/* ------------------------------- functions ------------------------------ */

static void find_functions(struct sql *sql, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to;) {
        if (!is_name(token_at(sql, i, to))) {
            i++;
            continue;
        }
        bool is_word = token_at(sql, i, to)->kind == SQL_WORD;
        Str last, whole = take_name(sql, &i, to, &last);
        if (!sql_is_sign(token_at(sql, i, to), '('))
            continue;
        if (is_word && is_one_of(whole, plain_words, COUNT(plain_words)))
            continue;
        add_name(sql, &sql->functions, whole);
        add_name(sql, &sql->functions, last);
    }
}

/* --------------------------------- tables ------------------------------- */

/* extract(year from x) and its kin: the word before the parenthesis that token i stands in. */
static bool is_from_of_function(struct sql *sql, uint32_t i, uint32_t from)
{
    static const Str functions[] = { STR_INIT("extract"), STR_INIT("substring"), STR_INIT("trim"),
                                     STR_INIT("overlay"), STR_INIT("position") };
    uint32_t depth = sql->tokens.items[i].depth;
    if (i > from && sql_is_word(&sql->tokens.items[i - 1], STR("distinct")))
        return true;
    for (uint32_t k = i; k > from && depth && look(sql, 1); k--) {
        const struct sql_token *t = &sql->tokens.items[k - 1];
        if (sql_is_sign(t, '(') && t->depth + 1 == depth)
            return k - 1 > from && sql->tokens.items[k - 2].kind == SQL_WORD &&
                   is_one_of(sql->tokens.items[k - 2].text, functions, COUNT(functions));
    }
    return false;
}

static bool is_skipped_before_table(const struct sql_token *token)
{
    static const Str words[] = { STR_INIT("only"),   STR_INIT("lateral"),      STR_INIT("if"),
                                 STR_INIT("not"),    STR_INIT("exists"),       STR_INIT("table"),
                                 STR_INIT("ignore"), STR_INIT("low_priority"), STR_INIT("into"),
                                 STR_INIT("from"),   STR_INIT("concurrently") };
    return token->kind == SQL_WORD && is_one_of(token->text, words, COUNT(words));
}

/* The next comma of the list, or a word that no list of tables goes past. */
static bool ends_table_list(const struct sql_token *token, uint32_t depth)
{
    static const Str words[] = { STR_INIT("where"),  STR_INIT("group"),  STR_INIT("order"),
                                 STR_INIT("having"), STR_INIT("limit"),  STR_INIT("union"),
                                 STR_INIT("except"), STR_INIT("set"),    STR_INIT("intersect"),
                                 STR_INIT("values"), STR_INIT("select"), STR_INIT("returning"),
                                 STR_INIT("window"), STR_INIT("fetch"),  STR_INIT("offset"),
                                 STR_INIT("from") };
    if (token->depth != depth)
        return token->depth < depth;
    return sql_is_sign(token, ',') ||
           (token->kind == SQL_WORD && is_one_of(token->text, words, COUNT(words)));
}

/* The names of a list `a, b as c, d`, whose first begins at token i. */
static void take_tables(struct sql *sql, uint32_t i, uint32_t to, bool may_be_function)
{
    for (;;) {
        while (is_skipped_before_table(token_at(sql, i, to)))
            i++;
        if (!is_name(token_at(sql, i, to)))
            return; /* a subquery has a `from` of its own */
        uint32_t depth = sql->tokens.items[i].depth;
        Str last, whole = take_name(sql, &i, to, &last);
        if (!may_be_function || !sql_is_sign(token_at(sql, i, to), '('))
            add_name(sql, &sql->tables, whole);
        while (i < to && look(sql, 1) && !ends_table_list(token_at(sql, i, to), depth))
            i++;
        if (!sql_is_sign(token_at(sql, i, to), ','))
            return;
        i++;
    }
}

/* Where a statement can begin: first, in or behind parentheses, or behind a word that has one
 * follow
 * (`explain analyze update`, `prepare p as delete`, `begin update`). */
static bool is_verb_place(const struct sql *sql, uint32_t i, uint32_t from)
{
    static const Str before[] = { STR_INIT("analyze"), STR_INIT("analyse"), STR_INIT("verbose"),
                                  STR_INIT("explain"), STR_INIT("as"),      STR_INIT("begin"),
                                  STR_INIT("then"),    STR_INIT("else") };
    const struct sql_token *last = i == from ? NULL : &sql->tokens.items[i - 1];
    return !last || sql_is_sign(last, '(') || sql_is_sign(last, ')') ||
           (last->kind == SQL_WORD && is_one_of(last->text, before, COUNT(before)));
}

static void find_tables(struct sql *sql, uint32_t from, uint32_t to)
{
    static const Str before[] = { STR_INIT("join"),  STR_INIT("into"),     STR_INIT("table"),
                                  STR_INIT("using"), STR_INIT("truncate"), STR_INIT("view"),
                                  STR_INIT("copy"),  STR_INIT("lock"),     STR_INIT("describe") };
    for (uint32_t i = from; i < to; i++) {
        const struct sql_token *t = &sql->tokens.items[i];
        if (t->kind != SQL_WORD)
            continue;
        bool is_from = str_eq(t->text, STR("from")) && !is_from_of_function(sql, i, from);
        bool is_verb = (str_eq(t->text, STR("update")) || str_eq(t->text, STR("replace"))) &&
                       is_verb_place(sql, i, from);
        if (is_from || is_verb || is_one_of(t->text, before, COUNT(before)))
            take_tables(sql, i + 1, to, is_from || str_eq(t->text, STR("join")));
    }
}

/* --------------------------------- verbs -------------------------------- */

static uint32_t skip_open(const struct sql *sql, uint32_t i, uint32_t to)
{
    while (sql_is_sign(token_at(sql, i, to), '('))
        i++;
    return i;
}

/* The verb behind the CTEs: the first at this depth that follows a closing parenthesis. */
static Str main_verb(const struct sql *sql, uint32_t from, uint32_t to)
{
    uint32_t depth = sql->tokens.items[from].depth;
    for (uint32_t i = from + 1; i < to; i++) {
        const struct sql_token *t = &sql->tokens.items[i];
        if (t->depth == depth && t->kind == SQL_WORD && sql_is_sign(t - 1, ')') &&
            (is_one_of(t->text, changing_words, COUNT(changing_words)) ||
             str_eq(t->text, STR("select")) || str_eq(t->text, STR("values")) ||
             str_eq(t->text, STR("table"))))
            return t->text;
    }
    return (Str){ .p = NULL, .n = 0 };
}

/* Does a `where` follow in the same parentheses, before they close? */
static bool has_where(struct sql *sql, uint32_t from, uint32_t to)
{
    uint32_t depth = sql->tokens.items[from].depth;
    for (uint32_t i = from + 1; i < to && look(sql, 1) && sql->tokens.items[i].depth >= depth; i++)
        if (sql->tokens.items[i].depth == depth && sql_is_word(&sql->tokens.items[i], STR("where")))
            return true;
    return false;
}

/* EXPLAIN with ANALYZE runs what it explains; the statement inside begins at *inside. SQL Server
 * knows no EXPLAIN: to it the word calls a procedure, and what follows runs. */
static bool runs_explained(const struct sql *sql, uint32_t from, uint32_t to, uint32_t *inside)
{
    bool runs = false;
    uint32_t i = from + 1;
    for (; i < to; i++) {
        const struct sql_token *t = &sql->tokens.items[i];
        bool is_option = t->depth > sql->tokens.items[from].depth;
        runs |= sql_is_word(t, STR("analyze")) || sql_is_word(t, STR("analyse"));
        if (t->kind == SQL_WORD && !is_option && !sql_is_word(t, STR("analyze")) &&
            is_one_of(t->text, verb_words, COUNT(verb_words)))
            break;
    }
    *inside = i;
    return runs;
}

/* Verbs of data-changing statements inside parentheses, and INTO of a select. */
static void find_inner_verbs(struct sql *sql, struct statement *s)
{
    for (uint32_t i = s->from; i < s->to; i++) {
        const struct sql_token *t = &sql->tokens.items[i];
        if (t->kind != SQL_WORD)
            continue;
        bool is_changing = is_one_of(t->text, changing_words, COUNT(changing_words));
        bool is_call = sql_is_sign(token_at(sql, i + 1, s->to), '(');
        if (is_changing && !is_call && is_verb_place(sql, i, s->from)) {
            add_name(sql, &sql->verbs, t->text);
            s->has_where &= str_eq(t->text, STR("insert")) || has_where(sql, i, s->to);
        }
        bool follows_change = i > s->from && sql->tokens.items[i - 1].kind == SQL_WORD &&
                              (is_one_of(t[-1].text, changing_words, COUNT(changing_words)) ||
                               str_eq(t[-1].text, STR("ignore")));
        if (str_eq(t->text, STR("into")) && !follows_change)
            add_name(sql, &sql->verbs, STR("select into"));
    }
}

static bool read_statement(struct sql *sql, uint32_t from, uint32_t to)
{
    uint32_t first = skip_open(sql, from, to), inside = to;
    const struct sql_token *head = token_at(sql, first, to);
    if (sql->count == STATEMENTS_MAX || head->kind != SQL_WORD ||
        !is_one_of(head->text, verb_words, COUNT(verb_words)) ||
        !sql_is_one(&sql->tokens, first, to))
        return false;
    struct statement *s = &sql->statements[sql->count++];
    *s = (struct statement){ .from = first, .to = to, .verb = head->text, .has_where = true };
    bool is_explain = str_eq(head->text, STR("explain")) || str_eq(head->text, STR("describe")) ||
                      str_eq(head->text, STR("desc"));
    if (str_eq(head->text, STR("with"))) {
        s->verb = main_verb(sql, first, to);
        if (!s->verb.p)
            return false;
    }
    add_name(sql, &sql->verbs, s->verb);
    bool runs = is_explain && runs_explained(sql, first, to, &inside);
    if (runs && inside == to)
        return false;
    if (inside < to) {
        Str verb = sql->tokens.items[inside].text;
        verb = str_eq(verb, STR("with")) ? main_verb(sql, inside, to) : verb;
        if (!verb.p)
            return false;
        if (runs || !str_eq(verb, STR("select")))
            add_name(sql, &sql->verbs, verb);
    }
    s->has_where = has_where(sql, first, to) || !is_one_of(s->verb, changing_words, 3) ||
                   str_eq(s->verb, STR("insert"));
    if (!is_explain || inside < to)
        find_inner_verbs(sql, s);
    find_tables(sql, first, to);
    find_functions(sql, first, to);
    return true;
}

static bool read_statements(struct sql *sql)
{
    uint32_t from = 0;
    for (uint32_t i = 0; i <= sql->tokens.count; i++) {
        bool is_end = i == sql->tokens.count || sql_is_sign(&sql->tokens.items[i], ';');
        if (!is_end)
            continue;
        if (i > from && !read_statement(sql, from, i))
            return false;
        from = i + 1;
    }
    return sql->count > 0 && sql->looks > 0 && !sql->verbs.is_full && !sql->tables.is_full &&
           !sql->functions.is_full;
}

/* -------------------------------- result -------------------------------- */

static void build_names(struct json_build *build, Str key, const Str *names, size_t count)
{
    json_build_key(build, key);
    json_build_begin(build, JSON_ARRAY);
    for (size_t i = 0; i < count; i++)
        json_build_string(build, names[i]);
    json_build_end(build);
}

bool read_sql(Str text, struct arena *mem, struct json_doc *out)
{
    struct json_build build;
    struct sql *sql = ARENA_NEW(mem, struct sql, 1);
    if (!sql || !sql_scan(text, mem, &sql->tokens))
        return false;
    sql->mem = mem;
    sql->looks = (uint64_t)text.n * LOOKS_PER_BYTE;
    if (!read_statements(sql))
        return false;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("statements"));
    json_build_begin(&build, JSON_ARRAY);
    for (size_t i = 0; i < sql->count; i++) {
        const struct statement *s = &sql->statements[i];
        json_build_begin(&build, JSON_OBJECT);
        json_build_key(&build, STR("verb"));
        json_build_string(&build, s->verb);
        json_build_key(&build, STR("has_where"));
        json_build_bool(&build, s->has_where);
        json_build_end(&build);
    }
    json_build_end(&build);
    build_names(&build, STR("verbs"), sql->verbs.items, sql->verbs.count);
    build_names(&build, STR("tables"), sql->tables.items, sql->tables.count);
    build_names(&build, STR("functions"), sql->functions.items, sql->functions.count);
    json_build_end(&build);
    return json_build_finish(&build, out);
}
