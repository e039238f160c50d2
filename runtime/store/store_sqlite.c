/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.c - the embedded store: the verbs of store.h as SQLite statements.
 *
 * Every statement is prepared once and reset after use, so that no read transaction stays open.
 * Writing verbs are one transaction each and done when COMMIT is durable (WAL, synchronous=FULL).
 * What comes out of the file is checked like input: a row that breaks store.h's limits is refused.
 */
#include "runtime/store/store_sqlite.h"

#include "runtime/base/log.h"
#include "runtime/store/sqlite_open.h"

#include <stdlib.h>

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

static const char *const sql_texts[SQL_STATEMENTS] = {
#define SQL(name, text) [SQL_##name] = (text),
#include "runtime/store/statement.def"
#undef SQL
};

void sqlite_finish(struct store_sqlite *self, enum statement which)
{
    (void)sqlite3_reset(self->stmts[which]);
    (void)sqlite3_clear_bindings(self->stmts[which]);
}

enum status sqlite_run(struct store_sqlite *self, enum statement which, const char *doing)
{
    int rc = sqlite3_step(self->stmts[which]);
    enum status status = sqlite_status(self->db, rc, doing);
    sqlite_finish(self, which);
    return status;
}

enum status sqlite_end(struct store_sqlite *self, enum status status, const char *doing)
{
    if (status == ST_OK)
        status = sqlite_run(self, SQL_COMMIT, doing);
    /* Some errors have rolled back by themselves: a second rollback would only make noise. */
    if (status != ST_OK && !sqlite3_get_autocommit(self->db))
        (void)sqlite_run(self, SQL_ROLLBACK, doing);
    return status;
}

int sqlite_bind_str(sqlite3_stmt *stmt, int index, Str text)
{
    /* A NULL pointer would bind SQL's NULL. */
    const char *bytes = text.n ? text.p : "";
    return sqlite3_bind_text64(stmt, index, bytes, text.n, SQLITE_STATIC, SQLITE_UTF8);
}

bool sqlite_is_text(Str text, bool may_be_empty)
{
    if (text.n == 0)
        return may_be_empty;
    return text.n <= GRANT_TEXT_MAX && !memchr(text.p, '\0', text.n) && utf8_is_valid(text);
}

static bool is_row(const struct grant_row *row)
{
    if (!sqlite_is_text(row->id, false) || !sqlite_is_text(row->principal, false) ||
        !sqlite_is_text(row->policy, false) || !sqlite_is_text(row->label, true))
        return false;
    if (row->server_count == 0 || row->server_count > GRANT_SERVERS_MAX)
        return false;
    for (size_t i = 0; i < row->server_count; i++) {
        if (!sqlite_is_text(row->servers[i], false))
            return false;
    }
    return row->created_ms >= 0 && row->expires_ms >= 0 && row->revoked_ms >= 0;
}

static enum status insert_grant(struct store_sqlite *self, const struct grant_row *row)
{
    sqlite3_stmt *stmt = self->stmts[SQL_GRANT_INSERT];
    int rc = sqlite_bind_str(stmt, 1, row->id);
    rc = rc ? rc : sqlite3_bind_blob(stmt, 2, row->hash, GRANT_HASH_BYTES, SQLITE_STATIC);
    rc = rc ? rc : sqlite_bind_str(stmt, 3, row->principal);
    rc = rc ? rc : sqlite_bind_str(stmt, 4, row->policy);
    rc = rc ? rc : sqlite_bind_str(stmt, 5, row->label);
    rc = rc ? rc : sqlite3_bind_int64(stmt, 6, row->created_ms);
    rc = rc ? rc : sqlite3_bind_int64(stmt, 7, row->expires_ms);
    rc = rc ? rc : sqlite3_bind_int64(stmt, 8, row->revoked_ms);
    if (rc == SQLITE_OK)
        return sqlite_run(self, SQL_GRANT_INSERT, "adding a grant");
    sqlite_finish(self, SQL_GRANT_INSERT);
    return sqlite_status(self->db, rc, "adding a grant");
}

