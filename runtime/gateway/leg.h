/* SPDX-License-Identifier: Apache-2.0 */
/* leg.h - one request on its way to an upstream server, and the answer that may end it.
 *
 * Private to the upstream_*.c files. A leg ends once: the first answer on its own stream with its
 * own id, a failure, or a cancellation; whatever comes later finds no leg and is dropped.
 */
#ifndef RUNTIME_GATEWAY_LEG_H
#define RUNTIME_GATEWAY_LEG_H

#include "runtime/gateway/lookout.h"
#include "runtime/gateway/upstream.h"
#include "runtime/gateway/upstream_auth.h"
#include "runtime/net/child.h"
#include "runtime/wire/sse.h"

enum {
    UPSTREAM_SESSION_MAX = 256, /* bytes of a server's session id */
    LEG_EVENT_ID_MAX =
        1024, /* of an event's id; a stream with a longer one is not taken up again */
};

enum upstream_state {
    UPSTREAM_IDLE,         /* not started, or stopped */
    UPSTREAM_PROBING,      /* server/discover is out */
    UPSTREAM_INITIALIZING, /* initialize or notifications/initialized is out */
    UPSTREAM_READY,
    UPSTREAM_FAILED, /* as idle, but a stdio server rests until retry_ms */
    UPSTREAM_STATE_COUNT
};

enum upstream_event {
    UPSTREAM_PROBE,     /* ask which era it speaks */
    UPSTREAM_HANDSHAKE, /* begin the handshake of the legacy era */
    UPSTREAM_ESTABLISH, /* calls may go out */
    UPSTREAM_BREAK,     /* it is gone or unusable */
    UPSTREAM_REST,      /* stopped on purpose */
};

enum leg_body { LEG_BODY_IGNORED, LEG_BODY_JSON, LEG_BODY_SSE, LEG_BODY_REFUSAL };

struct leg {
    struct leg *next;
    struct upstream *upstream;
    uint64_t id;
    bool is_raw; /* members is the whole message */
    bool is_notification, is_sent, is_handshake,
        has_moved;            /* sent again once: it is known not to have run */
    Str method, name, fields; /* lent from text */
    char *text;               /* owned */
    struct buf members;       /* of params, `_meta` not among them */
    answer_fn answer;
    said_fn said; /* NULL: nobody listens */
    void *user;
    bool wants_progress, is_paused;
    Str log_level; /* static */
    struct timer *timer;
    uint32_t turn;      /* that it may be sent in alone; 0: in any */
    uint64_t stream_at; /* stdio: where in the child's input the message begins */
    /* HTTP */
    struct http_call *http;
    enum leg_body body_kind;
    int status;
    struct buf body;
    struct sse_reader sse;
    uint32_t generation; /* of the session it was sent in */
    bool has_session;    /* it was sent in one */
    struct leg_auth auth;
    /* HTTP, legacy: a stream that ended early and is taken up again */
    struct buf event_id; /* the last one seen; empty: it can't be */
    uint32_t retry_ms;   /* as the server wants it */
    uint32_t resumes;    /* times that it was */
    struct timer *pause; /* until the next time */
};

struct upstream {
    struct upstream *next;
    struct upstreams *owner;
    struct server *server;
    char *key_text;          /* owned */
    struct upstream_key key; /* whose calls these are; in key_text */
    const struct transport *transport;
    enum upstream_state state;
    enum server_era era; /* spoken; meaningful from INITIALIZING on */
    Str version;         /* negotiated with a legacy server */
    struct leg *legs;    /* oldest first */
    uint64_t next_id;
    int64_t used_ms;
    bool is_pumping;  /* a pump is deferred */
    uint32_t dropped; /* messages of the server that belonged to nothing */
    bool is_closed;   /* memory goes at the end of the turn */
    struct lookout lookout;
    /* stdio */
    struct child *child;
    uint32_t pauses; /* legs that have paused it */
    struct timer *rest;
    uint32_t rest_ms;
    int64_t retry_ms;
    const char *start_fault; /* why it has not answered anything since it was begun last, or NULL */
    /* HTTP */
    struct buf session; /* upstream's session id; empty: none */
    uint32_t generation;
};

struct upstreams {
    struct loop *loop;
    struct asker *keeper; /* NULL: no tokens */
    struct http_client *http;
    const struct gateway_limits *limits;
    heard_fn heard; /* NULL: nobody */
    asked_fn asked; /* NULL: nobody */
    void *heard_user;
};

