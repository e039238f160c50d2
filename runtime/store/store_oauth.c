/* SPDX-License-Identifier: Apache-2.0 */
/* store_oauth.c - OAuth's rows: clients, flows, connections.
 *
 * The store sees sealed texts only. Two promises are kept in SQL, where no crash and no second
 * process can come between: reading a flow removes it, and tokens are written over those of the
 * generation that was read or not at all.
 */
#include "runtime/base/log.h"
#include "runtime/store/sql.h"

/* -------------------------------- clients ------------------------------- */

static bool is_client(const struct client_row *row)
{
    return sql_is_text(row->issuer, NOT_EMPTY) && sql_is_text(row->redirect_uri, NOT_EMPTY) &&
           sql_is_text(row->client_id, NOT_EMPTY) && sql_is_text(row->auth_method, NOT_EMPTY) &&
           sql_is_sealed(row->secret, MAY_BE_EMPTY) && row->expires_ms >= 0;
}

enum status sql_client_put(struct store *store, const struct client_row *row)
{
    const struct sql_value values[] = {
        sql_text(row->issuer),      sql_text(row->redirect_uri), sql_text(row->client_id),
        sql_text(row->auth_method), sql_bytes(row->secret),      sql_integer(row->expires_ms),
    };
    const struct sql_call call = { SQL_CLIENT_PUT, "storing a client", values, COUNT(values) };
    return is_client(row) ? sql_write(db_of(store), &call, NULL) : ST_INVALID;
}

static enum status read_client(struct sql_db *db, struct arena *mem, struct client_row *row)
{
    enum status status = sql_read_text(db, SQL_CLIENT_GET, 0, NOT_EMPTY, mem, &row->client_id);
    if (status == ST_OK)
        status = sql_read_text(db, SQL_CLIENT_GET, 1, NOT_EMPTY, mem, &row->auth_method);
    if (status == ST_OK)
        status = sql_read_sealed(db, SQL_CLIENT_GET, 2, MAY_BE_EMPTY, mem, &row->secret);
    if (status == ST_OK)
        status = sql_read_integer(db, SQL_CLIENT_GET, 3, &row->expires_ms);
    return status;
}

enum status sql_client_get(struct store *store, Str issuer, Str redirect_uri, struct arena *mem,
                           struct client_row *row)
{
    struct sql_db *db = db_of(store);
    struct client_row found = { .issuer = issuer, .redirect_uri = redirect_uri };
    const struct sql_value values[] = { sql_text(issuer), sql_text(redirect_uri) };
    const struct sql_call call = { SQL_CLIENT_GET, "looking up a client", values, COUNT(values) };
    enum status status = sql_first(db, &call);
    if (status == ST_OK)
        status = read_client(db, mem, &found);
    db->ops->finish(db, SQL_CLIENT_GET);
    if (status == ST_OK)
        *row = found;
    return status;
}

/* --------------------------------- flows -------------------------------- */

static Str hash_text(const unsigned char hash[FLOW_HASH_BYTES])
{
    return (Str){ (const char *)hash, FLOW_HASH_BYTES };
}

static enum status sweep_flows(struct sql_db *db, int64_t now_ms)
{
    static const struct sql_call counting = { SQL_FLOW_COUNT, "counting logins", NULL, 0 };
    int64_t waiting = FLOWS_MAX;
    const struct sql_value now = sql_integer(now_ms);
    const struct sql_call sweeping = { SQL_FLOW_SWEEP, "dropping old logins", &now, 1 };
    enum status status = sql_run(db, &sweeping, NULL);
    if (status == ST_OK)
        status = sql_run(db, &counting, &waiting);
    return status == ST_OK && waiting >= FLOWS_MAX ? ST_LIMIT : status;
}

static enum status insert_flow(struct sql_db *db, const struct flow_row *row)
{
    const struct sql_value values[] = {
        sql_bytes(hash_text(row->state_hash)),
        sql_text(row->server),
        sql_text(row->principal),
        sql_bytes(row->facts),
        sql_integer(row->expires_ms),
    };
    const struct sql_call call = { SQL_FLOW_INSERT, "storing a login", values, COUNT(values) };
    return sql_run(db, &call, NULL);
}

enum status sql_flow_add(struct store *store, const struct flow_row *row, int64_t now_ms)
{
    struct sql_db *db = db_of(store);
    if (!sql_is_text(row->server, NOT_EMPTY) || !sql_is_text(row->principal, MAY_BE_EMPTY) ||
        !sql_is_sealed(row->facts, NOT_EMPTY) || row->expires_ms <= 0)
        return ST_INVALID;
    enum status status = db->ops->begin(db, SQL_TO_WRITE, "storing a login");
    if (status != ST_OK)
        return status;
    status = sweep_flows(db, now_ms);
    if (status == ST_OK)
        status = insert_flow(db, row);
    return db->ops->end(db, status, "storing a login");
}

