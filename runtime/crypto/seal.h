/* SPDX-License-Identifier: Apache-2.0 */
/* seal.h - secrets at rest: AES-256-GCM (NIST SP 800-38D), computed by mbedTLS 2.28 or 3.x.
 *
 * A sealed text is 1 byte version, 4 bytes key id (big endian), 12 bytes random nonce, ciphertext,
 * 16 bytes tag. The version, the key id and the identity of the row that it belongs to are
 * authenticated with it: moved to another row, it does not open. A ring holds several keys, so that
 * rows can be sealed anew one after the other: new texts get the key with the highest id. With
 * random nonces a key is good for 2^32 texts, which no store of tokens comes near.
 *
 * Keys lie in memory that is locked, left out of core dumps, and wiped. A ring belongs to one
 * thread.
 */
#ifndef RUNTIME_CRYPTO_SEAL_H
#define RUNTIME_CRYPTO_SEAL_H

#include "runtime/base/buf.h"
#include "runtime/base/status.h"

enum {
    SEAL_KEY_BYTES = 32,
    SEAL_KEYS_MAX = 8,
    SEAL_OVERHEAD = 1 + 4 + 12 + 16, /* bytes that a sealed text is longer */
    SEAL_TEXT_MAX = 64 * 1024,       /* bytes of what is sealed */
};

struct seal_ring;

MUST_USE enum status seal_ring_open(struct seal_ring **out); /* empty; ST_NO_MEMORY */
void seal_ring_close(struct seal_ring *ring);                /* wipes; NULL is fine */

/* Copies the key. ST_CONFLICT: the id is there; ST_LIMIT: SEAL_KEYS_MAX; ST_INVALID: id 0. */
MUST_USE enum status seal_ring_add(struct seal_ring *ring, uint32_t id,
                                   const unsigned char key[SEAL_KEY_BYTES]);

/* The highest id; 0 for an empty ring. */
uint32_t seal_ring_newest(const struct seal_ring *ring);

/* Appends the sealed text. identity says which row and column it is for, and must be unambiguous.
 * ST_NOT_FOUND: the ring is empty; ST_LIMIT: too long, or out is full. */
MUST_USE enum status seal(const struct seal_ring *ring, Str text, Str identity, struct buf *out);

/* Appends the text, to a buffer of secrets. ST_NOT_FOUND: sealed by a key that the ring lacks;
 * ST_DENIED: changed, or of another row; ST_INVALID: no sealed text; ST_LIMIT: out is full. */
MUST_USE enum status unseal(const struct seal_ring *ring, Str sealed, Str identity,
                            struct buf *out);

/* The id of the key that a text was sealed by; 0 for what is no sealed text. */
uint32_t seal_key_of(Str sealed);

#endif