/* How messages travel. */
struct transport {
    bool is_stdio;
    enum status (*start)(struct upstream *upstream); /* before the first message; may be NULL */
    /* Sends text (one JSON-RPC message). Any status but ST_OK fails the leg. */
    enum status (*send)(struct upstream *upstream, struct leg *leg, Str text);
    /* The leg is over: gives up what the transport holds for it. was_cancelled: tell the server. */
    void (*release)(struct leg *leg, bool was_cancelled);
    void (*pause)(struct leg *leg, bool paused);
    void (*stop)(struct upstream *upstream); /* may be NULL */
};
extern const struct transport transport_stdio, transport_http;

/* leg.c: making, linking and ending. A leg is gone when one of the enders returns. */
struct leg *leg_new(struct upstream *upstream, const struct upstream_request *request,
                    answer_fn answer, void *user);  /* linked, not sent; NULL: no memory */
void leg_drop(struct leg *leg, bool was_cancelled); /* no answer */
void leg_finish(struct leg *leg, const struct answer *answer);
void leg_fail(struct leg *leg, enum answer_failure failure, const char *why);
/* The message as it goes out, in the era that the upstream speaks. */
void leg_write(const struct leg *leg, struct buf *out);

/* answer.c: what a server says. Reads text as the answer on the leg's own stream and ends the
 * leg, or returns false: nothing in it was for this leg. */
bool leg_take(struct leg *leg, Str text);
/* Likewise for the body of a refusal, where only an error for this request counts. Anything else
 * leaves the leg alone, as does what says that the server is of another era than we thought. */
enum refusal_kind { REFUSAL_UNREAD, REFUSAL_TAKEN, REFUSAL_OF_ERA };
enum refusal_kind leg_take_refusal(struct leg *leg, Str text);
/* A line of a stdio server, which may be for any leg, or a request of the server's. */
void upstream_take(struct upstream *upstream, Str text);
void upstream_drop_message(struct upstream *upstream, const char *what);

/* upstream_greet.c: from idle or failed to ready, by whatever way the era needs. */
void upstream_begin(struct upstream *upstream);
void upstream_handshake(struct upstream *upstream); /* the legacy era's */

/* upstream_http.c: sends now, with a header besides (NULL: none). */
enum status leg_http_start(struct leg *leg, Str text, const struct http_header *credential);

/* upstream.c */
void upstream_step(struct upstream *upstream, enum upstream_event event); /* sets the state */
void upstream_pump_later(struct upstream *upstream); /* looks at the legs when the turn ends */
enum transmitted { LEG_SENT, LEG_KEPT, LEG_GONE };
/* GONE as well: its turn is over. KEPT: the server is ending and has read nothing of it, so it
 * waits for the next start. GONE: it could not be sent and has failed. After SENT a notification on
 * stdio is finished, too. */
enum transmitted upstream_transmit(struct leg *leg);
/* Tells the server something, if it can be told; forgets about it. */
void upstream_notify(struct upstream *upstream, Str method, Str members);
/* The server has forgotten the session: the leg did not run and goes again in a new one. */
void leg_session_lost(struct leg *leg);
/* The server speaks another version than we thought: likewise, when it has been asked again. */
void leg_era_lost(struct leg *leg);
/* upstream_resume.c: the stream of a leg ended without the answer. Takes it up again after the
 * time that the server asked for, or returns false: it can't be. */
bool leg_resume(struct leg *leg);
/* Remembers what an event says about taking up its stream. */
void leg_note_event(struct leg *leg, const struct sse_event *event);
/* upstream_http.c: asks for the rest of the stream. */
enum status http_send_resume(struct leg *leg);
/* All legs that are out fail; the server is started anew by the next call. */
void upstream_broken(struct upstream *upstream, enum answer_failure failure, const char *why);
/* transport->start, if there is one. NULL: it runs; else why not, for the client. */
const char *upstream_start(struct upstream *upstream);
/* The server refused a request in a way that casts doubt on what we know of it (its era, our
 * session): unless others are still being served, the next request begins from nothing. */
void upstream_doubt(struct upstream *upstream);
/* A stdio server ended instead of answering the probe: it is legacy and needs another start. */
void upstream_probe_died(struct upstream *upstream);

#endif
