/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_pg.c - what the PostgreSQL store adds. Without a server (the plain unit tests): which
 * URLs are let in, what a message shows of one, a server that does not answer. With one
 * (tests/postgres/run): connections that are cut, a server that stops, news from other gateways. */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "tests/unit/check.h"
#include "tests/unit/stores.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ARENA_BYTES = 1 << 20, SLACK_MS = 1500 };

static void test_names(void)
{
    static const struct {
        const char *where, *name;
    } table[] = {
        { "/var/lib/mcpd.db", "/var/lib/mcpd.db" },
        { "postgresql://ann:s3cret@db.test:5432/mcp?sslmode=verify-full", "db.test:5432/mcp" },
        { "postgres://ann:s?cr#t@db.test/mcp", "db.test/mcp" },
        { "postgresql:///mcp?host=/run&password=s3cret", "/mcp" },
        { "postgresql://db.test/a@b", "db.test/a@b" },
        { "postgresql://ann@", "" },
        { "postgresql://", "" },
    };
    for (size_t i = 0; i < COUNT(table); i++)
        CHECK_STR(store_name(str_of(table[i].where)), str_of(table[i].name));
}

/* Whoever sits between us and the database would read every token's hash and grant at will. */
static void test_urls(void)
{
    static const struct {
        const char *url;
        enum status status;
    } table[] = {
        { "postgresql://db.test/mcp", ST_DENIED },
        { "postgresql://db.test/mcp?sslmode=prefer", ST_DENIED },
        { "postgresql://db.test/mcp?sslmode=allow", ST_DENIED },
        { "postgresql://127.0.0.1,db.test/mcp", ST_DENIED },
        { "postgresql:///mcp?host=db.test", ST_DENIED },
        { "postgresql:///mcp?hostaddr=192.0.2.1", ST_DENIED },
        { "postgresql://localhost/mcp?no_such_option=1", ST_INVALID },
        { "postgresql://[::1/mcp", ST_INVALID },
    };
    struct store *store = NULL;
    for (size_t i = 0; i < COUNT(table); i++)
        CHECK_ROW(store_open(table[i].url, &store) == table[i].status, "%s", table[i].url);
}

/* A port at which somebody accepts and never says a word. */
static void test_silence(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    char url[128];
    struct store *store = NULL;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ENSURE(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 4) == 0 &&
           getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    (void)snprintf(url, sizeof url, "postgresql://ann@127.0.0.1:%u/mcp", ntohs(at.sin_port));
    int64_t before = world_mono_ms();
    CHECK(store_open(url, &store) == ST_IO);
    int64_t took = world_mono_ms() - before;
    CHECK_ROW(took >= PG_CONNECT_MS && took < PG_CONNECT_MS + SLACK_MS, "%d ms", (int)took);
    (void)close(fd);
    CHECK(store_open(url, &store) == ST_IO); /* nobody there at all */
}

/* -------------------------- with a server only -------------------------- */

static struct grant_row make_row(int number)
{
    static char id[32];
    int n = snprintf(id, sizeof id, "g_%012d", number);
    struct grant_row row = { .id = { id, (size_t)n },
                             .principal = STR_INIT("ann"),
                             .servers = { STR_INIT("fs") },
                             .server_count = 1,
                             .policy = STR_INIT("/p.polb"),
                             .created_ms = 1 };
    memcpy(row.hash, &number, sizeof number);
    return row;
}

static void rest_ms(int64_t ms)
{
    struct timespec rest = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };
    (void)nanosleep(&rest, NULL);
}

/* As a restarted server or a failed-over one: every connection to the database is cut. */
static void cut(const char *name)
{
    stores_sql(name, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                     "datname = current_database() AND pid <> pg_backend_pid()");
    rest_ms(100);
}

static void test_cut_connections(void)
{
    char name[STORE_NAME_BYTES];
    struct arena mem;
    stores_new_name(name);
    struct store *store = stores_open(name), *other = stores_open(name);
    struct grant_row row = make_row(1), got = row, next;
    int64_t before = 0, after = 0;
    arena_init(&mem, ARENA_BYTES);
    CHECK(store->ops->grant_add(store, &row) == ST_OK);
    cut(name);
    CHECK(store->ops->grant_by_hash(store, row.hash, &mem, &got) == ST_OK);
    cut(name);
    next = make_row(2);
    CHECK(store->ops->grant_add(store, &next) == ST_OK);
    CHECK(store->ops->version(store, &before) == ST_OK);
    cut(name);
    /* What happened while our connection was down is not missed. */
    CHECK(other->ops->grant_revoke(other, next.id, 5) == ST_OK);
    CHECK(store->ops->version(store, &after) == ST_OK && before != after);
    store->ops->close(store);
    other->ops->close(other);
    arena_reset(&mem);
}

static void test_news(void)
{
    char name[STORE_NAME_BYTES];
    stores_new_name(name);
    struct store *mine = stores_open(name), *other = stores_open(name);
    struct grant_row row = make_row(1);
    int64_t before = 0, after = 0, started;
    CHECK(mine->ops->version(mine, &before) == ST_OK);
    CHECK(other->ops->grant_add(other, &row) == ST_OK);
    started = world_mono_ms();
    do {
        CHECK(mine->ops->version(mine, &after) == ST_OK);
    } while (after == before && world_mono_ms() - started < PG_TRUST_MS + SLACK_MS);
    CHECK(after != before);
    before = after;
    CHECK(mine->ops->version(mine, &after) == ST_OK && after == before);
    mine->ops->close(mine);
    other->ops->close(other);
}

/* The server takes its time: verbs give up, nothing is called done, and all is well afterwards. */
static void test_slow_server(void)
{
    char name[STORE_NAME_BYTES];
    stores_new_name(name);
    struct store *store = stores_open(name);
    struct grant_row row = make_row(1);
    int64_t version = 0;
    CHECK(store->ops->version(store, &version) == ST_OK);
    stores_sql(name, "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS "
                     "'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
                     "CREATE TRIGGER nap BEFORE INSERT ON grants EXECUTE FUNCTION nap()");
    int64_t before = world_mono_ms();
    CHECK(store->ops->grant_add(store, &row) == ST_TIMEOUT);
    CHECK(world_mono_ms() - before < PG_ANSWER_MS + SLACK_MS);
    stores_sql(name, "DROP TRIGGER nap ON grants");
    CHECK(store->ops->grant_add(store, &row) == ST_OK);
    store->ops->close(store);
}

static void test_foreign_schemas(void)
{
    char name[STORE_NAME_BYTES];
    struct store *store = NULL;
    stores_new_name(name);
    store = stores_open(name);
    store->ops->close(store);
    stores_sql(name, "UPDATE store_state SET schema = 999");
    CHECK(stores_try(name, &store) == ST_UNSUPPORTED);
    stores_sql(name, "DELETE FROM store_state");
    CHECK(stores_try(name, &store) != ST_OK);
}

int main(void)
{
    log_set_level(LOG_OFF); /* refusals are provoked on purpose here */
    RUN(test_names);
    RUN(test_urls);
    if (!stores_are_pg()) {
        RUN(test_silence);
        return check_finish();
    }
    RUN(test_cut_connections);
    RUN(test_news);
    RUN(test_slow_server);
    RUN(test_foreign_schemas);
    return check_finish();
}
