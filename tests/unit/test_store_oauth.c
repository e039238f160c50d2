/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_oauth.c - OAuth's rows in every store: a flow is good once, the newest tokens win,
 * also between processes; and in the SQLite store, files of before and files that were changed. */
#include "runtime/base/log.h"
#include "runtime/store/store.h"
#include "tests/unit/check.h"
#include "tests/unit/stores.h"

#include <sys/wait.h>
#include <unistd.h>

enum { ARENA_BYTES = 8 << 20, RACERS = 8, ROUNDS = 4 };

static struct arena mem;
static char name[STORE_NAME_BYTES]; /* of the store opened last */

static struct store *reopen(void)
{
    return stores_open(name);
}

static struct store *open_fresh(void)
{
    stores_new_name(name);
    return reopen();
}

static struct connection_row make_connection(void)
{
    return (struct connection_row){
        .server = STR_INIT("github"),
        .principal = STR_INIT(""),
        .issuer = STR_INIT("https://as.test"),
        .client_id = STR_INIT("c1"),
        .redirect_uri = STR_INIT("http://127.0.0.1/callback"),
        .resource = STR_INIT("https://a.test/mcp"),
        .token_endpoint = STR_INIT("https://as.test/token"),
        .revocation_endpoint = STR_INIT(""),
        .scopes = STR_INIT("read write"),
        .state = STR_INIT("active"),
        .kind = STR_INIT("code"),
        .auth_method = STR_INIT("none"),
        .reason = STR_INIT(""),
        .access = STR_INIT("\x01sealed\0access"),
        .refresh = STR_INIT("\x01sealed\0refresh"),
        .expires_ms = 5000,
        .refreshed_ms = 1000,
    };
}

static struct connection_row get(struct store *store, const char *principal)
{
    struct connection_row row = { .generation = 0 };
    if (store->ops->connection_get(store, STR("github"), str_of(principal), &mem, &row) != ST_OK)
        row.generation = -1;
    return row;
}

static void test_clients(void)
{
    struct store *store = open_fresh();
    struct client_row row = { .issuer = STR_INIT("https://as.test"),
                              .redirect_uri = STR_INIT("http://127.0.0.1/cb"),
                              .client_id = STR_INIT("c1"),
                              .auth_method = STR_INIT("none"),
                              .secret = STR_INIT(""),
                              .expires_ms = 0 };
    struct client_row got;
    CHECK(store->ops->client_get(store, row.issuer, row.redirect_uri, &mem, &got) == ST_NOT_FOUND);
    CHECK(store->ops->client_put(store, &row) == ST_OK);
    row.client_id = STR("c2");
    row.secret = STR("s\0x");
    row.expires_ms = 9;
    CHECK(store->ops->client_put(store, &row) == ST_OK);
    store->ops->close(store);
    store = reopen();
    CHECK(store->ops->client_get(store, row.issuer, row.redirect_uri, &mem, &got) == ST_OK);
    CHECK_STR(got.client_id, STR("c2"));
    CHECK_STR(got.secret, STR("s\0x"));
    CHECK(str_eq(got.auth_method, STR("none")) && got.expires_ms == 9);
    /* Another issuer's client is nobody's business here. */
    CHECK(store->ops->client_get(store, STR("https://as.test/"), row.redirect_uri, &mem, &got) ==
          ST_NOT_FOUND);
    row.issuer = STR("a\0b");
    CHECK(store->ops->client_put(store, &row) == ST_INVALID);
    row.issuer = STR("");
    CHECK(store->ops->client_put(store, &row) == ST_INVALID);
    store->ops->close(store);
}

static struct flow_row make_flow(int number)
{
    struct flow_row row = { .server = STR_INIT("github"),
                            .principal = STR_INIT("ann"),
                            .facts = STR_INIT("sealed\0facts"),
                            .expires_ms = 1000 };
    memset(row.state_hash, 0x5A, sizeof row.state_hash);
    memcpy(row.state_hash, &number, sizeof number);
    return row;
}

