/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - one request of a client that is not answered yet, and what the gateway's own files
 * share. A call owns copies of all it needs: the message that made it is long gone when the
 * server answers. It ends once, by a reply or by being abandoned. */
#ifndef RUNTIME_GATEWAY_CALL_H
#define RUNTIME_GATEWAY_CALL_H

#include "runtime/gateway/gateway.h"
#include "runtime/gateway/lookout.h"
#include "runtime/gateway/policies.h"
#include "runtime/gateway/upstream.h"

enum {
    CALL_MEMORY_MAX = 4 << 20,  /* of a call's own copies */
    CALL_ROUNDS_MAX = 3,        /* times that a call waits for its server's list of tools */
    REPLY_FRAME_MAX = 64 * 1024 /* bytes of a reply besides what a server sent */
};

struct gateway {
    struct loop *loop;
    struct audit *audit;
    struct gateway_limits limits;
    struct server *servers;
    size_t server_count;
    struct upstreams *upstreams;
    struct policies *policies;
    struct sessions *sessions;
    struct timer *sweep;
    struct session *local; /* of `mcpd run`'s only client; NULL behind HTTP */
    struct call *calls;    /* all that are in flight */
    bool is_stopped, is_draining;
};

/* One message while it is being handled. */
struct request {
    struct gateway *gateway;
    const struct incoming *in;
    struct caller *caller; /* in->caller, to which what servers may ask is added */
    struct json_doc doc;
    struct jsonrpc_message message;
    enum server_era era;
    struct session *session; /* legacy; NULL when there is none yet */
};

struct listing;
struct catalogue;

struct call {
    struct call *next, *before;  /* in gateway->calls */
    struct call *next_in_flight; /* in flight->first */
    struct gateway *gateway;
    struct flight *flight; /* NULL: ids need not differ */
    struct jsonrpc_id id;
    enum server_era era;
    struct leg *leg;
    struct session *session; /* legacy; NULL otherwise */
    reply_fn reply;          /* NULL: the client is gone */
    event_fn event;          /* NULL: it takes no events, or is gone */
    void *user;
    bool is_behind;     /* the client is: the server is not listened to */
    Str progress_token; /* the client's, as JSON; empty: it gave none */
    double progress;    /* the last that was passed on */
    int log_level;      /* modern: the least severe wanted; LOG_LEVEL_NONE: none at all */
    struct arena mem;
    struct caller caller; /* copied into mem */
    struct listing *listing;
    /* tools/call that waits for its server's list of tools */
    struct waiter waiter;
    struct buf held; /* the members of params, as JSON without braces */
    uint32_t rounds;
    bool is_http_modern; /* the client's way: what its headers say must agree with the body */
    bool was_refused;    /* once, for its headers: not a second time */
    Str fields;          /* its Mcp-Param headers, lines of mirror.h; in mem */
    const struct kind_method *method; /* what judged_call.c asked */
    struct catalogue *catalogue;      /* what list_call.c lists */
};

/* A call for the request, in flight; NULL after a refusal has been replied: the id is in use, the
 * grant has too many, no memory. */
struct call *call_new(struct request *request);

/* Sends the client a message before the reply; drops it if the client takes none. */
void call_say(struct call *call, Str text);
/* What a request upstream needs to be told of before its answer, for the call. */
void call_listen(const struct call *call, struct upstream_request *request);

/* Enders: the call is gone when they return. */
void call_reply(struct call *call, int status, const struct buf *body); /* full: a failure */
void call_fail(struct call *call, const char *why);
/* Hands on a server's result; write_era appends what its kind of result has besides. */
void call_reply_result(struct call *call, const struct answer *answer,
                       void (*write_era)(struct buf *out, enum server_era era));
/* Says what a server's error or failure says. */
void call_fail_answer(struct call *call, const struct answer *answer);
/* A tool's call: a result that tells the model, and the person behind it, what to do. */
void call_reply_login(struct call *call, const struct answer *answer);
void call_cancel(struct call *call); /* by the client's wish: an empty reply */

/* How strictly a client's message is read, and the memory that reading it may take. */
struct json_limits request_limits(const struct gateway_limits *limits);
size_t request_memory(const struct gateway_limits *limits);

/* Replies to a request that never became a call. */
void request_reply(const struct request *request, int status, const struct buf *body, Str session);
void request_error(const struct request *request, int status, int64_t code, const char *why);
void request_result(const struct request *request, Str raw_result, Str session);

struct call *flight_find(const struct flight *flight, struct jsonrpc_id id);
/* Ends all calls of a session that ends. */
void flight_end(struct flight *flight);

/* tools_call.c, tools_list.c; judged_call.c and list_call.c for the other kinds of message: the
 * methods that reach a server, METHOD and LIST of kind.def. NULL: replied. */
struct call *tools_call(struct request *request);
struct call *tools_list(struct request *request);
struct call *judged_call(struct request *request);
struct call *list_call(struct request *request);
void listing_free(struct listing *listing);
void catalogue_free(struct catalogue *catalogue);

#endif
