/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_open.c - from a path to a database that deserves trust.
 *
 * The file is created by us with mode 0600 before SQLite sees it (its -wal and -shm files take the
 * mode over), and a file that others may read or write is refused rather than repaired: whoever
 * could change it may have done so. Views, triggers and writable schema are switched off, since we
 * have none and a tampered file could. Migrations run forward only, in one transaction each.
 */
#include "runtime/store/sqlite_open.h"

#include "runtime/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAL_RETRY_MS = 10, SETTING_TEXT_MAX = 96 };

struct migration {
    int number;
    const char *sql;
};

/* What schema.def leaves to the database. */
#define COL_SEQ       "INTEGER PRIMARY KEY"
#define COL_TEXT      "TEXT"
#define COL_BYTES     "BLOB"
#define COL_INT       "INTEGER"
#define ROW_END       ") STRICT;"
#define ROW_KEYED_END ") STRICT, WITHOUT ROWID;"
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

static int newest_schema(void)
{
    return migrations[COUNT(migrations) - 1].number;
}

enum status sqlite_status(sqlite3 *db, int rc, const char *doing)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return ST_OK;
    case SQLITE_CONSTRAINT:
        if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
            return ST_CONFLICT;
        break;
    default: break;
    }
    log_error("store: %s: %s (%d)", doing, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc), rc);
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ST_TIMEOUT;
    case SQLITE_NOMEM: return ST_NO_MEMORY;
    case SQLITE_TOOBIG: return ST_LIMIT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return ST_INVALID;
    case SQLITE_PERM:
    case SQLITE_AUTH: return ST_DENIED;
    default: return ST_IO;
    }
}

/* A new directory entry is durable once its directory is. */
static enum status sync_folder_of(const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return ST_NO_MEMORY;
    char *slash = strrchr(folder, '/');
    const char *name = !slash ? "." : slash == folder ? "/" : folder;
    if (slash && slash != folder)
        *slash = '\0';
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems can't sync a directory and say EINVAL: nothing more can be done there. */
    bool is_synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0)
        (void)close(fd);
    free(folder);
    return is_synced ? ST_OK : ST_IO;
}

/* stat, not open: closing any descriptor of the file would drop the locks that another
 * connection of this process holds on it (POSIX record locks). */
static enum status check_file(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        log_error("store: %s: %s", path, strerror(errno));
        return ST_IO;
    }
    if (!S_ISREG(info.st_mode)) {
        log_error("store: %s: not a regular file", path);
        return ST_INVALID;
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        log_error("store: %s: group or others have access (mode %03o); refused until it is 600",
                  path, (unsigned)(info.st_mode & 0777));
        return ST_DENIED;
    }
    return ST_OK;
}

static enum status make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EEXIST)
        return check_file(path);
    if (fd < 0) {
        log_error("store: %s: %s", path, strerror(errno));
        return ST_IO;
    }
    /* The umask can only have taken bits away; a file that its owner can't read helps nobody. */
    bool is_usable = fchmod(fd, S_IRUSR | S_IWUSR) == 0;
    (void)close(fd);
    enum status status = is_usable ? sync_folder_of(path) : ST_IO;
    if (status != ST_OK)
        log_error("store: %s: created, but not made durable: %s", path, strerror(errno));
    return status;
}

static enum status run(sqlite3 *db, const char *sql, const char *doing)
{
    return sqlite_status(db, sqlite3_exec(db, sql, NULL, NULL, NULL), doing);
}

/* The one integer that a statement yields. */
static enum status read_int(sqlite3 *db, const char *sql, int *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    int value = rc == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
    enum status status = rc == SQLITE_ROW ? ST_OK : sqlite_status(db, rc, "reading the header");
    (void)sqlite3_finalize(stmt);
    if (status != ST_OK)
        return status;
    *out = value;
    return rc == SQLITE_ROW ? ST_OK : ST_IO;
}

