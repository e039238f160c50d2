/* SPDX-License-Identifier: Apache-2.0 */
/* stores.c - see stores.h. */
#include "tests/unit/stores.h"

#include "tests/unit/scratch.h"

#include <postgresql/libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool stores_are_pg(void)
{
    return getenv("MCPD_TEST_POSTGRESQL") != NULL;
}

void stores_new_name(char name[STORE_NAME_BYTES])
{
    static int number;
    (void)snprintf(name, STORE_NAME_BYTES, "store_%ld_%d", (long)getpid(), number++);
}

static void pg_where(const char *name, char where[STORE_URL_BYTES])
{
    (void)snprintf(where, STORE_URL_BYTES, "%s%s?host=%s", getenv("MCPD_TEST_POSTGRESQL"), name,
                   getenv("MCPD_TEST_POSTGRESQL_SOCKET"));
}

static bool pg_run(const char *database, const char *sql)
{
    char where[STORE_URL_BYTES];
    pg_where(database, where);
    PGconn *conn = PQconnectdb(where);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    PQfinish(conn);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static bool pg_is_there(const char *name)
{
    char where[STORE_URL_BYTES];
    pg_where(name, where);
    PGconn *conn = PQconnectdb(where);
    bool is_there = PQstatus(conn) == CONNECTION_OK;
    PQfinish(conn);
    return is_there;
}

void stores_where(const char *name, char where[STORE_URL_BYTES])
{
    if (!stores_are_pg()) {
        struct scratch_path path = scratch_path(name);
        (void)snprintf(where, STORE_URL_BYTES, "%s", path.text);
        return;
    }
    char create[STORE_URL_BYTES];
    (void)snprintf(create, sizeof create, "CREATE DATABASE %s", name);
    if (!pg_is_there(name))
        ENSURE(pg_run("postgres", create));
    pg_where(name, where);
}

enum status stores_try(const char *name, struct store **out)
{
    char where[STORE_URL_BYTES];
    stores_where(name, where);
    return store_open(where, out);
}

struct store *stores_open(const char *name)
{
    struct store *store = NULL;
    ENSURE(stores_try(name, &store) == ST_OK);
    return store;
}

void stores_sql(const char *name, const char *sql)
{
    char where[STORE_URL_BYTES];
    stores_where(name, where);
    if (stores_are_pg()) {
        char all[4096] = "SET search_path = mcpd; ";
        ENSURE(strlen(all) + strlen(sql) < sizeof all);
        memcpy(all + strlen(all), sql, strlen(sql) + 1);
        ENSURE(pg_run(name, all));
        return;
    }
    sqlite3 *db = NULL;
    ENSURE(sqlite3_open_v2(where, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
           SQLITE_OK);
    ENSURE(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    ENSURE(sqlite3_close(db) == SQLITE_OK);
}
