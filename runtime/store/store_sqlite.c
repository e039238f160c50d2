/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.c - the embedded store: a database of sql.h in one file.
 *
 * Every statement is prepared once and reset after use, so that no read transaction stays open. A
 * write is done when COMMIT is durable (WAL, synchronous=FULL).
 */
#include "runtime/base/log.h"
#include "runtime/store/sql.h"
#include "runtime/store/sqlite_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEASE_PATH_MAX = 4096 };

/* Statements that only this database has. */
enum own_statement {
    OWN_BEGIN_READ,
    OWN_BEGIN_WRITE,
    OWN_COMMIT,
    OWN_ROLLBACK,
    OWN_VERSION,
    OWN_N
};

static const char *const own_texts[OWN_N] = {
    [OWN_BEGIN_READ] = "BEGIN",  [OWN_BEGIN_WRITE] = "BEGIN IMMEDIATE", [OWN_COMMIT] = "COMMIT",
    [OWN_ROLLBACK] = "ROLLBACK", [OWN_VERSION] = "PRAGMA data_version",
};

struct sqlite_store {
    struct sql_db base; /* first */
    sqlite3 *db;
    sqlite3_stmt *stmts[SQL_STATEMENTS], *own[OWN_N];
    uint32_t own_changes; /* commits by this connection, which data_version does not count */
    bool is_writing;
    int lease_fd; /* of the file beside the database whose bytes are leases; -1: not open */
};

static struct sqlite_store *self_of(struct sql_db *db)
{
    return (struct sqlite_store *)db;
}

static enum status run_own(struct sqlite_store *self, enum own_statement which, const char *doing)
{
    enum status status = sqlite_status(self->db, sqlite3_step(self->own[which]), doing);
    (void)sqlite3_reset(self->own[which]);
    return status;
}

static enum status sqlite_begin(struct sql_db *db, enum sql_purpose purpose, const char *doing)
{
    struct sqlite_store *self = self_of(db);
    self->is_writing = purpose == SQL_TO_WRITE;
    return run_own(self, self->is_writing ? OWN_BEGIN_WRITE : OWN_BEGIN_READ, doing);
}

static enum status sqlite_end(struct sql_db *db, enum status status, const char *doing)
{
    struct sqlite_store *self = self_of(db);
    if (status == ST_OK)
        status = run_own(self, OWN_COMMIT, doing);
    if (status == ST_OK && self->is_writing)
        self->own_changes++;
    /* Some errors have rolled back by themselves: a second rollback would only make noise. */
    if (status != ST_OK && !sqlite3_get_autocommit(self->db))
        (void)run_own(self, OWN_ROLLBACK, doing);
    return status;
}

/* A NULL pointer would bind SQL's NULL. */
static int bind_value(sqlite3_stmt *stmt, int index, const struct sql_value *value)
{
    const char *bytes = value->bytes.n ? value->bytes.p : "";
    if (value->type == SQL_INTEGER)
        return sqlite3_bind_int64(stmt, index, value->integer);
    if (value->type == SQL_TEXT)
        return sqlite3_bind_text64(stmt, index, bytes, value->bytes.n, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(stmt, index, bytes, value->bytes.n, SQLITE_STATIC);
}

/* SQLite numbers parameters as they occur, which need not be what their names say. */
static int index_of(sqlite3_stmt *stmt, size_t i)
{
    char name[24];
    (void)snprintf(name, sizeof name, "$%zu", i + 1);
    int index = sqlite3_bind_parameter_index(stmt, name);
    ENSURE(index > 0);
    return index;
}

static enum status sqlite_start(struct sql_db *db, enum statement which,
                                const struct sql_value *values, size_t count, const char *doing)
{
    struct sqlite_store *self = self_of(db);
    sqlite3_stmt *stmt = self->stmts[which];
    int rc = SQLITE_OK;
    ENSURE((size_t)sqlite3_bind_parameter_count(stmt) == count);
    for (size_t i = 0; rc == SQLITE_OK && i < count; i++)
        rc = bind_value(stmt, index_of(stmt, i), &values[i]);
    return sqlite_status(self->db, rc, doing);
}

static enum status sqlite_step(struct sql_db *db, enum statement which, const char *doing)
{
    struct sqlite_store *self = self_of(db);
    int rc = sqlite3_step(self->stmts[which]);
    return rc == SQLITE_DONE ? ST_NOT_FOUND : sqlite_status(self->db, rc, doing);
}

static struct sql_value sqlite_column(struct sql_db *db, enum statement which, int column)
{
    sqlite3_stmt *stmt = self_of(db)->stmts[which];
    const void *bytes;
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER: return sql_integer(sqlite3_column_int64(stmt, column));
    case SQLITE_TEXT:
        bytes = sqlite3_column_text(stmt, column);
        return sql_text((Str){ bytes, (size_t)sqlite3_column_bytes(stmt, column) });
    case SQLITE_BLOB:
        bytes = sqlite3_column_blob(stmt, column);
        return sql_bytes((Str){ bytes, (size_t)sqlite3_column_bytes(stmt, column) });
    default: return (struct sql_value){ .type = SQL_OTHER };
    }
}