static enum status harden(sqlite3 *db)
{
    static const struct {
        int option, value;
    } settings[] = {
        { SQLITE_DBCONFIG_DEFENSIVE, 1 },      { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
        { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 }, { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
        { SQLITE_DBCONFIG_DQS_DML, 0 },        { SQLITE_DBCONFIG_DQS_DDL, 0 },
        { SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
    };
    for (size_t i = 0; i < COUNT(settings); i++) {
        int rc = sqlite3_db_config(db, settings[i].option, settings[i].value, NULL);
        if (rc != SQLITE_OK)
            return sqlite_status(db, rc, "setting up the connection");
    }
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, SQLITE_VALUE_MAX_BYTES);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    return run(db, "PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL;", "setting up");
}

/* A file that somebody else's program made, or a newer one of ours, is left as it is. Called
 * inside a transaction, so that the three answers are of one moment. */
static enum status check_owner(sqlite3 *db, int *schema)
{
    int application = 0, tables = 0;
    enum status status = read_int(db, "PRAGMA application_id", &application);
    if (status == ST_OK)
        status = read_int(db, "PRAGMA user_version", schema);
    if (status == ST_OK)
        status = read_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (status != ST_OK)
        return status;
    bool is_empty = application == 0 && *schema == 0 && tables == 0;
    if (!is_empty && application != SQLITE_APPLICATION_ID) {
        log_error("store: the file is a database of another program");
        return ST_INVALID;
    }
    if (*schema > newest_schema() || *schema < 0) {
        log_error("store: schema %d is newer than this program's %d", *schema, newest_schema());
        return ST_UNSUPPORTED;
    }
    return ST_OK;
}

/* The pragma answers with the mode that holds now; another one than asked for is no error to it. */
static int ask_for_wal(sqlite3 *db, bool *is_wal)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    const unsigned char *mode = rc == SQLITE_ROW ? sqlite3_column_text(stmt, 0) : NULL;
    *is_wal = mode && memcmp(mode, "wal", sizeof "wal") == 0;
    (void)sqlite3_finalize(stmt);
    return rc;
}

/* Changing the journal mode does not wait for a lock by itself when another process is at the
 * same, so the waiting is done here. */
static enum status enter_wal(sqlite3 *db)
{
    int rc = SQLITE_BUSY;
    bool is_wal = false;
    for (int waited = 0; waited < SQLITE_BUSY_WAIT_MS; waited += WAL_RETRY_MS) {
        rc = ask_for_wal(db, &is_wal);
        if ((rc & 0xff) != SQLITE_BUSY)
            break;
        (void)sqlite3_sleep(WAL_RETRY_MS);
    }
    enum status status = sqlite_status(db, rc, "switching to WAL");
    if (status == ST_OK && !is_wal) {
        log_error("store: this file system can't hold a write-ahead log");
        return ST_UNSUPPORTED;
    }
    return status;
}

static enum status run_migration(sqlite3 *db, const struct migration *migration)
{
    char stamp[SETTING_TEXT_MAX];
    (void)snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   SQLITE_APPLICATION_ID, migration->number);
    enum status status = run(db, migration->sql, "migrating");
    return status == ST_OK ? run(db, stamp, "migrating") : status;
}

/* Everything still to be done is done in one transaction, so that no other process ever sees, and
 * no crash ever leaves, a schema in between. */
static enum status migrate(sqlite3 *db)
{
    int schema = 0;
    enum status status = run(db, "BEGIN IMMEDIATE", "migrating");
    if (status != ST_OK)
        return status;
    status = check_owner(db, &schema); /* again: another process may have been here meanwhile */
    for (size_t i = 0; status == ST_OK && i < COUNT(migrations); i++) {
        if (migrations[i].number > schema)
            status = run_migration(db, &migrations[i]);
    }
    if (status == ST_OK)
        status = run(db, "COMMIT", "migrating");
    if (status != ST_OK)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* Looks before anything is written, the change to WAL included. */
static enum status look(sqlite3 *db, int *schema)
{
    enum status status = run(db, "BEGIN", "reading the header");
    if (status != ST_OK)
        return status;
    status = check_owner(db, schema);
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static enum status prepare(sqlite3 *db)
{
    int schema = 0;
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, SQLITE_BUSY_WAIT_MS);
    enum status status = harden(db);
    if (status == ST_OK)
        status = look(db, &schema);
    if (status == ST_OK)
        status = enter_wal(db);
    if (status == ST_OK && schema < newest_schema())
        status = migrate(db);
    return status;
}

enum status sqlite_open(const char *path, sqlite3 **out)
{
    sqlite3 *db = NULL;
    enum status status = make_file(path);
    if (status != ST_OK)
        return status;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    status = sqlite_status(db, rc, "opening");
    if (status == ST_OK)
        status = prepare(db);
    if (status != ST_OK) {
        (void)sqlite3_close(db);
        return status;
    }
    *out = db;
    return ST_OK;
}
