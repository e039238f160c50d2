/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - from where a store is to the store: which database, and the verbs over it. */
#include "runtime/store/store.h"

#include "runtime/store/sql.h"

#include <stdlib.h>

static enum status store_version(struct store *store, int64_t *version)
{
    struct sql_db *db = db_of(store);
    return db->ops->version(db, version);
}

static void store_close(struct store *store)
{
    struct sql_db *db = db_of(store);
    db->ops->close(db);
    free(store);
}

static const struct store_ops verbs = {
    .grant_add = sql_grant_add,
    .grant_by_hash = sql_grant_by_hash,
    .grant_list = sql_grant_list,
    .grant_revoke = sql_grant_revoke,
    .policy_version = sql_policy_version,
    .policy_raise = sql_policy_raise,
    .client_put = sql_client_put,
    .client_get = sql_client_get,
    .flow_add = sql_flow_add,
    .flow_take = sql_flow_take,
    .connection_put = sql_connection_put,
    .connection_get = sql_connection_get,
    .connection_list = sql_connection_list,
    .connection_mark = sql_connection_mark,
    .connection_end = sql_connection_end,
    .connection_used = sql_connection_used,
    .connection_want = sql_connection_want,
    .lease_take = sql_lease_take,
    .lease_drop = sql_lease_drop,
    .client_list = sql_client_list,
    .result_put = sql_result_put,
    .result_get = sql_result_get,
    .revocation_put = sql_revocation_put,
    .revocation_list = sql_revocation_list,
    .version = store_version,
    .close = store_close,
};

static enum status wrap(struct sql_db *db, struct store **out)
{
    struct store_sql *self = calloc(1, sizeof *self);
    if (!self) {
        db->ops->close(db);
        return ST_NO_MEMORY;
    }
    self->store.ops = &verbs;
    self->db = db;
    *out = &self->store;
    return ST_OK;
}

#define URL_SHORT "postgres://"
#define URL_LONG  "postgresql://"

bool store_is_url(Str where)
{
    return str_starts(where, STR(URL_SHORT)) || str_starts(where, STR(URL_LONG));
}

enum status store_open_sqlite(const char *path, struct store **out)
{
    struct sql_db *db = NULL;
    enum status status = sql_open_sqlite(path, &db);
    return status == ST_OK ? wrap(db, out) : status;
}

enum status store_open(const char *where, struct store **out)
{
    struct sql_db *db = NULL;
    enum status status =
        store_is_url(str_of(where)) ? sql_open_pg(where, &db) : sql_open_sqlite(where, &db);
    return status == ST_OK ? wrap(db, out) : status;
}

/* What libpq takes for user information: up to the first @ that comes before any slash. */
Str store_name(Str where)
{
    if (!store_is_url(where))
        return where;
    bool is_short = str_starts(where, STR(URL_SHORT));
    size_t host = is_short ? sizeof URL_SHORT - 1 : sizeof URL_LONG - 1, to;
    for (to = host; to < where.n && where.p[to] != '@' && where.p[to] != '/';)
        to++;
    if (to < where.n && where.p[to] == '@')
        host = to + 1;
    for (to = host; to < where.n && where.p[to] != '?' && where.p[to] != '#';)
        to++;
    return (Str){ where.p + host, to - host };
}
