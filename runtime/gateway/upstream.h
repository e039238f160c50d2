/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.h - the gateway as a client: one upstream per server and principal,
 * or session of a client whom servers may ask something.
 *
 * State is never shared between principals: each has its own process or session. An upstream
 * starts with the first request, finds out which era the server speaks (told, remembered, or by
 * server/discover), does the handshake where there is one, and keeps requests waiting meanwhile.
 * It offers the server what the key says; other requests of the server's are refused. A request
 * that may have run is never sent twice.
 */
#ifndef RUNTIME_GATEWAY_UPSTREAM_H
#define RUNTIME_GATEWAY_UPSTREAM_H

#include "runtime/bundle/kind.h"
#include "runtime/gateway/caller.h"
#include "runtime/gateway/server.h"
#include "runtime/net/http_client.h"
#include "runtime/net/loop.h"
#include "runtime/wire/jsonrpc.h"

struct asker;
struct upstream;
struct upstreams;
struct leg;

/* A server as the gateway knows it. */
struct server {
    const struct server_spec *spec;
    enum server_era known_era; /* ERA_AUTO: not known yet */
    struct upstream *upstreams;
    bool has_tokens;     /* the keeper has connections to it, so every request asks for a token */
    struct drift *drift; /* changed definitions that are on record; NULL: none yet */
    /* What it said it has when it was greeted last: a bit per message kind. */
    bool has_capabilities;
    uint32_t capabilities;
    bool has_subscriptions; /* to resources */
};

/* A capability of a server that stands for messages of a kind. */
struct capability {
    Str word;
    enum message_kind kind;
    bool is_legacy; /* its methods are gone from the modern era */
    bool has_list;  /* of which a server can say that it changed */
};
extern const struct capability capability_table[];
extern const size_t capability_count;

enum answer_kind { ANSWER_RESULT, ANSWER_ERROR, ANSWER_FAILED };

enum answer_failure {
    FAILURE_GONE, /* not reachable, ended, broke off */
    FAILURE_TIMEOUT,
    FAILURE_REFUSED,   /* an HTTP status that is no answer */
    FAILURE_MALFORMED, /* an answer that can't be accepted */
    FAILURE_STALE,     /* not sent: the turn it was judged in is over */
    FAILURE_LOGIN,     /* a person must log in, which the text says */
    FAILURE_INTERNAL,  /* ours */
};

/* Lent to the callback. */
struct answer {
    enum answer_kind kind;
    enum server_era era;         /* that the server speaks */
    const struct json_doc *doc;  /* RESULT and ERROR */
    uint32_t result;             /* RESULT: an object */
    int64_t code;                /* ERROR */
    Str message;                 /* ERROR */
    uint32_t data;               /* ERROR: or JSON_NONE */
    enum answer_failure failure; /* FAILED */
    int status;                  /* FAILED, REFUSED: the HTTP status */
    const char *why;             /* FAILED: our own words, fit for the client */
    Str members;                 /* ERROR; FAILED, STALE: of the request */
};
typedef void (*answer_fn)(void *user, const struct answer *answer);
/* What a server says about a request before it answers it. Never ends the leg. */
typedef void (*said_fn)(void *user, const struct json_doc *doc,
                        const struct jsonrpc_message *message);
/* What it says about none. */
typedef void (*heard_fn)(void *user, struct upstream *upstream, const struct json_doc *doc,
                         const struct jsonrpc_message *message);

struct upstream_request {
    Str method;
    Str name;    /* what Mcp-Name says; empty: no such header */
    Str fields;  /* lines of mirror.h: what an HTTP server of the modern era gets as headers, too */
    Str members; /* of params, as JSON without braces; may be empty. `_meta` is added as needed */
    uint32_t turn;       /* of lookout.h: sent in this one or not at all; 0: any */
    said_fn said;        /* with the user of answer; NULL: nothing is passed on */
    bool wants_progress; /* the server is given a token, which is the leg's own */
    Str log_level;       /* modern: the least severe log messages wanted; empty: none */
    int64_t timeout_ms;  /* until the answer, if that is less than the limit; 0: the limit alone */
};

/* Borrows all for its life. http may be NULL when no server speaks HTTP. */
struct upstreams *upstreams_open(struct loop *loop, struct http_client *http,
                                 const struct gateway_limits *limits);
/* Where tokens come from; NULL: nowhere. Borrowed. */
void upstreams_set_keeper(struct upstreams *upstreams, struct asker *keeper);
/* The connection was ended: what is in flight with its token fails, and so does the session. */
void server_cut(struct server *server, Str principal);
/* A request of the server's, to be answered by upstream_respond, now or later. about: the user of
 * the request that it belongs to, or NULL. */
typedef void (*asked_fn)(void *user, struct upstream *upstream, void *about,
                         const struct json_doc *doc, const struct jsonrpc_message *message);
/* Who hears what servers say about no request, and what they ask. */
void upstreams_on_heard(struct upstreams *upstreams, heard_fn heard, asked_fn asked, void *user);
void upstreams_close(struct upstreams *upstreams); /* every server's must be ended before */

/* The upstream of that key, or NULL. */
struct upstream *upstream_find(const struct server *server, const struct upstream_key *key);

/* The upstream of that key, made when there is none; NULL: no memory. */
struct upstream *upstream_get(struct upstreams *upstreams, struct server *server,
                              const struct upstream_key *key);

/* Sends a request when the server is ready for it; copies. answer is called once, after this has
 * returned, unless the leg is cancelled before. NULL: no memory. */
struct leg *upstream_send(struct upstream *upstream, const struct upstream_request *request,
                          answer_fn answer, void *user);

/* Whose upstream it is; lent. */
struct upstream_key upstream_key_of(const struct upstream *upstream);
struct server *upstream_server(const struct upstream *upstream);

/* Sends the server a response, if it can be sent. */
void upstream_respond(struct upstream *upstream, Str text);
/* What is out may take so long from now on: somebody has been asked something. */
void upstream_give_time(struct upstream *upstream, uint32_t ms);

/* Backpressure: the server is not read from on behalf of the leg until resumed. What was read
 * already may still come. On stdio that holds up all requests of this upstream. */
void leg_pause(struct leg *leg, bool paused);

/* Ends a leg without an answer and tells the server. */
void leg_cancel(struct leg *leg);

/* Ends all upstreams of a server: what is out fails, children are stopped. */
void server_end(struct server *server);
/* Ends that of a session which ends. */
void server_end_session(struct server *server, Str session);
/* Ends those that nobody has used for idle_ms. */
void server_sweep(struct server *server, uint32_t idle_ms);

#endif