/* Bound values go, too, since they are borrowed. */
static void sqlite_finish(struct sql_db *db, enum statement which)
{
    sqlite3_stmt *stmt = self_of(db)->stmts[which];
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
}

/* A store whose file was moved away or replaced would never see another revocation. */
static enum status check_in_place(struct sqlite_store *self)
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

static enum status sqlite_version(struct sql_db *db, int64_t *version)
{
    struct sqlite_store *self = self_of(db);
    sqlite3_stmt *stmt = self->own[OWN_VERSION];
    enum status status = check_in_place(self);
    if (status != ST_OK)
        return status;
    int rc = sqlite3_step(stmt);
    status = rc == SQLITE_DONE ? ST_IO : sqlite_status(self->db, rc, "asking for the version");
    uint32_t others = status == ST_OK ? (uint32_t)sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    if (status == ST_OK)
        *version = (int64_t)(((uint64_t)self->own_changes << 32) | others);
    return status;
}

/* ------------------------------- leases -------------------------------- */

/* A lease is a lock on one byte of a file beside the database, held by the open file: the kernel
 * takes it back the moment its holder is gone, however that came, so that nobody waits for the
 * dead. */
static enum status open_leases(struct sqlite_store *self)
{
    char path[LEASE_PATH_MAX];
    const char *database = sqlite3_db_filename(self->db, "main");
    if (self->lease_fd >= 0)
        return ST_OK;
    int n = snprintf(path, sizeof path, "%s-lease", database ? database : "");
    if (n < 0 || (size_t)n >= sizeof path)
        return ST_LIMIT;
    self->lease_fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR);
    if (self->lease_fd < 0)
        log_error("store: the file of leases can't be opened path=%s why=%s", path,
                  strerror(errno));
    return self->lease_fd >= 0 ? ST_OK : ST_IO;
}

static int set_lock(const struct sqlite_store *self, short type, int64_t number)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = number, .l_len = 1 };
    return fcntl(self->lease_fd, F_OFD_SETLK, &lock);
}

static enum status sqlite_lease_take(struct sql_db *db, int64_t number)
{
    struct sqlite_store *self = self_of(db);
    enum status status = open_leases(self);
    if (status != ST_OK)
        return status;
    if (set_lock(self, F_WRLCK, number) == 0)
        return ST_OK;
    return errno == EAGAIN || errno == EACCES ? ST_CONFLICT : ST_IO;
}

static void sqlite_lease_drop(struct sql_db *db, int64_t number)
{
    const struct sqlite_store *self = self_of(db);
    if (self->lease_fd >= 0 && set_lock(self, F_UNLCK, number) != 0)
        log_error("store: a lease can't be given back why=%s", strerror(errno));
}

static void sqlite_close(struct sql_db *db)
{
    struct sqlite_store *self = self_of(db);
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        (void)sqlite3_finalize(self->stmts[i]);
    for (size_t i = 0; i < OWN_N; i++)
        (void)sqlite3_finalize(self->own[i]);
    ENSURE(sqlite3_close(self->db) == SQLITE_OK);
    if (self->lease_fd >= 0)
        (void)close(self->lease_fd);
    free(self);
}

static const struct sql_db_ops sqlite_ops = {
    .name = "sqlite",
    .begin = sqlite_begin,
    .end = sqlite_end,
    .start = sqlite_start,
    .step = sqlite_step,
    .column = sqlite_column,
    .finish = sqlite_finish,
    .version = sqlite_version,
    .lease_take = sqlite_lease_take,
    .lease_drop = sqlite_lease_drop,
    .close = sqlite_close,
};

static enum status prepare_all(struct sqlite_store *self, const char *const *texts,
                               sqlite3_stmt **stmts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int rc =
            sqlite3_prepare_v3(self->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &stmts[i], NULL);
        if (rc != SQLITE_OK)
            return sqlite_status(self->db, rc, "preparing statements");
    }
    return ST_OK;
}

enum status sql_open_sqlite(const char *path, struct sql_db **out)
{
    sqlite3 *db = NULL;
    enum status status = sqlite_open(path, &db);
    if (status != ST_OK)
        return status;
    struct sqlite_store *self = calloc(1, sizeof *self);
    if (!self) {
        (void)sqlite3_close(db);
        return ST_NO_MEMORY;
    }
    self->base.ops = &sqlite_ops;
    self->lease_fd = -1;
    self->db = db;
    status = prepare_all(self, sql_texts, self->stmts, SQL_STATEMENTS);
    if (status == ST_OK)
        status = prepare_all(self, own_texts, self->own, OWN_N);
    if (status != ST_OK) {
        sqlite_close(&self->base);
        return status;
    }
    *out = &self->base;
    return ST_OK;
}
