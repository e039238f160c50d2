/* SPDX-License-Identifier: Apache-2.0 */
/* http_front.h - the gateway's endpoint: POST, GET and DELETE /mcp/<alias>.
 *
 * Everything that an HTTP head can be wrong about is found here, in a fixed order, before a byte
 * of the body counts: Host, Origin, path, repeated headers, method, bearer, alias, media types.
 * Refusals have no body. The bearer is looked up again when the body is there, so that a grant
 * revoked meanwhile is refused. Wrong bearers are answered at a bounded rate.
 */
#ifndef RUNTIME_GATEWAY_HTTP_FRONT_H
#define RUNTIME_GATEWAY_HTTP_FRONT_H

#include "runtime/gateway/gateway.h"
#include "runtime/net/http_server.h"
#include "runtime/oauth/grant.h"

struct http_front;

/* Who may come, and under which names. Borrowed until others are set, down to the strings. */
struct http_front_access {
    const struct principal *principals; /* grants of others are refused */
    size_t principal_count;
    const Str *allowed_hosts;
    size_t allowed_host_count;
    const Str *allowed_origins;
    size_t allowed_origin_count;
};

/* Borrowed for the front's life. */
struct http_front_config {
    struct gateway *gateway;
    struct asker *keeper; /* NULL: nobody logs in */
    struct grant_cache *grants;
    Str listen_host;
    struct http_front_access access;
};

struct http_front *http_front_open(const struct http_front_config *config); /* NULL: no memory */
void http_front_close(struct http_front *front);

/* For what is asked from now on. */
void http_front_set_access(struct http_front *front, const struct http_front_access *access);

/* The port that the listener got: part of the Host names that are ours. */
void http_front_set_port(struct http_front *front, uint16_t port);

/* What the listener calls, with the front as its user. */
extern const struct http_handler http_front_handler;

#endif
