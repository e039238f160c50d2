/* SPDX-License-Identifier: Apache-2.0 */
/* client_auth.h - how a client proves itself at an endpoint that takes its credentials.
 *
 * RFC 6749 section 2.3.1 (Basic: identifier and secret form-encoded before base64; post), RFC 7523
 * section 2.2 with ES256 (private_key_jwt). A client belongs to one issuer: its identifier and
 * secret are never sent to another one's endpoints, which is the caller's to see to.
 */
#ifndef RUNTIME_OAUTH_CLIENT_AUTH_H
#define RUNTIME_OAUTH_CLIENT_AUTH_H

#include "runtime/base/buf.h"
#include "runtime/base/status.h"
#include "runtime/crypto/ecdsa.h"

enum client_auth_method {
#define CLIENT_AUTH(NAME, word) CLIENT_##NAME,
#include "runtime/oauth/client_auth.def"
#undef CLIENT_AUTH
    CLIENT_AUTH_COUNT
};

enum {
    CLIENT_ID_MAX = 2048,
    CLIENT_SECRET_MAX = 4096,
    CLIENT_ASSERTION_LIFE_S = 60, /* of a private_key_jwt */
};

struct client {
    Str id;                /* visible ASCII and spaces */
    Str secret;            /* empty: none */
    struct ecdsa_key *key; /* for private_key_jwt; NULL: none. Borrowed */
    Str key_id;            /* its "kid"; empty: none */
};

/* "client_secret_basic" and so on. */
Str client_auth_word(enum client_auth_method method);
MUST_USE bool client_auth_read(Str word, enum client_auth_method *out);

/* The first method in the order of client_auth.def that the issuer takes and the client is able
 * to. False: there is none. A client with a secret never goes without it. */
MUST_USE bool client_auth_choose(const struct client *client, unsigned issuer_mask,
                                 enum client_auth_method *out);

/* Adds what the method puts into the form, and the value of an Authorization field (empty: none) to
 * header. audience: the issuer, for a JWT. Both buffers then hold secrets. ST_INVALID: bytes in the
 * identifier or secret that no header may have; ST_LIMIT: a buffer is full; else ecdsa_sign's. */
MUST_USE enum status client_auth_apply(enum client_auth_method method, const struct client *client,
                                       Str audience, struct buf *form, struct buf *header);

#endif