static enum status insert_servers(struct store_sqlite *self, const struct grant_row *row)
{
    sqlite3_stmt *stmt = self->stmts[SQL_SERVER_INSERT];
    sqlite3_int64 seq = sqlite3_last_insert_rowid(self->db);
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < row->server_count; i++) {
        int rc = sqlite3_bind_int64(stmt, 1, seq);
        rc = rc ? rc : sqlite3_bind_int64(stmt, 2, (sqlite3_int64)i);
        rc = rc ? rc : sqlite_bind_str(stmt, 3, row->servers[i]);
        if (rc == SQLITE_OK)
            status = sqlite_run(self, SQL_SERVER_INSERT, "adding a grant's server");
        else
            status = sqlite_status(self->db, rc, "adding a grant's server");
    }
    sqlite_finish(self, SQL_SERVER_INSERT);
    return status;
}

static enum status sqlite_grant_add(struct store *store, const struct grant_row *row)
{
    struct store_sqlite *self = self_of(store);
    if (!is_row(row))
        return ST_INVALID;
    enum status status = sqlite_run(self, SQL_BEGIN_WRITE, "adding a grant");
    if (status != ST_OK)
        return status;
    status = insert_grant(self, row);
    if (status == ST_OK)
        status = insert_servers(self, row);
    status = sqlite_end(self, status, "adding a grant");
    if (status == ST_OK)
        self->own_changes++;
    return status;
}

enum status sqlite_read_str(sqlite3_stmt *stmt, int column, bool may_be_empty, struct arena *mem,
                            Str *out)
{
    if (sqlite3_column_type(stmt, column) != SQLITE_TEXT)
        return ST_INVALID;
    const unsigned char *bytes = sqlite3_column_text(stmt, column);
    if (!bytes)
        return ST_NO_MEMORY;
    Str text = { .p = (const char *)bytes, .n = (size_t)sqlite3_column_bytes(stmt, column) };
    if (!sqlite_is_text(text, may_be_empty))
        return ST_INVALID;
    *out = arena_copy(mem, text);
    return out->p ? ST_OK : ST_LIMIT;
}

static enum status read_text(sqlite3_stmt *stmt, enum grant_column column, struct arena *mem,
                             Str *out)
{
    return sqlite_read_str(stmt, (int)column, column == COL_LABEL, mem, out);
}

/* All of a grant but its servers. */
static enum status read_grant(sqlite3_stmt *stmt, struct arena *mem, struct grant_row *row)
{
    const void *hash = sqlite3_column_blob(stmt, COL_HASH);
    if (!hash || sqlite3_column_bytes(stmt, COL_HASH) != GRANT_HASH_BYTES)
        return ST_INVALID;
    memcpy(row->hash, hash, GRANT_HASH_BYTES);
    row->server_count = 0;
    row->created_ms = sqlite3_column_int64(stmt, COL_CREATED);
    row->expires_ms = sqlite3_column_int64(stmt, COL_EXPIRES);
    row->revoked_ms = sqlite3_column_int64(stmt, COL_REVOKED);
    enum status status = read_text(stmt, COL_ID, mem, &row->id);
    if (status == ST_OK)
        status = read_text(stmt, COL_PRINCIPAL, mem, &row->principal);
    if (status == ST_OK)
        status = read_text(stmt, COL_POLICY, mem, &row->policy);
    if (status == ST_OK)
        status = read_text(stmt, COL_LABEL, mem, &row->label);
    return status;
}

static enum status read_server(sqlite3_stmt *stmt, struct arena *mem, struct grant_row *row)
{
    if (row->server_count == GRANT_SERVERS_MAX)
        return ST_INVALID;
    enum status status = read_text(stmt, COL_SERVER, mem, &row->servers[row->server_count]);
    if (status == ST_OK)
        row->server_count++;
    return status;
}