static void test_flows(void)
{
    struct store *store = open_fresh();
    struct flow_row row = make_flow(1), got, other = make_flow(2);
    CHECK(store->ops->flow_add(store, &row, 10) == ST_OK);
    CHECK(store->ops->flow_add(store, &row, 10) == ST_CONFLICT);
    store->ops->close(store);
    store = reopen();
    CHECK(store->ops->flow_take(store, other.state_hash, 10, &mem, &got) == ST_NOT_FOUND);
    CHECK(store->ops->flow_take(store, row.state_hash, 10, &mem, &got) == ST_OK);
    CHECK(str_eq(got.facts, row.facts) && str_eq(got.principal, row.principal) &&
          str_eq(got.server, row.server) && got.expires_ms == 1000);
    CHECK(store->ops->flow_take(store, row.state_hash, 10, &mem, &got) == ST_NOT_FOUND);
    /* Too late is as good as never, and spends it. */
    CHECK(store->ops->flow_add(store, &row, 10) == ST_OK);
    CHECK(store->ops->flow_take(store, row.state_hash, 1000, &mem, &got) == ST_NOT_FOUND);
    CHECK(store->ops->flow_take(store, row.state_hash, 10, &mem, &got) == ST_NOT_FOUND);
    struct arena tiny;
    arena_init(&tiny, 16);
    CHECK(store->ops->flow_add(store, &row, 10) == ST_OK);
    CHECK(store->ops->flow_take(store, row.state_hash, 10, &tiny, &got) == ST_LIMIT);
    CHECK(store->ops->flow_take(store, row.state_hash, 10, &mem, &got) == ST_NOT_FOUND);
    arena_reset(&tiny);
    row.facts = STR("");
    CHECK(store->ops->flow_add(store, &row, 10) == ST_INVALID);
    store->ops->close(store);
}

static void run_sql(const char *sql)
{
    stores_sql(name, sql);
}

/* The flows are put there in one transaction: FLOWS_MAX durable commits take a minute on some
 * disks. */
static void test_flow_limit(void)
{
    _Static_assert(FLOWS_MAX == 1000, "the statement below says so too");
    struct store *store = open_fresh();
    struct flow_row last = make_flow(1), more = make_flow(2);
    run_sql(
        stores_are_pg()
            ? "INSERT INTO oauth_flows SELECT lpad(i::text, 32, '0')::bytea, 's', '', '\\x01', "
              "1000 FROM generate_series(1, 999) i"
            : "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
              "INSERT INTO oauth_flows SELECT CAST(printf('%032d', i) AS BLOB), 's', '', x'01', "
              "1000 FROM n");
    CHECK(store->ops->flow_add(store, &last, 10) == ST_OK);
    CHECK(store->ops->flow_add(store, &more, 10) == ST_LIMIT);
    more.expires_ms = 9000;
    CHECK(store->ops->flow_add(store, &more, 1000) == ST_OK); /* the others have expired */
    store->ops->close(store);
}

static void test_connections(void)
{
    struct store *store = open_fresh();
    struct connection_row row = make_connection(), own = make_connection(), *rows = NULL;
    int64_t generation = 0;
    size_t count = 9;
    own.principal = STR("ann");
    CHECK(store->ops->connection_list(store, &mem, &rows, &count) == ST_OK && count == 0);
    CHECK(get(store, "").generation == -1);
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_OK && generation == 1);
    CHECK(store->ops->connection_put(store, &own, &generation) == ST_OK && generation == 1);
    store->ops->close(store);
    store = reopen();
    struct connection_row got = get(store, "");
    CHECK(got.generation == 1 && got.created_ms == 1000 && got.refreshed_ms == 1000);
    CHECK(str_eq(got.access, row.access) && str_eq(got.refresh, row.refresh));
    CHECK(str_eq(got.scopes, row.scopes) && str_eq(got.token_endpoint, row.token_endpoint));
    CHECK(store->ops->connection_list(store, &mem, &rows, &count) == ST_OK && count == 2);
    CHECK(count == 2 && rows[0].principal.n == 0 && str_eq(rows[1].principal, STR("ann")));
    store->ops->close(store);
}

