/* SPDX-License-Identifier: Apache-2.0 */
/* test_vault.c - tokens between memory and store: nothing readable in the file, nothing that opens
 * in another place than its own. */
#include "runtime/base/log.h"
#include "runtime/crypto/secret.h"
#include "runtime/oauth/vault.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <sqlite3.h>

enum { ARENA_BYTES = 4 << 20, FILE_MAX = 4 << 20, NAME_BYTES = 32 };

static struct arena mem;
static char name[NAME_BYTES];

static struct vault open_vault(const struct seal_ring *ring)
{
    struct vault vault = { .ring = ring };
    struct scratch_path path = scratch_path(name);
    ENSURE(store_open_sqlite(path.text, &vault.store) == ST_OK);
    return vault;
}

static struct vault open_fresh(const struct seal_ring *ring)
{
    static int number;
    (void)snprintf(name, sizeof name, "vault-%d", number++);
    return open_vault(ring);
}

static void close_vault(const struct vault *vault)
{
    vault->store->ops->close(vault->store);
}

static struct seal_ring *ring_of(uint32_t id, unsigned char seed)
{
    struct seal_ring *ring = NULL;
    unsigned char key[SEAL_KEY_BYTES];
    memset(key, seed, sizeof key);
    ENSURE(seal_ring_open(&ring) == ST_OK && seal_ring_add(ring, id, key) == ST_OK);
    return ring;
}

static struct connection_row make_row(const char *server, const char *principal)
{
    return (struct connection_row){ .server = str_of(server),
                                    .principal = str_of(principal),
                                    .issuer = STR_INIT("https://as.test"),
                                    .client_id = STR_INIT("c1"),
                                    .redirect_uri = STR_INIT("http://127.0.0.1/cb"),
                                    .resource = STR_INIT("https://a.test/mcp"),
                                    .token_endpoint = STR_INIT("https://as.test/token"),
                                    .state = STR_INIT("active"),
                                    .kind = STR_INIT("code"),
                                    .auth_method = STR_INIT("none"),
                                    .refreshed_ms = 1000 };
}

static struct tokens make_tokens(const char *access, const char *refresh)
{
    struct tokens tokens;
    ENSURE(tokens_open(&tokens));
    buf_add(&tokens.access, str_of(access));
    buf_add(&tokens.refresh, str_of(refresh));
    return tokens;
}

static void put(const struct vault *vault, const char *server, const char *principal,
                const char *access, const char *refresh)
{
    struct connection_row row = make_row(server, principal);
    struct tokens tokens = make_tokens(access, refresh);
    int64_t generation = 0;
    CHECK(vault_put(vault, &row, &tokens, &generation) == ST_OK && generation == 1);
    tokens_close(&tokens);
}

/* "access refresh", or what the status says. */
static Str got(const struct vault *vault, const char *server, const char *principal)
{
    struct connection_row row;
    struct tokens tokens;
    ENSURE(tokens_open(&tokens));
    enum status status = vault_get(vault, str_of(server), str_of(principal), &mem, &row, &tokens);
    Str text = str_of(status_text(status));
    if (status == ST_OK)
        text = arena_printf(&mem, "%.*s %.*s", STR_ARG(buf_str(&tokens.access)),
                            STR_ARG(buf_str(&tokens.refresh)));
    CHECK(status != ST_OK || (!row.access.p && !row.refresh.p));
    tokens_close(&tokens);
    return text;
}

