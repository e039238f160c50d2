/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.h - what servers publish about themselves: protected resources (RFC 9728) and
 * authorization servers (RFC 8414, OpenID Connect Discovery).
 *
 * Hostile text, read by runtime/json: no key twice, no truncation. Members that we don't know are
 * passed over; one that we do know with a wrong type makes the whole document invalid. Endpoints
 * are read as URLs and must be fit for credentials. An issuer is compared byte by byte with the one
 * that the document was asked of. Slices borrow the text or lie in the arena. `why` is a sentence
 * for the operator, without a byte of the document.
 */
#ifndef RUNTIME_OAUTH_METADATA_H
#define RUNTIME_OAUTH_METADATA_H

#include "runtime/base/status.h"
#include "runtime/oauth/client_auth.h"
#include "runtime/oauth/scope.h"
#include "runtime/oauth/web_url.h"

enum {
    METADATA_BYTES_MAX = 64 * 1024, /* of a document */
    METADATA_LIST_MAX = 64,         /* elements of a list */
    ISSUERS_MAX = 8,                /* authorization servers of a resource that are looked at */
};

struct resource_metadata {
    Str resource; /* as written: what tokens are asked for */
    Str issuers[ISSUERS_MAX];
    size_t issuer_count; /* at least one */
    struct scope_set scopes;
    bool has_scopes;
};

/* ST_INVALID: no such document; ST_DENIED: it speaks of another resource than the server. */
MUST_USE enum status resource_metadata_read(Str text, const struct web_url *server,
                                            struct arena *mem, struct resource_metadata *out,
                                            const char **why);

struct issuer_metadata {
    Str issuer, authorization_endpoint, token_endpoint;
    Str registration_endpoint, revocation_endpoint; /* p is NULL without one */
    struct scope_set scopes;
    bool has_scopes;
    bool has_s256;      /* code_challenge_methods_supported lists S256 */
    bool sends_iss;     /* authorization_response_iss_parameter_supported */
    bool reads_cimd;    /* client_id_metadata_document_supported */
    unsigned auth_mask; /* 1u << enum client_auth_method; the default when nothing is listed */
};

struct issuer_question {
    Str issuer;          /* that the place was built from */
    bool is_development; /* http to loopback is fine */
};

/* ST_INVALID: no such document; ST_DENIED: another issuer's, or an endpoint that is not fit.
 * Whether what it offers suffices (S256, a way to register) is for the flow to say. */
MUST_USE enum status issuer_metadata_read(Str text, const struct issuer_question *question,
                                          struct arena *mem, struct issuer_metadata *out,
                                          const char **why);

#endif
