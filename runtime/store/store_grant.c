/* SPDX-License-Identifier: Apache-2.0 */
/* store_grant.c - grants and the versions of policies, as rows. */
#include "runtime/base/log.h"
#include "runtime/store/sql.h"

/* In the order of GRANT_COLUMNS in statement.def. */
enum grant_column {
    COL_SEQ,
    COL_ID,
    COL_HASH,
    COL_PRINCIPAL,
    COL_POLICY,
    COL_LABEL,
    COL_CREATED,
    COL_EXPIRES,
    COL_REVOKED,
    COL_SERVER
};

static Str hash_text(const unsigned char hash[GRANT_HASH_BYTES])
{
    return (Str){ (const char *)hash, GRANT_HASH_BYTES };
}

static bool is_row(const struct grant_row *row)
{
    if (!sql_is_text(row->id, NOT_EMPTY) || !sql_is_text(row->principal, NOT_EMPTY) ||
        !sql_is_text(row->policy, NOT_EMPTY) || !sql_is_text(row->label, MAY_BE_EMPTY))
        return false;
    if (row->server_count == 0 || row->server_count > GRANT_SERVERS_MAX)
        return false;
    for (size_t i = 0; i < row->server_count; i++) {
        if (!sql_is_text(row->servers[i], NOT_EMPTY))
            return false;
    }
    return row->created_ms >= 0 && row->expires_ms >= 0 && row->revoked_ms >= 0;
}

static enum status insert_grant(struct sql_db *db, const struct grant_row *row, int64_t *seq)
{
    const struct sql_value values[] = {
        sql_text(row->id),
        sql_bytes(hash_text(row->hash)),
        sql_text(row->principal),
        sql_text(row->policy),
        sql_text(row->label),
        sql_integer(row->created_ms),
        sql_integer(row->expires_ms),
        sql_integer(row->revoked_ms),
    };
    const struct sql_call call = { SQL_GRANT_INSERT, "adding a grant", values, COUNT(values) };
    return sql_run(db, &call, seq);
}

static enum status insert_server(struct sql_db *db, int64_t seq, size_t position, Str server)
{
    const struct sql_value values[] = { sql_integer(seq), sql_integer((int64_t)position),
                                        sql_text(server) };
    const struct sql_call call = { SQL_SERVER_INSERT, "adding a grant's server", values,
                                   COUNT(values) };
    return sql_run(db, &call, NULL);
}

enum status sql_grant_add(struct store *store, const struct grant_row *row)
{
    struct sql_db *db = db_of(store);
    int64_t seq = 0;
    if (!is_row(row))
        return ST_INVALID;
    enum status status = db->ops->begin(db, SQL_TO_WRITE, "adding a grant");
    if (status != ST_OK)
        return status;
    status = insert_grant(db, row, &seq);
    for (size_t i = 0; status == ST_OK && i < row->server_count; i++)
        status = insert_server(db, seq, i, row->servers[i]);
    return db->ops->end(db, status, "adding a grant");
}

static enum status read_texts(struct sql_db *db, enum statement which, struct arena *mem,
                              struct grant_row *row)
{
    enum status status = sql_read_text(db, which, COL_ID, NOT_EMPTY, mem, &row->id);
    if (status == ST_OK)
        status = sql_read_text(db, which, COL_PRINCIPAL, NOT_EMPTY, mem, &row->principal);
    if (status == ST_OK)
        status = sql_read_text(db, which, COL_POLICY, NOT_EMPTY, mem, &row->policy);
    if (status == ST_OK)
        status = sql_read_text(db, which, COL_LABEL, MAY_BE_EMPTY, mem, &row->label);
    return status;
}

/* All of a grant but its servers. */
static enum status read_grant(struct sql_db *db, enum statement which, struct arena *mem,
                              struct grant_row *row)
{
    struct sql_value hash = db->ops->column(db, which, COL_HASH);
    if (hash.type != SQL_BYTES || hash.bytes.n != GRANT_HASH_BYTES)
        return ST_INVALID;
    memcpy(row->hash, hash.bytes.p, GRANT_HASH_BYTES);
    row->server_count = 0;
    enum status status = sql_read_integer(db, which, COL_CREATED, &row->created_ms);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_EXPIRES, &row->expires_ms);
    if (status == ST_OK)
        status = sql_read_integer(db, which, COL_REVOKED, &row->revoked_ms);
    return status == ST_OK ? read_texts(db, which, mem, row) : status;
}

static enum status read_server(struct sql_db *db, enum statement which, struct arena *mem,
                               struct grant_row *row)
{
    if (row->server_count == GRANT_SERVERS_MAX)
        return ST_INVALID;
    Str *server = &row->servers[row->server_count];
    enum status status = sql_read_text(db, which, COL_SERVER, NOT_EMPTY, mem, server);
    if (status == ST_OK)
        row->server_count++;
    return status;
}