static enum status read_flow(struct sql_db *db, struct arena *mem, struct flow_row *row)
{
    enum status status = sql_read_text(db, SQL_FLOW_TAKE, 0, NOT_EMPTY, mem, &row->server);
    if (status == ST_OK)
        status = sql_read_text(db, SQL_FLOW_TAKE, 1, MAY_BE_EMPTY, mem, &row->principal);
    if (status == ST_OK)
        status = sql_read_sealed(db, SQL_FLOW_TAKE, 2, NOT_EMPTY, mem, &row->facts);
    if (status == ST_OK)
        status = sql_read_integer(db, SQL_FLOW_TAKE, 3, &row->expires_ms);
    return status;
}

enum status sql_flow_take(struct store *store, const unsigned char hash[FLOW_HASH_BYTES],
                          int64_t now_ms, struct arena *mem, struct flow_row *row)
{
    struct sql_db *db = db_of(store);
    struct flow_row found = { .expires_ms = 0 };
    const struct sql_value value = sql_bytes(hash_text(hash));
    const struct sql_call call = { SQL_FLOW_TAKE, "taking a login", &value, 1 };
    memcpy(found.state_hash, hash, FLOW_HASH_BYTES);
    enum status status = db->ops->begin(db, SQL_TO_WRITE, call.doing);
    if (status != ST_OK)
        return status;
    status = sql_first(db, &call);
    enum status reading = status == ST_OK ? read_flow(db, mem, &found) : ST_OK;
    db->ops->finish(db, SQL_FLOW_TAKE);
    status = db->ops->end(db, status, call.doing);
    if (status == ST_OK)
        status = reading; /* spent even if it can't be read */
    if (status == ST_OK && found.expires_ms <= now_ms)
        return ST_NOT_FOUND;
    if (status == ST_OK)
        *row = found;
    return status;
}

/* ------------------------------ connections ----------------------------- */

/* The columns of CONNECTION_COLUMNS that are text, in their order from 0; the values of the
 * statements that write begin with them. */
struct text_column {
    size_t offset;
    enum sql_need need;
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
    { offsetof(struct connection_row, kind), NOT_EMPTY },
    { offsetof(struct connection_row, auth_method), NOT_EMPTY },
    { offsetof(struct connection_row, header), MAY_BE_EMPTY },
};

enum connection_column {
    COL_GENERATION = COUNT(text_columns),
    COL_ACCESS,
    COL_REFRESH,
    COL_EXPIRES,
    COL_CREATED,
    COL_REFRESHED,
    COL_WANTED,
    COL_STEP_UPS,
    COL_USED
};

static const Str *text_of(const struct connection_row *row, size_t i)
{
    return (const Str *)(const void *)((const char *)row + text_columns[i].offset);
}

/* A static header has no issuer, no client and none of what belongs to them. */
static enum sql_need need_of(const struct connection_row *row, size_t i)
{
    size_t offset = text_columns[i].offset;
    bool is_oauth = offset == offsetof(struct connection_row, issuer) ||
                    offset == offsetof(struct connection_row, client_id) ||
                    offset == offsetof(struct connection_row, resource) ||
                    offset == offsetof(struct connection_row, token_endpoint);
    return is_oauth && str_eq(row->kind, STR("header")) ? MAY_BE_EMPTY : text_columns[i].need;
}

static bool has_texts(const struct connection_row *row)
{
    for (size_t i = 0; i < COUNT(text_columns); i++) {
        if (!sql_is_text(*text_of(row, i), need_of(row, i)))
            return false;
    }
    return true;
}

static bool is_connection(const struct connection_row *row)
{
    if (!has_texts(row) || row->step_ups < 0)
        return false;
    return sql_is_sealed(row->access, NOT_EMPTY) && sql_is_sealed(row->refresh, MAY_BE_EMPTY) &&
           row->expires_ms >= 0 && row->refreshed_ms >= 0 && row->generation >= 0;
}

enum status sql_connection_put(struct store *store, const struct connection_row *row,
                               int64_t *generation)
{
    struct sql_value values[SQL_VALUES_MAX];
    size_t n = 0;
    if (!is_connection(row))
        return ST_INVALID;
    for (; n < COUNT(text_columns); n++)
        values[n] = sql_text(*text_of(row, n));
    values[n++] = sql_bytes(row->access);
    values[n++] = sql_bytes(row->refresh);
    values[n++] = sql_integer(row->expires_ms);
    values[n++] = sql_integer(row->refreshed_ms);
    values[n++] = sql_integer(row->generation ? row->generation : row->step_ups);
    enum statement which = row->generation ? SQL_CONNECTION_REFRESH : SQL_CONNECTION_REPLACE;
    const struct sql_call call = { which, "storing tokens", values, n };
    enum status status = sql_write(db_of(store), &call, generation);
    return status == ST_NOT_FOUND ? ST_CONFLICT : status;
}

