/* SPDX-License-Identifier: Apache-2.0 */
/* sql_scan.h - SQL text as tokens, where PostgreSQL, MySQL, SQLite and SQL Server cut it alike.
 * Private to runtime/domain. */
#ifndef RUNTIME_DOMAIN_SQL_SCAN_H
#define RUNTIME_DOMAIN_SQL_SCAN_H

#include "runtime/base/arena.h"
#include "runtime/base/str.h"

enum { SQL_TOKENS_MAX = 32768, SQL_DEPTH_MAX = 64 };

enum sql_kind {
    SQL_WORD,   /* lower case: a keyword or a plain name */
    SQL_QUOTED, /* a quoted name, without its quotes */
    SQL_STRING,
    SQL_NUMBER,
    SQL_SIGN, /* one byte: ( ) , . ; or of an operator */
};

struct sql_token {
    enum sql_kind kind;
    Str text;
    uint32_t depth; /* open parentheses around it */
};

struct sql_tokens {
    struct sql_token *items;
    uint32_t count;
};

/* False: the dialects differ about where something ends, something does not end, parentheses do not
 * match, or a limit is hit. Comments are dropped. */
MUST_USE bool sql_scan(Str text, struct arena *mem, struct sql_tokens *out);

/* Do the tokens from the statement's first word up to `to` make one statement in each dialect?
 * False also when that isn't certain. */
MUST_USE bool sql_is_one(const struct sql_tokens *tokens, uint32_t from, uint32_t to);

static inline bool sql_is_word(const struct sql_token *token, Str word)
{
    return token->kind == SQL_WORD && str_eq(token->text, word);
}

static inline bool sql_is_sign(const struct sql_token *token, char sign)
{
    return token->kind == SQL_SIGN && token->text.p[0] == sign;
}

#endif
