/* SPDX-License-Identifier: Apache-2.0 */
/* callback.h - what comes back from the authorization server through the user's browser (RFC 6749
 * section 4.1.2, RFC 9207).
 *
 * Whoever can make a browser open a URL can send this, so nothing in it counts before the state
 * has led to a flow of ours and the issuer fits that flow: an error from the wrong issuer is not
 * shown either. A parameter twice is refused (RFC 6749, section 3.1); unknown ones are passed over.
 */
#ifndef RUNTIME_OAUTH_CALLBACK_H
#define RUNTIME_OAUTH_CALLBACK_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/base/str.h"

enum { CALLBACK_BYTES_MAX = 8 * 1024 };

struct callback {
    Str state, code, iss, error, error_description; /* p is NULL without one; in the arena */
};

/* Reads the query of the redirect URI, without the question mark. ST_INVALID; ST_LIMIT. */
MUST_USE enum status callback_read(Str query, struct arena *mem, struct callback *out);

/* What the flow that the state led to remembers. */
struct callback_expectation {
    Str issuer;     /* that the browser was sent to */
    bool sends_iss; /* its metadata promises an iss */
};

enum callback_verdict {
    CALLBACK_CODE,       /* there is a code for the token endpoint */
    CALLBACK_ERROR,      /* the server says no: error is one of its own */
    CALLBACK_NO_ISS,     /* promised and not there */
    CALLBACK_WRONG_ISS,  /* of another issuer */
    CALLBACK_INCOMPLETE, /* neither code nor error, or both */
};

enum callback_verdict callback_judge(const struct callback *callback,
                                     const struct callback_expectation *expected);

#endif
