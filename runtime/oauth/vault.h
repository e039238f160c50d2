/* SPDX-License-Identifier: Apache-2.0 */
/* vault.h - the tokens of a connection, sealed on the way into the store and opened on the way out.
 *
 * Each text is bound to its row and column: an access token does not open as a refresh token, nor
 * in another server's or principal's row, nor a client's secret as anything else. Opened tokens lie
 * in buffers that are wiped when they are closed; nothing here logs one. Generations are those of
 * store.h: the newest tokens win.
 */
#ifndef RUNTIME_OAUTH_VAULT_H
#define RUNTIME_OAUTH_VAULT_H

#include "runtime/crypto/seal.h"
#include "runtime/store/store.h"

enum { VAULT_TOKEN_MAX = 16 * 1024 };

struct vault {
    struct store *store;
    const struct seal_ring *ring;
};

/* Tokens in the clear; a secret. */
struct tokens {
    struct buf access, refresh; /* refresh may be empty */
};

MUST_USE bool tokens_open(struct tokens *tokens); /* empty ones; false without memory */
void tokens_close(struct tokens *tokens);         /* wipes */

/* Stores the row with these tokens; what row->access and row->refresh point to is not looked at.
 * When it returns ST_OK they are durable, and only then may they be used. Statuses as of
 * connection_put and seal. */
MUST_USE enum status vault_put(const struct vault *vault, const struct connection_row *row,
                               const struct tokens *tokens, int64_t *generation);

/* Reads the row (without tokens in it) and opens its tokens, which must be empty before. Statuses
 * as of connection_get and unseal; a row whose tokens were forgotten is found with none. On any
 * failure the tokens are to be closed, not used. */
MUST_USE enum status vault_get(const struct vault *vault, Str server, Str principal,
                               struct arena *mem, struct connection_row *row,
                               struct tokens *tokens);

/* A client with its secret, likewise; secret is empty for none. */
MUST_USE enum status vault_put_client(const struct vault *vault, const struct client_row *row,
                                      Str secret);
MUST_USE enum status vault_get_client(const struct vault *vault, Str issuer, Str redirect_uri,
                                      struct arena *mem, struct client_row *row,
                                      struct buf *secret);

#endif
