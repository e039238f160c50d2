/* SPDX-License-Identifier: Apache-2.0 */
/* grant.h - grant tokens: minting, reading, looking up.
 *
 * Token: "mcpg_" + 43 characters base64url of 256 random bits + 6 characters base64url of a
 * CRC-32 over what precedes (so that secret scanners can tell a real one without asking us; it
 * is no defence). The store keeps SHA-256 of the whole token only; a 256-bit random secret
 * needs no slow hash. A look-up goes by hash, so its time says nothing about a stored token.
 */
#ifndef RUNTIME_OAUTH_GRANT_H
#define RUNTIME_OAUTH_GRANT_H

#include "runtime/store/store.h"

enum { GRANT_TOKEN_BYTES = 5 + 43 + 6 };

struct grant_token {
    char text[GRANT_TOKEN_BYTES + 1]; /* NUL-terminated; wipe after use */
};

/* Makes a new token and the grant's public id. row->principal, servers, policy, label and
 * expires_ms are given; id, hash and created_ms are filled (the id's bytes live in mem), then
 * the row is stored. */
MUST_USE enum status grant_create(struct store *store, struct arena *mem, struct grant_row *row,
                                  struct grant_token *token);

/* False for what can't be a token (prefix, alphabet, length, checksum). */
bool grant_token_is_wellformed(Str token);

/* Why a token was refused is for the log; the client hears 401. A store that failed is another
 * matter: nobody knows whether the token is good, so nothing is served (503). */
enum grant_state { GRANT_ACTIVE, GRANT_UNKNOWN, GRANT_EXPIRED, GRANT_REVOKED, GRANT_STORE_FAILED };

/* A cache of grants before the store: dropped whole when the store's version changes, so that a
 * revocation by another process holds from the next look-up on. */
struct grant_cache;

struct grant_cache *grant_cache_open(struct store *store); /* borrows the store; NULL: no memory */
void grant_cache_close(struct grant_cache *cache);

/* The grant of a presented token. On GRANT_ACTIVE *row is lent until the next look-up. Any
 * failure of the store is a refusal. */
enum grant_state grant_find(struct grant_cache *cache, Str token, const struct grant_row **row);

bool grant_covers(const struct grant_row *row, Str server);

const char *grant_state_text(enum grant_state state);

#endif
