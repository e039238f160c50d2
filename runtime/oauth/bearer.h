/* SPDX-License-Identifier: Apache-2.0 */
/* bearer.h - what a server's refusal says about how to be let in (RFC 6750 section 3, RFC 9728
 * section 5.1).
 *
 * Of all WWW-Authenticate fields the first Bearer challenge counts. A field that can't be read,
 * or a value in it that is not what the RFC says, counts as not there: the well-known places
 * answer the same questions.
 */
#ifndef RUNTIME_OAUTH_BEARER_H
#define RUNTIME_OAUTH_BEARER_H

#include "runtime/base/arena.h"
#include "runtime/oauth/scope.h"
#include "runtime/wire/http1.h"

enum bearer_error {
    BEARER_NO_ERROR, /* none named, or one that RFC 6750 does not know */
    BEARER_INVALID_TOKEN,
    BEARER_INSUFFICIENT_SCOPE,
    BEARER_INVALID_REQUEST,
};

struct bearer_challenge {
    Str resource_metadata; /* a URL, not yet read; p is NULL without one. Lies in the arena */
    struct scope_set scopes;
    bool has_scopes;
    enum bearer_error error;
};

/* False: no Bearer challenge. */
MUST_USE bool bearer_read(const struct http_head *head, struct arena *mem,
                          struct bearer_challenge *out);

#endif
