/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.h - private to runtime/store: what the files of the SQLite store share. */
#ifndef RUNTIME_STORE_STORE_SQLITE_H
#define RUNTIME_STORE_STORE_SQLITE_H

#include "runtime/store/store.h"

#include <sqlite3.h>

enum statement {
#define SQL(name, text) SQL_##name,
#include "runtime/store/statement.def"
#undef SQL
    SQL_STATEMENTS
};

struct store_sqlite {
    struct store store; /* first: a struct store * is one of these */
    sqlite3 *db;
    sqlite3_stmt *stmts[SQL_STATEMENTS];
    uint32_t own_changes; /* commits by this connection, which data_version does not count */
};

static inline struct store_sqlite *self_of(struct store *store)
{
    return (struct store_sqlite *)store;
}

/* Ends the statement's use; its bound values go, since they may be borrowed. */
void sqlite_finish(struct store_sqlite *self, enum statement which);

/* Runs a statement that yields no row. */
enum status sqlite_run(struct store_sqlite *self, enum statement which, const char *doing);

/* Commits if status is ST_OK, else (or if that fails) rolls back. */
enum status sqlite_end(struct store_sqlite *self, enum status status, const char *doing);

/* Borrows until sqlite_finish. An SQLite result code. */
int sqlite_bind_str(sqlite3_stmt *stmt, int index, Str text);

/* UTF-8 without U+0000, at most GRANT_TEXT_MAX bytes. */
bool sqlite_is_text(Str text, bool may_be_empty);

/* A column's text, copied. Type and limits are checked, as a file may be tampered with. */
enum status sqlite_read_str(sqlite3_stmt *stmt, int column, bool may_be_empty, struct arena *mem,
                            Str *out);

/* store_oauth.c: the verbs of store.h. */
enum status sqlite_client_put(struct store *store, const struct client_row *row);
enum status sqlite_client_get(struct store *store, Str issuer, Str redirect_uri, struct arena *mem,
                              struct client_row *row);
enum status sqlite_flow_add(struct store *store, const struct flow_row *row, int64_t now_ms);
enum status sqlite_flow_take(struct store *store, const unsigned char hash[FLOW_HASH_BYTES],
                             int64_t now_ms, struct arena *mem, struct flow_row *row);
enum status sqlite_connection_put(struct store *store, const struct connection_row *row,
                                  int64_t *generation);
enum status sqlite_connection_get(struct store *store, Str server, Str principal, struct arena *mem,
                                  struct connection_row *row);
enum status sqlite_connection_list(struct store *store, struct arena *mem,
                                   struct connection_row **rows, size_t *count);
enum status sqlite_connection_mark(struct store *store, const struct connection_mark *mark,
                                   int64_t *generation);

#endif
