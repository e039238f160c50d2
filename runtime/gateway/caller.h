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
};

/* Copies all that the caller points to into mem. False: no memory. */
MUST_USE bool caller_copy(struct arena *mem, const struct caller *from, struct caller *to);

#endif
