/* SPDX-License-Identifier: Apache-2.0 */
/* store_oauth.c - OAuth's rows in the SQLite store: clients, flows, connections.
 *
 * The store sees sealed texts only. Two promises are kept in SQL, where no crash and no second
 * process can come between: reading a flow removes it, and tokens are written over those of the
 * generation that was read or not at all.
 */
#include "runtime/base/log.h"
#include "runtime/store/sqlite_open.h"
#include "runtime/store/store_sqlite.h"

enum column_need { MAY_BE_EMPTY, NOT_EMPTY };

static bool is_sealed(Str sealed, enum column_need need)
{
    return sealed.n <= SEALED_MAX && (sealed.n > 0 || need == MAY_BE_EMPTY);
}

static int bind_blob(sqlite3_stmt *stmt, int index, Str bytes)
{
    return sqlite3_bind_blob64(stmt, index, bytes.n ? bytes.p : "", bytes.n, SQLITE_STATIC);
}

static enum status read_blob(sqlite3_stmt *stmt, int column, enum column_need need,
                             struct arena *mem, Str *out)
{
    if (sqlite3_column_type(stmt, column) != SQLITE_BLOB)
        return ST_INVALID;
    const void *bytes = sqlite3_column_blob(stmt, column);
    Str blob = { .p = bytes, .n = (size_t)sqlite3_column_bytes(stmt, column) };
    if (!is_sealed(blob, need))
        return ST_INVALID;
    *out = arena_copy(mem, blob);
    return out->p ? ST_OK : ST_LIMIT;
}

/* Steps a statement that answers with a row or none; ST_NOT_FOUND for none. */
static enum status step_row(struct store_sqlite *self, enum statement which, int bound,
                            const char *doing)
{
    int rc = bound ? bound : sqlite3_step(self->stmts[which]);
    if (rc == SQLITE_DONE)
        return ST_NOT_FOUND;
    return sqlite_status(self->db, rc, doing);
}

/* To the end of a statement that writes and answers: only there it is committed. */
static enum status finish_write(struct store_sqlite *self, enum statement which, enum status status,
                                const char *doing)
{
    if (status == ST_OK)
        status = sqlite_status(self->db, sqlite3_step(self->stmts[which]), doing);
    sqlite_finish(self, which);
    return status;
}

/* -------------------------------- clients ------------------------------- */

enum status sqlite_client_put(struct store *store, const struct client_row *row)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_CLIENT_PUT];
    if (!sqlite_is_text(row->issuer, false) || !sqlite_is_text(row->redirect_uri, false) ||
        !sqlite_is_text(row->client_id, false) || !sqlite_is_text(row->auth_method, false) ||
        !is_sealed(row->secret, MAY_BE_EMPTY) || row->expires_ms < 0)
        return ST_INVALID;
    int rc = sqlite_bind_str(stmt, 1, row->issuer);
    rc = rc ? rc : sqlite_bind_str(stmt, 2, row->redirect_uri);
    rc = rc ? rc : sqlite_bind_str(stmt, 3, row->client_id);
    rc = rc ? rc : sqlite_bind_str(stmt, 4, row->auth_method);
    rc = rc ? rc : bind_blob(stmt, 5, row->secret);
    rc = rc ? rc : sqlite3_bind_int64(stmt, 6, row->expires_ms);
    if (rc == SQLITE_OK)
        return sqlite_run(self, SQL_CLIENT_PUT, "storing a client");
    sqlite_finish(self, SQL_CLIENT_PUT);
    return sqlite_status(self->db, rc, "storing a client");
}

static enum status read_client(sqlite3_stmt *stmt, struct arena *mem, struct client_row *row)
{
    enum status status = sqlite_read_str(stmt, 0, false, mem, &row->client_id);
    if (status == ST_OK)
        status = sqlite_read_str(stmt, 1, false, mem, &row->auth_method);
    if (status == ST_OK)
        status = read_blob(stmt, 2, MAY_BE_EMPTY, mem, &row->secret);
    row->expires_ms = sqlite3_column_int64(stmt, 3);
    return status;
}

