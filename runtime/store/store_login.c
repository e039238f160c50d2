/* SPDX-License-Identifier: Apache-2.0 */
/* store_login.c - what surrounds a connection: its use, its end, who may change it, what its issuer
 * is still to be told, and how a login ended.
 *
 * A connection's end and the revocations that follow from it are one transaction: a token that is
 * gone here and not yet there is never forgotten.
 */
#include "runtime/crypto/sha256.h"
#include "runtime/store/sql.h"

#include <stdio.h>

enum { BORDER_MAX = 32, LEASE_BYTES = 7 };

enum status sql_connection_used(struct store *store, Str server, Str principal, int64_t now_ms)
{
    const struct sql_value values[] = { sql_text(server), sql_text(principal),
                                        sql_integer(now_ms) };
    const struct sql_call call = { SQL_CONNECTION_USED, "noting a use", values, COUNT(values) };
    return sql_write(db_of(store), &call, NULL);
}

enum status sql_connection_want(struct store *store, Str server, Str principal, Str scopes)
{
    const struct sql_value values[] = { sql_text(server), sql_text(principal), sql_text(scopes) };
    const struct sql_call call = { SQL_CONNECTION_WANT, "noting wanted scopes", values,
                                   COUNT(values) };
    return sql_is_text(scopes, MAY_BE_EMPTY) ? sql_write(db_of(store), &call, NULL) : ST_INVALID;
}

/* -------------------------------- leases ------------------------------- */

/* Two connections of one number would wait for each other, which harms nobody. */
static int64_t number_of(Str server, Str principal)
{
    unsigned char hash[SHA256_BYTES];
    char border[BORDER_MAX];
    struct sha256 sum;
    uint64_t number = 0;
    int n = snprintf(border, sizeof border, "%zu ", server.n);
    sha256_begin(&sum);
    sha256_add(&sum, (Str){ .p = border, .n = (size_t)n });
    sha256_add(&sum, server);
    sha256_add(&sum, principal);
    sha256_end(&sum, hash);
    for (size_t i = 0; i < LEASE_BYTES; i++)
        number = number << 8 | hash[i];
    return (int64_t)number;
}

enum status sql_lease_take(struct store *store, Str server, Str principal)
{
    struct sql_db *db = db_of(store);
    return db->ops->lease_take(db, number_of(server, principal));
}

void sql_lease_drop(struct store *store, Str server, Str principal)
{
    struct sql_db *db = db_of(store);
    db->ops->lease_drop(db, number_of(server, principal));
}

/* ------------------------------- clients ------------------------------- */

static enum status read_client(struct sql_db *db, struct arena *mem, struct client_row *row)
{
    const enum statement which = SQL_CLIENT_ALL;
    enum status status = sql_read_text(db, which, 0, NOT_EMPTY, mem, &row->client_id);
    if (status == ST_OK)
        status = sql_read_text(db, which, 1, NOT_EMPTY, mem, &row->auth_method);
    if (status == ST_OK)
        status = sql_read_sealed(db, which, 2, MAY_BE_EMPTY, mem, &row->secret);
    if (status == ST_OK)
        status = sql_read_integer(db, which, 3, &row->expires_ms);
    if (status == ST_OK)
        status = sql_read_text(db, which, 4, NOT_EMPTY, mem, &row->issuer);
    if (status == ST_OK)
        status = sql_read_text(db, which, 5, NOT_EMPTY, mem, &row->redirect_uri);
    return status;
}

enum status sql_client_list(struct store *store, struct arena *mem, struct client_row **rows,
                            size_t *count)
{
    static const struct sql_call call = { SQL_CLIENT_ALL, "listing clients", NULL, 0 };
    struct sql_db *db = db_of(store);
    struct client_row *found = ARENA_NEW(mem, struct client_row, CLIENTS_MAX);
    size_t n = 0;
    enum status status = found ? sql_first(db, &call) : ST_LIMIT;
    while (status == ST_OK) {
        status = n < CLIENTS_MAX ? read_client(db, mem, &found[n++]) : ST_LIMIT;
        if (status == ST_OK)
            status = db->ops->step(db, call.which, call.doing);
    }
    db->ops->finish(db, call.which);
    if (status != ST_NOT_FOUND) /* the end */
        return status;
    *rows = found;
    *count = n;
    return ST_OK;
}

