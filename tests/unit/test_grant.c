/* SPDX-License-Identifier: Apache-2.0 */
/* test_grant.c - the form of tokens, and that a grant ends when it should: at once. */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/sha256.h"
#include "runtime/oauth/grant.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <unistd.h>

enum { ARENA_BYTES = 1024 * 1024, START_MS = 1000000 };

static int64_t now_ms = START_MS;
static unsigned char entropy_next;

static int64_t fake_ms(void)
{
    return now_ms;
}

static void fake_entropy(void *bytes, size_t count)
{
    unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        at[i] = (unsigned char)(entropy_next + i);
    entropy_next++;
}

static const struct world fake_world = { fake_ms, fake_ms, fake_entropy };

static struct arena mem;

static struct grant_row plain_row(void)
{
    return (struct grant_row){ .principal = STR_INIT("ci-robot"),
                               .servers = { STR_INIT("fs"), STR_INIT("docs") },
                               .server_count = 2,
                               .policy = STR_INIT("/p.polb"),
                               .label = STR_INIT("") };
}

static struct store *open_store(const char *name)
{
    struct store *store = NULL;
    struct scratch_path path = scratch_path(name);
    ENSURE(store_open_sqlite(path.text, &store) == ST_OK);
    return store;
}

static Str text_of(const struct grant_token *token)
{
    return (Str){ .p = token->text, .n = GRANT_TOKEN_BYTES };
}

/* A token made by the fixed entropy 00 01 .. 1f, written down once from an independent
 * implementation (Python's base64 and zlib), so that a release never stops reading the
 * tokens of the one before. */
static void test_known_token(void)
{
    static const char known[] = "mcpg_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8w48Mgg";
    struct store *store = open_store("known");
    struct grant_row row = plain_row();
    struct grant_token token;
    entropy_next = 255; /* the id is drawn first */
    world_set(&fake_world);
    CHECK(grant_create(store, &mem, &row, &token) == ST_OK);
    world_set(NULL);
    CHECK_STR(str_of(token.text), str_of(known));
    unsigned char hash[SHA256_BYTES];
    sha256(str_of(known), hash);
    CHECK(memcmp(hash, row.hash, sizeof hash) == 0);
    store->ops->close(store);
}

static void test_fresh_grant(void)
{
    struct store *store = open_store("fresh");
    struct grant_row a = plain_row(), b = plain_row();
    struct grant_token first, second;
    CHECK(grant_create(store, &mem, &a, &first) == ST_OK);
    CHECK(grant_create(store, &mem, &b, &second) == ST_OK);
    CHECK(strlen(first.text) == GRANT_TOKEN_BYTES && str_starts(str_of(first.text), STR("mcpg_")));
    CHECK(strcmp(first.text, second.text) != 0 && !str_eq(a.id, b.id));
    CHECK(memcmp(a.hash, b.hash, sizeof a.hash) != 0);
    CHECK(a.id.n == 14 && str_starts(a.id, STR("g_")));
    for (size_t i = 2; i < a.id.n; i++)
        CHECK((a.id.p[i] >= 'a' && a.id.p[i] <= 'z') || (a.id.p[i] >= '0' && a.id.p[i] <= '9'));
    CHECK(a.created_ms > 0 && a.revoked_ms == 0);
    CHECK(grant_token_is_wellformed(text_of(&first)));
    CHECK(grant_covers(&a, STR("fs")) && grant_covers(&a, STR("docs")));
    CHECK(!grant_covers(&a, STR("f")) && !grant_covers(&a, STR("")) &&
          !grant_covers(&a, STR("FS")));
    store->ops->close(store);
}

/* Every single byte matters: changed, missing or added, the token is none. */
static void test_wellformed(void)
{
    struct store *store = open_store("form");
    struct grant_row row = plain_row();
    struct grant_token token;
    CHECK(grant_create(store, &mem, &row, &token) == ST_OK);
    for (size_t i = 0; i < GRANT_TOKEN_BYTES; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct grant_token bad = token;
            bad.text[i] = (char)(bad.text[i] ^ (char)(1U << bit));
            CHECK_ROW(!grant_token_is_wellformed(text_of(&bad)), "byte %zu bit %u", i, bit);
        }
    }
    for (size_t n = 0; n < GRANT_TOKEN_BYTES; n++)
        CHECK_ROW(!grant_token_is_wellformed(str_sub(text_of(&token), 0, n)), "%zu bytes", n);
    CHECK(!grant_token_is_wellformed((Str){ token.text, GRANT_TOKEN_BYTES + 1 }));
    CHECK(!grant_token_is_wellformed((Str){ NULL, 0 }));
    store->ops->close(store);
}

static void test_refused_rows(void)
{
    struct store *store = open_store("refused");
    struct grant_row row = plain_row();
    struct grant_token token = { "untouched" };
    world_set(&fake_world);
    row.expires_ms = now_ms; /* not later than now */
    CHECK(grant_create(store, &mem, &row, &token) == ST_INVALID);
    row.expires_ms = -5;
    CHECK(grant_create(store, &mem, &row, &token) == ST_INVALID);
    row = plain_row();
    row.server_count = 0;
    CHECK(grant_create(store, &mem, &row, &token) == ST_INVALID);
    CHECK(token.text[0] == '\0' && row.id.n == 0); /* a token that is worth nothing is not shown */
    world_set(NULL);
    store->ops->close(store);
}