enum status sqlite_client_get(struct store *store, Str issuer, Str redirect_uri, struct arena *mem,
                              struct client_row *row)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_CLIENT_GET];
    struct client_row found = { .issuer = issuer, .redirect_uri = redirect_uri };
    int rc = sqlite_bind_str(stmt, 1, issuer);
    rc = rc ? rc : sqlite_bind_str(stmt, 2, redirect_uri);
    enum status status = step_row(self, SQL_CLIENT_GET, rc, "looking up a client");
    if (status == ST_OK)
        status = read_client(stmt, mem, &found);
    sqlite_finish(self, SQL_CLIENT_GET);
    if (status == ST_OK)
        *row = found;
    return status;
}

/* --------------------------------- flows -------------------------------- */

static enum status sweep_flows(struct store_sqlite *self, int64_t now_ms)
{
    int64_t waiting = FLOWS_MAX;
    int rc = sqlite3_bind_int64(self->stmts[SQL_FLOW_SWEEP], 1, now_ms);
    if (rc != SQLITE_OK)
        return sqlite_status(self->db, rc, "dropping old logins");
    enum status status = sqlite_run(self, SQL_FLOW_SWEEP, "dropping old logins");
    if (status != ST_OK)
        return status;
    status = step_row(self, SQL_FLOW_COUNT, SQLITE_OK, "counting logins");
    if (status == ST_OK)
        waiting = sqlite3_column_int64(self->stmts[SQL_FLOW_COUNT], 0);
    sqlite_finish(self, SQL_FLOW_COUNT);
    return status == ST_OK && waiting >= FLOWS_MAX ? ST_LIMIT : status;
}

static enum status insert_flow(struct store_sqlite *self, const struct flow_row *row)
{
    sqlite3_stmt *stmt = self->stmts[SQL_FLOW_INSERT];
    int rc = sqlite3_bind_blob(stmt, 1, row->state_hash, FLOW_HASH_BYTES, SQLITE_STATIC);
    rc = rc ? rc : sqlite_bind_str(stmt, 2, row->server);
    rc = rc ? rc : sqlite_bind_str(stmt, 3, row->principal);
    rc = rc ? rc : bind_blob(stmt, 4, row->facts);
    rc = rc ? rc : sqlite3_bind_int64(stmt, 5, row->expires_ms);
    if (rc == SQLITE_OK)
        return sqlite_run(self, SQL_FLOW_INSERT, "storing a login");
    sqlite_finish(self, SQL_FLOW_INSERT);
    return sqlite_status(self->db, rc, "storing a login");
}

enum status sqlite_flow_add(struct store *store, const struct flow_row *row, int64_t now_ms)
{
    struct store_sqlite *self = self_of(store);
    if (!sqlite_is_text(row->server, false) || !sqlite_is_text(row->principal, true) ||
        !is_sealed(row->facts, NOT_EMPTY) || row->expires_ms <= 0)
        return ST_INVALID;
    enum status status = sqlite_run(self, SQL_BEGIN_WRITE, "storing a login");
    if (status != ST_OK)
        return status;
    status = sweep_flows(self, now_ms);
    if (status == ST_OK)
        status = insert_flow(self, row);
    return sqlite_end(self, status, "storing a login");
}

static enum status read_flow(sqlite3_stmt *stmt, struct arena *mem, struct flow_row *row)
{
    enum status status = sqlite_read_str(stmt, 0, false, mem, &row->server);
    if (status == ST_OK)
        status = sqlite_read_str(stmt, 1, true, mem, &row->principal);
    if (status == ST_OK)
        status = read_blob(stmt, 2, NOT_EMPTY, mem, &row->facts);
    row->expires_ms = sqlite3_column_int64(stmt, 3);
    return status;
}

enum status sqlite_flow_take(struct store *store, const unsigned char hash[FLOW_HASH_BYTES],
                             int64_t now_ms, struct arena *mem, struct flow_row *row)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_FLOW_TAKE];
    struct flow_row found;
    memcpy(found.state_hash, hash, FLOW_HASH_BYTES);
    int rc = sqlite3_bind_blob(stmt, 1, hash, FLOW_HASH_BYTES, SQLITE_STATIC);
    enum status status = step_row(self, SQL_FLOW_TAKE, rc, "taking a login");
    enum status reading = status == ST_OK ? read_flow(stmt, mem, &found) : ST_OK;
    status = finish_write(self, SQL_FLOW_TAKE, status, "taking a login");
    if (status == ST_OK)
        status = reading; /* spent even if it can't be read */
    if (status == ST_OK && found.expires_ms <= now_ms)
        return ST_NOT_FOUND;
    if (status == ST_OK)
        *row = found;
    return status;
}