/* Reads the joined rows of a running statement into at most max grants; *count says how many. */
static enum status read_grants(struct store_sqlite *self, enum statement which, struct arena *mem,
                               struct grant_row *rows, size_t max, size_t *count)
{
    sqlite3_stmt *stmt = self->stmts[which];
    sqlite3_int64 seq = 0;
    enum status status = ST_OK;
    size_t n = 0;
    int rc = sqlite3_step(stmt);
    for (; status == ST_OK && rc == SQLITE_ROW; rc = status == ST_OK ? sqlite3_step(stmt) : rc) {
        if (n == 0 || sqlite3_column_int64(stmt, COL_SEQ) != seq) {
            seq = sqlite3_column_int64(stmt, COL_SEQ);
            status = n < max ? read_grant(stmt, mem, &rows[n]) : ST_INVALID;
            n++;
        }
        if (status == ST_OK)
            status = read_server(stmt, mem, &rows[n - 1]);
    }
    if (status == ST_INVALID)
        log_error("store: a grant in the file breaks the store's rules");
    if (status == ST_OK)
        status = sqlite_status(self->db, rc, "reading grants");
    sqlite_finish(self, which);
    *count = n;
    return status;
}

static enum status sqlite_grant_by_hash(struct store *store,
                                        const unsigned char hash[GRANT_HASH_BYTES],
                                        struct arena *mem, struct grant_row *row)
{
    struct store_sqlite *self = self_of(store);
    struct grant_row found = { .created_ms = 0 };
    size_t count = 0;
    int rc =
        sqlite3_bind_blob(self->stmts[SQL_GRANT_BY_HASH], 1, hash, GRANT_HASH_BYTES, SQLITE_STATIC);
    if (rc != SQLITE_OK)
        return sqlite_status(self->db, rc, "looking up a grant");
    enum status status = read_grants(self, SQL_GRANT_BY_HASH, mem, &found, 1, &count);
    if (status == ST_OK && count == 0)
        return ST_NOT_FOUND;
    if (status == ST_OK)
        *row = found;
    return status;
}

static enum status count_grants(struct store_sqlite *self, size_t *count)
{
    sqlite3_stmt *stmt = self->stmts[SQL_GRANT_COUNT];
    int rc = sqlite3_step(stmt);
    enum status status = sqlite_status(self->db, rc, "counting grants");
    if (status == ST_OK)
        *count = (size_t)sqlite3_column_int64(stmt, 0);
    sqlite_finish(self, SQL_GRANT_COUNT);
    return status;
}

static enum status sqlite_grant_list(struct store *store, struct arena *mem,
                                     struct grant_row **rows, size_t *count)
{
    struct store_sqlite *self = self_of(store);
    struct grant_row *found = NULL;
    size_t max = 0, n = 0;
    /* One read transaction, so that the count and the rows are of the same moment. */
    enum status status = sqlite_run(self, SQL_BEGIN_READ, "listing grants");
    if (status != ST_OK)
        return status;
    status = count_grants(self, &max);
    if (status == ST_OK) {
        found = ARENA_NEW(mem, struct grant_row, max);
        status = found ? read_grants(self, SQL_GRANT_ALL, mem, found, max, &n) : ST_LIMIT;
    }
    status = sqlite_end(self, status, "listing grants");
    if (status != ST_OK)
        return status;
    *rows = found;
    *count = n;
    return ST_OK;
}

static enum status sqlite_grant_revoke(struct store *store, Str id, int64_t now_ms)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_GRANT_REVOKE];
    /* 0 stands for "not revoked": a clock at the epoch must not undo the operator's word. */
    int rc = sqlite3_bind_int64(stmt, 2, now_ms > 0 ? now_ms : 1);
    rc = rc ? rc : sqlite_bind_str(stmt, 1, id);
    if (rc != SQLITE_OK) {
        sqlite_finish(self, SQL_GRANT_REVOKE);
        return sqlite_status(self->db, rc, "revoking a grant");
    }
    enum status status = sqlite_run(self, SQL_GRANT_REVOKE, "revoking a grant");
    if (status != ST_OK)
        return status;
    if (sqlite3_changes(self->db) == 0)
        return ST_NOT_FOUND;
    self->own_changes++;
    return ST_OK;
}

static enum status sqlite_policy_version(struct store *store, Str name, uint32_t *version)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_POLICY_VERSION];
    uint32_t found = 0;
    if (!sqlite_is_text(name, false))
        return ST_INVALID;
    int rc = sqlite_bind_str(stmt, 1, name);
    rc = rc ? rc : sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        found = (uint32_t)sqlite3_column_int64(stmt, 0);
    enum status status = sqlite_status(self->db, rc, "looking up a policy's version");
    sqlite_finish(self, SQL_POLICY_VERSION);
    if (status == ST_OK)
        *version = found;
    return status;
}

