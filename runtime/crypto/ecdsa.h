/* SPDX-License-Identifier: Apache-2.0 */
/* ecdsa.h - signatures by ECDSA on P-256 with SHA-256 (FIPS 186-5), computed by mbedTLS 2.28
 * or 3.x.
 *
 * Keys are PEM as openssl writes and reads them: private ones as SEC 1 ("EC PRIVATE KEY") or
 * PKCS #8 without a password, public ones as SubjectPublicKeyInfo. Any other curve or algorithm is
 * refused. Signatures are DER (SEC 1, C.5), made with the nonce of RFC 6979, so that the same key
 * and message give the same signature. A key is made and freed by its holder; reading is safe for
 * several threads, signing and verifying with one key is not.
 */
#ifndef RUNTIME_CRYPTO_ECDSA_H
#define RUNTIME_CRYPTO_ECDSA_H

#include "runtime/base/status.h"
#include "runtime/base/str.h"

enum {
    ECDSA_SIGNATURE_MAX = 72, /* bytes of a signature */
    ECDSA_PEM_MAX = 8 * 1024, /* bytes of a key's file */
    ECDSA_RAW_BYTES = 64,     /* a signature as JOSE writes it */
};

struct ecdsa_key;

/* A new pair. ST_NO_MEMORY. */
MUST_USE enum status ecdsa_generate(struct ecdsa_key **out);

/* A key from PEM. ST_INVALID: it is none; ST_UNSUPPORTED: it is one of another kind; ST_DENIED: it
 * has a password; ST_LIMIT: longer than ECDSA_PEM_MAX; ST_NO_MEMORY. */
MUST_USE enum status ecdsa_read_private(Str pem, struct ecdsa_key **out);
MUST_USE enum status ecdsa_read_public(Str pem, struct ecdsa_key **out);

/* Wipes and frees; NULL is fine. */
void ecdsa_free(struct ecdsa_key *key);

/* PEM of either half, without a NUL. out has ECDSA_PEM_MAX bytes; what it holds of a private key is
 * for the caller to wipe. The private half only of a key that has one. */
MUST_USE enum status ecdsa_write_private(struct ecdsa_key *key, char *out, size_t *n);
MUST_USE enum status ecdsa_write_public(struct ecdsa_key *key, char *out, size_t *n);

/* Signs with a private key, and checks the result with it. ST_INVALID: the halves of the key are
 * not of one pair. */
MUST_USE enum status ecdsa_sign(struct ecdsa_key *key, Str message,
                                unsigned char out[ECDSA_SIGNATURE_MAX], size_t *n);

/* A signature's two numbers of 32 bytes each, one behind the other (RFC 7518, section 3.4). False:
 * der is no signature of this curve in the one way that DER allows. */
MUST_USE bool ecdsa_to_raw(Str der, unsigned char out[ECDSA_RAW_BYTES]);

/* Is it the key's signature of the message? */
MUST_USE bool ecdsa_verify(struct ecdsa_key *key, Str message, Str signature);

#endif