/* ------------------------------ connections ----------------------------- */

/* The columns of CONNECTION_COLUMNS that are text, in their order from 0; the same order from 1 is
 * that of the parameters of the statements that write. */
struct text_column {
    size_t offset;
    enum column_need need;
};

static const struct text_column text_columns[] = {
    { offsetof(struct connection_row, server), NOT_EMPTY },
    { offsetof(struct connection_row, principal), MAY_BE_EMPTY },
    { offsetof(struct connection_row, issuer), NOT_EMPTY },
    { offsetof(struct connection_row, client_id), NOT_EMPTY },
    { offsetof(struct connection_row, redirect_uri), MAY_BE_EMPTY },
    { offsetof(struct connection_row, resource), NOT_EMPTY },
    { offsetof(struct connection_row, token_endpoint), NOT_EMPTY },
    { offsetof(struct connection_row, revocation_endpoint), MAY_BE_EMPTY },
    { offsetof(struct connection_row, scopes), MAY_BE_EMPTY },
    { offsetof(struct connection_row, state), NOT_EMPTY },
    { offsetof(struct connection_row, reason), MAY_BE_EMPTY },
};

enum connection_column {
    COL_GENERATION = COUNT(text_columns),
    COL_ACCESS,
    COL_REFRESH,
    COL_EXPIRES,
    COL_CREATED,
    COL_REFRESHED
};

enum write_parameter {
    PUT_ACCESS = COUNT(text_columns) + 1,
    PUT_REFRESH,
    PUT_EXPIRES,
    PUT_NOW,
    PUT_GENERATION
};

static const Str *text_of(const struct connection_row *row, size_t i)
{
    return (const Str *)(const void *)((const char *)row + text_columns[i].offset);
}

static bool is_connection(const struct connection_row *row)
{
    for (size_t i = 0; i < COUNT(text_columns); i++) {
        if (!sqlite_is_text(*text_of(row, i), text_columns[i].need == MAY_BE_EMPTY))
            return false;
    }
    return is_sealed(row->access, NOT_EMPTY) && is_sealed(row->refresh, MAY_BE_EMPTY) &&
           row->expires_ms >= 0 && row->refreshed_ms >= 0 && row->generation >= 0;
}

static int bind_connection(sqlite3_stmt *stmt, const struct connection_row *row)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < COUNT(text_columns); i++)
        rc = sqlite_bind_str(stmt, (int)i + 1, *text_of(row, i));
    rc = rc ? rc : bind_blob(stmt, PUT_ACCESS, row->access);
    rc = rc ? rc : bind_blob(stmt, PUT_REFRESH, row->refresh);
    rc = rc ? rc : sqlite3_bind_int64(stmt, PUT_EXPIRES, row->expires_ms);
    rc = rc ? rc : sqlite3_bind_int64(stmt, PUT_NOW, row->refreshed_ms);
    if (rc == SQLITE_OK && row->generation > 0)
        rc = sqlite3_bind_int64(stmt, PUT_GENERATION, row->generation);
    return rc;
}

/* Runs a statement that answers with the new generation, or with nothing: another one is there.
 * Grants are not touched, so caches of them need not hear of it: own_changes stays. */
static enum status run_write(struct store_sqlite *self, enum statement which, int bound,
                             const char *doing, int64_t *generation)
{
    enum status status = step_row(self, which, bound, doing);
    int64_t written = status == ST_OK ? sqlite3_column_int64(self->stmts[which], 0) : 0;
    status = finish_write(self, which, status, doing);
    if (status == ST_OK)
        *generation = written;
    return status == ST_NOT_FOUND ? ST_CONFLICT : status;
}

enum status sqlite_connection_put(struct store *store, const struct connection_row *row,
                                  int64_t *generation)
{
    struct store_sqlite *self = self_of(store);
    enum statement which = row->generation ? SQL_CONNECTION_REFRESH : SQL_CONNECTION_REPLACE;
    if (!is_connection(row))
        return ST_INVALID;
    int rc = bind_connection(self->stmts[which], row);
    return run_write(self, which, rc, "storing tokens", generation);
}