/* Grants are not touched, so caches of them need not hear of it: own_changes stays. */
static enum status sqlite_policy_raise(struct store *store, Str name, uint32_t version)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_POLICY_RAISE];
    if (!sqlite_is_text(name, false))
        return ST_INVALID;
    int rc = sqlite_bind_str(stmt, 1, name);
    rc = rc ? rc : sqlite3_bind_int64(stmt, 2, version);
    if (rc == SQLITE_OK)
        return sqlite_run(self, SQL_POLICY_RAISE, "remembering a policy's version");
    sqlite_finish(self, SQL_POLICY_RAISE);
    return sqlite_status(self->db, rc, "remembering a policy's version");
}

/* A store whose file was moved away or replaced would never see another revocation. */
static enum status check_in_place(struct store_sqlite *self)
{
    int has_moved = 0;
    int rc = sqlite3_file_control(self->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    if (rc != SQLITE_OK)
        return sqlite_status(self->db, rc, "looking at the file");
    if (!has_moved)
        return ST_OK;
    log_error("store: the file was moved, removed or replaced while it was open");
    return ST_IO;
}

static enum status sqlite_version(struct store *store, int64_t *version)
{
    struct store_sqlite *self = self_of(store);
    sqlite3_stmt *stmt = self->stmts[SQL_DATA_VERSION];
    enum status status = check_in_place(self);
    if (status != ST_OK)
        return status;
    int rc = sqlite3_step(stmt);
    status = rc == SQLITE_DONE ? ST_IO : sqlite_status(self->db, rc, "asking for the version");
    uint32_t others = status == ST_OK ? (uint32_t)sqlite3_column_int64(stmt, 0) : 0;
    sqlite_finish(self, SQL_DATA_VERSION);
    if (status == ST_OK)
        *version = (int64_t)(((uint64_t)self->own_changes << 32) | others);
    return status;
}

static void sqlite_close(struct store *store)
{
    struct store_sqlite *self = self_of(store);
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        (void)sqlite3_finalize(self->stmts[i]);
    ENSURE(sqlite3_close(self->db) == SQLITE_OK);
    free(self);
}

static const struct store_ops sqlite_ops = {
    .name = "sqlite",
    .grant_add = sqlite_grant_add,
    .grant_by_hash = sqlite_grant_by_hash,
    .grant_list = sqlite_grant_list,
    .grant_revoke = sqlite_grant_revoke,
    .policy_version = sqlite_policy_version,
    .policy_raise = sqlite_policy_raise,
    .client_put = sqlite_client_put,
    .client_get = sqlite_client_get,
    .flow_add = sqlite_flow_add,
    .flow_take = sqlite_flow_take,
    .connection_put = sqlite_connection_put,
    .connection_get = sqlite_connection_get,
    .connection_list = sqlite_connection_list,
    .connection_mark = sqlite_connection_mark,
    .version = sqlite_version,
    .close = sqlite_close,
};

static enum status prepare_all(struct store_sqlite *self)
{
    for (size_t i = 0; i < SQL_STATEMENTS; i++) {
        int rc = sqlite3_prepare_v3(self->db, sql_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &self->stmts[i], NULL);
        if (rc != SQLITE_OK)
            return sqlite_status(self->db, rc, "preparing statements");
    }
    return ST_OK;
}

enum status store_open_sqlite(const char *path, struct store **out)
{
    sqlite3 *db = NULL;
    enum status status = sqlite_open(path, &db);
    if (status != ST_OK)
        return status;
    struct store_sqlite *self = calloc(1, sizeof *self);
    if (!self) {
        (void)sqlite3_close(db);
        return ST_NO_MEMORY;
    }
    self->store.ops = &sqlite_ops;
    self->db = db;
    status = prepare_all(self);
    if (status != ST_OK) {
        sqlite_close(&self->store);
        return status;
    }
    *out = &self->store;
    return ST_OK;
}