/* -------------------------------- logins ------------------------------- */

static Str hash_text(const unsigned char hash[FLOW_HASH_BYTES])
{
    return (Str){ (const char *)hash, FLOW_HASH_BYTES };
}

enum status sql_result_put(struct store *store, const struct login_result_row *row, int64_t now_ms)
{
    struct sql_db *db = db_of(store);
    const struct sql_value now = sql_integer(now_ms);
    const struct sql_value values[] = { sql_bytes(hash_text(row->state_hash)),
                                        sql_integer(row->is_done), sql_text(row->text),
                                        sql_integer(row->expires_ms) };
    const struct sql_call sweep = { SQL_RESULT_SWEEP, "dropping old results", &now, 1 };
    const struct sql_call put = { SQL_RESULT_PUT, "storing how a login ended", values,
                                  COUNT(values) };
    if (!sql_is_text(row->text, MAY_BE_EMPTY))
        return ST_INVALID;
    enum status status = db->ops->begin(db, SQL_TO_WRITE, put.doing);
    if (status != ST_OK)
        return status;
    status = sql_run(db, &sweep, NULL);
    if (status == ST_OK)
        status = sql_run(db, &put, NULL);
    return db->ops->end(db, status, put.doing);
}

enum status sql_result_get(struct store *store, const unsigned char hash[FLOW_HASH_BYTES],
                           struct arena *mem, struct login_result_row *row)
{
    struct sql_db *db = db_of(store);
    struct login_result_row found = { .expires_ms = 0 };
    int64_t is_done = 0;
    const struct sql_value value = sql_bytes(hash_text(hash));
    const struct sql_call call = { SQL_RESULT_GET, "asking how a login ended", &value, 1 };
    memcpy(found.state_hash, hash, FLOW_HASH_BYTES);
    enum status status = sql_first(db, &call);
    if (status == ST_OK)
        status = sql_read_integer(db, call.which, 0, &is_done);
    if (status == ST_OK)
        status = sql_read_text(db, call.which, 1, MAY_BE_EMPTY, mem, &found.text);
    db->ops->finish(db, call.which);
    found.is_done = is_done != 0;
    if (status == ST_OK)
        *row = found;
    return status;
}

/* ----------------------------- revocations ----------------------------- */

/* The columns of REVOCATION_COLUMNS that are text, in their order. */
static const struct {
    size_t offset;
    enum sql_need need;
} texts[] = {
    { offsetof(struct revocation_row, id), NOT_EMPTY },
    { offsetof(struct revocation_row, server), NOT_EMPTY },
    { offsetof(struct revocation_row, principal), MAY_BE_EMPTY },
    { offsetof(struct revocation_row, issuer), NOT_EMPTY },
    { offsetof(struct revocation_row, endpoint), NOT_EMPTY },
    { offsetof(struct revocation_row, client_id), NOT_EMPTY },
    { offsetof(struct revocation_row, redirect_uri), MAY_BE_EMPTY },
    { offsetof(struct revocation_row, auth_method), NOT_EMPTY },
    { offsetof(struct revocation_row, state), NOT_EMPTY },
    { offsetof(struct revocation_row, outcome), MAY_BE_EMPTY },
};

enum revocation_column {
    COL_TOKEN = COUNT(texts),
    COL_IS_REFRESH,
    COL_TRIES,
    COL_CREATED,
    COL_NEXT,
    REVOCATION_COLUMN_COUNT
};

static bool list_values(const struct revocation_row *row,
                        struct sql_value values[REVOCATION_COLUMN_COUNT])
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        Str text;
        memcpy(&text, (const char *)row + texts[i].offset, sizeof text);
        if (!sql_is_text(text, texts[i].need))
            return false;
        values[i] = sql_text(text);
    }
    values[COL_TOKEN] = sql_bytes(row->token);
    values[COL_IS_REFRESH] = sql_integer(row->is_refresh);
    values[COL_TRIES] = sql_integer(row->tries);
    values[COL_CREATED] = sql_integer(row->created_ms);
    values[COL_NEXT] = sql_integer(row->next_ms);
    return sql_is_sealed(row->token, MAY_BE_EMPTY);
}

