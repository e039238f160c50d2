/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - what servers say on their own accord, passed on to the clients whom it is for.
 *
 * A message about a call goes to that call's client alone, on the call's own stream: progress only
 * if the client gave a token, under that token, and rising; log messages if the policy could allow
 * logging, and as severe as the client wants them. What is about no call goes to the sessions of
 * the same principal with the same server, each once. Every message is written afresh from the
 * members that it is known to have. Source: MCP 2025-11-25 and 2026-07-28, progress, logging.
 */
#ifndef RUNTIME_GATEWAY_RELAY_H
#define RUNTIME_GATEWAY_RELAY_H

#include "runtime/gateway/call.h"

/* How severe a log message is (RFC 5424): the index of its word, 0 "debug" to 7 "emergency". */
enum { LOG_LEVEL_NONE = -1, LOG_LEVEL_DEBUG = 0 };
int relay_level(Str word); /* LOG_LEVEL_NONE: no such word */
Str relay_level_word(int level);

/* What the client's envelope says about messages before the reply. */
void relay_read_meta(struct call *call, const struct request *request);

/* said_fn, of a call; heard_fn, of the gateway. */
void relay_said(void *user, const struct json_doc *doc, const struct jsonrpc_message *message);
void relay_heard(void *user, struct upstream *upstream, const struct json_doc *doc,
                 const struct jsonrpc_message *message);

#endif