/* A revocation by another connection holds at the very next look-up, cached or not. */
static void test_revoked_elsewhere(void)
{
    struct store *mine = open_store("revoked"), *other = open_store("revoked");
    struct grant_cache *cache = grant_cache_open(mine);
    struct grant_row row = plain_row(), later = plain_row();
    struct grant_token token, other_token;
    const struct grant_row *found = NULL;
    CHECK(grant_create(other, &mem, &row, &token) == ST_OK);
    for (int i = 0; i < 3; i++)
        CHECK(grant_find(cache, text_of(&token), &found) == GRANT_ACTIVE);
    CHECK(found && str_eq(found->id, row.id) && str_eq(found->principal, STR("ci-robot")));
    CHECK(other->ops->grant_revoke(other, row.id, 5) == ST_OK);
    found = NULL;
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_REVOKED && !found);
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_REVOKED && !found);
    /* Unknown is not remembered: a grant made a moment later works. */
    CHECK(grant_create(other, &mem, &later, &other_token) == ST_OK);
    CHECK(grant_find(cache, text_of(&other_token), &found) == GRANT_ACTIVE);
    /* The own connection's revocation holds at once, too. */
    CHECK(mine->ops->grant_revoke(mine, later.id, 6) == ST_OK);
    CHECK(grant_find(cache, text_of(&other_token), &found) == GRANT_REVOKED);
    grant_cache_close(cache);
    mine->ops->close(mine);
    other->ops->close(other);
}

static void test_expiry(void)
{
    struct store *store = open_store("expiry");
    struct grant_cache *cache = grant_cache_open(store);
    struct grant_row row = plain_row();
    struct grant_token token;
    const struct grant_row *found = NULL;
    world_set(&fake_world);
    now_ms = START_MS;
    row.expires_ms = START_MS + 100;
    CHECK(grant_create(store, &mem, &row, &token) == ST_OK && row.created_ms == START_MS);
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_ACTIVE);
    now_ms = START_MS + 99;
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_ACTIVE);
    now_ms = START_MS + 100; /* cached, and still over */
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_EXPIRED);
    now_ms = INT64_MAX;
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_EXPIRED);
    now_ms = START_MS;
    world_set(NULL);
    grant_cache_close(cache);
    store->ops->close(store);
}

/* More grants than the cache holds: all are found, again and again. */
static void test_bounded(void)
{
    enum { GRANTS = 5000 };
    static struct grant_token tokens[GRANTS];
    struct store *store = open_store("many");
    struct grant_cache *cache = grant_cache_open(store);
    const struct grant_row *found = NULL;
    struct arena scratch;
    arena_init(&scratch, (size_t)64 * 1024 * 1024);
    int missed = 0;
    for (int i = 0; i < GRANTS; i++) {
        struct grant_row row = plain_row();
        ENSURE(grant_create(store, &scratch, &row, &tokens[i]) == ST_OK);
    }
    for (int i = 0; i < 2 * GRANTS; i++)
        missed += grant_find(cache, text_of(&tokens[i % GRANTS]), &found) != GRANT_ACTIVE;
    CHECK(missed == 0);
    grant_cache_close(cache);
    store->ops->close(store);
    arena_reset(&scratch);
}

/* A store that fails on demand, before a real one. */
struct failing {
    struct store store;
    struct store *real;
    enum status version_answer, find_answer;
};

static enum status failing_version(struct store *store, int64_t *version)
{
    struct failing *self = (struct failing *)store;
    if (self->version_answer != ST_OK)
        return self->version_answer;
    return self->real->ops->version(self->real, version);
}

static enum status failing_find(struct store *store, const unsigned char hash[GRANT_HASH_BYTES],
                                struct arena *arena, struct grant_row *row)
{
    struct failing *self = (struct failing *)store;
    if (self->find_answer != ST_OK)
        return self->find_answer;
    return self->real->ops->grant_by_hash(self->real, hash, arena, row);
}

static void set_answers(struct failing *self, enum status find, enum status version)
{
    self->find_answer = find;
    self->version_answer = version;
}

static void test_store_failure(void)
{
    static const struct store_ops ops = { .version = failing_version,
                                          .grant_by_hash = failing_find };
    static const enum status failures[] = { ST_IO,     ST_TIMEOUT,   ST_INVALID, ST_LIMIT,
                                            ST_DENIED, ST_NO_MEMORY, ST_CLOSED,  ST_CONFLICT };
    struct failing failing = { .store = { &ops }, .real = open_store("failing") };
    struct grant_cache *cache = grant_cache_open(&failing.store);
    struct grant_row row = plain_row();
    struct grant_token token;
    const struct grant_row *found = NULL;
    CHECK(grant_create(failing.real, &mem, &row, &token) == ST_OK);
    for (size_t i = 0; i < COUNT(failures); i++) {
        set_answers(&failing, failures[i], ST_OK);
        CHECK(grant_find(cache, text_of(&token), &found) == GRANT_STORE_FAILED && !found);
    }
    set_answers(&failing, ST_OK, ST_OK);
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_ACTIVE);
    set_answers(&failing, ST_OK, ST_IO); /* cached, but nobody can say whether it still holds */
    found = NULL;
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_STORE_FAILED && !found);
    set_answers(&failing, ST_OK, ST_OK);
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_ACTIVE);
    set_answers(&failing, ST_OK, ST_NOT_FOUND); /* not a way to say "unknown" */
    CHECK(grant_find(cache, text_of(&token), &found) == GRANT_STORE_FAILED);
    grant_cache_close(cache);
    failing.real->ops->close(failing.real);
}

int main(void)
{
    arena_init(&mem, ARENA_BYTES);
    log_set_level(LOG_OFF);
    RUN(test_known_token);
    RUN(test_fresh_grant);
    RUN(test_wellformed);
    RUN(test_refused_rows);
    RUN(test_revoked_elsewhere);
    RUN(test_expiry);
    RUN(test_bounded);
    RUN(test_store_failure);
    arena_reset(&mem);
    return check_finish();
}
