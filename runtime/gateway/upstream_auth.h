/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_auth.h - tokens on requests to upstream servers.
 *
 * A request to a server that the keeper has connections to waits for its token before it is sent.
 * When the server refuses the token (401), or wants more scopes (403), the request did not run: it
 * is asked for another token and the request goes once more with it. No more than AUTH_TRIES_MAX
 * times.
 */
#ifndef RUNTIME_GATEWAY_UPSTREAM_AUTH_H
#define RUNTIME_GATEWAY_UPSTREAM_AUTH_H

#include "runtime/base/buf.h"
#include "runtime/base/status.h"
#include "runtime/wire/http1.h"

enum { AUTH_TRIES_MAX = 4, AUTH_TEXT_MAX = 2048 };

struct ask;
struct leg;

/* Of one request. All zero: it has nothing to do with tokens. */
struct leg_auth {
    struct ask *ask;     /* it waits for a token */
    struct buf text;     /* the message, to be sent again */
    struct buf why;      /* what the client hears */
    struct buf scopes;   /* that the server wants */
    uint64_t generation; /* of the token it was sent with */
    unsigned tries;
    bool has_token, wants_scopes;
};

/* Keeps the message, which may have to be sent with a token later. ST_NO_MEMORY. */
MUST_USE enum status auth_hold(struct leg *leg, Str text);

/* Sends it when a token is there. ST_NO_MEMORY. */
MUST_USE enum status auth_ask(struct leg *leg);

/* A head with 401 or 403: what it says about scopes. */
void auth_note_refusal(struct leg *leg, const struct http_head *head);

/* The answer was a refusal. True: the leg goes on, or has ended with a text about logging in. */
MUST_USE bool auth_retries(struct leg *leg);

/* Gives up what the leg holds. True: it was waiting, and nothing was sent. */
bool auth_release(struct leg *leg);
void auth_free(struct leg *leg); /* at its end */

#endif
