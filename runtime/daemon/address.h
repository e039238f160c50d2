/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - what an operator may write for addresses, hosts, origins and URLs.
 *
 * Each check returns what is wrong, as the end of a sentence ("must ..."), or NULL. They accept
 * less than RFC 3986 does: no text that two readers could take for different hosts passes.
 */
#ifndef RUNTIME_DAEMON_ADDRESS_H
#define RUNTIME_DAEMON_ADDRESS_H

#include "runtime/base/str.h"

struct listen_address {
    Str host; /* numeric; a part of the text, without brackets */
    uint16_t port;
    bool is_loopback;
    bool is_wildcard; /* every address of this machine: no name of its own */
};

/* "127.0.0.1:8330", "[::]:443": a numeric address and a port. Written only on success. */
const char *address_listen(Str text, struct listen_address *out);

/* A Host header's value: name or address, with or without a port. */
const char *address_host_problem(Str text);

/* An Origin header's value: scheme://host[:port], nothing behind. */
const char *address_origin_problem(Str text);

/* An upstream's URL: http: (loopback hosts only) or https:, no userinfo, no fragment. */
const char *address_url_problem(Str url);

#endif
