/* SPDX-License-Identifier: Apache-2.0 */
/* ecdsa.c - the one place that knows mbedTLS's public key calls, whose arguments 3.0 changed.
 *
 * A key counts only if it is on P-256; mbedTLS itself would take any curve, and RSA.
 */
#include "runtime/crypto/ecdsa.h"

#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/crypto/sha256.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <stdlib.h>

#if !defined(MBEDTLS_ECDSA_DETERMINISTIC)
#error "mbedTLS must be built with MBEDTLS_ECDSA_DETERMINISTIC (RFC 6979), as its default is"
#endif

struct ecdsa_key {
    mbedtls_pk_context pk;
    bool is_private;
};

static int entropy(void *context, unsigned char *out, size_t n)
{
    (void)context;
    world_entropy(out, n); /* stops the process when it can't */
    return 0;
}

static struct ecdsa_key *key_new(void)
{
    struct ecdsa_key *key = calloc(1, sizeof *key);
    if (key)
        mbedtls_pk_init(&key->pk);
    return key;
}

void ecdsa_free(struct ecdsa_key *key)
{
    if (!key)
        return;
    mbedtls_pk_free(&key->pk);
    free(key);
}

#if MBEDTLS_VERSION_NUMBER < 0x03000000
static int parse_private(mbedtls_pk_context *pk, const unsigned char *pem, size_t n)
{
    return mbedtls_pk_parse_key(pk, pem, n, NULL, 0);
}

static int sign_hash(mbedtls_pk_context *pk, const unsigned char *hash, unsigned char *out,
                     size_t *n)
{
    return mbedtls_pk_sign(pk, MBEDTLS_MD_SHA256, hash, SHA256_BYTES, out, n, entropy, NULL);
}

static mbedtls_ecp_group_id group_of(const mbedtls_pk_context *pk)
{
    return mbedtls_pk_ec(*pk)->grp.id;
}
#else
static int parse_private(mbedtls_pk_context *pk, const unsigned char *pem, size_t n)
{
    return mbedtls_pk_parse_key(pk, pem, n, NULL, 0, entropy, NULL);
}

static int sign_hash(mbedtls_pk_context *pk, const unsigned char *hash, unsigned char *out,
                     size_t *n)
{
    return mbedtls_pk_sign(pk, MBEDTLS_MD_SHA256, hash, SHA256_BYTES, out,
                           MBEDTLS_PK_SIGNATURE_MAX_SIZE, n, entropy, NULL);
}

static mbedtls_ecp_group_id group_of(const mbedtls_pk_context *pk)
{
    return mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk));
}
#endif

static bool is_p256(const mbedtls_pk_context *pk)
{
    return mbedtls_pk_get_type(pk) == MBEDTLS_PK_ECKEY && group_of(pk) == MBEDTLS_ECP_DP_SECP256R1;
}

enum status ecdsa_generate(struct ecdsa_key **out)
{
    struct ecdsa_key *key = key_new();
    if (!key)
        return ST_NO_MEMORY;
    if (mbedtls_pk_setup(&key->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) != 0 ||
        mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key->pk), entropy, NULL) != 0) {
        ecdsa_free(key);
        return ST_NO_MEMORY;
    }
    key->is_private = true;
    *out = key;
    return ST_OK;
}

/* mbedTLS's errors have a high and a low part; the high one says what kind of failure it is. */
static enum status status_of(int error)
{
    if (error == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || error == MBEDTLS_ERR_PK_PASSWORD_MISMATCH)
        return ST_DENIED;
    if (error == MBEDTLS_ERR_PK_ALLOC_FAILED || error == MBEDTLS_ERR_MPI_ALLOC_FAILED)
        return ST_NO_MEMORY;
    return ST_INVALID;
}

static enum status read_key(Str pem, bool is_private, struct ecdsa_key **out)
{
    unsigned char text[ECDSA_PEM_MAX + 1]; /* mbedTLS wants a NUL behind PEM, and counts it */
    if (pem.n > ECDSA_PEM_MAX)
        return ST_LIMIT;
    if (pem.n == 0 || memchr(pem.p, '\0', pem.n))
        return ST_INVALID;
    struct ecdsa_key *key = key_new();
    if (!key)
        return ST_NO_MEMORY;
    memcpy(text, pem.p, pem.n);
    text[pem.n] = '\0';
    int error = is_private ? parse_private(&key->pk, text, pem.n + 1)
                           : mbedtls_pk_parse_public_key(&key->pk, text, pem.n + 1);
    secret_wipe(text, sizeof text);
    enum status status = error ? status_of(error) : is_p256(&key->pk) ? ST_OK : ST_UNSUPPORTED;
    if (status != ST_OK) {
        ecdsa_free(key);
        return status;
    }
    key->is_private = is_private;
    *out = key;
    return ST_OK;
}

