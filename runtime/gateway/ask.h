/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h - what servers ask of clients: sampling, elicitation, roots (MCP 2024-11-05 to 2025-11-25).
 *
 * A server is offered a capability only when the client has it and the policy could allow a message
 * of its kind; then the client's session has an upstream of its own, so that whose question it is
 * needs no guessing. Each question is judged like a call, written afresh from the members that its
 * method is known to have, and put to the client under an id of ours; the answer counts in the same
 * session, once. A session has at most ASKS_MAX questions open, each for limits.ask_timeout_ms.
 */
#ifndef RUNTIME_GATEWAY_ASK_H
#define RUNTIME_GATEWAY_ASK_H

#include "runtime/gateway/call.h"
#include "runtime/gateway/offer.h"

enum { ASKS_MAX = 16 };

/* Of what the client declared (offer.h), what the policy could ever allow servers to ask for. */
uint32_t offers_allowed(struct gateway *gateway, const struct caller *caller, uint32_t declared);
/* asked_fn, of the gateway. */
void ask_take(void *user, struct upstream *upstream, void *call, const struct json_doc *doc,
              const struct jsonrpc_message *message);

/* A client's answer; false when the session was asked no such thing. */
bool ask_answer(struct gateway *gateway, struct session *session, const struct json_doc *doc,
                const struct jsonrpc_message *message);

/* The server takes a question back. */
void ask_withdrawn(struct session *session, const struct json_doc *doc,
                   const struct jsonrpc_message *message);

/* Refuses what has waited too long for an answer. */
void asks_sweep(struct gateway *gateway, struct session *session);
void asks_free(struct session *session);

#endif
