/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - the way back to a client over HTTP: one JSON document, or server-sent events.
 *
 * The answer to a POST is JSON unless something comes before the reply; then it is a stream, whose
 * last event is the reply. In the stateless era that is all. A session's streams have event ids
 * ("<stream>-<event>", which mean nothing outside of it), and what they carried is kept for a
 * while, up to limits.max_replay_bytes for a session, so that a client whose connection broke can
 * resume each by GET and Last-Event-ID; its calls go on meanwhile. Stream 0 is the session's own,
 * for what is about no call; one client connection at a time listens to a stream.
 *
 * A stream of a POST is freed when it has answered and is not kept; the others by their session.
 * Source: MCP 2025-03-26 to 2026-07-28, Streamable HTTP.
 */
#ifndef RUNTIME_GATEWAY_STREAM_H
#define RUNTIME_GATEWAY_STREAM_H

#include "runtime/gateway/gateway.h"
#include "runtime/net/http_server.h"

struct stream;

/* For the answer to a message that came in the exchange; limits are borrowed. NULL: no memory. */
struct stream *stream_new(struct exchange *exchange, const struct gateway_limits *limits);
/* The stream that the exchange belongs to, or NULL. */
struct stream *stream_of(struct exchange *exchange);

/* reply_fn and event_fn, with the stream as their user. */
void stream_reply(void *user, const struct reply *reply);
bool stream_event(void *user, const struct event *event);
/* The message became a call that will reply. */
void stream_wait(struct stream *stream, struct call *call);

/* The client of the exchange is gone, or has caught up. */
void stream_gone(struct stream *stream);
void stream_room(struct stream *stream);

/* Gives the exchange to the session's own stream, or to the one that last_event_id names, and sends
 * what it has missed. 0, or the HTTP status of a refusal: 409 when somebody listens already, 400
 * for an id that names nothing here (any more), 503 without memory. */
int streams_listen(struct session *session, const struct gateway_limits *limits,
                   struct exchange *exchange, struct mcp_header last_event_id);

bool streams_are_heard(const struct streams *streams); /* NULL is fine, as below */
/* Frees what is over for longer than limits.replay_ms. */
void streams_sweep(struct streams *streams);
/* Ends the session's own stream for whoever listens. */
void streams_drain(struct session *session);
/* The session ends and its calls have: ends and frees them all. */
void streams_end(struct session *session);

#endif
