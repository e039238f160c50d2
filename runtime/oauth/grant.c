/* SPDX-License-Identifier: Apache-2.0 */
/* grant.c - who a bearer token speaks for.
 *
 * A token is judged in four steps, each of which can only refuse: its form, whether the store has
 * moved on (then the cache is forgotten), whether its hash is known, and whether the grant still
 * holds at this moment. Only rows that exist are cached, so guessed tokens can't push real ones
 * out; revocation and expiry are read from the row at every look-up, never remembered as a verdict.
 */
#include "runtime/oauth/grant.h"

#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/crypto/secret.h"
#include "runtime/crypto/sha256.h"

#include <stdlib.h>

enum {
    SECRET_BYTES = 32,
    CHECKSUM_BYTES = 4,
    ID_CHARS = 12,
    CACHE_ROWS = 4096,              /* then all are dropped */
    CACHE_SLOTS = 2 * CACHE_ROWS,   /* a power of two */
    CACHE_BYTES = 16 * 1024 * 1024, /* of rows and their strings; likewise */
};

#define TOKEN_PREFIX "mcpg_"
#define ID_PREFIX    "g_"

enum {
    SECRET_AT = sizeof TOKEN_PREFIX - 1,
    CHECKSUM_AT = SECRET_AT + BASE64URL_SIZE(SECRET_BYTES),
};

_Static_assert(CHECKSUM_AT + BASE64URL_SIZE(CHECKSUM_BYTES) == GRANT_TOKEN_BYTES, "token layout");
_Static_assert((int)GRANT_HASH_BYTES == (int)SHA256_BYTES, "the store keeps SHA-256");
_Static_assert((CACHE_SLOTS & (CACHE_SLOTS - 1)) == 0, "slots are found by masking");

/* CRC-32 as in ISO-HDLC and zlib: reflected polynomial 0xEDB88320, all ones before and after. */
static uint32_t crc32_of(Str bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.n; i++) {
        crc ^= (unsigned char)bytes.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

static void write_checksum(Str bytes, char out[BASE64URL_SIZE(CHECKSUM_BYTES)])
{
    uint32_t crc = crc32_of(bytes);
    char big_endian[CHECKSUM_BYTES];
    for (int i = 0; i < CHECKSUM_BYTES; i++)
        big_endian[i] = (char)(unsigned char)(crc >> (24 - 8 * i));
    base64url_encode((Str){ .p = big_endian, .n = sizeof big_endian }, out);
}

static bool is_base64url(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return true;
}

bool grant_token_is_wellformed(Str token)
{
    char want[BASE64URL_SIZE(CHECKSUM_BYTES)];
    if (token.n != GRANT_TOKEN_BYTES || !str_starts(token, STR(TOKEN_PREFIX)))
        return false;
    if (!is_base64url(str_sub(token, SECRET_AT, token.n)))
        return false;
    write_checksum(str_sub(token, 0, CHECKSUM_AT), want);
    return memcmp(want, token.p + CHECKSUM_AT, sizeof want) == 0;
}

static void make_token(struct grant_token *token)
{
    char secret[SECRET_BYTES];
    world_entropy(secret, sizeof secret);
    memcpy(token->text, TOKEN_PREFIX, SECRET_AT);
    base64url_encode((Str){ .p = secret, .n = sizeof secret }, token->text + SECRET_AT);
    write_checksum((Str){ .p = token->text, .n = CHECKSUM_AT }, token->text + CHECKSUM_AT);
    token->text[GRANT_TOKEN_BYTES] = '\0';
    secret_wipe(secret, sizeof secret);
}

/* 60 random bits, 5 a character: public, but not to be met twice. */
static Str make_id(struct arena *mem)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    _Static_assert(sizeof alphabet - 1 == 32, "5 bits a character");
    unsigned char bytes[ID_CHARS];
    char text[ID_CHARS];
    world_entropy(bytes, sizeof bytes);
    for (size_t i = 0; i < ID_CHARS; i++)
        text[i] = alphabet[bytes[i] & 31];
    return arena_printf(mem, ID_PREFIX "%.*s", ID_CHARS, text);
}

enum status grant_create(struct store *store, struct arena *mem, struct grant_row *row,
                         struct grant_token *token)
{
    struct grant_row made = *row;
    made.created_ms = world_wall_ms();
    made.revoked_ms = 0;
    if (made.expires_ms < 0 || (made.expires_ms != 0 && made.expires_ms <= made.created_ms))
        return ST_INVALID;
    made.id = make_id(mem);
    if (!made.id.p)
        return ST_LIMIT;
    make_token(token);
    sha256((Str){ .p = token->text, .n = GRANT_TOKEN_BYTES }, made.hash);
    enum status status = store->ops->grant_add(store, &made);
    if (status != ST_OK) {
        secret_wipe(token, sizeof *token);
        return status;
    }
    *row = made;
    return ST_OK;
}

