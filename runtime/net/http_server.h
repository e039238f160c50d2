/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.h - the listener: connections, requests, responses, streams, deadlines.
 *
 * One exchange is one request with its response. The order of events: on_head when the head is
 * complete (the handler may answer at once: what is left of the body is then not read and the
 * connection closes after the response), on_request when the body is complete. After exactly one
 * exchange_respond the exchange is gone for the handler. If the client leaves first, the server
 * refuses the rest of the request itself, or is closed, then on_gone is called instead of whatever
 * would have come, and the exchange is gone after it returns. on_gone may come while the handler's
 * own on_head is barely over, never inside a call of the handler's other than http_server_close.
 * Pipelined requests wait until the response before them is written. Malformed requests, unknown
 * Expect values, bodies over the limit (413, after on_head, so that a handler can refuse a stranger
 * first) and late ones (408) are answered by the server itself with an empty body. A client that
 * half-closes has left. With TLS each connection begins with a handshake of bounded duration; of
 * more than max_handshakes at a time the oldest is closed, so that clients who never finish theirs
 * keep out nobody who does.
 *
 * An answer of unknown length is begun, written to and ended. What a client does not take waits:
 * over STREAM_BEHIND_BYTES the writer is told to pause until on_room; what a handler writes all the
 * same counts against max_waiting_bytes like any answer. A client that takes nothing of what waits
 * for idle_timeout_ms has left.
 */
#ifndef RUNTIME_NET_HTTP_SERVER_H
#define RUNTIME_NET_HTTP_SERVER_H

#include "runtime/base/arena.h"
#include "runtime/net/loop.h"
#include "runtime/net/tls.h"
#include "runtime/wire/http1.h"

enum { STREAM_BEHIND_BYTES = 64 * 1024 }; /* waiting for one client: its writer should pause */

struct http_server;
struct exchange;

struct http_server_config {
    const char *host; /* numeric address */
    uint16_t port;    /* 0: any free one */
    uint32_t max_connections;
    uint32_t max_body_bytes;
    uint32_t max_head_bytes; /* 0: as http_limits_default has it; less than CONN_IN_BYTES */
    uint32_t head_timeout_ms, body_timeout_ms, idle_timeout_ms;
    struct tls_context *tls;                       /* NULL: plain; a share is taken */
    uint32_t handshake_timeout_ms, max_handshakes; /* with TLS only */
    size_t arena_limit;                            /* memory of one exchange, body not counted */
    size_t max_waiting_bytes; /* of answers that clients have not taken, all connections together;
                               * over it the one that has taken nothing for longest is closed */
};

struct http_handler {
    void (*on_head)(void *user, struct exchange *exchange);
    void (*on_request)(void *user, struct exchange *exchange);
    void (*on_gone)(void *user, struct exchange *exchange);
    /* The client of a stream has caught up. May be NULL when the handler streams nothing. */
    void (*on_room)(void *user, struct exchange *exchange);
};

/* How an answer of unknown length begins. */
struct stream_head {
    int status;
    const struct http_header *headers;
    size_t header_count;
    Str content_type;
    /* Written when nothing else was for keepalive_ms; static memory. keepalive_ms 0: never. */
    Str keepalive;
    uint32_t keepalive_ms;
};

/* Binds and listens. host is only read here; the handler is copied. ST_INVALID: host is not a
 * numeric address; ST_CONFLICT: the port is taken; ST_NOT_FOUND: not an address of this machine. */
MUST_USE enum status http_server_open(struct loop *loop, const struct http_server_config *config,
                                      const struct http_handler *handler, void *user,
                                      struct http_server **out);
uint16_t http_server_port(const struct http_server *server);

/* Another certificate for connections from now on; a share is taken. The server must have had TLS
 * from its start. */
void http_server_set_tls(struct http_server *server, struct tls_context *tls);

/* Stops accepting and closes idle connections; open exchanges go on. */
void http_server_drain(struct http_server *server);
size_t http_server_exchanges(const struct http_server *server); /* still open */
/* Takes it and cuts what is open; the handler gets its last on_gone before this returns. */
void http_server_close(struct http_server *server);

/* Valid from on_head to the response; the head's slices likewise. */
const struct http_head *exchange_head(const struct exchange *exchange);
/* The whole body, contiguous; empty before on_request. */
Str exchange_body(const struct exchange *exchange);
/* Gives the body's memory back: for a handler that answers later and needs it no more. */
void exchange_drop_body(struct exchange *exchange);
/* Memory that lives as long as the exchange. */
struct arena *exchange_arena(struct exchange *exchange);
/* A pointer of the handler's, NULL at first. */
void exchange_set_user(struct exchange *exchange, void *user);
void *exchange_user(const struct exchange *exchange);

/* Answers and gives the exchange back. body is copied. content_type empty: no such header. Adds
 * Content-Length, Date is left out; never any CORS header. Cache-Control: no-store always. */
void exchange_respond(struct exchange *exchange, int status, const struct http_header *headers,
                      size_t header_count, Str content_type, Str body);

/* Begins a stream; only after on_request. The exchange stays the handler's until exchange_end or
 * on_gone; its head and body are gone, its arena stays. None of the three calls back. */
void exchange_begin(struct exchange *exchange, const struct stream_head *head);
/* Copies what the client does not take at once. False: the client is behind, on_room will come. */
bool exchange_write(struct exchange *exchange, Str bytes);
/* Ends it when all is written, and gives the exchange back. */
void exchange_end(struct exchange *exchange);

#endif