enum status ecdsa_read_private(Str pem, struct ecdsa_key **out)
{
    return read_key(pem, true, out);
}

enum status ecdsa_read_public(Str pem, struct ecdsa_key **out)
{
    return read_key(pem, false, out);
}

enum status ecdsa_write_private(struct ecdsa_key *key, char *out, size_t *n)
{
    ENSURE(key->is_private);
    if (mbedtls_pk_write_key_pem(&key->pk, (unsigned char *)out, ECDSA_PEM_MAX) != 0)
        return ST_NO_MEMORY;
    *n = strlen(out);
    return ST_OK;
}

enum status ecdsa_write_public(struct ecdsa_key *key, char *out, size_t *n)
{
    if (mbedtls_pk_write_pubkey_pem(&key->pk, (unsigned char *)out, ECDSA_PEM_MAX) != 0)
        return ST_NO_MEMORY;
    *n = strlen(out);
    return ST_OK;
}

enum status ecdsa_sign(struct ecdsa_key *key, Str message, unsigned char out[ECDSA_SIGNATURE_MAX],
                       size_t *n)
{
    unsigned char hash[SHA256_BYTES], signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t count = 0;
    ENSURE(key->is_private);
    sha256(message, hash);
    if (sign_hash(&key->pk, hash, signature, &count) != 0)
        return ST_NO_MEMORY;
    /* Also against a fault while computing, which could give the key away. */
    if (count > ECDSA_SIGNATURE_MAX ||
        !ecdsa_verify(key, message, (Str){ .p = (const char *)signature, .n = count }))
        return ST_INVALID;
    memcpy(out, signature, count);
    *n = count;
    return ST_OK;
}

/* Takes one INTEGER off the front of *der: not negative, no zero byte too many, 32 bytes at most.
 */
static bool take_number(Str *der, unsigned char out[ECDSA_RAW_BYTES / 2])
{
    enum { HEAD = 2, WIDTH = ECDSA_RAW_BYTES / 2, TAG_INTEGER = 0x02, SIGN = 0x80 };
    if (der->n < HEAD || der->p[0] != TAG_INTEGER)
        return false;
    size_t n = (unsigned char)der->p[1];
    if (n == 0 || n > WIDTH + 1 || der->n < HEAD + n)
        return false;
    Str number = str_sub(*der, HEAD, HEAD + n);
    bool has_zero = number.p[0] == 0;
    bool needs_zero = n > 1 && has_zero && ((unsigned char)number.p[1] & SIGN);
    if (((unsigned char)number.p[0] & SIGN) || (has_zero && n > 1 && !needs_zero) ||
        (n == WIDTH + 1 && !has_zero))
        return false;
    if (has_zero)
        number = str_sub(number, 1, number.n);
    memset(out, 0, WIDTH);
    if (number.n)
        memcpy(out + (WIDTH - number.n), number.p, number.n);
    *der = str_sub(*der, HEAD + n, der->n);
    return true;
}

bool ecdsa_to_raw(Str der, unsigned char out[ECDSA_RAW_BYTES])
{
    enum { HEAD = 2, TAG_SEQUENCE = 0x30 };
    unsigned char raw[ECDSA_RAW_BYTES];
    if (der.n < HEAD || der.n > ECDSA_SIGNATURE_MAX || der.p[0] != TAG_SEQUENCE ||
        (unsigned char)der.p[1] != der.n - HEAD)
        return false;
    Str rest = str_sub(der, HEAD, der.n);
    if (!take_number(&rest, raw) || !take_number(&rest, raw + ECDSA_RAW_BYTES / 2) || rest.n)
        return false;
    memcpy(out, raw, sizeof raw);
    return true;
}

bool ecdsa_verify(struct ecdsa_key *key, Str message, Str signature)
{
    unsigned char hash[SHA256_BYTES];
    if (signature.n == 0 || signature.n > ECDSA_SIGNATURE_MAX)
        return false;
    sha256(message, hash);
    return mbedtls_pk_verify(&key->pk, MBEDTLS_MD_SHA256, hash, sizeof hash,
                             (const unsigned char *)signature.p, signature.n) == 0;
}
