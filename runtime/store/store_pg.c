/* SPDX-License-Identifier: Apache-2.0 */
/* store_pg.c - the shared store: a database of sql.h in PostgreSQL, for several gateways.
 *
 * All writers update the one row of store_state first, so that they wait for each other as
 * SQLite's do, and its counter tells readers that something has changed. A NOTIFY at each commit
 * tells them at once; should one get lost with its connection, the counter is asked again when it
 * has not been asked for PG_TRUST_MS.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/store/pg_link.h"

#include <stdio.h>
#include <stdlib.h>

enum { MIGRATION_TEXT_MAX = 160 };

struct migration {
    int64_t number;
    const char *sql;
};

/* What schema.def leaves to the database. */
#define COL_SEQ       "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
#define COL_TEXT      "TEXT COLLATE \"C\""
#define COL_BYTES     "BYTEA"
#define COL_INT       "BIGINT"
#define ROW_END       ");"
#define ROW_KEYED_END ");"
static const struct migration migrations[] = {
#define MIGRATION(number, sql) { (number), sql },
#include "runtime/store/schema.def"
#undef MIGRATION
};
#undef COL_SEQ
#undef COL_TEXT
#undef COL_BYTES
#undef COL_INT
#undef ROW_END
#undef ROW_KEYED_END

struct pg_store {
    struct sql_db base; /* first */
    char *url;
    struct pg_link link;
    uint32_t prepared; /* link.made of the connection that was set up */
    PGresult *result;  /* of the statement that runs */
    int row;
    bool is_writing, is_open;    /* a transaction */
    int64_t changes, trusted_ms; /* the counter, and until when it counts */
};

static struct pg_store *self_of(struct sql_db *db)
{
    return (struct pg_store *)db;
}

/* ------------------------------- set-up --------------------------------- */

/* The lock's key is any number that others are unlikely to use: "mcpd". */
static const char migrate_begin[] =
    "BEGIN; SELECT pg_advisory_xact_lock(1835233380); CREATE SCHEMA IF NOT EXISTS mcpd;"
    "CREATE TABLE IF NOT EXISTS mcpd.store_state (only_row BOOLEAN PRIMARY KEY CHECK (only_row),"
    " schema BIGINT NOT NULL, changes BIGINT NOT NULL);"
    "INSERT INTO mcpd.store_state VALUES (TRUE, 0, 0) ON CONFLICT DO NOTHING";

static const char settings[] =
    "SET search_path = mcpd, pg_temp; SET synchronous_commit = on; SET statement_timeout = 4000;"
    "SET idle_in_transaction_session_timeout = 10000; SET client_min_messages = error;"
    "SET bytea_output = hex";

static int64_t newest_schema(void)
{
    return migrations[COUNT(migrations) - 1].number;
}

static enum status read_schema(struct pg_store *self, int64_t *schema)
{
    enum status status = pg_ask_integer(&self->link,
                                        "SELECT CASE WHEN to_regclass('mcpd.store_state') IS NULL "
                                        "THEN 0::bigint ELSE 1::bigint END",
                                        "looking for tables", schema);
    if (status != ST_OK || *schema == 0)
        return status;
    return pg_ask_integer(&self->link, "SELECT schema FROM mcpd.store_state", "reading the schema",
                          schema);
}

static enum status run_migrations(struct pg_store *self, int64_t schema)
{
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < COUNT(migrations); i++) {
        char stamp[MIGRATION_TEXT_MAX];
        if (migrations[i].number <= schema)
            continue;
        status = pg_tell(&self->link, migrations[i].sql, NULL, "migrating");
        (void)snprintf(stamp, sizeof stamp, "UPDATE store_state SET schema = %lld",
                       (long long)migrations[i].number);
        if (status == ST_OK)
            status = pg_tell(&self->link, stamp, "UPDATE 1", "migrating");
    }
    return status;
}

