/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - TLS towards clients, by mbedTLS: 1.2 with ECDHE and AEAD suites, and 1.3 where the
 * library has it (3.6). No renegotiation, no client certificates, ALPN "http/1.1" only.
 *
 * A context is a certificate with its key; connections share it, so that a new one can take its
 * place while those of the old one go on. A session is one connection. Everything belongs to one
 * thread. RFC 5246, RFC 8446, RFC 9325 (which versions and suites are still good).
 */
#ifndef RUNTIME_NET_TLS_H
#define RUNTIME_NET_TLS_H

#include "runtime/base/status.h"
#include "runtime/base/str.h"

#include <sys/types.h>

struct tls_context;
struct tls;

enum {
    TLS_CERTIFICATE_MAX = 256 * 1024, /* bytes of the file, all certificates of the chain */
    TLS_KEY_MAX = 64 * 1024,          /* bytes of the file */
    TLS_AUTHORITIES_MAX = 4 << 20,    /* bytes of the file */
    TLS_RSA_BITS_MIN = 2048,
    TLS_TICKET_LIFE_S = 4 * 3600, /* a client may resume for so long; keys live twice as long */
    TLS_TURN_BYTES = 40 * 1024,   /* taken from the socket by one call, whatever is in it */
    TLS_ERROR_MAX = 256,
};

struct tls_error {
    char text[TLS_ERROR_MAX]; /* a clause for the operator; holds no key */
};

/* Reads both PEM files (NUL-terminated paths). The certificate may bring its chain, leaf first. Of
 * the key's file: nobody but its owner may read it, or if root owns it its group too. ST_IO: a file
 * can't be read; ST_DENIED: the key's file is open to others; ST_INVALID: anything else that is
 * wrong with them, an expired certificate included; ST_NO_MEMORY. */
MUST_USE enum status tls_context_open(const char *certificate, const char *key,
                                      struct tls_context **out, struct tls_error *error);
struct tls_context *tls_context_share(struct tls_context *context); /* NULL is fine */
void tls_context_release(struct tls_context *context);              /* NULL is fine */

/* Can the file (PEM, NUL-terminated path) be read as authorities, all of it? ST_IO, ST_INVALID. */
MUST_USE enum status tls_authorities_check(const char *path, struct tls_error *error);

/* Seconds since 1970 at which the leaf ends. */
int64_t tls_context_end(const struct tls_context *context);

/* fd stays the caller's and is non-blocking. NULL: no memory. */
struct tls *tls_open(struct tls_context *context, int fd);
void tls_close(struct tls *tls); /* NULL is fine; says nothing to the peer */

enum tls_step { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_FAILED };

/* Goes on with the handshake. After TLS_FAILED *why says why, for the log. */
MUST_USE enum tls_step tls_handshake(struct tls *tls, struct tls_error *why);

/* Like recv: 0 when the peer has ended, -1 with errno EAGAIN or EPROTO. */
ssize_t tls_recv(struct tls *tls, void *bytes, size_t room);

/* How many bytes of head and then body were taken; 0: none now; -1: broken. What was not taken must
 * be offered again first, by the next call, since some of it may be encrypted already. */
ssize_t tls_send(struct tls *tls, Str head, Str body);

/* Received and not read yet: no event of the descriptor will tell. */
bool tls_has_more(const struct tls *tls);

/* Tells the peer that nothing more comes, if it takes that now. */
void tls_end(struct tls *tls);

#endif
