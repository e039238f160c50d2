/* SPDX-License-Identifier: Apache-2.0 */
/* sql.h - private to runtime/store: what the verbs of store.h need of a database.
 *
 * The verbs are written once, over the statements of statement.def, whose texts both databases
 * understand. A database runs a statement at a time: start, step through its rows, finish. Writing
 * statements run between begin and end, and are done when end has answered ST_OK. Values are
 * borrowed from start to finish; what a column lends lives until the next step.
 */
#ifndef RUNTIME_STORE_SQL_H
#define RUNTIME_STORE_SQL_H

#include "runtime/store/store.h"

enum statement {
#define SQL(name, text) SQL_##name,
#include "runtime/store/statement.def"
#undef SQL
    SQL_STATEMENTS
};
extern const char *const sql_texts[SQL_STATEMENTS];

enum sql_type { SQL_TEXT, SQL_BYTES, SQL_INTEGER, SQL_OTHER };

struct sql_value {
    enum sql_type type;
    Str bytes;       /* TEXT and BYTES */
    int64_t integer; /* INTEGER */
};

enum { SQL_VALUES_MAX = 20 }; /* parameters of one statement */

enum sql_purpose { SQL_TO_READ, SQL_TO_WRITE };

struct sql_db {
    const struct sql_db_ops *ops;
};

/* doing is for the log. A failure has been logged, save ST_CONFLICT: a key that is there already.
 */
struct sql_db_ops {
    const char *name;
    /* What is read until end is of one moment; who writes keeps other writers waiting. */
    enum status (*begin)(struct sql_db *db, enum sql_purpose purpose, const char *doing);
    /* Commits if status is ST_OK, else (or if that fails) rolls back; says what became of it. */
    enum status (*end)(struct sql_db *db, enum status status, const char *doing);
    enum status (*start)(struct sql_db *db, enum statement which, const struct sql_value *values,
                         size_t count, const char *doing);
    enum status (*step)(struct sql_db *db, enum statement which,
                        const char *doing); /* ST_NOT_FOUND:
                                               no more rows */
    struct sql_value (*column)(struct sql_db *db, enum statement which, int column);
    void (*finish)(struct sql_db *db, enum statement which); /* also of one that did not start */
    enum status (*version)(struct sql_db *db, int64_t *version); /* as in store.h */
    /* The right that goes by this number: ST_CONFLICT when another process has it. It goes with the
     * process, or with its connection. */
    enum status (*lease_take)(struct sql_db *db, int64_t number);
    void (*lease_drop)(struct sql_db *db, int64_t number);
    void (*close)(struct sql_db *db);
};

/* store_sqlite.c, store_pg.c. path and url are NUL-terminated. */
MUST_USE enum status sql_open_sqlite(const char *path, struct sql_db **out);
MUST_USE enum status sql_open_pg(const char *url, struct sql_db **out);

/* The struct behind every store *. */
struct store_sql {
    struct store store; /* first */
    struct sql_db *db;
};

static inline struct sql_db *db_of(struct store *store)
{
    return ((struct store_sql *)store)->db;
}

static inline struct sql_value sql_text(Str text)
{
    return (struct sql_value){ .type = SQL_TEXT, .bytes = text };
}

static inline struct sql_value sql_bytes(Str bytes)
{
    return (struct sql_value){ .type = SQL_BYTES, .bytes = bytes };
}

static inline struct sql_value sql_integer(int64_t integer)
{
    return (struct sql_value){ .type = SQL_INTEGER, .integer = integer };
}

/* A statement and its values, as the verbs pass them on. */
struct sql_call {
    enum statement which;
    const char *doing;
    const struct sql_value *values;
    size_t count;
};

/* Starts and steps to the first row; ST_NOT_FOUND: none. To be finished in any case. */
enum status sql_first(struct sql_db *db, const struct sql_call *call);

/* Runs a writing statement in a transaction of its own. Its answer, if integer is not NULL, is one
 * row of one integer; ST_NOT_FOUND: it answered with none. */
enum status sql_write(struct sql_db *db, const struct sql_call *call, int64_t *integer);

/* The same inside a transaction that has begun. */
enum status sql_run(struct sql_db *db, const struct sql_call *call, int64_t *integer);

enum sql_need { MAY_BE_EMPTY, NOT_EMPTY };

/* What may stand in a row: UTF-8 without U+0000 of at most GRANT_TEXT_MAX bytes; a sealed text. */
bool sql_is_text(Str text, enum sql_need need);
bool sql_is_sealed(Str sealed, enum sql_need need);

/* A column, copied. Types and limits are checked, as a database may be tampered with: ST_INVALID.
 */
enum status sql_read_text(struct sql_db *db, enum statement which, int column, enum sql_need need,
                          struct arena *mem, Str *out);
enum status sql_read_sealed(struct sql_db *db, enum statement which, int column, enum sql_need need,
                            struct arena *mem, Str *out);
enum status sql_read_integer(struct sql_db *db, enum statement which, int column, int64_t *out);

/* store_grant.c, store_oauth.c and store_login.c: the verbs of store.h. */
enum status sql_grant_add(struct store *store, const struct grant_row *row);
enum status sql_grant_by_hash(struct store *store, const unsigned char hash[GRANT_HASH_BYTES],
                              struct arena *mem, struct grant_row *row);
enum status sql_grant_list(struct store *store, struct arena *mem, struct grant_row **rows,
                           size_t *count);
enum status sql_grant_revoke(struct store *store, Str id, int64_t now_ms);
enum status sql_policy_version(struct store *store, Str name, uint32_t *version);
enum status sql_policy_raise(struct store *store, Str name, uint32_t version);
enum status sql_client_put(struct store *store, const struct client_row *row);
enum status sql_client_get(struct store *store, Str issuer, Str redirect_uri, struct arena *mem,
                           struct client_row *row);
enum status sql_flow_add(struct store *store, const struct flow_row *row, int64_t now_ms);
enum status sql_flow_take(struct store *store, const unsigned char hash[FLOW_HASH_BYTES],
                          int64_t now_ms, struct arena *mem, struct flow_row *row);
enum status sql_connection_put(struct store *store, const struct connection_row *row,
                               int64_t *generation);
enum status sql_connection_get(struct store *store, Str server, Str principal, struct arena *mem,
                               struct connection_row *row);
enum status sql_connection_list(struct store *store, struct arena *mem,
                                struct connection_row **rows, size_t *count);
enum status sql_connection_mark(struct store *store, const struct connection_mark *mark,
                                int64_t *generation);
enum status sql_connection_end(struct store *store, const struct connection_mark *mark,
                               const struct revocation_row *rows, size_t count);
enum status sql_connection_used(struct store *store, Str server, Str principal, int64_t now_ms);
enum status sql_connection_want(struct store *store, Str server, Str principal, Str scopes);
enum status sql_lease_take(struct store *store, Str server, Str principal);
void sql_lease_drop(struct store *store, Str server, Str principal);
enum status sql_client_list(struct store *store, struct arena *mem, struct client_row **rows,
                            size_t *count);
enum status sql_result_put(struct store *store, const struct login_result_row *row, int64_t now_ms);
enum status sql_result_get(struct store *store, const unsigned char hash[FLOW_HASH_BYTES],
                           struct arena *mem, struct login_result_row *row);
enum status sql_revocation_put(struct store *store, const struct revocation_row *row);
enum status sql_revocation_list(struct store *store, struct arena *mem,
                                struct revocation_row **rows, size_t *count);

#endif
