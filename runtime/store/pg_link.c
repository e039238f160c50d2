/* SPDX-License-Identifier: Apache-2.0 */
/* pg_link.c - statements over libpq, each with a deadline.
 *
 * Values go in and come out in PostgreSQL's binary forms, so that bytes need no escaping and no
 * type is guessed. A failure of the connection closes it; the next use makes another.
 */
#include "runtime/store/pg_link.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* Object ids of types, from PostgreSQL's pg_type.dat: fixed for all versions. */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25 };

/* ---------------------------- where it leads ---------------------------- */

static bool is_local_host(Str host)
{
    return host.n == 0 || host.p[0] == '/' || str_eq(host, STR("localhost")) ||
           str_eq(host, STR("::1")) || str_starts(host, STR("127."));
}

/* A list of hosts, with commas between. */
static bool is_all_local(Str hosts)
{
    bool is_local = true;
    for (size_t from = 0; from <= hosts.n;) {
        size_t to = from;
        while (to < hosts.n && hosts.p[to] != ',')
            to++;
        is_local = is_local && is_local_host((Str){ hosts.p + from, to - from });
        from = to + 1;
    }
    return is_local;
}

static Str option_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++) {
        if (str_eq(str_of(options->keyword), str_of(keyword)))
            return options->val ? str_of(options->val) : STR("");
    }
    return STR("");
}

static enum status check_options(const PQconninfoOption *options)
{
    Str mode = option_of(options, "sslmode");
    bool is_checked = str_eq(mode, STR("verify-full")) || str_eq(mode, STR("verify-ca"));
    if (is_checked ||
        (is_all_local(option_of(options, "host")) && is_all_local(option_of(options, "hostaddr"))))
        return ST_OK;
    if (!str_eq(mode, STR("require")) && !str_eq(mode, STR("disable"))) {
        log_error("store: the database is not on this machine: say sslmode=verify-full in its URL "
                  "(or require, or disable, if you know who can read along)");
        return ST_DENIED;
    }
    log_warn("store: the database's certificate is not checked (sslmode)");
    return ST_OK;
}

enum status pg_check_url(const char *url)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &why);
    if (!options) {
        /* libpq's words would quote the URL, and with it a password. */
        log_error("store: this is no URL of a PostgreSQL database");
        PQfreemem(why);
        return ST_INVALID;
    }
    enum status status = check_options(options);
    PQconninfoFree(options);
    return status;
}

/* ------------------------------ connecting ------------------------------ */

static bool wait_for(PGconn *conn, short events, int64_t deadline_ms)
{
    struct pollfd fd = { .fd = PQsocket(conn), .events = events };
    int rc;
    do {
        int64_t left = deadline_ms - world_mono_ms();
        rc = left > 0 ? poll(&fd, 1, (int)left) : 0;
    } while (rc < 0 && errno == EINTR);
    return rc > 0;
}

static void forget_notice(void *user, const char *message)
{
    (void)user;
    (void)message;
}

static bool finish_connecting(PGconn *conn, int64_t deadline_ms)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
        if (!wait_for(conn, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms))
            return false;
        next = PQconnectPoll(conn);
    }
    return next == PGRES_POLLING_OK;
}

static PGconn *connect_to(const char *url)
{
    static const char *const words[] = { "dbname",           "client_encoding", "application_name",
                                         "tcp_user_timeout", "keepalives_idle", NULL };
    const char *const values[] = { url, "UTF8", "mcpd", "5000", "5", NULL };
    PGconn *conn = PQconnectStartParams(words, values, 1);
    if (!conn)
        return NULL;
    (void)PQsetNoticeProcessor(conn, forget_notice, NULL);
    bool is_up = PQstatus(conn) != CONNECTION_BAD &&
                 finish_connecting(conn, world_mono_ms() + PG_CONNECT_MS) &&
                 PQsetnonblocking(conn, 1) == 0;
    if (is_up)
        return conn;
    log_error("store: no connection to the database: %s",
              PQstatus(conn) == CONNECTION_BAD ? PQerrorMessage(conn) : "no answer in time");
    PQfinish(conn);
    return NULL;
}

/* Reads what lies there, notifications or the last words of a server that has hung up. */
bool pg_link_hears(struct pg_link *link)
{
    if (!link->conn || PQstatus(link->conn) != CONNECTION_OK)
        return false;
    struct pollfd fd = { .fd = PQsocket(link->conn), .events = POLLIN };
    while (poll(&fd, 1, 0) > 0) {
        if (!PQconsumeInput(link->conn))
            return false;
    }
    return true;
}

enum status pg_link_up(struct pg_link *link)
{
    if (pg_link_hears(link))
        return ST_OK;
    pg_link_down(link);
    if (world_mono_ms() < link->retry_ms)
        return ST_IO;
    link->conn = connect_to(link->url);
    link->retry_ms = link->conn ? 0 : world_mono_ms() + PG_REST_MS;
    link->made++;
    return link->conn ? ST_OK : ST_IO;
}

void pg_link_down(struct pg_link *link)
{
    PQfinish(link->conn); /* NULL is fine */
    link->conn = NULL;
}

/* ------------------------------- asking --------------------------------- */

static enum status status_of_state(const char *state)
{
    static const struct {
        const char *prefix;
        enum status status;
    } table[] = {
        { "23505", ST_CONFLICT },                          /* unique_violation */
        { "40", ST_TIMEOUT },     { "55P03", ST_TIMEOUT }, /* serialization; lock not available */
        { "57014", ST_TIMEOUT },  { "28", ST_DENIED },     /* query canceled; authorization */
        { "42501", ST_DENIED },   { "53", ST_LIMIT },      /* privilege; resources */
        { "22", ST_INVALID },     { "23", ST_INVALID },    /* data; constraints */
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        if (str_starts(str_of(state), str_of(table[i].prefix)))
            return table[i].status;
    }
    return ST_IO;
}