/* In one transaction, and by one process at a time. */
static enum status migrate(struct pg_store *self)
{
    int64_t schema = 0;
    enum status status = pg_tell(&self->link, migrate_begin, NULL, "migrating");
    if (status == ST_OK)
        status = read_schema(self, &schema); /* again: another process may have been here */
    if (status == ST_OK)
        status = run_migrations(self, schema);
    if (status == ST_OK)
        return pg_tell(&self->link, "COMMIT", "COMMIT", "migrating");
    if (self->link.conn)
        (void)pg_tell(&self->link, "ROLLBACK", NULL, "migrating");
    return status;
}

static enum status check_encoding(struct pg_store *self)
{
    const char *encoding = PQparameterStatus(self->link.conn, "server_encoding");
    if (encoding && str_eq(str_of(encoding), STR("UTF8")))
        return ST_OK;
    log_error("store: the database's encoding is %s, not UTF8", encoding ? encoding : "unknown");
    return ST_UNSUPPORTED;
}

static enum status set_up(struct pg_store *self)
{
    int64_t schema = 0;
    enum status status = check_encoding(self);
    if (status == ST_OK)
        status = pg_tell(&self->link, settings, NULL, "setting up");
    if (status == ST_OK)
        status = read_schema(self, &schema);
    if (status == ST_OK && schema > newest_schema()) {
        log_error("store: schema %lld is newer than this program's %lld", (long long)schema,
                  (long long)newest_schema());
        return ST_UNSUPPORTED;
    }
    if (status == ST_OK && schema < newest_schema())
        status = migrate(self);
    return status == ST_OK ? pg_tell(&self->link, "LISTEN mcpd_store", NULL, "setting up") : status;
}

/* A connection that is set up. What was known of the counter came over the one before. */
static enum status be_ready(struct pg_store *self)
{
    enum status status = pg_link_up(&self->link);
    if (status != ST_OK || self->prepared == self->link.made)
        return status;
    self->trusted_ms = 0;
    status = set_up(self);
    if (status == ST_OK)
        self->prepared = self->link.made;
    else
        pg_link_down(&self->link);
    return status;
}

/* ---------------------------- the operations ---------------------------- */