/* Inside a transaction. */
static enum status put_revocation(struct sql_db *db, const struct revocation_row *row)
{
    struct sql_value values[REVOCATION_COLUMN_COUNT];
    const struct sql_value old = sql_integer(row->created_ms - REVOCATION_KEEP_MS);
    const struct sql_call sweep = { SQL_REVOCATION_SWEEP, "dropping old revocations", &old, 1 };
    const struct sql_call put = { SQL_REVOCATION_PUT, "storing a revocation", values,
                                  REVOCATION_COLUMN_COUNT };
    if (!list_values(row, values))
        return ST_INVALID;
    enum status status = sql_run(db, &sweep, NULL);
    return status == ST_OK ? sql_run(db, &put, NULL) : status;
}

enum status sql_revocation_put(struct store *store, const struct revocation_row *row)
{
    struct sql_db *db = db_of(store);
    enum status status = db->ops->begin(db, SQL_TO_WRITE, "storing a revocation");
    if (status != ST_OK)
        return status;
    return db->ops->end(db, put_revocation(db, row), "storing a revocation");
}

static enum status read_revocation(struct sql_db *db, struct arena *mem, struct revocation_row *row)
{
    const enum statement which = SQL_REVOCATION_ALL;
    int64_t is_refresh = 0;
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < COUNT(texts); i++) {
        Str text;
        status = sql_read_text(db, which, (int)i, texts[i].need, mem, &text);
        if (status == ST_OK)
            memcpy((char *)row + texts[i].offset, &text, sizeof text);
    }
    if (status == ST_OK)
        status = sql_read_sealed(db, which, COL_TOKEN, MAY_BE_EMPTY, mem, &row->token);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_IS_REFRESH, &is_refresh);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_TRIES, &row->tries);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_CREATED, &row->created_ms);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_NEXT, &row->next_ms);
    row->is_refresh = is_refresh != 0;
    return status;
}

enum status sql_revocation_list(struct store *store, struct arena *mem,
                                struct revocation_row **rows, size_t *count)
{
    static const struct sql_call call = { SQL_REVOCATION_ALL, "listing revocations", NULL, 0 };
    struct sql_db *db = db_of(store);
    struct revocation_row *found = ARENA_NEW(mem, struct revocation_row, REVOCATIONS_MAX);
    size_t n = 0;
    enum status status = found ? sql_first(db, &call) : ST_LIMIT;
    while (status == ST_OK && n < REVOCATIONS_MAX) {
        status = read_revocation(db, mem, &found[n++]);
        if (status == ST_OK)
            status = db->ops->step(db, call.which, call.doing);
    }
    db->ops->finish(db, call.which);
    if (status != ST_NOT_FOUND && status != ST_OK)
        return status;
    *rows = found;
    *count = n;
    return ST_OK;
}

/* The row of the generation that was read loses its tokens; ST_CONFLICT: another generation. */
static enum status end_row(struct sql_db *db, const struct connection_mark *mark)
{
    int64_t generation = 0;
    const struct sql_value values[] = {
        sql_text(mark->server), sql_text(mark->principal),     sql_text(mark->state),
        sql_text(mark->reason), sql_integer(mark->generation),
    };
    const struct sql_call call = { SQL_CONNECTION_FORGET, "ending a connection", values,
                                   COUNT(values) };
    if (!sql_is_text(mark->state, NOT_EMPTY) || !sql_is_text(mark->reason, MAY_BE_EMPTY))
        return ST_INVALID;
    enum status status = sql_run(db, &call, &generation);
    return status == ST_NOT_FOUND ? ST_CONFLICT : status;
}

enum status sql_connection_end(struct store *store, const struct connection_mark *mark,
                               const struct revocation_row *rows, size_t count)
{
    struct sql_db *db = db_of(store);
    enum status status = db->ops->begin(db, SQL_TO_WRITE, "ending a connection");
    if (status != ST_OK)
        return status;
    status = end_row(db, mark);
    for (size_t i = 0; status == ST_OK && i < count; i++)
        status = put_revocation(db, &rows[i]);
    return db->ops->end(db, status, "ending a connection");
}
