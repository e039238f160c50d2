/* SPDX-License-Identifier: Apache-2.0 */
/* tls_mbed.h - what differs between mbedTLS 2.28 and 3.6 (private to runtime/net's TLS).
 *
 * 2.28 speaks TLS 1.2 only. 3.6 speaks 1.3 too, wants PSA for it, a source of randomness with keys,
 * and names groups and signatures by their numbers in the protocol.
 */
#ifndef RUNTIME_NET_TLS_MBED_H
#define RUNTIME_NET_TLS_MBED_H

#include "runtime/base/world.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if !defined(MBEDTLS_SSL_ALPN) || !defined(MBEDTLS_SSL_SESSION_TICKETS) ||                         \
    !defined(MBEDTLS_HAVE_TIME_DATE) || !defined(MBEDTLS_GCM_C)
#error "mbedTLS must be built with ALPN, session tickets, dates and GCM, as its default is"
#endif

static inline int tls_entropy(void *context, unsigned char *out, size_t n)
{
    (void)context;
    world_entropy(out, n); /* stops the process when it can't */
    return 0;
}

/* By preference. 2.28 fails on a suite that it doesn't know as soon as a client offers it. */
static const int tls_suites[] = {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0
};

#if MBEDTLS_VERSION_NUMBER < 0x03000000

static inline int tls_parse_key(mbedtls_pk_context *pk, const unsigned char *pem, size_t n)
{
    return mbedtls_pk_parse_key(pk, pem, n, NULL, 0);
}

static inline int tls_check_pair(const mbedtls_pk_context *public, const mbedtls_pk_context *key)
{
    return mbedtls_pk_check_pair(public, key);
}

static inline void tls_set_versions(mbedtls_ssl_config *config)
{
    static const mbedtls_ecp_group_id groups[] = { MBEDTLS_ECP_DP_CURVE25519,
                                                   MBEDTLS_ECP_DP_SECP256R1,
                                                   MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE };
    static const int hashes[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512,
                                  MBEDTLS_MD_NONE };
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(config, groups);
    mbedtls_ssl_conf_sig_hashes(config, hashes);
}

static inline bool tls_library_open(void)
{
    return true;
}

#else

#include <psa/crypto.h>

static inline int tls_parse_key(mbedtls_pk_context *pk, const unsigned char *pem, size_t n)
{
    return mbedtls_pk_parse_key(pk, pem, n, NULL, 0, tls_entropy, NULL);
}

static inline int tls_check_pair(const mbedtls_pk_context *public, const mbedtls_pk_context *key)
{
    return mbedtls_pk_check_pair(public, key, tls_entropy, NULL);
}

static inline void tls_set_versions(mbedtls_ssl_config *config)
{
    static const uint16_t groups[] = { MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                       MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                       MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
                                       MBEDTLS_SSL_IANA_TLS_GROUP_NONE };
    static const uint16_t signatures[] = { MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
                                           MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
                                           MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
                                           MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
                                           MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
                                           MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
                                           MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
                                           MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
                                           MBEDTLS_TLS1_3_SIG_NONE };
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_sig_algs(config, signatures);
}

static inline bool tls_library_open(void)
{
    return psa_crypto_init() == PSA_SUCCESS;
}

#endif

#endif
