/* SPDX-License-Identifier: Apache-2.0 */
/* reach.h - which addresses a request may connect to.
 *
 * Asked of the very address that is about to be connected to, after names were resolved: a name
 * that answers with another address each time gains nothing. Ranges are those of
 * runtime/domain/ip.h.
 */
#ifndef RUNTIME_NET_REACH_H
#define RUNTIME_NET_REACH_H

#include "runtime/base/attr.h"

#include <stdbool.h>
#include <sys/socket.h>

enum http_reach {
    REACH_ANY,               /* the operator named the URL */
    REACH_PUBLIC,            /* somebody else did */
    REACH_PUBLIC_OR_LOOPBACK /* the same, in development */
};

/* False for what is no IP address, unless any is allowed. */
bool reach_allows(enum http_reach reach, const struct sockaddr *address, socklen_t size);

#endif
