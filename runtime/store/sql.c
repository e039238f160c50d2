/* SPDX-License-Identifier: Apache-2.0 */
/* sql.c - what all verbs do with statements: run one, read its columns, and never believe them.
 *
 * What comes out of a database is checked like input: whoever can write to it must not thereby be
 * able to break a limit that the rest of the program relies on.
 */
#include "runtime/store/sql.h"

const char *const sql_texts[SQL_STATEMENTS] = {
#define SQL(name, text) [SQL_##name] = (text),
#include "runtime/store/statement.def"
#undef SQL
};

enum status sql_first(struct sql_db *db, const struct sql_call *call)
{
    enum status status = db->ops->start(db, call->which, call->values, call->count, call->doing);
    return status == ST_OK ? db->ops->step(db, call->which, call->doing) : status;
}

enum status sql_run(struct sql_db *db, const struct sql_call *call, int64_t *integer)
{
    enum status status = sql_first(db, call);
    if (status == ST_OK && integer)
        status = sql_read_integer(db, call->which, 0, integer);
    if (status == ST_NOT_FOUND && !integer)
        status = ST_OK;
    db->ops->finish(db, call->which);
    return status;
}

enum status sql_write(struct sql_db *db, const struct sql_call *call, int64_t *integer)
{
    int64_t answer = 0;
    enum status status = db->ops->begin(db, SQL_TO_WRITE, call->doing);
    if (status != ST_OK)
        return status;
    status = db->ops->end(db, sql_run(db, call, integer ? &answer : NULL), call->doing);
    if (status == ST_OK && integer)
        *integer = answer;
    return status;
}

bool sql_is_text(Str text, enum sql_need need)
{
    if (text.n == 0)
        return need == MAY_BE_EMPTY;
    return text.n <= GRANT_TEXT_MAX && !memchr(text.p, '\0', text.n) && utf8_is_valid(text);
}

bool sql_is_sealed(Str sealed, enum sql_need need)
{
    return sealed.n <= SEALED_MAX && (sealed.n > 0 || need == MAY_BE_EMPTY);
}

static enum status copy(struct arena *mem, Str bytes, Str *out)
{
    *out = arena_copy(mem, bytes);
    return out->p ? ST_OK : ST_LIMIT;
}

enum status sql_read_text(struct sql_db *db, enum statement which, int column, enum sql_need need,
                          struct arena *mem, Str *out)
{
    struct sql_value value = db->ops->column(db, which, column);
    if (value.type != SQL_TEXT || !sql_is_text(value.bytes, need))
        return ST_INVALID;
    return copy(mem, value.bytes, out);
}

enum status sql_read_sealed(struct sql_db *db, enum statement which, int column, enum sql_need need,
                            struct arena *mem, Str *out)
{
    struct sql_value value = db->ops->column(db, which, column);
    if (value.type != SQL_BYTES || !sql_is_sealed(value.bytes, need))
        return ST_INVALID;
    return copy(mem, value.bytes, out);
}

enum status sql_read_integer(struct sql_db *db, enum statement which, int column, int64_t *out)
{
    struct sql_value value = db->ops->column(db, which, column);
    if (value.type != SQL_INTEGER)
        return ST_INVALID;
    *out = value.integer;
    return ST_OK;
}
