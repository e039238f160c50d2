/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h - a call's way from client to server and back, whatever the transport.
 *
 * One message goes in with the caller that the transport has proved; out come at most one reply
 * and, before it, what the server says about it meanwhile. The gateway reads the message once,
 * decides by its body alone, answers what is its own (handshake, discovery, ping, denials) and
 * forwards what the policy allows, written afresh. Belongs to one loop and one thread.
 */
#ifndef RUNTIME_GATEWAY_GATEWAY_H
#define RUNTIME_GATEWAY_GATEWAY_H

#include "runtime/audit/audit.h"
#include "runtime/gateway/caller.h"
#include "runtime/gateway/era.h"
#include "runtime/gateway/session.h"
#include "runtime/gateway/trust.h"
#include "runtime/net/http_client.h"

struct gateway;

struct gateway_config {
    struct loop *loop;
    struct http_client *http;  /* NULL when no server speaks HTTP */
    struct audit *audit;       /* NULL: decisions go to the operator's log */
    struct asker *keeper;      /* NULL: no server needs tokens */
    const struct trust *trust; /* whose policies may come into force; NULL: anybody's */
    const struct server_spec *servers;
    size_t server_count;
    struct session *local; /* the only client's, which is not on HTTP; NULL: all are */
    struct gateway_limits limits;
};

/* Lent to the callback. status is for HTTP: 200, 202 (nothing to say), 400, 404, 413, 503. */
struct reply {
    int status;
    Str body;    /* one JSON-RPC message, or empty */
    Str session; /* the id of a session that this reply opens, or empty */
};
typedef void (*reply_fn)(void *user, const struct reply *reply);

/* A message that comes before the reply; lent. */
struct event {
    Str text;                /* one JSON-RPC message */
    struct session *session; /* of the legacy era; else NULL */
};
/* False: the client is behind. It is sent no more by this call until call_caught_up. */
typedef bool (*event_fn)(void *user, const struct event *event);

/* One message as it came in; borrowed for the call of gateway_message, except reply, event and
 * user. */
struct incoming {
    const struct caller *caller;
    Str body;
    struct mcp_headers headers; /* all zero on stdio */
    struct session *session;    /* stdio: the connection's; NULL on HTTP */
    reply_fn reply;
    event_fn event; /* NULL: this client takes nothing before the reply */
    void *user;
};

/* The config's servers are borrowed for the gateway's life, its other pointers too. */
MUST_USE enum status gateway_open(const struct gateway_config *config, struct gateway **out);

const struct gateway_limits *gateway_limits(const struct gateway *gateway);

/* True when no request waits for a server. */
bool gateway_is_idle(const struct gateway *gateway);

/* Fails what is in flight (replies are made) and ends all servers. The loop must turn once more. */
void gateway_stop(struct gateway *gateway);
void gateway_close(struct gateway *gateway); /* takes it; must be stopped; NULL is fine */

/* True when there is anything that gateway_cut could end. */
bool gateway_has_guests(const struct gateway *gateway);

/* Fails what is in flight for grants that have ended, and ends their sessions and streams. */
void gateway_cut(struct gateway *gateway, bool (*has_ended)(void *user, Str grant), void *user);

/* Looks at all policy files now. */
void gateway_reload(struct gateway *gateway);

/* The server of that alias, or NULL. */
struct server *gateway_server(struct gateway *gateway, Str alias);

/* Handles one message. Returns NULL when it has replied, else the call that will reply later,
 * which the transport may abandon until then. */
struct call *gateway_message(struct gateway *gateway, const struct incoming *in);

/* The client is gone: no reply. In the stateless era that cancels the call, and the server is told;
 * in the other one only a notification does (2025-11-25, transports): the call goes on and counts
 * until the server has answered. */
void call_abandon(struct call *call);

/* The client of the call, or of all calls, has caught up. */
void call_caught_up(struct call *call);
void gateway_resume(struct gateway *gateway);

/* Ends the streams that would not end by themselves; what waits for a server goes on. */
void gateway_drain(struct gateway *gateway);

/* The caller's session of that id, or NULL. */
struct session *gateway_session(struct gateway *gateway, const struct caller *caller, Str id);

/* Ends the caller's session of that id; false when there is none. */
bool gateway_end_session(struct gateway *gateway, const struct caller *caller, Str id);

#endif