struct grants {
    struct grant_row *rows;
    size_t max, count;
    int64_t last_seq;
};

/* One row of the join: a grant's next server, or the next grant with its first. */
static enum status read_joined(struct sql_db *db, enum statement which, struct arena *mem,
                               struct grants *grants)
{
    int64_t seq = 0;
    enum status status = sql_read_integer(db, which, COL_SEQ, &seq);
    if (status == ST_OK && (grants->count == 0 || seq != grants->last_seq)) {
        if (grants->count == grants->max)
            return ST_INVALID;
        status = read_grant(db, which, mem, &grants->rows[grants->count++]);
        grants->last_seq = seq;
    }
    return status == ST_OK ? read_server(db, which, mem, &grants->rows[grants->count - 1]) : status;
}

static enum status read_grants(struct sql_db *db, const struct sql_call *call, struct arena *mem,
                               struct grants *grants)
{
    enum status status = sql_first(db, call);
    while (status == ST_OK) {
        status = read_joined(db, call->which, mem, grants);
        if (status == ST_INVALID)
            log_error("store: a grant in the database breaks the store's rules");
        if (status == ST_OK)
            status = db->ops->step(db, call->which, call->doing);
    }
    db->ops->finish(db, call->which);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status sql_grant_by_hash(struct store *store, const unsigned char hash[GRANT_HASH_BYTES],
                              struct arena *mem, struct grant_row *row)
{
    struct grant_row found = { .created_ms = 0 };
    struct grants grants = { .rows = &found, .max = 1 };
    const struct sql_value value = sql_bytes(hash_text(hash));
    const struct sql_call call = { SQL_GRANT_BY_HASH, "looking up a grant", &value, 1 };
    enum status status = read_grants(db_of(store), &call, mem, &grants);
    if (status == ST_OK && grants.count == 0)
        return ST_NOT_FOUND;
    if (status == ST_OK)
        *row = found;
    return status;
}

static enum status list_grants(struct sql_db *db, struct arena *mem, struct grants *grants)
{
    static const struct sql_call counting = { SQL_GRANT_COUNT, "counting grants", NULL, 0 };
    static const struct sql_call listing = { SQL_GRANT_ALL, "listing grants", NULL, 0 };
    int64_t max = 0;
    enum status status = sql_run(db, &counting, &max);
    if (status != ST_OK)
        return status;
    grants->max = (size_t)max;
    grants->rows = ARENA_NEW(mem, struct grant_row, grants->max);
    return grants->rows ? read_grants(db, &listing, mem, grants) : ST_LIMIT;
}

enum status sql_grant_list(struct store *store, struct arena *mem, struct grant_row **rows,
                           size_t *count)
{
    struct sql_db *db = db_of(store);
    struct grants grants = { .max = 0 };
    enum status status = db->ops->begin(db, SQL_TO_READ, "listing grants");
    if (status != ST_OK)
        return status;
    status = db->ops->end(db, list_grants(db, mem, &grants), "listing grants");
    if (status != ST_OK)
        return status;
    *rows = grants.rows;
    *count = grants.count;
    return ST_OK;
}

enum status sql_grant_revoke(struct store *store, Str id, int64_t now_ms)
{
    int64_t seq = 0;
    /* 0 stands for "not revoked": a clock at the epoch must not undo the operator's word. */
    const struct sql_value values[] = { sql_text(id), sql_integer(now_ms > 0 ? now_ms : 1) };
    const struct sql_call call = { SQL_GRANT_REVOKE, "revoking a grant", values, COUNT(values) };
    if (!sql_is_text(id, NOT_EMPTY))
        return ST_NOT_FOUND;
    return sql_write(db_of(store), &call, &seq);
}

enum status sql_policy_version(struct store *store, Str name, uint32_t *version)
{
    int64_t found = 0;
    const struct sql_value value = sql_text(name);
    const struct sql_call call = { SQL_POLICY_VERSION, "looking up a policy's version", &value, 1 };
    if (!sql_is_text(name, NOT_EMPTY))
        return ST_INVALID;
    enum status status = sql_run(db_of(store), &call, &found);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    if (found < 0 || found > UINT32_MAX)
        return ST_INVALID;
    *version = (uint32_t)found;
    return ST_OK;
}

enum status sql_policy_raise(struct store *store, Str name, uint32_t version)
{
    const struct sql_value values[] = { sql_text(name), sql_integer(version) };
    const struct sql_call call = { SQL_POLICY_RAISE, "remembering a policy's version", values,
                                   COUNT(values) };
    if (!sql_is_text(name, NOT_EMPTY))
        return ST_INVALID;
    return sql_write(db_of(store), &call, NULL);
}
