/* SPDX-License-Identifier: Apache-2.0 */
/* request.h - what we send: the user's browser to the authorization endpoint, and ourselves to the
 * token, registration and revocation endpoints.
 *
 * `resource` (RFC 8707) goes with every request for a token; providers that know it by another
 * name, or break on it, are told apart by a setting. PKCE is always S256. Nothing here decides; all
 * of it is written into buffers that the caller gave a limit, and that hold secrets afterwards.
 */
#ifndef RUNTIME_OAUTH_REQUEST_H
#define RUNTIME_OAUTH_REQUEST_H

#include "runtime/oauth/client_auth.h"
#include "runtime/oauth/scope.h"

enum { REQUEST_EXTRAS_MAX = 16 };

struct request_extra {
    Str name, value;
};

/* What one provider wants otherwise; zeroed: nothing. */
struct provider_quirks {
    Str resource_name;  /* instead of "resource", say "audience"; empty: as the RFC says */
    bool omit_resource; /* the provider refuses both */
    bool has_commas;    /* scopes are separated by commas */
    struct request_extra extras[REQUEST_EXTRAS_MAX]; /* of the authorization request */
    size_t extra_count;
};

/* The separator of a provider's lists of scopes. */
char quirks_separator(const struct provider_quirks *quirks);

/* May an operator add a parameter of that name to the authorization request? Not one of ours. */
bool request_extra_is_free(Str name);

struct authorize_request {
    Str endpoint;
    Str client_id, redirect_uri, state, verifier, resource;
    const struct scope_set *scopes;
    const struct provider_quirks *quirks;
};

/* The URL for the browser. ST_LIMIT: out is full. */
MUST_USE enum status authorize_url(const struct authorize_request *request, struct buf *out);

struct token_request {
    const struct client *client;
    enum client_auth_method method;
    Str issuer; /* the audience of a JWT */
    Str resource;
    const struct scope_set *scopes; /* NULL: not named */
    const struct provider_quirks *quirks;
};

/* Forms for the token endpoint; header is the value of Authorization, empty: none. */
MUST_USE enum status token_request_code(const struct token_request *request, Str code,
                                        Str redirect_uri, Str verifier, struct buf *form,
                                        struct buf *header);
MUST_USE enum status token_request_refresh(const struct token_request *request, Str refresh_token,
                                           struct buf *form, struct buf *header);
MUST_USE enum status token_request_client(const struct token_request *request, struct buf *form,
                                          struct buf *header);

/* Revocation (RFC 7009) of a refresh or access token. */
MUST_USE enum status revocation_request(const struct token_request *request, Str token,
                                        bool is_refresh, struct buf *form, struct buf *header);

struct registration_request {
    Str client_name, redirect_uri;
    bool is_native; /* the redirect goes to loopback */
    enum client_auth_method method;
    const struct scope_set *scopes; /* NULL: not named */
};

/* JSON for the registration endpoint (RFC 7591), refresh_token among the grant types. The strings
 * must be valid UTF-8. */
MUST_USE enum status registration_request(const struct registration_request *request,
                                          struct buf *out);

#endif
