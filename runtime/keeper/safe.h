/* SPDX-License-Identifier: Apache-2.0 */
/* safe.h - the store and the keys that open what it holds, for the processes that may have them:
 * the keeper, and the commands of an operator.
 *
 * Keys are read from where the settings say. A default key file that is missing is made when the
 * first secret is to be sealed. A text that was sealed by a key we don't know yet makes the safe
 * read its keys again, so that a rotation needs no restart.
 */
#ifndef RUNTIME_KEEPER_SAFE_H
#define RUNTIME_KEEPER_SAFE_H

#include "runtime/oauth/settings.h"
#include "runtime/oauth/vault.h"

struct safe {
    const struct keeper_settings *settings; /* borrowed */
    struct seal_ring *ring;
    struct vault vault; /* of the ring above */
};

/* Opens the store and reads the keys. Statuses as of store.h and master_key.h; *what names the part
 * that failed. Close it in any case. */
MUST_USE enum status safe_open(const struct keeper_settings *settings, struct safe *safe,
                               const char **what);
void safe_close(struct safe *safe);

/* Something can be sealed afterwards. */
MUST_USE enum status safe_make_ready(struct safe *safe);

/* As vault_get and vault_get_client, with another look at the keys when one is missing. */
MUST_USE enum status safe_get(struct safe *safe, Str server, Str principal, struct arena *mem,
                              struct connection_row *row, struct tokens *tokens);
MUST_USE enum status safe_get_client(struct safe *safe, Str issuer, Str redirect_uri,
                                     struct arena *mem, struct client_row *row, struct buf *secret);

/* Reads the keys again; what was there stays on failure. */
MUST_USE enum status safe_reread(struct safe *safe);

/* The configured secret of a server's client, appended; ST_OK and nothing when none is configured.
 * ST_NOT_FOUND: its file or variable is missing; ST_INVALID, ST_LIMIT. */
MUST_USE enum status client_secret_read(const struct oauth_settings *settings, struct buf *secret);

/* Likewise its private key; *key is NULL without one. */
MUST_USE enum status client_key_read(const struct oauth_settings *settings, struct ecdsa_key **key);

#endif
