/* SPDX-License-Identifier: Apache-2.0 */
/* subscription.h - the resources that a session of the legacy era wants to hear changes of: those
 * whose resources/subscribe the policy allowed and the server accepted. At most SUBSCRIPTIONS_MAX a
 * session. Source: MCP 2025-11-25, resources, subscriptions. */
#ifndef RUNTIME_GATEWAY_SUBSCRIPTION_H
#define RUNTIME_GATEWAY_SUBSCRIPTION_H

#include "runtime/gateway/call.h"

enum { SUBSCRIPTIONS_MAX = 256 };

/* One that is there already counts once. False: too many, or no memory. */
MUST_USE bool subscription_add(struct session *session, Str uri);
void subscription_remove(struct session *session, Str uri);
bool subscription_has(const struct session *session, Str uri);
void subscriptions_free(struct session *session);

/* Does another session with the same upstream have it? */
bool subscription_is_shared(struct gateway *gateway, struct session *session, Str uri);

#endif