static enum status read_connection(sqlite3_stmt *stmt, struct arena *mem,
                                   struct connection_row *row)
{
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < COUNT(text_columns); i++) {
        Str text;
        bool may_be_empty = text_columns[i].need == MAY_BE_EMPTY;
        status = sqlite_read_str(stmt, (int)i, may_be_empty, mem, &text);
        if (status == ST_OK)
            memcpy((char *)row + text_columns[i].offset, &text, sizeof text);
    }
    if (status == ST_OK)
        status = read_blob(stmt, COL_ACCESS, MAY_BE_EMPTY, mem, &row->access);
    if (status == ST_OK)
        status = read_blob(stmt, COL_REFRESH, MAY_BE_EMPTY, mem, &row->refresh);
    row->generation = sqlite3_column_int64(stmt, COL_GENERATION);
    row->expires_ms = sqlite3_column_int64(stmt, COL_EXPIRES);
    row->created_ms = sqlite3_column_int64(stmt, COL_CREATED);
    row->refreshed_ms = sqlite3_column_int64(stmt, COL_REFRESHED);
    if (status == ST_INVALID || row->generation <= 0) {
        log_error("store: a connection in the file breaks the store's rules");
        return ST_INVALID;
    }
    return status;
}

enum status sqlite_connection_get(struct store *store, Str server, Str principal, struct arena *mem,
                                  struct connection_row *row)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_CONNECTION_GET];
    struct connection_row found = { .generation = 0 };
    int rc = sqlite_bind_str(stmt, 1, server);
    rc = rc ? rc : sqlite_bind_str(stmt, 2, principal);
    enum status status = step_row(self, SQL_CONNECTION_GET, rc, "looking up a connection");
    if (status == ST_OK)
        status = read_connection(stmt, mem, &found);
    sqlite_finish(self, SQL_CONNECTION_GET);
    if (status == ST_OK)
        *row = found;
    return status;
}

static enum status read_all(struct store_sqlite *self, struct arena *mem,
                            struct connection_row **rows, size_t *count)
{
    size_t n = 0, max = 0;
    enum status status = step_row(self, SQL_CONNECTION_COUNT, SQLITE_OK, "counting connections");
    if (status == ST_OK)
        max = (size_t)sqlite3_column_int64(self->stmts[SQL_CONNECTION_COUNT], 0);
    sqlite_finish(self, SQL_CONNECTION_COUNT);
    struct connection_row *found = ARENA_NEW(mem, struct connection_row, max);
    if (status == ST_OK && !found)
        status = ST_LIMIT;
    while (status == ST_OK && n < max) {
        status = step_row(self, SQL_CONNECTION_ALL, SQLITE_OK, "listing connections");
        if (status == ST_OK)
            status = read_connection(self->stmts[SQL_CONNECTION_ALL], mem, &found[n++]);
    }
    sqlite_finish(self, SQL_CONNECTION_ALL);
    *rows = found;
    *count = n;
    return status;
}

enum status sqlite_connection_list(struct store *store, struct arena *mem,
                                   struct connection_row **rows, size_t *count)
{
    struct store_sqlite *self = self_of(store);
    struct connection_row *found = NULL;
    size_t n = 0;
    /* One read transaction, so that the count and the rows are of the same moment. */
    enum status status = sqlite_run(self, SQL_BEGIN_READ, "listing connections");
    if (status != ST_OK)
        return status;
    status = sqlite_end(self, read_all(self, mem, &found, &n), "listing connections");
    if (status != ST_OK)
        return status;
    *rows = found;
    *count = n;
    return ST_OK;
}

enum status sqlite_connection_mark(struct store *store, const struct connection_mark *mark,
                                   int64_t *generation)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_CONNECTION_MARK];
    if (!sqlite_is_text(mark->state, false) || !sqlite_is_text(mark->reason, true))
        return ST_INVALID;
    int rc = sqlite_bind_str(stmt, 1, mark->server);
    rc = rc ? rc : sqlite_bind_str(stmt, 2, mark->principal);
    rc = rc ? rc : sqlite_bind_str(stmt, 3, mark->state);
    rc = rc ? rc : sqlite_bind_str(stmt, 4, mark->reason);
    rc = rc ? rc : sqlite3_bind_int64(stmt, 5, mark->generation);
    rc = rc ? rc : sqlite3_bind_int(stmt, 6, mark->forget);
    return run_write(self, SQL_CONNECTION_MARK, rc, "marking a connection", generation);
}
