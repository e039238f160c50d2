/* SPDX-License-Identifier: Apache-2.0 */
/* revoke.h - ending connections here at once, and telling their issuers until they have heard
 * (RFC 7009).
 *
 * What an issuer is still to be told lies in the store, so that it survives every process. A
 * provider without a revocation endpoint can't be told, which is said.
 */
#ifndef RUNTIME_KEEPER_REVOKE_H
#define RUNTIME_KEEPER_REVOKE_H

#include "runtime/keeper/login.h"

enum {
    REVOKE_FIRST_MS = 2 * 1000, /* between tries; doubled each time */
    REVOKE_REST_MAX_MS = 60 * 60 * 1000,
    REVOKE_TRIES_MAX = 100, /* then it is given up, and said so: some three days */
};

/* Marks the connection as revoked, forgets its tokens, and remembers to revoke them. ST_NOT_FOUND:
 * no such connection. *can_tell: its issuer has a place to be told at. */
MUST_USE enum status revoke_connection(struct safe *safe, Str server, Str principal, Str reason,
                                       bool *can_tell);

/* Remembers to revoke tokens of the row. mem is for scratch. */
MUST_USE enum status revoke_remember(struct safe *safe, const struct connection_row *row,
                                     const struct tokens *tokens, struct arena *mem);

/* Works off what is remembered, one after the other. */
struct revoker;
MUST_USE enum status revoker_open(struct loop *loop, const struct login_env *env,
                                  struct revoker **out);
void revoker_close(struct revoker *revoker);
void revoker_look(struct revoker *revoker);          /* there may be something new */
bool revoker_is_busy(const struct revoker *revoker); /* a request is under way */

#endif
