/* SPDX-License-Identifier: Apache-2.0 */
/* pg_link.h - private to runtime/store: one connection to PostgreSQL that never waits for ever.
 *
 * libpq's own calls wait without limit; here each has a deadline, after which the connection is
 * closed: nobody can know what the server still does with what was asked. Unlike libpq's, no
 * message of ours holds values.
 */
#ifndef RUNTIME_STORE_PG_LINK_H
#define RUNTIME_STORE_PG_LINK_H

#include "runtime/store/sql.h"

#include <postgresql/libpq-fe.h>

struct pg_link {
    const char *url;  /* borrowed */
    PGconn *conn;     /* NULL: none */
    int64_t retry_ms; /* not before, after a connection could not be made */
    uint32_t made;    /* connections so far */
};

/* ST_DENIED, logged, when the URL's host is elsewhere and it does not say how to protect the way.
 */
MUST_USE enum status pg_check_url(const char *url);

/* Takes in what has arrived, without waiting; false: there is no connection any more. */
bool pg_link_hears(struct pg_link *link);

/* Connects unless it is connected. */
enum status pg_link_up(struct pg_link *link);
void pg_link_down(struct pg_link *link);

/* Runs one statement with values; *out is to be cleared, and has rows or not. */
enum status pg_ask(struct pg_link *link, const char *sql, const struct sql_value *values,
                   size_t count, const char *doing, PGresult **out);

/* Runs statements without values and looks at no rows. must_say: the last one's tag, or NULL. */
enum status pg_tell(struct pg_link *link, const char *sql, const char *must_say, const char *doing);

/* The one integer that a statement without values answers with; ST_NOT_FOUND: no row, or NULL. */
enum status pg_ask_integer(struct pg_link *link, const char *sql, const char *doing, int64_t *out);

struct sql_value pg_value(const PGresult *result, int row, int column);

#endif
