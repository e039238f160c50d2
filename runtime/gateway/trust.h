/* SPDX-License-Identifier: Apache-2.0 */
/* trust.h - which bundles may come into force: those that a trusted key has signed, and of a policy
 * no version before the highest that was in force here.
 *
 * Without keys any bundle may, and versions are not looked at: names that nobody vouches for can't
 * tell older from newer. What is not proved is refused; a store that can't be asked refuses too.
 */
#ifndef RUNTIME_GATEWAY_TRUST_H
#define RUNTIME_GATEWAY_TRUST_H

#include "runtime/bundle/signature.h"
#include "runtime/store/store.h"

enum { TRUST_KEYS_MAX = 64 };

struct trust {
    struct ecdsa_key *keys[TRUST_KEYS_MAX]; /* owned */
    size_t key_count;
    bool allow_rollback;
    struct store
        *store; /* borrowed; remembers versions across restarts; may be NULL without keys */
};

/* Adds the public key in a PEM file (NUL-terminated path). False with *why, a clause. */
MUST_USE bool trust_add_key(struct trust *trust, const char *path, const char **why);

/* Frees the keys. */
void trust_close(struct trust *trust);

/* May the program that was read from path come into force? ST_OK; else *error says why not. */
MUST_USE enum status trust_check(const struct trust *trust, const struct program *program,
                                 const char *path, struct bundle_error *error);

/* Remembers a version that is about to come into force, durably. */
MUST_USE enum status trust_remember(const struct trust *trust, const struct program *program);

#endif
