/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - what an operator may write for addresses, hosts, origins and URLs.
 *
 * Each check returns what is wrong, as the end of a sentence ("must ..."), or NULL. They accept
 * less than RFC 3986 does: no text that two readers could take for different hosts passes.
 */
#ifndef RUNTIME_DAEMON_ADDRESS_H
#define RUNTIME_DAEMON_ADDRESS_H

#include "runtime/base/str.h"

/* "127.0.0.1:8330", "[::1]:0": a numeric loopback address and a port. host is a part of text,
 * without brackets. Written only on success. */
const char *address_listen(Str text, Str *host, uint16_t *port);

/* A Host header's value: name or address, with or without a port. */
const char *address_host_problem(Str text);

/* An Origin header's value: scheme://host[:port], nothing behind. */
const char *address_origin_problem(Str text);

/* An upstream's URL: http: (loopback hosts only) or https:, no userinfo, no fragment. */
const char *address_url_problem(Str url);

#endif