struct grant_cache {
    struct store *store; /* borrowed */
    struct arena rows;   /* holds what slots point to */
    size_t count;        /* slots in use; at most CACHE_ROWS, so a search always ends */
    int64_t version;     /* of the store, when has_version */
    bool has_version;
    const struct grant_row *slots[CACHE_SLOTS];
};

struct grant_cache *grant_cache_open(struct store *store)
{
    struct grant_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->store = store;
    arena_init(&cache->rows, CACHE_BYTES);
    return cache;
}

static void forget_all(struct grant_cache *cache)
{
    memset(cache->slots, 0, sizeof cache->slots);
    cache->count = 0;
    arena_reset(&cache->rows);
}

void grant_cache_close(struct grant_cache *cache)
{
    if (!cache)
        return;
    forget_all(cache);
    free(cache);
}

/* The slot of that hash, or the empty one where it belongs. The key is a SHA-256 of existing
 * tokens, so its first bytes are as good as any hash of it. */
static const struct grant_row **slot_of(struct grant_cache *cache,
                                        const unsigned char hash[GRANT_HASH_BYTES])
{
    uint32_t at = 0;
    memcpy(&at, hash, sizeof at);
    for (;; at++) {
        const struct grant_row **slot = &cache->slots[at & (CACHE_SLOTS - 1)];
        if (!*slot || memcmp((*slot)->hash, hash, GRANT_HASH_BYTES) == 0)
            return slot;
    }
}

/* False when the store can't say how new it is: then nothing cached may be trusted. */
static bool catch_up(struct grant_cache *cache)
{
    int64_t version = 0;
    if (cache->store->ops->version(cache->store, &version) != ST_OK) {
        forget_all(cache);
        cache->has_version = false;
        return false;
    }
    if (!cache->has_version || version != cache->version)
        forget_all(cache);
    /* Asked before any row is read: a row may be newer than this, never older. */
    cache->version = version;
    cache->has_version = true;
    return true;
}

static enum status fetch(struct grant_cache *cache, const unsigned char hash[GRANT_HASH_BYTES],
                         const struct grant_row **out)
{
    struct grant_row row;
    enum status status = cache->store->ops->grant_by_hash(cache->store, hash, &cache->rows, &row);
    if (status != ST_OK)
        return status;
    struct grant_row *kept = ARENA_NEW(&cache->rows, struct grant_row, 1);
    if (!kept)
        return ST_LIMIT;
    *kept = row;
    *slot_of(cache, hash) = kept;
    cache->count++;
    *out = kept;
    return ST_OK;
}

static enum status load(struct grant_cache *cache, const unsigned char hash[GRANT_HASH_BYTES],
                        const struct grant_row **out)
{
    if (cache->count == CACHE_ROWS)
        forget_all(cache);
    enum status status = fetch(cache, hash, out);
    if (status == ST_LIMIT) { /* the rows before it took the memory */
        forget_all(cache);
        status = fetch(cache, hash, out);
    }
    return status;
}

static enum grant_state judge(const struct grant_row *row)
{
    if (row->revoked_ms != 0)
        return GRANT_REVOKED;
    if (row->expires_ms != 0 && world_wall_ms() >= row->expires_ms)
        return GRANT_EXPIRED;
    return GRANT_ACTIVE;
}

enum grant_state grant_find(struct grant_cache *cache, Str token, const struct grant_row **row)
{
    unsigned char hash[GRANT_HASH_BYTES];
    if (!grant_token_is_wellformed(token))
        return GRANT_UNKNOWN;
    if (!catch_up(cache))
        return GRANT_STORE_FAILED;
    sha256(token, hash);
    const struct grant_row *found = *slot_of(cache, hash);
    if (!found) {
        enum status status = load(cache, hash, &found);
        if (status != ST_OK)
            return status == ST_NOT_FOUND ? GRANT_UNKNOWN : GRANT_STORE_FAILED;
    }
    enum grant_state state = judge(found);
    if (state == GRANT_ACTIVE)
        *row = found;
    return state;
}

bool grant_covers(const struct grant_row *row, Str server)
{
    for (size_t i = 0; i < row->server_count; i++) {
        if (str_eq(row->servers[i], server))
            return true;
    }
    return false;
}

const char *grant_state_text(enum grant_state state)
{
    static const char *const texts[] = {
        [GRANT_ACTIVE] = "active",
        [GRANT_UNKNOWN] = "unknown",
        [GRANT_EXPIRED] = "expired",
        [GRANT_REVOKED] = "revoked",
        [GRANT_STORE_FAILED] = "store failed",
    };
    return (size_t)state < COUNT(texts) ? texts[state] : "unknown";
}
