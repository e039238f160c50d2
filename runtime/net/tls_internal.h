/* SPDX-License-Identifier: Apache-2.0 */
/* tls_internal.h - what a context is made of (private to runtime/net's TLS). */
#ifndef RUNTIME_NET_TLS_INTERNAL_H
#define RUNTIME_NET_TLS_INTERNAL_H

#include "runtime/net/tls.h"
#include "runtime/net/tls_mbed.h"

#include <mbedtls/ssl_ticket.h>

enum { TLS_PIECE_MAX = 16 * 1024 }; /* plain bytes of one record, RFC 8446, section 5.1 */

struct tls_context {
    size_t users; /* sessions, and who opened it */
    mbedtls_ssl_config config;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets;
    char piece[TLS_PIECE_MAX]; /* scratch: a head and what of its body fits into the same record */
};

#endif