static enum status read_texts(struct sql_db *db, enum statement which, struct arena *mem,
                              struct connection_row *row)
{
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < COUNT(text_columns); i++) {
        Str text;
        status = sql_read_text(db, which, (int)i, MAY_BE_EMPTY, mem, &text);
        if (status == ST_OK)
            memcpy((char *)row + text_columns[i].offset, &text, sizeof text);
    }
    if (status == ST_OK)
        status = sql_read_text(db, which, COL_WANTED, MAY_BE_EMPTY, mem, &row->wanted);
    return status == ST_OK && !has_texts(row) ? ST_INVALID : status;
}

static enum status read_numbers(struct sql_db *db, enum statement which, struct connection_row *row)
{
    enum status status = sql_read_integer(db, which, COL_GENERATION, &row->generation);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_EXPIRES, &row->expires_ms);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_CREATED, &row->created_ms);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_REFRESHED, &row->refreshed_ms);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_STEP_UPS, &row->step_ups);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_USED, &row->used_ms);
    return status == ST_OK && row->generation <= 0 ? ST_INVALID : status;
}

static enum status read_connection(struct sql_db *db, enum statement which, struct arena *mem,
                                   struct connection_row *row)
{
    enum status status = read_texts(db, which, mem, row);
    if (status == ST_OK)
        status = sql_read_sealed(db, which, COL_ACCESS, MAY_BE_EMPTY, mem, &row->access);
    if (status == ST_OK)
        status = sql_read_sealed(db, which, COL_REFRESH, MAY_BE_EMPTY, mem, &row->refresh);
    if (status == ST_OK)
        status = read_numbers(db, which, row);
    if (status == ST_INVALID)
        log_error("store: a connection in the database breaks the store's rules");
    return status;
}

enum status sql_connection_get(struct store *store, Str server, Str principal, struct arena *mem,
                               struct connection_row *row)
{
    struct sql_db *db = db_of(store);
    struct connection_row found = { .generation = 0 };
    const struct sql_value values[] = { sql_text(server), sql_text(principal) };
    const struct sql_call call = { SQL_CONNECTION_GET, "looking up a connection", values,
                                   COUNT(values) };
    enum status status = sql_first(db, &call);
    if (status == ST_OK)
        status = read_connection(db, SQL_CONNECTION_GET, mem, &found);
    db->ops->finish(db, SQL_CONNECTION_GET);
    if (status == ST_OK)
        *row = found;
    return status;
}

static enum status list_connections(struct sql_db *db, struct arena *mem,
                                    struct connection_row **rows, size_t *count)
{
    static const struct sql_call counting = { SQL_CONNECTION_COUNT, "counting connections", NULL,
                                              0 };
    static const struct sql_call listing = { SQL_CONNECTION_ALL, "listing connections", NULL, 0 };
    int64_t max = 0;
    enum status status = sql_run(db, &counting, &max);
    if (status != ST_OK)
        return status;
    *rows = ARENA_NEW(mem, struct connection_row, (size_t)max);
    status = *rows ? sql_first(db, &listing) : ST_LIMIT;
    for (*count = 0; status == ST_OK && *count < (size_t)max; ++*count) {
        status = read_connection(db, listing.which, mem, &(*rows)[*count]);
        if (status == ST_OK)
            status = db->ops->step(db, listing.which, listing.doing);
    }
    db->ops->finish(db, listing.which);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status sql_connection_list(struct store *store, struct arena *mem,
                                struct connection_row **rows, size_t *count)
{
    struct sql_db *db = db_of(store);
    struct connection_row *found = NULL;
    size_t n = 0;
    enum status status = db->ops->begin(db, SQL_TO_READ, "listing connections");
    if (status != ST_OK)
        return status;
    status = db->ops->end(db, list_connections(db, mem, &found, &n), "listing connections");
    if (status != ST_OK)
        return status;
    *rows = found;
    *count = n;
    return ST_OK;
}

enum status sql_connection_mark(struct store *store, const struct connection_mark *mark,
                                int64_t *generation)
{
    enum statement which = mark->forget ? SQL_CONNECTION_FORGET : SQL_CONNECTION_MARK;
    const struct sql_value values[] = {
        sql_text(mark->server), sql_text(mark->principal),     sql_text(mark->state),
        sql_text(mark->reason), sql_integer(mark->generation),
    };
    const struct sql_call call = { which, "marking a connection", values, COUNT(values) };
    if (!sql_is_text(mark->state, NOT_EMPTY) || !sql_is_text(mark->reason, MAY_BE_EMPTY))
        return ST_INVALID;
    enum status status = sql_write(db_of(store), &call, generation);
    return status == ST_NOT_FOUND ? ST_CONFLICT : status;
}
