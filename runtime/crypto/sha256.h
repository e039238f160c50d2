/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.h - SHA-256 (FIPS 180-4), computed by mbedTLS 2.28 or 3.x.
 *
 * Nothing here fails: mbedTLS reports errors only for a misuse of ours or a broken hardware
 * engine, and both stop the process rather than yield a wrong hash.
 */
#ifndef RUNTIME_CRYPTO_SHA256_H
#define RUNTIME_CRYPTO_SHA256_H

#include "runtime/base/str.h"

#include <mbedtls/sha256.h>

enum { SHA256_BYTES = 32 };

/* The hash of bytes at once. */
void sha256(Str bytes, unsigned char out[SHA256_BYTES]);

/* Piece by piece: sha256_begin, any number of sha256_add, sha256_end (which wipes the state). */
struct sha256 {
    mbedtls_sha256_context context;
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, Str bytes);
void sha256_end(struct sha256 *hash, unsigned char out[SHA256_BYTES]);

#endif