static enum status status_of(const PGresult *result, const char *doing)
{
    ExecStatusType type = PQresultStatus(result);
    if (type == PGRES_COMMAND_OK || type == PGRES_TUPLES_OK)
        return ST_OK;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum status status = state ? status_of_state(state) : ST_IO;
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (status != ST_CONFLICT)
        log_error("store: %s: %s (%s)", doing, text ? text : "the connection broke",
                  state ? state : "no state");
    return status;
}

/* Reads and writes until a result can be had without waiting. */
static bool settle(PGconn *conn, int64_t deadline_ms)
{
    for (int rest = PQflush(conn); rest != 0; rest = PQflush(conn)) {
        if (rest < 0 || !wait_for(conn, POLLIN | POLLOUT, deadline_ms) || !PQconsumeInput(conn))
            return false;
    }
    while (PQisBusy(conn)) {
        if (!wait_for(conn, POLLIN, deadline_ms) || !PQconsumeInput(conn))
            return false;
    }
    return true;
}

/* The last of all results of what was sent; earlier ones only if they failed. */
static enum status take_results(struct pg_link *link, const char *doing, PGresult **out)
{
    int64_t deadline_ms = world_mono_ms() + PG_ANSWER_MS;
    enum status status = ST_OK;
    PGresult *last = NULL;
    for (;;) {
        if (!settle(link->conn, deadline_ms)) {
            bool is_late = world_mono_ms() >= deadline_ms;
            log_error("store: %s: %s", doing,
                      is_late ? "no answer in time" : "the connection broke");
            PQclear(last);
            pg_link_down(link);
            return is_late ? ST_TIMEOUT : ST_IO;
        }
        PGresult *result = PQgetResult(link->conn);
        if (!result)
            break;
        if (status == ST_OK)
            status = status_of(result, doing);
        PQclear(last);
        last = result;
    }
    if (status == ST_OK && last) {
        *out = last;
        return ST_OK;
    }
    PQclear(last);
    if (PQstatus(link->conn) == CONNECTION_BAD)
        pg_link_down(link);
    return status == ST_OK ? ST_IO : status;
}

static void put_int64(int64_t value, unsigned char out[8])
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
}

/* Values in the arrays that libpq wants. */
struct parameters {
    Oid types[SQL_VALUES_MAX];
    const char *values[SQL_VALUES_MAX];
    int lengths[SQL_VALUES_MAX], formats[SQL_VALUES_MAX];
    unsigned char integers[SQL_VALUES_MAX][8];
};

static void set_parameter(struct parameters *p, size_t i, const struct sql_value *value)
{
    p->formats[i] = 1;
    if (value->type == SQL_INTEGER) {
        put_int64(value->integer, p->integers[i]);
        p->types[i] = OID_INT8;
        p->values[i] = (const char *)p->integers[i];
        p->lengths[i] = 8;
        return;
    }
    p->types[i] = value->type == SQL_TEXT ? OID_TEXT : OID_BYTEA;
    p->values[i] = value->bytes.n ? value->bytes.p : ""; /* NULL would be SQL's */
    p->lengths[i] = (int)value->bytes.n;                 /* at most SEALED_MAX */
}

enum status pg_ask(struct pg_link *link, const char *sql, const struct sql_value *values,
                   size_t count, const char *doing, PGresult **out)
{
    struct parameters p;
    ENSURE(count <= SQL_VALUES_MAX);
    if (!link->conn)
        return ST_IO;
    for (size_t i = 0; i < count; i++)
        set_parameter(&p, i, &values[i]);
    if (!PQsendQueryParams(link->conn, sql, (int)count, p.types, p.values, p.lengths, p.formats,
                           1)) {
        log_error("store: %s: %s", doing, "could not be sent");
        pg_link_down(link);
        return ST_IO;
    }
    return take_results(link, doing, out);
}

enum status pg_tell(struct pg_link *link, const char *sql, const char *must_say, const char *doing)
{
    PGresult *result = NULL;
    if (!link->conn)
        return ST_IO;
    if (!PQsendQuery(link->conn, sql)) {
        log_error("store: %s: %s", doing, "could not be sent");
        pg_link_down(link);
        return ST_IO;
    }
    enum status status = take_results(link, doing, &result);
    if (status == ST_OK && must_say && !str_eq(str_of(PQcmdStatus(result)), str_of(must_say)))
        status = ST_IO;
    PQclear(result);
    return status;
}

enum status pg_ask_integer(struct pg_link *link, const char *sql, const char *doing, int64_t *out)
{
    PGresult *result = NULL;
    enum status status = pg_ask(link, sql, NULL, 0, doing, &result);
    if (status != ST_OK)
        return status;
    struct sql_value value = { .type = SQL_OTHER };
    if (PQntuples(result) == 1)
        value = pg_value(result, 0, 0);
    PQclear(result);
    if (value.type != SQL_INTEGER)
        return ST_NOT_FOUND;
    *out = value.integer;
    return ST_OK;
}

struct sql_value pg_value(const PGresult *result, int row, int column)
{
    Str bytes = { PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column) };
    Oid type = PQftype(result, column);
    if (PQgetisnull(result, row, column))
        return (struct sql_value){ .type = SQL_OTHER };
    if (type == OID_TEXT)
        return sql_text(bytes);
    if (type == OID_BYTEA)
        return sql_bytes(bytes);
    if (type != OID_INT8 || bytes.n != 8)
        return (struct sql_value){ .type = SQL_OTHER };
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | (unsigned char)bytes.p[i];
    return sql_integer((int64_t)value);
}