static enum status pg_begin(struct sql_db *db, enum sql_purpose purpose, const char *doing)
{
    static const char reading[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    static const char writing[] = "BEGIN; UPDATE store_state SET changes = changes + 1";
    struct pg_store *self = self_of(db);
    enum status status = be_ready(self);
    if (status != ST_OK)
        return status;
    self->is_writing = purpose == SQL_TO_WRITE;
    status = self->is_writing ? pg_tell(&self->link, writing, "UPDATE 1", doing)
                              : pg_tell(&self->link, reading, "BEGIN", doing);
    self->is_open = status == ST_OK;
    if (!self->is_open && self->link.conn)
        (void)pg_tell(&self->link, "ROLLBACK", NULL, doing);
    return status;
}

static enum status pg_end(struct sql_db *db, enum status status, const char *doing)
{
    struct pg_store *self = self_of(db);
    self->is_open = false;
    if (status == ST_OK && self->is_writing) {
        self->trusted_ms = 0; /* the counter is another one now */
        return pg_tell(&self->link, "NOTIFY mcpd_store; COMMIT", "COMMIT", doing);
    }
    if (status == ST_OK)
        return pg_tell(&self->link, "COMMIT", "COMMIT", doing);
    if (self->link.conn)
        (void)pg_tell(&self->link, "ROLLBACK", NULL, doing);
    return status;
}

static enum status pg_start(struct sql_db *db, enum statement which, const struct sql_value *values,
                            size_t count, const char *doing)
{
    struct pg_store *self = self_of(db);
    enum status status = self->is_open ? ST_OK : be_ready(self);
    self->row = -1;
    if (status == ST_OK)
        status = pg_ask(&self->link, sql_texts[which], values, count, doing, &self->result);
    return status;
}

static enum status pg_step(struct sql_db *db, enum statement which, const char *doing)
{
    struct pg_store *self = self_of(db);
    (void)which;
    (void)doing;
    self->row++;
    return self->row < PQntuples(self->result) ? ST_OK : ST_NOT_FOUND;
}

static struct sql_value pg_column(struct sql_db *db, enum statement which, int column)
{
    struct pg_store *self = self_of(db);
    (void)which;
    return pg_value(self->result, self->row, column);
}

static void pg_finish(struct sql_db *db, enum statement which)
{
    struct pg_store *self = self_of(db);
    (void)which;
    PQclear(self->result);
    self->result = NULL;
}

/* True when somebody said that there is news, or the connection is gone. */
static bool hears_news(struct pg_link *link)
{
    if (!pg_link_hears(link))
        return true;
    PGnotify *notify = PQnotifies(link->conn);
    bool has_news = notify != NULL;
    for (; notify; notify = PQnotifies(link->conn))
        PQfreemem(notify);
    return has_news;
}

static enum status pg_version(struct sql_db *db, int64_t *version)
{
    static const char asking[] = "SELECT changes FROM store_state";
    struct pg_store *self = self_of(db);
    int64_t now_ms = world_mono_ms();
    enum status status = ST_OK;
    if (hears_news(&self->link) || now_ms >= self->trusted_ms) {
        status = be_ready(self);
        if (status == ST_OK)
            status = pg_ask_integer(&self->link, asking, "asking for the version", &self->changes);
        self->trusted_ms = status == ST_OK ? now_ms + PG_TRUST_MS : 0;
    }
    if (status == ST_OK)
        *version = self->changes;
    return status;
}

/* An advisory lock of the session: gone with the connection, however that ends. */
static enum status ask_lock(struct pg_store *self, const char *verb, int64_t number,
                            int64_t *answer)
{
    char text[MIGRATION_TEXT_MAX];
    (void)snprintf(text, sizeof text, "SELECT CASE WHEN %s(%lld) THEN 1::bigint ELSE 0::bigint END",
                   verb, (long long)number);
    enum status status = be_ready(self);
    return status == ST_OK ? pg_ask_integer(&self->link, text, "asking for a lease", answer)
                           : status;
}

static enum status pg_lease_take(struct sql_db *db, int64_t number)
{
    int64_t has_lease = 0;
    enum status status = ask_lock(self_of(db), "pg_try_advisory_lock", number, &has_lease);
    return status == ST_OK && !has_lease ? ST_CONFLICT : status;
}

static void pg_lease_drop(struct sql_db *db, int64_t number)
{
    int64_t answer = 0;
    if (ask_lock(self_of(db), "pg_advisory_unlock", number, &answer) != ST_OK)
        log_warn("store: a lease can't be given back; it goes with the connection");
}

static void pg_close(struct sql_db *db)
{
    struct pg_store *self = self_of(db);
    pg_link_down(&self->link);
    free(self->url);
    free(self);
}

static const struct sql_db_ops pg_ops = {
    .name = "postgresql",
    .begin = pg_begin,
    .end = pg_end,
    .start = pg_start,
    .step = pg_step,
    .column = pg_column,
    .finish = pg_finish,
    .version = pg_version,
    .lease_take = pg_lease_take,
    .lease_drop = pg_lease_drop,
    .close = pg_close,
};

enum status sql_open_pg(const char *url, struct sql_db **out)
{
    enum status status = pg_check_url(url);
    if (status != ST_OK)
        return status;
    struct pg_store *self = calloc(1, sizeof *self);
    char *copy = strdup(url);
    if (!self || !copy) {
        free(self);
        free(copy);
        return ST_NO_MEMORY;
    }
    self->base.ops = &pg_ops;
    self->url = copy;
    self->link.url = copy;
    status = be_ready(self);
    if (status != ST_OK) {
        pg_close(&self->base);
        return status;
    }
    *out = &self->base;
    return ST_OK;
}
