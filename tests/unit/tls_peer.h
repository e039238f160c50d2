/* SPDX-License-Identifier: Apache-2.0 */
/* tls_peer.h - certificates for a test, and a TLS client that a test steps by hand. */
#ifndef TESTS_UNIT_TLS_PEER_H
#define TESTS_UNIT_TLS_PEER_H

#include "runtime/base/buf.h"
#include "runtime/net/loop.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>

#ifndef MBEDTLS_PRIVATE /* 3.0 gave its fields other names */
#define MBEDTLS_PRIVATE(member) member
#endif

enum peer_key { PEER_P256, PEER_RSA_2048, PEER_RSA_1024 };

struct peer_certificate {
    enum peer_key key;
    const char *from, *until; /* "20200101000000"; NULL: long ago, far away */
    const char *name;         /* the subject, "CN=a" */
};

/* Writes a self-signed certificate and its key, with mode 600, as PEM. */
void peer_write_certificate(const struct peer_certificate *spec, const char *certificate,
                            const char *key);

struct peer {
    struct loop *loop;
    int fd;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
};

/* Begins: the socket is connected, nothing is said. set may change the configuration; NULL is fine.
 */
void peer_open(struct peer *peer, struct loop *loop, int fd,
               void (*set)(mbedtls_ssl_config *config));
void peer_close(struct peer *peer); /* also its socket */

/* Each turns the loop until it is done or failed; 0 or mbedTLS's code. */
int peer_shake(struct peer *peer);
int peer_say(struct peer *peer, Str text); /* as records of mbedTLS's choice */

/* Reads until `until` has come (empty: until the end). The last code: 0 when it came, or the peer
 * hung up; MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY at an end in order. */
int peer_hear(struct peer *peer, struct buf *heard, Str until);

#endif
