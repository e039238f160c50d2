/* SPDX-License-Identifier: Apache-2.0 */
/* stores.h - the databases that store tests run on: SQLite, or the PostgreSQL server that
 * tests/postgres/run has started. */
#ifndef TESTS_UNIT_STORES_H
#define TESTS_UNIT_STORES_H

#include "runtime/store/store.h"

enum { STORE_NAME_BYTES = 64, STORE_URL_BYTES = 512 };

bool stores_are_pg(void);

/* A name that no store of this program has yet, or of another that runs beside it. */
void stores_new_name(char name[STORE_NAME_BYTES]);

/* Where the store of that name is; makes the database if it is not there. */
void stores_where(const char *name, char where[STORE_URL_BYTES]);

struct store *stores_open(const char *name); /* stops the program if it can't */
enum status stores_try(const char *name, struct store **out);

/* Runs SQL of the test's own on it, behind the store's back. */
void stores_sql(const char *name, const char *sql);

#endif
