/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_open.h - private to runtime/store: a database file, safe to use and of our schema. */
#ifndef RUNTIME_STORE_SQLITE_OPEN_H
#define RUNTIME_STORE_SQLITE_OPEN_H

#include "runtime/base/status.h"

#include <sqlite3.h>

enum {
    SQLITE_APPLICATION_ID = 0x6d637064,   /* "mcpd", in the file's header */
    SQLITE_BUSY_WAIT_MS = 5000,           /* for another process's write transaction to end */
    SQLITE_VALUE_MAX_BYTES = 1024 * 1024, /* of one value, row or statement */
};

/* Opens or creates the database: mode 0600, hardened settings, WAL, migrated. The caller closes it.
 * ST_DENIED: others may read or write the file; ST_UNSUPPORTED: a newer schema; ST_INVALID: not a
 * database of ours. The reason is logged. */
MUST_USE enum status sqlite_open(const char *path, sqlite3 **out);

/* What a result code of SQLite means to our callers. Logged, except for a constraint's conflict. */
enum status sqlite_status(sqlite3 *db, int rc, const char *doing);

#endif