static void test_generations(void)
{
    struct store *store = open_fresh();
    struct connection_row row = make_connection();
    int64_t generation = 0;
    row.generation = 1;
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_CONFLICT); /* nothing there */
    row.generation = 0;
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_OK && generation == 1);
    row.generation = 1;
    row.refreshed_ms = 2000;
    row.refresh = STR("second");
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_OK && generation == 2);
    row.refresh = STR("late");
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_CONFLICT && generation == 2);
    struct connection_row got = get(store, "");
    CHECK_STR(got.refresh, STR("second"));
    CHECK(got.created_ms == 1000 && got.refreshed_ms == 2000);
    /* A refresh never changes who the tokens are from. */
    row.generation = 2;
    row.issuer = STR("https://evil.test");
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_CONFLICT);
    /* A login does, whatever is there. */
    row.generation = 0;
    row.refreshed_ms = 3000;
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_OK && generation == 3);
    CHECK(get(store, "").created_ms == 3000);
    store->ops->close(store);
}

static void test_marks(void)
{
    struct store *store = open_fresh();
    struct connection_row row = make_connection();
    int64_t generation = 0;
    struct connection_mark mark = { .server = STR_INIT("github"),
                                    .state = STR_INIT("login_needed"),
                                    .reason = STR_INIT("invalid_grant"),
                                    .generation = 1 };
    CHECK(store->ops->connection_mark(store, &mark, &generation) == ST_CONFLICT);
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_OK);
    CHECK(store->ops->connection_mark(store, &mark, &generation) == ST_OK && generation == 2);
    struct connection_row got = get(store, "");
    CHECK(str_eq(got.state, mark.state) && str_eq(got.reason, mark.reason) && got.refresh.n);
    /* Whoever had read the generation before comes too late, with a mark as with tokens. */
    CHECK(store->ops->connection_mark(store, &mark, &generation) == ST_CONFLICT);
    row.generation = 1;
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_CONFLICT);
    mark.generation = 2;
    mark.forget = true;
    CHECK(store->ops->connection_mark(store, &mark, &generation) == ST_OK && generation == 3);
    got = get(store, "");
    CHECK(got.access.n == 0 && got.refresh.n == 0);
    store->ops->close(store);
}

static void test_refused_rows(void)
{
    static char large[SEALED_MAX + 1];
    struct store *store = open_fresh();
    struct connection_row bad[8];
    int64_t generation = 77;
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = make_connection();
    bad[0].server = STR("");
    bad[1].principal = STR("a\0b");
    bad[2].issuer = STR("\xFF");
    bad[3].access = STR("");
    bad[4].refresh = (Str){ large, sizeof large };
    bad[5].state = STR("");
    bad[6].expires_ms = -1;
    bad[7].generation = -1;
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(store->ops->connection_put(store, &bad[i], &generation) == ST_INVALID &&
                      generation == 77,
                  "row %zu", i);
    struct connection_row largest = make_connection();
    largest.access = (Str){ large, SEALED_MAX };
    largest.refresh = STR("");
    CHECK(store->ops->connection_put(store, &largest, &generation) == ST_OK);
    CHECK(get(store, "").access.n == SEALED_MAX);
    store->ops->close(store);
}

/* Runs what RACERS processes do at the same time with a store each; how many succeeded. */
static int race(bool (*run)(struct store *store))
{
    pid_t children[RACERS];
    int winners = 0;
    for (int i = 0; i < RACERS; i++) {
        children[i] = fork();
        ENSURE(children[i] >= 0);
        if (children[i] == 0) {
            struct store *store = reopen();
            bool has_won = run(store);
            store->ops->close(store);
            _exit(has_won ? 0 : 1);
        }
    }
    for (int i = 0; i < RACERS; i++) {
        int how = 0;
        ENSURE(waitpid(children[i], &how, 0) == children[i] && WIFEXITED(how));
        winners += WEXITSTATUS(how) == 0;
    }
    return winners;
}

