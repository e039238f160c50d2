/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.h - requests to upstream servers.
 *
 * libcurl resolves, connects, proxies and verifies TLS (CURLOPT_CONNECT_ONLY through one multi
 * handle); runtime/wire speaks HTTP/1.1 over curl_easy_send and curl_easy_recv. Connections are
 * kept per origin, one request at a time on each; a kept connection that became readable while
 * idle is dropped. A request is sent again on a new connection only if the kept one died before
 * a byte of it was accepted by the kernel: a tool call is never run twice. Redirects are answers,
 * never followed. 1xx heads are skipped. Content codings are neither offered nor accepted.
 */
#ifndef RUNTIME_NET_HTTP_CLIENT_H
#define RUNTIME_NET_HTTP_CLIENT_H

#include "runtime/net/loop.h"
#include "runtime/net/reach.h"
#include "runtime/wire/http1.h"

struct http_client;
struct http_call;

struct http_request_spec {
    Str url;    /* absolute http: or https:, no userinfo */
    Str method; /* "POST", "GET", "DELETE" */
    /* Besides Host, Content-Length and Accept-Encoding: identity, which are added. The fields that
     * frame a message or belong to the connection, and illegal names and values, are refused. */
    const struct http_header *headers;
    size_t header_count;
    Str body; /* copied */
    uint32_t connect_timeout_ms;
    uint32_t total_timeout_ms; /* from start to on_end; 0: none */
    /* Other than REACH_ANY: a connection of its own kind, never through a proxy, which would
     * resolve the name itself. */
    enum http_reach reach;
    /* The authorities (PEM, NUL behind) that may vouch for the server, and no others; empty: the
     * system's. A connection that others vouched for is not used. */
    Str ca_file;
    bool is_secret; /* request and answer hold secrets: wiped, and the connection isn't kept */
};

struct http_call_events {
    /* The final head; slices live until it returns. */
    void (*on_head)(void *user, const struct http_head *head);
    /* Body bytes, chunk framing removed; never empty; slices live until it returns. */
    void (*on_data)(void *user, Str bytes);
    /* Exactly once unless cancelled: ST_OK when the whole answer was read. why is for the log. */
    void (*on_end)(void *user, enum status status, const char *why);
};

MUST_USE enum status http_client_open(struct loop *loop, struct http_client **out);
void http_client_close(struct http_client *client); /* takes it; open calls end without on_end */

/* Starts a request; no callback runs before this returns. NULL when there is no memory, or the
 * URL, the method or a header is not acceptable. Statuses of on_end: ST_TIMEOUT; ST_NOT_FOUND: the
 * host name; ST_DENIED: TLS verification, or no address within reach; ST_INVALID: not HTTP/1.1 as
 * http1.h reads it; ST_UNSUPPORTED: a content coding; ST_CLOSED: ended too early; ST_IO: anything
 * else. */
struct http_call *http_client_start(struct http_client *client,
                                    const struct http_request_spec *spec,
                                    const struct http_call_events *events, void *user);

/* Ends a call without on_end and closes its connection. Also legal inside its callbacks. */
void http_call_cancel(struct http_call *call);

/* Backpressure: no on_data until resumed. */
void http_call_pause(struct http_call *call, bool paused);

#endif
