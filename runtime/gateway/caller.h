/* SPDX-License-Identifier: Apache-2.0 */
/* caller.h - who sent a message: what the door it came through has proved. Borrowed for the time
 * of one message. */
#ifndef RUNTIME_GATEWAY_CALLER_H
#define RUNTIME_GATEWAY_CALLER_H

#include "runtime/base/arena.h"
#include "runtime/vm/vm.h"

struct server;

struct caller {
    struct principal principal;
    Str grant;             /* its public id; empty in `mcpd run` */
    Str label;             /* of the grant; {NULL, 0}: none */
    Str policy;            /* the bundle's path, a NUL behind it */
    struct server *server; /* the one that the message is for */
    Str session;           /* whose servers may ask for `offers`; empty when there are none */
    uint32_t offers;       /* of ask.h: what servers may ask of this client */
};

/* Whose upstream: one principal's, and where servers may ask something of a client, one session's.
 */
struct upstream_key {
    Str principal, session;
    uint32_t offers;
};

static inline struct upstream_key caller_key(const struct caller *caller)
{
    return (struct upstream_key){ caller->principal.id, caller->session, caller->offers };
}

/* Copies all that the caller points to into mem. False: no memory. */
MUST_USE bool caller_copy(struct arena *mem, const struct caller *from, struct caller *to);

#endif