static bool take_flow(struct store *store)
{
    struct flow_row row = make_flow(7), got;
    return store->ops->flow_take(store, row.state_hash, 10, &mem, &got) == ST_OK;
}

static int64_t racing_generation;

static bool put_refreshed(struct store *store)
{
    struct connection_row row = make_connection();
    int64_t generation;
    row.generation = racing_generation;
    return store->ops->connection_put(store, &row, &generation) == ST_OK;
}

/* T1, T9: of several who come with one state, or with one generation, one gets through. */
static void test_races(void)
{
    struct store *store = open_fresh();
    struct connection_row row = make_connection();
    CHECK(store->ops->connection_put(store, &row, &racing_generation) == ST_OK);
    for (int i = 0; i < ROUNDS; i++) {
        struct flow_row flow = make_flow(7);
        CHECK(store->ops->flow_add(store, &flow, 10) == ST_OK);
        store->ops->close(store);
        CHECK_ROW(race(take_flow) == 1, "round %d", i);
        CHECK_ROW(race(put_refreshed) == 1, "round %d", i);
        racing_generation++;
        store = reopen();
        CHECK_ROW(get(store, "").generation == racing_generation, "round %d", i);
    }
    store->ops->close(store);
}

/* A store of the version before gets the new tables and keeps its rows. */
static void test_migration(void)
{
    struct store *store = open_fresh();
    uint32_t version = 0;
    struct connection_row row = make_connection();
    int64_t generation = 0;
    CHECK(store->ops->policy_raise(store, STR("p"), 5) == ST_OK);
    store->ops->close(store);
    run_sql("DROP TABLE oauth_clients; DROP TABLE oauth_flows; DROP TABLE oauth_connections;"
            "DROP TABLE oauth_results; DROP TABLE oauth_revocations");
    run_sql(stores_are_pg() ? "UPDATE store_state SET schema = 2" : "PRAGMA user_version = 2");
    store = reopen();
    CHECK(store->ops->policy_version(store, STR("p"), &version) == ST_OK && version == 5);
    CHECK(store->ops->connection_put(store, &row, &generation) == ST_OK && generation == 1);
    store->ops->close(store);
}

static void test_tampered_rows(void)
{
    const char *const harm[] = {
        "UPDATE oauth_connections SET issuer = ''",
        stores_are_pg() ? "UPDATE oauth_connections SET scopes = repeat('x', 5000)"
                        : "UPDATE oauth_connections SET state = CAST(x'61006200' AS TEXT)",
        stores_are_pg() ? "UPDATE oauth_connections SET state = ''"
                        : "UPDATE oauth_connections SET scopes = CAST(x'ff' AS TEXT)",
        stores_are_pg() ? "UPDATE oauth_connections SET refresh = repeat('x', 200000)::bytea"
                        : "UPDATE oauth_connections SET refresh = zeroblob(200000)",
    };
    for (size_t i = 0; i < COUNT(harm); i++) {
        struct store *store = open_fresh();
        struct connection_row row = make_connection(), got, *rows = NULL;
        int64_t generation = 0;
        size_t count = 0;
        CHECK(store->ops->connection_put(store, &row, &generation) == ST_OK);
        store->ops->close(store);
        run_sql(harm[i]);
        store = reopen();
        CHECK_ROW(store->ops->connection_get(store, STR("github"), STR(""), &mem, &got) ==
                      ST_INVALID,
                  "harm %zu", i);
        CHECK_ROW(store->ops->connection_list(store, &mem, &rows, &count) == ST_INVALID, "harm %zu",
                  i);
        store->ops->close(store);
    }
}

int main(void)
{
    log_set_level(LOG_OFF); /* refusals are provoked on purpose here */
    arena_init(&mem, ARENA_BYTES);
    RUN(test_clients);
    RUN(test_flows);
    RUN(test_flow_limit);
    RUN(test_connections);
    RUN(test_generations);
    RUN(test_marks);
    RUN(test_refused_rows);
    RUN(test_races);
    RUN(test_migration);
    RUN(test_tampered_rows);
    arena_reset(&mem);
    return check_finish();
}
