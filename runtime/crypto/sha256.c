/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - the one place that knows how mbedTLS names its hash calls: 2.28 has the error
 * reporting ones under a suffix that 3.0 dropped. */
#include "runtime/crypto/sha256.h"

#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER < 0x03000000
#define SHA256_STARTS mbedtls_sha256_starts_ret
#define SHA256_UPDATE mbedtls_sha256_update_ret
#define SHA256_FINISH mbedtls_sha256_finish_ret
#else
#define SHA256_STARTS mbedtls_sha256_starts
#define SHA256_UPDATE mbedtls_sha256_update
#define SHA256_FINISH mbedtls_sha256_finish
#endif

void sha256_begin(struct sha256 *hash)
{
    mbedtls_sha256_init(&hash->context);
    ENSURE(SHA256_STARTS(&hash->context, 0) == 0);
}

void sha256_add(struct sha256 *hash, Str bytes)
{
    if (bytes.n)
        ENSURE(SHA256_UPDATE(&hash->context, (const unsigned char *)bytes.p, bytes.n) == 0);
}

void sha256_end(struct sha256 *hash, unsigned char out[SHA256_BYTES])
{
    ENSURE(SHA256_FINISH(&hash->context, out) == 0);
    mbedtls_sha256_free(&hash->context);
}

void sha256(Str bytes, unsigned char out[SHA256_BYTES])
{
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, bytes);
    sha256_end(&hash, out);
}