static void run_sql(const char *sql)
{
    struct scratch_path path = scratch_path(name);
    sqlite3 *db = NULL;
    ENSURE(sqlite3_open(path.text, &db) == SQLITE_OK);
    ENSURE(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    ENSURE(sqlite3_close(db) == SQLITE_OK);
}

static bool file_has(const char *suffix, Str needle)
{
    static char bytes[FILE_MAX];
    char file[NAME_BYTES + 8];
    (void)snprintf(file, sizeof file, "%s%s", name, suffix);
    struct scratch_path path = scratch_path(file);
    size_t n = scratch_read(path.text, bytes, sizeof bytes);
    ENSURE(n < sizeof bytes);
    return str_contains((Str){ bytes, n }, needle);
}

static void test_round_trip(void)
{
    struct seal_ring *ring = ring_of(1, 7);
    struct vault vault = open_fresh(ring);
    put(&vault, "github", "", "access-in-the-clear", "refresh-in-the-clear");
    put(&vault, "github", "ann", "anns", "");
    CHECK(file_has("-wal", STR("github")) && !file_has("-wal", STR("in-the-clear")));
    close_vault(&vault);
    CHECK(file_has("", STR("github")) && !file_has("", STR("in-the-clear")));
    vault = open_vault(ring);
    CHECK_STR(got(&vault, "github", ""), STR("access-in-the-clear refresh-in-the-clear"));
    CHECK_STR(got(&vault, "github", "ann"), STR("anns "));
    CHECK_STR(got(&vault, "github", "bob"), STR("not found"));
    struct tokens none = make_tokens("", "r");
    struct connection_row row = make_row("x", "");
    int64_t generation = 0;
    CHECK(vault_put(&vault, &row, &none, &generation) == ST_INVALID);
    tokens_close(&none);
    close_vault(&vault);
    seal_ring_close(ring);
}

/* Whoever may write the file, but has no key, can't make one row's token another's. */
static void test_moved_texts(void)
{
    static const char *const moves[] = {
        "UPDATE oauth_connections SET access = refresh",
        "UPDATE oauth_connections SET refresh = access",
        "UPDATE oauth_connections SET server = 'ab', principal = 'c'",
        "UPDATE oauth_connections SET access = zeroblob(64)",
        "UPDATE oauth_connections SET refresh = substr(refresh, 1, length(refresh) - 1)",
    };
    struct seal_ring *ring = ring_of(1, 7);
    for (size_t i = 0; i < COUNT(moves); i++) {
        struct vault vault = open_fresh(ring);
        put(&vault, "a", "bc", "one", "two");
        CHECK_STR(got(&vault, "a", "bc"), STR("one two"));
        close_vault(&vault);
        run_sql(moves[i]);
        vault = open_vault(ring);
        Str text = i == 2 ? got(&vault, "ab", "c") : got(&vault, "a", "bc");
        CHECK_ROW(str_eq(text, i == 3 ? STR("malformed input") : STR("refused")), "move %zu: %.*s",
                  i, STR_ARG(text));
        close_vault(&vault);
    }
    seal_ring_close(ring);
}

static void test_keys(void)
{
    struct seal_ring *ring = ring_of(1, 7), *other = ring_of(1, 8), *newer = ring_of(2, 8);
    unsigned char key[SEAL_KEY_BYTES];
    struct vault vault = open_fresh(ring);
    put(&vault, "s", "", "one", "two");
    vault.ring = other;
    CHECK_STR(got(&vault, "s", ""), STR("refused"));
    vault.ring = newer;
    CHECK_STR(got(&vault, "s", ""), STR("not found"));
    memset(key, 7, sizeof key);
    CHECK(seal_ring_add(newer, 1, key) == ST_OK);
    CHECK_STR(got(&vault, "s", ""), STR("one two"));
    close_vault(&vault);
    seal_ring_close(ring);
    seal_ring_close(other);
    seal_ring_close(newer);
}

static void test_generations(void)
{
    struct seal_ring *ring = ring_of(1, 7);
    struct vault vault = open_fresh(ring);
    struct connection_row row = make_row("s", "");
    struct tokens second = make_tokens("a2", "r2"), late = make_tokens("a3", "r3");
    int64_t generation = 0;
    put(&vault, "s", "", "a1", "r1");
    row.generation = 1;
    CHECK(vault_put(&vault, &row, &second, &generation) == ST_OK && generation == 2);
    CHECK(vault_put(&vault, &row, &late, &generation) == ST_CONFLICT && generation == 2);
    CHECK_STR(got(&vault, "s", ""), STR("a2 r2"));
    struct connection_mark mark = {
        .server = STR_INIT("s"), .state = STR_INIT("revoked"), .generation = 2, .forget = true
    };
    CHECK(vault.store->ops->connection_mark(vault.store, &mark, &generation) == ST_OK);
    CHECK_STR(got(&vault, "s", ""), STR(" "));
    tokens_close(&second);
    tokens_close(&late);
    close_vault(&vault);
    seal_ring_close(ring);
}

static void test_clients(void)
{
    struct seal_ring *ring = ring_of(1, 7);
    struct vault vault = open_fresh(ring);
    struct client_row row = { .issuer = STR_INIT("https://as.test"),
                              .redirect_uri = STR_INIT("http://127.0.0.1/cb"),
                              .client_id = STR_INIT("c1"),
                              .auth_method = STR_INIT("client_secret_basic") };
    struct client_row found;
    struct buf secret;
    ENSURE(secret_buf_open(&secret, VAULT_TOKEN_MAX));
    CHECK(vault_put_client(&vault, &row, STR("hush-hush")) == ST_OK);
    CHECK(!file_has("-wal", STR("hush-hush")));
    CHECK(vault_get_client(&vault, row.issuer, row.redirect_uri, &mem, &found, &secret) == ST_OK);
    CHECK_STR(buf_str(&secret), STR("hush-hush"));
    CHECK(str_eq(found.client_id, row.client_id) && !found.secret.p);
    buf_clear(&secret);
    CHECK(vault_put_client(&vault, &row, STR("")) == ST_OK);
    CHECK(vault_get_client(&vault, row.issuer, row.redirect_uri, &mem, &found, &secret) == ST_OK);
    CHECK(secret.n == 0);
    CHECK(vault_put_client(&vault, &row, STR("hush-hush")) == ST_OK);
    run_sql("UPDATE oauth_clients SET issuer = 'https://evil.test'");
    CHECK(vault_get_client(&vault, STR("https://evil.test"), row.redirect_uri, &mem, &found,
                           &secret) == ST_DENIED);
    secret_buf_close(&secret);
    close_vault(&vault);
    seal_ring_close(ring);
}

int main(void)
{
    log_set_level(LOG_OFF); /* refusals are provoked on purpose here */
    arena_init(&mem, ARENA_BYTES);
    RUN(test_round_trip);
    RUN(test_moved_texts);
    RUN(test_keys);
    RUN(test_generations);
    RUN(test_clients);
    arena_reset(&mem);
    return check_finish();
}
