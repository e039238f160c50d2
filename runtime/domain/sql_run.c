/* SPDX-License-Identifier: Apache-2.0 */
/* sql_run.c - statements that nothing separates. SQL Server takes `select 1 delete from t` for two
 * of them, as its grammar ends a statement where the next word can't go on. So a word that begins a
 * statement there is looked at wherever it stands: behind words and signs with which no statement
 * of SQL Server can end it is harmless, and anywhere else the text is not one statement for
 * certain. */
#include "runtime/domain/sql_scan.h"

/* Words that begin a statement of SQL Server. Those that only move a cursor, print or guard another
 * statement, which has a word of its own, are left out. */
static const Str beginning[] = {
    // clang-format off
    STR_INIT("alter"), STR_INIT("backup"), STR_INIT("begin"), STR_INIT("bulk"), STR_INIT("checkpoint"),
    STR_INIT("commit"), STR_INIT("create"), STR_INIT("dbcc"), STR_INIT("declare"), STR_INIT("delete"),
    STR_INIT("deny"), STR_INIT("disable"), STR_INIT("drop"), STR_INIT("enable"), STR_INIT("exec"),
    STR_INIT("execute"), STR_INIT("go"), STR_INIT("grant"), STR_INIT("insert"), STR_INIT("kill"),
    STR_INIT("merge"), STR_INIT("readtext"), STR_INIT("receive"), STR_INIT("reconfigure"),
    STR_INIT("restore"), STR_INIT("revert"), STR_INIT("revoke"), STR_INIT("rollback"), STR_INIT("save"),
    STR_INIT("select"), STR_INIT("set"), STR_INIT("setuser"), STR_INIT("shutdown"), STR_INIT("truncate"),
    STR_INIT("update"), STR_INIT("updatetext"), STR_INIT("use"), STR_INIT("waitfor"), STR_INIT("writetext"),
    // clang-format on
};

static const Str changing[] = { STR_INIT("insert"), STR_INIT("update"), STR_INIT("delete"),
                                STR_INIT("merge") };

static bool has(const Str *words, size_t count, const struct sql_token *token)
{
    for (size_t i = 0; token && token->kind == SQL_WORD && i < count; i++)
        if (str_eq(words[i], token->text))
            return true;
    return false;
}

/* Behind these words, all reserved there, no statement of SQL Server ends. Words of other dialects
 * that it takes for names, such as the `do` of `on conflict do update`, are not among them. */
static bool is_inner_place(const struct sql_token *before, const struct sql_token *token)
{
    static const Str open[] = { STR_INIT("for"),   STR_INIT("on"),     STR_INIT("or"),
                                STR_INIT("grant"), STR_INIT("revoke"), STR_INIT("deny") };
    static const Str whole[] = { STR_INIT("union"), STR_INIT("all"), STR_INIT("except"),
                                 STR_INIT("intersect"), STR_INIT("exists") };
    static const Str named[] = { STR_INIT("as"), STR_INIT("then"), STR_INIT("else"),
                                 STR_INIT("begin") };
    if (sql_is_sign(before, '(') || sql_is_sign(before, ',') || has(open, COUNT(open), before))
        return true;
    bool is_select = sql_is_word(token, STR("select"));
    if (is_select && has(whole, COUNT(whole), before))
        return true;
    /* sql.c names what changes data behind these, so it is not lost. */
    return has(named, COUNT(named), before) &&
           (is_select || has(changing, COUNT(changing), token) || sql_is_word(token, STR("set")));
}

/* Before these words the token is something else: a function, `for update`'s kin, a hint. */
static bool is_inner_word(const struct sql_token *token, const struct sql_token *after)
{
    static const Str joins[] = { STR_INIT("join"), STR_INIT("union") };
    static const Str parts[] = { STR_INIT("column"), STR_INIT("constraint") };
    static const Str runs[] = { STR_INIT("exec"), STR_INIT("execute"), STR_INIT("select") };
    static const Str hints[] = { STR_INIT("index"), STR_INIT("key") };
    static const Str triggers[] = { STR_INIT("enable"), STR_INIT("disable") };
    static const Str alters[] = { STR_INIT("drop"), STR_INIT("alter") };
    if (has(triggers, COUNT(triggers), token))
        return !after || !sql_is_word(after, STR("trigger"));
    if (!after)
        return false;
    return (sql_is_sign(after, '(') && !has(runs, COUNT(runs), token)) ||
           (sql_is_word(token, STR("merge")) && has(joins, COUNT(joins), after)) ||
           (sql_is_word(token, STR("use")) && has(hints, COUNT(hints), after)) ||
           (has(alters, COUNT(alters), token) && has(parts, COUNT(parts), after));
}

/* What the first word of the statement has follow: `set` behind update, `select` behind insert, the
 * main statement behind the CTEs of `with`, what `explain` explains. Each once. */
struct allowance {
    bool set, select, main;
};

static struct allowance allow_for(const struct sql_token *head)
{
    static const Str setting[] = { STR_INIT("update"), STR_INIT("insert"), STR_INIT("replace"),
                                   STR_INIT("merge") };
    static const Str selecting[] = { STR_INIT("insert"), STR_INIT("replace") };
    static const Str opening[] = { STR_INIT("with"), STR_INIT("explain"), STR_INIT("describe"),
                                   STR_INIT("desc") };
    return (struct allowance){ .set = has(setting, COUNT(setting), head),
                               .select = has(selecting, COUNT(selecting), head),
                               .main = has(opening, COUNT(opening), head) };
}

static bool take(bool *allowance)
{
    bool is_given = *allowance;
    *allowance = false;
    return is_given;
}

static void widen(struct allowance *may, const struct sql_token *token)
{
    struct allowance inner = allow_for(token);
    may->set |= inner.set;
    may->select |= inner.select;
    may->main |= inner.main;
}

/* t.delete: a column. A number's point is part of the number. */
static bool is_member(const struct sql_tokens *tokens, uint32_t from, uint32_t i)
{
    const struct sql_token *token = &tokens->items[i];
    return i - from > 1 && sql_is_sign(token - 1, '.') &&
           (token[-2].kind == SQL_WORD || token[-2].kind == SQL_QUOTED);
}

bool sql_is_one(const struct sql_tokens *tokens, uint32_t from, uint32_t to)
{
    struct allowance may = allow_for(&tokens->items[from]);
    for (uint32_t i = from + 1; i < to; i++) {
        const struct sql_token *token = &tokens->items[i];
        bool is_set = sql_is_word(token, STR("set")), is_select = sql_is_word(token, STR("select"));
        if (!has(beginning, COUNT(beginning), token) || is_member(tokens, from, i) ||
            is_inner_word(token, i + 1 < to ? token + 1 : NULL) || (is_set && take(&may.set)) ||
            (is_select && take(&may.select)))
            continue;
        if (!is_inner_place(token - 1, token) && !take(&may.main))
            return false;
        widen(&may, token);
    }
    return true;
}
